//! `catatonit -P`: no command is run, and orphans are reaped, until TERM or INT comes. podman's pods begin with it.

use crate::api::executor::adopt_orphans;
use crate::model::error::Error;
use crate::model::signal::Signal;
use crate::model::status::StatusCode;
use crate::program::stderr::say;
use crate::sys::inherited;
use crate::sys::signals::process::ProcessSignals;
use crate::sys::wait;
use crate::sys::wait::{Next, Which};

/// Returns 0 after TERM or INT, or the status of a failure, which has been told.
#[cold]
pub(crate) fn pause(signals: ProcessSignals, failure: StatusCode) -> StatusCode {
    until_stopped(signals).unwrap_or_else(|error| {
        say(&error);
        failure
    })
}

fn until_stopped(mut signals: ProcessSignals) -> Result<StatusCode, Error> {
    let _adopts = adopt_orphans()?;
    inherited::let_go(&[], false).map_err(|source| Error::start("letting go of inherited descriptors", source))?;
    signals.open().map_err(|source| Error::Listen { source })?;
    let mut came = Vec::new();
    loop {
        // What has ended before, and what a SIGCHLD stands for.
        while !matches!(wait::next(Which::Any), Ok(Next::Running | Next::NoChild) | Err(_)) {}
        signals.read(&mut came, true).map_err(|source| Error::Listen { source })?;
        if came.drain(..).any(|received| matches!(received.signal, Signal::TERM | Signal::INT)) {
            return Ok(StatusCode::SUCCESS);
        }
    }
}
