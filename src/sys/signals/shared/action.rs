//! What the program does with a signal: sigaction(2). Everything here is async-signal-safe.

use crate::model::signal::Signal;
use crate::sys::process;
use crate::sys::raw::syscall;
use crate::sys::signals::disposition::{Disposition, disposition, set_disposition};
use std::ffi::c_int;
use std::io;
use std::mem::MaybeUninit;
use std::ptr;

/// Whether it calls a function.
pub(super) fn is_handler(action: &libc::sigaction) -> bool {
    !matches!(action.sa_sigaction, libc::SIG_DFL | libc::SIG_IGN)
}

/// Whether both do the same.
pub(super) fn same(a: &libc::sigaction, b: &libc::sigaction) -> bool {
    /// Set by C libraries for themselves and shown by the kernel with some actions; crate libc has no name for it.
    const SA_RESTORER: c_int = 0x0400_0000;
    a.sa_sigaction == b.sa_sigaction && (a.sa_flags ^ b.sa_flags) & !SA_RESTORER == 0
}

/// What is in place now. Another thread may change it at any time.
pub(super) fn action(signal: Signal) -> io::Result<libc::sigaction> {
    let mut action = MaybeUninit::zeroed();
    // SAFETY: writes a sigaction; all zeroes are one, too.
    let result = unsafe { libc::sigaction(signal.number(), ptr::null(), action.as_mut_ptr()) };
    // SAFETY: see above.
    if result == 0 { Ok(unsafe { action.assume_init() }) } else { Err(io::Error::last_os_error()) }
}

/// Puts this in place, and returns what it has replaced.
pub(super) fn swap(signal: Signal, new: &libc::sigaction) -> io::Result<libc::sigaction> {
    let mut before = MaybeUninit::zeroed();
    // SAFETY: the action is ours, whose handler is async-signal-safe, or one that was in place before, perhaps with
    // SIG_DFL for its handler; the call writes a sigaction, and all zeroes are one, too.
    let result = unsafe { libc::sigaction(signal.number(), new, before.as_mut_ptr()) };
    // SAFETY: see above.
    if result == 0 { Ok(unsafe { before.assume_init() }) } else { Err(io::Error::last_os_error()) }
}

/// An action with this handler, these flags, and no signal blocked.
pub(super) fn new_action(handler: libc::sighandler_t, flags: c_int) -> libc::sigaction {
    // SAFETY: all zeroes are a sigaction.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    (action.sa_sigaction, action.sa_flags) = (handler, flags);
    action
}

/// Puts this back if the signal has its default action now: Rust's own handler for SIGBUS sets that on every SIGBUS
/// that isn't a stack overflow. If another thread has just put something else in place, that stays. `swap` puts an action
/// in place and returns the one before, `handler` is an action's.
pub(super) fn undo_reset<A>(
    signal: Signal,
    in_place: &A,
    swap: impl Fn(Signal, &A) -> Option<A>,
    handler: impl Fn(&A) -> libc::sighandler_t,
) {
    if handler(in_place) == libc::SIG_DFL || disposition(signal) != Disposition::Default {
        return;
    }
    if let Some(before) = swap(signal, in_place)
        && handler(&before) != libc::SIG_DFL
    {
        let _ = swap(signal, &before);
    }
}

/// Ends this program by the signal, which takes effect when the handler returns.
pub(super) fn die(signal: Signal) {
    set_disposition(signal, false);
    raise(signal);
}

/// Stops this program.
pub(super) fn stop() {
    raise(Signal::STOP);
}

fn raise(signal: Signal) {
    // SAFETY: sends a signal to this thread.
    let _ = unsafe {
        let thread = syscall(libc::SYS_gettid, []).unwrap_or(0);
        syscall(libc::SYS_tgkill, [process::id().as_raw() as usize, thread, signal.number() as usize])
    };
}
