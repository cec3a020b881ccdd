//! What this process does with a signal that comes: rt_sigaction(2).

use super::mask::SIGSET_BYTES;
use crate::model::signal::Signal;
use crate::sys::raw::{Errno, syscall};
use std::ptr;

/// What a process does with a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disposition {
    Default,
    Ignored,
    /// It has a handler, which exec would reset to the default.
    Caught,
}

/// The kernel's `struct sigaction`, whose first words are the handler and the flags on every architecture this is built
/// for; with room to spare for the rest. A third of a C library's, for handlers that run on a small stack.
#[repr(C, align(8))]
pub(super) struct KernelAction {
    pub(super) handler: usize,
    pub(super) flags: usize,
    rest: [usize; 6],
}

impl KernelAction {
    /// Without flags.
    const fn new(handler: libc::sighandler_t) -> KernelAction {
        KernelAction { handler, flags: 0, rest: [0; 6] }
    }

    /// What is in place now. Another thread may change it at any time. `None`: the kernel has no such signal.
    pub(super) fn in_place(signal: Signal) -> Option<KernelAction> {
        let mut action = KernelAction::new(libc::SIG_DFL);
        set(signal, ptr::null(), &raw mut action).ok()?;
        Some(action)
    }

    /// Puts it in place, and returns what was there. It must have been in place before, or call no handler.
    pub(super) fn put(&self, signal: Signal) -> Option<KernelAction> {
        let mut before = KernelAction::new(libc::SIG_DFL);
        set(signal, self, &raw mut before).ok()?;
        Some(before)
    }
}

fn set(signal: Signal, new: *const KernelAction, old: *mut KernelAction) -> Result<usize, Errno> {
    // SAFETY: both are null, or a struct sigaction that the kernel reads or writes; a handler that is put in place is one
    // that was there. A wrong signal number is an error and changes nothing.
    unsafe { syscall(libc::SYS_rt_sigaction, [signal.number() as usize, new as usize, old as usize, SIGSET_BYTES]) }
}

/// Does something while the signal has its default action, or is ignored, and puts back what it had.
pub(super) fn with_disposition<T>(signal: Signal, disposition: libc::sighandler_t, act: impl FnOnce() -> T) -> T {
    // KILL and STOP have no other action: that is an error, and does no harm.
    let before = KernelAction::new(disposition).put(signal);
    let result = act();
    if let Some(before) = before {
        let _ = before.put(signal);
    }
    result
}

/// What this process does with the signal. Async-signal-safe.
pub(crate) fn disposition(signal: Signal) -> Disposition {
    match KernelAction::in_place(signal).map_or(libc::SIG_DFL, |action| action.handler) {
        libc::SIG_DFL => Disposition::Default,
        libc::SIG_IGN => Disposition::Ignored,
        _ => Disposition::Caught,
    }
}

/// Lets the signal take its default course, or be ignored. Async-signal-safe.
pub(crate) fn set_disposition(signal: Signal, ignored: bool) {
    let action = KernelAction::new(if ignored { libc::SIG_IGN } else { libc::SIG_DFL });
    let _ = set(signal, &raw const action, ptr::null_mut());
}
