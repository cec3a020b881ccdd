//! Executors that get their signals from signal-hook's registry, whose handler stays when they go.

use crate::alone::alone;
use crate::host::{raise, raise_with, stops_in_fork};
use crate::listening::Listening;
use crate::sys;
use panicmon::{Executor, Options, Output, SignalSource};
use std::os::unix::process::ExitStatusExt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

const USR1: i32 = libc::SIGUSR1;

fn listening() -> Listening {
    Listening::by(SignalSource::SignalHook)
}

/// Rust's own handler of SIGBUS, which the registry's calls, puts the default action in place.
#[test]
fn a_bus_that_was_sent_leaves_the_next_one_to_the_executor() {
    alone(|| {
        let mut listening = listening();
        for _ in 0..2 {
            raise(libc::SIGBUS);
            assert_eq!(listening.numbers(1), [libc::SIGBUS]);
        }
    });
}

#[test]
fn a_fault_of_the_program_ends_it_as_it_would_without_the_registry() {
    alone(|| {
        let _listening = listening();
        let ended = sys::in_fork(|| {
            raise_with(libc::SIGTRAP, libc::SI_KERNEL, 0);
            0
        });
        assert_eq!(ended.signal(), Some(libc::SIGTRAP));
    });
}

/// By other users of the registry, for whom it has a handler in place.
#[test]
fn a_handler_of_the_registry_that_was_taken_away_is_put_back() {
    alone(|| {
        signal_hook::flag::register(USR1, Arc::new(AtomicBool::new(false))).unwrap();
        sys::set_disposition(USR1, libc::SIG_DFL);
        let mut first = listening();
        raise(USR1);
        assert_eq!(first.numbers(1), [USR1], "an executor that is the first");
        sys::set_disposition(USR1, libc::SIG_DFL);
        let mut second = listening();
        raise(USR1);
        assert_eq!([first.numbers(1), second.numbers(1)], [[USR1], [USR1]], "one beside another");
    });
}

#[test]
fn what_the_program_ignored_before_the_registry_the_child_ignores() {
    alone(|| {
        sys::set_disposition(libc::SIGHUP, libc::SIG_IGN);
        let mut status = Vec::new();
        let options = Options::default().signals_by(SignalSource::SignalHook);
        let mut executor = Executor::new(options.stdout(Output::Writer(Box::new(&mut status)))).unwrap();
        executor.run(["sh", "-c", "exec cat /proc/self/status"]).unwrap();
        drop(executor);
        let status = String::from_utf8(status).unwrap();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
        let ignored = u64::from_str_radix(ignored.trim(), 16).unwrap();
        assert_ne!(ignored & 1 << (libc::SIGHUP - 1), 0, "{ignored:x}");
    });
}

/// Or it would be sent TTIN again and again as it reads.
#[test]
fn a_program_stops_by_its_terminal_when_the_executor_has_gone() {
    alone(|| {
        drop(listening());
        for signal in [libc::SIGTTIN, libc::SIGTTOU] {
            assert!(stops_in_fork(|| raise(signal)), "{signal}");
        }
    });
}
