//! What is sent for a signal that came, and to whom.

use super::*;

#[test]
fn another_signal_is_sent_instead_or_none() {
    let rewrites = [(Signal::TERM, Some(Signal::USR1)), (Signal::HUP, None), (Signal::USR2, Some(Signal::INT))];
    let (mut lifecycle, now) = (rewriting(&rewrites), Instant::now());
    assert_eq!(comes(&mut lifecycle, sent(Signal::HUP), now), ["SIGHUP dropped"]);
    assert_eq!(comes(&mut lifecycle, sent(Signal::USR1), now), ["SIGUSR1 to Child"]);
    assert_eq!(comes(&mut lifecycle, sent(Signal::USR2), now), ["SIGINT to Child"], "what is sent isn't rewritten");
    assert_eq!(lifecycle.deadline(), None, "what was sent would be a stop, but what came isn't");
    assert_eq!(comes(&mut lifecycle, sent(Signal::TERM), now), ["SIGUSR1 to Child"]);
    assert_eq!(lifecycle.deadline(), Some(now + Duration::from_secs(5)), "and here it is the other way round");
}

#[test]
fn a_queued_signal_is_rewritten_with_its_value() {
    let to = Signal::new(50);
    let mut lifecycle = rewriting(&[(Signal::new(40).unwrap(), to)]);
    let mut actions = Actions::new();
    lifecycle.came(queued(40, 7), no_terminal, &mut actions);
    let passed = act(&mut lifecycle, &mut actions, Instant::now(), &mut 1);
    let came = Signal::new(40).unwrap();
    assert_eq!(passed, [Received { came, ..queued(50, 7) }]);
}

#[test]
fn a_stop_that_was_ignored_from_the_start_is_none_where_it_is_passed_on_as_it_is() {
    for (to, asked) in [(None, Some(Signal::TERM)), (Some(Signal::WINCH), None)] {
        let rewrites: Vec<_> = to.map(|to| (Signal::TERM, Some(to))).into_iter().collect();
        let (mut lifecycle, mut actions) = (rewriting(&rewrites), Actions::new());
        lifecycle.came(sent(Signal::TERM), no_terminal, &mut actions);
        let unless = actions.iter().find_map(|action| match action {
            Action::Loop(LoopAction::StopAsked { unless_ignored, .. }) => Some(*unless_ignored),
            _ => None,
        });
        assert_eq!(unless, Some(asked), "{to:?}");
    }
}

#[test]
fn only_those_of_a_list_are_passed_on_and_cont() {
    let only = Some(SignalSet::EMPTY.with(Signal::HUP));
    let (mut lifecycle, now) = (forwarding(Forwarding { only, ..Forwarding::default() }), Instant::now());
    assert_eq!(comes(&mut lifecycle, sent(Signal::HUP), now), ["SIGHUP to Child"]);
    assert_eq!(comes(&mut lifecycle, sent(Signal::USR1), now), ["SIGUSR1 dropped"]);
    assert_eq!(comes(&mut lifecycle, sent(Signal::CONT), now), ["SIGCONT to Child"]);
}

/// The loop looks whether the child would die of it.
#[test]
fn what_the_child_would_die_of_is_dropped_and_the_next_in_the_queue_follows() {
    let drop_uncaught = SignalSet::ALL.without(Signal::TERM);
    let mut lifecycle = forwarding(Forwarding { drop_uncaught, ..Forwarding::default() });
    assert!(lifecycle.drops_uncaught(Signal::USR1) && !lifecycle.drops_uncaught(Signal::TERM));
    let (mut actions, now) = (Actions::new(), Instant::now());
    for value in 0..2 {
        lifecycle.came(queued(40, value), no_terminal, &mut actions);
        assert!(act(&mut lifecycle, &mut actions, now, &mut 0).is_empty());
    }
    lifecycle.time_is_up(lifecycle.deadline().unwrap(), &mut actions);
    assert!(matches!(actions.take_next(), Some(Action::Child(ChildAction::Pass(first, _))) if first == queued(40, 0)));
    lifecycle.not_passed(queued(40, 0), &mut actions);
    assert_eq!(act(&mut lifecycle, &mut actions, now, &mut 1), [queued(40, 1)]);
}

/// A stopped child can't change what it blocks: there is nothing to look at.
#[test]
fn what_is_undecided_waits_for_a_child_that_is_stopped_and_is_dropped_with_it() {
    let drop_uncaught = SignalSet::ALL.without(Signal::TERM);
    let mut lifecycle = forwarding(Forwarding { drop_uncaught, ..Forwarding::default() });
    let now = Instant::now();
    let undecided = lifecycle.undecided.get_or_insert_default();
    assert!(undecided.all_is_blocked(sent(Signal::USR1), To::Child, false, now));
    lifecycle.stopped(Signal::STOP, no_terminal, &mut Actions::new());
    assert_eq!(lifecycle.deadline(), None);
    lifecycle.continued(&mut Actions::new());
    let at = lifecycle.deadline().unwrap();
    assert_eq!(due(&mut lifecycle, now), [""; 0], "too early");
    let mut actions = Actions::new();
    lifecycle.time_is_up(at, &mut actions);
    assert!(
        matches!(actions.take_next(), Some(Action::Child(ChildAction::Pass(again, To::Child))) if again == sent(Signal::USR1))
    );
    assert!(matches!(actions.take_next(), Some(Action::Child(ChildAction::HasLooked))));
    assert!(lifecycle.undecided.get_or_insert_default().all_is_blocked(sent(Signal::USR1), To::Child, false, at));
    let mut actions = Actions::new();
    lifecycle.ended(ExitStatus::Exited(0), no_terminal, &mut actions);
    assert_eq!(wanted(&mut lifecycle, actions, at), ["SIGUSR1 dropped"]);
    assert_eq!(lifecycle.deadline(), None);
    let mut actions = Actions::new();
    lifecycle.started(CHILD, Group::Own(None), no_terminal, &mut actions);
    assert!(actions.is_empty(), "the next child hears nothing of it");
}

#[test]
fn all_go_to_the_group_if_that_is_asked_for() {
    let mut lifecycle = forwarding(Forwarding { to_group: true, ..Forwarding::default() });
    assert_eq!(comes(&mut lifecycle, sent(Signal::USR1), Instant::now()), ["SIGUSR1 to Group"]);
    let mut lifecycle =
        Lifecycle::new(OWN, SignalSet::ALL, Forwarding { to_group: true, ..Forwarding::default() }, None);
    lifecycle.started(CHILD, Group::Shared, no_terminal, &mut Actions::new());
    assert_eq!(comes(&mut lifecycle, sent(Signal::USR1), Instant::now()), ["SIGUSR1 to Child"], "it is our group, too");
}

#[test]
fn cont_is_job_controls() {
    let rewrites = vec![(Signal::CONT, None)];
    let mut lifecycle = forwarding(Forwarding {
        rewrites,
        delays: vec![(Signal::CONT, Duration::from_secs(10))],
        ..Forwarding::default()
    });
    assert_eq!(comes(&mut lifecycle, sent(Signal::CONT), Instant::now()), ["SIGCONT to Child"]);
}
