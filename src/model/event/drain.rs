//! What ended processes have left behind.

use super::keep::keep;
use crate::model::pid::Pid;
use crate::model::signal::Signal;
use crate::model::status::ExitStatus;
use std::borrow::Cow;

/// A process that was orphaned onto this program has ended, and was waited for. Only an
/// [`init`](crate::api::options::Options::init) is given orphans.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OrphanReaped {
    /// The orphan, which is no more: the number may be another process's soon.
    pub pid: Pid,
    /// How it ended.
    pub status: ExitStatus,
    /// What it was called (`comm`, proc_pid_comm(5)), where events are recorded.
    pub command: Option<String>,
}

/// A run of a process has ended, and what it has left behind is being ended
/// ([`Options::drain`](crate::api::options::Options::drain)).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DrainStarted<'a> {
    /// Which process: its name, or the base name of its command.
    pub name: Cow<'a, str>,
    /// The child that has ended, whose descendants they are.
    pub pid: Pid,
}

/// One of the processes that a run has left behind was sent a signal: TERM first, KILL when its time is over.
///
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DrainSignaled<'a> {
    /// The process whose run left it behind: its name, or the base name of its command.
    pub name: Cow<'a, str>,
    /// The descendant that has the signal now.
    pub pid: Pid,
    /// What it is called (`comm`, proc_pid_comm(5)); `None` for one that was killed before it was looked at, as those are
    /// that could fork meanwhile.
    pub command: Option<Cow<'a, str>>,
    /// What it was sent: TERM or KILL.
    pub signal: Signal,
}

/// What a run has left behind has ended, or is given up.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DrainEnded<'a> {
    /// Which process: its name, or the base name of its command.
    pub name: Cow<'a, str>,
    /// How many processes are left all the same, because they can't be signalled or killed; `None`: it isn't known, since
    /// they can't be looked for.
    pub remaining: Option<usize>,
}

impl OrphanReaped {
    /// This event of this orphan.
    pub fn new(pid: Pid, status: ExitStatus) -> Self {
        OrphanReaped { pid, status, command: None }
    }
}

impl<'a> DrainStarted<'a> {
    /// This event of a process whose child, now ended, had this pid.
    pub fn new(name: impl Into<Cow<'a, str>>, pid: Pid) -> Self {
        DrainStarted { name: name.into(), pid }
    }
}

impl<'a> DrainSignaled<'a> {
    /// This event of this descendant, of which nothing but the pid is known.
    pub fn new(name: impl Into<Cow<'a, str>>, pid: Pid, signal: Signal) -> Self {
        DrainSignaled { name: name.into(), pid, command: None, signal }
    }
}

impl<'a> DrainEnded<'a> {
    /// This event of this process, of which nothing is left.
    pub fn new(name: impl Into<Cow<'a, str>>) -> Self {
        DrainEnded { name: name.into(), remaining: Some(0) }
    }
}

keep! {
    DrainStarted { name; pid }
    DrainSignaled { name; pid, signal; command }
    DrainEnded { name; remaining }
}
