//! Masks, dispositions, and signals that come and go.

pub(crate) mod claims;
mod layer;
pub(crate) mod own;
pub(crate) mod process;
pub(crate) mod shared;

use crate::model::origin::Origin;
use crate::model::origin::Received;
use crate::model::pid::Pid;
use crate::model::signal::{Signal, SignalSet};
use crate::sys::raw::{syscall, syscall_io};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// The kernel's `sigset_t` has one bit for each of 64 signals.
const SIGSET_BYTES: usize = size_of::<u64>();

/// Whom a signal is passed on to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) pid: Pid,
    /// Where others of this process could wait for the child, the number alone isn't safe: it may be reused.
    pub(crate) pidfd: Option<BorrowedFd<'a>>,
}

/// `siginfo_t` as rt_sigqueueinfo(2) takes it, of the kernel's size.
#[repr(C)]
struct QueuedInfo {
    number: i32,
    errno: i32,
    code: i32,
    /// A structure of its own, since the kernel's union is aligned to a pointer.
    fields: QueuedFields,
    rest: [u64; 12],
}

#[repr(C)]
struct QueuedFields {
    pid: i32,
    uid: u32,
    value: usize,
}

/// Passes a signal on to the child.
///
/// A queued signal keeps its value and its sender, and so does every real-time signal: sent by kill(2), one that finds
/// the queue full would be lost without a word, where rt_sigqueueinfo(2) fails with EAGAIN (which standard signals
/// never do, since they take no room when there is none).
pub(crate) fn pass(target: Target<'_>, received: Received) -> io::Result<()> {
    let number = received.signal.number();
    let (code, fields) = match received.origin {
        Origin::Queue { pid, uid, value } => (libc::SI_QUEUE, QueuedFields { pid: pid.as_raw(), uid, value }),
        Origin::Other { code, pid, uid, value } => (code, QueuedFields { pid: pid.as_raw(), uid, value }),
        Origin::Process { .. } | Origin::Kernel if !received.signal.is_realtime() => {
            return send(target, received.signal);
        }
        // Nobody may claim to be the kernel, or to have called kill(2).
        Origin::Process { pid, uid } => (libc::SI_QUEUE, QueuedFields { pid: pid.as_raw(), uid, value: 0 }),
        Origin::Kernel => (libc::SI_QUEUE, QueuedFields { pid: 0, uid: 0, value: 0 }),
    };
    let info = QueuedInfo { number, errno: 0, code, fields, rest: [0; 12] };
    let info = (&raw const info) as usize;
    // SAFETY: `info` is at least as large as the kernel's siginfo_t and lives through the call, which only reads it.
    let sent = unsafe {
        match target.pidfd {
            Some(pidfd) => {
                syscall_io(libc::SYS_pidfd_send_signal, [pidfd.as_raw_fd() as usize, number as usize, info, 0])
            }
            None => syscall_io(libc::SYS_rt_sigqueueinfo, [target.pid.as_raw() as usize, number as usize, info]),
        }
    };
    sent.map(drop)
}

/// Passes a signal that came to this process's group on to the one the child leads.
///
/// As long as the child hasn't been waited for, the number of its group is nobody else's.
///
/// A child that has left its group gets what was meant for it as well. What a terminal sends, it would have sent to the
/// group alone.
pub(crate) fn pass_to_group(child: Target<'_>, received: Received) -> io::Result<()> {
    let to_group_alone = received.origin == Origin::Kernel;
    to_group(child, received.signal, to_group_alone, || pass(child, received))
}

/// Sends a signal of our own to the process group the child leads, and to the child if it has left that.
pub(crate) fn send_to_group(child: Target<'_>, signal: Signal) -> io::Result<()> {
    to_group(child, signal, false, || send(child, signal))
}

fn to_group(
    child: Target<'_>,
    signal: Signal,
    to_group_alone: bool,
    to_child: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    let group = child.pid.as_raw();
    // SAFETY: the calls touch no memory.
    match unsafe { syscall(libc::SYS_kill, [-group as usize, signal.number() as usize]) } {
        // Others of the group may have stayed when the child left it.
        Ok(_) if to_group_alone => Ok(()),
        // SAFETY: it touches no memory.
        Ok(_) => match unsafe { syscall(libc::SYS_getpgid, [group as usize]) } {
            Ok(now) if now != group as usize => to_child(),
            _ => Ok(()),
        },
        // The child has moved to another group, which may be none of ours: to it alone.
        Err(libc::ESRCH) => to_child(),
        Err(errno) => Err(io::Error::from_raw_os_error(errno)),
    }
}

/// kill(2), or the same through the pidfd.
pub(crate) fn send(target: Target<'_>, signal: Signal) -> io::Result<()> {
    let number = signal.number() as usize;
    // SAFETY: neither call touches memory; a null siginfo means that of kill(2).
    let sent = unsafe {
        match target.pidfd {
            Some(pidfd) => syscall_io(libc::SYS_pidfd_send_signal, [pidfd.as_raw_fd() as usize, number, 0, 0]),
            None => syscall_io(libc::SYS_kill, [target.pid.as_raw() as usize, number]),
        }
    };
    sent.map(drop)
}

/// Blocks all 64 signals for this thread and returns what was blocked before. The C libraries' functions leave out 32
/// and 33.
pub(crate) fn block_all() -> SignalSet {
    set_mask(SignalSet::ALL)
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
fn with_disposition<T>(signal: Signal, disposition: libc::sighandler_t, act: impl FnOnce() -> T) -> T {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queued_info_has_the_layout_of_the_kernel() {
        assert!(size_of::<QueuedInfo>() >= size_of::<libc::siginfo_t>());
        let info = QueuedInfo {
            number: 40,
            errno: 0,
            code: libc::SI_QUEUE,
            fields: QueuedFields { pid: 7, uid: 8, value: 9 },
            rest: [0; 12],
        };
        // SAFETY: it is at least as large as a siginfo_t, without padding that is read, and as aligned.
        let same = unsafe { &*(&raw const info).cast::<libc::siginfo_t>() };
        // SAFETY: the fields of SI_QUEUE are filled in.
        let seen =
            unsafe { (same.si_signo, same.si_code, same.si_pid(), same.si_uid(), same.si_value().sival_ptr as usize) };
        assert_eq!(seen, (40, libc::SI_QUEUE, 7, 8, 9));
    }
}
