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

use crate::model::origin::Origin;
use crate::model::origin::Received;
use crate::model::signal::Signal;
use crate::model::standing::{Foreground, Standing};
use crate::model::status::ExitStatus;
use crate::policy::child::{Action, Actions, To};
use crate::policy::stop::Asks;
use std::time::Duration;

/// The terminal between this process and its child.
#[derive(Debug)]
pub(crate) struct JobControl {
    standing: Standing,
    /// The child is handed the terminal whenever this process has it to give.
    wants: bool,
    /// It has been handed over, and not taken back.
    handed: bool,
    child_is_stopped: bool,
}

impl JobControl {
    /// The terminal is handed over at once where nobody but the child can want it: by the leader of a session, and by
    /// a job that is one process with the terminal on both ends. In a pipeline the others need it too, and a script
    /// must hear its ^C, and so must who would start the child again: there the child is handed it when it asks.
    pub(crate) fn new(standing: Standing, foreground: Foreground) -> JobControl {
        let alone = standing.session_leader || standing.group_leader && standing.streams;
        let wants = alone && !standing.restarts;
        JobControl { standing, wants, handed: wants && foreground == Foreground::Own, child_is_stopped: false }
    }

    /// Whether the child has the terminal from its start on.
    pub(crate) fn hands_over_at_start(&self) -> bool {
        self.handed
    }

    /// A signal came: to whom is it to be passed on, if to anybody?
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
            // Another process of this job wants the terminal, which the child has. The child may ask again.
            self.wants = false;
            self.take_back(false, actions);
            actions.push_back(Action::SignalOwnGroup(Signal::CONT));
            None
        } else {
            Some(if by_kernel && is_from_terminal(signal) { To::Group } else { To::Child })
        }
    }

    /// Whether a HUP or a TERM is to end the whole job, and so is for the child's group. From kill, HUP may tell one process
    /// to read its files again, and TERM one to end the others in order.
    fn ends_all(&self, received: Received, foreground: impl FnOnce() -> Foreground) -> bool {
        let hang_up = received.signal == Signal::HUP;
        match received.origin {
            // The kernel's is for the leader of a session alone, or for a group.
            Origin::Kernel => hang_up && !self.standing.session_leader,
            // A shell that loses its terminal sends HUP to its jobs; one that ends, HUP or TERM to those that are stopped.
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
    pub(crate) fn not_handed_over(&mut self, asked: Option<Signal>, actions: &mut Actions) {
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
    pub(crate) fn not_stopped(&mut self, signal: Signal, foreground: Foreground, actions: &mut Actions) {
        // One that asks for a terminal it can't have stays stopped: it would ask for ever.
        if !asks_for_terminal(signal) {
            self.continued(foreground, actions);
            actions.push_back(Action::Continue);
        }
    }

    /// This process was continued. That the child is continued too is another's to say: it was sent a signal.
    pub(crate) fn continued(&mut self, foreground: Foreground, actions: &mut Actions) {
        self.child_is_stopped = false;
        // While this process was stopped, the shell may have taken the terminal.
        self.handed = foreground == Foreground::Child;
        if foreground == Foreground::Own {
            if self.wants {
                self.hand_over(None, actions);
            } else {
                actions.push_back(Action::SaveModes);
            }
        }
    }

    /// The child ended. Whether whoever waits for this process expects it to die of the child's signal.
    pub(crate) fn ended(
        &mut self,
        status: ExitStatus,
        by_terminal: bool,
        foreground: Foreground,
        actions: &mut Actions,
    ) -> bool {
        self.handed |= foreground == Foreground::Child;
        if self.handed && is_interrupted(status) {
            // The terminal told the child's group alone.
            actions.push_back(Action::StopAsked { asks: Asks::SameStop, unless_ignored: None, after: Duration::ZERO });
        }
        let ExitStatus::Signaled { signal, .. } = status else {
            self.take_back(true, actions);
            return false;
        };
        let mut told = by_terminal;
        if self.take_back(true, actions) {
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
        self.wants = true;
        self.child_is_stopped = false;
        actions.push_back(Action::SaveModes);
        actions.push_back(Action::HandOver { asked });
    }

    fn take_back(&mut self, ending: bool, actions: &mut Actions) -> bool {
        let handed = std::mem::take(&mut self.handed);
        // The leader of a session leaves it where it is: when it ends, the kernel hangs up on the foreground group, which
        // without this process would have been the child's.
        let leaves = ending && self.standing.session_leader && self.standing.ends_with_child && !self.standing.restarts;
        if handed && !leaves {
            actions.push_back(Action::TakeBack);
        }
        handed
    }

    fn stop(&mut self, signal: Signal, actions: &mut Actions) {
        // ^Z went to the child's group alone; the others of this job would have had it too.
        let whole_group = self.take_back(false, actions) && signal == Signal::TSTP;
        actions.push_back(Action::StopSelf { signal, whole_group });
    }
}

/// Whether a process that ends so was interrupted, or ended because it was.
fn is_interrupted(status: ExitStatus) -> bool {
    let code = status.code().get();
    [Signal::INT, Signal::QUIT].into_iter().any(|signal| i32::from(code) == 128 + signal.number())
}

/// Whether the kernel sends this to the foreground group on behalf of a terminal, or to a group in the background.
pub(crate) fn is_from_terminal(signal: Signal) -> bool {
    matches!(signal, Signal::INT | Signal::QUIT | Signal::TSTP | Signal::TTIN | Signal::TTOU | Signal::WINCH)
}

/// Whether the kernel stops a process by this signal for using the terminal from the background.
fn asks_for_terminal(signal: Signal) -> bool {
    matches!(signal, Signal::TTIN | Signal::TTOU)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::pid::Pid;
    use crate::model::test_random::Random;
    use Foreground::{Child, HungUp, Other, Own};

    pub(crate) const JOB: Standing = Standing {
        session_leader: false,
        group_leader: true,
        streams: true,
        session: Pid::new(5),
        ends_with_child: true,
        restarts: false,
    };
    const PIPELINE: Standing = Standing { streams: false, ..JOB };
    const SCRIPT: Standing = Standing { group_leader: false, ..JOB };
    const LEADER: Standing = Standing { session_leader: true, ..JOB };

    /// What is wanted, as short words.
    fn words(actions: &mut Actions) -> String {
        let word = |action: Action| match action {
            Action::HandOver { .. } => "hand".to_owned(),
            Action::TakeBack => "take".to_owned(),
            Action::SaveModes => "save".to_owned(),
            Action::RestoreModes => "restore".to_owned(),
            Action::Continue => "continue".to_owned(),
            Action::StopSelf { signal, whole_group: false } => format!("stop {signal}"),
            Action::StopSelf { signal, whole_group: true } => format!("stop all {signal}"),
            Action::SignalOwnGroup(signal) => format!("signal {signal}"),
            Action::StopAsked { .. } => "asked".to_owned(),
            other => format!("{other:?}"),
        };
        actions.drain(..).map(word).collect::<Vec<_>>().join(", ")
    }

    fn stopped(standing: Standing, signal: Signal, foreground: Foreground) -> String {
        let mut actions = Actions::new();
        // Started in the foreground, unless another group is there now.
        let at_start = if foreground == Other { Other } else { Own };
        JobControl::new(standing, at_start).stopped(signal, foreground, &mut actions);
        words(&mut actions)
    }

    #[test]
    fn the_terminal_is_handed_over_at_once_where_nobody_else_needs_it() {
        for (standing, foreground, at_once) in [
            (JOB, Own, true),
            (JOB, Other, false),
            (PIPELINE, Own, false),
            (SCRIPT, Own, false),
            (LEADER, Own, true),
            (LEADER, Other, false),
            (Standing { streams: false, ..LEADER }, Own, true),
            (Standing { restarts: true, ..JOB }, Own, false),
            (Standing { restarts: true, ..LEADER }, Own, false),
        ] {
            let job = JobControl::new(standing, foreground);
            assert_eq!(job.hands_over_at_start(), at_once, "{standing:?} {foreground:?}");
        }
    }

    #[test]
    fn a_stop_by_signal_and_foreground_group() {
        for (standing, signal, foreground, expected) in [
            (JOB, Signal::TSTP, Child, "take, stop all SIGTSTP"),
            (JOB, Signal::STOP, Child, "take, stop SIGSTOP"),
            (JOB, Signal::TTIN, Child, "take, stop SIGTTIN"),
            (JOB, Signal::TTIN, Other, "stop SIGTTIN"),
            (JOB, Signal::TTOU, Other, "stop SIGTTOU"),
            (JOB, Signal::TSTP, Other, "stop SIGTSTP"),
            (PIPELINE, Signal::TTIN, Own, "save, hand, continue"),
            (PIPELINE, Signal::TTOU, Own, "save, hand, continue"),
            (PIPELINE, Signal::TSTP, Own, "stop SIGTSTP"),
            (PIPELINE, Signal::STOP, Own, "stop SIGSTOP"),
            (SCRIPT, Signal::TTIN, Own, "save, hand, continue"),
            (LEADER, Signal::TSTP, Child, "continue"),
            (LEADER, Signal::STOP, Child, "continue"),
            (LEADER, Signal::TTIN, Child, "continue"),
            (LEADER, Signal::TTIN, Own, "save, hand, continue"),
            (LEADER, Signal::TTOU, Other, "save, hand, continue"),
            (LEADER, Signal::TSTP, Other, "continue"),
            (LEADER, Signal::STOP, Other, ""),
        ] {
            assert_eq!(stopped(standing, signal, foreground), expected, "{standing:?} {signal} {foreground:?}");
        }
    }

    #[test]
    fn a_terminal_that_cannot_be_handed_over_stops_the_job_instead_of_asking_for_ever() {
        let mut actions = Actions::new();
        let mut job = JobControl::new(PIPELINE, Own);
        job.stopped(Signal::TTIN, Own, &mut actions);
        assert!(matches!(actions.pop_front(), Some(Action::SaveModes)));
        assert!(matches!(actions.pop_front(), Some(Action::HandOver { asked: Some(Signal::TTIN) })));
        job.not_handed_over(Some(Signal::TTIN), &mut actions);
        assert_eq!(words(&mut actions), "stop SIGTTIN");
    }

    #[test]
    fn a_process_that_could_not_stop_continues_its_child_unless_that_would_ask_again() {
        for (signal, foreground, expected) in [
            (Signal::TSTP, Other, "continue"),
            (Signal::TSTP, Own, "save, hand, continue"),
            (Signal::TTIN, Other, ""),
            (Signal::TTIN, Own, ""),
        ] {
            let mut actions = Actions::new();
            JobControl::new(JOB, Other).not_stopped(signal, foreground, &mut actions);
            assert_eq!(words(&mut actions), expected, "{signal} {foreground:?}");
        }
    }

    #[test]
    fn continued_in_the_foreground_the_child_has_the_terminal_again_if_it_wants_it() {
        let continued = |standing, asked: bool, foreground| {
            let (mut job, mut actions) = (JobControl::new(standing, Own), Actions::new());
            if asked {
                job.stopped(Signal::TTIN, Own, &mut actions);
            }
            job.stopped(Signal::TSTP, Child, &mut actions);
            actions.clear();
            job.continued(foreground, &mut actions);
            words(&mut actions)
        };
        assert_eq!(continued(JOB, false, Own), "save, hand");
        assert_eq!(continued(JOB, true, Other), "");
        assert_eq!(continued(PIPELINE, false, Own), "save");
        assert_eq!(continued(PIPELINE, true, Own), "save, hand");
    }

    #[test]
    fn at_the_end_the_terminal_is_taken_back_and_the_signal_told() {
        let ended = |standing, signal: Option<Signal>, by_terminal, foreground| {
            let mut actions = Actions::new();
            let status =
                signal.map_or(ExitStatus::Exited(0), |signal| ExitStatus::Signaled { signal, core_dumped: false });
            let at_start = if foreground == Other { Other } else { Own };
            let alike = JobControl::new(standing, at_start).ended(status, by_terminal, foreground, &mut actions);
            (words(&mut actions), alike)
        };
        let told = |words: &str, alike| (words.to_owned(), alike);
        assert_eq!(ended(JOB, None, false, Child), told("take", false));
        assert_eq!(ended(JOB, Some(Signal::TERM), false, Child), told("take, restore", true));
        assert_eq!(ended(JOB, Some(Signal::INT), false, Child), told("asked, take, restore, signal SIGINT", true));
        assert_eq!(ended(JOB, Some(Signal::KILL), false, Other), told("", true));
        assert_eq!(ended(PIPELINE, Some(Signal::INT), true, Own), told("", true));
        assert_eq!(ended(SCRIPT, Some(Signal::TERM), false, Own), told("", false));
        assert_eq!(ended(SCRIPT, Some(Signal::INT), true, Own), told("", true));
        assert_eq!(ended(LEADER, Some(Signal::INT), true, Child), told("asked, restore, signal SIGINT", false));
        let library = Standing { ends_with_child: false, ..LEADER };
        assert_eq!(ended(library, None, false, Child), told("take", false));
    }

    fn came(signal: Signal, origin: Origin) -> Received {
        Received { signal, origin }
    }

    #[test]
    fn another_of_the_job_that_asks_for_the_terminal_is_given_it() {
        let mut actions = Actions::new();
        let mut job = JobControl::new(PIPELINE, Own);
        job.stopped(Signal::TTIN, Own, &mut actions);
        actions.clear();
        assert_eq!(job.signal(came(Signal::TTIN, Origin::Kernel), || Child, &mut actions), None);
        assert_eq!(words(&mut actions), "take, signal SIGCONT");
        job.continued(Own, &mut actions);
        assert_eq!(words(&mut actions), "save", "the child has it no more, until it asks");
        // In the background they all stop.
        assert_eq!(job.signal(came(Signal::TTIN, Origin::Kernel), || Other, &mut actions), Some(To::Group));
        job.stopped(Signal::TTIN, Other, &mut actions);
        actions.clear();
        job.continued(Own, &mut actions);
        assert_eq!(words(&mut actions), "save", "it wasn't the child that asked");
    }

    #[test]
    fn a_hang_up_is_for_the_whole_job() {
        let by = |pid| came(Signal::HUP, Origin::Process { pid: Pid::new(pid), uid: 0 });
        for (standing, received, stopped, foreground, expected) in [
            (JOB, came(Signal::HUP, Origin::Kernel), false, Own, To::Group),
            (LEADER, came(Signal::HUP, Origin::Kernel), false, HungUp, To::Child),
            (JOB, by(5), false, HungUp, To::Group),
            (JOB, by(5), true, Other, To::Group),
            (JOB, by(5), false, Own, To::Child),
            (JOB, by(6), true, Other, To::Child),
            (JOB, Received { signal: Signal::TERM, ..by(5) }, true, Other, To::Group),
            (JOB, Received { signal: Signal::TERM, ..by(5) }, false, HungUp, To::Child),
        ] {
            let (mut job, mut actions) = (JobControl::new(standing, Other), Actions::new());
            if stopped {
                job.stopped(Signal::TSTP, Other, &mut actions);
            }
            let to = job.signal(received, || foreground, &mut actions);
            assert_eq!(to, Some(expected), "{standing:?} {received:?} {stopped} {foreground:?}");
        }
    }

    /// Whatever happens in whichever order: what was handed over is taken back, a leader never stops, and no child is
    /// left stopped beside a process that goes on.
    #[test]
    fn no_sequence_freezes_the_job_or_keeps_the_terminal() {
        let mut random = Random::new(1);
        let mut below = |limit: u64| random.below(limit);
        for _ in 0..20_000 {
            let standing =
                Standing { session_leader: below(2) == 0, group_leader: below(2) == 0, streams: below(2) == 0, ..JOB };
            let mut foreground = if below(2) == 0 { Own } else { Other };
            let mut job = JobControl::new(standing, foreground);
            if job.hands_over_at_start() {
                foreground = Child;
            }
            for _ in 0..below(12) {
                let mut actions = Actions::new();
                let signal = [Signal::TSTP, Signal::STOP, Signal::TTIN, Signal::TTOU][below(4) as usize];
                job.stopped(signal, foreground, &mut actions);
                let mut goes_on = false;
                let mut stops = false;
                for action in actions.drain(..) {
                    match action {
                        Action::HandOver { .. } => foreground = Child,
                        Action::TakeBack => foreground = Own,
                        Action::SaveModes => {}
                        Action::Continue => goes_on = true,
                        Action::StopSelf { .. } => stops = true,
                        other => panic!("{other:?}"),
                    }
                }
                assert!(!(goes_on && stops));
                assert!(!(stops && standing.session_leader), "a leader stops");
                assert!(!(stops && foreground == Child), "stopped with the terminal");
                assert!(goes_on || stops || standing.session_leader && signal == Signal::STOP && foreground != Child);
                if stops {
                    // The shell has the terminal, and continues the job in the foreground or not.
                    foreground = if below(2) == 0 { Own } else { Other };
                    job.continued(foreground, &mut actions);
                    if actions.iter().any(|action| matches!(action, Action::HandOver { .. })) {
                        foreground = Child;
                    }
                }
            }
            let mut actions = Actions::new();
            let before = foreground;
            job.ended(ExitStatus::Exited(0), false, foreground, &mut actions);
            if actions.iter().any(|action| matches!(action, Action::TakeBack)) {
                foreground = Own;
            }
            assert!(foreground != Child || standing.session_leader, "{standing:?} kept the terminal, {before:?}");
        }
    }
}
