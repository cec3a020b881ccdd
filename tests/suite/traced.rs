//! The worst moments, held still by ptrace(2): nothing is left to chance.

use crate::support::{PROBE, Running, Scratch, children, prepared, status_field, status_signals, wait_for};
use crate::sys;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
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
    let child = hold_child_of(running.pid());
    (running, child)
}

/// The same of a program that was started.
pub fn hold_child_of(program: u32) -> u32 {
    let wrapper = pid(program);
    wait_for("the program to stop itself", || status_field(program, "State").filter(|s| s.starts_with('T')));
    ptrace::seize(wrapper, Options::PTRACE_O_TRACEFORK | Options::PTRACE_O_TRACEVFORK | Options::PTRACE_O_TRACECLONE)
        .unwrap();
    sys::kill(program, libc::SIGCONT).unwrap();
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
    child
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

/// No start waits for a disk, or for what /proc tells: but the termination log is promised to be open before.
#[test]
fn what_records_go_to_is_opened_when_the_child_exists() {
    let folder = Scratch::folder();
    let file = |name: &str| folder.0.join(name);
    let mut command = prepared(&["stop"], true, &["exit", "3"]);
    command.env("PANICMON_TERMINATION_LOG", file("why"));
    command.env("PANICMON_METRICS", file("app.prom"));
    command.env("PANICMON_EVENTS", file("events"));
    let (mut running, child) = hold_child(command);
    assert_eq!(["why", "app.prom", "events"].map(|name| file(name).exists()), [true, false, false]);
    ptrace::detach(pid(running.pid()), None).unwrap();
    ptrace::detach(pid(child), None).unwrap();
    assert_eq!(running.code(), 3);
    let texts = ["why", "app.prom", "events"].map(|name| std::fs::read_to_string(file(name)).unwrap());
    assert!(texts[0].contains("exit code 3") && texts[1].contains("code=\"3\""), "{texts:?}");
    assert_eq!(texts[2].lines().count(), 3, "{texts:?}");
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
    sys::kill(child, libc::SIGSTOP).unwrap();
    ptrace::detach(pid(child), None).unwrap();
    wait_for("the child to be stopped", || status_field(child, "State").filter(|state| state.starts_with('T')));
    running.kill(libc::SIGCONT);
    assert_eq!(running.line().as_deref(), Some("ready"));
}

/// Until the child has left panicmon's process group, both are sent what is sent to that.
#[test]
fn a_signal_to_the_group_in_which_the_child_still_is_comes_once() {
    for child_first in [true, false] {
        let mut command = prepared(&["block=10", "block=12", "stop"], true, &["receive"]);
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let (mut running, child) = hold_child(command);
        let group = -(running.pid() as i32);
        nix::sys::signal::kill(Pid::from_raw(group), Signal::SIGUSR1).unwrap();
        if child_first {
            ptrace::detach(pid(child), None).unwrap();
            assert_eq!(running.line().as_deref(), Some("ready"));
            assert!(running.line().unwrap().starts_with("10 "));
            ptrace::detach(pid(running.pid()), None).unwrap();
        } else {
            ptrace::detach(pid(running.pid()), None).unwrap();
            // It has read the signal: nothing is pending any more.
            wait_for("panicmon to read it", || (status_signals(running.pid(), "ShdPnd") == 0).then_some(()));
            ptrace::detach(pid(child), None).unwrap();
            assert_eq!(running.line().as_deref(), Some("ready"));
            assert!(running.line().unwrap().starts_with("10 "));
        }
        running.kill(libc::SIGUSR2);
        let next = running.line().unwrap();
        assert!(next.starts_with("12 "), "{next}: once only, the child first: {child_first}");
        running.kill(libc::SIGUSR1);
        assert!(running.line().unwrap().starts_with("10 "), "a later one is another");
    }
}

#[test]
fn a_handler_of_the_program_never_runs_in_the_child() {
    let (mut running, child) = hold_child(prepared(&["stop"], false, &["host-with-handler", PROBE, "pause"]));
    // Pending until the child restores its mask: then it takes its default course.
    sys::kill(child, libc::SIGUSR2).unwrap();
    ptrace::detach(pid(running.pid()), None).unwrap();
    ptrace::detach(pid(child), None).unwrap();
    wait_for("the child's end", || status_field(child, "State").is_none().then_some(()));
    // The next one has none pending.
    running.ready_child();
    running.kill(libc::SIGKILL);
    assert_eq!(running.line(), None, "the handler said something");
}

/// Every system call panicmon makes to the end of a command, by itself and in the child before that executes.
fn system_calls(mut command: Command) -> Vec<(Who, i64, [u64; 6])> {
    sys::lead_session(&mut command, false);
    let running = Running::start(command);
    let wrapper = pid(running.pid());
    wait_for("the program to stop itself", || status_field(running.pid(), "State").filter(|s| s.starts_with('T')));
    let options = Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACEFORK | Options::PTRACE_O_TRACEEXEC;
    ptrace::seize(wrapper, options).unwrap();
    running.kill(libc::SIGCONT);
    let (mut calls, mut executed) = (Vec::new(), false);
    loop {
        let status = wait_for("a system call", || {
            [wrapper].into_iter().chain(children(running.pid()).into_iter().map(pid)).find_map(|process| match waitpid(
                process,
                Some(WaitPidFlag::WNOHANG | WaitPidFlag::__WALL),
            ) {
                Ok(WaitStatus::StillAlive) | Err(_) => None,
                Ok(status) => Some(status),
            })
        });
        let Some(process) = status.pid() else { continue };
        let who = if process == wrapper { Who::Panicmon } else { Who::Child };
        match status {
            WaitStatus::Exited(..) | WaitStatus::Signaled(..) if who == Who::Panicmon => return calls,
            WaitStatus::Exited(..) | WaitStatus::Signaled(..) => continue,
            // The child is the command now, whose calls are its own.
            WaitStatus::PtraceEvent(_, _, libc::PTRACE_EVENT_EXEC) if who == Who::Child => {
                ptrace::detach(process, None).unwrap();
                continue;
            }
            // Before that it was the helper that prepared it.
            WaitStatus::PtraceEvent(_, _, libc::PTRACE_EVENT_EXEC) => executed = true,
            WaitStatus::PtraceSyscall(_) if executed => {
                calls.extend(sys::system_call(process.as_raw() as u32).map(|(number, args)| (who, number, args)));
            }
            _ => {}
        }
        let signal = match status {
            WaitStatus::Stopped(_, signal) if signal != Signal::SIGTRAP => Some(signal),
            _ => None,
        };
        ptrace::syscall(process, signal).unwrap();
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Panicmon,
    Child,
}

/// But for the one that finds that there is none, and the child's own process group, which isn't for terminals only.
#[test]
fn without_a_terminal_no_system_call_is_made_for_one() {
    let calls = system_calls(prepared(&["stop"], true, &["exit", "0"]));
    let count = |number: i64| calls.iter().filter(|(_, made, _)| *made == number).count();
    assert!(count(libc::SYS_exit_group) > 0 && count(libc::SYS_waitid) > 0, "{calls:?}");
    for number in [libc::SYS_ioctl, libc::SYS_getpgid, libc::SYS_getsid, libc::SYS_kill] {
        assert_eq!(count(number), 0, "{number}: {calls:?}");
    }
    #[cfg(target_arch = "x86_64")]
    assert_eq!(count(libc::SYS_getpgrp), 0);
    // By both, whichever is first, for what is sent to panicmon's group at that moment.
    let by = |number| calls.iter().filter(move |(_, made, _)| *made == number).map(|(who, ..)| *who);
    assert!(by(libc::SYS_setpgid).count() == 2 && by(libc::SYS_setpgid).any(|who| who == Who::Child), "{calls:?}");
    assert_eq!(by(libc::SYS_rt_sigpending).collect::<Vec<_>>(), [Who::Child]);
    // Only /dev/tty is opened so; C libraries differ in the call.
    let opens_terminal = |number: i64, args: &[u64; 6]| {
        #[cfg(target_arch = "x86_64")]
        if number == libc::SYS_open {
            return args[1] & libc::O_NOCTTY as u64 != 0;
        }
        number == libc::SYS_openat && args[2] & libc::O_NOCTTY as u64 != 0
    };
    assert_eq!(calls.iter().filter(|(_, number, args)| opens_terminal(*number, args)).count(), 1);
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
    wait_for("panicmon to be held", || {
        match waitpid(wrapper, Some(WaitPidFlag::WNOHANG | WaitPidFlag::__WALL)).unwrap() {
            WaitStatus::StillAlive => None,
            _ => Some(()),
        }
    });
    let mut registers = ptrace::getregs(wrapper).unwrap();
    registers.rip = 8;
    // No system call to restart.
    registers.orig_rax = u64::MAX;
    ptrace::setregs(wrapper, registers).unwrap();
    ptrace::detach(wrapper, None).unwrap();
    assert_eq!(running.wait().signal(), Some(libc::SIGSEGV));
    running.wait_for_eof();
}
