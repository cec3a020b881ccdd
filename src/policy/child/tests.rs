mod delays;
mod ends;
mod forwarding;
mod queue;
mod runs;
mod terminal;

use super::*;
use crate::model::standing::Standing;
use crate::model::test_random::Random;
use crate::policy::action::Action;
use crate::policy::held::MANY_HELD;
use crate::policy::job_control::JobControl;
use crate::policy::job_control::tests::JOB;
use crate::policy::kill::DEFAULT_GRACE_PERIOD;
use crate::policy::stop::Stops;

const CHILD: Pid = Pid::new(7);
const OWN: Own = Own { pid: Pid::new(1), is_wrapper: true };

fn no_terminal() -> Foreground {
    Foreground::Other
}

fn running() -> Lifecycle {
    started(Group::Shared, None)
}

fn started(group: Group, kill_after: Option<Duration>) -> Lifecycle {
    let mut lifecycle = Lifecycle::new(OWN, SignalSet::ALL, Forwarding::default(), kill_after);
    lifecycle.started(CHILD, group, no_terminal, &mut Actions::new());
    lifecycle
}

/// Forgets the action that says that it is a stop.
fn without_stop_asked(actions: &mut Actions) {
    actions.retain(|action| !matches!(action, Action::Loop(LoopAction::StopAsked { .. })));
}

fn sent(signal: Signal) -> Received {
    Received::of(signal, Origin::Process { pid: Pid::new(9), uid: 0 })
}

fn queued(number: i32, value: usize) -> Received {
    let signal = Signal::new(number).unwrap();
    Received::of(signal, Origin::Queue { pid: Pid::new(9), uid: 0, value })
}

fn full() -> io::Result<()> {
    Err(io::ErrorKind::WouldBlock.into())
}

impl Lifecycle {
    /// A signal came, judged as the loop does it.
    fn came(&mut self, received: Received, foreground: impl FnOnce() -> Foreground, actions: &mut Actions) {
        let asks = Stops::new(Stops::DEFAULT, true).judge(received, || false, Instant::now);
        self.signal(received, asks, foreground, actions);
    }
}

/// Does what is wanted, with a child that has this much room: what was passed on.
fn act(lifecycle: &mut Lifecycle, actions: &mut Actions, now: Instant, room: &mut usize) -> Vec<Received> {
    let mut passed = Vec::new();
    while let Some(action) = actions.take_next() {
        if let Action::Child(ChildAction::Pass(received, _)) = action {
            let found = !received.signal.is_realtime() || *room > 0;
            if found {
                passed.push(received);
                *room -= usize::from(received.signal.is_realtime());
            }
            lifecycle.passed(received, To::Child, if found { Ok(()) } else { full() }, || now, actions);
        }
    }
    passed
}

fn from_kernel(signal: Signal) -> Received {
    Received::of(signal, Origin::Kernel)
}

/// Between two runs.
fn waiting() -> Lifecycle {
    let mut lifecycle = running();
    lifecycle.ended(ExitStatus::Exited(1), no_terminal, &mut Actions::new());
    lifecycle
}

fn forwarding(forwarding: Forwarding) -> Lifecycle {
    let kill_after = Some(Duration::from_secs(5));
    let mut lifecycle = Lifecycle::new(OWN, SignalSet::ALL, forwarding, kill_after);
    lifecycle.started(CHILD, Group::Own(None), no_terminal, &mut Actions::new());
    lifecycle
}

/// What is wanted when this signal comes, but for what is told; answered as the loop does.
fn comes(lifecycle: &mut Lifecycle, received: Received, now: Instant) -> Vec<String> {
    let mut actions = Actions::new();
    lifecycle.came(received, no_terminal, &mut actions);
    wanted(lifecycle, actions, now)
}

fn wanted(lifecycle: &mut Lifecycle, mut actions: Actions, now: Instant) -> Vec<String> {
    let mut wanted = Vec::new();
    while let Some(action) = actions.take_next() {
        match action {
            Action::Child(ChildAction::Pass(received, to)) => {
                wanted.push(format!("{} to {to:?}", received.signal));
                lifecycle.passed(received, To::Child, Ok(()), || now, &mut actions);
            }
            Action::Child(ChildAction::Tell(Tell::Dropped(received))) => {
                wanted.push(format!("{} dropped", received.signal));
            }
            Action::Child(ChildAction::Delay(delayed, delay)) => {
                wanted.push(format!("{} later", delayed.came.signal));
                lifecycle.delayed(delayed, now.checked_add(delay));
            }
            Action::Loop(LoopAction::StopAsked { after, .. }) => lifecycle.stop_asked(after, now),
            Action::Child(ChildAction::SignalGroup(signal)) => {
                wanted.push(format!("{signal} to the group by ourselves"));
            }
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

fn finish(lifecycle: &mut Lifecycle, status: ExitStatus) -> End {
    let mut actions = Actions::new();
    lifecycle.ended(status, no_terminal, &mut actions);
    let end = actions.into_iter().find_map(|action| match action {
        Action::Loop(LoopAction::Ended(end)) => Some(end),
        _ => None,
    });
    end.unwrap()
}

fn end(lifecycle: &mut Lifecycle, status: ExitStatus) -> Option<Signal> {
    let mut actions = Actions::new();
    lifecycle.ended(status, || Foreground::Own, &mut actions);
    match actions.pop_back() {
        Some(Action::Loop(LoopAction::Ended(end))) => end.die_of,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_signal_is_told_passed_and_told_again() {
    for signal in Signal::all() {
        let (mut lifecycle, mut actions) = (running(), Actions::new());
        lifecycle.came(sent(signal), no_terminal, &mut actions);
        assert!(
            matches!(actions.take_next(), Some(Action::Child(ChildAction::Tell(Tell::Received(received)))) if received == sent(signal))
        );
        let stop = [Signal::TERM, Signal::INT].contains(&signal);
        assert_eq!(stop, matches!(actions.front(), Some(Action::Loop(LoopAction::StopAsked { .. }))), "{signal}");
        without_stop_asked(&mut actions);
        assert!(
            matches!(actions.take_next(), Some(Action::Child(ChildAction::Pass(received, To::Child))) if received == sent(signal))
        );
        assert!(actions.is_empty());
        lifecycle.passed(sent(signal), To::Child, Ok(()), Instant::now, &mut actions);
        assert!(matches!(actions.take_next(), Some(Action::Child(ChildAction::Tell(Tell::Passed(..))))));
        lifecycle.passed(
            sent(signal),
            To::Child,
            Err(io::ErrorKind::PermissionDenied.into()),
            Instant::now,
            &mut actions,
        );
        assert!(matches!(actions.take_next(), Some(Action::Child(ChildAction::Tell(Tell::NotPassed(..))))));
    }
}

#[test]
fn what_the_process_did_to_itself_is_not_the_childs() {
    let (mut lifecycle, mut actions) = (running(), Actions::new());
    let by_itself = |signal| Received::of(signal, Origin::Process { pid: OWN.pid, uid: 0 });
    lifecycle.came(by_itself(Signal::PIPE), no_terminal, &mut actions);
    assert!(actions.is_empty());
    lifecycle.came(by_itself(Signal::USR1), no_terminal, &mut actions);
    assert_eq!(actions.len(), 2);
}

#[test]
fn after_the_end_of_the_child_nobody_is_signalled() {
    let (mut lifecycle, mut actions) = (running(), Actions::new());
    lifecycle.came(sent(Signal::USR1), no_terminal, &mut actions);
    lifecycle.ended(ExitStatus::Exited(42), no_terminal, &mut actions);
    lifecycle.came(sent(Signal::USR2), no_terminal, &mut actions);
    assert!(!actions.iter().any(|action| matches!(action, Action::Child(ChildAction::Pass(..)))), "{actions:?}");
    assert!(
        matches!(actions.pop_back(), Some(Action::Loop(LoopAction::Ended(end))) if end.status == ExitStatus::Exited(42))
    );
    assert_eq!(lifecycle.deadline(), None);
}
