//! Job control: who holds the terminal, and when this process stops beside its child. Decisions only.
//!
//! The child is in a process group of its own. What happens when it stops, by the signal that stopped it, depends on
//! which process group is the terminal's foreground group:
//!
//! | foreground group | TTIN, TTOU: it asks for the terminal | TSTP | STOP |
//! |---|---|---|---|
//! | this process's | hand over, continue | stop | stop |
//! | the child's | take back, stop | take back, stop the whole group | take back, stop |
//! | another | stop | stop | stop |
//! | (a session leader) | hand over, continue | continue | continue, if it has had the terminal |
//!
//! Continued, this process hands over again if it is in the foreground and the child wants the terminal, and continues
//! the child.

use super::{Action, Actions, To};
use crate::sys::signals::Received;
use crate::{ExitStatus, Origin, Signal};

/// Which process group is the terminal's foreground group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Foreground {
    /// That of this process.
    Own,
    /// That of the child.
    Child,
    /// Another one, or nobody can tell: the terminal has hung up.
    Other,
}

/// What this process is to its terminal, as long as it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// It leads its session, or is PID 1: nobody could continue it if it stopped, and the kernel wouldn't let a terminal
    /// stop it.
    pub(crate) session_leader: bool,
    /// It leads its process group: it is a job of a shell, or the first process of one.
    pub(crate) group_leader: bool,
    /// Its stdin and its stdout are both that terminal.
    pub(crate) streams: bool,
}

/// The terminal between this process and its child.
#[derive(Debug)]
pub(crate) struct JobControl {
    standing: Standing,
    /// The child is handed the terminal whenever this process has it to give.
    wants: bool,
    /// It has been handed over, and not taken back.
    handed: bool,
}

impl JobControl {
    /// The terminal is handed over at once where nobody but the child can want it: by the leader of a session, and by
    /// a job that is one process with the terminal on both ends. In a pipeline the others need it too, and a script
    /// must hear its ^C: there the child is handed it when it asks.
    pub(crate) fn new(standing: Standing, foreground: Foreground) -> JobControl {
        let wants = standing.session_leader || standing.group_leader && standing.streams;
        JobControl { standing, wants, handed: wants && foreground == Foreground::Own }
    }

    /// Whether the child has the terminal from its start on.
    pub(crate) fn hands_over_at_start(&self) -> bool {
        self.handed
    }

    /// A signal came: to whom is it to be passed on?
    pub(super) fn signal(
        &mut self,
        received: Received,
        foreground: impl FnOnce() -> Foreground,
        actions: &mut Actions,
    ) -> To {
        if received.signal == Signal::CONT {
            self.continued(foreground(), actions);
            return To::Group;
        }
        // What the kernel sent came to all of this process's group; but for the hang-up of a session's leader.
        let to_group = is_from_terminal(received.signal)
            || received.signal == Signal::HUP && !self.standing.session_leader;
        if received.origin == Origin::Kernel && to_group { To::Group } else { To::Child }
    }

    /// The child stopped.
    pub(super) fn stopped(&mut self, signal: Signal, foreground: Foreground, actions: &mut Actions) {
        let asks = asks_for_terminal(signal);
        self.wants |= asks;
        self.handed |= foreground == Foreground::Child;
        if self.standing.session_leader {
            if asks && foreground != Foreground::Child {
                self.hand_over(Some(signal), actions);
            }
            if self.handed || signal != Signal::STOP {
                actions.push_back(Action::Continue);
            }
        } else if asks && foreground == Foreground::Own {
            self.hand_over(Some(signal), actions);
            actions.push_back(Action::Continue);
        } else {
            self.stop(signal, actions);
        }
    }

    /// The terminal couldn't be handed over to a child that stopped by this signal for want of it.
    pub(super) fn not_handed_over(&mut self, asked: Option<Signal>, actions: &mut Actions) {
        self.handed = false;
        if let Some(signal) = asked {
            // Continued without it, the child would ask again at once, and so on for ever.
            actions.retain(|action| !matches!(action, Action::Continue));
            if !self.standing.session_leader {
                self.stop(signal, actions);
            }
        }
    }

    /// This process didn't stop by the signal that stopped the child: its process group is an orphaned one, for which
    /// the kernel ignores these signals. Without this process, the child would have been in that group.
    pub(super) fn not_stopped(&mut self, signal: Signal, foreground: Foreground, actions: &mut Actions) {
        // One that asks for a terminal it can't have stays stopped: it would ask for ever.
        if !asks_for_terminal(signal) || foreground == Foreground::Own {
            self.continued(foreground, actions);
            actions.push_back(Action::Continue);
        }
    }

    /// This process was continued. That the child is continued too is another's to say: it was sent a signal.
    pub(super) fn continued(&mut self, foreground: Foreground, actions: &mut Actions) {
        // While this process was stopped, the shell may have taken the terminal.
        self.handed = foreground == Foreground::Child;
        if foreground == Foreground::Own {
            actions.push_back(Action::SaveModes);
            if self.wants {
                self.hand_over(None, actions);
            }
        }
    }

    /// The child ended. Whether whoever waits for this process expects it to die of the child's signal.
    pub(super) fn ended(
        &mut self,
        status: ExitStatus,
        by_terminal: bool,
        foreground: Foreground,
        actions: &mut Actions,
    ) -> bool {
        self.handed |= foreground == Foreground::Child;
        let ExitStatus::Signaled { signal, .. } = status else {
            self.take_back(actions);
            return false;
        };
        let mut told = by_terminal;
        if self.take_back(actions) {
            actions.push_back(Action::RestoreModes);
            // The terminal sent it to the child's group alone; the others of this job would have had it too.
            if matches!(signal, Signal::INT | Signal::QUIT) {
                actions.push_back(Action::SignalOwnGroup(signal));
                told = true;
            }
        }
        !self.standing.session_leader && (self.standing.group_leader || told)
    }

    fn hand_over(&mut self, asked: Option<Signal>, actions: &mut Actions) {
        self.handed = true;
        actions.push_back(Action::HandOver { asked });
    }

    fn take_back(&mut self, actions: &mut Actions) -> bool {
        let handed = std::mem::take(&mut self.handed);
        if handed {
            actions.push_back(Action::TakeBack);
        }
        handed
    }

    fn stop(&mut self, signal: Signal, actions: &mut Actions) {
        // ^Z went to the child's group alone; the others of this job would have had it too.
        let whole_group = self.take_back(actions) && signal == Signal::TSTP;
        actions.push_back(Action::StopSelf { signal, whole_group });
    }
}

/// Whether the kernel sends this to the foreground group on behalf of a terminal, or to a group in the background.
pub(super) fn is_from_terminal(signal: Signal) -> bool {
    matches!(signal, Signal::INT | Signal::QUIT | Signal::TSTP | Signal::TTIN | Signal::TTOU | Signal::WINCH)
}

/// Whether the kernel stops a process by this signal for using the terminal from the background.
fn asks_for_terminal(signal: Signal) -> bool {
    matches!(signal, Signal::TTIN | Signal::TTOU)
}
