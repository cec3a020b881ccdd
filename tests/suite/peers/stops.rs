//! Signals on their way: to the command or its group, rewritten, dropped; and those that stop.

use super::{Names, clean, real};
use crate::support::{PROBE, Running, status_field, wait_for};
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

/// One run, with a command that tells what comes to it, and a helper in its process group.
struct Play {
    who: &'static str,
    running: Running,
    child: u32,
    helper: u32,
}

impl Play {
    /// By panicmon, and by the program itself, if it is installed.
    fn of(name: &str, options: &[&str], variables: &[(&str, &str)]) -> Vec<Play> {
        let ours = Some(("panicmon", clean(&Names::kept().join(name))));
        let real = real(name).map(|real| ("the real one", real));
        let plays = [ours, real].into_iter().flatten();
        plays.map(|(who, command)| Play::start(who, command, options, variables)).collect()
    }

    fn start(who: &'static str, mut command: Command, options: &[&str], variables: &[(&str, &str)]) -> Play {
        command.args(options).arg("--").args([PROBE, "live", "helper", "15=exit:9"]).envs(variables.iter().copied());
        let mut running = Running::start(command);
        let mut number = |word: &str| {
            let line = running.line().unwrap();
            line.strip_prefix(word).unwrap_or_else(|| panic!("{who}: {line}")).trim().parse().unwrap()
        };
        let (helper, child) = (number("helper"), number("ready"));
        Play { who, running, child, helper }
    }

    /// What comes next; its helper may end or stop at any time, which doesn't count.
    fn came(&mut self) -> String {
        loop {
            let line = self.running.line().unwrap_or_default();
            let came = line.split(' ').take(2).collect::<Vec<_>>().join(" ");
            if came != format!("came {}", libc::SIGCHLD) {
                return came;
            }
        }
    }

    fn helper_ends(&self) {
        wait_for("the helper to end", || has_ended(self.helper).then_some(()));
    }
}

/// Where a wrapper has signalled its command alone, the helper lives on, and so does the command of one that was killed.
impl Drop for Play {
    fn drop(&mut self) {
        for pid in [self.child, self.helper] {
            let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            if words.starts_with(PROBE.as_bytes()) {
                let _ = crate::sys::kill(pid, libc::SIGKILL);
            }
        }
    }
}

fn has_ended(pid: u32) -> bool {
    status_field(pid, "State").is_none_or(|state| state.starts_with('Z'))
}

fn is_stopped(pid: u32) -> bool {
    status_field(pid, "State").is_some_and(|state| state.starts_with('T'))
}

#[test]
fn each_signal_comes_once() {
    for (name, options) in
        [("tini", &["-s"] as &[&str]), ("dumb-init", &["-c"]), ("dumb-init", &[]), ("catatonit", &[])]
    {
        for mut play in Play::of(name, options, &[]) {
            for signal in [libc::SIGHUP, libc::SIGUSR1, libc::SIGQUIT, libc::SIGWINCH] {
                play.running.kill(signal);
                assert_eq!(play.came(), format!("came {signal}"), "{} {name} {options:?}", play.who);
            }
            play.running.kill(libc::SIGTERM);
            assert_eq!(play.running.code(), 9);
        }
    }
}

/// One that waits already when panicmon is executed, under each name: the earliest moment there is.
#[test]
fn a_signal_before_the_start_comes() {
    for name in ["tini", "docker-init", "dumb-init", "catatonit"] {
        let mut command = Command::new(PROBE);
        let script = "kill -USR1 $$; exec \"$@\"";
        command.args(["prepare", "block=10", "--", "/bin/sh", "-c", script, "sh"]);
        command.arg(Names::kept().join(name)).args(["--", PROBE, "exit-after", "1", "9"]);
        assert_eq!(Running::start(command).code(), 9, "{name}");
    }
}

/// USR2 ends the helper, if it comes to it.
#[test]
fn the_group_or_the_command_alone() {
    for (name, options, variables, whole) in [
        ("tini", &["-s"] as &[&str], &[] as &[(&str, &str)], false),
        ("tini", &["-sg"], &[], true),
        ("tini", &["-s"], &[("TINI_KILL_PROCESS_GROUP", "")], true),
        ("tini", &["-s"], &[("TINI_KILL_PROCESS_GROUP", "0")], true),
        ("docker-init", &["-sg"], &[], true),
        ("dumb-init", &[], &[], true),
        ("dumb-init", &["-c"], &[], false),
        ("dumb-init", &["--single-child"], &[], false),
        ("dumb-init", &[], &[("DUMB_INIT_SETSID", "0")], false),
        ("catatonit", &[], &[], false),
        ("catatonit", &["-g"], &[], true),
    ] {
        for mut play in Play::of(name, options, variables) {
            let what = format!("{} {name} {options:?} {variables:?}", play.who);
            play.running.kill(libc::SIGUSR2);
            assert_eq!(play.came(), format!("came {}", libc::SIGUSR2), "{what}");
            // A signal for the group is sent to all of it at once: the command has it, so the helper has, too.
            if whole {
                play.helper_ends();
            }
            play.running.kill(libc::SIGHUP);
            play.came();
            assert_eq!(has_ended(play.helper), whole, "{what}");
            play.running.kill(libc::SIGTERM);
            assert_eq!(play.running.code(), 9, "{what}");
        }
    }
}

/// `tini -p`: what its parent's death sends to it is passed on.
#[test]
fn the_parents_death() {
    for (name, signal, sent) in [("tini", "SIGTERM", libc::SIGTERM), ("docker-init", "SIGUSR1", libc::SIGUSR1)] {
        for (who, program) in [("panicmon", Some(clean(&Names::kept().join(name)))), ("the real one", real(name))] {
            let Some(program) = program else { continue };
            let mut shell = Command::new("sh");
            let script = "\"$@\" & wait";
            shell.args(["-c", script, "sh"]).arg(program.get_program());
            shell.args(["-sp", signal, "--", PROBE, "live", "10=exit:9", "15=exit:9"]);
            let mut running = Running::start(shell);
            assert!(running.line().unwrap().starts_with("ready"), "{who} {name}");
            running.kill(libc::SIGKILL);
            assert!(running.line().unwrap().starts_with(&format!("came {sent} ")), "{who} {name}");
            running.wait_for_eof();
        }
    }
}

#[test]
fn rewritten_and_dropped() {
    for (options, sent, came) in [
        (&["-r", "1:3"] as &[&str], libc::SIGHUP, libc::SIGQUIT),
        (&["-r", "1:3", "-r", "1:10"], libc::SIGHUP, libc::SIGUSR1),
        // Once is enough.
        (&["-r", "1:3", "-r", "3:10"], libc::SIGHUP, libc::SIGQUIT),
        (&["-cr1:3"], libc::SIGHUP, libc::SIGQUIT),
    ] {
        for mut play in Play::of("dumb-init", options, &[]) {
            play.running.kill(sent);
            assert_eq!(play.came(), format!("came {came}"), "{} {options:?}", play.who);
            play.running.kill(libc::SIGTERM);
            assert_eq!(play.running.code(), 9);
        }
    }
    for options in [&["-r", "1:0"] as &[&str], &["-r", "1:3", "-r", "1:0"]] {
        for mut play in Play::of("dumb-init", options, &[]) {
            play.running.kill(libc::SIGHUP);
            play.running.kill(libc::SIGUSR1);
            assert_eq!(play.came(), "came 10", "{} {options:?}: the HUP is gone", play.who);
            play.running.kill(libc::SIGTERM);
            assert_eq!(play.running.code(), 9);
        }
    }
    for mut play in Play::of("dumb-init", &["-r", "1:9"], &[]) {
        play.running.kill(libc::SIGHUP);
        assert_eq!(play.running.code(), 137, "{}: SIGKILL, too", play.who);
    }
}

/// What stops a job stops dumb-init, and its command by SIGSTOP, since the kernel ignores the others in a session of its own.
#[test]
fn dumb_init_stops_with_its_command() {
    for signal in [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU] {
        for mut play in Play::of("dumb-init", &[], &[]) {
            let what = format!("{}, {signal}", play.who);
            play.running.kill(signal);
            wait_for("both to be stopped", || {
                (is_stopped(play.running.pid()) && is_stopped(play.child) && is_stopped(play.helper)).then_some(())
            });
            play.running.kill(libc::SIGCONT);
            assert_eq!(play.came(), format!("came {}", libc::SIGCONT), "{what}");
            wait_for("all to go on", || {
                [play.running.pid(), play.child, play.helper].iter().all(|pid| !is_stopped(*pid)).then_some(())
            });
            play.running.kill(libc::SIGTERM);
            assert_eq!(play.running.code(), 9, "{what}");
        }
        for mut play in Play::of("dumb-init", &["-r", &format!("{signal}:0")], &[]) {
            play.running.kill(signal);
            wait_for("it to be stopped, and nothing else", || is_stopped(play.running.pid()).then_some(()));
            assert!(!is_stopped(play.child), "{}, {signal}", play.who);
            play.running.kill(libc::SIGCONT);
            assert_eq!(play.came(), format!("came {}", libc::SIGCONT));
            play.running.kill(libc::SIGTERM);
            assert_eq!(play.running.code(), 9);
        }
    }
}

/// panicmon's own variable wins: a signal that is dropped stops nothing.
#[test]
fn a_stop_that_panicmons_variable_drops_does_not_stop_dumb_init() {
    let command = clean(&Names::kept().join("dumb-init"));
    let mut play = Play::start("panicmon", command, &[], &[("PANICMON_REWRITE", "TSTP=drop,TTIN=USR1")]);
    for (signal, comes) in [(libc::SIGTSTP, libc::SIGWINCH), (libc::SIGTTIN, libc::SIGUSR1)] {
        play.running.kill(signal);
        // Of two that wait the one with the lower number is first.
        play.running.kill(libc::SIGWINCH);
        if comes != libc::SIGWINCH {
            assert_eq!(play.came(), format!("came {comes}"));
        }
        assert_eq!(play.came(), format!("came {}", libc::SIGWINCH), "it goes on");
    }
    play.running.kill(libc::SIGTTOU);
    wait_for("both to be stopped", || (is_stopped(play.running.pid()) && is_stopped(play.child)).then_some(()));
    play.running.kill(libc::SIGCONT);
    assert_eq!(play.came(), format!("came {}", libc::SIGCONT), "the third is as ever");
    play.running.kill(libc::SIGTERM);
    assert_eq!(play.running.code(), 9);
}

/// What the programs themselves don't pass on, and panicmon does under their names: every signal comes to the command, since
/// without a wrapper it would have come, too.
#[test]
fn signals_that_they_keep_come() {
    let faults = [libc::SIGILL, libc::SIGTRAP, libc::SIGABRT, libc::SIGBUS, libc::SIGFPE, libc::SIGSEGV, libc::SIGSYS];
    let from_the_terminal = [libc::SIGTTIN, libc::SIGTTOU];
    for (name, options, ignored) in [
        ("tini", &["-s"] as &[&str], &from_the_terminal[..]),
        ("catatonit", &[], &[libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU]),
    ] {
        for mut play in Play::of(name, options, &[]) {
            for signal in ignored.iter().copied() {
                play.running.kill(signal);
                if play.who == "panicmon" {
                    assert_eq!(play.came(), format!("came {signal}"), "{name}");
                }
            }
            // The real one has ignored all of those before.
            play.running.kill(libc::SIGHUP);
            assert_eq!(play.came(), format!("came {}", libc::SIGHUP), "{} {name}", play.who);
            assert!(!is_stopped(play.running.pid()), "{} {name}", play.who);
            play.running.kill(libc::SIGTERM);
            assert_eq!(play.running.code(), 9);
        }
        for signal in faults {
            for mut play in Play::of(name, options, &[]) {
                play.running.kill(signal);
                if play.who == "panicmon" {
                    // systemd's watchdog sends ABRT for a dump of the command, not of its wrapper.
                    assert_eq!(play.came(), format!("came {signal}"), "{name}");
                    play.running.kill(libc::SIGTERM);
                    assert_eq!(play.running.code(), 9);
                } else {
                    assert_eq!(play.running.wait().signal(), Some(signal), "{name} dies of it itself");
                }
            }
        }
    }
}
