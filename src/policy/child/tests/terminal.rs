//! What a terminal sends, and job control.

use super::*;

fn at_terminal(standing: Standing) -> Lifecycle {
    let job = JobControl::new(standing, Foreground::Own);
    started(Group::Own(Some(job)), None)
}

/// To whom it is passed on, if to anybody.
fn passed_to(lifecycle: &mut Lifecycle, received: Received) -> Option<To> {
    let mut actions = Actions::new();
    lifecycle.came(received, || Foreground::Own, &mut actions);
    actions
        .into_iter()
        .find_map(|action| if let Action::Child(ChildAction::Pass(_, to)) = action { Some(to) } else { None })
}

/// What stops this process for ^Z, and the child's stop.
fn stops_with_child(lifecycle: &mut Lifecycle, event: impl FnOnce(&mut Lifecycle, &mut Actions)) -> bool {
    let mut actions = Actions::new();
    event(lifecycle, &mut actions);
    actions.iter().any(|action| matches!(action, Action::Loop(LoopAction::StopWithChild(Signal::TSTP))))
}

/// An editor puts the terminal in order before it stops. In a host program, the terminal stops the host at once.
#[test]
fn a_wrapper_stops_when_a_child_of_its_group_does() {
    let tstp = |lifecycle: &mut Lifecycle, actions: &mut Actions| {
        lifecycle.came(from_kernel(Signal::TSTP), no_terminal, actions);
    };
    let child_stops =
        |lifecycle: &mut Lifecycle, actions: &mut Actions| lifecycle.stopped(Signal::STOP, no_terminal, actions);
    let mut lifecycle = running();
    assert!(!stops_with_child(&mut lifecycle, child_stops), "nobody has asked it to");
    lifecycle.continued(&mut Actions::new());
    assert!(!stops_with_child(&mut lifecycle, tstp), "before the child");
    assert!(stops_with_child(&mut lifecycle, child_stops));
    assert!(stops_with_child(&mut lifecycle, tstp), "the child has stopped before it");
    assert!(!stops_with_child(&mut lifecycle, child_stops), "it has been stopped for that");
    let mut host = running();
    host.own.is_wrapper = false;
    assert!(stops_with_child(&mut host, tstp));
    assert!(!stops_with_child(&mut host, child_stops));
}

/// The terminal stops a child in this process's group, whatever is forwarded.
#[test]
fn a_dropped_tstp_stops_this_process_with_a_child_of_its_group() {
    for (group, stops) in [(Group::Shared, true), (Group::Own(None), false), (Group::Session(()), false)] {
        let rewrites = vec![(Signal::TSTP, None)];
        let mut lifecycle = forwarding(Forwarding { rewrites, ..Forwarding::default() });
        lifecycle.group = group;
        lifecycle.stopped.child_stopped(&mut Actions::new());
        for (origin, stops) in [(Origin::Kernel, stops), (sent(Signal::TSTP).origin, false)] {
            let mut actions = Actions::new();
            lifecycle.came(Received::of(Signal::TSTP, origin), no_terminal, &mut actions);
            assert_eq!(
                actions.iter().any(|action| matches!(action, Action::Loop(LoopAction::StopWithChild(_)))),
                stops,
                "{origin:?}"
            );
        }
    }
}

/// ^Z stops panicmon together with a child in another session, whatever is sent for it, and after the child was sent that.
#[test]
fn a_terminals_stop_stops_this_process_with_a_child_in_another_session() {
    let tstp = Signal::TSTP;
    for (to, expected) in [
        (Some(tstp), vec!["SIGTSTP to Group", "with it"]),
        (Some(Signal::STOP), vec!["SIGSTOP to Group", "with it"]),
        (Some(Signal::USR1), vec!["SIGUSR1 to Group", "with it"]),
        (None, vec!["SIGTSTP dropped"]),
    ] {
        let mut lifecycle = rewriting(&[(tstp, to)]);
        let (mut actions, mut seen) = (Actions::new(), Vec::new());
        lifecycle.started(CHILD, Group::Session(()), no_terminal, &mut actions);
        lifecycle.came(from_kernel(tstp), no_terminal, &mut actions);
        for action in actions.drain(..) {
            match action {
                Action::Child(ChildAction::Pass(received, to)) => seen.push(format!("{} to {to:?}", received.signal)),
                Action::Child(ChildAction::Tell(Tell::Dropped(received))) => {
                    seen.push(format!("{} dropped", received.signal));
                }
                Action::Loop(LoopAction::StopWithChild(_)) => seen.push("with it".to_owned()),
                _ => {}
            }
        }
        assert_eq!(seen, expected);
        assert_eq!(comes(&mut lifecycle, sent(Signal::CONT), Instant::now()), ["SIGCONT to Group"]);
    }
}

#[test]
fn what_the_terminal_sent_has_reached_a_child_in_the_same_group() {
    for signal in [Signal::INT, Signal::QUIT, Signal::TSTP, Signal::TTIN, Signal::TTOU, Signal::WINCH] {
        let (mut lifecycle, mut actions) = (running(), Actions::new());
        // By that signal, or another one.
        lifecycle.stopped.child_stopped(&mut Actions::new());
        lifecycle.came(Received::of(signal, Origin::Kernel), no_terminal, &mut actions);
        without_stop_asked(&mut actions);
        assert!(matches!(actions.take_next(), Some(Action::Child(ChildAction::Tell(Tell::Received(_))))), "{signal}");
        let stops = matches!(actions.take_next(), Some(Action::Loop(LoopAction::StopWithChild(Signal::TSTP))));
        assert_eq!(stops, signal == Signal::TSTP);
        assert!(actions.is_empty());
    }
    let (mut lifecycle, mut actions) = (running(), Actions::new());
    lifecycle.came(Received::of(Signal::ALRM, Origin::Kernel), no_terminal, &mut actions);
    assert_eq!(actions.len(), 2);
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
        let wants = |actions: &mut Actions| {
            actions.drain(..).filter(|action| matches!(action, Action::Child(ChildAction::Continue))).count()
        };
        lifecycle.signals_come(false, || Foreground::Other, &mut actions);
        assert_eq!(wants(&mut actions), 0, "nothing has stopped");
        lifecycle.resumed();
        lifecycle.signals_come(with_cont, || Foreground::Other, &mut actions);
        assert_eq!(wants(&mut actions), usize::from(goes_on), "{with_cont}");
        lifecycle.signals_come(false, || Foreground::Other, &mut actions);
        assert_eq!(wants(&mut actions), 0, "once");
    }
}

#[test]
fn what_the_child_would_have_died_of_counts_though_it_is_passed_on_too_late() {
    let script = Standing { group_leader: false, ..JOB };
    let mut lifecycle = at_terminal(script);
    let mut actions = Actions::new();
    lifecycle.came(from_kernel(Signal::INT), || Foreground::Own, &mut actions);
    assert!(actions.iter().any(|action| matches!(action, Action::Child(ChildAction::CheckDefaultAction(Signal::INT)))));
    lifecycle.will_die_of(Signal::INT);
    assert_eq!(end(&mut lifecycle, ExitStatus::Exited(0)), Some(Signal::INT));
    // One that catches it meanwhile, or lives through it, ends as it ends.
    let mut lifecycle = at_terminal(script);
    lifecycle.will_die_of(Signal::INT);
    lifecycle.not_fatal();
    assert_eq!(end(&mut lifecycle, ExitStatus::Exited(0)), None);
    let mut lifecycle = at_terminal(script);
    lifecycle.came(from_kernel(Signal::INT), || Foreground::Own, &mut actions);
    assert_eq!(end(&mut lifecycle, ExitStatus::Exited(0)), None);
}

#[test]
fn this_process_dies_as_the_child_died_where_a_shell_expects_it() {
    let killed = |signal| ExitStatus::Signaled { signal, core_dumped: false };
    assert_eq!(end(&mut at_terminal(JOB), killed(Signal::TERM)), Some(Signal::TERM));
    let script = Standing { group_leader: false, ..JOB };
    assert_eq!(end(&mut at_terminal(script), killed(Signal::TERM)), None);
    let leader = Standing { session_leader: true, ..JOB };
    assert_eq!(end(&mut at_terminal(leader), killed(Signal::TERM)), None);
    assert_eq!(end(&mut running(), killed(Signal::TERM)), None);
}
