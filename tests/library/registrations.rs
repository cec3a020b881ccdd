//! Other libraries register handlers while executors come and go: none is lost.

use crate::registered::{before_each_call, calls, register, unregister};
use crate::support::{Random, spend};
use crate::{sys, turn};
use panicmon::{Executor, Options, Signal};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

const SIGNAL: i32 = libc::SIGUSR2;

fn executor() -> Executor<'static> {
    Executor::new(Options::default().signals([Signal::USR2])).unwrap()
}

/// An executor is created and dropped, and before each call of sigaction(2) that is for this, `meddle` is called with
/// its number. Returns how many calls there were.
fn come_and_go(meddle: impl FnMut(usize) + 'static) -> usize {
    before_each_call(SIGNAL, meddle, || drop(executor()))
}

/// A first library is there already. Then each of these registers before the call of this number.
fn register_before_calls(numbers: &[usize]) -> usize {
    sys::set_disposition(SIGNAL, 1);
    register(0, SIGNAL);
    let numbers = numbers.to_owned();
    come_and_go(move |call| {
        for (library, _) in numbers.iter().enumerate().filter(|(_, number)| **number == call) {
            register(library + 1, SIGNAL);
        }
    })
}

/// No call is before one that never came.
const NEVER: usize = usize::MAX;

#[test]
fn whenever_two_register_both_are_called() {
    let _turn = turn();
    let alone = register_before_calls(&[]);
    assert_eq!(calls(SIGNAL), [1, 0, 0, 0]);
    let mut both = 0;
    // Some more: those that find something new look again.
    for first in 0..alone + 3 {
        for second in (first..alone + 3).chain([NEVER]) {
            let when = [first, second];
            let there = register_before_calls(&when);
            let expected = [1, usize::from(first < there), usize::from(second < there), 0];
            both += usize::from(second < there);
            assert_eq!(calls(SIGNAL), expected, "registered before calls {when:?}");
            // Another executor finds them, and leaves them as they were.
            let before = sys::disposition(SIGNAL);
            let executor = executor();
            assert_eq!(calls(SIGNAL), expected, "registered before calls {when:?}, with an executor");
            drop(executor);
            assert_eq!(sys::disposition(SIGNAL), before);
            assert_eq!(calls(SIGNAL), expected, "registered before calls {when:?}, after an executor");
        }
    }
    sys::set_disposition(SIGNAL, 0);
    assert!(alone >= 4 && both > alone, "{alone} calls");
}

#[test]
fn who_registers_between_executors_calls_those_beneath() {
    let _turn = turn();
    sys::set_disposition(SIGNAL, 1);
    register(0, SIGNAL);
    // Over the handler of an executor each, which has gone then.
    for library in 1..4 {
        let executor = executor();
        register(library, SIGNAL);
        drop(executor);
        assert_eq!(calls(SIGNAL).iter().sum::<usize>(), library + 1);
    }
    assert_eq!(calls(SIGNAL), [1; 4]);
    let executor = executor();
    assert_eq!(calls(SIGNAL), [1; 4]);
    drop(executor);
    // In the order in which they came, each finds its own, and what is beneath.
    for library in (1..4).rev() {
        unregister(library, SIGNAL);
        assert_eq!(calls(SIGNAL).iter().sum::<usize>(), library);
    }
    sys::set_disposition(SIGNAL, 0);
}

#[test]
fn whenever_one_unregisters_it_is_gone_and_the_other_is_there() {
    let _turn = turn();
    let alone = register_before_calls(&[]);
    for before_it_comes in [false, true] {
        for number in 0..alone + 3 {
            sys::set_disposition(SIGNAL, 1);
            register(0, SIGNAL);
            if before_it_comes {
                register(1, SIGNAL);
            }
            let there = come_and_go(move |call| {
                if call == 1 && !before_it_comes {
                    register(1, SIGNAL);
                }
                if call == number && (before_it_comes || number >= 1) {
                    unregister(1, SIGNAL);
                }
            });
            let still = (number >= there || (!before_it_comes && number < 1)) as usize;
            assert_eq!(calls(SIGNAL), [1, still, 0, 0], "{before_it_comes}, unregistered before call {number}");
        }
    }
    sys::set_disposition(SIGNAL, 0);
}

/// A program that ignores its children, whose status an executor needs.
#[test]
fn who_registers_for_sigchld_is_called_though_it_was_ignored() {
    let _turn = turn();
    let chld = libc::SIGCHLD;
    let mut there = 0;
    let mut number = 0;
    while number <= there {
        sys::set_disposition(chld, 1);
        let meddle = move |call| {
            if call == number {
                register(1, chld);
            }
        };
        there = before_each_call(chld, meddle, || drop(executor()));
        assert_eq!(calls(chld), [0, usize::from(number < there), 0, 0], "registered before call {number}");
        number += 1;
    }
    sys::set_disposition(chld, 0);
    assert!(there >= 4, "{there} calls");
}

/// Rust's own handler for SIGBUS, which lies beneath, sets the default when the signal isn't a fault of a stack.
#[test]
fn who_registers_over_ours_for_a_fault_stays() {
    let _turn = turn();
    let before = sys::save(libc::SIGBUS);
    let executor = Executor::new(Options::default().signals([Signal::BUS])).unwrap();
    register(1, libc::SIGBUS);
    for _ in 0..2 {
        assert_eq!(calls(libc::SIGBUS), [0, 1, 0, 0]);
    }
    drop(executor);
    sys::restore(libc::SIGBUS, &before);
}

/// The same by chance, with threads.
#[test]
fn no_registration_of_another_thread_is_lost() {
    let _turn = turn();
    for seed in 0..1500 {
        sys::set_disposition(SIGNAL, 1);
        register(0, SIGNAL);
        let start = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut random = Random::new(seed);
                start.wait();
                for library in [1, 2] {
                    spend(Duration::from_micros(random.below(30)));
                    register(library, SIGNAL);
                }
            });
            start.wait();
            for _ in 0..4 {
                drop(executor());
            }
        });
        assert_eq!(calls(SIGNAL), [1, 1, 1, 0], "seed {seed}");
    }
    sys::set_disposition(SIGNAL, 0);
}
