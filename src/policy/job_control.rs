//! Job control: who has the terminal, and when this process stops together with its child. Decisions only.
//!
//! The child is in a process group of its own. When it stops, what happens depends on the signal that stopped it and on
//! which process group is the terminal's foreground group:
//!
//! | foreground group | TTIN, TTOU: the child asks for the terminal | TSTP | STOP |
//! |---|---|---|---|
//! | this process's | hand over, continue | stop | stop |
//! | the child's | take back, stop | take back, stop the whole group | take back, stop |
//! | another | stop | stop | stop |
//! | (this process leads the session) | hand over, continue | continue | continue, if it has had the terminal |
//!
//! When this process is continued, it continues the child. If it is in the foreground and the child wants the terminal, it
//! hands the terminal over before.

use super::action::{Actions, ChildAction, LoopAction, To};
use super::stop::Asks;
use crate::model::origin::{Origin, Received};
use crate::model::signal::Signal;
use crate::model::standing::{Foreground, Standing};
use crate::model::status::ExitStatus;
use std::time::Duration;

/// The state of the terminal between this process and its child.
#[derive(Debug)]
pub(crate) struct JobControl {
    standing: Standing,
    /// The child wants the terminal: it is handed over whenever this process is in the foreground.
    wants: bool,
    /// The terminal was handed over, and not taken back.
    handed: bool,
    child_is_stopped: bool,
}

impl JobControl {
    /// The terminal is handed over at once if only the child can want it: this process leads its session, or it is a job of
    /// one process whose stdin and stdout are the terminal. In a pipeline, the other processes need the terminal, too. A
    /// script must hear its ^C, and so must a process that starts its child again. There the child gets it when it asks.
    pub(crate) fn new(standing: Standing, foreground: Foreground) -> JobControl {
        let alone = standing.session_leader || standing.group_leader && standing.streams;
        let wants = alone && !standing.restarts;
        JobControl { standing, wants, handed: wants && foreground == Foreground::Own, child_is_stopped: false }
    }

    /// Whether the child has the terminal from its start.
    pub(crate) fn hands_over_at_start(&self) -> bool {
        self.handed
    }

    /// To whom a signal that came is passed on. `None`: to nobody.
    pub(crate) fn signal(
        &mut self,
        received: Received,
        foreground: impl FnOnce() -> Foreground,
        actions: &mut Actions,
    ) -> Option<To> {
        let signal = received.signal;
        let by_kernel = received.origin == Origin::Kernel;
        if signal == Signal::CONT {
            self.continued(foreground(), actions);
            Some(To::Group)
        } else if matches!(signal, Signal::HUP | Signal::TERM) {
            Some(if self.ends_all(received, foreground) { To::Group } else { To::Child })
        } else if asks_for_terminal(signal) && by_kernel && foreground() == Foreground::Child {
            // Another process of this job wants the terminal, which the child has: it gets it. The child can ask again.
            self.wants = false;
            self.take_back(false, actions);
            actions.push(LoopAction::SignalOwnGroup(Signal::CONT));
            None
        } else {
            Some(if by_kernel && is_from_terminal(signal) { To::Group } else { To::Child })
        }
    }

    /// Whether a HUP or a TERM is to end the whole job, and so goes to the child's group. One by kill(1) is for the child
    /// alone: HUP may tell it to read its files again, and TERM to end the other processes in order.
    fn ends_all(&self, received: Received, foreground: impl FnOnce() -> Foreground) -> bool {
        let hang_up = received.signal == Signal::HUP;
        match received.origin {
            // The kernel sends HUP to the leader of the session alone, or to a group.
            Origin::Kernel => hang_up && !self.standing.session_leader,
            // A shell that loses its terminal sends HUP to its jobs. One that ends sends HUP or TERM to the stopped jobs.
            origin => {
                hang_up && foreground() == Foreground::HungUp
                    || self.child_is_stopped && origin.sender() == Some(self.standing.session)
            }
        }
    }

    /// The child stopped.
    pub(crate) fn stopped(&mut self, signal: Signal, foreground: Foreground, actions: &mut Actions) {
        let asks = asks_for_terminal(signal);
        self.child_is_stopped = true;
        self.handed |= foreground == Foreground::Child;
        if self.standing.session_leader {
            if asks && foreground != Foreground::Child {
                self.hand_over(Some(signal), actions);
            }
            if self.handed || signal != Signal::STOP {
                actions.push(ChildAction::Continue);
            }
        } else if asks && foreground == Foreground::Own {
            self.hand_over(Some(signal), actions);
            actions.push(ChildAction::Continue);
        } else {
            self.stop(signal, actions);
        }
    }

    /// The terminal couldn't be handed over. This signal stopped the child because it used the terminal, if it did.
    pub(crate) fn not_handed_over(&mut self, asked: Option<Signal>, actions: &mut Actions) {
        self.handed = false;
        if let Some(signal) = asked {
            // If it were continued without the terminal, the child would ask again at once, for ever.
            actions.forget_continue();
            if !self.standing.session_leader {
                self.stop(signal, actions);
            }
        }
    }

    /// This process didn't stop by the signal that stopped the child: in an orphaned process group, the kernel ignores these
    /// signals. Without this process, the child would have been in that group, and wouldn't have stopped.
    pub(crate) fn not_stopped(&mut self, signal: Signal, foreground: Foreground, actions: &mut Actions) {
        // A child that asks for a terminal it can't have stays stopped: continued, it would ask for ever.
        if !asks_for_terminal(signal) {
            self.continued(foreground, actions);
            actions.push(ChildAction::Continue);
        }
    }

    /// This process was continued. The caller continues the child.
    #[cold]
    pub(crate) fn continued(&mut self, foreground: Foreground, actions: &mut Actions) {
        self.child_is_stopped = false;
        // While this process was stopped, the shell may have taken the terminal.
        self.handed = foreground == Foreground::Child;
        if foreground == Foreground::Own {
            if self.wants {
                self.hand_over(None, actions);
            } else {
                actions.push(ChildAction::SaveModes);
            }
        }
    }

    /// The child ended. Whether this process should die of the same signal, as its parent expects of a job.
    pub(crate) fn ended(
        &mut self,
        status: ExitStatus,
        by_terminal: bool,
        foreground: Foreground,
        actions: &mut Actions,
    ) -> bool {
        self.handed |= foreground == Foreground::Child;
        if self.handed && is_interrupted(status) {
            // The terminal interrupted the child's group alone: this process must not start the child again.
            actions.push(LoopAction::StopAsked { asks: Asks::SameStop, unless_ignored: None, after: Duration::ZERO });
        }
        let ExitStatus::Signaled { signal, .. } = status else {
            self.take_back(true, actions);
            return false;
        };
        let mut told = by_terminal;
        if self.take_back(true, actions) {
            actions.push(ChildAction::RestoreModes);
            // The terminal sent it to the child's group alone. Without this process, the whole job would have received it.
            if matches!(signal, Signal::INT | Signal::QUIT) {
                actions.push(LoopAction::SignalOwnGroup(signal));
                told = true;
            }
        }
        !self.standing.session_leader && (self.standing.group_leader || told)
    }

    fn hand_over(&mut self, asked: Option<Signal>, actions: &mut Actions) {
        self.handed = true;
        self.wants = true;
        self.child_is_stopped = false;
        actions.push(ChildAction::SaveModes);
        actions.push(ChildAction::HandOver { asked });
    }

    fn take_back(&mut self, ending: bool, actions: &mut Actions) -> bool {
        let handed = std::mem::take(&mut self.handed);
        // The leader of a session leaves the terminal to the child's group: when the leader ends, the kernel sends HUP to the
        // foreground group, which without this process would be the child's.
        let leaves = ending && self.standing.session_leader && self.standing.ends_with_child && !self.standing.restarts;
        if handed && !leaves {
            actions.push(ChildAction::TakeBack);
        }
        handed
    }

    fn stop(&mut self, signal: Signal, actions: &mut Actions) {
        // ^Z went to the child's group alone. Without this process, the whole job would have received it.
        let whole_group = self.take_back(false, actions) && signal == Signal::TSTP;
        actions.push(ChildAction::StopSelf { signal, whole_group });
    }
}

/// Whether this is the end of a process that was interrupted: it died of the signal, or exited with 128 and its number.
fn is_interrupted(status: ExitStatus) -> bool {
    let code = status.code().get();
    [Signal::INT, Signal::QUIT].into_iter().any(|signal| i32::from(code) == 128 + signal.number())
}

/// Whether a terminal sends this signal: to the foreground group, or to a background group that uses it.
pub(crate) fn is_from_terminal(signal: Signal) -> bool {
    matches!(signal, Signal::INT | Signal::QUIT | Signal::TSTP | Signal::TTIN | Signal::TTOU | Signal::WINCH)
}

/// Whether this signal stops a process that uses the terminal from the background.
fn asks_for_terminal(signal: Signal) -> bool {
    matches!(signal, Signal::TTIN | Signal::TTOU)
}

#[cfg(test)]
pub(crate) mod tests;
