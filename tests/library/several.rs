//! Several executors at a time.

use crate::program::{SharedWriter, state};
use crate::support::{PROBE, wait_for};
use crate::{send_to_self, sys, turn};
use panicmon::{Executor, Options, Output};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

#[test]
fn several_executors_each_see_each_signal_and_reap_their_own_child_only() {
    let _turn = turn();
    let mut own_child = Command::new(PROBE).args(["exit", "9"]).spawn().unwrap();
    let ready = Arc::new(Mutex::new(Vec::new()));
    thread::scope(|scope| {
        let threads: Vec<_> = (10..14)
            .map(|code| {
                let ready = Arc::clone(&ready);
                scope.spawn(move || {
                    sys::block(libc::SIGUSR1);
                    let options = Options::default().stdout(Output::Writer(Box::new(SharedWriter(ready))));
                    let words = [PROBE.to_owned(), "exit-after".to_owned(), "1".to_owned(), code.to_string()];
                    (code, Executor::new(options).unwrap().run(words).unwrap())
                })
            })
            .collect();
        wait_for("four children", || (ready.lock().unwrap().len() == 4 * "ready\n".len()).then_some(()));
        send_to_self(libc::SIGUSR1);
        for thread in threads {
            let (code, status) = thread.join().unwrap();
            assert_eq!(status.get(), code);
        }
    });
    assert_eq!(own_child.wait().unwrap().code(), Some(9), "the program's own child is still its own");
}

#[test]
fn overlapping_executors_give_back_sigchld_and_the_subreaper_flag() {
    let _turn = turn();
    sys::set_disposition(libc::SIGCHLD, 1);
    let before = state();
    for orders in [[false, true], [true, false], [true, true]] {
        for first_goes_first in [true, false] {
            let first = Executor::new(Options::default().init(orders[0])).unwrap();
            let second = Executor::new(Options::default().init(orders[1])).unwrap();
            let (sooner, later) = if first_goes_first { (first, second) } else { (second, first) };
            let later_is_init = if first_goes_first { orders[1] } else { orders[0] };
            drop(sooner);
            assert_eq!(state().2, later_is_init);
            drop(later);
            assert!(state() == before, "{orders:?} {first_goes_first}");
        }
    }
    sys::set_disposition(libc::SIGCHLD, 0);
}
