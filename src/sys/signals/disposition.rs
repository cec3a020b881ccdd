//! What this process does with a signal that comes: rt_sigaction(2).

use super::mask::SIGSET_BYTES;
use crate::model::signal::Signal;
use crate::sys::raw::syscall;

/// What a process does with a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disposition {
    Default,
    Ignored,
    /// It has a handler, which exec would reset to the default.
    Caught,
}

/// The kernel's `struct sigaction`, whose first word is the handler on every architecture this is built for; with
/// room to spare for the rest.
#[repr(C, align(8))]
struct KernelAction {
    handler: usize,
    rest: [usize; 7],
}

/// Does something while the signal has its default action, or is ignored, and puts back what it had.
pub(super) fn with_disposition<T>(signal: Signal, disposition: libc::sighandler_t, act: impl FnOnce() -> T) -> T {
    let wanted = KernelAction { handler: disposition, rest: [0; 7] };
    let mut before = KernelAction { handler: libc::SIG_DFL, rest: [0; 7] };
    let set = |new: *const KernelAction, old: *mut KernelAction| {
        // SAFETY: both are null, or a struct sigaction that the kernel reads or writes; a handler that is put back is
        // one that was there.
        unsafe { syscall(libc::SYS_rt_sigaction, [signal.number() as usize, new as usize, old as usize, SIGSET_BYTES]) }
    };
    // KILL and STOP have no other action: that is an error, and does no harm.
    let changed = set(&raw const wanted, &raw mut before).is_ok();
    let result = act();
    if changed {
        let _ = set(&raw const before, std::ptr::null_mut());
    }
    result
}

/// What this process does with the signal. Async-signal-safe.
pub(crate) fn disposition(signal: Signal) -> Disposition {
    let mut action = KernelAction { handler: libc::SIG_DFL, rest: [0; 7] };
    // SAFETY: the kernel writes a struct sigaction, for which there is room.
    let _ = unsafe {
        syscall(libc::SYS_rt_sigaction, [signal.number() as usize, 0, (&raw mut action) as usize, SIGSET_BYTES])
    };
    match action.handler {
        libc::SIG_DFL => Disposition::Default,
        libc::SIG_IGN => Disposition::Ignored,
        _ => Disposition::Caught,
    }
}

/// Lets the signal take its default course, or be ignored. Async-signal-safe.
pub(crate) fn set_disposition(signal: Signal, ignored: bool) {
    let handler = if ignored { libc::SIG_IGN } else { libc::SIG_DFL };
    let action = KernelAction { handler, rest: [0; 7] };
    // SAFETY: the kernel reads a struct sigaction without flags; no handler of ours is called. A wrong signal number is
    // an error and changes nothing.
    let _ = unsafe {
        syscall(libc::SYS_rt_sigaction, [signal.number() as usize, (&raw const action) as usize, 0, SIGSET_BYTES])
    };
}
