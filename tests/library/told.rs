//! What events say: of a run from its start to its end, of which process they are, in which order they come, what is left behind; and a handler that panics.

use crate::support::{PROBE, children, status_field, wait_for};
use crate::{in_blocking_thread, send_to_self, turn};
use panicmon::{
    Error, Event, Executor, ExitStatus, Handler, Options, Output, ProcessConfig, ProcessExited, Signal, SignalReceived,
    StatusCode, Supervisor,
};
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

/// Keeps every event.
struct Keep(Sender<Event<'static>>);

impl Handler for Keep {
    fn event(&mut self, event: &Event<'_>) {
        let _ = self.0.send(event.to_owned());
    }
}

fn keep() -> (Keep, Receiver<Event<'static>>) {
    let (sender, events) = mpsc::channel();
    (Keep(sender), events)
}

fn kinds(events: &[Event<'_>]) -> Vec<&'static str> {
    events.iter().map(Event::kind).collect()
}

fn shell(name: &str, script: &str) -> ProcessConfig {
    let mut config = ProcessConfig::new("/bin/sh");
    config.name = name.to_owned();
    config.args = vec!["-c".into(), script.into()];
    (config.min_wait, config.max_wait, config.max_restarts) = (Duration::ZERO, Duration::ZERO, Some(0));
    config
}

#[test]
fn every_event_says_of_which_process_it_is() {
    let _turn = turn();
    let (keep, events) = keep();
    let mut again = shell("again", "exit 3");
    again.max_restarts = Some(1);
    let mut absent = ProcessConfig::new("/no/such/file");
    (absent.min_wait, absent.max_wait, absent.max_restarts) = (Duration::ZERO, Duration::ZERO, Some(0));
    let mut supervisor = Supervisor::new([]).unwrap().handler(keep);
    supervisor.run_all(&[again, shell("", "exit 4"), absent]).unwrap();
    drop(supervisor);
    let events: Vec<_> = events.iter().collect();
    let of = |name: &str| {
        let events: Vec<_> = events.iter().filter(|event| event.name() == Some(name)).cloned().collect();
        kinds(&events)
    };
    let run = ["process.starting", "process.started", "process.exited"];
    let given_up = ["restart.given_up"];
    assert_eq!(of("again"), [&run[..], &["restart.scheduled"], &run[..], &given_up].concat());
    assert_eq!(of("sh"), [&run[..], &given_up].concat(), "the base name of its command");
    let failed = ["process.starting", "process.started", "process.failed"];
    assert_eq!(of("file"), [&failed[..], &given_up].concat(), "its exec failed");
    assert!(events.iter().all(|event| event.name().is_some()));
}

#[test]
fn an_executors_process_is_called_by_its_command_or_as_the_options_say() {
    let _turn = turn();
    for (options, name) in [(Options::default(), "panicmon-probe"), (Options::default().name("web"), "web")] {
        let (keep, events) = keep();
        let options = options.signals([Signal::USR1]).handler(keep);
        in_blocking_thread(libc::SIGUSR1, || {
            let mut executor = Executor::new(options).unwrap();
            send_to_self(libc::SIGUSR1);
            executor.run([PROBE, "until", "10", "0"]).unwrap();
            executor.run::<[&str; 0]>([]).unwrap_err();
        });
        let mut events: Vec<_> = events.iter().collect();
        let no_command = events.pop().unwrap();
        assert_eq!(no_command.kind(), "process.failed");
        assert_eq!(no_command.name(), Some(if name == "web" { name } else { "" }));
        let expected = ["process.starting", "process.started", "signal.received", "signal.passed", "process.exited"];
        assert_eq!(kinds(&events), expected);
        assert!(events.iter().all(|event| event.name() == Some(name)), "{events:?}");
    }
}

#[test]
fn a_start_is_told_with_the_pid_and_the_process_group() {
    let _turn = turn();
    let started = |events: Receiver<Event<'static>>| {
        let mut events = events.iter();
        let Some(Event::Starting(starting)) = events.next() else { panic!("the first is another") };
        let Some(Event::Started(started)) = events.next() else { panic!("the second is another") };
        assert_eq!(starting.args, started.args);
        [started.pid, started.pgid].map(|pid| pid.as_raw().to_string())
    };
    let script = "echo $$ $(ps -o pgid= $$)";
    let (first, events) = keep();
    let mut out = Vec::new();
    let options = Options::default().handler(first).stdout(Output::Writer(Box::new(&mut out)));
    Executor::new(options).unwrap().run(["sh", "-c", script]).unwrap();
    let seen = String::from_utf8(out).unwrap();
    assert_eq!(seen.split_whitespace().collect::<Vec<_>>(), started(events));
    let (second, events) = keep();
    let mut seen = Vec::new();
    let supervisor = Supervisor::new([]).unwrap().handler(second);
    supervisor.on_line(|line| seen.push(line.bytes.to_vec())).run_once(&shell("", script)).unwrap();
    let [pid, pgid] = started(events);
    assert_eq!(pid, pgid, "one of its own");
    assert!(seen.contains(&format!("{pid} {pgid}").into_bytes()), "{seen:?}");
}

fn drained(budget: Duration, script: &str) -> (Vec<Event<'static>>, u32) {
    let (keep, events) = keep();
    let mut out = Vec::new();
    let options = Options::default().init(true).drain(budget).handler(keep);
    let options = options.stdout(Output::Writer(Box::new(&mut out)));
    Executor::new(options).unwrap().run(["sh", "-c", script]).unwrap();
    (events.iter().collect(), String::from_utf8(out).unwrap().trim().parse().unwrap())
}

#[test]
fn orphans_and_what_a_drain_does_are_told() {
    let _turn = turn();
    // Until it has executed sleep(1), its name is the shell's.
    let script = "sleep 1000 >/dev/null & until read name </proc/$!/comm; [ $name = sleep ]; do :; done; echo $!";
    let (events, left) = drained(Duration::from_secs(3600), script);
    let run = ["process.starting", "process.started", "process.exited"];
    let drain = ["drain.started", "drain.signaled", "orphan.reaped", "drain.ended"];
    assert_eq!(kinds(&events), [&run[..], &drain[..]].concat());
    let [
        ..,
        Event::DrainStarted(started),
        Event::DrainSignaled(signaled),
        Event::OrphanReaped(reaped),
        Event::DrainEnded(ended),
    ] = events.as_slice()
    else {
        panic!("{events:?}")
    };
    let Event::Exited(exited) = &events[2] else { panic!("{events:?}") };
    assert_eq!(started.pid, exited.pid);
    assert_eq!(
        (signaled.pid.as_raw() as u32, signaled.command.as_deref(), signaled.signal),
        (left, Some("sleep"), Signal::TERM)
    );
    let by_term = ExitStatus::Signaled { signal: Signal::TERM, core_dumped: false };
    assert_eq!((reaped.pid.as_raw() as u32, reaped.status), (left, by_term));
    assert_eq!(ended.remaining, Some(0));
}

/// Says when something is written.
struct Ready(Sender<()>);

impl Write for Ready {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.send(());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The time for what is left begins with the command's end, however long after the order to stop that is.
#[test]
fn what_is_left_is_sent_term_though_the_cancelled_command_took_longer_than_the_drain_may() {
    let _turn = turn();
    let (keep, events) = keep();
    let (sender, ready) = mpsc::channel();
    let script = "sleep 1000 & trap 'sleep 2.1; exit 3' TERM; echo ready; while :; do sleep 0.01; done";
    let options = Options::default().init(true).drain(Duration::from_secs(2)).handler(keep);
    let options = options.stdout(Output::Writer(Box::new(Ready(sender))));
    let mut executor = Executor::new(options).unwrap();
    let canceller = executor.canceller();
    let status = std::thread::scope(|scope| {
        scope.spawn(move || {
            ready.recv().unwrap();
            canceller.cancel();
        });
        executor.run(["sh", "-c", script]).unwrap()
    });
    drop(executor);
    assert_eq!(status.get(), 3);
    let signals: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::DrainSignaled(event) => Some(event.signal),
            _ => None,
        })
        .collect();
    assert_eq!(signals, [Signal::TERM]);
}

#[test]
fn the_kill_of_a_drain_is_told_for_each_process() {
    let _turn = turn();
    let script = "(trap '' TERM; echo ready >&2; exec sleep 1000) >/dev/null 2>&3 & echo $!; read ready <&3";
    let script = format!("mkfifo $D/f; exec 3<>$D/f; {script}");
    let dir = std::env::temp_dir().join(format!("panicmon-told-{}", std::process::id()));
    std::fs::create_dir(&dir).unwrap();
    let script = script.replace("$D", dir.to_str().unwrap());
    let (events, left) = drained(Duration::from_millis(1), &script);
    std::fs::remove_dir_all(&dir).unwrap();
    let killed: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::DrainSignaled(event) if event.signal == Signal::KILL => {
                Some((event.pid.as_raw() as u32, event.clone()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(killed.iter().map(|(pid, _)| *pid).collect::<Vec<_>>(), [left]);
    assert_eq!(Event::DrainSignaled(killed[0].1.clone()).kind(), "drain.killed");
}

/// Panics at this kind of event, for this process.
struct Panics(&'static str, &'static str);

impl Handler for Panics {
    fn event(&mut self, event: &Event<'_>) {
        if event.kind() == self.0 && event.name() == Some(self.1) {
            // No hook writes a message for this one.
            std::panic::resume_unwind(Box::new("the handler's own"));
        }
    }
}

#[test]
fn a_handler_that_panics_leaves_no_child_and_the_executor_goes_on() {
    let _turn = turn();
    for kind in ["process.starting", "process.started", "signal.received", "process.exited"] {
        let (keep, events) = keep();
        let mut executor =
            Executor::new(Options::default().name("a").handler(keep).handler(Panics(kind, "a"))).unwrap();
        send_to_self(libc::SIGUSR1);
        let run = catch_unwind(AssertUnwindSafe(|| executor.run([PROBE, "until", "10", "0"])));
        assert!(run.is_err(), "{kind}");
        let pids: Vec<_> = events.try_iter().filter_map(pid_of).collect();
        assert_eq!(pids.is_empty(), kind == "process.starting");
        assert!(pids.iter().all(|pid| status_field(*pid, "State").is_none()), "{kind}: it was killed, and waited for");
        executor.run::<[&str; 0]>([]).unwrap_err();
    }
}

fn pid_of(event: Event<'static>) -> Option<u32> {
    match event {
        Event::Started(event) => Some(event.pid.as_raw() as u32),
        _ => None,
    }
}

#[test]
fn a_handler_that_panics_leaves_no_process_of_a_supervisor_and_none_of_their_groups() {
    let _turn = turn();
    let (keep, events) = keep();
    let (sender, grandchildren) = mpsc::channel();
    let mut ends = shell("ends", "until test -e $F; do sleep 0.01; done; exit 3");
    let file = std::env::temp_dir().join(format!("panicmon-told-{}-go", std::process::id()));
    ends.env = vec![("F".into(), file.clone().into())];
    let go = file.clone();
    let mut supervisor =
        Supervisor::new([]).unwrap().handler(keep).handler(Panics("process.exited", "ends")).on_line(move |line| {
            if line.name == "stays" && line.bytes.iter().all(u8::is_ascii_digit) {
                sender.send(String::from_utf8_lossy(line.bytes).parse::<u32>().unwrap()).unwrap();
                std::fs::write(&go, "").unwrap();
            }
        });
    let configs = [shell("stays", "sleep 1000 & echo $!; wait"), ends];
    let run = catch_unwind(AssertUnwindSafe(|| supervisor.run_all(&configs)));
    std::fs::remove_file(file).unwrap();
    assert!(run.is_err());
    let pids: Vec<_> = events.try_iter().filter_map(pid_of).collect();
    assert_eq!(pids.len(), 2);
    assert!(pids.iter().all(|pid| status_field(*pid, "State").is_none()), "they were killed, and waited for");
    let grandchild = grandchildren.recv().unwrap();
    // Its new parent waits for it in its own time.
    let is_gone = || status_field(grandchild, "State").is_none_or(|state| state.starts_with('Z'));
    wait_for("the group to go", || is_gone().then_some(()));
    assert!(supervisor.run_once(&shell("more", "exit 0")).unwrap().is_success());
    assert!(children(std::process::id()).iter().all(|child| !pids.contains(child)));
}

#[derive(Default)]
struct Names(Vec<String>);

impl Handler for Names {
    fn event(&mut self, event: &Event<'_>) {
        self.0.push(match event {
            Event::Starting(event) => format!("starting {:?}", event.args),
            Event::Started(event) => format!("started {:?}", event.args),
            Event::Failed(event) => format!("failed {:?}: {}", event.args, event.error),
            Event::Exited(event) => format!("exited {:?}: {}", event.args, event.status),
            Event::Received(event) => format!("received {}", event.signal),
            Event::Passed(event) => format!("passed {}", event.signal),
            Event::NotPassed(event) => format!("not passed {}", event.signal),
            _ => "something new".to_owned(),
        });
    }
}

#[test]
fn a_run_is_told_from_start_to_end() {
    let _turn = turn();
    let mut names = Names::default();
    let mut executor = Executor::new(Options::default().handler(&mut names)).unwrap();
    assert_eq!(executor.run(["sh", "-c", "exit 3"]).unwrap(), StatusCode::new(3));
    assert_eq!(executor.run(["sh", "-c", "kill -KILL $$"]).unwrap(), StatusCode::new(137));
    drop(executor);
    assert_eq!(
        names.0,
        [
            r#"starting ["sh", "-c", "exit 3"]"#,
            r#"started ["sh", "-c", "exit 3"]"#,
            r#"exited ["sh", "-c", "exit 3"]: exit code 3"#,
            r#"starting ["sh", "-c", "kill -KILL $$"]"#,
            r#"started ["sh", "-c", "kill -KILL $$"]"#,
            r#"exited ["sh", "-c", "kill -KILL $$"]: killed by SIGKILL"#,
        ]
    );
}

#[test]
fn a_command_that_cannot_be_started_is_told_as_failed() {
    let _turn = turn();
    let mut names = Names::default();
    let mut executor = Executor::new(Options::default().handler(&mut names)).unwrap();
    assert_eq!(executor.run(["/no/such/file"]).unwrap_err().status_code(), StatusCode::NOT_FOUND);
    assert_eq!(executor.run(["/etc/passwd"]).unwrap_err().status_code(), StatusCode::NOT_EXECUTABLE);
    assert!(matches!(executor.run::<[&str; 0]>([]), Err(Error::EmptyCommand)));
    assert!(matches!(executor.run(["a\0b"]), Err(Error::Nul { .. })));
    drop(executor);
    let kinds: Vec<&str> = names.0.iter().filter_map(|name| name.split(' ').next()).collect();
    assert_eq!(kinds, ["starting", "started", "failed", "starting", "started", "failed", "failed", "failed"]);
    assert!(names.0[6].starts_with("failed []: the command is empty"));
}

#[test]
fn the_end_is_told_with_pid_time_and_use() {
    struct Check(Sender<(i32, ExitStatus, bool)>);
    impl Handler for Check {
        fn process_exited(&mut self, event: &ProcessExited<'_>) {
            let used = event.usage.max_rss_bytes > 0 && event.usage.minor_faults > 0 && !event.duration.is_zero();
            self.0.send((event.pid.as_raw(), event.status, used)).unwrap();
        }
    }
    let _turn = turn();
    let (sender, receiver) = mpsc::channel();
    let mut out = Vec::new();
    let options = Options::default().handler(Check(sender)).stdout(Output::Writer(Box::new(&mut out)));
    Executor::new(options).unwrap().run(["sh", "-c", "echo $$"]).unwrap();
    let (pid, status, used) = receiver.recv().unwrap();
    assert_eq!(String::from_utf8(out).unwrap().trim().parse(), Ok(pid));
    assert_eq!((status, used), (ExitStatus::Exited(0), true));
}

#[test]
fn a_handler_that_panics_takes_the_child_with_it() {
    struct Panics(Sender<i32>);
    impl Handler for Panics {
        fn signal_received(&mut self, event: &SignalReceived) {
            self.0.send(event.child.as_raw()).unwrap();
            panic!("the handler's own");
        }
    }
    let _turn = turn();
    let (sender, receiver) = mpsc::channel();
    let mut executor = Executor::new(Options::default().handler(Panics(sender))).unwrap();
    send_to_self(libc::SIGUSR1);
    let run = catch_unwind(AssertUnwindSafe(|| executor.run([PROBE, "pause"])));
    assert!(run.is_err());
    let child = receiver.recv().unwrap() as u32;
    assert_eq!(status_field(child, "State"), None, "it was killed and reaped");
}
