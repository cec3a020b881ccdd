//! The loop: waits, asks the pure parts what to do, and does it. One child, once, is the same as many, again and again.

use crate::engine::drain::Cleanup;
use crate::model::error::Error;
use crate::model::event::process::base_name;
use crate::model::event::{
    DrainStarted, Event, OrphanReaped, ProcessContinued, ProcessExited, ProcessFailed, ProcessStarted, ProcessStarting,
    ProcessStopped, RestartScheduled, SignalDelayed, SignalDropped, SignalFailed, SignalPassed, SignalReceived,
};
use crate::model::handler::Handler;
use crate::model::identity::Identity;
use crate::model::origin::Origin;
use crate::model::origin::Received;
use crate::model::pid::Pid;
use crate::model::signal::{Signal, SignalSet};
use crate::model::standing::Foreground;
use crate::policy::action::{Action, Actions, ChildAction, End, LoopAction, To};
use crate::policy::child::Lifecycle;
use crate::policy::drain::Leftovers;
use crate::policy::held::MANY_HELD;
use crate::policy::job_control::JobControl;
use crate::policy::reload::Reload;
use crate::policy::restart::Supervision;
use crate::policy::stop::{Asks, Stops};
use crate::relay::pipes::Relay;
use crate::report::remarks::Remark;
use crate::sys::default_action;
use crate::sys::fd::above_stdio;
use crate::sys::limit::Changed;
use crate::sys::notify::Notify;
use crate::sys::orders::{Order, Orders};
use crate::sys::poll::Awaited;
use crate::sys::process;
use crate::sys::signals;
use crate::sys::signals::own;
use crate::sys::signals::process::BATCH;
use crate::sys::signals::source::Source;
use crate::sys::spawn::command::Command;
use crate::sys::spawn::start;
use crate::sys::spawn::start::{Child, Setup};
use crate::sys::terminal;
use crate::sys::terminal::{ChildGroup, Terminal};
use crate::sys::wait;
use crate::sys::wait::{Ended, Next, Which};
use std::borrow::Cow;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the readers of our output may take nothing at all, once all has ended that was to be stopped.
const PATIENCE: Duration = Duration::from_secs(1);

/// And how long they have for all of it.
const PATIENCE_IN_ALL: Duration = Duration::from_secs(10);

/// So many children are started before we see what has come meanwhile.
const STARTS_AT_ONCE: usize = 16;

// Why: see `MANY_HELD`.
const _: () = assert!(MANY_HELD >= 2 * BATCH);

/// What a loop is about.
pub(crate) struct Run<'r, 'o> {
    pub(crate) own: Pid,
    pub(crate) source: &'r mut Source,
    pub(crate) tasks: Vec<Task<'r>>,
    pub(crate) handlers: &'r mut [Box<dyn Handler + Send + 'o>],
    /// Whether every child of this process is waited for, or those of the tasks only.
    pub(crate) reaps_all: bool,
    /// Where the children's output goes, if not where this process's goes.
    pub(crate) relay: Option<Relay<'r>>,
    /// What is done with signals that come.
    pub(crate) signals: Signals,
    pub(crate) stops: Stops,
    /// This process had a controlling terminal when it was started.
    pub(crate) had_terminal: bool,
    /// From other threads.
    pub(crate) orders: Option<&'r Orders>,
    pub(crate) limits: Changed,
    /// The service manager's socket, and ours for the child.
    pub(crate) notify: Option<Notify>,
    /// What comes to the child of a reload by the manager.
    pub(crate) reload: Reload,
}

/// What is done with signals that come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signals {
    /// They are the child's.
    Forwarded,
    /// A stop is for all children, and the others are every child's.
    Shared,
}

/// One child, from its first start to its last end.
pub(crate) struct Task<'r> {
    pub(super) spec: Spec<'r>,
    pub(super) supervision: Supervision,
    pub(super) lifecycle: Lifecycle,
    pub(super) actions: Actions,
    pub(super) started: Option<Started>,
    /// How its last run ended.
    pub(super) result: Option<Result<End, Error>>,
    pub(super) cleanup: Cleanup,
}

/// What is started for a task.
pub(crate) struct Spec<'r> {
    /// What it is called, if not by its command.
    pub(crate) name: Option<&'r str>,
    pub(crate) args: &'r [OsString],
    pub(crate) command: Arc<Command>,
    pub(crate) group: &'r ChildGroup,
    pub(crate) streams: Streams,
    /// What it isn't to ignore, though this process was started so.
    pub(crate) heeded: SignalSet,
    /// What it is sent when all are to stop.
    pub(crate) stop_signal: Signal,
}

impl Spec<'_> {
    /// What events call it: its name, or the base name of its command.
    pub(super) fn event_name(&self) -> Cow<'_, str> {
        self.name.map_or_else(|| base_name(self.args), Cow::Borrowed)
    }
}

/// What a child is given as its 0, 1 and 2.
pub(crate) enum Streams {
    /// These, where they aren't this process's own; given away with the first start.
    Given([Option<OwnedFd>; 3]),
    /// The relay's pipes.
    Relayed {
        /// Instead of this process's own stdin.
        null_stdin: bool,
    },
}

/// A run of a task's child.
pub(super) struct Started {
    pub(super) child: Child,
    pub(super) at: Instant,
    pub(super) ended: Option<Ended>,
    pub(super) end: Option<End>,
    /// It is known what it had been sent before it left this process's group.
    pub(super) had_seen: bool,
}

/// Why a loop was left.
#[derive(Debug, Default)]
pub(crate) struct Left {
    /// How the last run of each task ended, in the order of the tasks.
    pub(crate) results: Vec<Result<End, Error>>,
    /// The first end that wasn't a success, in time.
    pub(crate) first_failure: Option<usize>,
    pub(crate) asked: Asked,
    /// A stream of ours that nobody reads any more: all were stopped for that.
    pub(crate) gone: bool,
    pub(super) said_goodbye: bool,
    pub(super) said_what_was_lost: bool,
    /// When children were last waited for, there was one left; where all are waited for.
    pub(super) any_child: bool,
}

/// What has come since the last wait.
#[derive(Debug, Default)]
pub(super) struct Woken {
    pub(super) signals: Vec<Received>,
    pub(super) orders: bool,
    /// Some child may have ended, stopped or been continued.
    pub(super) children: bool,
    /// Those of the relay's pipes that are ready.
    pub(super) pipes: Vec<usize>,
    pub(super) ready: Vec<bool>,
    /// Until when the readers of our output have time to take the next of the last of it, and until when all.
    pub(super) patience: Option<Instant>,
    pub(super) patience_in_all: Option<Instant>,
    /// The child has sent a notification, or the manager takes one.
    pub(super) notified: bool,
    /// Until when the manager has time to take the last.
    pub(super) notify_until: Option<Instant>,
}

/// Children that are due and weren't started.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unstarted {
    /// After so many others that what has come meanwhile is looked at first.
    pub(super) for_now: bool,
    /// Because readers don't keep up.
    pub(super) for_readers: bool,
}

/// What was asked of a loop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Asked {
    #[default]
    Nothing,
    /// To stop.
    Stop,
    /// To stop, and then to kill.
    Kill,
}

impl<'r> Task<'r> {
    pub(crate) fn new(
        spec: Spec<'r>,
        supervision: Supervision,
        lifecycle: Lifecycle,
        leftovers: Leftovers,
    ) -> Task<'r> {
        let cleanup = Cleanup::new(leftovers);
        Task { spec, supervision, lifecycle, actions: Actions::new(), started: None, result: None, cleanup }
    }

    pub(super) fn pid(&self) -> Option<Pid> {
        self.started.as_ref().map(|started| started.child.pid())
    }

    pub(super) fn is_over(&self) -> bool {
        self.supervision.is_over() && self.started.is_none() && !self.cleanup.drain.is_on()
    }

    /// When there is something to do for it; `may_start`: readers keep up.
    pub(super) fn deadline(&self, may_start: bool) -> Option<Instant> {
        let drain = self.cleanup.drain.deadline();
        // A start that waits for readers, or for what the last run has left, waits for them, not for its time.
        let start = self.supervision.deadline().filter(|_| may_start && drain.is_none());
        self.lifecycle.deadline().into_iter().chain(drain).chain(start).min()
    }
}

impl Run<'_, '_> {
    /// Starts what is due, and stays with it until all is over. `settle` is called once the first child exists, before
    /// the first wait, with the descriptors that are needed still, and whether stdout is.
    pub(crate) fn run(
        mut self,
        settle: impl FnOnce(&mut Source, &[BorrowedFd<'_>], bool) -> Result<(), Error>,
    ) -> Result<Left, Error> {
        let mut settle = Some(settle);
        let mut left = Left::default();
        let mut woken = Woken::default();
        // What was asked before there was a loop.
        self.take_orders(&mut left);
        loop {
            self.see_drains(&woken);
            let unstarted = self.start_due(&mut left);
            self.write(&mut woken, &mut left);
            if self.tasks.iter().all(Task::is_over)
                && self.is_notified(&mut woken)
                && self.is_written(&mut woken, &mut left)
            {
                self.tell_last(&left);
                let result = |task: &mut Task<'_>| task.result.take().unwrap_or(Err(Error::Cancelled));
                left.results = self.tasks.iter_mut().map(result).collect();
                return Ok(left);
            }
            if let Some(settle) = settle.take() {
                let needed = self.relay.iter().flat_map(Relay::fds);
                let needed: Vec<_> = needed.chain(self.notify.iter().flat_map(Notify::fds)).collect();
                settle(self.source, &needed, self.relay.is_some())?;
            }
            self.wait(&mut woken, unstarted).map_err(|source| Error::Wait { source })?;
            self.see_had(&woken);
            self.see_resumed(&woken, &mut left);
            // Each signal is dealt with before the next is looked at: the order of queued ones depends on it.
            for received in woken.signals.drain(..) {
                self.signal(received, &mut left);
            }
            if woken.orders {
                self.take_orders(&mut left);
            }
            self.pass_notifications(&woken);
            self.see_children(&woken, &mut left)?;
            self.tell_leftovers(&left);
            if let Some(relay) = &mut self.relay {
                relay.read(&woken.pipes);
            }
            self.see_timers(&mut left);
        }
    }

    /// Starts children that are due; again only as long as the readers of what they write, and of what is said of them,
    /// keep up. What it couldn't start.
    pub(super) fn start_due(&mut self, left: &mut Left) -> Unstarted {
        let mut started = 0;
        let mut unstarted = Unstarted::default();
        for number in 0..self.tasks.len() {
            let task = &self.tasks[number];
            if task.cleanup.drain.is_on() || !task.supervision.is_due(Instant::now) {
                continue;
            }
            // What its last run wrote comes before its next.
            let is_behind = || self.relay.as_ref().is_some_and(|relay| relay.is_behind(number));
            if task.result.is_some() && (!self.keeps_up() || is_behind()) {
                unstarted.for_readers = true;
            } else if started == STARTS_AT_ONCE {
                unstarted.for_now = true;
            } else {
                started += 1;
                self.start(number, left);
            }
        }
        unstarted
    }

    pub(super) fn keeps_up(&self) -> bool {
        self.relay.as_ref().is_none_or(Relay::keeps_up)
    }

    pub(super) fn start(&mut self, number: usize, left: &mut Left) {
        let task = &mut self.tasks[number];
        if task.result.is_none() {
            remark(&mut self.relay, Some(number), Remark::Starting);
        }
        task.supervision.starts();
        task.cleanup.starts();
        let name = task.spec.event_name();
        tell(self.handlers, &Event::Starting(ProcessStarting::new(name, task.spec.args)));
        let at = Instant::now();
        let terminal = task.spec.group.terminal();
        let job = terminal.map(|terminal| {
            let (standing, foreground) = terminal.before_start(task.supervision.may_restart());
            JobControl::new(standing, foreground)
        });
        let hand_over = job.as_ref().is_some_and(JobControl::hands_over_at_start);
        let user = task.spec.command.user.as_ref();
        let child = stdio(&mut task.spec.streams, number, self.relay.as_mut(), user).and_then(|stdio| {
            let setup = Setup {
                parent: self.own,
                stdio,
                heeded: task.spec.heeded,
                limits: self.limits,
                group: task.spec.group,
                hand_over,
                pid_variables: self.signals == Signals::Forwarded && matches!(self.source, Source::Process(_)),
                mask: self.source.inherited_mask(),
                shared: matches!(self.source, Source::Shared(_)),
            };
            // With the setup goes what is the child's alone: while it is open here too, nobody sees the child close it.
            start::spawn(Arc::clone(&task.spec.command), &setup, self.source)
        });
        match child {
            Ok(child) => {
                let pid = child.pid();
                if let ChildGroup::Own(_) = task.spec.group {
                    terminal::set_child_group(pid);
                }
                let group = task.spec.group.as_ref().map(|_| job, |_| ());
                let mut started = ProcessStarted::new(task.spec.event_name(), task.spec.args, pid);
                if !task.spec.group.is_own() {
                    started.pgid = process::group();
                }
                tell(self.handlers, &Event::Started(started));
                task.started = Some(Started { child, at, ended: None, end: None, had_seen: false });
                task.lifecycle.started(pid, group, || foreground(task.spec.group, pid), &mut task.actions);
                self.act(number, left);
            }
            Err(error) => {
                if let Some(relay) = &mut self.relay {
                    relay.ended(number);
                }
                self.conclude(number, Err(error), at.elapsed(), left);
            }
        }
    }

    /// Waits for whatever is next; if there is more to start, only sees what has come.
    pub(super) fn wait(&mut self, woken: &mut Woken, unstarted: Unstarted) -> io::Result<()> {
        let may_start = self.keeps_up();
        let deadline = self.tasks.iter().filter_map(|task| task.deadline(may_start));
        let notify = self.notify.as_ref().and_then(Notify::deadline);
        let deadline = deadline.chain(notify).chain(woken.patience).chain(woken.notify_until).min();
        let deadline = if unstarted.for_now { Some(Instant::now()) } else { deadline };

        let mut others = Vec::new();
        others.extend(self.orders.map(|orders| Awaited::Read(orders.fd())));
        let pidfds = others.len();
        let started = self.tasks.iter().filter_map(|task| task.started.as_ref());
        others.extend(started.filter_map(|started| started.child.pidfd()).map(Awaited::Read));
        let notify = others.len();
        if let Some(relay) = &self.notify {
            others.extend(relay.waits_for());
        }
        let pipes = others.len();
        woken.pipes.clear();
        if let Some(relay) = &self.relay {
            // Others could fill the room for ever that a start waits for.
            for (number, fd) in relay.to_read(unstarted.for_readers) {
                woken.pipes.push(number);
                others.push(Awaited::Read(fd));
            }
            others.extend(relay.to_write().map(Awaited::Write));
        }
        woken.children = self.source.wait(&others, deadline, &mut woken.signals, &mut woken.ready)?;
        // With nothing but signals to wait for, nothing else is told of.
        let ready = |at: usize| woken.ready.get(at).copied().unwrap_or(false);
        woken.orders = self.orders.is_some() && ready(0);
        woken.children |= (pidfds..notify).any(ready);
        woken.notified = (notify..pipes).any(ready);
        let mut at = pipes;
        woken.pipes.retain(|_| {
            at += 1;
            ready(at - 1)
        });
        Ok(())
    }

    /// Until a child has left this process's group, what is sent to that group is sent to both. What came so is among the
    /// first signals that are read after its start.
    pub(super) fn see_had(&mut self, woken: &Woken) {
        if woken.signals.is_empty() {
            return;
        }
        for task in &mut self.tasks {
            let mut had = SignalSet::EMPTY;
            if let Some(started) = task.started.as_mut().filter(|started| !started.had_seen) {
                // Into a group of its own we have put it ourselves; a session is its own to make.
                started.had_seen = matches!(task.spec.group, ChildGroup::Own(_)) || started.child.has_left();
                if task.spec.group.is_own() {
                    had = started.child.had();
                }
            }
            // What isn't among these was none of it.
            task.lifecycle.already_received(had);
        }
    }

    /// Continues children that were stopped with this process, if the signal that says so is lost.
    pub(super) fn see_resumed(&mut self, woken: &Woken, left: &mut Left) {
        // Several are continued where they are stopped.
        if self.signals == Signals::Shared {
            return;
        }
        let with_cont = woken.signals.iter().any(|received| received.signal == Signal::CONT);
        for number in 0..self.tasks.len() {
            let task = &mut self.tasks[number];
            let (group, pid) = (task.spec.group, task.pid());
            let foreground = || pid.map_or(Foreground::Other, |pid| foreground(group, pid));
            task.lifecycle.signals_come(with_cont, foreground, &mut task.actions);
            self.act(number, left);
        }
    }

    /// A signal came.
    pub(super) fn signal(&mut self, received: Received, left: &mut Left) {
        let mut stops = self.stops;
        let asks = stops.judge(received, || self.has_hung_up(), Instant::now);
        self.stops = stops;
        if self.signals == Signals::Shared {
            if asks != Asks::Nothing {
                match left.asked {
                    Asked::Nothing => self.stop(Remark::Stopping(received.signal), left),
                    Asked::Stop if asks == Asks::Stop => self.kill(Remark::Killing(received.signal), left),
                    Asked::Stop | Asked::Kill => {}
                }
                return;
            }
            if received.signal == Signal::TSTP && received.origin == Origin::Kernel {
                self.suspend();
                return;
            }
        }
        for number in 0..self.tasks.len() {
            let task = &mut self.tasks[number];
            let (group, pid) = (task.spec.group, task.pid());
            let foreground = || pid.map_or(Foreground::Other, |pid| foreground(group, pid));
            task.lifecycle.signal(received, asks, foreground, &mut task.actions);
            self.act(number, left);
        }
    }

    /// Whether the controlling terminal that this process was started with is gone.
    pub(super) fn has_hung_up(&self) -> bool {
        match self.tasks.first().and_then(|task| task.spec.group.terminal()) {
            Some(terminal) => terminal.foreground(None) == Foreground::HungUp,
            None => self.had_terminal && terminal::is_gone(),
        }
    }

    /// All children are to stop.
    pub(super) fn stop(&mut self, why: Remark<'_>, left: &mut Left) {
        left.asked = Asked::Stop;
        remark(&mut self.relay, None, why);
        self.stop_all(left);
    }

    #[cold]
    pub(super) fn stop_all(&mut self, left: &mut Left) {
        let now = Instant::now();
        for number in 0..self.tasks.len() {
            let task = &mut self.tasks[number];
            task.lifecycle.stop(task.spec.stop_signal, now, &mut task.actions);
            task.cleanup.asked_at.get_or_insert(now);
            if task.supervision.stop() {
                self.over(number);
            }
            self.act(number, left);
        }
    }

    /// All children are to be killed.
    #[cold]
    pub(super) fn kill(&mut self, why: Remark<'_>, left: &mut Left) {
        left.asked = Asked::Kill;
        remark(&mut self.relay, None, why);
        let now = Instant::now();
        for number in 0..self.tasks.len() {
            let task = &mut self.tasks[number];
            task.lifecycle.kill(&mut task.actions);
            task.cleanup.drain.hurry(now);
            self.act(number, left);
        }
    }

    /// ^Z: the terminal sent it to this process's group, and the children are in others. Whoever continues this process,
    /// or its group, continues them all.
    #[cold]
    pub(super) fn suspend(&mut self) {
        let send_to_all = |signal| {
            for started in self.tasks.iter().filter_map(|task| task.started.as_ref()) {
                try_to("signal a process", signals::send_to_group(started.child.target(), signal));
            }
        };
        send_to_all(Signal::TSTP);
        let _ = own::stop(Signal::TSTP, false);
        send_to_all(Signal::CONT);
    }

    pub(super) fn take_orders(&mut self, left: &mut Left) {
        let order = self.orders.and_then(Orders::take);
        if order.is_some() && left.asked == Asked::Nothing {
            self.stop(Remark::Cancelled, left);
        }
        if order == Some(Order::Kill) && left.asked == Asked::Stop {
            self.kill(Remark::CancelledAgain, left);
        }
    }

    /// Passes on what the command tells its service manager.
    pub(super) fn pass_notifications(&mut self, woken: &Woken) {
        if self.notify.is_some() {
            self.pass_notifications_on(woken);
        }
    }

    #[cold]
    pub(super) fn pass_notifications_on(&mut self, woken: &Woken) {
        let Some(notify) = &mut self.notify else { return };
        // Who has ended is known as one of ours as long as nobody has waited for it.
        if woken.children {
            notify.pass_last();
        } else if woken.notified || notify.deadline().is_some() {
            notify.pass();
        }
        if notify.takes_ready() {
            self.look_for_handler();
        }
    }

    /// Tells of a command that is ready, and that a reload would end; once.
    #[cold]
    pub(super) fn look_for_handler(&mut self) {
        let signal = match self.reload {
            Reload::Harmless => return,
            Reload::Sends(signal) => signal,
            Reload::Unknown => Signal::HUP,
        };
        if !self.tasks.iter().find_map(Task::pid).is_some_and(|child| default_action::applies_to(child, signal)) {
            return;
        }
        if self.reload == Reload::Unknown {
            log::info!(
                "the command says READY=1 and has no handler for {signal}: in a service of Type=notify-reload, a reload \
                 would end it"
            );
        } else {
            log::warn!(
                "the command says READY=1 and has no handler for {signal}: a reload of this service \
                 (Type=notify-reload) will end it"
            );
        }
        self.reload = Reload::Harmless;
    }

    /// Reaps until no child is left that has ended, or has anything else to tell: their SIGCHLDs coalesce.
    pub(super) fn see_children(&mut self, woken: &Woken, left: &mut Left) -> Result<(), Error> {
        if !woken.children {
            return Ok(());
        }
        if self.reaps_all {
            return self.see_all(None, left);
        }
        for number in 0..self.tasks.len() {
            if self.tasks[number].started.is_some() {
                self.see_all(Some(number), left)?;
            }
        }
        Ok(())
    }

    /// Reaps all children, or that of one task.
    pub(super) fn see_all(&mut self, only: Option<usize>, left: &mut Left) -> Result<(), Error> {
        loop {
            let which = only
                .and_then(|number| self.tasks[number].started.as_ref())
                .and_then(|started| started.child.pidfd())
                .map_or(Which::Any, Which::Only);
            let next = wait::next(which).map_err(|source| Error::Wait { source })?;
            let pid = match next {
                Next::Ended(ended) => ended.pid,
                Next::Stopped(pid, _) | Next::Continued(pid) => pid,
                Next::Running => {
                    left.any_child = true;
                    return Ok(());
                }
                Next::NoChild => {
                    left.any_child = false;
                    return self.no_child(only);
                }
            };
            let Some(number) = self.tasks.iter().position(|task| task.pid() == Some(pid)) else {
                if let Next::Ended(ended) = next {
                    tell(self.handlers, &Event::OrphanReaped(OrphanReaped::new(pid, ended.status)));
                }
                continue;
            };
            let task = &mut self.tasks[number];
            let group = task.spec.group;
            let foreground = || foreground(group, pid);
            match next {
                Next::Ended(ended) => {
                    if let Some(started) = &mut task.started {
                        started.child.set_ended();
                        started.ended = Some(ended);
                    }
                    task.lifecycle.ended(ended.status, foreground, &mut task.actions);
                }
                Next::Stopped(_, signal) => {
                    let by_terminal = matches!(signal, Signal::TTIN | Signal::TTOU);
                    if by_terminal && self.signals == Signals::Shared {
                        remark(&mut self.relay, Some(number), Remark::WantsTerminal(signal));
                    }
                    task.lifecycle.stopped(signal, foreground, &mut task.actions);
                }
                _ => task.lifecycle.continued(&mut task.actions),
            }
            self.act(number, left);
            if only.is_some() && matches!(next, Next::Ended(_)) {
                return Ok(());
            }
        }
    }

    /// The kernel knows no child of ours: no other should be thought to live.
    pub(super) fn no_child(&mut self, only: Option<usize>) -> Result<(), Error> {
        let mut lost = false;
        for (number, task) in self.tasks.iter_mut().enumerate() {
            if let Some(started) = &mut task.started
                && only.is_none_or(|only| only == number)
            {
                started.child.set_ended();
                lost = true;
            }
        }
        if lost { Err(Error::StatusLost) } else { Ok(()) }
    }

    pub(super) fn see_timers(&mut self, left: &mut Left) {
        for number in 0..self.tasks.len() {
            let task = &mut self.tasks[number];
            if task.lifecycle.deadline().is_some() {
                task.lifecycle.time_is_up(Instant::now(), &mut task.actions);
                self.act(number, left);
            }
        }
    }

    /// Writes what can be written without waiting.
    pub(super) fn write(&mut self, woken: &mut Woken, left: &mut Left) {
        match self.relay.as_mut().map(Relay::flush) {
            Some(Ok(true)) => woken.patience = None,
            Some(Err(gone)) => {
                log::error!("{gone}: stopping");
                left.gone = true;
                self.stop_all(left);
            }
            Some(Ok(false)) | None => {}
        }
    }

    /// All is over. Whether all is written, too, or those who were to read it have been given their time.
    pub(super) fn is_written(&mut self, woken: &mut Woken, left: &mut Left) -> bool {
        let Some(relay) = &mut self.relay else { return true };
        if !std::mem::replace(&mut left.said_goodbye, true) && left.asked != Asked::Kill {
            relay.remark(None, &Remark::Bye);
            self.write(woken, left);
        }
        if self.relay.as_ref().is_none_or(Relay::is_idle) && !self.says_what_was_lost(left) {
            return true;
        }
        // As long as it takes, unless all is to stop.
        if left.asked == Asked::Nothing && !left.gone {
            return false;
        }
        let now = Instant::now();
        let in_all = *woken.patience_in_all.get_or_insert(now + PATIENCE_IN_ALL);
        let patience = *woken.patience.get_or_insert((now + PATIENCE).min(in_all));
        let lost = left.asked == Asked::Kill || patience <= now;
        if lost {
            log::warn!("the last of the output is lost: nobody takes it");
        }
        lost
    }

    /// All is written. Says, once, how many lines were lost, if any: whether that has to be written yet.
    pub(super) fn says_what_was_lost(&mut self, left: &mut Left) -> bool {
        let Some(relay) = self.relay.as_mut().filter(|_| !left.said_what_was_lost) else { return false };
        left.said_what_was_lost = true;
        relay.finish() && !relay.is_idle()
    }

    /// All is over. Whether the manager has all that the child has told it, or has been given its time.
    pub(super) fn is_notified(&mut self, woken: &mut Woken) -> bool {
        self.notify.is_none() || self.is_all_passed_on(woken)
    }

    #[cold]
    pub(super) fn is_all_passed_on(&mut self, woken: &mut Woken) -> bool {
        let Some(notify) = &mut self.notify else { return true };
        // Whoever sends without end must not keep us.
        notify.close();
        let now = Instant::now();
        if notify.pass() && notify.is_alone() {
            return true;
        }
        let gives_up = *woken.notify_until.get_or_insert(now + PATIENCE) <= now;
        if gives_up {
            notify.give_up();
        }
        gives_up
    }

    /// Does what a lifecycle wants.
    pub(super) fn act(&mut self, number: usize, left: &mut Left) {
        while let Some(action) = self.tasks[number].actions.take_next() {
            let task = &mut self.tasks[number];
            match action {
                // What is ignored, as after nohup(1), asks for nothing.
                Action::Loop(LoopAction::StopAsked { unless_ignored: Some(signal), .. })
                    if self.source.is_ignored(signal) => {}
                Action::Loop(LoopAction::StopAsked { asks, after, .. }) => {
                    if self.signals == Signals::Shared {
                        // One of several has ended by a QUIT: the others go on.
                    } else if left.asked == Asked::Nothing {
                        left.asked = Asked::Stop;
                    } else if asks == Asks::Stop {
                        task.cleanup.drain.hurry(Instant::now());
                    }
                    task.lifecycle.stop_asked(after, Instant::now());
                    if task.supervision.stop() {
                        self.over(number);
                    }
                }
                Action::Loop(LoopAction::TakeEffect(signal)) => try_to("take a signal", own::take_course(signal)),
                Action::Loop(LoopAction::StopWithChild(signal)) => {
                    if self.source.is_stopped_by(signal) {
                        let _ = own::stop(signal, false);
                        task.lifecycle.resumed();
                    }
                }
                Action::Loop(LoopAction::ReserveQueue) => {
                    try_to("keep room for signals", self.source.reserve_queue(&mut self.limits));
                }
                Action::Loop(LoopAction::LeaveRealtime) => {
                    let leave = self.tasks.iter().any(|task| task.lifecycle.leaves_realtime());
                    try_to("leave signals in the queue", self.source.leave_realtime(leave));
                }
                Action::Loop(LoopAction::SignalOwnGroup(signal)) => {
                    try_to("signal the process group", own::send_to_others_of_group(signal));
                }
                Action::Loop(LoopAction::Ended(end)) => {
                    if let Some(started) = &mut task.started {
                        started.end = Some(end);
                    }
                    self.child_ended(number, left);
                }
                Action::Child(ChildAction::SignalGroup(signal)) => {
                    remark(&mut self.relay, Some(number), Remark::Sending(signal));
                    if let Some(started) = &task.started {
                        let target = started.child.target();
                        let sent = if task.spec.group.is_own() {
                            signals::send_to_group(target, signal)
                        } else {
                            signals::send(target, signal)
                        };
                        try_to("signal a process", sent);
                    }
                }
                Action::Child(ChildAction::TellTimedOut(after)) => {
                    if let Some(pid) = task.pid() {
                        log::warn!(
                            "{} (pid {pid}) hasn't ended within {after:?} of the stop: it is killed",
                            task.name()
                        );
                    }
                }
                Action::Child(action) => with_child(task, self.handlers, Action::Child(action)),
            }
        }
    }

    /// The child of a task has ended, and been reaped.
    pub(super) fn child_ended(&mut self, number: usize, left: &mut Left) {
        let task = &mut self.tasks[number];
        let Some(Started { child, at, ended: Some(ended), end: Some(end), .. }) = task.started.take() else { return };
        let took = at.elapsed();
        self.run_ended(number, ended.pid, &end, at, left);
        let task = &mut self.tasks[number];
        // What it has left behind may have something to say in its last moments.
        if let Some(relay) = self.relay.as_mut().filter(|_| !task.cleanup.drain.is_on()) {
            relay.ended(number);
        }
        let result = match child.failure() {
            Some(error) => Err(error),
            None => {
                let (name, args) = (task.spec.event_name(), task.spec.args);
                let mut exited = ProcessExited::new(name, args, ended.pid, ended.status);
                (exited.requested, exited.timed_out) = (end.requested, end.timed_out);
                (exited.duration, exited.usage) = (took, ended.usage);
                tell(self.handlers, &Event::Exited(exited));
                Ok(end)
            }
        };
        if task.cleanup.drain.is_on() {
            tell(self.handlers, &Event::DrainStarted(DrainStarted::new(task.spec.event_name(), ended.pid)));
        }
        self.conclude(number, result, took, left);
    }

    /// A run of a task has ended, or couldn't be begun: is there another?
    pub(super) fn conclude(&mut self, number: usize, result: Result<End, Error>, took: Duration, left: &mut Left) {
        let task = &mut self.tasks[number];
        let (name, args) = (task.spec.event_name(), task.spec.args);
        let result = task.result.insert(result);
        let status = result.as_ref().ok().map(|end| end.status);
        let again = task.supervision.ended(status, took, Instant::now());
        match result {
            Ok(end) => remark(&mut self.relay, Some(number), Remark::Ended(end.status)),
            Err(error) => {
                tell(self.handlers, &Event::Failed(ProcessFailed::new(name.clone(), args, &*error)));
                remark(&mut self.relay, Some(number), Remark::NotStarted { why: error, again: again.is_some() });
            }
        }
        match again {
            Some(delay) => {
                let scheduled = match result {
                    Ok(end) => RestartScheduled::new(name, args, end.status, delay),
                    Err(error) => RestartScheduled::not_started(name, args, &*error, delay),
                };
                tell(self.handlers, &Event::RestartScheduled(scheduled));
                remark(&mut self.relay, Some(number), Remark::RestartIn(delay));
            }
            None => {
                if status.is_none_or(|status| !status.is_success()) {
                    left.first_failure.get_or_insert(number);
                }
                self.over(number);
            }
        }
    }

    pub(super) fn over(&mut self, number: usize) {
        // Else once what it has left has ended, too.
        if !self.tasks[number].cleanup.drain.is_on() {
            remark(&mut self.relay, Some(number), Remark::Over);
        }
    }
}

/// Does what a lifecycle wants of the child there is.
pub(super) fn with_child(task: &mut Task<'_>, handlers: &mut [Box<dyn Handler + Send + '_>], action: Action) {
    let Task { spec, lifecycle, actions, started: Some(Started { child, .. }), .. } = task else {
        return;
    };
    let (group, pid) = (spec.group, child.pid());
    let name = || spec.event_name();
    let at_terminal =
        |act: &dyn Fn(&Terminal) -> io::Result<()>| -> io::Result<()> { group.terminal().map_or(Ok(()), act) };
    match action {
        Action::Child(ChildAction::CheckDefaultAction(signal)) => {
            if default_action::applies_to(pid, signal) {
                lifecycle.will_die_of(signal);
            }
        }
        Action::Child(ChildAction::CheckDefaultActionAgain(signal)) => {
            if !default_action::applies_to(pid, signal) {
                lifecycle.not_fatal();
            }
        }
        Action::Child(ChildAction::Pass(received, _))
            if lifecycle.drops_uncaught(received.signal) && default_action::would_end(pid, received.signal) =>
        {
            lifecycle.dropped_uncaught(received, actions);
        }
        Action::Child(ChildAction::Pass(received, to)) => {
            let result = match to {
                To::Child => signals::pass(child.target(), received),
                To::Group => signals::pass_to_group(child.target(), received),
            };
            lifecycle.passed(received, result, Instant::now, actions);
        }
        Action::Child(ChildAction::HandOver { asked }) => {
            if at_terminal(&|terminal| terminal.hand_over(pid)).is_err() {
                lifecycle.not_handed_over(asked, actions);
            }
        }
        // A terminal that has hung up is nobody's any more.
        Action::Child(ChildAction::TakeBack) => drop(at_terminal(&Terminal::take_back)),
        Action::Child(ChildAction::SaveModes) => drop(at_terminal(&Terminal::save_modes)),
        Action::Child(ChildAction::RestoreModes) => drop(at_terminal(&Terminal::restore_modes)),
        Action::Child(ChildAction::Continue) => {
            try_to("continue the command", signals::send_to_group(child.target(), Signal::CONT));
        }
        Action::Child(ChildAction::StopSelf { signal, whole_group }) => match own::stop(signal, whole_group) {
            Ok(true) => lifecycle.resumed(),
            Ok(false) => lifecycle.not_stopped(signal, foreground(group, pid), actions),
            Err(_) => {}
        },
        Action::Child(ChildAction::TellReceived(Received { signal, origin })) => {
            tell(handlers, &Event::Received(SignalReceived::new(name(), signal, origin, pid)));
        }
        Action::Child(ChildAction::TellPassed(Received { signal, origin })) => {
            tell(handlers, &Event::Passed(SignalPassed::new(name(), signal, origin, pid)));
        }
        Action::Child(ChildAction::TellDropped(Received { signal, origin })) => {
            tell(handlers, &Event::Dropped(SignalDropped::new(name(), signal, origin, pid)));
        }
        Action::Child(ChildAction::Delay(delayed, delay)) => {
            let Received { signal, origin } = delayed.came;
            tell(handlers, &Event::Delayed(SignalDelayed::new(name(), signal, origin, pid, delay)));
            lifecycle.delayed(delayed, Instant::now().checked_add(delay));
        }
        Action::Child(ChildAction::TellNotPassed(Received { signal, origin }, error)) => {
            tell(handlers, &Event::NotPassed(SignalFailed::new(name(), signal, origin, pid, error)));
        }
        Action::Child(ChildAction::TellStopped(signal)) => {
            tell(handlers, &Event::Stopped(ProcessStopped::new(name(), pid, signal)))
        }
        Action::Child(ChildAction::TellContinued) => {
            tell(handlers, &Event::Continued(ProcessContinued::new(name(), pid)))
        }
        // The loop has done these.
        Action::Loop(_) | Action::Child(ChildAction::SignalGroup(_) | ChildAction::TellTimedOut(_)) => {}
    }
}

/// What a child that is to be started is given as its 0, 1 and 2.
pub(super) fn stdio(
    streams: &mut Streams,
    number: usize,
    relay: Option<&mut Relay<'_>>,
    user: Option<&Identity>,
) -> Result<[Option<OwnedFd>; 3], Error> {
    let null_stdin = match streams {
        Streams::Given(given) => return Ok(std::mem::take(given)),
        Streams::Relayed { null_stdin } => *null_stdin,
    };
    let stdin = null_stdin.then(|| File::open("/dev/null").and_then(|null| above_stdio(null.into())));
    let stdin = stdin.transpose().map_err(|source| Error::start("open /dev/null", source))?;
    let pipes = relay.map(|relay| relay.open(number, user)).transpose();
    let pipes = pipes.map_err(|source| Error::start("pipe", source))?;
    let [stdout, stderr] = pipes.map_or([None, None], |pipes| pipes.map(Some));
    Ok([stdin, stdout, stderr])
}

pub(super) fn remark(relay: &mut Option<Relay<'_>>, number: Option<usize>, remark: Remark<'_>) {
    if let Some(relay) = relay {
        relay.remark(number, &remark);
    }
}

pub(super) fn tell(handlers: &mut [Box<dyn Handler + Send + '_>], event: &Event<'_>) {
    for handler in handlers {
        handler.event(event);
    }
}

/// Which process group has the terminal.
pub(super) fn foreground(group: &ChildGroup, child: Pid) -> Foreground {
    group.terminal().map_or(Foreground::Other, |terminal| terminal.foreground(Some(child)))
}

/// Does what the run can go on without; that is no reason to give the child up.
pub(super) fn try_to(what: &str, result: io::Result<()>) {
    if let Err(error) = result {
        log::warn!("can't {what}: {error}");
    }
}
