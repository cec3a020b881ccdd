//! Waiting for children: waitid(2), by the raw call, which tells what they used, too.

use super::raw::syscall;
use crate::model::pid::Pid;
use crate::model::signal::Signal;
use crate::model::status::{ExitStatus, ResourceUsage};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

/// Which children are waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which<'a> {
    /// Every child: an init's duty.
    Any,
    /// Those in this process group.
    Group(Pid),
    /// The one child, in a process where nobody else waits for it.
    Child(Pid),
    /// The one child, whose number may have been reused if somebody else waited for it.
    Only(BorrowedFd<'a>),
}

/// A child that ended, and is reaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) pid: Pid,
    pub(crate) status: ExitStatus,
    pub(crate) usage: ResourceUsage,
}

/// The answer of [`next`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// This one ended.
    Ended(Ended),
    /// This one was stopped by a signal.
    Stopped(Pid, Signal),
    /// This one, stopped before, was continued.
    Continued(Pid),
    /// There are children, but nothing new of any.
    Running,
    /// There is no such child.
    NoChild,
}

/// The next child that has ended, which is reaped with that, or was stopped or continued; without waiting.
pub(crate) fn next(which: Which<'_>) -> io::Result<Next> {
    wait(which, libc::WEXITED | libc::WSTOPPED | libc::WCONTINUED | libc::WNOHANG)
}

/// The next child that was stopped or continued; without waiting. [`Next::NoChild`]: there is none, or all have ended.
pub(crate) fn next_alive(which: Which<'_>) -> io::Result<Next> {
    wait(which, libc::WSTOPPED | libc::WCONTINUED | libc::WNOHANG)
}

/// A child that has ended, which isn't reaped by that; without waiting.
pub(crate) fn ended(which: Which<'_>) -> io::Result<Option<Ended>> {
    match wait(which, libc::WEXITED | libc::WNOHANG | libc::WNOWAIT)? {
        Next::Ended(ended) => Ok(Some(ended)),
        _ => Ok(None),
    }
}

/// Waits until a child ends, and reaps it.
pub(crate) fn until_end(which: Which<'_>) -> io::Result<Next> {
    wait(which, libc::WEXITED)
}

/// Whether there is any, alive or not yet reaped. While there is, its group's number is nobody else's.
pub(crate) fn is_any(which: Which<'_>) -> bool {
    !matches!(wait(which, libc::WEXITED | libc::WNOHANG | libc::WNOWAIT), Ok(Next::NoChild) | Err(_))
}

/// Whether any child has ended that isn't reaped yet. Async-signal-safe.
pub(super) fn has_any_ended() -> bool {
    matches!(wait(Which::Any, libc::WEXITED | libc::WNOHANG | libc::WNOWAIT), Ok(Next::Ended(_)))
}

/// Whether that child, which sends no SIGCHLD at its end and is none of [`Which::Any`], has ended; then it is reaped.
pub(super) fn has_clone_ended(pid: Pid) -> bool {
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    let options = (libc::WEXITED | libc::WNOHANG | libc::__WALL) as usize;
    let arguments = [libc::P_PID as usize, pid.as_raw() as usize, info.as_mut_ptr() as usize, options, 0];
    // SAFETY: the kernel writes one siginfo_t, of which all zeroes are a value; its pid is 0 if the child hasn't ended.
    unsafe {
        let waited = syscall(libc::SYS_waitid, arguments);
        waited.is_err() || info.assume_init().si_pid() != 0
    }
}

fn wait(which: Which<'_>, options: i32) -> io::Result<Next> {
    let (kind, id) = match which {
        Which::Any => (libc::P_ALL, 0),
        Which::Group(group) => (libc::P_PGID, group.as_raw()),
        Which::Child(child) => (libc::P_PID, child.as_raw()),
        Which::Only(pidfd) => (libc::P_PIDFD, pidfd.as_raw_fd()),
    };
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    loop {
        // SAFETY: the kernel writes one siginfo_t and one rusage, for which `info` and `usage` are the room.
        let waited = unsafe {
            syscall(
                libc::SYS_waitid,
                [kind as usize, id as usize, info.as_mut_ptr() as usize, options as usize, usage.as_mut_ptr() as usize],
            )
        };
        match waited {
            Ok(_) => break,
            Err(libc::EINTR) => {}
            Err(libc::ECHILD) => return Ok(Next::NoChild),
            Err(errno) => return Err(io::Error::from_raw_os_error(errno)),
        }
    }
    // SAFETY: all zeroes are values of both types, and the kernel may have written others.
    let (info, usage) = unsafe { (info.assume_init(), usage.assume_init()) };
    // SAFETY: waitid fills in the fields of SIGCHLD, or leaves zeroes: then no child had ended. Both are numbers.
    let (pid, status) = unsafe { (info.si_pid(), info.si_status()) };
    if pid == 0 {
        return Ok(Next::Running);
    }
    let status = match (info.si_code, Signal::new(status)) {
        (libc::CLD_STOPPED, Some(signal)) => return Ok(Next::Stopped(Pid::new(pid), signal)),
        (libc::CLD_CONTINUED, _) => return Ok(Next::Continued(Pid::new(pid))),
        (libc::CLD_EXITED, _) => ExitStatus::Exited(status as u8),
        (code, Some(signal)) => ExitStatus::Signaled { signal, core_dumped: code == libc::CLD_DUMPED },
        (code, None) => {
            return Err(io::Error::other(format!("the kernel reported what can't be: code {code}, status {status}")));
        }
    };
    Ok(Next::Ended(Ended { pid: Pid::new(pid), status, usage: resource_usage(&usage) }))
}

fn resource_usage(usage: &libc::rusage) -> ResourceUsage {
    // None of these is ever negative.
    let time = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
    ResourceUsage {
        user: time(usage.ru_utime),
        system: time(usage.ru_stime),
        max_rss_bytes: usage.ru_maxrss as u64 * 1024,
        minor_faults: usage.ru_minflt as u64,
        major_faults: usage.ru_majflt as u64,
        voluntary_switches: usage.ru_nvcsw as u64,
        involuntary_switches: usage.ru_nivcsw as u64,
    }
}
