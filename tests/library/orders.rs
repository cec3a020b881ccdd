//! Orders from other threads: an executor's child is stopped, and single processes of a supervisor are.

use crate::support::{PROBE, Scratch, children, deadline, name, status_field, wait_for};
use crate::{send_to_self, turn};
use panicmon::{
    Canceller, ControlError, Error, Event, Executor, ExitStatus, Handler, NoRestartOn, Options, ProcessConfig, Restart,
    Signal, Supervisor,
};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

/// Events, to the thread that gives the orders.
struct Tell(Sender<Event<'static>>);

impl Handler for Tell {
    fn event(&mut self, event: &Event<'_>) {
        let _ = self.0.send(event.to_owned());
    }
}

/// The next event of this kind, and of this process.
pub fn await_event(events: &Receiver<Event<'static>>, name: &str, kind: &str) -> Event<'static> {
    let mut others = Vec::new();
    while let Ok(event) = events.recv_timeout(deadline()) {
        if event.kind() == kind && event.name() == Some(name) {
            return event;
        }
        others.push(event);
    }
    panic!("{kind} of {name} was never told, but {others:?}");
}

/// Waits until the probe waits for signals, all of which it blocks: until its exec, it dies of none. (While it waits, its
/// status shows none as blocked.)
fn await_waiting(pid: u32) {
    wait_for("the child to wait for signals", || {
        let is_probe = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?.starts_with("panicmon-probe");
        let sleeps = status_field(pid, "State").is_some_and(|state| state.starts_with('S'));
        (is_probe && sleeps).then_some(())
    });
}

pub fn pid_of(event: &Event<'_>) -> u32 {
    match event {
        Event::Started(event) => event.pid.as_raw() as u32,
        other => panic!("{other:?}"),
    }
}

/// Kills all that runs. So a test that fails ends.
struct AtEnd(Canceller);

impl Drop for AtEnd {
    fn drop(&mut self) {
        self.0.kill();
    }
}

/// The status of a run that is given these orders once its child has started, and how that ended.
fn run_with_orders(
    options: Options<'_>,
    words: &[&str],
    order: impl FnOnce(&Canceller, u32) + Send,
) -> (u8, ExitStatus, bool) {
    let (sender, events) = mpsc::channel();
    let mut executor = Executor::new(options.name("it").handler(Tell(sender))).unwrap();
    let canceller = executor.canceller();
    thread::scope(|scope| {
        let orders = scope.spawn(move || {
            let _killed = AtEnd(canceller.clone());
            order(&canceller, pid_of(&await_event(&events, "it", "process.started")));
            match await_event(&events, "it", "process.exited") {
                Event::Exited(event) => (event.status, event.requested),
                other => panic!("{other:?}"),
            }
        });
        let code = executor.run(words).unwrap();
        let (status, requested) = orders.join().unwrap();
        (code.get(), status, requested)
    })
}

pub fn by(signal: Signal) -> ExitStatus {
    ExitStatus::Signaled { signal, core_dumped: false }
}

#[test]
fn a_cancelled_executor_sends_its_child_the_stop_signal() {
    let _turn = turn();
    let cancel = |canceller: &Canceller, _| canceller.cancel();
    let sleep = ["sleep", "1000"];
    assert_eq!(run_with_orders(Options::default(), &sleep, cancel), (143, by(Signal::TERM), true));
    let first = Options::default().stop_signals([Signal::USR2, Signal::INT]);
    assert_eq!(run_with_orders(first, &sleep, cancel), (140, by(Signal::USR2), true));
    let rewritten = Options::default().rewrite(Signal::TERM, Some(Signal::HUP));
    assert_eq!(run_with_orders(rewritten, &sleep, cancel), (129, by(Signal::HUP), true));
}

#[test]
fn a_cancelled_child_that_does_not_end_is_killed_after_its_time_or_by_the_second_call() {
    let _turn = turn();
    let stubborn = [PROBE, "receive"];
    let once = |canceller: &Canceller, pid: u32| {
        await_waiting(pid);
        canceller.cancel();
    };
    let options = || Options::default().stdout(panicmon::Output::Null);
    let (code, ..) = run_with_orders(options().kill_after(Duration::from_millis(1)), &stubborn, once);
    assert_eq!(code, 137);
    let kill_after = || options().kill_after(Duration::from_secs(3600));
    let twice = |canceller: &Canceller, pid: u32| {
        once(canceller, pid);
        wait_for("the stop signal to come", || {
            // It takes all signals, and says so: it has been woken by this one, or will be.
            status_field(pid, "State").filter(|state| state.starts_with('S'))
        });
        canceller.cancel();
    };
    assert_eq!(run_with_orders(kill_after(), &stubborn, twice), (137, by(Signal::KILL), false));
    let kill = |canceller: &Canceller, pid: u32| {
        await_waiting(pid);
        canceller.kill();
    };
    assert_eq!(run_with_orders(kill_after(), &stubborn, kill), (137, by(Signal::KILL), false));
}

#[test]
fn an_executor_that_is_cancelled_before_the_start_starts_nothing_and_runs_the_next() {
    let _turn = turn();
    let mut executor = Executor::new(Options::default()).unwrap();
    executor.canceller().cancel();
    assert!(matches!(executor.run([PROBE, "exit", "3"]), Err(Error::Cancelled)));
    assert_eq!(executor.run([PROBE, "exit", "3"]).unwrap().get(), 3);
    let canceller = executor.canceller();
    drop(executor);
    canceller.cancel();
}

#[test]
fn one_executor_is_cancelled_and_the_other_goes_on() {
    let _turn = turn();
    let (sender, events) = mpsc::channel();
    let mut goes_on = Executor::new(Options::default().name("other").handler(Tell(sender))).unwrap();
    let canceller = goes_on.canceller();
    thread::scope(|scope| {
        let other = scope.spawn(|| goes_on.run(["sleep", "1000"]).unwrap().get());
        let pid = pid_of(&await_event(&events, "other", "process.started"));
        let cancel = |canceller: &Canceller, _| canceller.cancel();
        assert_eq!(run_with_orders(Options::default(), &["sleep", "1000"], cancel).0, 143);
        assert!(children(std::process::id()).contains(&pid));
        canceller.kill();
        assert_eq!(other.join().unwrap(), 137);
    });
}

pub fn process(name: &str, words: &[&str]) -> ProcessConfig {
    let mut config = ProcessConfig::new(words[0]);
    config.name = name.to_owned();
    config.args = words[1..].iter().map(Into::into).collect();
    (config.min_wait, config.max_wait) = (Duration::from_secs(3600), Duration::from_secs(3600));
    config
}

/// Runs these, and gives orders by the control and the events; at the end all are cancelled.
pub fn controlled(
    configs: &[ProcessConfig],
    orders: impl FnOnce(&panicmon::Control, &Receiver<Event<'static>>) + Send,
) -> Vec<u8> {
    let (sender, events) = mpsc::channel();
    let mut supervisor = Supervisor::new([]).unwrap().handler(Tell(sender));
    let (control, canceller) = (supervisor.control(), supervisor.canceller());
    thread::scope(|scope| {
        scope.spawn(move || {
            let _cancelled = AtEnd(canceller);
            orders(&control, &events);
        });
        let results = supervisor.run_all(configs).unwrap();
        results.into_iter().map(|result| result.map_or(0, |status| status.get())).collect()
    })
}

#[test]
fn one_process_is_stopped_and_started_by_name_beside_others() {
    let _turn = turn();
    let configs = [process("a", &["sleep", "1000"]), process("b", &["sleep", "1000"])];
    controlled(&configs, |control, events| {
        let first = pid_of(&await_event(events, "a", "process.started"));
        control.stop("a").unwrap();
        match await_event(events, "a", "process.exited") {
            Event::Exited(event) => assert_eq!((event.status, event.requested), (by(Signal::INT), true)),
            other => panic!("{other:?}"),
        }
        // Not by a restart, for which it would have to wait.
        control.start("a").unwrap();
        let second = pid_of(&await_event(events, "a", "process.started"));
        assert_ne!(first, second);
        // Stopped and started is restarted.
        control.stop("a").unwrap();
        control.start("a").unwrap();
        match await_event(events, "a", "restart.scheduled") {
            Event::RestartScheduled(event) => assert_eq!(event.delay, Duration::ZERO),
            other => panic!("{other:?}"),
        }
        await_event(events, "a", "process.started");
        assert!(children(std::process::id()).len() >= 2, "the other goes on");
    });
}

#[test]
fn a_process_that_does_not_end_when_stopped_is_killed_by_the_second_order() {
    let _turn = turn();
    let mut stubborn = process("a", &[PROBE, "receive"]);
    stubborn.sig_kill_wait = Duration::from_secs(3600);
    let statuses = controlled(&[stubborn], |control, events| {
        await_waiting(pid_of(&await_event(events, "a", "process.started")));
        control.stop("a").unwrap();
        control.stop("a").unwrap();
        match await_event(events, "a", "process.exited") {
            Event::Exited(event) => assert_eq!(event.status, by(Signal::KILL)),
            other => panic!("{other:?}"),
        }
    });
    assert_eq!(statuses, [137]);
}

/// Stops it by SIGSTOP, and waits until it is.
fn suspend(pid: u32) {
    crate::sys::kill(pid, libc::SIGSTOP).unwrap();
    wait_for("it to be stopped", || status_field(pid, "State").filter(|state| state.starts_with('T')));
}

#[test]
fn a_child_that_is_suspended_is_continued_so_that_it_ends_when_stopped() {
    let _turn = turn();
    let mut process = process("a", &["sleep", "1000"]);
    process.sig_kill_wait = Duration::from_secs(3600);
    let statuses = controlled(&[process], |control, events| {
        suspend(pid_of(&await_event(events, "a", "process.started")));
        control.stop("a").unwrap();
        await_event(events, "a", "process.stopped");
        await_event(events, "a", "process.exited");
    });
    assert_eq!(statuses, [130]);
    let options = Options::default().kill_after(Duration::from_secs(3600));
    let cancel = |canceller: &Canceller, pid| {
        suspend(pid);
        canceller.cancel();
    };
    assert_eq!(run_with_orders(options, &["sleep", "1000"], cancel), (143, by(Signal::TERM), true));
}

#[test]
fn processes_that_are_suspended_end_when_a_signal_stops_all() {
    let _turn = turn();
    let mut config = process("a", &["sleep", "1000"]);
    config.sig_kill_wait = Duration::from_secs(3600);
    let (sender, events) = mpsc::channel();
    let mut supervisor = Supervisor::new([Signal::USR1]).unwrap().handler(Tell(sender));
    let canceller = supervisor.canceller();
    thread::scope(|scope| {
        scope.spawn(move || {
            let _killed = AtEnd(canceller);
            suspend(pid_of(&await_event(&events, "a", "process.started")));
            send_to_self(libc::SIGUSR1);
            await_event(&events, "a", "process.exited");
        });
        assert_eq!(supervisor.run(&config).unwrap().get(), 130);
    });
}

#[test]
fn a_second_stop_takes_back_the_start_and_the_next_start_forgets_both() {
    let _turn = turn();
    let folder = Scratch::folder();
    // Its first run is ended by the second stop only.
    let script = format!("mkdir {}/run 2>/dev/null && trap '' INT; exec sleep 1000", folder.0.display());
    let sleep = ["sleep", "1000"];
    // The last one runs all the time: orders are taken while anything runs.
    let configs = [process("a", &["sh", "-c", &script]), process("b", &sleep), process("c", &sleep)];
    controlled(&configs, |control, events| {
        let first = pid_of(&await_event(events, "a", "process.started"));
        wait_for("it to ignore INT", || (name(first) == "sleep").then_some(()));
        await_event(events, "c", "process.started");
        control.stop("a").unwrap();
        control.start("a").unwrap();
        control.stop("a").unwrap();
        await_event(events, "a", "process.exited");
        // What follows an end is told before what comes of the next order.
        control.stop("b").unwrap();
        control.start("b").unwrap();
        let next = events.recv_timeout(deadline()).unwrap();
        assert_eq!(next.name(), Some("b"), "the other is over");
        control.start("a").unwrap();
        await_event(events, "a", "process.started");
        control.stop("a").unwrap();
        match await_event(events, "a", "process.exited") {
            Event::Exited(event) => assert_eq!(event.status, by(Signal::INT), "it was its first stop"),
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn nothing_is_started_by_name_once_all_are_to_stop() {
    let _turn = turn();
    let (sender, events) = mpsc::channel();
    let mut supervisor = Supervisor::new([]).unwrap().handler(Tell(sender));
    let (control, canceller) = (supervisor.control(), supervisor.canceller());
    let mut stubborn = process("b", &[PROBE, "receive"]);
    stubborn.sig_kill_wait = Duration::from_secs(3600);
    let configs = [process("a", &["sleep", "1000"]), stubborn];
    let events = thread::scope(|scope| {
        let orders = scope.spawn(move || {
            let _killed = AtEnd(canceller.clone());
            await_event(&events, "a", "process.started");
            await_waiting(pid_of(&await_event(&events, "b", "process.started")));
            canceller.cancel();
            await_event(&events, "a", "process.exited");
            control.start("a").unwrap();
            // A start would be told right after this end, before the order to kill is taken.
            control.signal("b", Signal::KILL).unwrap();
            let end = events.recv_timeout(deadline()).unwrap();
            assert_eq!((end.name(), end.kind()), (Some("b"), "process.exited"));
            events
        });
        supervisor.run_all(&configs).unwrap();
        orders.join().unwrap()
    });
    let more: Vec<_> = events.try_iter().collect();
    assert!(more.is_empty(), "{more:?}");
}

#[test]
fn one_that_waits_for_its_restart_is_started_at_once_and_one_that_runs_is_left_alone() {
    let _turn = turn();
    let configs = [process("a", &[PROBE, "exit", "3"]), process("b", &["sleep", "1000"])];
    controlled(&configs, |control, events| {
        await_event(events, "a", "restart.scheduled");
        control.start("a").unwrap();
        await_event(events, "a", "process.started");
        await_event(events, "a", "restart.scheduled");
        control.start("b").unwrap();
        control.stop("b").unwrap();
        assert!(matches!(await_event(events, "b", "process.exited"), Event::Exited(_)));
    });
}

#[test]
fn a_signal_goes_to_the_process_of_that_name_and_is_no_stop() {
    let _turn = turn();
    let mut other = process("b", &["sleep", "1000"]);
    other.restart = Restart::Never;
    let mut it = process("a", &["sleep", "1000"]);
    it.no_restart_on = vec![NoRestartOn::Signal(Signal::USR2)];
    controlled(&[it, other], |control, events| {
        await_event(events, "a", "process.started");
        control.signal("a", Signal::USR1).unwrap();
        match await_event(events, "a", "process.exited") {
            Event::Exited(event) => assert_eq!((event.status, event.requested), (by(Signal::USR1), false)),
            other => panic!("{other:?}"),
        }
        await_event(events, "a", "restart.scheduled");
        // It doesn't run: nothing happens.
        control.signal("a", Signal::USR2).unwrap();
        control.start("a").unwrap();
        await_event(events, "a", "process.started");
        control.signal("a", Signal::USR2).unwrap();
        match await_event(events, "a", "process.exited") {
            Event::Exited(event) => assert_eq!(event.status, by(Signal::USR2)),
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn an_unknown_name_is_an_error_and_so_is_an_order_while_nothing_runs() {
    let _turn = turn();
    let supervisor = Supervisor::new([]).unwrap();
    let idle = supervisor.control();
    assert_eq!(idle.stop("a"), Err(ControlError::NothingRuns));
    drop(supervisor);
    assert_eq!(idle.start("a"), Err(ControlError::NothingRuns));
    let mut after = None;
    controlled(&[process("", &["/bin/sleep", "1000"]), process("b", &["sleep", "1000"])], |control, events| {
        await_event(events, "b", "process.started");
        let error = control.signal("a", Signal::HUP).unwrap_err();
        let known = vec!["sleep".to_owned(), "b".to_owned()];
        assert_eq!(error, ControlError::UnknownName { name: "a".to_owned(), known });
        assert_eq!(error.to_string(), "no process is named 'a'; the names are sleep, b");
        control.stop("sleep").unwrap();
        await_event(events, "sleep", "process.exited");
        after = Some(control.clone());
    });
    assert_eq!(after.unwrap().stop("b"), Err(ControlError::NothingRuns));
}
