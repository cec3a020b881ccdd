use super::*;

const BUDGET: Duration = Duration::from_secs(10);
const LEADER: Pid = Pid::new(7);

fn drain(scope: Scope, budget: Duration) -> Drain {
    Drain::new(Leftovers::Ended(scope, budget))
}

fn begun(now: Instant) -> Drain {
    let mut drain = drain(Scope::All, BUDGET);
    drain.begin(LEADER, now, None);
    drain
}

/// This many live, none of them new.
fn seen(alive: usize) -> Seen {
    Seen { alive, ..Seen::default() }
}

#[test]
fn term_comes_at_once_and_kill_when_the_budget_is_spent() {
    let now = Instant::now();
    let mut drain = begun(now);
    assert_eq!(drain.leader(), Some(LEADER));
    assert_eq!(drain.look(now, false), Some((Signal::TERM, DrainTarget::All)));
    assert_eq!(drain.look(now + BUDGET, false), Some((Signal::KILL, DrainTarget::All)));
    assert!(!drain.is_given_up(now + BUDGET));
    assert!(drain.is_given_up(now + BUDGET + KILL_PATIENCE));
    drain.end();
    assert_eq!((drain.look(now, true), drain.deadline(), drain.is_on()), (None, None, false));
}

#[test]
fn the_budget_of_a_run_that_was_asked_to_stop_has_begun_with_that() {
    let now = Instant::now();
    for (took, signal) in [(BUDGET / 2, Signal::TERM), (BUDGET, Signal::KILL), (BUDGET * 2, Signal::KILL)] {
        let mut drain = drain(Scope::Group, BUDGET);
        drain.begin(LEADER, now + took, Some(now));
        assert_eq!(drain.look(now + took, false), Some((signal, DrainTarget::All)), "{took:?}");
        assert_eq!(drain.look(now + took.max(BUDGET), true), Some((Signal::KILL, DrainTarget::All)));
    }
}

#[test]
fn nothing_is_begun_where_nothing_is_to_be_ended() {
    for leftovers in [Leftovers::Ignored, Leftovers::Told] {
        let mut drain = Drain::new(leftovers);
        drain.begin(LEADER, Instant::now(), None);
        assert!(!drain.is_on());
    }
}

#[test]
fn a_process_born_meanwhile_is_told_when_orphaned_or_when_half_of_the_time_is_over() {
    let now = Instant::now();
    let mut drain = begun(now);
    drain.look(now, false);
    drain.looked(now, seen(1));
    let half = now + BUDGET / 2;
    assert_eq!(drain.look(half - FIRST_LOOK_INTERVAL, true), Some((Signal::TERM, DrainTarget::Orphans)));
    assert!(drain.deadline() <= Some(half));
    assert_eq!(drain.look(half, false), Some((Signal::TERM, DrainTarget::All)));
    assert_eq!(drain.look(half + FIRST_LOOK_INTERVAL, true), Some((Signal::TERM, DrainTarget::Orphans)));
}

#[test]
fn a_look_that_failed_or_reached_not_all_is_taken_again() {
    let now = Instant::now();
    let mut drain = begun(now);
    drain.look(now, false);
    // It was never said what it found.
    let mut at = now + FIRST_LOOK_INTERVAL;
    assert_eq!(drain.look(at, false), Some((Signal::TERM, DrainTarget::All)));
    drain.looked(at, Seen { alive: 2, failed: 1, ..Seen::default() });
    at += FIRST_LOOK_INTERVAL;
    assert_eq!(drain.look(at, false), Some((Signal::TERM, DrainTarget::All)));
    drain.looked(at, seen(2));
    assert_eq!(drain.look(at, true), Some((Signal::TERM, DrainTarget::Orphans)));
}

#[test]
fn it_looks_more_and_more_rarely_but_whenever_a_child_ends() {
    for (scope, most) in [(Scope::All, 20), (Scope::Group, 620)] {
        let now = Instant::now();
        let mut drain = drain(scope, Duration::MAX);
        drain.begin(LEADER, now, None);
        let mut looks = 0;
        let end = now + Duration::from_secs(600);
        while let Some(at) = drain.deadline().filter(|at| *at < end) {
            assert!(matches!(drain.look(at, false), Some((Signal::TERM, _))));
            drain.looked(at, seen(1));
            looks += 1;
        }
        assert!((10..most).contains(&looks), "{looks} looks in ten minutes");
        let at = drain.deadline().unwrap() - FIRST_LOOK_INTERVAL;
        assert_eq!(drain.look(at, false), None);
        assert_eq!(drain.look(at, true), Some((Signal::TERM, DrainTarget::Orphans)));
    }
}

#[test]
fn each_is_told_once_and_killed_until_it_ends() {
    let now = Instant::now();
    let mut drain = begun(now);
    let one = (Pid::new(7), 70);
    assert!(drain.is_for(Signal::TERM, one, true));
    assert!(drain.is_for(Signal::TERM, one, true), "it couldn't be sent");
    assert!(drain.sent(Signal::TERM, one, true));
    assert!(!drain.is_for(Signal::TERM, one, true));
    assert!(drain.is_for(Signal::TERM, (Pid::new(7), 71), true), "another of that number");
    assert!(drain.is_for(Signal::KILL, one, true) && drain.sent(Signal::KILL, one, true));
    assert!(drain.is_for(Signal::KILL, one, true) && !drain.sent(Signal::KILL, one, true));
    drain.end();
    drain.begin(LEADER, now, None);
    assert!(drain.is_for(Signal::TERM, one, true), "what one child has left was told, and not what the next has");
}

#[test]
fn a_process_told_between_fork_and_exec_is_told_again() {
    let mut drain = begun(Instant::now());
    let one = (Pid::new(7), 70);
    for has_executed in [false, true] {
        assert!(drain.is_for(Signal::TERM, one, has_executed));
        drain.sent(Signal::TERM, one, has_executed);
        assert!(!drain.is_for(Signal::TERM, one, has_executed));
    }
}

#[test]
fn a_hurry_kills_at_once() {
    let now = Instant::now();
    let mut drain = drain(Scope::All, BUDGET);
    drain.hurry(now);
    assert!(!drain.is_on());
    drain.begin(LEADER, now, None);
    drain.hurry(now);
    assert_eq!(drain.look(now, false), Some((Signal::KILL, DrainTarget::All)));
}

#[test]
fn where_nobody_can_be_looked_for_a_stop_gives_up_but_tries_to_kill_before() {
    let now = Instant::now();
    let mut drain = begun(now);
    drain.stopped();
    drain.looked_in_vain();
    drain.hurry(now);
    drain.looked_in_vain();
    assert!(!drain.is_given_up(now), "it could be looked for when the stop came");
    drain.stopped();
    assert!(drain.is_given_up(now));
    drain.looked(now, seen(1));
    drain.looked_in_vain();
    assert!(!drain.is_given_up(now), "it could be looked for meanwhile");
    for is_killing in [false, true] {
        let mut drain = begun(now);
        drain.looked_in_vain();
        if is_killing {
            drain.hurry(now);
            drain.looked_in_vain();
        }
        drain.stopped();
        drain.hurry(now);
        assert_eq!(drain.is_given_up(now), is_killing);
        drain.looked_in_vain();
        assert!(drain.is_given_up(now));
    }
}

#[test]
fn it_kills_at_once_again_while_any_was_new_and_waits_while_their_number_falls() {
    let start = Instant::now();
    let mut drain = begun(start);
    drain.hurry(start);
    let mut now = start;
    for killed in [5, 3, 1] {
        assert_eq!(drain.look(now, false), Some((Signal::KILL, DrainTarget::All)));
        assert!(!drain.looked(now, Seen { alive: 9, killed, ..Seen::default() }));
        assert_eq!(drain.deadline(), Some(now));
    }
    for alive in (1..9).rev() {
        now += KILL_PATIENCE - FIRST_LOOK_INTERVAL;
        assert!(!drain.is_given_up(now), "{alive}");
        drain.look(now, true);
        assert!(!drain.looked(now, seen(alive)));
        assert!(drain.deadline() > Some(now));
    }
    drain.looked(now + FIRST_LOOK_INTERVAL, seen(5));
    assert!(drain.is_given_up(now + KILL_PATIENCE), "there are no fewer than before");
}

#[test]
fn it_is_over_when_looks_find_nobody_but_those_out_of_reach() {
    let out_of_reach = |alive, out_of_reach| Seen { alive, out_of_reach, ..Seen::default() };
    for (scope, kill, found, over) in [
        // It may have been missed, and may need its time.
        (Scope::Group, false, seen(0), false),
        (Scope::Group, true, seen(0), true),
        (Scope::Run, true, seen(0), true),
        (Scope::Group, false, out_of_reach(1, 1), false),
        (Scope::Group, true, out_of_reach(1, 1), true),
        (Scope::All, true, out_of_reach(2, 2), true),
        (Scope::All, true, out_of_reach(2, 1), false),
        // As long as there is any, there is a child.
        (Scope::All, true, seen(0), false),
    ] {
        let now = Instant::now();
        let mut drain = drain(scope, BUDGET);
        drain.begin(LEADER, now, None);
        if kill {
            drain.hurry(now);
        }
        let looks: Vec<_> = (0..LOOKS_UNTIL_EMPTY).map(|_| drain.looked(now, found)).collect();
        assert_eq!(looks, [false, false, over], "{scope:?} {kill} {found:?}");
        drain.looked(now, seen(5));
        assert!(!drain.looked(now, found), "one was found meanwhile");
    }
}
