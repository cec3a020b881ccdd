use super::*;
use crate::model::origin::Origin;
use crate::model::pid::Pid;
use crate::model::signal::Signal;
use crate::policy::action::Action;

/// As many signals as one read fetches, at most; the engine checks that.
const BATCH: usize = MANY_HELD / 2;

fn queued(value: usize) -> Received {
    let origin = Origin::Queue { pid: Pid::new(9), uid: 0, value };
    Received::of(Signal::new(40).unwrap(), origin)
}

/// Does what is wanted, with a child that has this much room: what was passed on, and what else was wanted.
fn act(held: &mut Held, actions: &mut Actions, now: Instant, room: &mut usize) -> (Vec<Received>, Vec<Action>) {
    let (mut passed, mut others) = (Vec::new(), Vec::new());
    while let Some(action) = actions.take_next() {
        let Action::Child(ChildAction::Pass(received, _)) = action else {
            others.push(action);
            continue;
        };
        let was_held = held.takes_passing(received);
        if *room == 0 {
            held.found_no_room(received, was_held, now, actions);
            continue;
        }
        *room -= 1;
        passed.push(received);
        if was_held {
            held.first_is_done(actions);
        }
    }
    (passed, others)
}

/// A signal comes, and finds no room.
fn comes(held: &mut Held, value: usize, now: Instant) -> Vec<Action> {
    let mut actions = Actions::new();
    held.pass(queued(value), To::Child, &mut actions);
    let (passed, others) = act(held, &mut actions, now, &mut 0);
    assert!(passed.is_empty());
    others
}

#[test]
fn the_wait_for_room_doubles_up_to_its_limit_and_starts_anew_with_room() {
    let (mut held, mut actions, mut now) = (Held::default(), Actions::new(), Instant::now());
    for value in 0..3 {
        comes(&mut held, value, now);
    }
    let mut waits = Vec::new();
    for _ in 0..9 {
        let deadline = held.deadline().unwrap();
        waits.push((deadline - now).as_millis());
        held.time_is_up(now, &mut actions);
        assert!(actions.is_empty(), "too early");
        now = deadline;
        held.time_is_up(now, &mut actions);
        act(&mut held, &mut actions, now, &mut 0);
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 100, 100]);
    now = held.deadline().unwrap();
    held.time_is_up(now, &mut actions);
    assert_eq!(act(&mut held, &mut actions, now, &mut 1).0, [queued(0)]);
    assert_eq!(held.deadline(), Some(now + FIRST_RETRY_WAIT));
}

#[test]
fn with_many_held_the_others_stay_in_the_kernel_until_there_is_room() {
    let (mut held, mut actions, now) = (Held::default(), Actions::new(), Instant::now());
    let mut wanted = Vec::new();
    for value in 0..MANY_HELD {
        for action in comes(&mut held, value, now) {
            match action {
                Action::Loop(LoopAction::ReserveQueue) => wanted.push((value, "reserve")),
                Action::Loop(LoopAction::LeaveRealtime) if held.leaves_realtime() => wanted.push((value, "leave")),
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(wanted, [(0, "reserve"), (MANY_HELD - 1, "leave")]);
    held.time_is_up(held.deadline().unwrap(), &mut actions);
    let (passed, others) = act(&mut held, &mut actions, now, &mut usize::MAX.clone());
    assert_eq!(passed, (0..MANY_HELD).map(queued).collect::<Vec<_>>());
    assert!(matches!(others[..], [Action::Loop(LoopAction::LeaveRealtime)]) && !held.leaves_realtime());
    assert_eq!(held.deadline(), None);
}

/// The queue of signals has one count for this process and its child. It is filled up to the limit while the first
/// signal finds no room; only then our own limit is lower.
#[test]
fn a_queue_that_was_full_when_our_limit_was_lowered_leaves_the_child_room() {
    let limit = 4 * BATCH;
    let (mut held, now) = (Held::default(), Instant::now());
    let mut pending = limit;
    let mut value = 0;
    while !held.leaves_realtime() {
        pending -= BATCH;
        if value == 0 {
            // Before the first of the batch is passed on, senders have filled the room it made.
            pending = limit;
        }
        for _ in 0..BATCH {
            comes(&mut held, value, now);
            value += 1;
        }
    }
    assert!(pending < limit, "nobody makes room any more, and the child has none");
}

#[test]
fn what_is_more_than_can_be_held_is_lost_and_told() {
    let (mut held, now) = (Held::default(), Instant::now());
    for value in 0..MOST_HELD {
        comes(&mut held, value, now);
    }
    match &comes(&mut held, MOST_HELD, now)[..] {
        [Action::Child(ChildAction::Tell(Tell::NotPassed(received, error)))] => {
            assert_eq!((*received, error.kind()), (queued(MOST_HELD), io::ErrorKind::WouldBlock));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_held_ends_with_the_child() {
    let (mut held, mut actions, now) = (Held::default(), Actions::new(), Instant::now());
    for value in 0..MANY_HELD {
        comes(&mut held, value, now);
    }
    held.child_ended(&mut actions);
    assert!(matches!(actions.take_next(), Some(Action::Loop(LoopAction::LeaveRealtime))) && !held.leaves_realtime());
    assert_eq!(held.deadline(), None);
    held.child_started();
    held.pass(queued(7), To::Child, &mut actions);
    assert_eq!(act(&mut held, &mut actions, now, &mut 1).0, [queued(7)], "with nothing of the last child before it");
}
