//! Promises at random moments.

use crate::support::{PROBE, Random, Running, prepared, spend, wait_for, wrapped};
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;

/// Ends it at a random moment by SIGKILL; nobody may be left who holds its stdout.
fn killed_at(start: impl Fn() -> Command, count: u64, from: u64, to: u64, seed: u64) {
    let mut random = Random::new(seed);
    for _ in 0..count {
        let mut running = Running::start(start());
        spend(Duration::from_micros(from + random.below(to - from)));
        running.kill(libc::SIGKILL);
        assert_eq!(running.wait().signal(), Some(libc::SIGKILL));
        running.wait_for_eof();
    }
}

fn pausing() -> Command {
    wrapped(&["pause"])
}

fn hosting() -> Command {
    let mut command = Command::new(PROBE);
    command.args(["host", PROBE, "pause"]);
    command
}

#[test]
fn a_child_never_survives_kill_9_in_the_first_3_ms() {
    killed_at(pausing, 2000, 0, 3_000, 1);
}

#[test]
fn a_child_never_survives_kill_9_up_to_50_ms() {
    killed_at(pausing, 1000, 3_000, 50_000, 2);
}

#[test]
fn a_child_of_the_library_never_survives_kill_9() {
    killed_at(hosting, 1000, 0, 6_000, 3);
    killed_at(hosting, 200, 3_000, 50_000, 4);
}

/// With the default disposition, everything is gone at once.
#[test]
fn a_signal_in_the_first_4_ms_ends_everything() {
    let mut random = Random::new(5);
    for round in 0..1000 {
        let signal = [libc::SIGTERM, libc::SIGUSR1][round % 2];
        let mut running = Running::start(pausing());
        spend(Duration::from_micros(random.below(4_000)));
        running.kill(signal);
        let status = running.wait();
        assert!(status.signal() == Some(signal) || status.code() == Some(128 + signal), "{status:?}");
        running.wait_for_eof();
    }
}

/// Once it is blocked or panicmon is there, no signal is lost.
#[test]
fn a_signal_in_the_first_4_ms_is_never_lost() {
    let mut random = Random::new(6);
    for round in 0..1000 {
        let signal = [libc::SIGTERM, libc::SIGUSR1][round % 2];
        let mut running = Running::start(prepared(&["block=15", "block=10", "say=blocked"], true, &["receive"]));
        assert_eq!(running.line().as_deref(), Some("blocked"));
        spend(Duration::from_micros(random.below(4_000)));
        running.kill(signal);
        assert_eq!(running.line().as_deref(), Some("ready"));
        let line = running.line().expect("a line for the signal");
        assert!(line.starts_with(&format!("{signal} ")), "{line}");
    }
}

#[test]
fn two_hundred_thousand_signals_do_not_hide_the_childs_end() {
    const SENDERS: u64 = 20;
    const EACH: u64 = 10_000;
    for round in 0..50 {
        let mut running = Running::start(wrapped(&["exit-after", &(1 + round * 7).to_string(), "42"]));
        assert_eq!(running.line().as_deref(), Some("ready"));
        // Until it is waited for, its number is nobody else's.
        let pid = running.pid();
        std::thread::scope(|scope| {
            for sender in 0..SENDERS {
                scope.spawn(move || {
                    let signal = [libc::SIGUSR1, libc::SIGTERM, libc::SIGHUP, libc::SIGWINCH][sender as usize % 4];
                    for _ in 0..EACH {
                        crate::sys::kill(pid, signal).unwrap();
                    }
                });
            }
        });
        // Standard signals coalesce: those may not have been enough.
        let status = wait_for("the end of the program", || {
            running.kill(libc::SIGUSR1);
            running.child.try_wait().unwrap()
        });
        assert_eq!(status.code(), Some(42));
    }
}
