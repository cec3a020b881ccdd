//! Texts on stdout: help, version, reports.

use super::failure;
use super::stderr::say;
use crate::model::signal::Signal;
use crate::model::status::{ExitStatus, StatusCode};
use crate::sys::signals::{Disposition, disposition, own};
use nix::errno::Errno;
use std::io;

/// Writes a text.
#[cold]
pub(crate) fn write(text: &str) -> Result<(), Errno> {
    let mut rest = text.as_bytes();
    // The standard library takes a closed stdout for one that works.
    loop {
        match nix::unistd::write(io::stdout(), rest) {
            Ok(written) if written == rest.len() => return Ok(()),
            Ok(written) => rest = &rest[written..],
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Prints a text, and returns the exit status: a failure to write is told. If its reader has gone, this process ends by SIGPIPE
/// without a word, as other programs do.
#[cold]
pub(crate) fn print(text: &str) -> StatusCode {
    match write(text) {
        Err(Errno::EPIPE) if disposition(Signal::PIPE) == Disposition::Default => {
            own::die(Signal::PIPE);
            // PID 1 doesn't die of it.
            ExitStatus::Signaled { signal: Signal::PIPE, core_dumped: false }.code()
        }
        Ok(()) => StatusCode::SUCCESS,
        Err(error) => {
            say(&format_args!("can't write to stdout: {error}"));
            failure::status()
        }
    }
}
