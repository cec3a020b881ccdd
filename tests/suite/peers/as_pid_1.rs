//! The same as PID 1 of a PID namespace, which is what these programs are for.

use super::{Names, clean, real};
use crate::support::{PROBE, Running, children, lines_of, name, output, status_field, wait_for};
use std::process::{Command, Stdio};

/// By panicmon, and by the program itself, if it is installed: as the first process of a namespace.
fn both(name: &str, words: &[&str]) -> Vec<(&'static str, Command)> {
    let ours = ("panicmon", clean(&Names::kept().join(name)));
    let programs = [Some(ours), real(name).map(|real| ("the real one", real))].into_iter().flatten();
    let first = |(who, program): (&'static str, Command)| {
        let mut command = clean("/usr/bin/unshare".as_ref());
        command.args(["--pid", "--fork", "--kill-child", "--mount-proc"]).arg(program.get_program()).args(words);
        (who, command)
    };
    programs.map(first).collect()
}

/// The first process of the namespace, and its child, once that is the probe.
fn processes(running: &Running) -> (u32, u32) {
    let first = wait_for("PID 1", || children(running.pid()).first().copied());
    let is_probe = |pid: &u32| name(*pid) == "panicmon-probe";
    (first, wait_for("its child", || children(first).into_iter().find(is_probe)))
}

#[test]
#[ignore = "needs root: a PID namespace"]
fn statuses() {
    for (name, option) in [("tini", "--"), ("docker-init", "--"), ("dumb-init", "--"), ("catatonit", "--")] {
        for (script, status) in [("exit 3", 3), ("kill -TERM $$", 143), ("exit 255", 255)] {
            for (who, mut command) in both(name, &[option, "sh", "-c", script]) {
                assert_eq!(output(&mut command), (Some(status), String::new(), String::new()), "{who} {name} {script}");
            }
        }
    }
}

#[test]
#[ignore = "needs root: a PID namespace"]
fn tini_tells_of_orphans() {
    for (who, mut command) in both("tini", &["-w", "--", PROBE, "orphans", "3"]) {
        let mut running = Running::start({
            command.stderr(Stdio::piped());
            command
        });
        let told = lines_of(running.child.stderr.take().unwrap());
        assert_eq!(running.line().as_deref(), Some("done"), "{who}");
        for line in told.take(3) {
            assert!(line.starts_with("[WARN  tini (1)] Reaped zombie process with pid="), "{who}: {line}");
        }
        let first = wait_for("PID 1", || children(running.pid()).first().copied());
        crate::sys::kill(first, libc::SIGTERM).unwrap();
        assert_eq!(running.code(), 143, "{who}");
    }
}

/// PID 1 can't be stopped: dumb-init's command is, until it is continued.
#[test]
#[ignore = "needs root: a PID namespace"]
fn dumb_init_is_not_stopped() {
    for (who, command) in both("dumb-init", &["--", PROBE, "live", "10=exit:9"]) {
        let mut running = Running::start(command);
        assert!(running.line().unwrap().starts_with("ready"));
        let (first, child) = processes(&running);
        let is_stopped = |pid| status_field(pid, "State").is_some_and(|state| state.starts_with('T'));
        crate::sys::kill(first, libc::SIGTSTP).unwrap();
        wait_for("the command to be stopped", || is_stopped(child).then_some(()));
        crate::sys::kill(first, libc::SIGWINCH).unwrap();
        assert!(!is_stopped(first), "{who}");
        crate::sys::kill(first, libc::SIGCONT).unwrap();
        wait_for("it to go on", || (!is_stopped(child)).then_some(()));
        crate::sys::kill(first, libc::SIGUSR1).unwrap();
        assert_eq!(running.code(), 9, "{who}");
    }
}

fn has_ended(pid: u32) -> bool {
    status_field(pid, "State").is_none_or(|state| state.starts_with('Z'))
}

/// USR2 ends the helper in the command's group, if it comes to it.
#[test]
#[ignore = "needs root: a PID namespace"]
fn the_group_or_the_command_alone() {
    for (name, options, whole) in [
        ("tini", &[] as &[&str], false),
        ("tini", &["-g"], true),
        ("docker-init", &["-g"], true),
        ("dumb-init", &[], true),
        ("dumb-init", &["-c"], false),
        ("catatonit", &[], false),
        ("catatonit", &["-g"], true),
    ] {
        for (who, command) in both(name, &[options, &["--", PROBE, "live", "helper", "15=exit:9"]].concat()) {
            let what = format!("{who} {name} {options:?}");
            let mut running = Running::start(command);
            let came = |running: &mut Running| loop {
                let line = running.line().unwrap_or_default();
                // Its helper's end may come at any time.
                if !line.starts_with(&format!("came {} ", libc::SIGCHLD)) {
                    return line;
                }
            };
            while !came(&mut running).starts_with("ready") {}
            let (first, child) = processes(&running);
            let helper = wait_for("the helper", || children(child).first().copied());
            crate::sys::kill(first, libc::SIGUSR2).unwrap();
            assert!(came(&mut running).starts_with("came 12 "), "{what}");
            if whole {
                wait_for("the helper to end", || has_ended(helper).then_some(()));
            }
            crate::sys::kill(first, libc::SIGHUP).unwrap();
            assert!(came(&mut running).starts_with("came 1 "), "{what}");
            assert_eq!(has_ended(helper), whole, "{what}");
            crate::sys::kill(first, libc::SIGTERM).unwrap();
            assert_eq!(running.code(), 9, "{what}");
        }
    }
}

/// `tini -p`: the signal that the end of a parent outside of the namespace sends to PID 1 is passed on.
#[test]
#[ignore = "needs root: a PID namespace"]
fn the_parents_death() {
    for (name, signal, sent) in [("tini", "SIGTERM", libc::SIGTERM), ("docker-init", "SIGUSR1", libc::SIGUSR1)] {
        for (who, command) in both(name, &["-p", signal, "--", PROBE, "live", "10=exit:9", "15=exit:9"]) {
            let mut running = Running::start(command);
            assert!(running.line().unwrap().starts_with("ready"), "{who} {name}");
            running.kill(libc::SIGKILL);
            assert!(running.line().unwrap().starts_with(&format!("came {sent} ")), "{who} {name}");
            running.wait_for_eof();
        }
    }
}

/// What podman's pods begin with.
#[test]
#[ignore = "needs root: a PID namespace"]
fn catatonit_pauses() {
    for signal in [libc::SIGTERM, libc::SIGINT] {
        let script = "sleep 1000 & exec \"$0\" -P";
        for (who, command) in both("catatonit", &[]) {
            let program = command.get_args().last().unwrap().to_owned();
            let mut command = clean("/usr/bin/unshare".as_ref());
            command.args(["--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script]).arg(program);
            let mut running = Running::start(command);
            let first = wait_for("PID 1", || children(running.pid()).first().copied());
            wait_for("it to pause", || name(first).starts_with("cata").then_some(()));
            wait_for("it to listen", || (crate::support::status_signals(first, "SigBlk") & 1 << 14 != 0).then_some(()));
            crate::sys::kill(first, libc::SIGHUP).unwrap();
            for child in children(first) {
                crate::sys::kill(child, libc::SIGKILL).unwrap();
            }
            wait_for("all to be reaped", || children(first).is_empty().then_some(()));
            crate::sys::kill(first, signal).unwrap();
            assert_eq!(running.code(), 0, "{who}");
        }
    }
}
