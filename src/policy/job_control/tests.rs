use super::*;
use crate::model::pid::Pid;
use crate::model::test_random::Random;
use crate::policy::action::Action;
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
        Action::Child(ChildAction::HandOver { .. }) => "hand".to_owned(),
        Action::Child(ChildAction::TakeBack) => "take".to_owned(),
        Action::Child(ChildAction::SaveModes) => "save".to_owned(),
        Action::Child(ChildAction::RestoreModes) => "restore".to_owned(),
        Action::Child(ChildAction::Continue) => "continue".to_owned(),
        Action::Child(ChildAction::StopSelf { signal, whole_group: false }) => format!("stop {signal}"),
        Action::Child(ChildAction::StopSelf { signal, whole_group: true }) => format!("stop all {signal}"),
        Action::Loop(LoopAction::SignalOwnGroup(signal)) => format!("signal {signal}"),
        Action::Loop(LoopAction::StopAsked { .. }) => "asked".to_owned(),
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
    assert!(matches!(actions.pop_front(), Some(Action::Child(ChildAction::SaveModes))));
    assert!(matches!(actions.pop_front(), Some(Action::Child(ChildAction::HandOver { asked: Some(Signal::TTIN) }))));
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
        let status = signal.map_or(ExitStatus::Exited(0), |signal| ExitStatus::Signaled { signal, core_dumped: false });
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
    Received::of(signal, origin)
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
                    Action::Child(ChildAction::HandOver { .. }) => foreground = Child,
                    Action::Child(ChildAction::TakeBack) => foreground = Own,
                    Action::Child(ChildAction::SaveModes) => {}
                    Action::Child(ChildAction::Continue) => goes_on = true,
                    Action::Child(ChildAction::StopSelf { .. }) => stops = true,
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
                if actions.iter().any(|action| matches!(action, Action::Child(ChildAction::HandOver { .. }))) {
                    foreground = Child;
                }
            }
        }
        let mut actions = Actions::new();
        let before = foreground;
        job.ended(ExitStatus::Exited(0), false, foreground, &mut actions);
        if actions.iter().any(|action| matches!(action, Action::Child(ChildAction::TakeBack))) {
            foreground = Own;
        }
        assert!(foreground != Child || standing.session_leader, "{standing:?} kept the terminal, {before:?}");
    }
}
