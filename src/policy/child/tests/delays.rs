//! Signals that are passed on later.

use super::*;

const TEN: Duration = Duration::from_secs(10);

fn delaying(signal: Signal) -> Lifecycle {
    forwarding(Forwarding { delays: vec![(signal, TEN)], ..Forwarding::default() })
}

#[test]
fn a_signal_waits_for_its_time_and_the_child_is_killed_after_the_grace_period() {
    let (mut lifecycle, now) = (delaying(Signal::TERM), Instant::now());
    assert_eq!(comes(&mut lifecycle, sent(Signal::TERM), now), ["SIGTERM later"]);
    assert_eq!(lifecycle.deadline(), Some(now + TEN));
    assert_eq!(due(&mut lifecycle, now + TEN - Duration::from_millis(1)), [""; 0]);
    assert_eq!(comes(&mut lifecycle, sent(Signal::USR1), now), ["SIGUSR1 to Child"]);
    assert_eq!(due(&mut lifecycle, now + TEN), ["SIGTERM to Child"]);
    assert_eq!(lifecycle.deadline(), Some(now + TEN + Duration::from_secs(5)), "counted from when it was sent");
    assert_eq!(comes(&mut lifecycle, sent(Signal::TERM), now + TEN), ["SIGTERM to Child"], "one more isn't delayed");
    assert_eq!(due(&mut lifecycle, now + TEN + Duration::from_secs(5)), ["SIGKILL to the group by ourselves"]);
}

#[test]
fn a_second_one_goes_at_once_and_they_are_one() {
    let (mut lifecycle, now) = (delaying(Signal::TERM), Instant::now());
    comes(&mut lifecycle, sent(Signal::TERM), now);
    let soon = now + Duration::from_secs(1);
    assert_eq!(comes(&mut lifecycle, sent(Signal::TERM), soon), ["SIGTERM dropped", "SIGTERM to Child"]);
    assert_eq!(lifecycle.deadline(), Some(soon + Duration::from_secs(5)));
    assert_eq!(comes(&mut lifecycle, sent(Signal::TERM), soon), ["SIGTERM to Child"]);
}

#[test]
fn the_same_stop_sent_twice_at_once_waits_as_one() {
    let (mut lifecycle, now) = (delaying(Signal::TERM), Instant::now());
    let same = |lifecycle: &mut Lifecycle| {
        let mut actions = Actions::new();
        lifecycle.signal(sent(Signal::TERM), Asks::SameStop, no_terminal, &mut actions);
        wanted(lifecycle, actions, now)
    };
    assert_eq!(comes(&mut lifecycle, sent(Signal::TERM), now), ["SIGTERM later"]);
    assert_eq!(same(&mut lifecycle), ["SIGTERM dropped"]);
    assert_eq!(lifecycle.deadline(), Some(now + TEN));
    assert_eq!(due(&mut lifecycle, now + TEN), ["SIGTERM to Child"]);
    assert_eq!(same(&mut lifecycle), ["SIGTERM to Child"], "nothing waits any more");
}

#[test]
fn a_hang_up_is_a_stop_though_a_reload_waits() {
    let (mut lifecycle, now) = (delaying(Signal::HUP), Instant::now());
    assert_eq!(comes(&mut lifecycle, sent(Signal::HUP), now), ["SIGHUP later"]);
    let mut actions = Actions::new();
    lifecycle.signal(sent(Signal::HUP), Asks::SameStop, no_terminal, &mut actions);
    assert!(
        actions.iter().any(|action| matches!(action, Action::Loop(LoopAction::StopAsked { asks: Asks::SameStop, .. })))
    );
    assert_eq!(wanted(&mut lifecycle, actions, now), ["SIGHUP dropped"]);
    assert_eq!(due(&mut lifecycle, now + TEN), ["SIGHUP to Child"]);
    assert_eq!(due(&mut lifecycle, now + TEN + Duration::from_secs(5)), ["SIGKILL to the group by ourselves"]);
}

#[test]
fn what_asks_for_no_stop_is_delayed_each_time_and_queued_ones_are_all_sent() {
    let (mut lifecycle, now) = (delaying(Signal::HUP), Instant::now());
    comes(&mut lifecycle, sent(Signal::HUP), now);
    assert_eq!(due(&mut lifecycle, now + TEN), ["SIGHUP to Child"]);
    let number = 40;
    let (mut lifecycle, signal) = (delaying(Signal::new(number).unwrap()), "SIGRTMIN+6");
    for _ in 0..2 {
        assert_eq!(comes(&mut lifecycle, queued(number, 1), now), [format!("{signal} later")]);
        assert_eq!(comes(&mut lifecycle, queued(number, 2), now), vec![format!("{signal} to Child"); 2]);
    }
}

#[test]
fn what_goes_at_once_is_not_taken_for_what_waits() {
    let (usr1, now) = (Signal::USR1, Instant::now());
    let (term, rewrites) = (Signal::TERM, vec![(usr1, Some(Signal::TERM))]);
    let mut lifecycle = forwarding(Forwarding { rewrites, delays: vec![(usr1, TEN)], ..Forwarding::default() });
    assert_eq!(comes(&mut lifecycle, sent(usr1), now), ["SIGUSR1 later"]);
    assert_eq!(lifecycle.deadline(), Some(now + TEN));
    assert_eq!(comes(&mut lifecycle, sent(term), now), ["SIGTERM to Child"]);
    assert_eq!(lifecycle.deadline(), Some(now + Duration::from_secs(5)), "it has heard of it now");
}

#[test]
fn what_waits_when_the_child_ends_is_the_next_ones() {
    let (mut lifecycle, now) = (delaying(Signal::USR1), Instant::now());
    comes(&mut lifecycle, sent(Signal::USR1), now);
    lifecycle.ended(ExitStatus::Exited(1), no_terminal, &mut Actions::new());
    assert_eq!(lifecycle.deadline(), None);
    let mut actions = Actions::new();
    lifecycle.started(CHILD, Group::Own(None), no_terminal, &mut actions);
    assert_eq!(wanted(&mut lifecycle, actions, now), ["SIGUSR1 later"]);
    assert_eq!(due(&mut lifecycle, now + TEN), ["SIGUSR1 to Child"]);
}

#[test]
fn a_child_that_ends_leaves_nothing_that_waits() {
    let (mut lifecycle, now) = (delaying(Signal::TERM), Instant::now());
    comes(&mut lifecycle, sent(Signal::TERM), now);
    lifecycle.ended(ExitStatus::Exited(0), no_terminal, &mut Actions::new());
    assert_eq!(lifecycle.deadline(), None);
    assert_eq!(due(&mut lifecycle, now + TEN), [""; 0]);
}
