//! Executors of both sources beside the other users of signals that a program may have: tokio, ctrlc, signal-hook.

use crate::alone::alone_each;
use crate::host::raise;
use crate::listening::{Listening, SOURCES, source};
use crate::support::wait_for;
use signal_hook::SigId;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// All orders of the four users, each with its source: `own EXTC forwards` creates them in this order and drops them in it.
fn orders() -> Vec<String> {
    let users = ['E', 'X', 'T', 'C'];
    let mut orders = Vec::new();
    for number in 0..4usize.pow(4) {
        let order: String = (0..4u32).map(|place| users[number / 4usize.pow(place) % 4]).collect();
        if users.iter().all(|user| order.contains(*user)) {
            for source in SOURCES {
                orders.extend(["forwards", "backwards"].map(|way| format!("{source} {order} {way}")));
            }
        }
    }
    orders
}

/// The users of signals in this program, as far as they exist.
#[derive(Default)]
struct Users {
    executor: Option<Listening>,
    /// signal-hook's.
    flag: Arc<AtomicBool>,
    id: Option<SigId>,
    tokio: Option<(Runtime, Signal)>,
    /// How often ctrlc's handler has run, which stays until the program ends.
    interrupted: Arc<AtomicUsize>,
    has_ctrlc: bool,
    /// ctrlc came after the executor, and calls no handler that it finds.
    hides_int: bool,
}

impl Users {
    fn create(&mut self, user: char, by: &str) {
        match user {
            'E' => self.executor = Some(Listening::by(source(by))),
            'X' => self.id = Some(signal_hook::flag::register(libc::SIGUSR1, Arc::clone(&self.flag)).unwrap()),
            'T' => {
                let runtime = Builder::new_current_thread().enable_all().build().unwrap();
                let stream = runtime.block_on(async { signal(SignalKind::user_defined1()) }).unwrap();
                self.tokio = Some((runtime, stream));
            }
            _ => {
                let interrupted = Arc::clone(&self.interrupted);
                ctrlc::set_handler(move || {
                    interrupted.fetch_add(1, Ordering::SeqCst);
                })
                .unwrap();
                self.has_ctrlc = true;
                self.hides_int = self.executor.is_some();
            }
        }
    }

    fn drop(&mut self, user: char) {
        match user {
            'E' => self.executor = None,
            'X' => assert!(self.id.take().is_some_and(signal_hook::low_level::unregister)),
            'T' => self.tokio = None,
            _ => {}
        }
    }

    /// Raises signals, and sees that everybody who is there has had them.
    fn check(&mut self) {
        if self.executor.is_some() || self.id.is_some() || self.tokio.is_some() {
            raise(libc::SIGUSR1);
        }
        if self.id.is_some() {
            assert!(self.flag.swap(false, Ordering::SeqCst), "signal-hook");
        }
        if let Some((runtime, stream)) = &mut self.tokio {
            assert_eq!(runtime.block_on(stream.recv()), Some(()), "tokio");
            // Its children are its own to wait for.
            let child = async { tokio::process::Command::new("true").status().await };
            assert!(runtime.block_on(child).unwrap().success());
        }
        if self.has_ctrlc {
            let before = self.interrupted.load(Ordering::SeqCst);
            raise(libc::SIGINT);
            wait_for("ctrlc", || (self.interrupted.load(Ordering::SeqCst) > before).then_some(()));
        }
        if let Some(executor) = &mut self.executor {
            raise(libc::SIGUSR2);
            let int = (self.has_ctrlc && !self.hides_int).then_some(libc::SIGINT);
            let all: Vec<_> = [libc::SIGUSR1].into_iter().chain(int).chain([libc::SIGUSR2]).collect();
            assert_eq!(executor.numbers(all.len()), all, "executor");
        }
    }
}

#[test]
fn every_user_of_signals_has_them_in_every_order_of_creation_and_end() {
    alone_each(&orders(), |scenario| {
        let [by, order, way]: [&str; 3] = scenario.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let mut users = Users::default();
        for user in order.chars() {
            users.create(user, by);
        }
        users.check();
        let ends: Vec<_> = if way == "forwards" { order.chars().collect() } else { order.chars().rev().collect() };
        for user in ends {
            users.drop(user);
            users.check();
        }
    });
}

#[test]
fn a_thread_that_registers_meanwhile_loses_nothing_for_anybody() {
    alone_each(&SOURCES, |by| {
        let (rounds, is_over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let registers = {
            let (rounds, is_over) = (Arc::clone(&rounds), Arc::clone(&is_over));
            thread::spawn(move || {
                while !is_over.load(Ordering::SeqCst) {
                    let count = Arc::new(AtomicUsize::new(0));
                    let counts = Arc::clone(&count);
                    let id = signal_hook::flag::register_usize(libc::SIGUSR1, counts, 1).unwrap();
                    raise(libc::SIGUSR1);
                    assert_eq!(count.load(Ordering::SeqCst), 1);
                    signal_hook::low_level::unregister(id);
                    rounds.fetch_add(1, Ordering::SeqCst);
                }
            })
        };
        for _ in 0..30 {
            let mut executor = Listening::by(source(by));
            let before = rounds.load(Ordering::SeqCst);
            raise(libc::SIGUSR2);
            wait_for("the other thread", || (rounds.load(Ordering::SeqCst) > before + 1).then_some(()));
            // A child ends by its second signal, and there may be thousands of the other thread's before ours.
            let mut numbers = executor.numbers(2);
            wait_for("both signals", || {
                let has_both = numbers.contains(&libc::SIGUSR1) && numbers.contains(&libc::SIGUSR2);
                if !has_both {
                    numbers.extend(executor.numbers(1));
                }
                has_both.then_some(())
            });
        }
        is_over.store(true, Ordering::SeqCst);
        registers.join().unwrap();
    });
}
