//! Hooks: commands that are run for events, beside the processes of the run.
//!
//! A hook leads a process group of its own, which has nothing to do with what the command leaves behind; at its end, or when
//! its time is up, all of that group is killed. In the program it is a child of the loop that belongs to no task; in the
//! library [`Hook`](super::hook::Hook) runs it from a thread of its own.

use super::hook_event::{HookEvent, VARIABLES};
use crate::model::c_string::c_string;
use crate::model::duration::Exact;
use crate::model::env::names;
use crate::model::error::Error;
use crate::model::pid::Pid;
use crate::model::signal::{Signal, SignalSet};
use crate::model::status::ExitStatus;
use crate::policy::turns::Turns;
use crate::sys::descendants;
use crate::sys::limit::Changed;
use crate::sys::memory_file;
use crate::sys::signals;
use crate::sys::signals::source::Source;
use crate::sys::spawn::command::Command;
use crate::sys::spawn::start;
use crate::sys::spawn::start::{Child, Setup};
use crate::sys::terminal;
use crate::sys::terminal::ChildGroup;
#[cfg(feature = "reports")]
use crate::sys::wait::{self, Next, Which};
use std::borrow::Cow;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a hook may run, unless told otherwise.
pub(crate) const HOOK_TIME: Duration = Duration::from_secs(10);

/// What hooks are run for, unless told otherwise.
pub(crate) const HOOKS_ON: [&str; 2] = ["process.failed", "process.exited"];

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// The words of each hook.
    pub(crate) commands: Vec<Vec<CString>>,
    /// How long each may run.
    pub(crate) timeout: Duration,
    /// What they are called in messages: `--hook`.
    pub(crate) option: String,
    /// Variables that no hook inherits.
    pub(crate) left_out: Vec<&'static str>,
    /// The directory this process was started in.
    pub(crate) dir: PathBuf,
    /// A stdout for hooks. `None`: this process's own.
    pub(crate) stdout: Option<OwnedFd>,
    /// As whom, and with which variables hooks run for an event that is of no process with a place of its own.
    pub(crate) own: Option<Command>,
}

/// The hooks of a run.
#[derive(Debug)]
pub(crate) struct Hooks {
    wanted: Wanted,
    turns: Turns<Turn>,
    running: Vec<Running>,
    /// The process groups of those that run, and of those that have ended and left somebody who hasn't been waited for.
    groups: Vec<Pid>,
}

/// A hook that is to run for an event.
#[derive(Debug)]
struct Turn {
    /// Which of the commands.
    hook: usize,
    event: Arc<HookEvent>,
    /// The command's directory can't be entered, which may be what it is to tell of: it runs in the root.
    in_root: bool,
}

/// From where hooks are started.
#[derive(Debug)]
pub(crate) struct Starter<'s> {
    /// This process.
    pub(crate) own: Pid,
    /// The limits they get back.
    pub(crate) limits: Changed,
    /// Where this process takes its signals from. `None`: it belongs to others, too.
    pub(crate) source: Option<&'s Source>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    turn: Turn,
    /// When it is killed; `None`: never, or it was.
    until: Option<Instant>,
    is_killed: bool,
}

impl Hooks {
    pub(crate) fn new(wanted: Wanted) -> Hooks {
        Hooks { wanted, turns: Turns::new(), running: Vec::new(), groups: Vec::new() }
    }

    /// How long this process's end waits for them; `None`: none runs or waits.
    #[cold]
    pub(crate) fn patience(&self) -> Option<Duration> {
        (!self.turns.are_over()).then_some(self.wanted.timeout)
    }

    /// When the time of one is up.
    #[cold]
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.running.iter().filter_map(|running| running.until).min()
    }

    #[cold]
    pub(crate) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.wanted.stdout.iter().map(AsFd::as_fd)
    }

    /// The process groups that are left out where the command's descendants are looked for.
    pub(crate) fn groups(hooks: &Option<Box<Hooks>>) -> &[Pid] {
        hooks.as_ref().map_or(&[], |hooks| &hooks.groups)
    }

    /// From now on each may run this long.
    #[cfg(feature = "reports")]
    pub(super) fn set_timeout(&mut self, timeout: Duration) {
        self.wanted.timeout = timeout;
    }

    /// That number of events came for which none can run.
    #[cfg(feature = "reports")]
    pub(super) fn lost(&mut self, count: u64) {
        self.turns.lost(count);
    }

    /// Each is to run for each of these.
    #[cold]
    pub(crate) fn add(&mut self, events: Vec<HookEvent>) {
        for event in events.into_iter().map(Arc::new) {
            (0..self.wanted.commands.len()).for_each(|hook| {
                self.turns.add(Turn { hook, event: Arc::clone(&event), in_root: false });
            });
        }
    }

    /// How a hook is called in messages.
    #[cold]
    fn name<'h>(&'h self, turn: &'h Turn) -> Name<'h> {
        let command = self.wanted.commands[turn.hook].first();
        Name { option: &self.wanted.option, command: command.map(CString::as_c_str), event: &turn.event }
    }

    /// Whether there is a place for what is of no process.
    #[cold]
    pub(crate) fn has_own_place(&self) -> bool {
        self.wanted.own.is_some()
    }

    /// What a hook executes, in the place of this command.
    #[cold]
    fn command(&self, turn: &Turn, place: &Command) -> Result<Command, Error> {
        let words = self.wanted.commands[turn.hook].iter().cloned().map(Cow::Owned).collect();
        let mut variables = Vec::new();
        for (name, value) in turn.event.variables() {
            variables.push(c_string(OsString::from(format!("{name}={value}")))?);
        }
        let mut command = place.beside(words, |entry| self.is_inherited(entry), variables)?;
        let mut dir = self.wanted.dir.clone();
        if let Some(commands) = &place.dir {
            dir.push(OsStr::from_bytes(commands.to_bytes()));
        }
        if turn.in_root {
            dir = PathBuf::from("/");
        }
        if !dir.as_os_str().is_empty() {
            command.dir = Some(c_string(dir.into())?);
        }
        Ok(command)
    }

    /// Whether a hook inherits this variable of the command's.
    #[cold]
    fn is_inherited(&self, entry: &CStr) -> bool {
        let is = |name: &&str| names(entry, name.as_bytes());
        let is_left_out = is(&"NOTIFY_SOCKET") || VARIABLES.iter().any(is) || self.wanted.left_out.iter().any(is);
        !entry.to_bytes().starts_with(b"LISTEN_") && !is_left_out
    }

    #[cold]
    fn spawn(&self, turn: &Turn, place: &Command, starter: &Starter<'_>) -> Result<Child, Error> {
        let command = self.command(turn, place)?;
        let event = memory_file::holding(&turn.event.line).map_err(|source| Error::start("memfd_create", source))?;
        let stdout = self.wanted.stdout.as_ref().map(OwnedFd::try_clone).transpose();
        let setup = Setup {
            parent: starter.own,
            stdio: [Some(event), stdout.map_err(|source| Error::start("dup", source))?, None],
            heeded: SignalSet::ALL,
            limits: starter.limits,
            group: &ChildGroup::Own(None),
            hand_over: false,
            pid_variables: false,
            only_stdio: true,
            private: None,
            mask: Some(SignalSet::EMPTY),
            has_siblings: true,
            exec_is_awaited: false,
            shared: starter.source.is_none(),
        };
        let child = start::spawn(Arc::new(command), setup, starter.source)?;
        terminal::set_child_group(child.pid());
        Ok(child)
    }

    /// Kills those whose time is up.
    #[cold]
    fn kill_late(&mut self, now: Instant) {
        for number in 0..self.running.len() {
            let running = &mut self.running[number];
            if running.until.take_if(|until| *until <= now).is_none() {
                continue;
            }
            running.is_killed = true;
            let killed = signals::send_to_group(running.child.target(), Signal::KILL);
            let (name, timeout) = (self.name(&self.running[number].turn), Exact(self.wanted.timeout));
            match killed {
                Ok(()) => log::warn!("{name}: it hadn't ended after {timeout}, and was killed"),
                Err(error) => log::warn!("{name}: it hadn't ended after {timeout}, and can't be killed: {error}"),
            }
        }
    }

    /// `None`: somebody else has waited for it.
    #[cold]
    fn ended(&mut self, number: usize, status: Option<ExitStatus>) {
        let Running { mut child, turn, is_killed, .. } = self.running.swap_remove(number);
        child.set_ended();
        self.turns.ended();
        // One that was killed was told of.
        match child.failure() {
            Some(error @ Error::Dir { .. }) if !turn.in_root => {
                log::warn!("{}: {error}: it runs in /", self.name(&turn));
                self.turns.add(Turn { in_root: true, ..turn });
            }
            Some(error) => log::warn!("{}: {error}", self.name(&turn)),
            None if is_killed => {}
            None => match status {
                Some(status) if status.is_success() => {}
                Some(status) => log::warn!("{}: {status}", self.name(&turn)),
                None => log::warn!("{}: somebody else has waited for it: its status is lost", self.name(&turn)),
            },
        }
    }

    /// Forgets the groups that nobody is in any more: the number may be another's.
    #[cold]
    fn forget_groups(&mut self) {
        let leads = |group: &Pid| self.running.iter().any(|running| running.child.pid() == *group);
        self.groups.retain(|group| leads(group) || descendants::is_any_in_group(*group));
    }

    /// Starts those whose turn it is, and kills those whose time is up. `place`: the command whose user, directory and
    /// variables a hook for this event has; without one, those of [`Wanted::own`].
    #[cold]
    pub(crate) fn go_on<'p>(&mut self, place: impl Fn(&HookEvent) -> Option<&'p Command>, starter: &Starter<'_>) {
        self.kill_late(Instant::now());
        self.forget_groups();
        while let Some(turn) = self.turns.next() {
            let Some(place) = place(&turn.event).or(self.wanted.own.as_ref()) else {
                self.turns.ended();
                continue;
            };
            match self.spawn(&turn, place, starter) {
                Ok(child) => {
                    self.groups.push(child.pid());
                    let until = Instant::now().checked_add(self.wanted.timeout);
                    self.running.push(Running { child, turn, until, is_killed: false });
                }
                Err(error) => {
                    log::warn!("{}: {error}", self.name(&turn));
                    self.turns.ended();
                }
            }
        }
        self.tell_dropped();
    }

    /// A child of no task has ended, and isn't reaped yet. Whether it is a hook, or what one has left in its process group;
    /// with a hook nobody of that lives on.
    #[cold]
    pub(crate) fn has_ended(&self, child: Pid) -> bool {
        if let Some(running) = self.running.iter().find(|running| running.child.pid() == child) {
            let _ = signals::send_to_group(running.child.target(), Signal::KILL);
        }
        descendants::is_in_any(child, &self.groups)
    }

    /// That child was reaped.
    #[cold]
    pub(crate) fn was_reaped(&mut self, child: Pid, status: ExitStatus) {
        if let Some(number) = self.running.iter().position(|running| running.child.pid() == child) {
            self.ended(number, Some(status));
        }
    }

    /// What is readable when one has ended, in a program that belongs to others, too.
    #[cfg(feature = "reports")]
    pub(super) fn pidfds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.running.iter().filter_map(|running| running.child.pidfd())
    }

    /// Reaps those that have ended, and nobody else's children.
    #[cfg(feature = "reports")]
    pub(super) fn reap(&mut self) {
        for number in (0..self.running.len()).rev() {
            let child = &self.running[number].child;
            let Some(only) = child.pidfd().map(Which::Only) else { continue };
            match wait::ended(only) {
                Ok(Some(ended)) => {
                    self.has_ended(ended.pid);
                    let is_reaped = matches!(wait::next(only), Ok(Next::Ended(_)));
                    self.ended(number, is_reaped.then_some(ended.status));
                }
                Ok(None) if !wait::is_any(only) => self.ended(number, None),
                Ok(None) | Err(_) => {}
            }
        }
    }

    /// Those that run are killed, and no other one is started. `is_late`: this process has waited for them long enough.
    #[cold]
    pub(crate) fn give_up(&mut self, is_late: bool) {
        let timeout = Exact(self.wanted.timeout);
        for running in std::mem::take(&mut self.running) {
            let name = self.name(&running.turn);
            match (running.is_killed, is_late) {
                (true, _) => {}
                (false, true) => {
                    log::warn!("{name}: it was killed: the end waits no longer than {timeout} for hooks");
                }
                (false, false) => log::warn!("{name}: it was killed: a second stop came"),
            }
            if running.child.pidfd().is_some() {
                // This process may go on: the child is killed, and waited for.
                drop(running.child);
            } else {
                running.child.abandon();
            }
            self.turns.ended();
        }
        let unstarted = self.turns.give_up();
        if unstarted > 0 {
            let option = &self.wanted.option;
            if is_late {
                log::warn!("{option}: {unstarted} were not run: the end waits no longer than {timeout} for hooks");
            } else {
                log::warn!("{option}: {unstarted} were not run: a second stop came");
            }
        }
        self.tell_dropped();
    }

    #[cold]
    fn tell_dropped(&mut self) {
        if let Some(count) = self.turns.take_dropped() {
            log::warn!("{}: {count} were not run: too many events came at once", self.wanted.option);
        }
    }
}

/// A hook in a message: `--hook: /bin/notify for process.exited of web`.
struct Name<'h> {
    option: &'h str,
    command: Option<&'h CStr>,
    event: &'h HookEvent,
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let command = self.command.map(CStr::to_string_lossy).unwrap_or_default();
        write!(f, "{}: {command} for {} of {}", self.option, self.event.kind, self.event.name)
    }
}
