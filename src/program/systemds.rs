//! Whether systemd started this very process, and what that means for how it ends: systemd.exec(5).
//!
//! systemd calls a stop a success only if the main process dies of it. With `PrivatePIDs=yes` this process is the first of
//! its PID namespace, which can't die of a signal that it sends itself: there such a stop is the status 0.

use crate::model::env;
use crate::model::event::{ProcessStarting, SignalPassed};
use crate::model::handler::Handler;
use crate::model::signal::{Signal, SignalSet};
use crate::model::status::{ExitStatus, StatusCode};
use crate::sys::{cgroup, process};
use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The signals that end a service without a failure, by systemd.service(5), SuccessExitStatus=; without PIPE, which isn't sent
/// to stop a process.
const STOPS: [Signal; 3] = [Signal::TERM, Signal::INT, Signal::HUP];

fn exec_pid<'e>(env: &[&'e CStr]) -> Option<&'e [u8]> {
    env::get(env, "SYSTEMD_EXEC_PID").map(OsStr::as_bytes)
}

/// Whether systemd started this very process.
pub(crate) fn is_own(env: &[&CStr]) -> bool {
    exec_pid(env).is_some_and(is_ours)
}

#[cold]
fn is_ours(pid: &[u8]) -> bool {
    pid == process::id().to_string().as_bytes()
}

/// Whether [`is_own_init`] may be true; it costs less.
pub(crate) fn may_be_own_init(env: &[&CStr]) -> bool {
    // Without the variable there is no system call.
    exec_pid(env).is_some() && process::id().as_raw() == 1
}

/// Whether systemd started this process as the first of a PID namespace.
///
/// The variable may hold the pid that this process had outside (systemd 257). That may also be so if another process of the
/// unit made the namespace, but then that process is in the unit's cgroup, too. systemd's own, which is there at first, is
/// gone soon.
pub(crate) fn is_own_init(env: &[&CStr]) -> bool {
    may_be_own_init(env) && (is_own(env) || cgroup::is_of_own_namespace())
}

/// Remembers which stops were passed on to the command.
pub(crate) struct Watch(Arc<AtomicU64>);

/// The stops that were passed on to the last run of the command.
pub(crate) struct Passed(Arc<AtomicU64>);

/// A handler, and what it sees.
pub(crate) fn watch() -> (Watch, Passed) {
    let passed = Arc::new(AtomicU64::new(0));
    (Watch(Arc::clone(&passed)), Passed(passed))
}

impl Handler for Watch {
    fn process_starting(&mut self, _: &ProcessStarting<'_>) {
        self.0.store(0, Ordering::Relaxed);
    }

    fn signal_passed(&mut self, event: &SignalPassed<'_>) {
        if STOPS.contains(&event.signal) {
            self.0.fetch_or(SignalSet::EMPTY.with(event.signal).bits(), Ordering::Relaxed);
        }
    }
}

impl Passed {
    /// The exit status where it differs from the command's: 0 for an end by a signal that was passed on.
    pub(crate) fn code(&self, status: ExitStatus) -> Option<StatusCode> {
        match status {
            ExitStatus::Signaled { signal, .. } => {
                let passed = SignalSet::from_bits(self.0.load(Ordering::Relaxed));
                passed.contains(signal).then_some(StatusCode::new(0))
            }
            ExitStatus::Exited(_) => None,
        }
    }
}
