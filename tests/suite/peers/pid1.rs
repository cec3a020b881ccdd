//! Debian's pid1, which does its work as PID 1 alone: what its options are here, and where it fails.

use super::{Unusable, clean, real};
use crate::support::{PROBE, Running, children, output, panicmon, wait_for};
use std::path::Path;
use std::process::Command;

/// A program as the first process of a PID namespace.
fn first(program: &Path, words: &[&str]) -> Command {
    let mut command = clean("/usr/bin/unshare".as_ref());
    command.args(["--pid", "--fork", "--kill-child", "--mount-proc"]).arg(program).args(words);
    command
}

/// panicmon and, if it is installed, pid1, each with its own options for the same.
fn both<'w>(ours: &[&'w str], theirs: &[&'w str], command: &[&'w str]) -> Vec<(&'static str, Command)> {
    let ours = first(panicmon().as_ref(), &[ours, &["--"], command].concat());
    let real = real("pid1").map(|real| first(real.get_program().as_ref(), &[theirs, &["--"], command].concat()));
    [Some(("panicmon", ours)), real.map(|real| ("pid1", real))].into_iter().flatten().collect()
}

#[test]
#[ignore = "needs root: a PID namespace"]
fn statuses_and_options() {
    let ids = "echo $A $PWD $(id -u); exit 4";
    for (ours, theirs, script, out, status) in [
        (&[] as &[&str], &[] as &[&str], "exit 3", "", 3),
        (&[], &[], "kill -TERM $$", "", 143),
        (&[], &[], "kill -KILL $$", "", 137),
        (&["-e", "A=b", "-C", "/usr"], &["-e", "A=b", "-w", "/usr"], ids, "b /usr 0\n", 4),
        (&["-e", "A=b", "-C", "/", "-u", "nobody"], &["-e", "A=b", "-w", "/", "-u", "nobody"], ids, "b / 65534\n", 4),
        // What is left is sent TERM, and after this time KILL.
        (&["--drain", "1s"], &["-t", "1"], "setsid sleep 1000 & exit 5", "", 5),
    ] {
        for (who, mut command) in both(ours, theirs, &["sh", "-c", script]) {
            let (code, said, err) = output(&mut command);
            assert_eq!((code, said.as_str()), (Some(status), out), "{who} {script}: {err}");
        }
    }
}

/// pid1 leaves a command of another user in root's groups, and with root's HOME.
#[test]
#[ignore = "needs root: a PID namespace, and another user"]
fn a_user_has_the_users_groups() {
    for (who, mut command) in both(&["-u", "nobody"], &["-u", "nobody"], &["sh", "-c", "id -G; echo $HOME"]) {
        let (code, out, _) = output(command.env("HOME", "/root"));
        let expected = if who == "pid1" { "0\n/root\n" } else { "65534\n/nonexistent\n" };
        assert_eq!((code, out.as_str()), (Some(0), expected), "{who}");
    }
}

/// pid1 has 1 for all; panicmon's tell apart what has failed.
#[test]
#[ignore = "needs root: a PID namespace"]
fn failures_are_told_apart() {
    let files = Unusable::new();
    let plain = files.path("plain").to_str().unwrap().to_owned();
    for (options, command, status) in [
        (&[] as &[&str], "no-such-command", 127),
        (&[], &plain, 126),
        (&["-u", "no-such-user"], "true", 125),
        (&["--no-such-option"], "true", 125),
    ] {
        for (who, mut both) in both(options, options, &[command]) {
            let status = if who == "pid1" { 1 } else { status };
            assert_eq!(output(&mut both).0, Some(status), "{who} {options:?} {command}");
        }
    }
}

/// Of signals, pid1 knows TERM and INT: it passes TERM on for both.
#[test]
#[ignore = "needs root: a PID namespace"]
fn signals_come() {
    for (who, command) in both(&[], &[], &[PROBE, "live", "15=exit:9", "2=exit:8"]) {
        let mut running = Running::start(command);
        assert!(running.line().unwrap().starts_with("ready"), "{who}");
        let first = wait_for("PID 1", || children(running.pid()).first().copied());
        let is_ours = who == "panicmon";
        for signal in [libc::SIGHUP, libc::SIGQUIT, libc::SIGUSR1] {
            crate::sys::kill(first, signal).unwrap();
            if is_ours {
                assert!(running.line().unwrap().starts_with(&format!("came {signal} ")), "{who}");
            }
        }
        crate::sys::kill(first, libc::SIGINT).unwrap();
        let (came, status) = if is_ours { (libc::SIGINT, 8) } else { (libc::SIGTERM, 9) };
        assert!(running.line().unwrap().starts_with(&format!("came {came} ")), "{who}");
        assert_eq!(running.code(), status, "{who}");
    }
}
