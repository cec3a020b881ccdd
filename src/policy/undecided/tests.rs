use super::*;
use crate::model::origin::Origin;
use crate::model::pid::Pid;
use crate::policy::action::Action;

fn came(signal: Signal, value: usize) -> Received {
    Received::of(signal, Origin::Queue { pid: Pid::new(9), uid: 0, value })
}

fn realtime(number: i32, value: usize) -> Received {
    came(Signal::new(number).unwrap(), value)
}

/// It comes, and the child blocks all signals. Whether it waits.
fn comes(undecided: &mut Undecided, received: Received, now: Instant) -> bool {
    let behind = undecided.waits_behind(received, To::Child, &mut Actions::new());
    behind || undecided.all_is_blocked(received, To::Child, false, now)
}

/// The child is looked at again, and still blocks all: what it has asked for.
fn look(undecided: &mut Undecided, is_still: bool, now: Instant) -> Vec<Received> {
    let waiting = undecided.time_is_up(now).unwrap();
    let behind = |undecided: &mut Undecided, received| undecided.waits_behind(received, To::Child, &mut Actions::new());
    let asked = waiting.into_iter().map(|(received, _)| received).filter(|received| {
        !behind(undecided, *received) && !undecided.all_is_blocked(*received, To::Child, is_still, now)
    });
    let asked = asked.collect();
    undecided.has_looked(now);
    asked
}

fn dropped(actions: Actions) -> Vec<Received> {
    let dropped = |action| match action {
        Action::Child(ChildAction::Tell(Tell::Dropped(received))) => received,
        other => panic!("{other:?}"),
    };
    actions.into_iter().map(dropped).collect()
}

#[test]
fn a_child_that_still_blocks_all_after_the_last_look_has_asked() {
    let (mut undecided, mut now) = (Undecided::default(), Instant::now());
    let signals = [came(Signal::USR2, 0), came(Signal::USR1, 0), realtime(40, 1), realtime(40, 0)];
    assert!(signals.iter().all(|received| comes(&mut undecided, *received, now)));
    let mut waits = Vec::new();
    loop {
        let at = undecided.deadline_or(None).unwrap();
        waits.push((at - now).as_millis());
        assert!(undecided.time_is_up(now).is_none(), "too early");
        now = at;
        let asked = look(&mut undecided, false, now);
        if !asked.is_empty() {
            assert_eq!(asked, signals, "as they came");
            break;
        }
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 16, 16, 16, 16, 16, 16]);
    assert_eq!(undecided.deadline_or(None), None);
    assert!(comes(&mut undecided, signals[0], now), "that was then");
    assert_eq!(undecided.deadline_or(None), Some(now + FIRST_WAIT));
}

#[test]
fn while_the_child_cannot_run_no_look_counts() {
    let (mut undecided, mut now) = (Undecided::default(), Instant::now());
    assert!(comes(&mut undecided, came(Signal::USR1, 0), now));
    let mut longest = Duration::ZERO;
    for _ in 0..100 {
        let at = undecided.deadline_or(None).unwrap();
        (longest, now) = (longest.max(at - now), at);
        assert!(look(&mut undecided, true, now).is_empty());
    }
    assert_eq!(longest, LONGEST_WAIT_FOR_IT_TO_RUN);
    // It runs again.
    for _ in 1..LOOKS {
        now = undecided.deadline_or(None).unwrap();
        assert!(look(&mut undecided, false, now).is_empty());
        assert_eq!(undecided.deadline_or(None), Some(now + LONGEST_WAIT));
    }
    now = undecided.deadline_or(None).unwrap();
    assert_eq!(look(&mut undecided, false, now).len(), 1);
}

#[test]
fn of_those_of_a_kind_the_first_waits_but_of_real_time_ones_all() {
    let (mut undecided, mut actions, now) = (Undecided::default(), Actions::new(), Instant::now());
    let (first, second) = (came(Signal::USR1, 0), came(Signal::USR1, 1));
    assert!(!undecided.waits_behind(first, To::Child, &mut actions), "nothing waits");
    assert!(comes(&mut undecided, first, now));
    assert!(!undecided.waits_behind(came(Signal::USR2, 0), To::Child, &mut actions), "another kind");
    assert!(undecided.waits_behind(second, To::Child, &mut actions));
    assert_eq!(dropped(std::mem::take(&mut actions)), [second]);
    assert!(comes(&mut undecided, realtime(40, 0), now));
    assert!(undecided.waits_behind(realtime(40, 1), To::Child, &mut actions) && actions.is_empty());
    undecided.child_ended(&mut actions);
    assert_eq!(dropped(actions), [first, realtime(40, 0), realtime(40, 1)], "the child has ended");
}

#[test]
fn what_it_was_once_seen_waiting_for_it_has_asked_for() {
    let (mut undecided, now) = (Undecided::default(), Instant::now());
    let (first, second) = (realtime(40, 0), realtime(41, 0));
    assert!(!undecided.is_awaited(first, To::Child, now));
    assert!(undecided.was_awaited(first.signal) && !undecided.was_awaited(second.signal));
    assert!(comes(&mut undecided, second, now));
    // By the time the next one comes, it waits.
    let third = realtime(42, 0);
    assert!(undecided.is_awaited(third, To::Child, now), "the order is kept");
    assert_eq!(undecided.deadline_or(None), Some(now));
    let waiting = undecided.time_is_up(now).unwrap();
    assert_eq!(waiting, [(second, To::Child), (third, To::Child)]);
    assert!(!undecided.is_awaited(second, To::Child, now) && !undecided.is_awaited(third, To::Child, now));
    undecided.has_looked(now);
    assert_eq!(undecided.deadline_or(None), None);
}
