//! Processes that are kept running.

use crate::support::Scratch;
use crate::{send_to_self, sys, turn};
use panicmon::{Backoff, Canceller, Error, Event, Handler, NoRestartOn, ProcessConfig, Signal, Stream, Supervisor};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

fn shell(name: &str, script: &str) -> ProcessConfig {
    let mut config = ProcessConfig::new("sh");
    config.name = name.to_owned();
    config.args = vec!["-c".into(), script.into()];
    config.min_wait = Duration::from_millis(1);
    config.max_wait = Duration::from_millis(2);
    config
}

/// Lines as they are told, to another thread.
fn told(supervisor: Supervisor<'static>) -> (Supervisor<'static>, Receiver<(String, Stream, String)>) {
    let (sender, lines): (Sender<_>, _) = mpsc::channel();
    let supervisor = supervisor.on_line(move |line| {
        let text = String::from_utf8_lossy(line.bytes).into_owned();
        let _ = sender.send((line.name.to_owned(), line.stream, text));
    });
    (supervisor, lines)
}

/// Does this once that line has been told.
fn once(lines: &Receiver<(String, Stream, String)>, text: &str, act: impl FnOnce()) {
    for (_, _, line) in lines {
        if line == text {
            return act();
        }
    }
    panic!("{text:?} was never told");
}

#[test]
fn once_is_once_and_all_lines_are_told() {
    let _turn = turn();
    let (mut supervisor, lines) = told(Supervisor::new([]).unwrap());
    let status = supervisor.run_once(&shell("a", "echo out; echo err >&2; printf last; exit 3")).unwrap();
    assert_eq!(status.get(), 3);
    drop(supervisor);
    let lines: Vec<_> = lines.into_iter().collect();
    let of = |stream| lines.iter().filter(|line| line.1 == stream).map(|line| line.2.as_str()).collect::<Vec<_>>();
    assert_eq!(of(Stream::Stdout), ["out", "last"]);
    assert_eq!(of(Stream::Stderr), ["err"]);
    assert_eq!(
        of(Stream::Remark)[..3],
        ["starting process", "exit code 3, process exited: exit status 3", "stopped process handler"]
    );
    assert!(lines.iter().filter(|line| line.1 != Stream::Remark).all(|line| line.0 == "a"));
}

/// Runs it again and again; when this line has been told, another thread cancels it.
fn status_when_cancelled(config: &ProcessConfig, line: &str) -> u8 {
    let (mut supervisor, lines) = told(Supervisor::new([]).unwrap());
    let canceller = supervisor.canceller();
    thread::scope(|scope| {
        scope.spawn(move || {
            once(&lines, line, || canceller.cancel());
            // The channel keeps a reader to the end.
            lines.into_iter().for_each(drop);
        });
        let status = supervisor.run(config).unwrap().get();
        drop(supervisor);
        status
    })
}

#[test]
fn it_runs_again_until_it_is_cancelled_from_another_thread() {
    let _turn = turn();
    let flag = Scratch::new("");
    // The first run finds a file and removes it; the second finds none.
    let script = format!("rm '{}' 2>&- && exit 5; echo again; exec sleep 1000", flag.0.display());
    assert_eq!(status_when_cancelled(&shell("a", &script), "again"), 130);
}

#[test]
fn it_is_cancelled_while_it_waits_and_its_last_status_counts() {
    let _turn = turn();
    let mut config = shell("a", "exit 5");
    (config.min_wait, config.max_wait) = (Duration::from_secs(3600), Duration::from_secs(3600));
    assert_eq!(status_when_cancelled(&config, "will restart process in 1h0m0s"), 5);
}

/// How long each run took, and the wait behind it.
#[derive(Default)]
struct Waits {
    took: Option<Duration>,
    waits: Vec<(Duration, Duration)>,
}

impl Handler for Waits {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Exited(exited) => self.took = Some(exited.duration),
            Event::RestartScheduled(scheduled) => {
                self.waits.push((self.took.take().expect("an end comes first"), scheduled.delay));
            }
            _ => {}
        }
    }
}

#[test]
fn waits_follow_the_formula() {
    let _turn = turn();
    for script in ["exit 3", "kill -KILL $$", "sleep 0.05; exit 3"] {
        let mut waits = Waits::default();
        let mut config = shell("a", script);
        (config.min_wait, config.max_wait) = (Duration::from_millis(10), Duration::from_millis(60));
        config.max_restarts = Some(5);
        Supervisor::new([]).unwrap().handler(&mut waits).run(&config).unwrap();
        let mut backoff = Backoff::new(config.min_wait, config.max_wait);
        assert_eq!(waits.waits.len(), 5);
        assert!(waits.waits.iter().all(|(took, wait)| backoff.after(*took) == *wait), "{:?}", waits.waits);
    }
}

fn stubborn_is_stopped_by(wait: Duration, stop: impl FnOnce(&Canceller) + Send) {
    let (mut supervisor, lines) = told(Supervisor::new([]).unwrap());
    let canceller = supervisor.canceller();
    let mut config = shell("a", "trap '' INT; echo ready; while :; do sleep 1000; done");
    config.sig_kill_wait = wait;
    thread::scope(|scope| {
        scope.spawn(move || {
            once(&lines, "ready", || stop(&canceller));
            lines.into_iter().for_each(drop);
        });
        assert_eq!(supervisor.run(&config).unwrap().get(), 137);
        drop(supervisor);
    });
}

#[test]
fn who_is_stubborn_is_killed_after_its_time_or_when_told() {
    let _turn = turn();
    stubborn_is_stopped_by(Duration::from_millis(1), Canceller::cancel);
    stubborn_is_stopped_by(Duration::from_secs(3600), Canceller::kill);
}

#[test]
fn a_signal_stops_several_and_each_end_is_told() {
    let _turn = turn();
    let (mut supervisor, lines) = told(Supervisor::new([Signal::USR1]).unwrap());
    let mut ends = shell("ends", "exit 4");
    ends.no_restart_on = vec![NoRestartOn::Code(4)];
    let mut waits = ProcessConfig::new("/nonexistent");
    waits.name = "waits".to_owned();
    (waits.min_wait, waits.max_wait) = (Duration::from_secs(3600), Duration::from_secs(3600));
    let configs = [ends, shell("runs", "echo ready; exec sleep 1000"), waits];
    let results = thread::scope(|scope| {
        scope.spawn(move || {
            // Whichever comes first, the others have ended, or wait, when it is sent.
            let mut expected =
                vec!["ends: stopped process handler", "runs: ready", "waits: will restart process in 1h0m0s"];
            while !expected.is_empty() {
                let (name, _, text) = lines.recv().unwrap();
                expected.retain(|line| *line != format!("{name}: {text}"));
            }
            send_to_self(libc::SIGUSR1);
            lines.into_iter().for_each(drop);
        });
        let results = supervisor.run_all(&configs).unwrap();
        drop(supervisor);
        results
    });
    assert_eq!(results[0].as_ref().unwrap().get(), 4);
    assert_eq!(results[1].as_ref().unwrap().get(), 130);
    assert!(matches!(results[2], Err(Error::NotFound { .. })), "{results:?}");
    assert_eq!(sys::disposition(libc::SIGUSR1), 0, "it is as it was");
}

#[test]
fn a_working_directory_that_is_not_there_is_told() {
    let _turn = turn();
    let mut supervisor = Supervisor::new([]).unwrap();
    let mut config = shell("a", "exit 0");
    config.dir = Some("/nonexistent".into());
    let error = supervisor.run_once(&config).unwrap_err();
    assert!(error.to_string().starts_with("can't change to the working directory /nonexistent: "), "{error}");
    config.dir = Some("/usr".into());
    config.env = vec![("WHERE".into(), "/usr".into())];
    config.args[1] = "test \"$(pwd)\" = \"$WHERE\"".into();
    assert!(supervisor.run_once(&config).unwrap().is_success());
}

#[test]
fn who_is_cancelled_before_the_start_is_not_started() {
    let _turn = turn();
    for order in [Canceller::cancel, Canceller::kill] {
        let mut supervisor = Supervisor::new([]).unwrap();
        order(&supervisor.canceller());
        assert!(matches!(supervisor.run_once(&shell("a", "exit 3")), Err(Error::Cancelled)));
        // The next is run.
        assert_eq!(supervisor.run_once(&shell("a", "exit 3")).unwrap().get(), 3);
    }
}

#[test]
fn cancelling_too_late_does_no_harm() {
    let _turn = turn();
    let before = sys::disposition(libc::SIGPIPE);
    sys::set_disposition(libc::SIGPIPE, 0);
    let canceller = Supervisor::new([]).unwrap().canceller();
    canceller.cancel();
    sys::set_disposition(libc::SIGPIPE, before);
}

#[test]
fn who_is_cancelled_while_many_start_does_not_start_them_all() {
    let _turn = turn();
    let supervisor = Supervisor::new([]).unwrap();
    let canceller = supervisor.canceller();
    // With the first that is started.
    let mut supervisor = supervisor.on_line(move |_| canceller.cancel());
    let configs: Vec<_> = (0..100).map(|number| shell(&format!("p{number}"), "exec sleep 1000")).collect();
    let results = supervisor.run_all(&configs).unwrap();
    let started = results.iter().filter(|result| !matches!(result, Err(Error::Cancelled))).count();
    assert!((1..50).contains(&started), "{started}");
}
