//! Which of our streams are listened to for the command's last words, and how.

use super::options::settings::Settings;
use super::options::values::TailSize;
use crate::relay::passed::Passed;
use crate::relay::pipes::{Relay, Sink};
use crate::relay::stream::Stream;
use crate::relay::words::Words;
use crate::sys::file_tail::{self, FileTail, Kind};
use std::io;
use std::os::fd::AsFd;

/// What is kept of stdout and of stderr, by the way it is had.
#[derive(Debug, Default)]
pub(crate) struct Tails {
    /// While it passes a relay, in bytes.
    passing: [usize; 2],
    /// From the file that it is written to.
    pub(crate) files: [Option<(FileTail, usize)>; 2],
}

/// Listens, if anything is to be kept. The relay that the command's output passes keeps what is to be kept; one is made if that
/// takes one.
pub(crate) fn listen(
    settings: &Settings,
    relay: Option<Box<Relay<'static>>>,
) -> (Option<Box<Relay<'static>>>, Option<Tails>) {
    if settings.stderr_tail.is_none() && settings.stdout_tail.is_none() {
        return (relay, None);
    }
    let tails = find(settings, relay.is_some());
    (tails.relay(relay), Some(tails))
}

#[cold]
fn find(settings: &Settings, relayed: bool) -> Tails {
    let mut tails = Tails::default();
    let asked = [
        (settings.stdout_tail, "stdout-tail", file_tail::kind(io::stdout().as_fd())),
        (settings.stderr_tail, "stderr-tail", file_tail::kind(io::stderr().as_fd())),
    ];
    for (at, (asked, option, kind)) in asked.into_iter().enumerate() {
        let Some(TailSize { bytes, force }) = asked else { continue };
        match kind {
            _ if relayed => tails.passing[at] = bytes,
            Kind::Closed => {}
            Kind::Terminal if !force => log::warn!(
                "{}: nothing is kept, because a pipe would replace the command's terminal: write SIZE,force if it may",
                settings.name_of(option)
            ),
            Kind::File => {
                let stream =
                    if at == 0 { FileTail::open(io::stdout().as_fd()) } else { FileTail::open(io::stderr().as_fd()) };
                match stream {
                    Ok(file) => tails.files[at] = Some((file, bytes)),
                    Err(error) => log::warn!("{}: the file can't be read: {error}", settings.name_of(option)),
                }
            }
            Kind::Terminal | Kind::Other => tails.passing[at] = bytes,
        }
    }
    tails
}

impl Tails {
    #[cold]
    fn relay(&self, relay: Option<Box<Relay<'static>>>) -> Option<Box<Relay<'static>>> {
        if self.passing == [0; 2] {
            return relay;
        }
        let relay = relay.unwrap_or_else(|| {
            let streams = [Stream::Stdout, Stream::Stderr].into_iter().zip(self.passing);
            let streams: Vec<_> = streams.filter(|(_, bytes)| *bytes > 0).map(|(stream, _)| stream).collect();
            Box::new(Relay::new(Sink::Passed(Passed::new(&streams))))
        });
        Some(Box::new(relay.keep(Some(Words::new(self.passing)))))
    }
}
