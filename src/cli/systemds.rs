//! Whether systemd started this very process, and what that means for how it ends: systemd.exec(5).
//!
//! systemd calls a stop a success only if the main process dies of it. With `PrivatePIDs=yes` this process is the first of
//! its PID namespace, which can't die of a signal that it sends itself: there such a stop is the status 0.

use crate::options::names;
use crate::sys::process;
use crate::{ExitStatus, Handler, ProcessStarted, Signal, SignalPassed, SignalSet, StatusCode};
use std::ffi::CStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Those that are no failure to systemd, and that come through this process.
const STOPS: [Signal; 3] = [Signal::TERM, Signal::INT, Signal::HUP];

/// Whether systemd started this very process.
pub(super) fn is_own(env: &[&CStr]) -> bool {
    let variable = env.iter().find(|entry| names(entry, b"SYSTEMD_EXEC_PID"));
    variable.is_some_and(|entry| entry.to_bytes().ends_with(format!("={}", process::id()).as_bytes()))
}

/// Whether it is the first of a PID namespace, as with `PrivatePIDs=yes`.
pub(super) fn is_own_init(env: &[&CStr]) -> bool {
    process::id().as_raw() == 1 && is_own(env)
}

/// Remembers which of those signals were passed on to the command.
pub(super) struct Watch(Arc<AtomicU64>);

/// Which were, in its last run.
pub(super) struct Passed(Arc<AtomicU64>);

/// A handler, and what it has seen.
pub(super) fn watch() -> (Watch, Passed) {
    let passed = Arc::new(AtomicU64::new(0));
    (Watch(Arc::clone(&passed)), Passed(passed))
}

impl Handler for Watch {
    fn process_started(&mut self, _: &ProcessStarted<'_>) {
        self.0.store(0, Ordering::Relaxed);
    }

    fn signal_passed(&mut self, event: &SignalPassed) {
        if STOPS.contains(&event.signal) {
            self.0.fetch_or(SignalSet::EMPTY.with(event.signal).bits(), Ordering::Relaxed);
        }
    }
}

impl Passed {
    /// The exit status where it differs from the command's: 0 for an end by a signal that was passed on.
    pub(super) fn code(&self, status: ExitStatus) -> Option<StatusCode> {
        match status {
            ExitStatus::Signaled { signal, .. } => {
                let passed = SignalSet::from_bits(self.0.load(Ordering::Relaxed));
                passed.contains(signal).then_some(StatusCode::new(0))
            }
            ExitStatus::Exited(_) => None,
        }
    }
}
