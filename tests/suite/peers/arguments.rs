//! What the command finds: words, process group and session, signals, byte for byte.

use super::{Names, clean, real};
use crate::support::{PROBE, output};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

fn both(name: &str) -> Vec<(&'static str, Command)> {
    let ours = ("panicmon", clean(&Names::kept().join(name)));
    [Some(ours), real(name).map(|real| ("the real one", real))].into_iter().flatten().collect()
}

#[test]
fn words_need_not_be_utf8() {
    for name in ["tini", "dumb-init", "catatonit"] {
        for (who, mut command) in both(name) {
            let (code, out, _) = output(
                command
                    .args(["--", "sh", "-c", "printf %s \"$1\" | od -An -tx1", "sh"])
                    .arg(OsStr::from_bytes(b"\xff\x80a")),
            );
            assert_eq!((code, out.as_str()), (Some(0), " ff 80 61\n"), "{who} {name}");
        }
    }
}

/// Each is the process's own: its group, its session.
#[test]
fn groups_and_sessions() {
    let script = "read -r pid _ _ _ group session _ </proc/self/stat; \
                  [ $group = $$ ] && echo group; [ $session = $$ ] && echo session; :";
    for (name, words, variables, expected) in [
        ("tini", &["-s", "--"] as &[&str], &[] as &[(&str, &str)], "group\n"),
        ("catatonit", &["--"], &[], "group\n"),
        ("dumb-init", &[], &[], "group\nsession\n"),
        ("dumb-init", &[], &[("DUMB_INIT_SETSID", "1")], "group\nsession\n"),
        ("dumb-init", &[], &[("DUMB_INIT_SETSID", "")], "group\nsession\n"),
        ("dumb-init", &[], &[("DUMB_INIT_SETSID", "00")], "group\nsession\n"),
        // The real one leaves it in its own group, where the terminal's signals would reach it twice.
        ("dumb-init", &["-c"], &[], "group\n"),
        ("dumb-init", &[], &[("DUMB_INIT_SETSID", "0")], "group\n"),
    ] {
        for (who, mut command) in both(name) {
            let (code, out, err) =
                output(command.args(words).args(["sh", "-c", script].map(|word| word)).envs(variables.iter().copied()));
            let is_single = who == "the real one" && !expected.contains("session") && name == "dumb-init";
            let expected = if is_single { "" } else { expected };
            assert_eq!((code, out.as_str()), (Some(0), expected), "{who} {name} {words:?} {variables:?} {err}");
        }
    }
}

/// A session of its own gets the terminal that dumb-init led. `script` gives it one.
#[test]
fn dumb_init_hands_its_terminal_on() {
    let script = "set -- $(cut -d' ' -f1,5,6,7,8 /proc/$$/stat); [ $1 = $2 ] && echo group; [ $1 = $3 ] && echo session; \
                  [ $4 != 0 ] && echo terminal; [ $1 = $5 ] && echo foreground; : </dev/tty && echo open; exit 3";
    for (who, command) in both("dumb-init") {
        let program = command.get_program().to_str().unwrap().to_owned();
        let mut command = Command::new("script");
        command.args(["-qec", "exec \"$DUMB_INIT\" sh -c \"$SCRIPT\"", "/dev/null"]);
        command.env("SHELL", "/bin/sh").env("DUMB_INIT", program).env("SCRIPT", script);
        let (code, out, _) = output(&mut command);
        let expected = ["group", "session", "terminal", "foreground", "open"];
        assert_eq!((code, out.lines().map(str::trim).collect::<Vec<_>>()), (Some(3), expected.to_vec()), "{who}");
    }
}

/// dumb-init gives its command none of the ignored and blocked signals that it was started with.
#[test]
fn ignored_and_blocked_signals_stay() {
    let script = "kill -HUP $$; echo ignored; kill -USR1 $$; echo blocked";
    for name in ["tini", "dumb-init", "catatonit"] {
        for (who, wrapped) in both(name) {
            let mut command = clean(PROBE.as_ref());
            command.args(["prepare", "ignore=1", "block=10", "--"]).arg(wrapped.get_program());
            let (code, out, err) = output(command.args(["--", "sh", "-c", script]));
            let is_lost = who == "the real one" && name == "dumb-init";
            let expected = if is_lost { (Some(129), "") } else { (Some(0), "ignored\nblocked\n") };
            assert_eq!((code, out.as_str()), expected, "{who} {name} {err}");
        }
    }
}

/// Where these programs fail: an ignored SIGCHLD makes tini and catatonit hang; panicmon is the better one under each name.
#[test]
fn an_ignored_sigchld_does_no_harm() {
    for name in ["tini", "dumb-init", "catatonit"] {
        let mut command = Command::new(PROBE);
        command.args(["prepare", "ignore=17", "--"]).arg(Names::kept().join(name)).args(["--", PROBE, "exit", "3"]);
        assert_eq!(output(&mut command).0, Some(3), "{name}");
    }
}
