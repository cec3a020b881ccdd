//! What a run in another program's place has besides options: its exit statuses, its words, its way to end.

use crate::model::error::{Error, NotExecutable};
use crate::model::event::Event;
use crate::model::handler::Handler;
use crate::model::signal::{Signal, SignalSet};
use crate::model::status::StatusCode;
use crate::program::stderr;
use std::ffi::CStr;
use std::io::ErrorKind;

/// The exit statuses of a program's own failures.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Statuses {
    pub(super) not_found: StatusCode,
    pub(super) not_executable: StatusCode,
    /// It can't be executed for another reason than a missing permission: a link to itself, a file as a folder.
    pub(super) refused_otherwise: StatusCode,
    /// Any other: a wrong command line, a command that can't be started.
    pub(super) failure: StatusCode,
}

impl Statuses {
    pub(crate) fn failure(&self) -> StatusCode {
        self.failure
    }

    #[cold]
    pub(crate) fn of(&self, error: &Error) -> StatusCode {
        match error.status_code() {
            // The kernel says of both that they aren't there.
            _ if matches!(error, Error::NotExecutable { reason: NotExecutable::InterpreterMissing(_), .. }) => {
                self.not_found
            }
            StatusCode::NOT_FOUND => self.not_found,
            StatusCode::NOT_EXECUTABLE if is_refused_otherwise(error) => self.refused_otherwise,
            StatusCode::NOT_EXECUTABLE => self.not_executable,
            _ => self.failure,
        }
    }
}

/// Whether execve(2) failed, and not for want of a permission.
#[cold]
fn is_refused_otherwise(error: &Error) -> bool {
    match error {
        Error::NotExecutable { reason: NotExecutable::Refused(source), .. } => {
            source.kind() != ErrorKind::PermissionDenied
        }
        _ => false,
    }
}

/// What a run in another program's place has besides options.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InPlace {
    pub(crate) statuses: &'static Statuses,
    /// The command: its words may have stood among options.
    pub(crate) words: &'static [&'static CStr],
    /// Each orphan that is reaped is told by this program's word for it: [`TellOrphans`].
    pub(crate) tells_orphans: bool,
    /// At the command's end the rest of its process group is sent this signal, and not waited for.
    pub(crate) at_end: Option<Signal>,
    /// These stop panicmon, too: some of TSTP, TTIN and TTOU.
    pub(crate) stops_too: SignalSet,
}

/// Tells of orphans as `tini -w` does.
pub(crate) struct TellOrphans;

impl Handler for TellOrphans {
    fn event(&mut self, event: &Event<'_>) {
        if let Event::OrphanReaped(orphan) = event {
            let own = std::process::id();
            stderr::log(format!("[WARN  tini ({own})] Reaped zombie process with pid={}\n", orphan.pid).as_bytes());
        }
    }
}
