//! What to do next with a child, given what happened: pure decisions, no system call.
//!
//! | | a signal came | it was passed on, or not | the time is up | the child stopped | the child ended |
//! |---|---|---|---|---|---|
//! | child runs | pass it on; behind those held, if real-time | tell; hold what found no room | try those held again; kill | tell; see [`job_control`] | tell, finish |
//! | no child | keep it for the next; a stop signal ends it all | | | | |
//!
//! An empty cell does nothing: there is nobody to act on. What comes before there is a first child waits in the kernel.
//! Whether and when there is a next child is the matter of [`supervision`].

pub(crate) mod job_control;
pub(crate) mod supervision;

use crate::sys::signals::Received;
use crate::{ExitStatus, Origin, Pid, Signal, SignalSet};
use job_control::{Foreground, JobControl};
use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

/// How soon signals that found no room are tried again; doubled, while there is none, up to [`RETRY_MAX`].
const RETRY_MIN: Duration = Duration::from_millis(1);
const RETRY_MAX: Duration = Duration::from_millis(100);

/// How long a child that we stop on our own account has, if nobody has said how long; pmux's.
const GRACE: Duration = Duration::from_secs(10);

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
    /// The child isn't to be started again: this stop signal came through, unless it is one that is ignored; or the
    /// command was interrupted at the terminal. To be said with [`Lifecycle::stop_asked`], with the time.
    StopAsked(Option<Signal>),
    /// Send this to the child's group, on our own account.
    SignalGroup(Signal),
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
    /// Whatever else comes was sent to this process, not to its child; what a terminal sends is for both.
    listened: SignalSet,
    child: Option<Pid>,
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
    /// What came while there was no child.
    early: VecDeque<Received>,
    /// We have told the child to stop.
    told_to_stop: bool,
    /// The child is stopped, as by ^Z.
    stopped: bool,
    /// How long after a stop signal the child is killed.
    kill_after: Option<Duration>,
    kill_at: Option<Instant>,
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
        kill_after: Option<Duration>,
    ) -> Lifecycle {
        Lifecycle {
            own,
            group: Group::Shared,
            timers_are_childs,
            listened,
            child: None,
            from_terminal: SignalSet::EMPTY,
            doom: None,
            held: VecDeque::new(),
            passing_held: false,
            leaving_realtime: false,
            reserved: false,
            retry: None,
            early: VecDeque::new(),
            told_to_stop: false,
            stopped: false,
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
        for received in std::mem::take(&mut self.early) {
            self.signal(received, &foreground, actions);
        }
    }

    /// When [`time_is_up`](Lifecycle::time_is_up) is to be called.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.retry.map(|retry| retry.at).into_iter().chain(self.kill_at).min()
    }

    /// A signal came.
    pub(crate) fn signal(
        &mut self,
        received: Received,
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
            self.keep(received, from_terminal, actions);
            return;
        }
        actions.push_back(Action::TellReceived(received));
        if stop_signals().contains(received.signal) {
            actions.push_back(Action::StopAsked(Some(received.signal)));
        }
        let to = match &mut self.group {
            // The terminal signals a whole process group, and the child is in ours: it has had this one.
            Group::Shared if from_terminal => {
                if received.signal == Signal::TSTP {
                    actions.push_back(Action::StopBeside(received.signal));
                }
                return;
            }
            Group::Own(Some(job)) => match job.signal(received, foreground, actions) {
                Some(to) => to,
                None => return,
            },
            Group::Shared | Group::Own(None) => To::Child,
        };
        if from_terminal && to == To::Group && matches!(received.signal, Signal::INT | Signal::QUIT) {
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
            self.stop_asked(now);
            if self.kill_after.is_none() {
                self.kill_at.get_or_insert(now + GRACE);
            }
        }
    }

    /// The child's group is to be killed now.
    pub(crate) fn kill(&mut self, actions: &mut Actions) {
        if self.child.is_some() {
            actions.push_back(Action::SignalGroup(Signal::KILL));
        }
    }

    /// The child was asked to stop, at this time; the first time counts.
    pub(crate) fn stop_asked(&mut self, now: Instant) {
        if self.child.is_some() && self.kill_at.is_none() {
            // A time that never comes is none.
            self.kill_at = self.kill_after.and_then(|after| now.checked_add(after));
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
            Ok(()) => actions.push_back(Action::TellPassed(received)),
            Err(error) => actions.push_back(Action::TellNotPassed(received, error)),
        }
        if was_held {
            self.held.pop_front();
            // There is room: the next wait is a short one again.
            self.retry = None;
            self.pass_held(actions);
        }
    }

    /// The deadline has come.
    pub(crate) fn time_is_up(&mut self, now: Instant, actions: &mut Actions) {
        if self.retry.is_some_and(|retry| retry.at <= now) {
            self.pass_held(actions);
        }
        if self.kill_at.is_some_and(|at| at <= now) {
            self.kill_at = None;
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
        self.kill_at = None;
        actions.retain(|action| {
            let to_child = matches!(
                action,
                Action::Pass(..) | Action::HandOver { .. } | Action::Continue | Action::SignalGroup(_)
            );
            !to_child
        });
        // The others of the group have had it as well, a script's shell among them, which ends if its command did.
        let by_terminal = matches!(status, ExitStatus::Signaled { signal, .. } if self.from_terminal.contains(signal));
        let alike = match &mut self.group {
            Group::Own(Some(job)) => job.ended(status, by_terminal, foreground(), actions),
            Group::Shared | Group::Own(None) => by_terminal,
        };
        let die_of = match status {
            ExitStatus::Signaled { signal, .. } if alike => Some(signal),
            ExitStatus::Signaled { .. } | ExitStatus::Exited(_) => None,
        };
        let die_of = self.doom.or(die_of);
        actions.push_back(Action::Finish(End { status, die_of }));
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
    fn keep(&mut self, received: Received, from_terminal: bool, actions: &mut Actions) {
        if stop_signals().contains(received.signal) {
            actions.push_back(Action::StopAsked(Some(received.signal)));
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

/// What asks a process to end, where it isn't ignored.
pub(crate) fn stop_signals() -> SignalSet {
    [Signal::TERM, Signal::INT, Signal::QUIT, Signal::HUP].into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::job_control::Standing;
    use super::job_control::tests::JOB;
    use super::*;
    use crate::test_random::Random;

    const CHILD: Pid = Pid::new(7);
    const OWN: Pid = Pid::new(1);

    fn no_terminal() -> Foreground {
        Foreground::Other
    }

    fn running() -> Lifecycle {
        started(Group::Shared, None)
    }

    fn started(group: Group, kill_after: Option<Duration>) -> Lifecycle {
        let mut lifecycle = Lifecycle::new(OWN, true, SignalSet::ALL, kill_after);
        lifecycle.started(CHILD, group, no_terminal, &mut Actions::new());
        lifecycle
    }

    /// Without what says that it is a stop signal.
    fn but_stop_asked(actions: &mut Actions) {
        actions.retain(|action| !matches!(action, Action::StopAsked(_)));
    }

    fn sent(signal: Signal) -> Received {
        Received { signal, origin: Origin::Process { pid: Pid::new(9), uid: 0 } }
    }

    fn queued(number: i32, value: usize) -> Received {
        let signal = Signal::new(number).unwrap();
        Received { signal, origin: Origin::Queue { pid: Pid::new(9), uid: 0, value } }
    }

    fn full() -> io::Result<()> {
        Err(io::Error::from_raw_os_error(libc::EAGAIN))
    }

    /// Does what is wanted, with a child that has room for so many, and says what was passed on.
    fn act(lifecycle: &mut Lifecycle, actions: &mut Actions, now: Instant, room: &mut usize) -> Vec<Received> {
        let mut passed = Vec::new();
        while let Some(action) = actions.pop_front() {
            if let Action::Pass(received, _) = action {
                let found = !received.signal.is_realtime() || *room > 0;
                if found {
                    passed.push(received);
                    *room -= usize::from(received.signal.is_realtime());
                }
                lifecycle.passed(received, if found { Ok(()) } else { full() }, || now, actions);
            }
        }
        passed
    }

    #[test]
    fn a_signal_is_told_passed_and_told_again() {
        for signal in Signal::all() {
            let (mut lifecycle, mut actions) = (running(), Actions::new());
            lifecycle.signal(sent(signal), no_terminal, &mut actions);
            assert!(matches!(actions.pop_front(), Some(Action::TellReceived(received)) if received == sent(signal)));
            let stop = [Signal::TERM, Signal::INT, Signal::QUIT, Signal::HUP].contains(&signal);
            assert_eq!(stop, matches!(actions.front(), Some(Action::StopAsked(_))), "{signal}");
            but_stop_asked(&mut actions);
            assert!(matches!(actions.pop_front(), Some(Action::Pass(received, To::Child)) if received == sent(signal)));
            assert!(actions.is_empty());
            lifecycle.passed(sent(signal), Ok(()), Instant::now, &mut actions);
            assert!(matches!(actions.pop_front(), Some(Action::TellPassed(_))));
            lifecycle.passed(sent(signal), Err(io::Error::from_raw_os_error(libc::EPERM)), Instant::now, &mut actions);
            assert!(matches!(actions.pop_front(), Some(Action::TellNotPassed(..))));
        }
    }

    /// Between two runs.
    fn waiting() -> Lifecycle {
        let mut lifecycle = running();
        lifecycle.ended(ExitStatus::Exited(1), no_terminal, &mut Actions::new());
        lifecycle
    }

    #[test]
    fn without_a_child_a_stop_signal_ends_it_and_others_wait_for_the_next() {
        let (mut lifecycle, mut actions) = (waiting(), Actions::new());
        for signal in [Signal::TERM, Signal::INT, Signal::QUIT, Signal::HUP] {
            lifecycle.signal(sent(signal), no_terminal, &mut actions);
            assert!(matches!(actions.pop_front(), Some(Action::StopAsked(_))), "{signal}");
        }
        let kept = [queued(40, 1), sent(Signal::USR1), queued(36, 2)];
        for received in kept {
            lifecycle.signal(received, no_terminal, &mut actions);
        }
        // To this process, or about the terminal as it is now.
        lifecycle.signal(sent(Signal::CONT), no_terminal, &mut actions);
        lifecycle.signal(from_kernel(Signal::WINCH), no_terminal, &mut actions);
        assert!(actions.is_empty(), "{actions:?}");
        lifecycle.signal(from_kernel(Signal::TSTP), no_terminal, &mut actions);
        assert!(matches!(actions.pop_front(), Some(Action::StopBeside(Signal::TSTP))));
        lifecycle.started(CHILD, Group::Shared, no_terminal, &mut actions);
        assert_eq!(act(&mut lifecycle, &mut actions, Instant::now(), &mut 9), kept);
    }

    #[test]
    fn the_next_child_starts_with_nothing_of_the_last() {
        let (mut lifecycle, mut actions, now) = (running(), Actions::new(), Instant::now());
        for value in 0..HELD_ENOUGH {
            lifecycle.signal(queued(40, value), no_terminal, &mut actions);
            act(&mut lifecycle, &mut actions, now, &mut 0);
        }
        lifecycle.doomed(Signal::INT);
        assert!(lifecycle.leaves_realtime());
        lifecycle.ended(ExitStatus::Exited(1), no_terminal, &mut actions);
        assert!(actions.iter().any(|action| matches!(action, Action::LeaveRealtime)) && !lifecycle.leaves_realtime());
        actions.clear();
        lifecycle.started(CHILD, Group::Shared, no_terminal, &mut actions);
        lifecycle.signal(queued(40, 99), no_terminal, &mut actions);
        assert_eq!(act(&mut lifecycle, &mut actions, now, &mut 1), [queued(40, 99)]);
        assert_eq!(end(&mut lifecycle, ExitStatus::Exited(0)), None);
    }

    #[test]
    fn who_does_not_stop_in_time_is_killed_once_and_with_its_group() {
        let (now, after) = (Instant::now(), Duration::from_secs(10));
        let mut actions = Actions::new();
        let mut lifecycle = started(Group::Own(None), Some(after));
        assert_eq!(lifecycle.deadline(), None);
        lifecycle.stop_asked(now);
        // A second signal doesn't put it off.
        lifecycle.stop_asked(now + Duration::from_secs(9));
        assert_eq!(lifecycle.deadline(), Some(now + after));
        lifecycle.time_is_up(now + after - Duration::from_nanos(1), &mut actions);
        assert!(actions.is_empty());
        lifecycle.time_is_up(now + after, &mut actions);
        assert!(matches!(actions.pop_front(), Some(Action::SignalGroup(Signal::KILL))));
        lifecycle.time_is_up(now + 2 * after, &mut actions);
        assert!(actions.is_empty());

        lifecycle.stop(Signal::INT, now, &mut actions);
        assert!(matches!(actions.pop_front(), Some(Action::SignalGroup(Signal::INT))));
        lifecycle.stop(Signal::INT, now, &mut actions);
        assert!(actions.is_empty(), "once");
        lifecycle.kill(&mut actions);
        lifecycle.ended(ExitStatus::Exited(0), no_terminal, &mut actions);
        assert!(matches!(actions.pop_front(), Some(Action::Finish(_))), "nobody is signalled after its end");
        assert_eq!(lifecycle.deadline(), None);
        lifecycle.stop(Signal::INT, now, &mut actions);
        lifecycle.kill(&mut actions);
        assert!(actions.is_empty() && lifecycle.deadline().is_none());

        let mut lifecycle = started(Group::Own(None), None);
        lifecycle.stopped(Signal::TSTP, no_terminal, &mut Actions::new());
        lifecycle.stop(Signal::INT, now, &mut actions);
        assert_eq!(lifecycle.deadline(), Some(now + GRACE), "nobody said how long");
        assert!(matches!(actions.pop_back(), Some(Action::Continue)), "who is stopped couldn't end");
        lifecycle.continued(&mut Actions::new());
        lifecycle.stopped(Signal::STOP, no_terminal, &mut actions);
        assert!(matches!(actions.pop_back(), Some(Action::Continue)), "nor who stops then");
    }

    #[test]
    fn what_the_process_did_to_itself_is_not_the_childs() {
        let (mut lifecycle, mut actions) = (running(), Actions::new());
        for signal in [Signal::PIPE, Signal::XFSZ] {
            lifecycle.signal(
                Received { signal, origin: Origin::Process { pid: OWN, uid: 0 } },
                no_terminal,
                &mut actions,
            );
        }
        lifecycle.signal(Received { signal: Signal::XCPU, origin: Origin::Kernel }, no_terminal, &mut actions);
        assert!(actions.is_empty());
        lifecycle.signal(
            Received { signal: Signal::USR1, origin: Origin::Process { pid: OWN, uid: 0 } },
            no_terminal,
            &mut actions,
        );
        assert_eq!(actions.len(), 2);
    }

    #[test]
    fn what_the_terminal_sent_has_reached_a_child_in_the_same_group() {
        for signal in [Signal::INT, Signal::QUIT, Signal::TSTP, Signal::TTIN, Signal::TTOU, Signal::WINCH] {
            let (mut lifecycle, mut actions) = (running(), Actions::new());
            lifecycle.signal(Received { signal, origin: Origin::Kernel }, no_terminal, &mut actions);
            but_stop_asked(&mut actions);
            assert!(matches!(actions.pop_front(), Some(Action::TellReceived(_))), "{signal}");
            // It has stopped, too.
            let stops = matches!(actions.pop_front(), Some(Action::StopBeside(Signal::TSTP)));
            assert_eq!(stops, signal == Signal::TSTP);
            assert!(actions.is_empty());
        }
        let (mut lifecycle, mut actions) = (running(), Actions::new());
        lifecycle.signal(Received { signal: Signal::ALRM, origin: Origin::Kernel }, no_terminal, &mut actions);
        assert_eq!(actions.len(), 2);
    }

    #[test]
    fn after_the_end_of_the_child_nobody_is_signalled() {
        let (mut lifecycle, mut actions) = (running(), Actions::new());
        lifecycle.signal(sent(Signal::USR1), no_terminal, &mut actions);
        lifecycle.ended(ExitStatus::Exited(42), no_terminal, &mut actions);
        lifecycle.signal(sent(Signal::USR2), no_terminal, &mut actions);
        assert!(!actions.iter().any(|action| matches!(action, Action::Pass(..))), "{actions:?}");
        assert!(matches!(actions.pop_back(), Some(Action::Finish(end)) if end.status == ExitStatus::Exited(42)));
        assert_eq!(lifecycle.deadline(), None);
    }

    #[test]
    fn a_standard_signal_overtakes_those_that_found_no_room() {
        let (mut lifecycle, mut actions, now) = (running(), Actions::new(), Instant::now());
        lifecycle.signal(queued(40, 1), no_terminal, &mut actions);
        assert!(act(&mut lifecycle, &mut actions, now, &mut 0).is_empty());
        lifecycle.signal(sent(Signal::TERM), no_terminal, &mut actions);
        assert_eq!(act(&mut lifecycle, &mut actions, now, &mut 0), [sent(Signal::TERM)]);
    }

    #[test]
    fn the_wait_for_room_doubles_up_to_its_limit_and_starts_anew_with_room() {
        let (mut lifecycle, mut actions, mut now) = (running(), Actions::new(), Instant::now());
        for value in 0..3 {
            lifecycle.signal(queued(40, value), no_terminal, &mut actions);
            act(&mut lifecycle, &mut actions, now, &mut 0);
        }
        let mut waits = Vec::new();
        for _ in 0..9 {
            let deadline = lifecycle.deadline().unwrap();
            waits.push((deadline - now).as_millis());
            lifecycle.time_is_up(now, &mut actions);
            assert!(actions.is_empty(), "too early");
            now = deadline;
            lifecycle.time_is_up(now, &mut actions);
            act(&mut lifecycle, &mut actions, now, &mut 0);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 100, 100]);
        now = lifecycle.deadline().unwrap();
        lifecycle.time_is_up(now, &mut actions);
        assert_eq!(act(&mut lifecycle, &mut actions, now, &mut 1), [queued(40, 0)]);
        assert_eq!(lifecycle.deadline(), Some(now + RETRY_MIN));
    }

    #[test]
    fn with_many_held_the_others_stay_in_the_kernel_until_there_is_room() {
        let (mut lifecycle, mut actions, now) = (running(), Actions::new(), Instant::now());
        let mut wanted = Vec::new();
        for value in 0..HELD_ENOUGH {
            lifecycle.signal(queued(40, value), no_terminal, &mut actions);
            while let Some(action) = actions.pop_front() {
                match action {
                    Action::Pass(received, _) => lifecycle.passed(received, full(), || now, &mut actions),
                    Action::ReserveQueue => wanted.push((value, "reserve")),
                    Action::LeaveRealtime => {
                        assert!(lifecycle.leaves_realtime());
                        wanted.push((value, "leave"));
                    }
                    _ => {}
                }
            }
        }
        assert_eq!(wanted, [(0, "reserve"), (HELD_ENOUGH - 1, "leave")]);
        lifecycle.time_is_up(lifecycle.deadline().unwrap(), &mut actions);
        let mut read_again = 0;
        while let Some(action) = actions.pop_front() {
            match action {
                Action::Pass(received, _) => lifecycle.passed(received, Ok(()), || now, &mut actions),
                Action::LeaveRealtime => read_again += usize::from(!lifecycle.leaves_realtime()),
                _ => {}
            }
        }
        assert_eq!((read_again, lifecycle.deadline()), (1, None));
    }

    /// The queue of signals has one count for this process and its child. It is filled up to the limit while the first
    /// signal finds no room; only then our own limit is lower.
    #[test]
    fn a_queue_that_was_full_when_our_limit_was_lowered_leaves_the_child_room() {
        const BATCH: usize = crate::sys::signals::process::BATCH;
        let limit = 4 * BATCH;
        let (mut lifecycle, mut actions, now) = (running(), Actions::new(), Instant::now());
        let mut pending = limit;
        let mut value = 0;
        while !lifecycle.leaves_realtime() {
            pending -= BATCH;
            if value == 0 {
                // Before the first of the batch is passed on, senders have filled the room it made.
                pending = limit;
            }
            for _ in 0..BATCH {
                lifecycle.signal(queued(40, value), no_terminal, &mut actions);
                value += 1;
                assert!(act(&mut lifecycle, &mut actions, now, &mut 0).is_empty());
            }
        }
        assert!(pending < limit, "nobody makes room any more, and the child has none");
    }

    /// Whatever comes in whatever order, with a child that has room now and then: each signal is passed on once, the
    /// queued ones of a number in their order.
    #[test]
    fn at_random_nothing_is_lost_doubled_or_out_of_order() {
        let mut numbers = Random::new(1);
        let mut random = |below: u64| numbers.below(below);
        for _ in 0..200 {
            let (mut lifecycle, mut actions, mut now) = (running(), Actions::new(), Instant::now());
            let (mut came, mut passed, mut room) = (Vec::new(), Vec::new(), 5);
            for value in 0..500 {
                let received = queued([15, 36, 37, 64][random(4) as usize], value);
                came.push(received);
                lifecycle.signal(received, no_terminal, &mut actions);
                passed.extend(act(&mut lifecycle, &mut actions, now, &mut room));
                if random(10) == 0 {
                    room += random(20) as usize;
                }
                if random(20) == 0 {
                    now = lifecycle.deadline().unwrap_or(now);
                    lifecycle.time_is_up(now, &mut actions);
                    passed.extend(act(&mut lifecycle, &mut actions, now, &mut room));
                }
            }
            while let Some(deadline) = lifecycle.deadline() {
                room += 1;
                lifecycle.time_is_up(deadline, &mut actions);
                passed.extend(act(&mut lifecycle, &mut actions, deadline, &mut room));
            }
            for number in [15, 36, 37, 64] {
                let of = |all: &[Received]| {
                    all.iter().filter(|one| one.signal.number() == number).copied().collect::<Vec<_>>()
                };
                assert_eq!(of(&passed), of(&came));
            }
        }
    }

    fn at_terminal(standing: Standing) -> Lifecycle {
        let job = JobControl::new(standing, Foreground::Own);
        started(Group::Own(Some(job)), None)
    }

    fn from_kernel(signal: Signal) -> Received {
        Received { signal, origin: Origin::Kernel }
    }

    /// To whom it is passed on, if to anybody.
    fn passed_to(lifecycle: &mut Lifecycle, received: Received) -> Option<To> {
        let mut actions = Actions::new();
        lifecycle.signal(received, || Foreground::Own, &mut actions);
        actions.into_iter().find_map(|action| if let Action::Pass(_, to) = action { Some(to) } else { None })
    }

    #[test]
    fn the_terminals_signals_go_to_the_childs_group_and_those_of_kill_to_the_child() {
        let leader = Standing { session_leader: true, ..JOB };
        for signal in Signal::all() {
            let terminals = [Signal::INT, Signal::QUIT, Signal::TSTP, Signal::TTIN, Signal::TTOU, Signal::WINCH];
            let group = terminals.contains(&signal) || signal == Signal::CONT;
            let is_own = signal == Signal::XCPU;
            let to = |group| Some(if group { To::Group } else { To::Child });
            let kernels = to(group || signal == Signal::HUP).filter(|_| !is_own);
            assert_eq!(passed_to(&mut at_terminal(JOB), from_kernel(signal)), kernels, "{signal}");
            // The hang-up is for the leader of the session alone.
            assert_eq!(passed_to(&mut at_terminal(leader), from_kernel(signal)), to(group).filter(|_| !is_own));
            assert_eq!(passed_to(&mut at_terminal(JOB), sent(signal)), to(signal == Signal::CONT), "{signal}");
            // Without a terminal, none is from one.
            let mut lifecycle = started(Group::Own(None), None);
            assert_eq!(passed_to(&mut lifecycle, sent(signal)), to(false));
        }
    }

    fn end(lifecycle: &mut Lifecycle, status: ExitStatus) -> Option<Signal> {
        let mut actions = Actions::new();
        lifecycle.ended(status, || Foreground::Own, &mut actions);
        match actions.pop_back() {
            Some(Action::Finish(end)) => end.die_of,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_the_terminal_sent_too_late_for_a_doomed_child_counts_all_the_same() {
        let script = Standing { group_leader: false, ..JOB };
        let mut lifecycle = at_terminal(script);
        let mut actions = Actions::new();
        lifecycle.signal(from_kernel(Signal::INT), || Foreground::Own, &mut actions);
        assert!(actions.iter().any(|action| matches!(action, Action::SeeFate(Signal::INT))));
        lifecycle.doomed(Signal::INT);
        assert_eq!(end(&mut lifecycle, ExitStatus::Exited(0)), Some(Signal::INT));
        // One that catches it meanwhile, or lives through it, ends as it ends.
        let mut lifecycle = at_terminal(script);
        lifecycle.doomed(Signal::INT);
        lifecycle.spared();
        assert_eq!(end(&mut lifecycle, ExitStatus::Exited(0)), None);
        let mut lifecycle = at_terminal(script);
        lifecycle.signal(from_kernel(Signal::INT), || Foreground::Own, &mut actions);
        assert_eq!(end(&mut lifecycle, ExitStatus::Exited(0)), None);
    }

    #[test]
    fn die_as_the_child_died_where_it_is_looked_at() {
        let killed = |signal| ExitStatus::Signaled { signal, core_dumped: false };
        assert_eq!(end(&mut at_terminal(JOB), killed(Signal::TERM)), Some(Signal::TERM));
        let script = Standing { group_leader: false, ..JOB };
        assert_eq!(end(&mut at_terminal(script), killed(Signal::TERM)), None);
        let leader = Standing { session_leader: true, ..JOB };
        assert_eq!(end(&mut at_terminal(leader), killed(Signal::TERM)), None);
        assert_eq!(end(&mut running(), killed(Signal::TERM)), None);
    }
}
