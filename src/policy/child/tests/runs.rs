//! Between two runs, and from one child to the next.

use super::*;

#[test]
fn between_two_runs_a_signal_is_a_stop_as_it_came_unless_it_is_dropped() {
    for (from, to, stops) in [
        (Signal::USR1, Some(Signal::TERM), false),
        (Signal::USR1, Some(Signal::KILL), false),
        (Signal::TERM, Some(Signal::WINCH), true),
        (Signal::TERM, None, false),
    ] {
        let mut lifecycle = rewriting(&[(from, to)]);
        lifecycle.ended(ExitStatus::Exited(1), no_terminal, &mut Actions::new());
        let mut actions = Actions::new();
        lifecycle.came(sent(from), no_terminal, &mut actions);
        assert_eq!(matches!(actions.front(), Some(Action::Loop(LoopAction::StopAsked { .. }))), stops, "{from} {to:?}");
    }
}

#[test]
fn what_a_child_has_from_us_did_not_come_by_its_group() {
    let (mut lifecycle, mut actions) = (waiting(), Actions::new());
    lifecycle.came(queued(40, 0), no_terminal, &mut actions);
    assert!(actions.is_empty());
    lifecycle.started(CHILD, Group::Own(None), no_terminal, &mut actions);
    assert_eq!(act(&mut lifecycle, &mut actions, Instant::now(), &mut 9), [queued(40, 0)]);
    // When the child looks at what has come to it by the group it was in, it finds that, too.
    lifecycle.already_received([40, 41].into_iter().filter_map(Signal::new).collect());
    for signal in [queued(40, 1), queued(41, 2), queued(41, 3)] {
        lifecycle.came(signal, no_terminal, &mut actions);
    }
    assert_eq!(act(&mut lifecycle, &mut actions, Instant::now(), &mut 9), [queued(40, 1), queued(41, 3)]);
}

#[test]
fn without_a_child_a_stop_signal_ends_it_and_others_wait_for_the_next() {
    let (mut lifecycle, mut actions) = (waiting(), Actions::new());
    for received in [sent(Signal::TERM), sent(Signal::INT), from_kernel(Signal::HUP)] {
        lifecycle.came(received, no_terminal, &mut actions);
        assert!(matches!(actions.take_next(), Some(Action::Loop(LoopAction::StopAsked { .. }))), "{received:?}");
    }
    let kept = [queued(40, 1), sent(Signal::HUP), queued(36, 2)];
    for received in kept {
        lifecycle.came(received, no_terminal, &mut actions);
    }
    // To this process, or about the terminal as it is now.
    lifecycle.came(sent(Signal::CONT), no_terminal, &mut actions);
    lifecycle.came(from_kernel(Signal::WINCH), no_terminal, &mut actions);
    assert!(actions.is_empty(), "{actions:?}");
    lifecycle.came(from_kernel(Signal::TSTP), no_terminal, &mut actions);
    assert!(matches!(actions.take_next(), Some(Action::Loop(LoopAction::StopWithChild(Signal::TSTP)))));
    lifecycle.started(CHILD, Group::Shared, no_terminal, &mut actions);
    assert_eq!(act(&mut lifecycle, &mut actions, Instant::now(), &mut 9), kept);
}

#[test]
fn the_next_child_starts_with_nothing_of_the_last() {
    let (mut lifecycle, mut actions, now) = (running(), Actions::new(), Instant::now());
    for value in 0..MANY_HELD {
        lifecycle.came(queued(40, value), no_terminal, &mut actions);
        act(&mut lifecycle, &mut actions, now, &mut 0);
    }
    lifecycle.will_die_of(Signal::INT);
    assert!(lifecycle.leaves_realtime());
    lifecycle.ended(ExitStatus::Exited(1), no_terminal, &mut actions);
    assert!(
        actions.iter().any(|action| matches!(action, Action::Loop(LoopAction::LeaveRealtime)))
            && !lifecycle.leaves_realtime()
    );
    actions.clear();
    lifecycle.started(CHILD, Group::Shared, no_terminal, &mut actions);
    lifecycle.came(queued(40, 99), no_terminal, &mut actions);
    assert_eq!(act(&mut lifecycle, &mut actions, now, &mut 1), [queued(40, 99)]);
    assert_eq!(end(&mut lifecycle, ExitStatus::Exited(0)), None);
}
