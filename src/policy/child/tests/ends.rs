//! The grace period, and how an end is judged.

use super::*;

#[test]
fn an_end_was_requested_if_a_stop_came_and_it_ended_as_it_was_asked_to() {
    let by = |signal| ExitStatus::Signaled { signal, core_dumped: false };
    let exited = ExitStatus::Exited;
    let (term, winch, usr1) = (Signal::TERM, Signal::WINCH, Signal::USR1);
    for (rewrites, came, status, requested) in [
        (&[] as &[_], Some(term), by(term), true),
        (&[], Some(term), exited(143), true),
        (&[], Some(term), exited(0), true),
        (&[], Some(term), exited(1), false),
        (&[], Some(term), by(Signal::INT), false),
        (&[], Some(term), by(Signal::KILL), false),
        (&[], Some(usr1), by(usr1), false),
        (&[], Some(Signal::HUP), exited(0), false),
        (&[], Some(Signal::HUP), by(Signal::HUP), false),
        (&[], None, by(term), false),
        (&[], None, exited(143), false),
        (&[(term, Some(winch))], Some(term), exited(0), true),
        (&[(term, Some(Signal::INT))], Some(term), by(Signal::INT), true),
        (&[(term, Some(Signal::INT))], Some(term), by(term), false),
        (&[(term, Some(Signal::KILL))], Some(term), by(Signal::KILL), false),
        (&[(term, None)], Some(term), exited(0), false),
        // A QUIT is a stop if the run ends with it, and a dump if not.
        (&[], Some(Signal::QUIT), exited(0), true),
        (&[], Some(Signal::QUIT), by(Signal::QUIT), true),
        (&[], Some(Signal::QUIT), exited(131), true),
        (&[], Some(Signal::QUIT), exited(2), false),
        (&[], Some(Signal::QUIT), by(Signal::SEGV), false),
        (&[(usr1, Some(Signal::QUIT))], Some(usr1), exited(0), true),
        (&[(Signal::QUIT, Some(term))], Some(Signal::QUIT), by(term), true),
        (&[(Signal::QUIT, None)], Some(Signal::QUIT), exited(0), false),
    ] {
        let mut lifecycle = rewriting(rewrites);
        if let Some(came) = came {
            comes(&mut lifecycle, sent(came), Instant::now());
        }
        assert_eq!(finish(&mut lifecycle, status).requested, requested, "{rewrites:?} {came:?}, {status}");
    }
}

#[test]
fn a_quit_that_the_run_ended_with_ends_the_restarting() {
    for (code, ends) in [(0, true), (131, true), (2, false)] {
        let (mut lifecycle, mut actions) = (rewriting(&[]), Actions::new());
        comes(&mut lifecycle, sent(Signal::QUIT), Instant::now());
        assert_eq!(lifecycle.deadline(), None, "it starts no grace period");
        lifecycle.ended(ExitStatus::Exited(code), no_terminal, &mut actions);
        let asked =
            |action: &Action| matches!(action, Action::Loop(LoopAction::StopAsked { asks: Asks::SameStop, .. }));
        assert_eq!(actions.iter().any(asked), ends, "{code}");
        assert!(matches!(actions.back(), Some(Action::Loop(LoopAction::Ended(_)))), "and is said before the end is");
        // And only that run: it is nothing to the next.
        lifecycle.started(CHILD, Group::Own(None), no_terminal, &mut actions);
        assert!(!finish(&mut lifecycle, ExitStatus::Exited(0)).requested);
    }
}

#[test]
fn a_kill_by_this_process_is_known() {
    let by_kill = ExitStatus::Signaled { signal: Signal::KILL, core_dumped: false };
    let (mut lifecycle, now) = (rewriting(&[]), Instant::now());
    comes(&mut lifecycle, sent(Signal::TERM), now);
    due(&mut lifecycle, now + Duration::from_secs(5));
    let end = finish(&mut lifecycle, by_kill);
    assert!(end.has_timed_out() && !end.requested);
    let mut lifecycle = rewriting(&[(Signal::TERM, Some(Signal::KILL))]);
    comes(&mut lifecycle, sent(Signal::TERM), now);
    let end = finish(&mut lifecycle, by_kill);
    assert_eq!(end.killed_by, Some(KilledBy::Stop));
    assert!(finish(&mut rewriting(&[]), by_kill).killed_by.is_none());
}

#[test]
fn a_child_that_does_not_stop_in_time_is_killed_once_and_with_its_group() {
    let (now, after) = (Instant::now(), Duration::from_secs(10));
    let mut actions = Actions::new();
    let mut lifecycle = started(Group::Own(None), Some(after));
    assert_eq!(lifecycle.deadline(), None);
    lifecycle.stop_asked(Duration::ZERO, now);
    // A second signal doesn't put it off.
    lifecycle.stop_asked(Duration::ZERO, now + Duration::from_secs(9));
    assert_eq!(lifecycle.deadline(), Some(now + after));
    lifecycle.time_is_up(now + after - Duration::from_nanos(1), &mut actions);
    assert!(actions.is_empty());
    lifecycle.time_is_up(now + after, &mut actions);
    assert!(
        matches!(actions.take_next(), Some(Action::Child(ChildAction::Tell(Tell::TimedOut(told)))) if told == after)
    );
    assert!(matches!(actions.take_next(), Some(Action::Child(ChildAction::SignalGroup(Signal::KILL)))));
    lifecycle.time_is_up(now + 2 * after, &mut actions);
    assert!(actions.is_empty());

    lifecycle.stop(Signal::INT, now, &mut actions);
    assert!(matches!(actions.take_next(), Some(Action::Child(ChildAction::SignalGroup(Signal::INT)))));
    lifecycle.stop(Signal::INT, now, &mut actions);
    assert!(actions.is_empty(), "once");
    lifecycle.kill(KilledBy::Stop, &mut actions);
    lifecycle.ended(ExitStatus::Exited(0), no_terminal, &mut actions);
    assert!(
        matches!(actions.take_next(), Some(Action::Loop(LoopAction::Ended(_)))),
        "nobody is signalled after its end"
    );
    assert_eq!(lifecycle.deadline(), None);
    lifecycle.stop(Signal::INT, now, &mut actions);
    lifecycle.kill(KilledBy::Stop, &mut actions);
    assert!(actions.is_empty() && lifecycle.deadline().is_none());

    let mut lifecycle = started(Group::Own(None), None);
    lifecycle.stopped(Signal::TSTP, no_terminal, &mut Actions::new());
    lifecycle.stop(Signal::INT, now, &mut actions);
    assert_eq!(lifecycle.deadline(), Some(now + DEFAULT_GRACE_PERIOD), "none is configured");
    assert!(matches!(actions.pop_back(), Some(Action::Child(ChildAction::Continue))), "a stopped child couldn't end");
    lifecycle.continued(&mut Actions::new());
    lifecycle.stopped(Signal::STOP, no_terminal, &mut actions);
    assert!(matches!(actions.pop_back(), Some(Action::Child(ChildAction::Continue))), "nor one that stops then");
}
