//! Opens what `--events` names.

use super::options::settings::Settings;
use super::stderr;
use crate::report::records::Records;
use crate::report::records::record::Head;
use crate::report::records::sink::{Sink, SinkName};
use crate::sys::{container, own_file, process, user};
use std::io;

/// The records that are asked for. A sink that can't be opened gets none, which is a warning. `relayed`: what is written to
/// stderr goes through a relay. `name`: whose those are that are no process's.
pub(crate) fn open(settings: &Settings, relayed: bool, name: impl FnOnce() -> String) -> Option<Records> {
    if settings.events.is_empty() { None } else { open_sinks(settings, relayed, name()) }
}

#[cold]
fn open_sinks(settings: &Settings, relayed: bool, name: String) -> Option<Records> {
    let mut sinks = Vec::new();
    for sink in &settings.events {
        match open_sink(sink, relayed) {
            Ok(open) => sinks.push(open),
            Err(error) => log::warn!("{}: {sink}: {error}: it gets no events", settings.name_of("events")),
        }
    }
    let head = Head {
        pid: process::id(),
        host: nix::unistd::gethostname().unwrap_or_default().to_string_lossy().into_owned(),
        container: container::id(),
        dir: std::env::current_dir().unwrap_or_default(),
        user: user::own(),
    };
    (!sinks.is_empty()).then(|| Records::new(head, sinks, name))
}

fn open_sink(sink: &SinkName, relayed: bool) -> io::Result<Sink> {
    match sink {
        SinkName::Stderr if relayed => Ok(Sink::given(stderr::add_line)),
        SinkName::Stderr => Ok(Sink::stderr()),
        SinkName::File(path) => Sink::file(path),
        SinkName::Fd(number) => own_file::take(*number).map(Sink::fd),
        SinkName::Unix(path) => Sink::unix(path),
    }
}
