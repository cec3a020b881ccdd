//! The worst moments, held still by ptrace(2): nothing is left to chance.

use crate::support::{PROBE, Running, prepared, status_field, status_signals, wait_for};
use nix::sys::ptrace::{self, Options};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

fn pid(pid: u32) -> Pid {
    Pid::from_raw(pid as i32)
}

/// Starts panicmon and holds its child before its first instruction.
fn child_held_at_birth(ops: &[&str], words: &[&str]) -> (Running, u32) {
    hold_child(prepared(&[ops, &["stop"]].concat(), true, words))
}

/// Starts a program that stops itself before it begins, and holds its child before its first instruction.
fn hold_child(command: Command) -> (Running, u32) {
    let running = Running::start(command);
    let wrapper = pid(running.pid());
    wait_for("the program to stop itself", || status_field(running.pid(), "State").filter(|s| s.starts_with('T')));
    ptrace::seize(wrapper, Options::PTRACE_O_TRACEFORK | Options::PTRACE_O_TRACEVFORK | Options::PTRACE_O_TRACECLONE)
        .unwrap();
    running.kill(libc::SIGCONT);
    let mut child = None;
    wait_for("panicmon to clone", || {
        match waitpid(wrapper, Some(WaitPidFlag::WNOHANG | WaitPidFlag::__WALL)).unwrap() {
            WaitStatus::StillAlive => {}
            WaitStatus::PtraceEvent(_, _, libc::PTRACE_EVENT_STOP) => ptrace::cont(wrapper, None).unwrap(),
            WaitStatus::PtraceEvent(..) => child = Some(ptrace::getevent(wrapper).unwrap() as u32),
            WaitStatus::Stopped(_, signal) => ptrace::cont(wrapper, signal).unwrap(),
            other => panic!("{other:?}"),
        }
        child
    });
    let child = child.unwrap();
    wait_for("the child to be held", || {
        match waitpid(pid(child), Some(WaitPidFlag::WNOHANG | WaitPidFlag::__WALL)).unwrap() {
            WaitStatus::StillAlive => None,
            _ => Some(()),
        }
    });
    (running, child)
}

#[test]
fn a_child_whose_parent_was_killed_before_prctl_goes_too() {
    let (mut running, child) = child_held_at_birth(&[], &["pause"]);
    running.kill(libc::SIGKILL);
    assert_eq!(running.wait().signal(), Some(libc::SIGKILL));
    ptrace::detach(pid(child), None).unwrap();
    // Were it to execute its command, that would hold the pipe for ever.
    running.wait_for_eof();
}

#[test]
fn a_child_held_before_exec_leaves_panicmon_at_work() {
    let (mut running, child) = child_held_at_birth(&["block=10"], &["receive"]);
    ptrace::detach(pid(running.pid()), None).unwrap();
    running.kill(libc::SIGUSR1);
    wait_for("the signal to be passed on", || (status_signals(child, "ShdPnd") & 1 << 9 != 0).then_some(()));
    ptrace::detach(pid(child), None).unwrap();
    assert_eq!(running.line().as_deref(), Some("ready"));
    assert!(running.line().is_some_and(|line| line.starts_with("10 ")));
}

#[test]
fn a_child_stopped_before_exec_is_continued_by_panicmon() {
    let (mut running, child) = child_held_at_birth(&[], &["receive"]);
    ptrace::detach(pid(running.pid()), None).unwrap();
    crate::sys::kill(child, libc::SIGSTOP).unwrap();
    ptrace::detach(pid(child), None).unwrap();
    wait_for("the child to be stopped", || status_field(child, "State").filter(|state| state.starts_with('T')));
    running.kill(libc::SIGCONT);
    assert_eq!(running.line().as_deref(), Some("ready"));
}

#[test]
fn a_handler_of_the_program_never_runs_in_the_child() {
    let (mut running, child) = hold_child(prepared(&["stop"], false, &["host-with-handler", PROBE, "pause"]));
    // Pending until the child restores its mask: then it takes its default course.
    crate::sys::kill(child, libc::SIGUSR2).unwrap();
    ptrace::detach(pid(running.pid()), None).unwrap();
    ptrace::detach(pid(child), None).unwrap();
    wait_for("the child's end", || status_field(child, "State").is_none().then_some(()));
    // The next one has none pending.
    running.ready_child();
    running.kill(libc::SIGKILL);
    assert_eq!(running.line(), None, "the handler said something");
}

/// A fault of panicmon's own, blocked or not, is no signal to forward.
#[cfg(target_arch = "x86_64")]
#[test]
fn a_real_fault_inside_panicmon_kills_it() {
    let mut running = Running::start(prepared(&[], true, &["pause"]));
    running.ready_child();
    let wrapper = pid(running.pid());
    wait_for("panicmon to wait for signals", || {
        status_field(running.pid(), "State").filter(|state| state.starts_with('S'))
    });
    ptrace::seize(wrapper, Options::empty()).unwrap();
    ptrace::interrupt(wrapper).unwrap();
    waitpid(wrapper, Some(WaitPidFlag::__WALL)).unwrap();
    let mut registers = ptrace::getregs(wrapper).unwrap();
    registers.rip = 8;
    // No system call to restart.
    registers.orig_rax = u64::MAX;
    ptrace::setregs(wrapper, registers).unwrap();
    ptrace::detach(wrapper, None).unwrap();
    assert_eq!(running.wait().signal(), Some(libc::SIGSEGV));
    running.wait_for_eof();
}
