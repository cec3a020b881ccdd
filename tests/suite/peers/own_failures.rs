//! Failures of these programs' own: what panicmon fails at in their place has their status.

use super::{Names, clean, real};
use crate::scarce::is_told_without_memory;
use crate::support::{PROBE, by_shell, output, panicmon};
use std::process::Command;

const NAMES: [(&str, &str); 3] = [("tini", "-s"), ("dumb-init", "-c"), ("catatonit", "-g")];

/// panicmon in the place of this program: by its name, by the option, by the variable.
fn ours(name: &str) -> [Command; 3] {
    let mut by_option = clean(panicmon().as_ref());
    by_option.args(["--as", name, "--"]);
    let mut by_variable = clean(panicmon().as_ref());
    by_variable.env("PANICMON_AS", name).arg("--");
    [clean(&Names::kept().join(name)), by_option, by_variable]
}

/// The command where a system call fails.
fn refusing(call: i64, command: &Command) -> Command {
    let mut probe = Command::new(PROBE);
    probe.args(["prepare", &format!("refuse={call}"), "--"]).arg(command.get_program()).args(command.get_args());
    probe.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    probe
}

/// As a real one fails that may have no other process, or may not move it.
#[test]
fn a_start_that_fails_has_their_status() {
    for (name, option) in NAMES {
        for call in [libc::SYS_clone, libc::SYS_setpgid] {
            // Of the two, dumb-init -c alone leaves the command in its own group, and doesn't need the second call.
            let is_theirs = name != "dumb-init" || call == libc::SYS_clone;
            for command in ours(name).into_iter().chain(real(name).filter(|_| is_theirs)) {
                let mut command = refusing(call, &command);
                let (code, out, err) = output(command.args([option, "--", "echo", "started"]));
                assert_eq!((code, out.as_str()), (Some(1), ""), "{name} {call}: {err}");
            }
        }
    }
}

#[test]
fn a_stack_that_is_too_small_has_their_status() {
    for (name, option) in NAMES {
        for mut command in ours(name) {
            command.args([option, "--", "echo", "started"]);
            let variables: Vec<_> =
                command.get_envs().map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned))).collect();
            let mut command = by_shell("ulimit -Ss 32; ulimit -Hs 40; exec \"$@\"", &command);
            command.envs(variables.into_iter().filter_map(|(name, value)| Some((name, value?))));
            let (code, out, err) = output(&mut command);
            assert_eq!((code, out.as_str()), (Some(1), ""), "{name}: {err}");
            assert!(err.starts_with("panicmon: the hard limit of the stack is 40 KiB; "), "{name}: {err}");
        }
    }
}

#[test]
fn the_end_of_memory_has_their_status() {
    for (name, option) in NAMES {
        let mut command = clean(&Names::kept().join(name));
        command.args([option, "--", "true"]);
        // Fewer words need no memory but the program's own data.
        command.args(vec!["x"; 20_000]);
        is_told_without_memory(&command, 1);
    }
}

/// The reader of regular expressions panics without random numbers.
#[test]
fn a_panic_has_their_status() {
    for (name, _) in NAMES {
        let refuse = format!("refuse={}:{}", libc::SYS_getrandom, libc::EIO);
        let mut command = Command::new(PROBE);
        command.args(["prepare", &refuse, "--"]).arg(Names::kept().join(name)).args(["--", "echo", "ran"]);
        let (code, out, err) = output(command.env("PANICMON_REDACT", "x").env("PANICMON_REPORT", "/tmp"));
        let is_told = code == Some(1) && err.starts_with("panicmon: internal error: ") && out.is_empty();
        // Where it needs none, it runs.
        assert!(is_told && err.lines().count() == 1 || code == Some(0), "{name}: {code:?}: {err}");
    }
}

/// Where panicmon's own words are wrong, too.
#[test]
fn a_command_line_that_is_refused_has_their_status() {
    for (name, _) in NAMES {
        for words in [
            &["--kill-after", "soon", "--as", name, "--", "true"] as &[&str],
            &["--as", name, "--no-such-option", "--", "true"],
            &["--no-such-option", &format!("--as={name}"), "--", "true"],
            &["--as", name, "--config", "x.yml"],
        ] {
            let (code, out, err) = output(clean(panicmon().as_ref()).args(words));
            assert_eq!((code, out.as_str()), (Some(1), ""), "{words:?}: {err}");
            assert!(err.starts_with("panicmon: "), "{words:?}: {err}");
        }
        let (code, _, err) = output(clean(panicmon().as_ref()).args(["-k", "soon", "true"]).env("PANICMON_AS", name));
        assert_eq!(code, Some(1), "{err}");
        // Behind -- the words are the command's.
        let (code, _, err) = output(clean(panicmon().as_ref()).args(["-k", "soon", "--", "x", "--as", name]));
        assert_eq!(code, Some(125), "{err}");
    }
}
