//! The lines of commands, labelled, on their way to our own stdout and stderr.

use super::{journal, stderr};
use crate::formats::timestamp::TimeFormat;
use crate::model::signal::Signal;
use crate::relay::pipes::{Relay, Sink};
use crate::relay::printed::{Names, Printed};
use crate::sys::output::Output;
use crate::sys::signals::{Disposition, disposition};
use std::time::SystemTime;

/// A relay to stdout and stderr, which must be open. From here on log messages go through it.
pub(crate) fn relay(names: &[String], which: Names, time_format: Option<TimeFormat>) -> Relay<'static> {
    let (out, err) = (Output::stdout(), Output::stderr());
    let stamp = time_format.map(|format| {
        let write = format.writer();
        Box::new(move |into: &mut Vec<u8>| write(SystemTime::now(), into)) as _
    });
    let printed = Printed::new(out, err, names, which, stamp, has_colours());
    stderr::leave_to_relay();
    let printed = printed.beside(stderr::take).outlives_readers(outlives_readers()).journal(journal::stream());
    Relay::new(Sink::Printed(printed))
}

/// Whether the run goes on when the reader of our output has gone: if SIGPIPE was ignored from the start, as systemd does for
/// its services.
fn outlives_readers() -> bool {
    disposition(Signal::PIPE) == Disposition::Ignored
}

/// Whether a terminal may be shown colours: no-color.org.
fn has_colours() -> bool {
    let no = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !no && std::env::var_os("TERM").is_some_and(|term| term != "dumb")
}
