//! Many processes of a supervisor: the kernel keeps track of their ends. All is as with few.

use crate::orders::{await_event, by, controlled, pid_of, process};
use crate::support::{status_field, wait_for};
use crate::{sys, turn};
use panicmon::{Event, Signal};
use std::fs;
use std::path::Path;

/// More than are looked at one by one.
const COUNT: usize = 60;

/// How many descriptors a thread waits for now. `None`: it doesn't wait.
fn waited_for(thread: &Path) -> Option<usize> {
    // The call's number, then its arguments.
    let call = fs::read_to_string(Path::new("/proc").join(thread).join("syscall")).ok()?;
    let mut words = call.split_whitespace();
    if words.next()? != libc::SYS_ppoll.to_string() {
        return None;
    }
    usize::from_str_radix(words.nth(1)?.strip_prefix("0x")?, 16).ok()
}

#[test]
fn few_descriptors_are_waited_for_and_each_end_is_told_of_its_own_process() {
    let _turn = turn();
    let thread = fs::read_link("/proc/thread-self").unwrap();
    let name = |number: usize| format!("p{number}");
    let configs: Vec<_> = (0..COUNT).map(|number| process(&name(number), &["sleep", "1000"])).collect();
    controlled(&configs, |control, events| {
        let started = |number: usize| pid_of(&await_event(events, &name(number), "process.started"));
        let exited = |number: usize| match await_event(events, &name(number), "process.exited") {
            Event::Exited(event) => (event.status, event.requested),
            other => panic!("{other:?}"),
        };
        let pids: Vec<u32> = (0..COUNT).map(started).collect();
        wait_for("few descriptors to be waited for", || waited_for(&thread).filter(|count| *count < 8));
        for number in [7, 40, 0, COUNT - 1] {
            sys::kill(pids[number], libc::SIGKILL).unwrap();
            assert_eq!(exited(number), (by(Signal::KILL), false));
            control.start(&name(number)).unwrap();
            let again = started(number);
            sys::kill(again, libc::SIGKILL).unwrap();
            assert_eq!(exited(number), (by(Signal::KILL), false));
        }
        // It could not end if nobody saw that it is stopped.
        sys::kill(pids[5], libc::SIGSTOP).unwrap();
        wait_for("it to be stopped", || status_field(pids[5], "State").filter(|state| state.starts_with('T')));
        control.stop("p5").unwrap();
        assert_eq!(exited(5), (by(Signal::INT), true));
        wait_for("few descriptors to be waited for", || waited_for(&thread).filter(|count| *count < 8));
    });
}
