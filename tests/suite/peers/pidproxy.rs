//! supervisord's pidproxy, which passes signals on to the process that a file names: for a command that stays in the
//! foreground, panicmon does it without the file, and where pidproxy loses something, it doesn't.

use super::real;
use crate::support::{PROBE, Running, Scratch, panicmon, status_field, wait_for};
use std::path::Path;
use std::process::Command;

/// By panicmon, by pidproxy, if it is installed, and by panicmon behind that. The command writes its pid into the file first;
/// behind pidproxy, panicmon's own is there.
fn all(file: &Path, command: &[&str]) -> Vec<(&'static str, Command)> {
    let writing = |script: &str| {
        let mut words = vec!["/bin/sh".to_owned(), "-c".to_owned(), format!("echo $$ >\"$0\"; exec {script} \"$@\"")];
        words.push(file.to_str().unwrap().to_owned());
        words.extend(command.iter().map(|word| (*word).to_owned()));
        words
    };
    let own = format!("'{}' --", panicmon());
    let mut ours = Command::new(panicmon());
    ours.arg("--").args(writing(""));
    let mut all = vec![("panicmon", ours)];
    for (who, script) in [("pidproxy", ""), ("panicmon behind pidproxy", own.as_str())] {
        if let Some(mut real) = real("pidproxy") {
            real.arg(file).args(writing(script));
            all.push((who, real));
        }
    }
    all
}

/// pidproxy ends with 0 as soon as it has passed a stop on: nobody knows how the command ends, or when.
#[test]
fn signals_come_and_a_stop_is_waited_for() {
    let folder = Scratch::folder();
    for (who, command) in all(&folder.0.join("pid"), &[PROBE, "live", "15=exit:9"]) {
        let mut running = Running::start(command);
        let line = running.line().unwrap();
        let child: u32 = line.strip_prefix("ready ").unwrap_or_else(|| panic!("{who}: {line}")).trim().parse().unwrap();
        for signal in [libc::SIGHUP, libc::SIGUSR1, libc::SIGUSR2] {
            running.kill(signal);
            assert!(running.line().unwrap().starts_with(&format!("came {signal} ")), "{who}");
        }
        running.kill(libc::SIGTERM);
        assert!(running.line().unwrap().starts_with("came 15 "), "{who}");
        assert_eq!(running.code(), if who == "panicmon" { 9 } else { 0 }, "{who}");
        wait_for("the command to end", || {
            status_field(child, "State").is_none_or(|state| state.starts_with('Z')).then_some(())
        });
    }
}

/// Of a command that ends by itself, pidproxy's status is 0. (It sees the end within five seconds.)
#[test]
fn the_status_is_the_commands() {
    let folder = Scratch::folder();
    for (who, command) in all(&folder.0.join("pid"), &[PROBE, "exit", "3"]) {
        assert_eq!(Running::start(command).code(), if who == "panicmon" { 3 } else { 0 }, "{who}");
    }
}

/// What pidproxy has no handler for ends pidproxy alone, and the command lives on; panicmon passes it on.
#[test]
fn other_signals_come() {
    let folder = Scratch::folder();
    for (who, command) in all(&folder.0.join("pid"), &[PROBE, "live", "15=exit:9", "14=exit:7"]) {
        let mut running = Running::start(command);
        let line = running.line().unwrap();
        let child: u32 = line.strip_prefix("ready ").unwrap().trim().parse().unwrap();
        running.kill(libc::SIGALRM);
        if who == "panicmon" {
            assert!(running.line().unwrap().starts_with("came 14 "));
            assert_eq!(running.code(), 7);
        } else {
            running.wait();
            assert!(status_field(child, "State").is_some_and(|state| !state.starts_with('Z')), "{who}: it lives on");
            crate::sys::kill(child, libc::SIGTERM).unwrap();
        }
    }
}
