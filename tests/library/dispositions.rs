//! Dispositions: those that an executor changes, those that it gives back, and those that the child has.

use crate::program::state;
use crate::support::status_signals;
use crate::{send_to_self, sys, turn};
use panicmon::{Error, Executor, Options, Output, Signal};

#[test]
fn only_a_subset_is_listened_to_if_asked() {
    let _turn = turn();
    let before = sys::disposition(libc::SIGTERM);
    let executor = Executor::new(Options::default().signals([Signal::USR1])).unwrap();
    assert_eq!(sys::disposition(libc::SIGTERM), before);
    assert!(sys::disposition(libc::SIGUSR1) > 1);
    drop(executor);
    // An empty list means all, as in the Go package panicmon.
    let executor = Executor::new(Options::default().signals([])).unwrap();
    assert!(sys::disposition(libc::SIGTERM) > 1);
    drop(executor);
    for signal in [Signal::KILL, Signal::STOP, Signal::CHLD, Signal::SEGV] {
        assert!(matches!(Executor::new(Options::default().signals([signal])), Err(Error::Listen { .. })));
    }
}

#[test]
fn the_program_is_as_before_when_executors_are_done() {
    let _turn = turn();
    sys::set_disposition(libc::SIGHUP, 1);
    let before = state();
    for round in 0..3 {
        let mut executor = Executor::new(Options::default().init(round == 2)).unwrap();
        let second = Executor::new(Options::default()).unwrap();
        assert!(sys::disposition(libc::SIGTERM) > 1 && sys::disposition(libc::SIGHUP) > 1, "round {round}");
        send_to_self(libc::SIGWINCH);
        assert!(executor.run(["true"]).unwrap().is_success());
        assert_eq!(state().2, round == 2);
        drop(executor);
        assert!(sys::disposition(libc::SIGTERM) > 1, "the other one is still there");
        drop(second);
        assert!(state() == before, "round {round}");
    }
    sys::set_disposition(libc::SIGHUP, 0);
}

#[test]
fn what_the_program_ignored_the_child_ignores_and_what_it_handled_has_its_default() {
    let _turn = turn();
    sys::set_disposition(libc::SIGHUP, 1);
    let mut running = Vec::new();
    let mut executor = Executor::new(Options::default().stdout(Output::Writer(Box::new(&mut running)))).unwrap();
    // `exec`, so that no shell's own handlers are seen.
    executor.run(["sh", "-c", "exec cat /proc/self/status"]).unwrap();
    drop(executor);
    sys::set_disposition(libc::SIGHUP, 0);
    let status = String::from_utf8(running).unwrap();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        u64::from_str_radix(line.split_once(':').unwrap().1.trim(), 16).unwrap()
    };
    assert_eq!((field("SigBlk"), field("SigCgt")), (0, 0));
    assert_eq!(field("SigIgn"), status_signals(std::process::id(), "SigIgn") | 1 << (libc::SIGHUP - 1));
}
