use super::*;
use crate::model::standing::Standing;
use crate::model::test_random::Random;
use crate::policy::job_control::tests::JOB;
use crate::policy::stop::Stops;

const CHILD: Pid = Pid::new(7);
const OWN: Pid = Pid::new(1);

fn no_terminal() -> Foreground {
    Foreground::Other
}

fn running() -> Lifecycle {
    started(Group::Shared, None)
}

fn started(group: Group, kill_after: Option<Duration>) -> Lifecycle {
    let mut lifecycle = Lifecycle::new(OWN, true, SignalSet::ALL, Forwarding::default(), kill_after);
    lifecycle.started(CHILD, group, no_terminal, &mut Actions::new());
    lifecycle
}

/// Without what says that it is a stop.
fn but_stop_asked(actions: &mut Actions) {
    actions.retain(|action| !matches!(action, Action::StopAsked { .. }));
}

fn sent(signal: Signal) -> Received {
    Received { signal, origin: Origin::Process { pid: Pid::new(9), uid: 0 } }
}

fn queued(number: i32, value: usize) -> Received {
    let signal = Signal::new(number).unwrap();
    Received { signal, origin: Origin::Queue { pid: Pid::new(9), uid: 0, value } }
}

fn full() -> io::Result<()> {
    Err(io::Error::from_raw_os_error(libc::EAGAIN))
}

impl Lifecycle {
    /// A signal came, judged as the loop does it.
    fn came(&mut self, received: Received, foreground: impl FnOnce() -> Foreground, actions: &mut Actions) {
        let asks = Stops::new(Stops::DEFAULT, true).judge(received, || false, Instant::now);
        self.signal(received, asks, foreground, actions);
    }
}

/// Does what is wanted, with a child that has room for so many, and says what was passed on.
fn act(lifecycle: &mut Lifecycle, actions: &mut Actions, now: Instant, room: &mut usize) -> Vec<Received> {
    let mut passed = Vec::new();
    while let Some(action) = actions.pop_front() {
        if let Action::Pass(received, _) = action {
            let found = !received.signal.is_realtime() || *room > 0;
            if found {
                passed.push(received);
                *room -= usize::from(received.signal.is_realtime());
            }
            lifecycle.passed(received, if found { Ok(()) } else { full() }, || now, actions);
        }
    }
    passed
}

#[test]
fn a_signal_is_told_passed_and_told_again() {
    for signal in Signal::all() {
        let (mut lifecycle, mut actions) = (running(), Actions::new());
        lifecycle.came(sent(signal), no_terminal, &mut actions);
        assert!(matches!(actions.pop_front(), Some(Action::TellReceived(received)) if received == sent(signal)));
        let stop = [Signal::TERM, Signal::INT].contains(&signal);
        assert_eq!(stop, matches!(actions.front(), Some(Action::StopAsked { .. })), "{signal}");
        but_stop_asked(&mut actions);
        assert!(matches!(actions.pop_front(), Some(Action::Pass(received, To::Child)) if received == sent(signal)));
        assert!(actions.is_empty());
        lifecycle.passed(sent(signal), Ok(()), Instant::now, &mut actions);
        assert!(matches!(actions.pop_front(), Some(Action::TellPassed(_))));
        lifecycle.passed(sent(signal), Err(io::Error::from_raw_os_error(libc::EPERM)), Instant::now, &mut actions);
        assert!(matches!(actions.pop_front(), Some(Action::TellNotPassed(..))));
    }
}

fn forwarding(forwarding: Forwarding) -> Lifecycle {
    let kill_after = Some(Duration::from_secs(5));
    let mut lifecycle = Lifecycle::new(OWN, true, SignalSet::ALL, forwarding, kill_after);
    lifecycle.started(CHILD, Group::Own(None), no_terminal, &mut Actions::new());
    lifecycle
}

/// What is wanted when this signal comes, but that it is told; with what the loop would say back.
fn comes(lifecycle: &mut Lifecycle, received: Received, now: Instant) -> Vec<String> {
    let mut actions = Actions::new();
    lifecycle.came(received, no_terminal, &mut actions);
    wanted(lifecycle, actions, now)
}

fn wanted(lifecycle: &mut Lifecycle, mut actions: Actions, now: Instant) -> Vec<String> {
    let mut wanted = Vec::new();
    while let Some(action) = actions.pop_front() {
        match action {
            Action::Pass(received, to) => {
                wanted.push(format!("{} to {to:?}", received.signal));
                lifecycle.passed(received, Ok(()), || now, &mut actions);
            }
            Action::TellDropped(received) => wanted.push(format!("{} dropped", received.signal)),
            Action::Delay(delayed, delay) => {
                wanted.push(format!("{} later", delayed.came.signal));
                lifecycle.delayed(delayed, now.checked_add(delay));
            }
            Action::StopAsked { after, .. } => lifecycle.stop_asked(after, now),
            Action::SignalGroup(signal) => wanted.push(format!("{signal} to the group of our own")),
            _ => {}
        }
    }
    wanted
}

fn due(lifecycle: &mut Lifecycle, now: Instant) -> Vec<String> {
    let mut actions = Actions::new();
    lifecycle.time_is_up(now, &mut actions);
    wanted(lifecycle, actions, now)
}

fn rewriting(rewrites: &[(Signal, Option<Signal>)]) -> Lifecycle {
    forwarding(Forwarding { rewrites: rewrites.to_vec(), ..Forwarding::default() })
}

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
    assert_eq!(passed, [queued(50, 7)]);
}

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
        assert_eq!(matches!(actions.front(), Some(Action::StopAsked { .. })), stops, "{from} {to:?}");
    }
}

#[test]
fn a_stop_that_was_ignored_from_the_start_is_none_where_it_is_passed_on_as_it_is() {
    for (to, asked) in [(None, Some(Signal::TERM)), (Some(Signal::WINCH), None)] {
        let rewrites: Vec<_> = to.map(|to| (Signal::TERM, Some(to))).into_iter().collect();
        let (mut lifecycle, mut actions) = (rewriting(&rewrites), Actions::new());
        lifecycle.came(sent(Signal::TERM), no_terminal, &mut actions);
        let unless = actions.iter().find_map(|action| match action {
            Action::StopAsked { unless_ignored, .. } => Some(*unless_ignored),
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

/// The loop looks, and says that the child would die of it.
#[test]
fn what_a_child_is_spared_is_dropped_and_the_next_in_the_queue_follows() {
    let unless_uncaught = SignalSet::ALL.without(Signal::TERM);
    let mut lifecycle = forwarding(Forwarding { unless_uncaught, ..Forwarding::default() });
    assert!(lifecycle.spares(Signal::USR1) && !lifecycle.spares(Signal::TERM));
    let (mut actions, now) = (Actions::new(), Instant::now());
    for value in 0..2 {
        lifecycle.came(queued(40, value), no_terminal, &mut actions);
        assert!(act(&mut lifecycle, &mut actions, now, &mut 0).is_empty());
    }
    lifecycle.time_is_up(lifecycle.deadline().unwrap(), &mut actions);
    assert!(matches!(actions.pop_front(), Some(Action::Pass(first, _)) if first == queued(40, 0)));
    lifecycle.spared_of(queued(40, 0), &mut actions);
    assert!(matches!(actions.pop_front(), Some(Action::TellDropped(first)) if first == queued(40, 0)));
    assert_eq!(act(&mut lifecycle, &mut actions, now, &mut 1), [queued(40, 1)]);
}

#[test]
fn all_go_to_the_group_if_that_is_asked_for() {
    let mut lifecycle = forwarding(Forwarding { to_group: true, ..Forwarding::default() });
    assert_eq!(comes(&mut lifecycle, sent(Signal::USR1), Instant::now()), ["SIGUSR1 to Group"]);
    let mut lifecycle =
        Lifecycle::new(OWN, true, SignalSet::ALL, Forwarding { to_group: true, ..Forwarding::default() }, None);
    lifecycle.started(CHILD, Group::Shared, no_terminal, &mut Actions::new());
    assert_eq!(comes(&mut lifecycle, sent(Signal::USR1), Instant::now()), ["SIGUSR1 to Child"], "it is our group, too");
}

const TEN: Duration = Duration::from_secs(10);

fn delaying(signal: Signal) -> Lifecycle {
    forwarding(Forwarding { delays: vec![(signal, TEN)], ..Forwarding::default() })
}

#[test]
fn a_signal_waits_for_its_time_and_the_child_is_killed_so_much_later() {
    let (mut lifecycle, now) = (delaying(Signal::TERM), Instant::now());
    assert_eq!(comes(&mut lifecycle, sent(Signal::TERM), now), ["SIGTERM later"]);
    assert_eq!(lifecycle.deadline(), Some(now + TEN));
    assert_eq!(due(&mut lifecycle, now + TEN - Duration::from_millis(1)), [""; 0]);
    assert_eq!(comes(&mut lifecycle, sent(Signal::USR1), now), ["SIGUSR1 to Child"]);
    assert_eq!(due(&mut lifecycle, now + TEN), ["SIGTERM to Child"]);
    assert_eq!(lifecycle.deadline(), Some(now + TEN + Duration::from_secs(5)), "counted from when it was sent");
    assert_eq!(comes(&mut lifecycle, sent(Signal::TERM), now + TEN), ["SIGTERM to Child"], "one more isn't delayed");
    assert_eq!(due(&mut lifecycle, now + TEN + Duration::from_secs(5)), ["SIGKILL to the group of our own"]);
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
    assert!(actions.iter().any(|action| matches!(action, Action::StopAsked { asks: Asks::SameStop, .. })));
    assert_eq!(wanted(&mut lifecycle, actions, now), ["SIGHUP dropped"]);
    assert_eq!(due(&mut lifecycle, now + TEN), ["SIGHUP to Child"]);
    assert_eq!(due(&mut lifecycle, now + TEN + Duration::from_secs(5)), ["SIGKILL to the group of our own"]);
}

/// The terminal stops a child of our own group whatever is forwarded.
#[test]
fn a_dropped_tstp_stops_beside_a_child_of_the_same_group() {
    for (group, stops) in [(Group::Shared, true), (Group::Own(None), false), (Group::Session, false)] {
        let rewrites = vec![(Signal::TSTP, None)];
        let mut lifecycle = forwarding(Forwarding { rewrites, ..Forwarding::default() });
        lifecycle.group = group;
        for (origin, stops) in [(Origin::Kernel, stops), (sent(Signal::TSTP).origin, false)] {
            let mut actions = Actions::new();
            lifecycle.came(Received { signal: Signal::TSTP, origin }, no_terminal, &mut actions);
            assert_eq!(actions.iter().any(|action| matches!(action, Action::StopBeside(_))), stops, "{origin:?}");
        }
    }
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
fn cont_is_job_controls() {
    let rewrites = vec![(Signal::CONT, None)];
    let mut lifecycle = forwarding(Forwarding { rewrites, delays: vec![(Signal::CONT, TEN)], ..Forwarding::default() });
    assert_eq!(comes(&mut lifecycle, sent(Signal::CONT), Instant::now()), ["SIGCONT to Child"]);
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

fn finish(lifecycle: &mut Lifecycle, status: ExitStatus) -> End {
    let mut actions = Actions::new();
    lifecycle.ended(status, no_terminal, &mut actions);
    let end = actions.into_iter().find_map(|action| match action {
        Action::Finish(end) => Some(end),
        _ => None,
    });
    end.unwrap()
}

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
        let asked = |action: &Action| matches!(action, Action::StopAsked { asks: Asks::SameStop, .. });
        assert_eq!(actions.iter().any(asked), ends, "{code}");
        assert!(matches!(actions.back(), Some(Action::Finish(_))), "and is said before the end is");
        // And only that run: it is nothing to the next.
        lifecycle.started(CHILD, Group::Own(None), no_terminal, &mut actions);
        assert!(!finish(&mut lifecycle, ExitStatus::Exited(0)).requested);
    }
}

/// ^Z stops panicmon beside a child in another session, whatever it becomes; and after the child was told.
#[test]
fn a_terminals_stop_stops_this_process_beside_a_child_in_another_session() {
    let tstp = Signal::TSTP;
    for (to, expected) in [
        (Some(tstp), vec!["SIGTSTP to Group", "beside"]),
        (Some(Signal::STOP), vec!["SIGSTOP to Group", "beside"]),
        (Some(Signal::USR1), vec!["SIGUSR1 to Group", "beside"]),
        (None, vec!["SIGTSTP dropped"]),
    ] {
        let mut lifecycle = rewriting(&[(tstp, to)]);
        let (mut actions, mut seen) = (Actions::new(), Vec::new());
        lifecycle.started(CHILD, Group::Session, no_terminal, &mut actions);
        lifecycle.came(from_kernel(tstp), no_terminal, &mut actions);
        for action in actions.drain(..) {
            match action {
                Action::Pass(received, to) => seen.push(format!("{} to {to:?}", received.signal)),
                Action::TellDropped(received) => seen.push(format!("{} dropped", received.signal)),
                Action::StopBeside(_) => seen.push("beside".to_owned()),
                _ => {}
            }
        }
        assert_eq!(seen, expected);
        assert_eq!(comes(&mut lifecycle, sent(Signal::CONT), Instant::now()), ["SIGCONT to Group"]);
    }
}

#[test]
fn who_was_killed_by_this_process_is_known() {
    let by_kill = ExitStatus::Signaled { signal: Signal::KILL, core_dumped: false };
    let (mut lifecycle, now) = (rewriting(&[]), Instant::now());
    comes(&mut lifecycle, sent(Signal::TERM), now);
    due(&mut lifecycle, now + Duration::from_secs(5));
    let end = finish(&mut lifecycle, by_kill);
    assert!(end.killed && end.timed_out && !end.requested);
    let mut lifecycle = rewriting(&[(Signal::TERM, Some(Signal::KILL))]);
    comes(&mut lifecycle, sent(Signal::TERM), now);
    let end = finish(&mut lifecycle, by_kill);
    assert!(end.killed && !end.timed_out);
    assert!(!finish(&mut rewriting(&[]), by_kill).killed);
}

/// Between two runs.
fn waiting() -> Lifecycle {
    let mut lifecycle = running();
    lifecycle.ended(ExitStatus::Exited(1), no_terminal, &mut Actions::new());
    lifecycle
}

#[test]
fn what_a_child_has_from_us_did_not_come_by_its_group() {
    let (mut lifecycle, mut actions) = (waiting(), Actions::new());
    lifecycle.came(queued(40, 0), no_terminal, &mut actions);
    assert!(actions.is_empty());
    lifecycle.started(CHILD, Group::Own(None), no_terminal, &mut actions);
    assert_eq!(act(&mut lifecycle, &mut actions, Instant::now(), &mut 9), [queued(40, 0)]);
    // When the child looks at what has come to it by the group it was in, it finds that, too.
    lifecycle.had([40, 41].into_iter().filter_map(Signal::new).collect());
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
        assert!(matches!(actions.pop_front(), Some(Action::StopAsked { .. })), "{received:?}");
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
    assert!(matches!(actions.pop_front(), Some(Action::StopBeside(Signal::TSTP))));
    lifecycle.started(CHILD, Group::Shared, no_terminal, &mut actions);
    assert_eq!(act(&mut lifecycle, &mut actions, Instant::now(), &mut 9), kept);
}

#[test]
fn the_next_child_starts_with_nothing_of_the_last() {
    let (mut lifecycle, mut actions, now) = (running(), Actions::new(), Instant::now());
    for value in 0..HELD_ENOUGH {
        lifecycle.came(queued(40, value), no_terminal, &mut actions);
        act(&mut lifecycle, &mut actions, now, &mut 0);
    }
    lifecycle.doomed(Signal::INT);
    assert!(lifecycle.leaves_realtime());
    lifecycle.ended(ExitStatus::Exited(1), no_terminal, &mut actions);
    assert!(actions.iter().any(|action| matches!(action, Action::LeaveRealtime)) && !lifecycle.leaves_realtime());
    actions.clear();
    lifecycle.started(CHILD, Group::Shared, no_terminal, &mut actions);
    lifecycle.came(queued(40, 99), no_terminal, &mut actions);
    assert_eq!(act(&mut lifecycle, &mut actions, now, &mut 1), [queued(40, 99)]);
    assert_eq!(end(&mut lifecycle, ExitStatus::Exited(0)), None);
}

#[test]
fn who_does_not_stop_in_time_is_killed_once_and_with_its_group() {
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
    assert!(matches!(actions.pop_front(), Some(Action::TellKilled(told)) if told == after));
    assert!(matches!(actions.pop_front(), Some(Action::SignalGroup(Signal::KILL))));
    lifecycle.time_is_up(now + 2 * after, &mut actions);
    assert!(actions.is_empty());

    lifecycle.stop(Signal::INT, now, &mut actions);
    assert!(matches!(actions.pop_front(), Some(Action::SignalGroup(Signal::INT))));
    lifecycle.stop(Signal::INT, now, &mut actions);
    assert!(actions.is_empty(), "once");
    lifecycle.kill(&mut actions);
    lifecycle.ended(ExitStatus::Exited(0), no_terminal, &mut actions);
    assert!(matches!(actions.pop_front(), Some(Action::Finish(_))), "nobody is signalled after its end");
    assert_eq!(lifecycle.deadline(), None);
    lifecycle.stop(Signal::INT, now, &mut actions);
    lifecycle.kill(&mut actions);
    assert!(actions.is_empty() && lifecycle.deadline().is_none());

    let mut lifecycle = started(Group::Own(None), None);
    lifecycle.stopped(Signal::TSTP, no_terminal, &mut Actions::new());
    lifecycle.stop(Signal::INT, now, &mut actions);
    assert_eq!(lifecycle.deadline(), Some(now + GRACE), "nobody said how long");
    assert!(matches!(actions.pop_back(), Some(Action::Continue)), "who is stopped couldn't end");
    lifecycle.continued(&mut Actions::new());
    lifecycle.stopped(Signal::STOP, no_terminal, &mut actions);
    assert!(matches!(actions.pop_back(), Some(Action::Continue)), "nor who stops then");
}

#[test]
fn what_the_process_did_to_itself_is_not_the_childs() {
    let (mut lifecycle, mut actions) = (running(), Actions::new());
    for signal in [Signal::PIPE, Signal::XFSZ] {
        lifecycle.came(Received { signal, origin: Origin::Process { pid: OWN, uid: 0 } }, no_terminal, &mut actions);
    }
    lifecycle.came(Received { signal: Signal::XCPU, origin: Origin::Kernel }, no_terminal, &mut actions);
    assert!(actions.is_empty());
    lifecycle.came(
        Received { signal: Signal::USR1, origin: Origin::Process { pid: OWN, uid: 0 } },
        no_terminal,
        &mut actions,
    );
    assert_eq!(actions.len(), 2);
}

#[test]
fn what_the_terminal_sent_has_reached_a_child_in_the_same_group() {
    for signal in [Signal::INT, Signal::QUIT, Signal::TSTP, Signal::TTIN, Signal::TTOU, Signal::WINCH] {
        let (mut lifecycle, mut actions) = (running(), Actions::new());
        lifecycle.came(Received { signal, origin: Origin::Kernel }, no_terminal, &mut actions);
        but_stop_asked(&mut actions);
        assert!(matches!(actions.pop_front(), Some(Action::TellReceived(_))), "{signal}");
        // It has stopped, too.
        let stops = matches!(actions.pop_front(), Some(Action::StopBeside(Signal::TSTP)));
        assert_eq!(stops, signal == Signal::TSTP);
        assert!(actions.is_empty());
    }
    let (mut lifecycle, mut actions) = (running(), Actions::new());
    lifecycle.came(Received { signal: Signal::ALRM, origin: Origin::Kernel }, no_terminal, &mut actions);
    assert_eq!(actions.len(), 2);
}

#[test]
fn after_the_end_of_the_child_nobody_is_signalled() {
    let (mut lifecycle, mut actions) = (running(), Actions::new());
    lifecycle.came(sent(Signal::USR1), no_terminal, &mut actions);
    lifecycle.ended(ExitStatus::Exited(42), no_terminal, &mut actions);
    lifecycle.came(sent(Signal::USR2), no_terminal, &mut actions);
    assert!(!actions.iter().any(|action| matches!(action, Action::Pass(..))), "{actions:?}");
    assert!(matches!(actions.pop_back(), Some(Action::Finish(end)) if end.status == ExitStatus::Exited(42)));
    assert_eq!(lifecycle.deadline(), None);
}

#[test]
fn a_standard_signal_overtakes_those_that_found_no_room() {
    let (mut lifecycle, mut actions, now) = (running(), Actions::new(), Instant::now());
    lifecycle.came(queued(40, 1), no_terminal, &mut actions);
    assert!(act(&mut lifecycle, &mut actions, now, &mut 0).is_empty());
    lifecycle.came(sent(Signal::TERM), no_terminal, &mut actions);
    assert_eq!(act(&mut lifecycle, &mut actions, now, &mut 0), [sent(Signal::TERM)]);
}

#[test]
fn the_wait_for_room_doubles_up_to_its_limit_and_starts_anew_with_room() {
    let (mut lifecycle, mut actions, mut now) = (running(), Actions::new(), Instant::now());
    for value in 0..3 {
        lifecycle.came(queued(40, value), no_terminal, &mut actions);
        act(&mut lifecycle, &mut actions, now, &mut 0);
    }
    let mut waits = Vec::new();
    for _ in 0..9 {
        let deadline = lifecycle.deadline().unwrap();
        waits.push((deadline - now).as_millis());
        lifecycle.time_is_up(now, &mut actions);
        assert!(actions.is_empty(), "too early");
        now = deadline;
        lifecycle.time_is_up(now, &mut actions);
        act(&mut lifecycle, &mut actions, now, &mut 0);
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 100, 100]);
    now = lifecycle.deadline().unwrap();
    lifecycle.time_is_up(now, &mut actions);
    assert_eq!(act(&mut lifecycle, &mut actions, now, &mut 1), [queued(40, 0)]);
    assert_eq!(lifecycle.deadline(), Some(now + RETRY_MIN));
}

#[test]
fn with_many_held_the_others_stay_in_the_kernel_until_there_is_room() {
    let (mut lifecycle, mut actions, now) = (running(), Actions::new(), Instant::now());
    let mut wanted = Vec::new();
    for value in 0..HELD_ENOUGH {
        lifecycle.came(queued(40, value), no_terminal, &mut actions);
        while let Some(action) = actions.pop_front() {
            match action {
                Action::Pass(received, _) => lifecycle.passed(received, full(), || now, &mut actions),
                Action::ReserveQueue => wanted.push((value, "reserve")),
                Action::LeaveRealtime => {
                    assert!(lifecycle.leaves_realtime());
                    wanted.push((value, "leave"));
                }
                _ => {}
            }
        }
    }
    assert_eq!(wanted, [(0, "reserve"), (HELD_ENOUGH - 1, "leave")]);
    lifecycle.time_is_up(lifecycle.deadline().unwrap(), &mut actions);
    let mut read_again = 0;
    while let Some(action) = actions.pop_front() {
        match action {
            Action::Pass(received, _) => lifecycle.passed(received, Ok(()), || now, &mut actions),
            Action::LeaveRealtime => read_again += usize::from(!lifecycle.leaves_realtime()),
            _ => {}
        }
    }
    assert_eq!((read_again, lifecycle.deadline()), (1, None));
}

/// The queue of signals has one count for this process and its child. It is filled up to the limit while the first
/// signal finds no room; only then our own limit is lower.
#[test]
fn a_queue_that_was_full_when_our_limit_was_lowered_leaves_the_child_room() {
    const BATCH: usize = crate::sys::signals::process::BATCH;
    let limit = 4 * BATCH;
    let (mut lifecycle, mut actions, now) = (running(), Actions::new(), Instant::now());
    let mut pending = limit;
    let mut value = 0;
    while !lifecycle.leaves_realtime() {
        pending -= BATCH;
        if value == 0 {
            // Before the first of the batch is passed on, senders have filled the room it made.
            pending = limit;
        }
        for _ in 0..BATCH {
            lifecycle.came(queued(40, value), no_terminal, &mut actions);
            value += 1;
            assert!(act(&mut lifecycle, &mut actions, now, &mut 0).is_empty());
        }
    }
    assert!(pending < limit, "nobody makes room any more, and the child has none");
}

/// Whatever comes in whatever order, with a child that has room now and then: each signal is passed on once, the
/// queued ones of a number in their order.
#[test]
fn at_random_nothing_is_lost_doubled_or_out_of_order() {
    let mut numbers = Random::new(1);
    let mut random = |below: u64| numbers.below(below);
    for _ in 0..200 {
        let (mut lifecycle, mut actions, mut now) = (running(), Actions::new(), Instant::now());
        let (mut came, mut passed, mut room) = (Vec::new(), Vec::new(), 5);
        for value in 0..500 {
            let received = queued([15, 36, 37, 64][random(4) as usize], value);
            came.push(received);
            lifecycle.came(received, no_terminal, &mut actions);
            passed.extend(act(&mut lifecycle, &mut actions, now, &mut room));
            if random(10) == 0 {
                room += random(20) as usize;
            }
            if random(20) == 0 {
                now = lifecycle.deadline().unwrap_or(now);
                lifecycle.time_is_up(now, &mut actions);
                passed.extend(act(&mut lifecycle, &mut actions, now, &mut room));
            }
        }
        while let Some(deadline) = lifecycle.deadline() {
            room += 1;
            lifecycle.time_is_up(deadline, &mut actions);
            passed.extend(act(&mut lifecycle, &mut actions, deadline, &mut room));
        }
        for number in [15, 36, 37, 64] {
            let of =
                |all: &[Received]| all.iter().filter(|one| one.signal.number() == number).copied().collect::<Vec<_>>();
            assert_eq!(of(&passed), of(&came));
        }
    }
}

fn at_terminal(standing: Standing) -> Lifecycle {
    let job = JobControl::new(standing, Foreground::Own);
    started(Group::Own(Some(job)), None)
}

fn from_kernel(signal: Signal) -> Received {
    Received { signal, origin: Origin::Kernel }
}

/// To whom it is passed on, if to anybody.
fn passed_to(lifecycle: &mut Lifecycle, received: Received) -> Option<To> {
    let mut actions = Actions::new();
    lifecycle.came(received, || Foreground::Own, &mut actions);
    actions.into_iter().find_map(|action| if let Action::Pass(_, to) = action { Some(to) } else { None })
}

#[test]
fn the_terminals_signals_go_to_the_childs_group_and_those_of_kill_to_the_child() {
    let leader = Standing { session_leader: true, ..JOB };
    for signal in Signal::all() {
        let terminals = [Signal::INT, Signal::QUIT, Signal::TSTP, Signal::TTIN, Signal::TTOU, Signal::WINCH];
        let group = terminals.contains(&signal) || signal == Signal::CONT;
        let is_own = signal == Signal::XCPU;
        let to = |group| Some(if group { To::Group } else { To::Child });
        let kernels = to(group || signal == Signal::HUP).filter(|_| !is_own);
        assert_eq!(passed_to(&mut at_terminal(JOB), from_kernel(signal)), kernels, "{signal}");
        // The hang-up is for the leader of the session alone.
        assert_eq!(passed_to(&mut at_terminal(leader), from_kernel(signal)), to(group).filter(|_| !is_own));
        assert_eq!(passed_to(&mut at_terminal(JOB), sent(signal)), to(signal == Signal::CONT), "{signal}");
        // Without a terminal, none is from one.
        let mut lifecycle = started(Group::Own(None), None);
        assert_eq!(passed_to(&mut lifecycle, sent(signal)), to(false));
    }
}

/// `bg` continues a pipeline: its reader is first, wants the terminal, and the TTIN discards the CONT of the others.
#[test]
fn a_cont_that_was_discarded_continues_the_child_all_the_same() {
    for (with_cont, goes_on) in [(false, true), (true, false)] {
        let (mut lifecycle, mut actions) = (at_terminal(JOB), Actions::new());
        let wants =
            |actions: &mut Actions| actions.drain(..).filter(|action| matches!(action, Action::Continue)).count();
        lifecycle.signals_come(false, || Foreground::Other, &mut actions);
        assert_eq!(wants(&mut actions), 0, "nothing has stopped");
        lifecycle.resumed();
        lifecycle.signals_come(with_cont, || Foreground::Other, &mut actions);
        assert_eq!(wants(&mut actions), usize::from(goes_on), "{with_cont}");
        lifecycle.signals_come(false, || Foreground::Other, &mut actions);
        assert_eq!(wants(&mut actions), 0, "once");
    }
}

fn end(lifecycle: &mut Lifecycle, status: ExitStatus) -> Option<Signal> {
    let mut actions = Actions::new();
    lifecycle.ended(status, || Foreground::Own, &mut actions);
    match actions.pop_back() {
        Some(Action::Finish(end)) => end.die_of,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_the_terminal_sent_too_late_for_a_doomed_child_counts_all_the_same() {
    let script = Standing { group_leader: false, ..JOB };
    let mut lifecycle = at_terminal(script);
    let mut actions = Actions::new();
    lifecycle.came(from_kernel(Signal::INT), || Foreground::Own, &mut actions);
    assert!(actions.iter().any(|action| matches!(action, Action::SeeFate(Signal::INT))));
    lifecycle.doomed(Signal::INT);
    assert_eq!(end(&mut lifecycle, ExitStatus::Exited(0)), Some(Signal::INT));
    // One that catches it meanwhile, or lives through it, ends as it ends.
    let mut lifecycle = at_terminal(script);
    lifecycle.doomed(Signal::INT);
    lifecycle.spared();
    assert_eq!(end(&mut lifecycle, ExitStatus::Exited(0)), None);
    let mut lifecycle = at_terminal(script);
    lifecycle.came(from_kernel(Signal::INT), || Foreground::Own, &mut actions);
    assert_eq!(end(&mut lifecycle, ExitStatus::Exited(0)), None);
}

#[test]
fn die_as_the_child_died_where_it_is_looked_at() {
    let killed = |signal| ExitStatus::Signaled { signal, core_dumped: false };
    assert_eq!(end(&mut at_terminal(JOB), killed(Signal::TERM)), Some(Signal::TERM));
    let script = Standing { group_leader: false, ..JOB };
    assert_eq!(end(&mut at_terminal(script), killed(Signal::TERM)), None);
    let leader = Standing { session_leader: true, ..JOB };
    assert_eq!(end(&mut at_terminal(leader), killed(Signal::TERM)), None);
    assert_eq!(end(&mut running(), killed(Signal::TERM)), None);
}
