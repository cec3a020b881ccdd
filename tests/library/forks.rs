//! Forks of the program while an executor is there.

use crate::{send_to_self, sys, turn};
use panicmon::{Executor, Options};

#[test]
fn a_fork_of_the_program_ends_by_a_signal_as_ever() {
    let _turn = turn();
    let executor = Executor::new(Options::default()).unwrap();
    let fork = sys::fork_that_pauses();
    sys::kill(fork, libc::SIGTERM).unwrap();
    let ended = nix::sys::wait::waitpid(nix::unistd::Pid::from_raw(fork as i32), None).unwrap();
    drop(executor);
    assert!(
        matches!(ended, nix::sys::wait::WaitStatus::Signaled(_, nix::sys::signal::Signal::SIGTERM, _)),
        "{ended:?}"
    );
}

#[test]
fn a_fork_may_have_executors_of_its_own() {
    let _turn = turn();
    let executors = [Executor::new(Options::default()).unwrap(), Executor::new(Options::default()).unwrap()];
    let listens = || {
        let executor = Executor::new(Options::default()).unwrap();
        send_to_self(libc::SIGTERM);
        drop(executor);
        7
    };
    assert_eq!(sys::in_fork(listens).code(), Some(7));
    drop(executors);
    assert_eq!(sys::in_fork(listens).code(), Some(7));
}
