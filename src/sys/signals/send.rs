//! Sending signals: kill(2), rt_sigqueueinfo(2), pidfd_send_signal(2).

use crate::model::origin::{Origin, Received};
use crate::model::pid::Pid;
use crate::model::signal::Signal;
use crate::sys::raw::{syscall, syscall_io};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

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
        Origin::Process { .. } | Origin::Thread { .. } | Origin::Kernel if !received.signal.is_realtime() => {
            return send(target, received.signal);
        }
        // Nobody may claim to be the kernel, or to have called kill(2).
        Origin::Process { pid, uid } | Origin::Thread { pid, uid } => {
            (libc::SI_QUEUE, QueuedFields { pid: pid.as_raw(), uid, value: 0 })
        }
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
/// A value is lost: kill(2) has none. As long as the child hasn't been waited for, the number of its group is nobody else's.
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
