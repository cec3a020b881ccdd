//! Texts on stdout: help, version, reports.

use super::stderr::say;
use crate::model::status::StatusCode;
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

/// Prints a text, and returns the exit status: a failure to write is told.
#[cold]
pub(crate) fn print(text: &str) -> StatusCode {
    match write(text) {
        Ok(()) => StatusCode::SUCCESS,
        Err(error) => {
            say(&format_args!("can't write to stdout: {error}"));
            StatusCode::OWN_FAILURE
        }
    }
}
