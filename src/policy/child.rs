//! What to do next with a child, given what happened: pure decisions, no system call.
//!
//! | | a signal came | it was passed on, or not | the time is up | the child stopped | the child ended |
//! |---|---|---|---|---|---|
//! | child runs | pass it on; behind those [`held`](super::held), if real-time | tell; hold what found no room | try those held again; [`kill`](super::kill) | tell; see [`job_control`](super::job_control) | tell, end |
//! | no child | keep it for the next; a stop ends it all | | | | |
//!
//! An empty cell: there is nobody to act on, and nothing is done. Before the first child is started, signals wait in the
//! kernel. Whether and when there is a next child is decided in [`restart`](super::restart).

use super::action::{Actions, ChildAction, Delayed, End, LoopAction, Tell, To};
use super::delays::{Delays, When};
use super::forwarding::Forwarding;
use super::group::Group;
use super::held::Held;
use super::job_control::is_from_terminal;
use super::kept::Kept;
use super::kill::GracePeriod;
use super::own::Own;
use super::requests::Requests;
use super::stop::Asks;
use super::stopped::Stopped;
use super::undecided::Undecided;
use crate::model::death::KilledBy;
use crate::model::origin::{Origin, Received};
use crate::model::pid::Pid;
use crate::model::signal::{Signal, SignalSet};
use crate::model::standing::Foreground;
use crate::model::status::ExitStatus;
use std::io;
use std::time::{Duration, Instant};

/// One child, from its start to its end; and the next one.
#[derive(Debug)]
pub(crate) struct Lifecycle {
    own: Own,
    group: Group,
    forwarding: Forwarding,
    /// Any other signal was sent to this process, not to its child; but what a terminal sends is for both.
    listened: SignalSet,
    child: Option<Pid>,
    /// Which of the signals that come now the child has already received: they were sent to the group it was in.
    already_received: SignalSet,
    /// What the terminal has sent to this process's group.
    from_terminal: SignalSet,
    /// The terminal has sent this signal, and the child will die of it.
    will_die_of: Option<Signal>,
    held: Held,
    delays: Delays,
    pub(crate) undecided: Option<Box<Undecided>>,
    requests: Requests,
    grace: GracePeriod,
    kept: Kept,
    /// This process has stopped the child by itself.
    told_to_stop: bool,
    stopped: Stopped,
}

impl Lifecycle {
    /// A lifecycle in which no child was started yet.
    pub(crate) fn new(own: Own, listened: SignalSet, forwarding: Forwarding, grace: Option<Duration>) -> Lifecycle {
        Lifecycle {
            own,
            group: Group::Shared,
            forwarding,
            listened,
            child: None,
            already_received: SignalSet::EMPTY,
            from_terminal: SignalSet::EMPTY,
            will_die_of: None,
            held: Held::default(),
            delays: Delays::default(),
            undecided: None,
            requests: Requests::default(),
            grace: GracePeriod::new(grace),
            kept: Kept::default(),
            told_to_stop: false,
            stopped: Stopped::default(),
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
        self.will_die_of = None;
        self.held.child_started();
        self.delays.child_started();
        self.requests = Requests::default();
        self.grace.child_started();
        self.told_to_stop = false;
        self.stopped = Stopped::default();
        for received in self.kept.take() {
            // A stop that is passed on isn't kept: it has ended it all.
            self.signal(received, Asks::Nothing, &foreground, actions);
        }
    }

    /// Whether signals go to the child's whole process group.
    pub(crate) fn signals_group(&self) -> bool {
        self.forwarding.to_group
    }

    /// The child has received these signals, too: they were sent to this process's group while the child was still in it.
    pub(crate) fn already_received(&mut self, signals: SignalSet) {
        // What was kept for it while there was no child, it has from this process.
        self.already_received = signals.difference(self.requests.passed());
    }

    /// When [`time_is_up`](Lifecycle::time_is_up) is to be called.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let known = self.held.deadline().into_iter().chain(self.grace.deadline()).chain(self.delays.deadline()).min();
        match &self.undecided {
            // A child that is stopped can't change what it blocks.
            Some(undecided) if !self.stopped.child => undecided.deadline_or(known),
            _ => known,
        }
    }

    /// A signal came, which asks for this.
    pub(crate) fn signal(
        &mut self,
        received: Received,
        asks: Asks,
        foreground: impl FnOnce() -> Foreground,
        actions: &mut Actions,
    ) {
        if self.own.made(received) {
            return;
        }
        let from_terminal = received.origin == Origin::Kernel && is_from_terminal(received.signal);
        if from_terminal {
            self.from_terminal = self.from_terminal.with(received.signal);
        } else if !self.listened.contains(received.signal) {
            actions.push(LoopAction::TakeEffect(received.signal));
            return;
        }
        if self.child.is_none() {
            self.kept.keep(received, &self.forwarding, asks, from_terminal, actions);
            return;
        }
        actions.push(ChildAction::Tell(Tell::Received(received)));
        let Some(signal) = self.forwarding.becomes(received.signal) else {
            actions.push(ChildAction::Tell(Tell::Dropped(received)));
            if from_terminal || self.forwarding.stops_too != SignalSet::EMPTY {
                self.stop_with_child(received, None, from_terminal, actions);
            }
            return;
        };
        let sent = Received { signal, ..received };
        self.requests.note(received, sent, asks);
        self.forward(received, sent, asks, from_terminal, foreground, actions);
        if from_terminal || self.forwarding.stops_too != SignalSet::EMPTY {
            self.stop_with_child(received, Some(sent), from_terminal, actions);
        }
    }

    /// Stops this process, too, by the terminal's ^Z; by kill(2) where that is wanted, unless it stops in any case, or can't.
    #[cold]
    fn stop_with_child(&mut self, came: Received, sent: Option<Received>, from_terminal: bool, actions: &mut Actions) {
        if !from_terminal {
            let is_listed = self.forwarding.stops_too.contains(came.signal);
            self.stopped.by_kill(is_listed && self.group.job().is_none() && self.own.pid.as_raw() != 1, actions);
        } else if self.group.stops_with_child(came, sent) {
            // A wrapper stops no sooner than a child in its group.
            self.stopped.with_child(self.own.is_wrapper && !self.group.is_own(), actions);
        }
    }

    /// Passes on what is sent for a signal that came, now or later; and says what that means as a stop.
    fn forward(
        &mut self,
        received: Received,
        sent: Received,
        asks: Asks,
        from_terminal: bool,
        foreground: impl FnOnce() -> Foreground,
        actions: &mut Actions,
    ) {
        let is_stop = asks != Asks::Nothing;
        let unless_ignored = (sent == received).then_some(sent.signal);
        let tell_stop = |after: Duration, actions: &mut Actions| {
            if is_stop {
                actions.push(LoopAction::StopAsked { asks, unless_ignored, after });
            }
        };
        let delay = self.forwarding.delay(received.signal);
        match self.delays.when(received, asks, delay) {
            When::Now { first } => {
                match first {
                    // Two standard signals that wait are one, as they are in the kernel.
                    Some(first) if !first.sent.signal.is_realtime() => {
                        actions.push(ChildAction::Tell(Tell::Dropped(first.came)));
                    }
                    Some(first) => self.pass(first.sent, first.to, false, actions),
                    None => {}
                }
                tell_stop(Duration::ZERO, actions);
                if let Some(to) = self.to(received, sent, from_terminal, foreground, actions) {
                    self.pass(sent, to, from_terminal, actions);
                }
            }
            When::After(delay) => {
                if let Some(to) = self.to(received, sent, from_terminal, foreground, actions) {
                    actions.push(ChildAction::Delay(Delayed { came: received, sent, to, is_stop }, delay));
                }
                tell_stop(delay, actions);
            }
            When::WithFirst(delay) => {
                // The first may have been no stop: a reload by HUP, and then the terminal hangs up.
                tell_stop(delay, actions);
                actions.push(ChildAction::Tell(Tell::Dropped(received)));
            }
        }
    }

    /// To whom it is passed on. `None`: the child has it already, or it isn't for the child.
    fn to(
        &mut self,
        received: Received,
        sent: Received,
        from_terminal: bool,
        foreground: impl FnOnce() -> Foreground,
        actions: &mut Actions,
    ) -> Option<To> {
        if self.already_received.contains(sent.signal) && sent == received {
            self.already_received = self.already_received.without(sent.signal);
            self.is_passed(received, To::Group, actions);
            return None;
        }
        if !self.group.is_own() {
            // The terminal signals a whole process group, in which the child is, too.
            if from_terminal {
                self.requests.note_passed(received.signal);
                return None;
            }
            return Some(To::Child);
        }
        let to = self.group.to(received, sent, from_terminal, foreground, actions)?;
        Some(if self.forwarding.to_group { To::Group } else { to })
    }

    /// The answer to [`ChildAction::Delay`]. `None`: so late that the time overflows, which is never.
    #[cold]
    pub(crate) fn delayed(&mut self, delayed: Delayed, until: Option<Instant>) {
        if let Some(until) = until
            && self.child.is_some()
        {
            self.delays.add(until, delayed);
        }
    }

    /// Passes it on, behind those that are held.
    fn pass(&mut self, received: Received, to: To, from_terminal: bool, actions: &mut Actions) {
        let in_one_job = from_terminal && to == To::Group && self.group.job().is_some();
        if in_one_job && matches!(received.signal, Signal::INT | Signal::QUIT) {
            actions.push(ChildAction::CheckDefaultAction(received.signal));
            actions.push(ChildAction::Pass(received, to));
            actions.push(ChildAction::CheckDefaultActionAgain(received.signal));
        } else {
            self.held.pass(received, to, actions);
        }
    }

    /// The child is to stop: its group is sent this signal, once, and KILL after the grace period.
    #[cold]
    pub(crate) fn stop(&mut self, signal: Signal, now: Instant, actions: &mut Actions) {
        if self.child.is_some() && !std::mem::replace(&mut self.told_to_stop, true) {
            actions.push(ChildAction::SignalGroup(signal));
            if self.stopped.child {
                // A stopped child couldn't end.
                actions.push(ChildAction::Continue);
            }
            self.requests.stop_asked();
            self.grace.own_stop(now);
        }
    }

    /// What [`stop`](Lifecycle::stop) sends was asked for, by this signal or otherwise, and is no decision of this process.
    pub(crate) fn stop_requested(&mut self, signal: Signal, received: Option<Received>) {
        if self.child.is_some() {
            self.requests.stop_sent(signal, received);
        }
    }

    /// The child's group is to be killed now.
    #[cold]
    pub(crate) fn kill(&mut self, by: KilledBy, actions: &mut Actions) {
        if self.child.is_some() {
            self.grace.killed(by);
            actions.push(ChildAction::SignalGroup(Signal::KILL));
        }
    }

    /// The answer to [`LoopAction::StopAsked`]: it is a stop, which is passed on to the child after this time.
    pub(crate) fn stop_asked(&mut self, after: Duration, now: Instant) {
        if self.child.is_some() {
            self.requests.stop_asked();
            self.grace.stop_asked(after, now);
        }
    }

    /// The child will die of this signal, which the terminal sent to the whole job. Without this process it would have had it
    /// with the others: the signal counts even if the child ends otherwise before it is passed on.
    pub(crate) fn will_die_of(&mut self, signal: Signal) {
        self.will_die_of = Some(signal);
    }

    /// The child won't die of it after all.
    pub(crate) fn not_fatal(&mut self) {
        self.will_die_of = None;
    }

    /// A signal was passed on, or couldn't be.
    pub(crate) fn passed(
        &mut self,
        received: Received,
        to: To,
        result: io::Result<()>,
        now: impl FnOnce() -> Instant,
        actions: &mut Actions,
    ) {
        let was_held = self.held.takes_passing(received);
        match result {
            // EAGAIN: the queue is full.
            Err(error) if received.signal.is_realtime() && error.kind() == io::ErrorKind::WouldBlock => {
                self.held.found_no_room(received, was_held, now(), actions);
                return;
            }
            Ok(()) => self.is_passed(received, to, actions),
            Err(error) => actions.push(ChildAction::Tell(Tell::NotPassed(received, error))),
        }
        if was_held {
            self.held.first_is_done(actions);
        }
    }

    /// Whether this signal is dropped if the child would die of it without having asked for it.
    pub(crate) fn drops_uncaught(&self, signal: Signal) -> bool {
        self.forwarding.drop_uncaught.contains(signal)
    }

    /// This signal isn't passed on; or not now, because it is undecided.
    #[cold]
    pub(crate) fn not_passed(&mut self, received: Received, actions: &mut Actions) {
        if self.held.takes_passing(received) {
            self.held.first_is_done(actions);
        }
    }

    fn is_passed(&mut self, received: Received, to: To, actions: &mut Actions) {
        self.requests.note_passed(received.signal);
        if received.signal == Signal::KILL {
            self.grace.killed(KilledBy::Stop);
        }
        actions.push(ChildAction::Tell(Tell::Passed(received, to)));
    }

    /// The deadline has come.
    pub(crate) fn time_is_up(&mut self, now: Instant, actions: &mut Actions) {
        self.held.time_is_up(now, actions);
        while let Some(delayed) = self.delays.take_due(now) {
            self.pass(delayed.sent, delayed.to, false, actions);
        }
        if let Some(waiting) = self.undecided.as_mut().and_then(|undecided| undecided.time_is_up(now)) {
            waiting.into_iter().for_each(|(received, to)| self.pass(received, to, false, actions));
            actions.push(ChildAction::HasLooked);
        }
        if let Some(period) = self.grace.take_end(now) {
            actions.push(ChildAction::Tell(Tell::TimedOut(period)));
            self.kill(KilledBy::KillAfter(period), actions);
        }
    }

    /// The child stopped.
    #[cold]
    pub(crate) fn stopped(&mut self, signal: Signal, foreground: impl FnOnce() -> Foreground, actions: &mut Actions) {
        actions.push(ChildAction::Tell(Tell::Stopped(signal)));
        self.stopped.child_stopped(actions);
        if self.told_to_stop {
            // A stopped child couldn't end.
            actions.push(ChildAction::Continue);
        } else if let Some(job) = self.group.job() {
            job.stopped(signal, foreground(), actions);
        }
    }

    /// The child was continued.
    pub(crate) fn continued(&mut self, actions: &mut Actions) {
        self.stopped.child = false;
        actions.push(ChildAction::Tell(Tell::Continued));
    }

    /// [`ChildAction::HandOver`] failed.
    #[cold]
    pub(crate) fn not_handed_over(&mut self, asked: Option<Signal>, actions: &mut Actions) {
        if let Some(job) = self.group.job() {
            job.not_handed_over(asked, actions);
        }
    }

    /// This process was stopped, by [`ChildAction::StopSelf`] or [`LoopAction::StopWithChild`], and has been continued.
    pub(crate) fn resumed(&mut self) {
        self.stopped.resumed = true;
    }

    /// Signals are going to be dealt with, SIGCONT among them or not. If SIGCONT has continued this process and isn't among
    /// them, one of them has discarded it: the child is continued all the same, before it is sent any of them.
    pub(crate) fn signals_come(
        &mut self,
        with_cont: bool,
        foreground: impl FnOnce() -> Foreground,
        actions: &mut Actions,
    ) {
        if std::mem::take(&mut self.stopped.resumed)
            && !with_cont
            && self.child.is_some()
            && self.group.continued(foreground, actions)
        {
            actions.push(ChildAction::Continue);
        }
    }

    /// [`ChildAction::StopSelf`] did nothing.
    #[cold]
    pub(crate) fn not_stopped(&mut self, signal: Signal, foreground: Foreground, actions: &mut Actions) {
        if let Some(job) = self.group.job() {
            job.not_stopped(signal, foreground, actions);
        }
    }

    /// The child ended and was reaped.
    pub(crate) fn ended(&mut self, status: ExitStatus, foreground: impl FnOnce() -> Foreground, actions: &mut Actions) {
        // From here on nobody signals that pid: it may be another process's.
        self.child = None;
        self.already_received = SignalSet::EMPTY;
        self.held.child_ended(actions);
        if let Some(mut undecided) = self.undecided.take() {
            undecided.child_ended(actions);
        }
        // What is delayed is for the next child, as is what comes between two; but for what asked this one to stop.
        let delayed = self.delays.child_ended().filter(|delayed| !delayed.is_stop);
        self.kept.extend(delayed.map(|delayed| delayed.came));
        self.grace.child_ended();
        actions.child_ended();
        let die_of = self.die_of(status, foreground, actions);
        let was_killed = self.grace.killed_by().is_some();
        let was_quit = self.requests.was_quit(status) && !was_killed;
        if was_quit {
            actions.push(LoopAction::StopAsked { asks: Asks::SameStop, unless_ignored: None, after: Duration::ZERO });
        }
        actions.push(LoopAction::Ended(End {
            status,
            requested: was_quit || !was_killed && self.requests.was_stop(status),
            stop_requested: self.requests.stop_came(),
            request: self.requests.request(was_quit),
            killed_by: self.grace.killed_by().filter(|_| status.signal() == Some(Signal::KILL)),
            oom: false,
            die_of,
        }));
    }

    /// Which signal this process should die of after that end of the child, if any.
    fn die_of(
        &mut self,
        status: ExitStatus,
        foreground: impl FnOnce() -> Foreground,
        actions: &mut Actions,
    ) -> Option<Signal> {
        // The others of the group have received it as well, a script's shell among them, which ends if its command died.
        let by_terminal = status.signal().is_some_and(|signal| self.from_terminal.contains(signal));
        let dies_alike = match self.group.job() {
            Some(job) => job.ended(status, by_terminal, foreground(), actions),
            None => by_terminal,
        };
        self.will_die_of.or(status.signal().filter(|_| dies_alike))
    }

    /// Whether many signals are held, and further ones are to be left in the kernel's queue.
    pub(crate) fn leaves_realtime(&self) -> bool {
        self.held.leaves_realtime()
    }
}

#[cfg(test)]
mod tests;
