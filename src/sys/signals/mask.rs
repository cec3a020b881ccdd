//! Which signals a thread blocks, and which have come meanwhile: rt_sigprocmask(2), rt_sigpending(2).

#[cfg(feature = "reports")]
use crate::model::signal::Signal;
use crate::model::signal::SignalSet;
use crate::sys::raw::syscall;

/// The kernel's `sigset_t` has one bit for each of 64 signals.
pub(super) const SIGSET_BYTES: usize = size_of::<u64>();

/// Blocks all 64 signals for this thread and returns what was blocked before. The C libraries' functions leave out 32
/// and 33.
pub(crate) fn block_all() -> SignalSet {
    set_mask(SignalSet::ALL)
}

/// Does this, which starts a thread of ours in a program that belongs to others, too: the thread takes none of the program's
/// signals. One that all others block, to read it from a signalfd or by sigwait(3), would end the program here.
#[cfg(feature = "reports")]
pub(crate) fn without_signals<T>(start: impl FnOnce() -> T) -> T {
    // A fault is the thread's own. 32 and 33 are the C libraries': their setuid(2) waits for each thread.
    let faults = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP, libc::SIGSYS];
    let kept = faults.into_iter().chain([32, 33]).filter_map(Signal::new);
    let before = blocked();
    set_mask(kept.fold(SignalSet::ALL, SignalSet::without).union(before));
    let started = start();
    set_mask(before);
    started
}

/// The mask of this thread.
pub(crate) fn blocked() -> SignalSet {
    let mut mask = 0u64;
    // SAFETY: the kernel writes 64 bits, the size that is told.
    let _ = unsafe { syscall(libc::SYS_rt_sigprocmask, [0, 0, (&raw mut mask) as usize, SIGSET_BYTES]) };
    SignalSet::from_bits(mask)
}

/// Sets the mask of this thread and returns the one before.
pub(crate) fn set_mask(mask: SignalSet) -> SignalSet {
    let new = mask.bits();
    let mut old = 0u64;
    // SAFETY: both point to 64 bits on this stack, which is the size that is told. It can't fail with these arguments.
    let _ = unsafe {
        syscall(
            libc::SYS_rt_sigprocmask,
            [libc::SIG_SETMASK as usize, (&raw const new) as usize, (&raw mut old) as usize, SIGSET_BYTES],
        )
    };
    SignalSet::from_bits(old)
}

/// What has come to this thread, or its process, and is blocked. Async-signal-safe.
pub(crate) fn pending() -> SignalSet {
    let mut pending = 0u64;
    // SAFETY: the kernel writes 64 bits, the size that is told.
    let _ = unsafe { syscall(libc::SYS_rt_sigpending, [(&raw mut pending) as usize, SIGSET_BYTES]) };
    SignalSet::from_bits(pending)
}
