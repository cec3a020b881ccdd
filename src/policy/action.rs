//! What the decisions about a child ask for: actions, in the order in which they are to be done.
//!
//! Where an action has a result that matters, the loop answers with a method of `Lifecycle` (child).

use super::stop::Asks;
use crate::model::death::{KilledBy, StopRequest};
use crate::model::origin::Received;
use crate::model::signal::Signal;
use crate::model::status::ExitStatus;
use std::collections::VecDeque;
use std::io;
use std::time::Duration;

/// One thing to be done.
#[derive(Debug)]
pub(crate) enum Action {
    /// With the child that runs; without one there is nothing to do.
    Child(ChildAction),
    /// With this process, or with the run as a whole.
    Loop(LoopAction),
}

/// What is done with the child that runs.
#[derive(Debug)]
pub(crate) enum ChildAction {
    /// Tell this.
    Tell(Tell),
    /// If this signal takes its default action in the child, answer with `Lifecycle::will_die_of`.
    CheckDefaultAction(Signal),
    /// The signal was passed on since: if it no longer takes its default action, answer with `Lifecycle::not_fatal`.
    CheckDefaultActionAgain(Signal),
    /// Pass it on, and answer with the result: `Lifecycle::passed`. If it isn't to be passed on, or not yet, with
    /// `Lifecycle::not_passed`.
    Pass(Received, To),
    /// All that was undecided has been passed on again, or not: answer with the time (`Undecided::has_looked`).
    HasLooked,
    /// Tell the handlers that it is passed on after this delay, and answer with the time: `Lifecycle::delayed`.
    Delay(Delayed, Duration),
    /// Make the child's group the terminal's foreground group. If that fails, answer with
    /// `Lifecycle::not_handed_over`.
    HandOver {
        /// The signal that stopped the child because it used the terminal from the background.
        asked: Option<Signal>,
    },
    /// Make this process's group the terminal's foreground group.
    TakeBack,
    /// Remember the terminal's modes.
    SaveModes,
    /// Set the terminal's modes that were remembered.
    RestoreModes,
    /// Continue the child's group.
    Continue,
    /// Stop this process by this signal. If it didn't stop, answer with
    /// `Lifecycle::not_stopped`.
    StopSelf {
        signal: Signal,
        /// The other processes of this process's group, too.
        whole_group: bool,
    },
    /// Send this signal, which comes from this process itself, to the child's group.
    SignalGroup(Signal),
}

/// What is told of the child that runs: to the handlers, but for the last.
#[derive(Debug)]
pub(crate) enum Tell {
    /// This signal came.
    Received(Received),
    /// It was passed on.
    Passed(Received, To),
    /// It isn't passed on.
    Dropped(Received),
    /// It couldn't be passed on.
    NotPassed(Received, io::Error),
    /// The child stopped by this signal.
    Stopped(Signal),
    /// The child was continued.
    Continued,
    /// The child hasn't ended within this time of the stop, and is killed. That is logged.
    TimedOut(Duration),
}

/// What is done with this process, or with the run as a whole.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LoopAction {
    /// Let this signal, which isn't listened to, have the effect on this process that it has by its disposition.
    TakeEffect(Signal),
    /// The queue of pending signals is full: reserve places in it for the child.
    ReserveQueue,
    /// Read real-time signals, or leave them in the kernel's queue, as
    /// `Lifecycle::leaves_realtime` says.
    LeaveRealtime,
    /// Stop this process by this signal, which the terminal has sent to the child, too.
    StopWithChild(Signal),
    /// Send this signal to the others of this process's group.
    SignalOwnGroup(Signal),
    /// The child isn't to be started again. To be answered with the time:
    /// `Lifecycle::stop_asked`.
    StopAsked {
        asks: Asks,
        /// It is no stop if this signal, which is passed on as it came, was ignored when this process was started.
        unless_ignored: Option<Signal>,
        /// How much later the stop is passed on to the child.
        after: Duration,
    },
    /// The child has ended.
    Ended(End),
}

/// To whom a signal is passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To {
    Child,
    /// The process group it leads.
    Group,
}

/// A signal that is passed on later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Delayed {
    pub(crate) came: Received,
    /// What is sent: the same, or another one by a rewrite.
    pub(crate) sent: Received,
    pub(crate) to: To,
    /// It asks the child to stop.
    pub(crate) is_stop: bool,
}

/// How the child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) status: ExitStatus,
    /// A stop came, and the child ended with 0, by the signal that was sent, or with 128 and its number; or the same with a
    /// QUIT that was passed on. Never if this process sent it KILL.
    pub(crate) requested: bool,
    /// A stop came while it ran.
    pub(crate) stop_requested: bool,
    /// What asked it to stop; or to quit, if it did.
    pub(crate) request: Option<StopRequest>,
    /// Why this process sent it KILL, if it died of that.
    pub(crate) killed_by: Option<KilledBy>,
    /// Memory ran out, and it was killed for that; the loop finds that out.
    pub(crate) oom: bool,
    /// This process should die of this signal, as the child did: only then a shell ends its loop on ^C, and restores the
    /// terminal's modes.
    pub(crate) die_of: Option<Signal>,
}

impl End {
    /// Whether it was killed at the end of the grace period.
    pub(crate) fn has_timed_out(&self) -> bool {
        matches!(self.killed_by, Some(KilledBy::KillAfter(_)))
    }
}

/// The actions that are still to be done.
#[derive(Debug, Default)]
pub(crate) struct Actions(VecDeque<Action>);

impl Actions {
    pub(crate) fn new() -> Actions {
        Actions::default()
    }

    pub(crate) fn push(&mut self, action: impl Into<Action>) {
        self.0.push_back(action.into());
    }

    /// Takes the first.
    pub(crate) fn take_next(&mut self) -> Option<Action> {
        self.0.pop_front()
    }

    /// Forgets what would reach the child, which has ended; what is only told of it stays.
    pub(crate) fn child_ended(&mut self) {
        self.0.retain(|action| match action {
            Action::Child(action) => !action.reaches_child(),
            Action::Loop(_) => true,
        });
    }

    /// The child is not to be continued after all.
    pub(crate) fn forget_continue(&mut self) {
        self.0.retain(|action| !matches!(action, Action::Child(ChildAction::Continue)));
    }
}

impl ChildAction {
    fn reaches_child(&self) -> bool {
        matches!(
            self,
            ChildAction::Pass(..)
                | ChildAction::HasLooked
                | ChildAction::Delay(..)
                | ChildAction::HandOver { .. }
                | ChildAction::Continue
                | ChildAction::SignalGroup(_)
                | ChildAction::Tell(Tell::TimedOut(_))
        )
    }
}

impl From<ChildAction> for Action {
    fn from(action: ChildAction) -> Action {
        Action::Child(action)
    }
}

impl From<LoopAction> for Action {
    fn from(action: LoopAction) -> Action {
        Action::Loop(action)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Tests look at the queue in every way.
    impl std::ops::Deref for Actions {
        type Target = VecDeque<Action>;

        fn deref(&self) -> &VecDeque<Action> {
            &self.0
        }
    }

    impl std::ops::DerefMut for Actions {
        fn deref_mut(&mut self) -> &mut VecDeque<Action> {
            &mut self.0
        }
    }

    impl IntoIterator for Actions {
        type Item = Action;
        type IntoIter = std::collections::vec_deque::IntoIter<Action>;

        fn into_iter(self) -> Self::IntoIter {
            self.0.into_iter()
        }
    }

    #[test]
    fn after_the_end_of_the_child_only_what_is_told_of_it_is_left() {
        let received = Received::of(Signal::TERM, crate::model::origin::Origin::Kernel);
        let mut actions = Actions::new();
        actions.push(ChildAction::Pass(received, To::Child));
        actions.push(ChildAction::Tell(Tell::Passed(received, To::Child)));
        actions.push(ChildAction::Continue);
        actions.push(LoopAction::LeaveRealtime);
        actions.push(ChildAction::SignalGroup(Signal::KILL));
        actions.push(ChildAction::TakeBack);
        actions.child_ended();
        assert!(matches!(actions.take_next(), Some(Action::Child(ChildAction::Tell(Tell::Passed(..))))));
        assert!(matches!(actions.take_next(), Some(Action::Loop(LoopAction::LeaveRealtime))));
        assert!(matches!(actions.take_next(), Some(Action::Child(ChildAction::TakeBack))));
        assert!(actions.take_next().is_none());
    }
}
