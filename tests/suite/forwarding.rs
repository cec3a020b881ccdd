//! What becomes of signals on their way: `--rewrite`, `--delay`, `--group`, `--session`, `--parent-death-signal`.

use crate::events::Events;
use crate::support::{
    PROBE, Running, Scratch, children, output, panicmon, script_with, status_field, status_signals, wait_for,
    with_one_pipe, with_options,
};
use crate::sys;
use std::ffi::OsStr;
use std::fs::{File, read_dir, read_link, read_to_string};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

/// A child that tells of each signal, and has said that it is there.
fn receiving(options: &[&str]) -> Running {
    let mut running = Running::start(with_options(options, &["receive"]));
    assert_eq!(running.line().as_deref(), Some("ready"));
    running
}

/// The next signal that the child tells of.
fn next(running: &mut Running) -> i32 {
    running.line().unwrap().split(' ').next().unwrap().parse().unwrap()
}

#[test]
fn another_signal_is_sent_instead() {
    let mut running = receiving(&["-r", "TERM=QUIT,USR1=RTMIN+3", "--rewrite", "HUP=drop"]);
    for (sent, seen) in [(libc::SIGTERM, libc::SIGQUIT), (libc::SIGUSR1, 37), (libc::SIGQUIT, libc::SIGQUIT)] {
        running.kill(sent);
        assert_eq!(next(&mut running), seen);
    }
    running.kill(libc::SIGHUP);
    running.kill(libc::SIGUSR2);
    assert_eq!(next(&mut running), libc::SIGUSR2, "what came before is dropped");
}

#[test]
fn a_rewrite_to_kill_kills() {
    let mut running = Running::start(with_options(&["-r", "TERM=KILL"], &["receive"]));
    assert_eq!(running.line().as_deref(), Some("ready"));
    running.kill(libc::SIGTERM);
    assert_eq!(running.code(), 128 + libc::SIGKILL);
}

#[test]
fn kill_after_counts_what_came() {
    // The child blocks all signals: nothing else ends it.
    for (rewrite, signal) in [("TERM=WINCH", libc::SIGTERM), ("HUP=TERM", libc::SIGINT)] {
        let mut running = receiving(&["-r", rewrite, "-k", "10ms", "-q"]);
        running.kill(signal);
        assert_eq!(running.code(), 128 + libc::SIGKILL, "{rewrite}");
    }
    // What becomes a stop, and a stop that is dropped, are none.
    let mut running = receiving(&["-r", "USR1=TERM,TERM=drop", "-k", "1ms"]);
    running.kill(libc::SIGUSR1);
    assert_eq!(next(&mut running), libc::SIGTERM);
    running.kill(libc::SIGTERM);
    running.kill(libc::SIGUSR2);
    assert_eq!(next(&mut running), libc::SIGUSR2);
    let panicmon = running.pid();
    assert_eq!(children(panicmon).len(), 1, "it lives on");
}

#[test]
fn a_reload_and_a_dump_are_no_stop() {
    let mut running = receiving(&["-k", "1ms", "--restart", "always", "--min-wait", "1ms", "-q"]);
    for signal in [libc::SIGHUP, libc::SIGQUIT] {
        running.kill(signal);
        assert_eq!(next(&mut running), signal);
    }
    // With a time of one millisecond it would be killed, and started again, by now or soon.
    running.kill(libc::SIGUSR1);
    assert_eq!(next(&mut running), libc::SIGUSR1);
    // A stop is one all the same.
    running.kill(libc::SIGTERM);
    assert_eq!(running.code(), 128 + libc::SIGKILL);
}

#[test]
fn other_signals_may_be_the_stop() {
    let mut running = receiving(&["--stop-signals", "USR1,RTMIN+3", "-k", "1ms", "-q"]);
    running.kill(37);
    assert_eq!(running.code(), 128 + libc::SIGKILL);
}

/// timeout(1) signals the process it has started, and then its whole group. Real-time signals, since both arrive.
#[test]
fn the_same_stop_twice_at_once_is_one() {
    let mut running = receiving(&["--delay", "RTMIN+3=1h", "--stop-signals", "RTMIN+3"]);
    running.while_stopped(|running| {
        running.kill(37);
        running.kill(37);
    });
    assert_eq!(next(&mut running), libc::SIGCONT);
    running.kill(libc::SIGUSR1);
    assert_eq!(next(&mut running), libc::SIGUSR1, "both wait");
    running.kill_by_another(37);
    assert_eq!(next(&mut running), 37, "another's doesn't");
}

#[test]
fn what_would_kill_the_command_unasked_is_dropped() {
    let script = "trap 'echo hup' HUP; trap '' USR2; echo ready; while :; do sleep 1000 & wait; done";
    let mut running = Running::start(script_with(&["-r", "uncaught=drop", "--drain", "1h"], script));
    assert_eq!(running.line().as_deref(), Some("ready"));
    for signal in [libc::SIGUSR1, libc::SIGUSR2, libc::SIGALRM, libc::SIGWINCH, 40, libc::SIGHUP] {
        running.kill(signal);
    }
    assert_eq!(running.line().as_deref(), Some("hup"), "it lives");
    // Those that ask for an end are forwarded.
    running.kill(libc::SIGQUIT);
    assert_eq!(running.code(), 128 + libc::SIGQUIT);
}

/// A program may be called, and may call itself, anything.
#[test]
fn a_name_that_is_no_text_does_not_hide_that_a_signal_is_uncaught() {
    let folder = Scratch::folder();
    let program = folder.0.join(OsStr::from_bytes(b"caf\xe9"));
    std::os::unix::fs::symlink("/bin/sleep", &program).unwrap();
    let mut command = Command::new(panicmon());
    command.args(["-r", "uncaught=drop", "--"]).arg(&program).arg("1000");
    let mut running = Running::start(command);
    wait_for("the command to have its name", || {
        let name = |child: &u32| std::fs::read(format!("/proc/{child}/comm")).unwrap_or_default() == b"caf\xe9\n";
        children(running.pid()).iter().any(name).then_some(())
    });
    running.kill(libc::SIGUSR1);
    running.kill(libc::SIGTERM);
    assert_eq!(running.code(), 128 + libc::SIGTERM);
}

/// A command that has all signals blocked and is stopped, so that nothing changes meanwhile; what happens to it; and the FIFO
/// by which it is told to unblock them.
fn blocking_all(events: &Events, options: &[&str]) -> (Running, u32, File) {
    let path = events.folder.0.join("fifo");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let options = events.options(&[&["-r", "uncaught=drop"], options].concat());
    let mut running = Running::start(with_options(&options, &["block-until", path.to_str().unwrap()]));
    assert_eq!(running.line().as_deref(), Some("ready"));
    let child = children(running.pid())[0];
    sys::kill(child, libc::SIGSTOP).unwrap();
    wait_for("it to be stopped", || (!events.of("process.stopped").is_empty()).then_some(()));
    (running, child, File::options().read(true).write(true).open(path).unwrap())
}

/// The signals of these events, once there is this number of them.
fn signals_of(events: &Events, kind: &str, count: usize) -> Vec<String> {
    let found = wait_for(kind, || Some(events.of(kind)).filter(|found| found.len() >= count));
    found.iter().map(|event| event["signal"].as_str().unwrap().to_owned()).collect()
}

/// As a program does that starts another one.
#[test]
fn what_comes_while_all_is_blocked_for_a_moment_is_dropped() {
    let events = Events::new();
    let (mut running, child, mut fifo) = blocking_all(&events, &[]);
    running.kill(libc::SIGUSR1);
    assert_eq!(signals_of(&events, "signal.received", 1), ["USR1"]);
    fifo.write_all(b"!").unwrap();
    sys::kill(child, libc::SIGCONT).unwrap();
    assert_eq!(running.line().as_deref(), Some("unblocked: Ok(())"));
    assert_eq!(signals_of(&events, "signal.dropped", 1), ["USR1"]);
    running.kill(libc::SIGTERM);
    assert_eq!(running.code(), 128 + libc::SIGTERM, "it lived");
}

#[test]
fn what_comes_while_all_is_blocked_for_good_is_forwarded_in_order() {
    let events = Events::new();
    let (running, child, _fifo) = blocking_all(&events, &[]);
    for (signal, before) in [libc::SIGUSR2, 41, libc::SIGUSR1, libc::SIGUSR2, 40, libc::SIGTERM].into_iter().zip(0..) {
        running.kill(signal);
        signals_of(&events, "signal.received", before + 1);
    }
    // A stop waits for nothing.
    assert_eq!(signals_of(&events, "signal.passed", 1), ["TERM"]);
    assert_eq!(signals_of(&events, "signal.dropped", 1), ["USR2"], "two of a kind are one");
    sys::kill(child, libc::SIGCONT).unwrap();
    assert_eq!(signals_of(&events, "signal.passed", 5), ["TERM", "USR2", "RTMIN+7", "USR1", "RTMIN+6"]);
    let pending =
        [libc::SIGUSR2, 41, libc::SIGUSR1, 40, libc::SIGTERM, libc::SIGCONT].map(|signal| 1_u64 << (signal - 1));
    assert_eq!(status_signals(child, "ShdPnd"), pending.iter().sum::<u64>());
    sys::kill(child, libc::SIGKILL).unwrap();
}

#[test]
fn what_waits_when_the_command_ends_is_dropped_with_it() {
    let events = Events::new();
    let (mut running, child, _fifo) = blocking_all(&events, &["--restart", "always", "--min-wait", "1ms", "-q"]);
    running.kill(libc::SIGUSR1);
    assert_eq!(signals_of(&events, "signal.received", 1), ["USR1"]);
    sys::kill(child, libc::SIGKILL).unwrap();
    assert_eq!(running.line().as_deref(), Some("ready"), "the next one");
    assert_eq!(signals_of(&events, "signal.dropped", 1), ["USR1"]);
    assert_eq!(events.one("signal.dropped")["pid"], child);
    assert!(events.of("signal.passed").is_empty());
    sys::kill(children(running.pid())[0], libc::SIGKILL).unwrap();
}

#[test]
fn what_the_command_waits_for_is_forwarded() {
    let mut running = receiving(&["-r", "uncaught=drop"]);
    for signal in [libc::SIGUSR2, 41, libc::SIGUSR1, 40, libc::SIGALRM] {
        running.kill(signal);
        assert_eq!(next(&mut running), signal);
    }
    // At once, so that some come while it isn't waiting.
    let values = "for _ in 1 2 3 4 5 6 7 8; do kill -40 $0; kill -41 $0; done";
    let pid = running.pid().to_string();
    assert!(Command::new("sh").args(["-c", values, &pid]).status().unwrap().success());
    let mut came: Vec<_> = (0..16).map(|_| next(&mut running)).collect();
    came.sort_unstable();
    assert_eq!(came, [[40; 8], [41; 8]].concat());
}

/// While such a command is stopped, a look at what it blocks says nothing. It `is_ready` when it can get signals.
fn is_forwarded_to_a_stopped(command: &[&str], is_ready: impl Fn(u32) -> bool) {
    let events = Events::new();
    let mut outer = Command::new(panicmon());
    outer.args(events.options(&["-r", "uncaught=drop", "--"])).args(command);
    let mut running = Running::start(outer);
    assert_eq!(running.line().as_deref(), Some("ready"));
    let child = children(running.pid())[0];
    wait_for("it to wait for signals", || is_ready(child).then_some(()));
    sys::kill(child, libc::SIGSTOP).unwrap();
    wait_for("it to be stopped", || (!events.of("process.stopped").is_empty()).then_some(()));
    running.kill(libc::SIGUSR1);
    assert_eq!(signals_of(&events, "signal.passed", 1), ["USR1"]);
    sys::kill(child, libc::SIGCONT).unwrap();
    while next(&mut running) != libc::SIGUSR1 {}
    sys::kill(child, libc::SIGKILL).unwrap();
}

#[test]
fn what_another_thread_of_the_command_waits_for_is_forwarded_at_once() {
    is_forwarded_to_a_stopped(&[PROBE, "receive-by-thread"], |child| {
        let threads = read_dir(format!("/proc/{child}/task")).unwrap();
        let mut blocked = threads.map(|thread| read_to_string(thread.unwrap().path().join("status")).unwrap());
        blocked.any(|status| status.contains("SigBlk:\t0000000000000000"))
    });
}

#[test]
fn what_the_command_reads_from_a_signalfd_is_forwarded_at_once() {
    is_forwarded_to_a_stopped(&[&panicmon(), "--", PROBE, "receive"], |child| {
        let mut open = read_dir(format!("/proc/{child}/fd")).unwrap();
        open.any(|fd| read_link(fd.unwrap().path()).is_ok_and(|to| to.as_os_str() == "anon_inode:[signalfd]"))
    });
}

/// dash blocks all signals while it forks.
#[test]
fn a_shell_that_starts_commands_does_not_die_of_what_is_dropped() {
    let script = "i=0; while [ $i -lt 40 ]; do kill -USR1 $PPID; /bin/true; i=$((i+1)); done; exit 4";
    assert_eq!(output(&mut script_with(&["-r", "uncaught=drop"], script)).0, Some(4));
}

#[test]
fn a_stop_is_forwarded_whatever_it_becomes() {
    for (rules, stop) in [("TERM=USR1,uncaught=drop", libc::SIGTERM), ("uncaught=drop,RTMIN+3=USR1", 37)] {
        let mut running = receiving(&["-r", rules, "--stop-signals", "TERM,RTMIN+3"]);
        running.kill(stop);
        assert_eq!(next(&mut running), libc::SIGUSR1, "it has a handler");
        running.child.kill().unwrap();
        let mut running = Running::start(script_with(
            &["-r", rules, "--stop-signals", "TERM,RTMIN+3"],
            "echo ready; exec sleep 1000",
        ));
        assert_eq!(running.line().as_deref(), Some("ready"));
        running.kill(stop);
        assert_eq!(running.code(), 128 + libc::SIGUSR1, "it has none: {rules}");
    }
}

#[test]
fn the_kill_is_said_and_reaches_a_command_that_has_left_its_group() {
    // Its group is somebody else's by then; the helper in it ends with its stdout.
    let script = "sleep 1000 & exec \"$0\" prepare leave-group -- \"$0\" receive";
    for (time, shown) in [("10ms", "10ms"), ("0", "0s")] {
        let mut command = with_one_pipe(&script_with(&["-k", time], script));
        command.arg(PROBE);
        let mut running = Running::start(command);
        while running.line().as_deref() != Some("ready") {}
        let command = children(running.pid())[0];
        running.kill(libc::SIGTERM);
        let mut said = None;
        while let Some(line) = running.line() {
            said = said.or_else(|| line.contains("hasn't ended").then_some(line));
        }
        let expected =
            format!("panicmon: warn: sh (pid {command}) hasn't ended within {shown} of the stop: it is killed");
        assert_eq!(said, Some(expected));
        assert_eq!(running.code(), 128 + libc::SIGKILL);
    }
}

#[test]
fn a_delayed_signal_comes_later_and_others_at_once() {
    let mut running = receiving(&["--delay", "TERM=2s"]);
    running.kill(libc::SIGTERM);
    running.kill(libc::SIGUSR1);
    assert_eq!(next(&mut running), libc::SIGUSR1, "it isn't delayed");
    assert_eq!(next(&mut running), libc::SIGTERM);
}

#[test]
fn a_second_one_goes_at_once_and_the_first_with_it() {
    let mut running = receiving(&["--delay", "TERM=1h"]);
    running.kill(libc::SIGTERM);
    running.kill(libc::SIGUSR1);
    assert_eq!(next(&mut running), libc::SIGUSR1);
    running.kill_by_another(libc::SIGTERM);
    assert_eq!(next(&mut running), libc::SIGTERM);
    running.kill(libc::SIGUSR2);
    assert_eq!(next(&mut running), libc::SIGUSR2, "the first isn't sent as well");
    running.kill(libc::SIGTERM);
    assert_eq!(next(&mut running), libc::SIGTERM, "a further one isn't delayed");
}

#[test]
fn a_command_that_ends_meanwhile_is_not_waited_for() {
    let mut running = Running::start(with_options(&["--delay", "TERM=1h"], &["exit-after", "1", "7"]));
    assert_eq!(running.line().as_deref(), Some("ready"));
    running.kill(libc::SIGTERM);
    running.kill(libc::SIGUSR1);
    assert_eq!(running.code(), 7);
}

#[test]
fn a_delayed_stop_ends_restarting() {
    let options = ["--restart", "always", "--min-wait", "1ms", "--max-wait", "1ms", "--delay", "TERM=1h"];
    let mut running = Running::start(with_options(&options, &["exit-after", "1", "7"]));
    assert_eq!(running.line().as_deref(), Some("ready"));
    running.kill(libc::SIGTERM);
    // The TERM waits; this is what ends the child, which isn't started again.
    running.kill(libc::SIGUSR1);
    assert_eq!(running.code(), 7);
}

/// Who is in the child's process group: itself, and one more, which ends at the latest with the first.
const TWO: &str = "trap 'echo shell; exit 3' USR1; \"$0\" exit-after 1 0 & echo $!; wait; wait";

fn two(options: &[&str]) -> (Running, u32) {
    let mut command = script_with(options, TWO);
    command.arg(PROBE);
    with_number(command)
}

/// A script that tells a pid, while what it has started says that it is ready, in whatever order.
fn with_number(command: Command) -> (Running, u32) {
    let mut running = Running::start(command);
    let lines = [running.line().unwrap(), running.line().unwrap()];
    assert!(lines.iter().any(|line| line == "ready"), "{lines:?}");
    let number = lines.iter().find_map(|line| line.parse().ok()).unwrap();
    (running, number)
}

fn is_gone(pid: u32) -> bool {
    status_field(pid, "State").is_none_or(|state| state.starts_with('Z'))
}

#[test]
fn with_group_the_whole_group_is_signalled() {
    let (mut running, other) = two(&["-g"]);
    running.kill(libc::SIGUSR1);
    assert_eq!(running.line().as_deref(), Some("shell"));
    assert_eq!(running.code(), 3);
    wait_for("the other to go, too", || is_gone(other).then_some(()));
    let (mut running, other) = two(&[]);
    running.kill(libc::SIGUSR1);
    assert_eq!(running.code(), 3);
    assert!(!is_gone(other), "without it the child alone is");
    sys::kill(other, libc::SIGKILL).unwrap();
}

#[test]
fn it_leads_a_session_of_its_own() {
    let ids = "cut -d' ' -f1,5,6,7 /proc/$$/stat; exec cat /dev/tty";
    let (code, out, _) = output(&mut script_with(&["--session"], ids));
    let ids: Vec<_> = out.split_whitespace().collect();
    assert!(ids[0] == ids[1] && ids[1] == ids[2], "pid, group, session: {out}");
    assert_eq!((code, ids[3]), (Some(1), "0"), "it has no terminal");
    let mut running = Running::start(with_options(&["--session"], &["pause"]));
    running.ready_child();
    running.kill(libc::SIGTERM);
    assert_eq!(running.code(), 143);
}

#[test]
fn the_parents_death_is_told() {
    // The shell starts panicmon, and is killed.
    let mut command = Command::new("sh");
    let script = "\"$1\" --parent-death-signal USR2 -- \"$0\" receive & echo $!; wait";
    command.args(["-c", script, PROBE, &panicmon()]);
    let (mut running, wrapper) = with_number(command);
    running.kill(libc::SIGKILL);
    assert_eq!(next(&mut running), libc::SIGUSR2);
    sys::kill(wrapper, libc::SIGKILL).unwrap();
}

#[test]
fn a_parents_death_that_isnt_listened_to_takes_its_course() {
    let script = "\"$1\" -s USR1 --parent-death-signal TERM -- \"$0\" receive & echo $!; wait";
    let mut command = Command::new("sh");
    command.args(["-c", script, PROBE, &panicmon()]);
    let (running, wrapper) = with_number(command);
    let child = wait_for("its child", || children(wrapper).first().copied());
    running.kill(libc::SIGKILL);
    wait_for("panicmon and its child to go", || (is_gone(wrapper) && is_gone(child)).then_some(()));
}
