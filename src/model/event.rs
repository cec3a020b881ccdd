//! What handlers are told.

use crate::model::error::Error;
use crate::model::origin::Origin;
use crate::model::pid::Pid;
use crate::model::signal::Signal;
use crate::model::status::{ExitStatus, ResourceUsage};
use std::ffi::OsString;
use std::io;
use std::time::Duration;

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
    /// Which one; with [`Options::rewrite`](crate::api::options::Options::rewrite) it may be another than the one that came.
    pub signal: Signal,
    /// Who sent it, and its value.
    pub origin: Origin,
    /// The child that has it now.
    pub child: Pid,
}

/// A signal isn't passed on to the child: [`Options::rewrite`](crate::api::options::Options::rewrite) says so, or it is one with the next
/// of its kind, while both waited ([`Options::delay`](crate::api::options::Options::delay)).
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
