//! A process starts, ends, stops, goes on, is started again.

use super::keep::keep;
use crate::model::death::{Core, KilledBy, Oom, Panic, PassedOn, StopRequest};
use crate::model::error::Error;
use crate::model::identity::Identity;
use crate::model::pid::Pid;
use crate::model::signal::Signal;
use crate::model::status::{ExitStatus, ResourceUsage};
use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Duration;

/// A process is about to be started. What the Go package panicmon calls ProcessStarted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProcessStarting<'a> {
    /// Which process: its name, or the base name of its command.
    pub name: Cow<'a, str>,
    /// The command and its arguments.
    pub args: Cow<'a, [OsString]>,
    /// The directory it is started in. `None`: that of this program.
    pub dir: Option<Cow<'a, OsStr>>,
}

/// A process was started: there is a child, which is to execute its command.
///
/// It does so side by side with this program. If it can't, [`ProcessFailed`] is told next.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProcessStarted<'a> {
    /// Which process: its name, or the base name of its command.
    pub name: Cow<'a, str>,
    /// The command and its arguments.
    pub args: Cow<'a, [OsString]>,
    /// The child.
    pub pid: Pid,
    /// Its process group: one of its own, or that of this program.
    pub pgid: Pid,
    /// The user it runs as. `None`: that of this program.
    pub user: Option<Cow<'a, Identity>>,
}

/// A process couldn't be started.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProcessFailed<'a> {
    /// Which process: its name, or the base name of its command.
    pub name: Cow<'a, str>,
    /// The command and its arguments; empty if that is what's wrong.
    pub args: Cow<'a, [OsString]>,
    /// Why.
    pub error: Cow<'a, Error>,
}

/// A process was started and ran to its end, whatever that was.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProcessExited<'a> {
    /// Which process: its name, or the base name of its command.
    pub name: Cow<'a, str>,
    /// The command and its arguments.
    pub args: Cow<'a, [OsString]>,
    /// The child, which is no more: the number may be another process's soon.
    pub pid: Pid,
    /// How it ended. `Code` of the Go package is `status.code()`, its `Err` is set when `!status.is_success()`.
    pub status: ExitStatus,
    /// That counts as a success: exit code 0, or what [`Options::success`](crate::api::options::Options::success) or
    /// [`ProcessConfig::success`](crate::model::process_config::ProcessConfig::success) lists.
    pub success: bool,
    /// A stop came (see [`Options::stop_signals`](crate::api::options::Options::stop_signals)), or a QUIT, and it ended as it was asked
    /// to: with 0, by the signal that was sent, or with 128 and that signal's number.
    pub requested: bool,
    /// A stop came while it ran.
    pub stop_requested: bool,
    /// The first stop that came; or a QUIT, if it ended as that asked. `None` if there was none, or if it was no signal, as with a
    /// [`Canceller`](crate::api::control::Canceller).
    pub requested_by: Option<StopRequest>,
    /// The signal that it died of was the last that had been passed on to it.
    pub passed_on: Option<PassedOn>,
    /// Why this program killed it. `None`: it didn't, or it ended otherwise.
    pub killed_by: Option<KilledBy>,
    /// Whether memory ran out, where that is watched: with [`ExitFrom::Oom`](crate::model::exit_from::ExitFrom::Oom) among
    /// [`Options::exit`](crate::api::options::Options::exit).
    pub oom: Option<Oom>,
    /// The hard limit of its processor time (RLIMIT_CPU, getrlimit(2)), where ends are reported and it was killed at that
    /// limit: by SIGKILL, which the kernel sends then.
    pub processor_limit: Option<Duration>,
    /// What became of its core, where ends are reported and it died of a signal that asks for one.
    pub core: Option<Core>,
    /// What it died of, by its last words, where they are kept.
    pub panic: Option<Panic>,
    /// The last of what it wrote to stderr, where that is kept.
    pub stderr_tail: Option<Cow<'a, [u8]>>,
    /// The same of stdout.
    pub stdout_tail: Option<Cow<'a, [u8]>>,
    /// There was more before one of them.
    pub tail_truncated: bool,
    /// How long it ran, by the monotonic clock.
    pub duration: Duration,
    /// What it used.
    pub usage: ResourceUsage,
}

/// A process has said to its service manager that it is ready (READY=1, sd_notify(3)).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProcessReady<'a> {
    /// Which process: its name, or the base name of its command.
    pub name: Cow<'a, str>,
    /// The child.
    pub pid: Pid,
}

/// A process has told its service manager how it is (STATUS=, sd_notify(3)).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProcessStatus<'a> {
    /// Which process: its name, or the base name of its command.
    pub name: Cow<'a, str>,
    /// The child.
    pub pid: Pid,
    /// In its own words.
    pub status: Cow<'a, str>,
}

/// A process was stopped by a signal.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProcessStopped<'a> {
    /// Which process: its name, or the base name of its command.
    pub name: Cow<'a, str>,
    /// The child.
    pub pid: Pid,
    /// By which signal: STOP, TSTP, TTIN or TTOU.
    pub signal: Signal,
}

/// A process, stopped before, was continued.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProcessContinued<'a> {
    /// Which process: its name, or the base name of its command.
    pub name: Cow<'a, str>,
    /// The child.
    pub pid: Pid,
}

/// A process ended, or couldn't be started, and will be started again.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RestartScheduled<'a> {
    /// Which process: its name, or the base name of its command.
    pub name: Cow<'a, str>,
    /// The command and its arguments.
    pub args: Cow<'a, [OsString]>,
    /// How it ended; `None`: it couldn't be started.
    pub status: Option<ExitStatus>,
    /// That counts as a [success](ProcessExited::success).
    pub success: bool,
    /// Why it couldn't be started; `None`: it ended.
    pub error: Option<Cow<'a, Error>>,
    /// How long until then.
    pub delay: Duration,
}

/// A process ended, or couldn't be started, and would be started again, but a limit is reached.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RestartGivenUp<'a> {
    /// Which process: its name, or the base name of its command.
    pub name: Cow<'a, str>,
    /// Which limit.
    pub reason: GivenUp,
}

/// What ends the restarts of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GivenUp {
    /// It was started again as often as it may be:
    /// [`max_restarts`](crate::model::process_config::ProcessConfig::max_restarts).
    MaxRestarts,
    /// It isn't started again after an end like this:
    /// [`no_restart_on`](crate::model::process_config::ProcessConfig::no_restart_on).
    NoRestartOn,
}

impl GivenUp {
    /// The word for it: `max-restarts` or `no-restart-on`.
    pub const fn as_str(self) -> &'static str {
        match self {
            GivenUp::MaxRestarts => "max-restarts",
            GivenUp::NoRestartOn => "no-restart-on",
        }
    }
}

/// The last run of a process, under another panicmon, has vanished without a record: its file in the directory of the reports
/// says that it runs, and nobody has the file locked. Both were killed at once, or the machine has lost its power.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PreviousRunLost<'a> {
    /// Which process: its name, or the base name of its command.
    pub name: Cow<'a, str>,
    /// The child.
    pub pid: Option<Pid>,
    /// When it was started, by RFC 3339.
    pub started: Option<Cow<'a, str>>,
    /// The process that had started it.
    pub panicmon_pid: Option<Pid>,
    /// Whether the machine was started anew since.
    pub rebooted: Option<bool>,
}

/// What a process without a name is called: the base name of its command.
pub(crate) fn base_name(args: &[OsString]) -> Cow<'_, str> {
    let word = args.first().map(OsString::as_os_str).unwrap_or_default();
    Path::new(word).file_name().unwrap_or(word).to_string_lossy()
}

impl<'a> ProcessStarting<'a> {
    /// This event of this process, in the directory of this program.
    pub fn new(name: impl Into<Cow<'a, str>>, args: impl Into<Cow<'a, [OsString]>>) -> Self {
        ProcessStarting { name: name.into(), args: args.into(), dir: None }
    }
}

impl<'a> ProcessStarted<'a> {
    /// This event of a child that leads a process group of its own, and runs as the user of this program.
    pub fn new(name: impl Into<Cow<'a, str>>, args: impl Into<Cow<'a, [OsString]>>, pid: Pid) -> Self {
        ProcessStarted { name: name.into(), args: args.into(), pid, pgid: pid, user: None }
    }
}

impl<'a> ProcessFailed<'a> {
    /// This event of this process; the error may be borrowed (`Cow::Borrowed`) or not (`Cow::Owned`).
    pub fn new(
        name: impl Into<Cow<'a, str>>,
        args: impl Into<Cow<'a, [OsString]>>,
        error: impl Into<Cow<'a, Error>>,
    ) -> Self {
        ProcessFailed { name: name.into(), args: args.into(), error: error.into() }
    }

    /// systemd's word for it: `resources`, if it ran and its status is lost; else `start-failed`, where systemd says the same.
    pub fn result(&self) -> &'static str {
        match *self.error {
            Error::StatusLost | Error::Wait { .. } => "resources",
            _ => "start-failed",
        }
    }
}

impl<'a> ProcessExited<'a> {
    /// This event of a child that ended so, of itself, at once and without using anything.
    pub fn new(
        name: impl Into<Cow<'a, str>>,
        args: impl Into<Cow<'a, [OsString]>>,
        pid: Pid,
        status: ExitStatus,
    ) -> Self {
        ProcessExited {
            name: name.into(),
            args: args.into(),
            pid,
            status,
            success: status.is_success(),
            requested: false,
            stop_requested: false,
            requested_by: None,
            passed_on: None,
            killed_by: None,
            oom: None,
            processor_limit: None,
            core: None,
            panic: None,
            stderr_tail: None,
            stdout_tail: None,
            tail_truncated: false,
            duration: Duration::ZERO,
            usage: ResourceUsage::default(),
        }
    }
}

impl ProcessExited<'_> {
    /// The same event with nothing borrowed, to be kept or sent to another thread.
    #[must_use]
    pub fn to_owned(&self) -> ProcessExited<'static> {
        ProcessExited {
            name: Cow::Owned(self.name.clone().into_owned()),
            args: Cow::Owned(self.args.clone().into_owned()),
            oom: self.oom.clone(),
            core: self.core.clone(),
            panic: self.panic.clone(),
            stderr_tail: self.stderr_tail.clone().map(|tail| Cow::Owned(tail.into_owned())),
            stdout_tail: self.stdout_tail.clone().map(|tail| Cow::Owned(tail.into_owned())),
            ..*self
        }
    }
}

impl<'a> ProcessStopped<'a> {
    /// This event of this child.
    pub fn new(name: impl Into<Cow<'a, str>>, pid: Pid, signal: Signal) -> Self {
        ProcessStopped { name: name.into(), pid, signal }
    }
}

impl<'a> ProcessReady<'a> {
    /// This event of this child.
    pub fn new(name: impl Into<Cow<'a, str>>, pid: Pid) -> Self {
        ProcessReady { name: name.into(), pid }
    }
}

impl<'a> ProcessStatus<'a> {
    /// This event of this child, which says so.
    pub fn new(name: impl Into<Cow<'a, str>>, pid: Pid, status: impl Into<Cow<'a, str>>) -> Self {
        ProcessStatus { name: name.into(), pid, status: status.into() }
    }
}

impl<'a> ProcessContinued<'a> {
    /// This event of this child.
    pub fn new(name: impl Into<Cow<'a, str>>, pid: Pid) -> Self {
        ProcessContinued { name: name.into(), pid }
    }
}

impl<'a> RestartScheduled<'a> {
    /// This event of a process that ended so.
    pub fn new(
        name: impl Into<Cow<'a, str>>,
        args: impl Into<Cow<'a, [OsString]>>,
        status: ExitStatus,
        delay: Duration,
    ) -> Self {
        let success = status.is_success();
        RestartScheduled { name: name.into(), args: args.into(), status: Some(status), success, error: None, delay }
    }

    /// This event of a process that couldn't be started.
    pub fn not_started(
        name: impl Into<Cow<'a, str>>,
        args: impl Into<Cow<'a, [OsString]>>,
        error: impl Into<Cow<'a, Error>>,
        delay: Duration,
    ) -> Self {
        let (success, error) = (false, Some(error.into()));
        RestartScheduled { name: name.into(), args: args.into(), status: None, success, error, delay }
    }
}

impl<'a> RestartGivenUp<'a> {
    /// This event of this process.
    pub fn new(name: impl Into<Cow<'a, str>>, reason: GivenUp) -> Self {
        RestartGivenUp { name: name.into(), reason }
    }
}

impl<'a> PreviousRunLost<'a> {
    /// This event of this process, of which nothing else is known.
    pub fn new(name: impl Into<Cow<'a, str>>) -> Self {
        PreviousRunLost { name: name.into(), pid: None, started: None, panicmon_pid: None, rebooted: None }
    }
}

keep! {
    ProcessStarting { name, args; ; dir }
    ProcessStarted { name, args; pid, pgid; user }
    ProcessFailed { name, args, error; }
    ProcessStopped { name; pid, signal }
    ProcessContinued { name; pid }
    ProcessReady { name; pid }
    ProcessStatus { name, status; pid }
    RestartScheduled { name, args; status, success, delay; error }
    RestartGivenUp { name; reason }
    PreviousRunLost { name; pid, panicmon_pid, rebooted; started }
}
