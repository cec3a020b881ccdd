//! Signals to the program reach the child: early ones, many, those of faults; and those of the program's own timer don't.

use crate::program::SharedWriter;
use crate::support::{self, PROBE, status_signals, wait_for};
use crate::{in_blocking_thread, send_to_self, sys, turn};
use panicmon::{Executor, Handler, Options, Origin, Output, SignalPassed, SignalReceived};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

#[test]
fn a_signal_between_construction_and_start_is_forwarded() {
    struct Sender(mpsc::Sender<Origin>);
    impl Handler for Sender {
        fn signal_received(&mut self, event: &SignalReceived) {
            self.0.send(event.origin).unwrap();
        }
    }
    let _turn = turn();
    let (sender, receiver) = mpsc::channel();
    let mut executor = Executor::new(Options::default().handler(Sender(sender)).stdout(Output::Null)).unwrap();
    send_to_self(libc::SIGUSR1);
    let code = in_blocking_thread(libc::SIGUSR1, || executor.run([PROBE, "exit-after", "1", "5"]).unwrap());
    assert_eq!(code.get(), 5);
    let origin = receiver.recv().unwrap();
    assert_eq!(origin.sender().map(|pid| pid.as_raw() as u32), Some(std::process::id()));
}

#[test]
fn thousands_of_queued_signals_arrive() {
    let _turn = turn();
    let shared = Arc::new(Mutex::new(Vec::new()));
    let options = Options::default().stdout(Output::Writer(Box::new(SharedWriter(Arc::clone(&shared)))));
    let mut executor = Executor::new(options).unwrap();
    thread::scope(|scope| {
        let thread = scope.spawn(|| executor.run([PROBE, "exit-after", "9000", "7"]).unwrap());
        wait_for("the child to be ready", || (!shared.lock().unwrap().is_empty()).then_some(()));
        let own = std::process::id().to_string();
        let mut sender = Command::new(PROBE).args(["queue", &own, "3000", "40", "41", "42"]).spawn().unwrap();
        assert!(sender.wait().unwrap().success());
        assert_eq!(thread.join().unwrap().get(), 7);
    });
}

#[test]
fn a_signal_that_found_the_queue_full_is_forwarded_all_the_same() {
    let _turn = turn();
    let mut executor = Executor::new(Options::default().stdout(Output::Null)).unwrap();
    for _ in 0..60_000 {
        send_to_self(libc::SIGWINCH);
    }
    send_to_self(libc::SIGINT);
    let code = in_blocking_thread(libc::SIGINT, || executor.run([PROBE, "until", "2", "5"]).unwrap());
    assert_eq!(code.get(), 5);
}

struct CountPassed(Arc<AtomicUsize>);

impl Handler for CountPassed {
    fn signal_passed(&mut self, _: &SignalPassed) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_signal_of_a_fault_is_forwarded_when_it_was_sent() {
    let _turn = turn();
    let shared = Arc::new(Mutex::new(Vec::new()));
    let passed = Arc::new(AtomicUsize::new(0));
    let options = Options::default().stdout(Output::Writer(Box::new(SharedWriter(Arc::clone(&shared)))));
    let mut executor = Executor::new(options.handler(CountPassed(Arc::clone(&passed)))).unwrap();
    thread::scope(|scope| {
        let thread = scope.spawn(|| executor.run([PROBE, "exit-after", "4", "8"]).unwrap());
        wait_for("the child to be ready", || (!shared.lock().unwrap().is_empty()).then_some(()));
        let child = support::children(std::process::id())[0];
        // Rust's own handler for SIGBUS would be gone after the first.
        for (sent, signal) in [libc::SIGBUS, libc::SIGBUS, libc::SIGSYS, libc::SIGTRAP].into_iter().enumerate() {
            send_to_self(signal);
            wait_for("it to be passed on", || (passed.load(Ordering::SeqCst) > sent).then_some(()));
            // exit-after has them all blocked, and takes them one by one: none is pending when the next is sent.
            wait_for("it to be taken", || {
                let pending = status_signals(child, "ShdPnd") | status_signals(std::process::id(), "ShdPnd");
                (pending & 1 << (signal - 1) == 0).then_some(())
            });
        }
        assert_eq!(thread.join().unwrap().get(), 8);
    });
}

static ALARMS: AtomicUsize = AtomicUsize::new(0);

extern "C" fn count_alarms(_: i32) {
    ALARMS.fetch_add(1, Ordering::SeqCst);
}

#[test]
fn a_timer_of_the_program_isnt_the_childs() {
    let _turn = turn();
    let mut executor = Executor::new(Options::default()).unwrap();
    sys::handle(libc::SIGALRM, count_alarms);
    drop(executor);
    executor = Executor::new(Options::default().stdout(Output::Null)).unwrap();
    sys::set_timer(1000);
    // Were it passed on, the child would end by it: ALRM's default.
    let ending = thread::spawn(|| {
        wait_for("some alarms", || (ALARMS.load(Ordering::SeqCst) > 20).then_some(()));
        send_to_self(libc::SIGUSR1);
    });
    let code = thread::scope(|scope| scope.spawn(|| executor.run([PROBE, "pause"])).join().unwrap().unwrap());
    sys::set_timer(0);
    ending.join().unwrap();
    drop(executor);
    // To ignore it discards one that is still on its way.
    sys::set_disposition(libc::SIGALRM, 1);
    sys::set_disposition(libc::SIGALRM, 0);
    assert_eq!(code.get(), 128 + libc::SIGUSR1 as u8);
}
