//! The ends and stops of children: of the executor's, of the program's own, and of orphans.

use crate::support::{self, PROBE, status_field, wait_for};
use crate::{sys, turn};
use panicmon::{Event, Executor, Handler, Options};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

#[test]
fn an_ignored_sigchld_loses_no_status() {
    let _turn = turn();
    sys::set_disposition(libc::SIGCHLD, 1);
    let mut executor = Executor::new(Options::default()).unwrap();
    let code = executor.run(["sh", "-c", "exit 42"]);
    drop(executor);
    let after = sys::disposition(libc::SIGCHLD);
    sys::set_disposition(libc::SIGCHLD, 0);
    assert_eq!((code.unwrap().get(), after), (42, 1));
}

#[test]
fn children_of_a_program_that_ignores_sigchld_dont_stay_zombies() {
    let _turn = turn();
    sys::set_disposition(libc::SIGCHLD, 1);
    let executor = Executor::new(Options::default()).unwrap();
    let child = sys::fork_that_pauses();
    sys::kill(child, libc::SIGKILL).unwrap();
    wait_for("the child's end", || status_field(child, "State").filter(|state| state.starts_with('Z')));
    drop(executor);
    assert_eq!(status_field(child, "State"), None);
    sys::set_disposition(libc::SIGCHLD, 0);
}

static CHILDREN_HANDLED: AtomicUsize = AtomicUsize::new(0);

extern "C" fn count_children(_: i32) {
    CHILDREN_HANDLED.fetch_add(1, Ordering::SeqCst);
}

/// Continues a child that has stopped, of which the program's handler hasn't heard.
struct Continues;

impl Handler for Continues {
    fn event(&mut self, event: &Event<'_>) {
        if let Event::Stopped(stopped) = event {
            assert_eq!(CHILDREN_HANDLED.load(Ordering::SeqCst), 0);
            sys::kill(stopped.pid.as_raw() as u32, libc::SIGCONT).unwrap();
        }
    }
}

#[test]
fn stops_are_heard_though_the_program_does_not_want_to_hear_of_them() {
    let _turn = turn();
    let before = sys::save(libc::SIGCHLD);
    sys::handle(libc::SIGCHLD, count_children);
    let mut ends_only = sys::save(libc::SIGCHLD);
    ends_only.sa_flags |= libc::SA_NOCLDSTOP;
    sys::restore(libc::SIGCHLD, &ends_only);
    let run = thread::spawn(|| {
        let mut executor = Executor::new(Options::default().init(true).handler(Continues)).unwrap();
        executor.run(["sh", "-c", "kill -STOP $$; exit 3"]).unwrap().get()
    });
    wait_for("the child to be continued, and to end", || run.is_finished().then_some(()));
    assert_eq!(run.join().unwrap(), 3);
    let after = sys::save(libc::SIGCHLD);
    assert_eq!((after.sa_sigaction, after.sa_flags), (ends_only.sa_sigaction, ends_only.sa_flags));
    sys::restore(libc::SIGCHLD, &before);
}

#[test]
fn an_init_reaps_what_is_orphaned() {
    let _turn = turn();
    let mut executor = Executor::new(Options::default().init(true)).unwrap();
    assert_eq!(executor.run([PROBE, "burst", "50", "3"]).unwrap().get(), 3);
    // What ended after the child is still a child of this program: the next run reaps it.
    wait_for("no child to be left", || {
        executor.run(["true"]).unwrap();
        support::children(std::process::id()).is_empty().then_some(())
    });
}
