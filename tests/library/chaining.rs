//! Handlers of the program above and below the executor's: each is called, and none for ever.

use crate::support::{PROBE, wait_for};
use crate::{in_blocking_thread, send_to_self, sys, turn};
use panicmon::{Executor, Options};
use std::os::unix::process::ExitStatusExt;
use std::sync::atomic::{AtomicUsize, Ordering};

static HANDLED: AtomicUsize = AtomicUsize::new(0);

extern "C" fn count(_: i32) {
    HANDLED.fetch_add(1, Ordering::SeqCst);
}

#[test]
fn handlers_the_program_installs_at_any_time_are_called_and_stay() {
    let _turn = turn();
    drop(Executor::new(Options::default()).unwrap());
    // Installed after a first executor came and went.
    sys::handle(libc::SIGUSR2, count);
    let ours = sys::disposition(libc::SIGUSR2);
    let executor = Executor::new(Options::default()).unwrap();
    send_to_self(libc::SIGUSR2);
    wait_for("the program's handler to be called", || (HANDLED.load(Ordering::SeqCst) == 1).then_some(()));
    // Installed while one is there.
    sys::handle(libc::SIGUSR1, count);
    drop(executor);
    assert_eq!([libc::SIGUSR1, libc::SIGUSR2].map(sys::disposition), [ours; 2]);
    send_to_self(libc::SIGUSR1);
    wait_for("the program's handler to be called", || (HANDLED.load(Ordering::SeqCst) == 2).then_some(()));
    // Taken away again: nobody calls it any more.
    sys::set_disposition(libc::SIGUSR2, 1);
    let executor = Executor::new(Options::default()).unwrap();
    send_to_self(libc::SIGUSR2);
    drop(executor);
    assert_eq!(HANDLED.load(Ordering::SeqCst), 2);
    sys::set_disposition(libc::SIGUSR1, 0);
    sys::set_disposition(libc::SIGUSR2, 0);
}

/// As libraries do that share signals: they stay, whichever executors come and go.
#[test]
fn a_handler_that_calls_ours_isnt_called_by_it_for_ever() {
    let _turn = turn();
    let first = Executor::new(Options::default()).unwrap();
    sys::chain(libc::SIGUSR1);
    let calls = || sys::CHAIN_CALLS.load(Ordering::SeqCst);
    send_to_self(libc::SIGUSR1);
    wait_for("the handler to be called", || (calls() == 1).then_some(()));
    drop(first);
    let mut second = Executor::new(Options::default()).unwrap();
    send_to_self(libc::SIGUSR1);
    wait_for("the handler to be called", || (calls() == 2).then_some(()));
    let code = in_blocking_thread(libc::SIGUSR1, || second.run([PROBE, "until", "10", "5"]).unwrap());
    assert_eq!(code.get(), 5);
    drop(second);
    sys::set_disposition(libc::SIGUSR1, 0);
}

/// As system(3) does with INT and QUIT.
#[test]
fn our_handler_put_back_by_the_program_does_no_harm() {
    let _turn = turn();
    let first = Executor::new(Options::default()).unwrap();
    let saved = sys::save(libc::SIGINT);
    sys::set_disposition(libc::SIGINT, 1);
    drop(first);
    sys::restore(libc::SIGINT, &saved);
    let ended = sys::in_fork(|| {
        send_to_self(libc::SIGINT);
        0
    });
    assert_eq!(ended.signal(), Some(libc::SIGINT), "nobody listens, and the program has the default");
    let mut second = Executor::new(Options::default()).unwrap();
    send_to_self(libc::SIGINT);
    let code = in_blocking_thread(libc::SIGINT, || second.run([PROBE, "until", "2", "5"]).unwrap());
    assert_eq!(code.get(), 5);
    drop(second);
    assert_eq!(sys::disposition(libc::SIGINT), 0);
}
