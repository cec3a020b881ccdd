use super::*;

const REST: Rest = Rest {
    asked: Asked::Nothing,
    stops: 0,
    reader_gone: false,
    hooks: None,
    notifications: false,
    output: Output::Inherited,
};
const RELAYED: Rest = Rest { output: Output::Written, ..REST };
const STUCK: Rest = Rest { output: Output::Waiting, ..REST };

/// The steps that follow each other at once, up to a wait or the end.
fn steps(finish: &mut Finish, mut rest: Rest, now: Instant) -> Vec<Step> {
    let mut steps = Vec::new();
    loop {
        let step = finish.next(rest, || now);
        steps.push(step);
        match step {
            Step::Wait | Step::GiveUpReaders | Step::End => return steps,
            Step::GiveUpHooks { .. } => rest.hooks = None,
            Step::GiveUpManager => rest.notifications = false,
            Step::SayGoodbye | Step::SayWhatWasLost => {}
        }
    }
}

#[test]
fn what_is_left_decides_what_is_done() {
    use Step::*;
    for (rest, expected) in [
        (REST, vec![End]),
        (Rest { asked: Asked::Stop, ..REST }, vec![End]),
        (Rest { asked: Asked::Kill, ..REST }, vec![End]),
        (Rest { notifications: true, ..REST }, vec![Wait]),
        (RELAYED, vec![SayGoodbye, SayWhatWasLost, End]),
        (Rest { asked: Asked::Stop, ..RELAYED }, vec![SayGoodbye, SayWhatWasLost, End]),
        (Rest { asked: Asked::Kill, ..RELAYED }, vec![SayWhatWasLost, End]),
        (Rest { notifications: true, ..RELAYED }, vec![Wait]),
        (STUCK, vec![SayGoodbye, Wait]),
        (Rest { reader_gone: true, ..STUCK }, vec![SayGoodbye, Wait]),
        (Rest { asked: Asked::Stop, ..STUCK }, vec![SayGoodbye, Wait]),
        (Rest { asked: Asked::Kill, ..STUCK }, vec![GiveUpReaders]),
    ] {
        assert_eq!(steps(&mut Finish::default(), rest, Instant::now()), expected, "{rest:?}");
    }
}

/// Who is waited for, and for how long.
#[test]
fn each_has_its_time() {
    let (manager, readers) = (MANAGER_PATIENCE, READER_PATIENCE);
    for (rest, patience, gives_up) in [
        (Rest { notifications: true, ..REST }, Some(manager), vec![Step::GiveUpManager, Step::End]),
        (Rest { notifications: true, asked: Asked::Kill, ..REST }, Some(manager), vec![Step::GiveUpManager, Step::End]),
        (STUCK, None, vec![]),
        (Rest { asked: Asked::Stop, ..STUCK }, Some(readers), vec![Step::GiveUpReaders]),
        (Rest { reader_gone: true, ..STUCK }, Some(readers), vec![Step::GiveUpReaders]),
    ] {
        let (mut finish, now) = (Finish::default(), Instant::now());
        assert_eq!(steps(&mut finish, rest, now).last(), Some(&Step::Wait));
        assert_eq!(finish.deadline(), patience.map(|patience| now + patience), "{rest:?}");
        let Some(deadline) = finish.deadline() else { continue };
        assert_eq!(steps(&mut finish, rest, deadline - Duration::from_nanos(1)), [Step::Wait], "{rest:?}");
        assert_eq!(steps(&mut finish, rest, deadline), gives_up, "{rest:?}");
    }
}

#[test]
fn readers_that_take_something_have_more_time_but_not_for_ever() {
    let (mut finish, start) = (Finish::default(), Instant::now());
    let rest = Rest { asked: Asked::Stop, ..STUCK };
    let mut now = start;
    assert_eq!(steps(&mut finish, rest, now), [Step::SayGoodbye, Step::Wait]);
    loop {
        now = finish.deadline().unwrap() - Duration::from_millis(1);
        assert_eq!(steps(&mut finish, rest, now), [Step::Wait]);
        if finish.deadline() == Some(start + OUTPUT_PATIENCE) {
            break;
        }
        finish.output_taken();
        assert_eq!(steps(&mut finish, rest, now), [Step::Wait]);
    }
    finish.output_taken();
    assert_eq!(steps(&mut finish, rest, start + OUTPUT_PATIENCE), [Step::GiveUpReaders]);
}

/// A manager that was given up isn't waited for again, and wakes nobody up while readers take their time.
#[test]
fn what_was_given_up_has_no_deadline() {
    let (mut finish, now) = (Finish::default(), Instant::now());
    let rest = Rest { notifications: true, ..STUCK };
    assert_eq!(steps(&mut finish, rest, now), [Step::Wait]);
    let given_up = steps(&mut finish, rest, now + MANAGER_PATIENCE);
    assert_eq!(given_up, [Step::GiveUpManager, Step::SayGoodbye, Step::Wait]);
    assert_eq!(finish.deadline(), None);
    assert_eq!(steps(&mut finish, rest, now + MANAGER_PATIENCE), [Step::Wait]);
}

/// What is said at the end has to be written, too.
#[test]
fn what_is_said_of_lost_lines_is_waited_for_once() {
    let (mut finish, now) = (Finish::default(), Instant::now());
    let rest = Rest { asked: Asked::Stop, ..RELAYED };
    assert_eq!(finish.next(rest, || now), Step::SayGoodbye);
    assert_eq!(finish.next(rest, || now), Step::SayWhatWasLost);
    assert_eq!(finish.next(Rest { output: Output::Waiting, ..rest }, || now), Step::Wait);
    assert_eq!(finish.next(rest, || now), Step::End);
}

#[test]
fn the_clock_is_looked_at_only_to_wait() {
    let no_clock = || -> Instant { panic!("there is nothing to wait for") };
    assert_eq!(Finish::default().next(REST, no_clock), Step::End);
    assert_eq!(Finish::default().next(RELAYED, no_clock), Step::SayGoodbye);
}

const HOOK_TIME: Duration = Duration::from_secs(7);

#[test]
fn hooks_have_their_time_whatever_else_is_left() {
    let (mut finish, now) = (Finish::default(), Instant::now());
    let rest = Rest { hooks: Some(HOOK_TIME), notifications: true, asked: Asked::Kill, stops: 2, ..STUCK };
    assert_eq!(steps(&mut finish, rest, now), [Step::Wait]);
    assert_eq!(finish.deadline(), Some(now + HOOK_TIME));
    assert_eq!(steps(&mut finish, rest, now + HOOK_TIME - Duration::from_nanos(1)), [Step::Wait]);
    assert_eq!(steps(&mut finish, rest, now + HOOK_TIME), [Step::GiveUpHooks { is_late: true }, Step::Wait]);
    // From then on it is as without hooks.
    assert_eq!(finish.deadline(), Some(now + HOOK_TIME + MANAGER_PATIENCE));
    let mut ended = Finish::default();
    assert_eq!(steps(&mut ended, Rest { hooks: Some(HOOK_TIME), ..REST }, now), [Step::Wait]);
    assert_eq!((steps(&mut ended, REST, now), ended.deadline()), (vec![Step::End], None));
}

#[test]
fn the_second_stop_ends_the_waiting_for_hooks() {
    let now = Instant::now();
    // How many stops came before the waiting, and which one ends it.
    for (before, ends) in [(0, 2), (1, 2), (2, 3)] {
        let mut finish = Finish::default();
        for stops in before..ends {
            let rest = Rest { hooks: Some(HOOK_TIME), stops, ..REST };
            assert_eq!(steps(&mut finish, rest, now), [Step::Wait], "{before} {stops}");
        }
        let rest = Rest { hooks: Some(HOOK_TIME), stops: ends, ..REST };
        assert_eq!(steps(&mut finish, rest, now), [Step::GiveUpHooks { is_late: false }, Step::End], "{before}");
    }
}
