//! coreutils' timeout and gosu: programs in front of panicmon, or in whose place one of its options stands.

use super::{Unusable, clean, real};
use crate::support::{PROBE, Running, output, panicmon, status_field, wait_for};
use std::path::Path;
use std::process::Command;

fn timeout(options: &[&str], wrapped: bool, command: &[&str]) -> Command {
    let mut line = Command::new("timeout");
    line.args(options).env("PATH", "/usr/local/bin:/usr/bin:/bin");
    if wrapped {
        line.args([&panicmon(), "--"]);
    }
    line.args(command);
    line
}

/// With panicmon behind it, timeout has the status that it has without.
#[test]
fn statuses_of_timeout_are_the_same() {
    let trap = "trap 'exit 7' TERM; while :; do sleep 0.1; done";
    let stubborn = "trap '' TERM; while :; do sleep 0.1; done";
    for (options, command, status) in [
        (&["60"] as &[&str], &["sh", "-c", "exit 3"] as &[&str], Some(3)),
        (&["60"], &["no-such-command"], Some(127)),
        (&["60"], &["/etc/passwd"], Some(126)),
        (&["0.1"], &["sleep", "1000"], Some(124)),
        (&["1d"], &["true"], Some(0)),
        (&["-s", "INT", "0.1"], &["sleep", "1000"], Some(124)),
        (&["--preserve-status", "0.1"], &["sleep", "1000"], Some(143)),
        (&["--preserve-status", "0.3"], &["sh", "-c", trap], Some(7)),
        (&["-k", "0.1", "0.1"], &["sleep", "1000"], Some(124)),
        // It kills its own process group, and itself with it.
        (&["-k", "0.1", "0.3"], &["sh", "-c", stubborn], None),
    ] {
        for wrapped in [false, true] {
            assert_eq!(output(&mut timeout(options, wrapped, command)).0, status, "{options:?} {command:?} {wrapped}");
        }
    }
}

/// timeout's signals are for the whole process group. Behind panicmon they are with --group.
#[test]
fn the_group_of_timeout() {
    for (who, options) in [("timeout alone", None), ("with --group", Some(&["--group"][..]))] {
        let mut command = Command::new("timeout");
        command.args(["-s", "USR1", "0.3"]);
        if let Some(options) = options {
            command.arg(panicmon()).args(options).arg("--");
        }
        command.args([PROBE, "live", "helper", "10=exit:9"]);
        let mut running = Running::start(command);
        let helper: u32 = running.line().unwrap().strip_prefix("helper ").unwrap().parse().unwrap();
        assert_eq!(running.code(), 124, "{who}");
        let has_ended = || status_field(helper, "State").is_none_or(|state| state.starts_with('Z'));
        wait_for("the helper to end", || has_ended().then_some(()));
    }
}

/// Ids, groups and status of `gosu USER` and of `--user USER`.
#[test]
#[ignore = "needs root"]
fn users_are_those_of_gosu() {
    let ids = "echo $(id -u) $(id -g) $(id -G); echo $HOME; exit 3";
    for user in ["nobody", "nobody:daemon", "daemon", "65534", "65534:1", "12345:6"] {
        let mut ours = clean(Path::new(&panicmon()));
        ours.args(["--user", user]);
        if user.starts_with("12345") {
            // Of a number that isn't in /etc/passwd nothing is known: HOME stays as it is.
            ours.args(["--env", "HOME=/"]);
        }
        let ours = output(ours.args(["--", "sh", "-c", ids]));
        assert_eq!(ours.0, Some(3), "{user}: {}", ours.2);
        if let Some(mut gosu) = real("gosu") {
            assert_eq!(output(gosu.args([user, "sh", "-c", ids])), ours, "{user}");
        }
    }
}

/// Where gosu has 1, each of panicmon's failures has its own status.
#[test]
#[ignore = "needs root"]
fn failures_of_gosu_are_told_apart() {
    let files = Unusable::new();
    let plain = files.path("plain").to_str().unwrap().to_owned();
    for (user, command, status) in
        [("no-such-user", "true", 125), ("nobody", "no-such-command", 127), ("nobody", plain.as_str(), 126)]
    {
        let ours = output(clean(Path::new(&panicmon())).args(["--user", user, "--", command]));
        assert_eq!((ours.0, ours.1.as_str()), (Some(status), ""), "{user} {command}: {}", ours.2);
        if let Some(mut gosu) = real("gosu") {
            assert_eq!(output(gosu.args([user, command])).0, Some(1), "{user} {command}");
        }
    }
}
