//! What handlers are told.

use crate::{Error, ExitStatus, ResourceUsage, Signal};
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::time::Duration;

/// A process id, in the PID namespace of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pid(i32);

impl Pid {
    pub(crate) const fn new(pid: i32) -> Pid {
        Pid(pid)
    }

    /// Its number.
    pub const fn as_raw(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Where a signal came from, as its `siginfo_t` tells (sigaction(2), `si_code`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The kernel: the terminal, a timer, a limit.
    Kernel,
    /// A process, by kill(2), tgkill(2) or raise(3). The pid is 0 if it lives outside this PID namespace.
    Process {
        /// The sender.
        pid: Pid,
        /// Its real user.
        uid: u32,
    },
    /// A process, by sigqueue(3), with a value.
    Queue {
        /// The sender.
        pid: Pid,
        /// Its real user.
        uid: u32,
        /// The value, as wide as a pointer.
        value: usize,
    },
    /// Something else, such as a timer or a message queue (sigaction(2)).
    Other {
        /// The `si_code`.
        code: i32,
        /// What stands in the place of the sender.
        pid: Pid,
        /// What stands in the place of its user.
        uid: u32,
        /// The value, as wide as a pointer.
        value: usize,
    },
}

impl Origin {
    /// The process that sent it, if a process did.
    pub const fn sender(self) -> Option<Pid> {
        match self {
            Origin::Process { pid, .. } | Origin::Queue { pid, .. } => Some(pid),
            Origin::Kernel | Origin::Other { .. } => None,
        }
    }
}

/// The child is about to be started.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ProcessStarted<'a> {
    /// The command and its arguments.
    pub args: &'a [OsString],
}

/// The child couldn't be started.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ProcessFailed<'a> {
    /// The command and its arguments; empty if that is what's wrong.
    pub args: &'a [OsString],
    /// Why.
    pub error: &'a Error,
}

/// The child was started and ran to its end, whatever that was.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ProcessExited<'a> {
    /// The command and its arguments.
    pub args: &'a [OsString],
    /// The child, which is no more: the number may be somebody else's soon.
    pub pid: Pid,
    /// How it ended. The seed's `Code` is `status.code()`, its `Err` is set when `!status.is_success()`.
    pub status: ExitStatus,
    /// How long it ran.
    pub duration: Duration,
    /// What it used.
    pub usage: ResourceUsage,
}

/// The child was stopped by a signal.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ProcessStopped {
    /// The child.
    pub pid: Pid,
    /// By which signal: STOP, TSTP, TTIN or TTOU.
    pub signal: Signal,
}

/// The child, stopped before, was continued.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ProcessContinued {
    /// The child.
    pub pid: Pid,
}

/// The process ended, or couldn't be started, and will be started again.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RestartScheduled<'a> {
    /// The command and its arguments.
    pub args: &'a [OsString],
    /// How it ended; none: it couldn't be started.
    pub status: Option<ExitStatus>,
    /// Why it couldn't be started; none: it ended.
    pub error: Option<&'a Error>,
    /// How long until then.
    pub delay: Duration,
}

/// A signal came.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SignalReceived {
    /// Which one.
    pub signal: Signal,
    /// Who sent it, and its value.
    pub origin: Origin,
    /// The child it is meant for.
    pub child: Pid,
}

/// A signal was passed on to the child.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SignalPassed {
    /// Which one; with [`Options::rewrite`](crate::Options::rewrite) it may be another than the one that came.
    pub signal: Signal,
    /// Who sent it, and its value.
    pub origin: Origin,
    /// The child that has it now.
    pub child: Pid,
}

/// A signal isn't passed on to the child: [`Options::rewrite`](crate::Options::rewrite) says so, or it is one with the next
/// of its kind, while both waited ([`Options::delay`](crate::Options::delay)).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SignalDropped {
    /// Which one.
    pub signal: Signal,
    /// Who sent it, and its value.
    pub origin: Origin,
    /// The child that doesn't get it.
    pub child: Pid,
}

/// A signal will be passed on to the child later.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SignalDelayed {
    /// Which one.
    pub signal: Signal,
    /// Who sent it, and its value.
    pub origin: Origin,
    /// The child it is meant for.
    pub child: Pid,
    /// How long from now.
    pub delay: Duration,
}

/// A signal couldn't be passed on to the child.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SignalFailed<'a> {
    /// Which one.
    pub signal: Signal,
    /// Who sent it, and its value.
    pub origin: Origin,
    /// The child that should have got it.
    pub child: Pid,
    /// Why it didn't.
    pub error: &'a io::Error,
}

/// Any of the events.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Immediately before the child is started.
    Started(ProcessStarted<'a>),
    /// It couldn't be started.
    Failed(ProcessFailed<'a>),
    /// It ended.
    Exited(ProcessExited<'a>),
    /// It was stopped.
    Stopped(ProcessStopped),
    /// It was continued.
    Continued(ProcessContinued),
    /// It will be started again.
    RestartScheduled(RestartScheduled<'a>),
    /// Immediately after a signal came.
    Received(SignalReceived),
    /// After it was passed on.
    Passed(SignalPassed),
    /// It isn't passed on.
    Dropped(SignalDropped),
    /// It will be passed on later.
    Delayed(SignalDelayed),
    /// It couldn't be passed on.
    NotPassed(SignalFailed<'a>),
}
