//! Where the streams of an executor's child come from and go to.

use crate::model::error::Error;
use crate::model::identity::Identity;
use crate::relay::copy::copy;
use crate::relay::pipes;
use crate::sys::fd::above_stdio;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, PipeReader, PipeWriter, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::thread;

/// Where the child's stdin comes from.
///
/// ```
/// use panicmon::{Executor, Input, Options};
/// use std::fs::File;
///
/// let file = Input::Fd(File::open("/etc/passwd").unwrap().into());
/// assert!(Executor::new(Options::default().stdin(file))?.run(["grep", "-q", "root"])?.is_success());
/// # Ok::<(), panicmon::Error>(())
/// ```
#[derive(Debug, Default)]
#[non_exhaustive]
pub enum Input {
    /// From this process's own.
    #[default]
    Inherit,
    /// From nowhere: /dev/null.
    Null,
    /// From this descriptor: a file, a pipe's read end. Each child of the executor has it, and the executor keeps it open.
    Fd(OwnedFd),
}

/// Where the child's stdout or stderr goes.
#[derive(Default)]
#[non_exhaustive]
pub enum Output<'a> {
    /// To this process's own.
    #[default]
    Inherit,
    /// Nowhere: /dev/null.
    Null,
    /// Into a writer, byte for byte, by a thread of its own, so that a slow writer delays no signal.
    ///
    /// All that the child has written is in it when [`Executor::run`](crate::api::executor::Executor::run) returns; what a
    /// grandchild writes after the child's end isn't waited for. If the writer fails, the pipe is closed, and the
    /// child gets SIGPIPE as if the reader had gone.
    Writer(Box<dyn Write + Send + 'a>),
}

impl fmt::Debug for Output<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Output::Inherit => "Inherit",
            Output::Null => "Null",
            Output::Writer(_) => "Writer",
        })
    }
}

/// Runs with a thread for each stream that goes to a writer.
pub(super) fn relayed<T>(
    streams: Vec<Relayed<'_>>,
    ended: &PipeReader,
    child_lives: PipeWriter,
    run: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    thread::scope(|scope| {
        let relays = streams.into_iter().map(|(pipe, writer)| {
            let thread = thread::Builder::new().name("panicmon relay".to_owned());
            thread.spawn_scoped(scope, move || copy(pipe, ended, writer))
        });
        let relays = relays.collect::<Result<Vec<_>, _>>().map_err(|source| Error::start("thread", source))?;
        let result = run();
        drop(child_lives);
        for relay in relays {
            if relay.join().is_err() {
                log::warn!("the command's output is incomplete: its writer panicked");
            }
        }
        result
    })
}

/// The child's streams.
pub(super) struct Streams<'w> {
    /// What the child is given as its descriptors 0, 1 and 2. `None`: this process's own.
    pub(super) childs: [Option<OwnedFd>; 3],
    /// What is to be copied where.
    pub(super) relayed: Vec<Relayed<'w>>,
    /// If anything is: a pipe that is closed at the child's end.
    pub(super) ended: Option<(PipeReader, PipeWriter)>,
}

/// The pipe the child writes to, and where its bytes go.
pub(super) type Relayed<'w> = (PipeReader, &'w mut (dyn Write + Send));

impl<'w> Streams<'w> {
    pub(super) fn open(
        stdin: &Input,
        stdout: &'w mut Output<'_>,
        stderr: &'w mut Output<'_>,
        user: Option<&Identity>,
    ) -> Result<Streams<'w>, Error> {
        let childs_stdin = match stdin {
            Input::Inherit => None,
            Input::Null => Some(null(File::options().read(true))?),
            Input::Fd(fd) => Some(fd.try_clone().and_then(above_stdio).map_err(|source| Error::start("dup", source))?),
        };
        let (childs_stdout, stdout) = open_stream(stdout, user)?;
        let (childs_stderr, stderr) = open_stream(stderr, user)?;
        let relayed: Vec<_> = stdout.into_iter().chain(stderr).collect();
        let ended = if relayed.is_empty() { None } else { Some(pipe()?) };
        Ok(Streams { childs: [childs_stdin, childs_stdout, childs_stderr], relayed, ended })
    }
}

fn open_stream<'w>(
    output: &'w mut Output<'_>,
    user: Option<&Identity>,
) -> Result<(Option<OwnedFd>, Option<Relayed<'w>>), Error> {
    Ok(match output {
        Output::Inherit => (None, None),
        Output::Null => (Some(null(File::options().write(true))?), None),
        Output::Writer(writer) => {
            let (reader, childs) = pipe()?;
            pipes::give_to(user, reader.as_fd());
            (Some(childs.into()), Some((reader, &mut **writer)))
        }
    })
}

fn null(options: &OpenOptions) -> Result<OwnedFd, Error> {
    let null = options.open("/dev/null").and_then(|null| above_stdio(null.into()));
    null.map_err(|source| Error::start("open /dev/null", source))
}

#[cold]
fn pipe() -> Result<(PipeReader, PipeWriter), Error> {
    let pipe = io::pipe()
        .and_then(|(reader, writer)| Ok((above_stdio(reader.into())?.into(), above_stdio(writer.into())?.into())));
    pipe.map_err(|source| Error::start("pipe", source))
}
