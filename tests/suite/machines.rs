//! Where clone(2) knows shared memory for threads only, as under qemu-user: all is as it is elsewhere.

use crate::support::{PROBE, Random, Running, Scratch, by_shell, children, output, panicmon, spend, wait_for};
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;

/// The command with clone(2) refusing shared memory.
fn emulated(command: &Command) -> Command {
    let mut emulated = Command::new(PROBE);
    emulated.args(["prepare", "refuse-shared-memory", "--"]).arg(command.get_program()).args(command.get_args());
    emulated
}

fn emulated_with(options: &[&str], words: &[&str]) -> Command {
    let mut command = Command::new(panicmon());
    command.args(options).arg("--").args(words);
    emulated(&command)
}

#[test]
fn a_command_runs_and_its_end_is_told() {
    for (script, status, told) in
        [("echo hello; exit 3", 3, "hello\n"), ("kill -9 $$", 137, ""), ("kill -34 $$", 162, "")]
    {
        let (code, out, err) = output(&mut emulated_with(&["-q"], &["/bin/sh", "-c", script]));
        assert_eq!((code, out.as_str(), err.as_str()), (Some(status), told, ""), "{script}");
    }
}

/// Word for word what is said elsewhere, with the same status.
#[test]
fn what_fails_before_the_exec_is_told_as_elsewhere() {
    let folder = env!("CARGO_TARGET_TMPDIR");
    for (options, command, status) in [
        (vec![], "no-such-command-anywhere", 127),
        (vec![], "/no/such/command", 127),
        (vec![], "/etc/passwd", 126),
        (vec![], "/etc/passwd/x", 126),
        (vec![], folder, 126),
        (vec!["-C", "/no/such/folder"], "true", 125),
        (vec!["--restart", "on-failure", "--max-restarts", "1", "--min-wait", "1ms"], "/no/such/command", 127),
        (vec!["--label", "x"], "/no/such/command", 127),
    ] {
        let mut plain = Command::new(panicmon());
        plain.args(&options).args(["--", command]);
        // An entry that can't be searched would make it 126: the command may be there.
        let path = "/usr/bin:/bin";
        let told = output(emulated(&plain).env("PATH", path));
        assert_eq!((told.0, &told), (Some(status), &output(plain.env("PATH", path))), "{options:?} {command}");
        assert_ne!(told.2, "", "{options:?} {command}");
    }
}

#[test]
fn a_script_without_an_interpreter_finds_its_arguments() {
    let script = Scratch::new("echo \"$@\"; exit 7\n");
    let chmod = Command::new("chmod").arg("755").arg(&script.0).status().unwrap();
    assert!(chmod.success());
    let (code, out, _) = output(&mut emulated_with(&[], &[script.0.to_str().unwrap(), "a", "b c"]));
    assert_eq!((code, out.as_str()), (Some(7), "a b c\n"));
}

#[test]
fn the_filter_does_what_it_is_for() {
    let mut command = Command::new(panicmon());
    command.arg("--doctor");
    let (_, out, _) = output(&mut emulated(&command));
    assert!(out.contains("clone(2) in shared memory: Invalid argument"), "{out}");
}

#[test]
fn a_child_never_survives_kill_9() {
    let mut random = Random::new(11);
    for _ in 0..300 {
        let mut running = Running::start(emulated_with(&[], &[PROBE, "pause"]));
        spend(Duration::from_micros(random.below(8_000)));
        running.kill(libc::SIGKILL);
        assert_eq!(running.wait().signal(), Some(libc::SIGKILL));
        running.wait_for_eof();
    }
}

/// Blocked from the start, so that none may be lost.
#[test]
fn a_signal_at_once_comes_once() {
    let mut random = Random::new(12);
    for round in 0..300 {
        let signal = [libc::SIGTERM, libc::SIGUSR1][round % 2];
        let ops = ["prepare", "refuse-shared-memory", "block=15", "block=10", "say=blocked", "--"];
        let mut command = Command::new(PROBE);
        command.args(ops).args([&panicmon(), "--", PROBE, "receive"]);
        let mut running = Running::start(command);
        assert_eq!(running.line().as_deref(), Some("blocked"));
        spend(Duration::from_micros(random.below(6_000)));
        running.kill(signal);
        assert_eq!(running.line().as_deref(), Some("ready"));
        assert!(running.line().unwrap().starts_with(&format!("{signal} ")));
        // Nothing more comes before this one.
        running.kill(libc::SIGUSR2);
        assert!(running.line().unwrap().starts_with(&format!("{} ", libc::SIGUSR2)));
    }
}

/// What systemd's variables mean to the child, it writes into memory of its own.
#[test]
fn the_childs_pid_is_in_its_variables() {
    let mut command = Command::new(panicmon());
    command.args(["--", "sh", "-c", "echo $LISTEN_PID $$"]);
    let (_, out, _) = output(&mut by_shell("export LISTEN_PID=$$; exec \"$@\"", &emulated(&command)));
    let words: Vec<_> = out.split_whitespace().collect();
    assert!(words.len() == 2 && words[0] == words[1], "{out}");
}

#[test]
fn restarts_and_files_work() {
    let script = "echo run; exit 5";
    let restart = ["--restart", "on-failure", "--max-restarts", "3", "--min-wait", "1ms"];
    let (code, out, _) = output(&mut emulated_with(&restart, &["sh", "-c", script]));
    assert_eq!((code, out.as_str()), (Some(5), "run\nrun\nrun\nrun\n"));
    let file = Scratch::new(
        "processes:\n  - name: one\n    cmd: sh\n    args: [-c, 'echo of a file']\n    noRestartOn: [0]\n",
    );
    let mut command = Command::new(panicmon());
    command.arg("--config").arg(&file.0);
    let (code, out, err) = output(&mut emulated(&command));
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("of a file"), "{out}");
}

#[test]
fn the_library_starts_commands_too() {
    let host = |words: &[&str]| output(&mut emulated(Command::new(PROBE).arg("host-once").args(words)));
    assert_eq!(host(&[PROBE, "exit", "9"]).0, Some(9));
    let (_, _, err) = host(&["/no/such/command"]);
    assert_eq!(err, "probe: /no/such/command: no such file\n");
}

/// As in qemu-user 7, in which only PID 1 gets orphans.
#[test]
fn a_command_runs_where_orphans_go_elsewhere() {
    let file = Scratch::new("processes:\n  - name: one\n    cmd: sh\n    args: [-c, 'exit 3']\n    noRestartOn: [3]\n");
    let file = file.0.to_str().unwrap().to_owned();
    for words in [vec!["--", "sh", "-c", "exit 3"], vec!["--config", &file]] {
        let mut command = Command::new(PROBE);
        command.args(["prepare", "refuse-subreaper", "--", &panicmon()]).args(words);
        let (code, _, err) = output(&mut command);
        let told = "panicmon: warn: can't be a child subreaper: Invalid argument (os error 22); orphans";
        assert_eq!((code, err.matches(told).count()), (Some(3), 1), "{err}");
    }
}

#[test]
fn a_drain_ends_all() {
    let script = "\"$0\" chain 5 & exec \"$0\" await 10 3";
    let mut running = Running::start(emulated_with(&["--drain", "50ms"], &["sh", "-c", script, PROBE]));
    for _ in 0..2 {
        assert_eq!(running.line().as_deref(), Some("ready"));
    }
    wait_for("a child", || (!children(running.pid()).is_empty()).then_some(()));
    running.kill(libc::SIGUSR1);
    running.wait_for_eof();
    assert_eq!(running.code(), 3);
}
