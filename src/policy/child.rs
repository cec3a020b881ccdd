//! What to do next with a child, given what happened: pure decisions, no system call.
//!
//! | | a signal came | it was passed on, or not | the time is up | the child stopped | the child ended |
//! |---|---|---|---|---|---|
//! | child runs | pass it on; behind those held, if real-time | tell; hold what found no room | try those held again; kill | tell; see [`job_control`] | tell, finish |
//! | no child | keep it for the next; a stop ends it all | | | | |
//!
//! An empty cell does nothing: there is nobody to act on. What comes before there is a first child waits in the kernel.
//! Whether and when there is a next child is the matter of [`supervision`].

use crate::model::origin::Origin;
use crate::model::origin::Received;
use crate::model::pid::Pid;
use crate::model::signal::{Signal, SignalSet};
use crate::model::standing::Foreground;
use crate::model::status::ExitStatus;
use crate::policy::forwarding::{Delayed, Forwarding, Waiting};
use crate::policy::job_control::{self, JobControl};
use crate::policy::stop::Asks;
use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

/// How soon signals that found no room are tried again; doubled, while there is none, up to [`RETRY_MAX`].
const RETRY_MIN: Duration = Duration::from_millis(1);
const RETRY_MAX: Duration = Duration::from_millis(100);

/// How long a child that we stop on our own account has, if nobody has said how long; pmux's.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// With so many signals held, the kernel's queue must hold the others. More than are read at once: while the first of them
/// found no room, and our own limit was lowered for that, senders may have filled the queue up to the limit as it was. Were
/// none of those read, the child would have no room for ever.
const HELD_ENOUGH: usize = 2 * crate::sys::signals::process::BATCH;

/// With so many held, further ones are given up: where signals come by handlers, they can't be left in the kernel.
const HELD_MAX: usize = 65_536;

/// What a lifecycle wants done, in this order.
#[derive(Debug)]
pub(crate) enum Action {
    /// Tell the handlers that this signal came.
    TellReceived(Received),
    /// See whether the child lets this signal take its default course, and if so, say it with [`Lifecycle::doomed`].
    SeeFate(Signal),
    /// See whether it still does now that it has it, and if not, say it with [`Lifecycle::spared`].
    SeeFateAgain(Signal),
    /// Let this signal, which isn't listened to, do to this process what it does.
    TakeCourse(Signal),
    /// Pass it on and say how that went, with [`Lifecycle::passed`].
    Pass(Received, To),
    /// Tell the handlers that it was passed on.
    TellPassed(Received),
    /// Tell the handlers that it isn't.
    TellDropped(Received),
    /// Tell the handlers that it will be so much later, and say when that is, with [`Lifecycle::delayed`].
    Delay(Delayed, Duration),
    /// Tell the handlers that it couldn't be.
    TellNotPassed(Received, io::Error),
    /// There is no room in the queue of signals: see that some is kept for the child.
    ReserveQueue,
    /// See whether real-time signals are to be left in the kernel's queue, or read: [`Lifecycle::leaves_realtime`].
    LeaveRealtime,
    /// Tell the handlers that the child stopped by this signal.
    TellStopped(Signal),
    /// Tell the handlers that the child was continued.
    TellContinued,
    /// Make the child's group the terminal's foreground group, and say if that failed, with
    /// [`Lifecycle::not_handed_over`].
    HandOver {
        /// By which signal the child stopped for want of it.
        asked: Option<Signal>,
    },
    /// Make this process's group the terminal's foreground group.
    TakeBack,
    /// Remember the terminal's modes.
    SaveModes,
    /// Give the terminal the modes it had.
    RestoreModes,
    /// Continue the child's group.
    Continue,
    /// Stop by this signal, and say if that did nothing, with [`Lifecycle::not_stopped`].
    StopSelf {
        signal: Signal,
        /// All of this process's group.
        whole_group: bool,
    },
    /// Stop by this signal, which the terminal has sent to the child too.
    StopBeside(Signal),
    /// Send this to this process's group.
    SignalOwnGroup(Signal),
    /// The child isn't to be started again. To be said with [`Lifecycle::stop_asked`], with the time.
    StopAsked {
        asks: Asks,
        /// It is no stop if this signal, which is passed on as it is, was ignored from the start.
        unless_ignored: Option<Signal>,
        /// The child hears of it this much later.
        after: Duration,
    },
    /// Send this to the child's group, on our own account.
    SignalGroup(Signal),
    /// Say that the child hasn't ended within this time of the stop, and is killed.
    TellKilled(Duration),
    /// The child has ended, and the run with it.
    Finish(End),
}

/// To whom a signal is passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To {
    Child,
    /// The process group it leads.
    Group,
}

/// How the child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) status: ExitStatus,
    /// A stop came, and it ended with 0, by the signal that was sent, or with 128 and that. Or by a QUIT that was passed on
    /// in the same way. Not if this process sent it KILL.
    pub(crate) requested: bool,
    /// It was sent KILL by this process.
    pub(crate) killed: bool,
    /// Because its grace period was over.
    pub(crate) timed_out: bool,
    /// Whoever waits for this process should see it die of this signal, as the child did: a shell ends its loop on ^C,
    /// and restores the terminal's modes, only then.
    pub(crate) die_of: Option<Signal>,
}

/// Which process group the child is in.
#[derive(Debug)]
pub(crate) enum Group {
    /// That of this process: what the terminal sends has reached the child, too.
    Shared,
    /// One of its own; with a terminal that both can use, or none.
    Own(Option<JobControl>),
    /// The first of a session of its own, which this process's terminal sends nothing.
    Session,
}

/// Actions still to be done.
pub(crate) type Actions = VecDeque<Action>;

/// One child, from its start to its end.
#[derive(Debug)]
pub(crate) struct Lifecycle {
    /// This process, whose own signals are none of the child's.
    own: Pid,
    group: Group,
    /// Whether the timers of this process were the child's, had it been executed in its place (setitimer(2)).
    timers_are_childs: bool,
    forwarding: Forwarding,
    /// Whatever else comes was sent to this process, not to its child; what a terminal sends is for both.
    listened: SignalSet,
    child: Option<Pid>,
    /// What of those that come now was sent to the child, too, by whoever sent it.
    had: SignalSet,
    /// What the terminal has sent to this process's group.
    from_terminal: SignalSet,
    /// What the terminal has sent and the child can't survive.
    doom: Option<Signal>,
    /// Real-time signals that found no room with the child, in order.
    held: VecDeque<Received>,
    /// The first of `held` is being passed on.
    passing_held: bool,
    leaving_realtime: bool,
    reserved: bool,
    retry: Option<Retry>,
    /// Those to be passed on later.
    waiting: Waiting,
    /// Stop signals that aren't delayed any more: one has been passed on already.
    hurried: SignalSet,
    /// What this child has been passed.
    passed: SignalSet,
    /// A stop has come for this child.
    stop_came: bool,
    /// As what stops are passed on to it.
    stops_become: SignalSet,
    /// As what QUIT is passed on to it, or what is passed on as QUIT; stops apart.
    quits_become: SignalSet,
    killed: bool,
    timed_out: bool,
    /// What came while there was no child.
    early: VecDeque<Received>,
    /// We have told the child to stop.
    told_to_stop: bool,
    /// The child is stopped, as by ^Z.
    stopped: bool,
    /// This process was stopped beside it, and goes on.
    resumed: bool,
    /// How long after a stop the child is killed.
    kill_after: Option<Duration>,
    kill_at: Option<Instant>,
}

/// When a signal is passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delay {
    /// Now.
    None,
    Until(Duration),
    /// With the first of its kind, which waits still, for so long at most: they are one.
    WithFirst(Duration),
}

/// When those held are tried again.
#[derive(Clone, Copy, Debug)]
struct Retry {
    at: Instant,
    wait: Duration,
}

impl Lifecycle {
    /// A lifecycle without a child yet, in this process.
    pub(crate) fn new(
        own: Pid,
        timers_are_childs: bool,
        listened: SignalSet,
        forwarding: Forwarding,
        kill_after: Option<Duration>,
    ) -> Lifecycle {
        Lifecycle {
            own,
            group: Group::Shared,
            timers_are_childs,
            forwarding,
            listened,
            child: None,
            had: SignalSet::EMPTY,
            from_terminal: SignalSet::EMPTY,
            doom: None,
            held: VecDeque::new(),
            passing_held: false,
            leaving_realtime: false,
            reserved: false,
            retry: None,
            waiting: Waiting::default(),
            hurried: SignalSet::EMPTY,
            passed: SignalSet::EMPTY,
            stop_came: false,
            stops_become: SignalSet::EMPTY,
            quits_become: SignalSet::EMPTY,
            killed: false,
            timed_out: false,
            early: VecDeque::new(),
            told_to_stop: false,
            stopped: false,
            resumed: false,
            kill_after,
            kill_at: None,
        }
    }

    /// A child was started: the first, or the next.
    pub(crate) fn started(
        &mut self,
        child: Pid,
        group: Group,
        foreground: impl Fn() -> Foreground,
        actions: &mut Actions,
    ) {
        self.child = Some(child);
        self.group = group;
        self.from_terminal = SignalSet::EMPTY;
        self.doom = None;
        self.passing_held = false;
        self.told_to_stop = false;
        self.stopped = false;
        self.resumed = false;
        self.hurried = SignalSet::EMPTY;
        self.passed = SignalSet::EMPTY;
        self.stop_came = false;
        self.stops_become = SignalSet::EMPTY;
        self.quits_become = SignalSet::EMPTY;
        self.killed = false;
        self.timed_out = false;
        for received in std::mem::take(&mut self.early) {
            // A stop isn't kept for the next child: it ends it all.
            self.signal(received, Asks::Nothing, &foreground, actions);
        }
    }

    /// Whether signals go to the child's whole process group.
    pub(crate) fn signals_group(&self) -> bool {
        self.forwarding.to_group
    }

    /// These came to the child as well: they were sent to the process group in which it was still.
    pub(crate) fn had(&mut self, signals: SignalSet) {
        // What was kept for it while there was no child, it has from us.
        self.had = signals.difference(self.passed);
    }

    /// When [`time_is_up`](Lifecycle::time_is_up) is to be called.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.retry.map(|retry| retry.at).into_iter().chain(self.kill_at).chain(self.waiting.deadline()).min()
    }

    /// A signal came, which asks for this.
    pub(crate) fn signal(
        &mut self,
        received: Received,
        asks: Asks,
        foreground: impl FnOnce() -> Foreground,
        actions: &mut Actions,
    ) {
        if self.is_own(received) {
            return;
        }
        let from_terminal = received.origin == Origin::Kernel && job_control::is_from_terminal(received.signal);
        if from_terminal {
            self.from_terminal = self.from_terminal.with(received.signal);
        } else if !self.listened.contains(received.signal) {
            actions.push_back(Action::TakeCourse(received.signal));
            return;
        }
        if self.child.is_none() {
            self.keep(received, asks, from_terminal, actions);
            return;
        }
        actions.push_back(Action::TellReceived(received));
        let Some(signal) = self.forwarding.becomes(received.signal) else {
            actions.push_back(Action::TellDropped(received));
            // The terminal has stopped the child all the same.
            if from_terminal && received.signal == Signal::TSTP && matches!(self.group, Group::Shared) {
                actions.push_back(Action::StopBeside(Signal::TSTP));
            }
            return;
        };
        let sent = Received { signal, ..received };
        self.note(received, sent, asks);
        let unless_ignored = (sent == received).then_some(signal);
        let asked = |after| (asks != Asks::Nothing).then_some(Action::StopAsked { asks, unless_ignored, after });
        match self.delay(received, asks, actions) {
            Delay::None => {
                actions.extend(asked(Duration::ZERO));
                if let Some(to) = self.to(received, sent, from_terminal, foreground, actions) {
                    self.pass(sent, to, from_terminal, actions);
                }
            }
            Delay::Until(delay) => {
                if let Some(to) = self.to(received, sent, from_terminal, foreground, actions) {
                    let is_stop = asks != Asks::Nothing;
                    actions.push_back(Action::Delay(Delayed { came: received, sent, to, is_stop }, delay));
                }
                actions.extend(asked(delay));
            }
            Delay::WithFirst(delay) => {
                // The first may have been none: a reload by HUP, and then the terminal hangs up.
                actions.extend(asked(delay));
                actions.push_back(Action::TellDropped(received));
            }
        }
        if from_terminal && self.stops_beside(received, sent) {
            actions.push_back(Action::StopBeside(Signal::TSTP));
        }
    }

    /// Notes what is sent for a stop, and for a QUIT.
    fn note(&mut self, received: Received, sent: Received, asks: Asks) {
        if asks != Asks::Nothing {
            self.stops_become = self.stops_become.with(sent.signal);
        } else if received.signal == Signal::QUIT || sent.signal == Signal::QUIT {
            self.quits_become = self.quits_become.with(sent.signal);
        }
    }

    /// Whether ^Z, which stops the others of this process's group, stops this process though the child's stop may not be
    /// seen: it is in this group itself; in a session that the kernel doesn't let a terminal stop; or sent something else.
    fn stops_beside(&self, received: Received, sent: Received) -> bool {
        match &self.group {
            Group::Shared => received.signal == Signal::TSTP,
            Group::Own(Some(_)) => received.signal == Signal::TSTP && !sent.signal.stops_by_default(),
            Group::Session => received.signal == Signal::TSTP || sent.signal == Signal::TSTP,
            Group::Own(None) => false,
        }
    }

    /// To whom it is passed on; none, if that has been done, or isn't to be.
    fn to(
        &mut self,
        received: Received,
        sent: Received,
        from_terminal: bool,
        foreground: impl FnOnce() -> Foreground,
        actions: &mut Actions,
    ) -> Option<To> {
        if self.had.contains(sent.signal) && sent == received {
            self.had = self.had.without(sent.signal);
            self.is_passed(received, actions);
            return None;
        }
        let to = match &mut self.group {
            // The terminal signals a whole process group, and the child is in ours: it has had this one.
            Group::Shared if from_terminal => {
                self.passed = self.passed.with(received.signal);
                return None;
            }
            Group::Shared => return Some(To::Child),
            Group::Own(Some(job)) if sent == received => job.signal(received, foreground, actions)?,
            // The terminal would have sent it to a whole group.
            Group::Own(Some(_)) | Group::Session if from_terminal => To::Group,
            // What ^Z has stopped with it goes on with it.
            Group::Session if received.signal == Signal::CONT => To::Group,
            Group::Own(_) | Group::Session => To::Child,
        };
        Some(if self.forwarding.to_group { To::Group } else { to })
    }

    /// How long this signal is to wait. A second one doesn't, and the first no longer: two of a kind that wait are one, as
    /// they are in the kernel, but for real-time signals. What is the same stop waits with the first.
    fn delay(&mut self, received: Received, asks: Asks, actions: &mut Actions) -> Delay {
        let Some(delay) = self.forwarding.delay(received.signal) else { return Delay::None };
        if self.hurried.contains(received.signal) {
            return Delay::None;
        }
        if asks == Asks::SameStop && self.waiting.contains(received.signal) {
            return if received.signal.is_realtime() { Delay::Until(delay) } else { Delay::WithFirst(delay) };
        }
        let Some(first) = self.waiting.take(received.signal) else { return Delay::Until(delay) };
        if first.is_stop {
            self.hurried = self.hurried.with(received.signal);
        }
        if first.sent.signal.is_realtime() {
            self.pass(first.sent, first.to, false, actions);
        } else {
            actions.push_back(Action::TellDropped(first.came));
        }
        Delay::None
    }

    /// It was said when a signal is due that is to wait.
    pub(crate) fn delayed(&mut self, delayed: Delayed, until: Option<Instant>) {
        // A time that never comes is none.
        if let Some(until) = until
            && self.child.is_some()
        {
            self.waiting.add(until, delayed);
        }
    }

    /// Passes it on, behind those that are held.
    fn pass(&mut self, received: Received, to: To, from_terminal: bool, actions: &mut Actions) {
        let in_one_job = from_terminal && matches!(self.group, Group::Own(Some(_))) && to == To::Group;
        if in_one_job && matches!(received.signal, Signal::INT | Signal::QUIT) {
            actions.push_back(Action::SeeFate(received.signal));
            actions.push_back(Action::Pass(received, to));
            actions.push_back(Action::SeeFateAgain(received.signal));
            return;
        }
        if !received.signal.is_realtime() || self.held.is_empty() {
            actions.push_back(Action::Pass(received, to));
        } else if self.held.len() < HELD_MAX {
            self.hold(received, actions);
        } else {
            actions.push_back(Action::TellNotPassed(received, io::Error::from_raw_os_error(libc::EAGAIN)));
        }
    }

    /// The child is to stop: its group is sent this, once, and KILL later if it hasn't ended.
    pub(crate) fn stop(&mut self, signal: Signal, now: Instant, actions: &mut Actions) {
        if self.child.is_some() && !std::mem::replace(&mut self.told_to_stop, true) {
            actions.push_back(Action::SignalGroup(signal));
            if self.stopped {
                // Else it couldn't end.
                actions.push_back(Action::Continue);
            }
            self.stop_asked(Duration::ZERO, now);
            if self.kill_after.is_none() {
                self.kill_at.get_or_insert(now + GRACE);
            }
        }
    }

    /// The child's group is to be killed now.
    pub(crate) fn kill(&mut self, actions: &mut Actions) {
        if self.child.is_some() {
            self.killed = true;
            actions.push_back(Action::SignalGroup(Signal::KILL));
        }
    }

    /// The child is asked to stop, and hears of it so much later. The first time counts.
    pub(crate) fn stop_asked(&mut self, after: Duration, now: Instant) {
        if self.child.is_some() {
            self.stop_came = true;
            // A time that never comes is none.
            let kill_at = self.kill_after.and_then(|kill_after| now.checked_add(after)?.checked_add(kill_after));
            self.kill_at = self.kill_at.into_iter().chain(kill_at).min();
        }
    }

    /// The child can't survive this signal, which the terminal sent to the whole of a job: the child would have had it
    /// together with the others. One that ends otherwise before it is passed on (the others are gone, and their pipes
    /// closed) ended too soon only because we are slower than the kernel.
    pub(crate) fn doomed(&mut self, signal: Signal) {
        self.doom = Some(signal);
    }

    /// It could, after all.
    pub(crate) fn spared(&mut self) {
        self.doom = None;
    }

    /// A signal was passed on, or couldn't be.
    pub(crate) fn passed(
        &mut self,
        received: Received,
        result: io::Result<()>,
        now: impl FnOnce() -> Instant,
        actions: &mut Actions,
    ) {
        let was_held = received.signal.is_realtime() && std::mem::take(&mut self.passing_held);
        match result {
            Err(error) if received.signal.is_realtime() && error.raw_os_error() == Some(libc::EAGAIN) => {
                if !was_held {
                    self.hold(received, actions);
                }
                self.retry_later(now(), actions);
                return;
            }
            Ok(()) => self.is_passed(received, actions),
            Err(error) => actions.push_back(Action::TellNotPassed(received, error)),
        }
        self.was_dealt_with(was_held, actions);
    }

    fn was_dealt_with(&mut self, was_held: bool, actions: &mut Actions) {
        if was_held {
            self.held.pop_front();
            // There is room: the next wait is a short one again.
            self.retry = None;
            self.pass_held(actions);
        }
    }

    /// Whether the child is to get this signal only if it won't die of it unasked.
    pub(crate) fn spares(&self, signal: Signal) -> bool {
        self.forwarding.unless_uncaught.contains(signal)
    }

    /// It would have died of this signal, which isn't passed on therefore.
    pub(crate) fn spared_of(&mut self, received: Received, actions: &mut Actions) {
        let was_held = received.signal.is_realtime() && std::mem::take(&mut self.passing_held);
        actions.push_back(Action::TellDropped(received));
        self.was_dealt_with(was_held, actions);
    }

    fn is_passed(&mut self, received: Received, actions: &mut Actions) {
        self.passed = self.passed.with(received.signal);
        self.killed |= received.signal == Signal::KILL;
        actions.push_back(Action::TellPassed(received));
    }

    /// The deadline has come.
    pub(crate) fn time_is_up(&mut self, now: Instant, actions: &mut Actions) {
        if self.retry.is_some_and(|retry| retry.at <= now) {
            self.pass_held(actions);
        }
        while let Some(delayed) = self.waiting.take_due(now) {
            if delayed.is_stop {
                self.hurried = self.hurried.with(delayed.came.signal);
            }
            self.pass(delayed.sent, delayed.to, false, actions);
        }
        if self.kill_at.is_some_and(|at| at <= now) {
            self.kill_at = None;
            self.timed_out = true;
            actions.push_back(Action::TellKilled(self.kill_after.unwrap_or(GRACE)));
            self.kill(actions);
        }
    }

    /// The child stopped.
    pub(crate) fn stopped(&mut self, signal: Signal, foreground: impl FnOnce() -> Foreground, actions: &mut Actions) {
        self.stopped = true;
        actions.push_back(Action::TellStopped(signal));
        if self.told_to_stop {
            // Else it couldn't end.
            actions.push_back(Action::Continue);
            return;
        }
        if let Group::Own(Some(job)) = &mut self.group {
            job.stopped(signal, foreground(), actions);
        }
    }

    /// The child was continued.
    pub(crate) fn continued(&mut self, actions: &mut Actions) {
        self.stopped = false;
        actions.push_back(Action::TellContinued);
    }

    /// [`Action::HandOver`] failed.
    pub(crate) fn not_handed_over(&mut self, asked: Option<Signal>, actions: &mut Actions) {
        if let Group::Own(Some(job)) = &mut self.group {
            job.not_handed_over(asked, actions);
        }
    }

    /// [`Action::StopSelf`] or [`Action::StopBeside`] was done, and this process goes on.
    pub(crate) fn resumed(&mut self) {
        self.resumed = true;
    }

    /// Signals are going to be dealt with; `with_cont` says whether SIGCONT is among them. One that has continued this process
    /// and isn't was discarded by what comes now: the child is to go on all the same, before it hears of that.
    pub(crate) fn signals_come(
        &mut self,
        with_cont: bool,
        foreground: impl FnOnce() -> Foreground,
        actions: &mut Actions,
    ) {
        if !std::mem::take(&mut self.resumed) || with_cont || self.child.is_none() {
            return;
        }
        match &mut self.group {
            // The child had what this process had.
            Group::Shared | Group::Own(None) => return,
            Group::Own(Some(job)) => job.continued(foreground(), actions),
            Group::Session => {}
        }
        actions.push_back(Action::Continue);
    }

    /// [`Action::StopSelf`] did nothing.
    pub(crate) fn not_stopped(&mut self, signal: Signal, foreground: Foreground, actions: &mut Actions) {
        if let Group::Own(Some(job)) = &mut self.group {
            job.not_stopped(signal, foreground, actions);
        }
    }

    /// The child ended and was reaped.
    pub(crate) fn ended(&mut self, status: ExitStatus, foreground: impl FnOnce() -> Foreground, actions: &mut Actions) {
        // From here on nobody signals that number: it may be somebody else's.
        self.child = None;
        self.held.clear();
        self.leave_realtime(actions);
        self.retry = None;
        // What waits for its time is the next child's, as what comes between two is; but for what asked this one to stop.
        let waiting = self.waiting.take_all().filter(|delayed| !delayed.is_stop);
        self.early.extend(waiting.map(|delayed| delayed.came));
        self.kill_at = None;
        actions.retain(|action| {
            let to_child = matches!(
                action,
                Action::Pass(..)
                    | Action::Delay(..)
                    | Action::HandOver { .. }
                    | Action::Continue
                    | Action::SignalGroup(_)
                    | Action::TellKilled(_)
            );
            !to_child
        });
        // The others of the group have had it as well, a script's shell among them, which ends if its command did.
        let by_terminal = matches!(status, ExitStatus::Signaled { signal, .. } if self.from_terminal.contains(signal));
        let alike = match &mut self.group {
            Group::Own(Some(job)) => job.ended(status, by_terminal, foreground(), actions),
            Group::Shared | Group::Own(None) | Group::Session => by_terminal,
        };
        let die_of = match status {
            ExitStatus::Signaled { signal, .. } if alike => Some(signal),
            ExitStatus::Signaled { .. } | ExitStatus::Exited(_) => None,
        };
        let die_of = self.doom.or(die_of);
        let is_quit = self.ended_by(status, self.quits_become) && self.has_passed_any(self.quits_become);
        if is_quit && !self.killed {
            actions.push_back(Action::StopAsked { asks: Asks::SameStop, unless_ignored: None, after: Duration::ZERO });
        }
        let is_stop = self.stop_came && self.ended_by(status, self.stops_become);
        let by_kill = matches!(status, ExitStatus::Signaled { signal: Signal::KILL, .. });
        actions.push_back(Action::Finish(End {
            status,
            requested: !self.killed && (is_stop || is_quit),
            killed: self.killed,
            timed_out: self.timed_out && by_kill,
            die_of,
        }));
    }

    fn has_passed_any(&self, signals: SignalSet) -> bool {
        signals.iter().any(|signal| self.passed.contains(signal))
    }

    /// Whether a child that ended so did as one of these asked it to: with 0, by one that was passed on, or with 128 and that.
    fn ended_by(&self, status: ExitStatus, signals: SignalSet) -> bool {
        let by = match status {
            ExitStatus::Signaled { signal, .. } => Some(signal),
            ExitStatus::Exited(code) => code.checked_sub(128).and_then(|number| Signal::new(number.into())),
        };
        status.is_success() || by.is_some_and(|by| signals.contains(by) && self.passed.contains(by))
    }

    /// What this process did to itself: a write to a closed pipe, or beyond the limit for files, or too much of its own
    /// time; the child is told of its own by the kernel. And a timer of a program that isn't a wrapper only.
    fn is_own(&self, received: Received) -> bool {
        match received.signal {
            // The last was for the others of this process's group.
            Signal::PIPE | Signal::XFSZ | Signal::CONT => received.origin.sender() == Some(self.own),
            Signal::XCPU => received.origin == Origin::Kernel,
            Signal::ALRM | Signal::VTALRM | Signal::PROF if received.origin == Origin::Kernel => {
                !self.timers_are_childs
            }
            _ if matches!(received.origin, Origin::Other { code: libc::SI_TIMER, .. }) => !self.timers_are_childs,
            _ => false,
        }
    }

    /// There is no child now. What is for the child is for the next one, as it is for the first before there is one.
    fn keep(&mut self, received: Received, asks: Asks, from_terminal: bool, actions: &mut Actions) {
        let sent = self.forwarding.becomes(received.signal).filter(|_| asks != Asks::Nothing);
        if let Some(sent) = sent {
            let unless_ignored = (sent == received.signal).then_some(sent);
            actions.push_back(Action::StopAsked { asks, unless_ignored, after: Duration::ZERO });
        } else if from_terminal {
            // What the terminal says of now is nothing to the next, but ^Z is for this job.
            if received.signal == Signal::TSTP {
                actions.push_back(Action::StopBeside(received.signal));
            }
        } else if received.signal != Signal::CONT && self.early.len() < HELD_MAX {
            self.early.push_back(received);
        }
    }

    fn hold(&mut self, received: Received, actions: &mut Actions) {
        self.held.push_back(received);
        self.leave_realtime(actions);
    }

    fn pass_held(&mut self, actions: &mut Actions) {
        self.leave_realtime(actions);
        if let Some(first) = self.held.front()
            && !self.passing_held
        {
            self.passing_held = true;
            actions.push_back(Action::Pass(*first, To::Child));
        }
    }

    fn leave_realtime(&mut self, actions: &mut Actions) {
        let leave = self.held.len() >= HELD_ENOUGH;
        if leave != self.leaving_realtime {
            self.leaving_realtime = leave;
            actions.push_back(Action::LeaveRealtime);
        }
    }

    /// Whether it holds so many signals that others are to wait in the kernel's queue.
    pub(crate) fn leaves_realtime(&self) -> bool {
        self.leaving_realtime
    }

    fn retry_later(&mut self, now: Instant, actions: &mut Actions) {
        if !self.reserved {
            self.reserved = true;
            actions.push_back(Action::ReserveQueue);
        }
        let wait = self.retry.map_or(RETRY_MIN, |retry| (retry.wait * 2).min(RETRY_MAX));
        self.retry = Some(Retry { at: now + wait, wait });
    }
}

#[cfg(test)]
mod tests;
