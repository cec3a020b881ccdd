//! The words and the variables.

use crate::support::{self, PROBE, output, panicmon};
use nix::fcntl::OFlag;
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

fn says(words: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String, String) {
    output(Command::new(panicmon()).args(words).envs(variables.iter().copied()))
}

#[test]
fn bad_usage_is_125_and_says_what_is_wrong() {
    for (words, told) in [
        (&[] as &[&str], "COMMAND"),
        (&["--"], "COMMAND"),
        (&["--no-such-option", "true"], "--no-such-option"),
        (&["--signal=TERM", "true"], "--signals"),
        (&["-s", "TREM", "true"], "--signals: 'TREM' is not a signal"),
        (&["-s", "KILL", "true"], "--signals: SIGKILL can't be listened to"),
        (&["-s"], "--signals"),
    ] {
        let (code, out, err) = says(words, &[]);
        assert_eq!((code, out.as_str()), (Some(125), ""), "{words:?}: {err}");
        assert!(err.starts_with("panicmon: ") && err.contains(told), "{words:?}: {err}");
    }
}

#[test]
fn options_that_are_not_utf8_are_refused_in_words() {
    let word = OsStr::from_bytes(b"--signals=\xff");
    let (code, _, err) = output(Command::new(panicmon()).arg(word).arg("true"));
    assert_eq!(code, Some(125));
    assert!(err.starts_with("panicmon: --signals: ") && err.contains("UTF-8"), "{err}");
}

#[test]
fn each_option_has_a_variable_and_the_command_line_wins() {
    let (code, _, err) = says(&["true"], &[("PANICMON_SIGNALS", "TREM")]);
    assert_eq!(code, Some(125));
    assert!(err.contains("PANICMON_SIGNALS: 'TREM' is not a signal"), "{err}");
    assert_eq!(says(&["-s", "TERM", "true"], &[("PANICMON_SIGNALS", "TREM")]).0, Some(0));
    assert!(says(&["true"], &[("PANICMON_VERBOSE", "1")]).2.contains("panicmon: info: starting true"));
    assert_eq!(says(&["-q", "true"], &[("PANICMON_VERBOSE", "3")]).2, "");
    assert!(says(&["-v", "true"], &[("PANICMON_QUIET", "1")]).2.contains("panicmon: info: "));
    assert_eq!(
        says(&["true"], &[("PANICMON_SIGNALS", ""), ("PANICMON_VERBOSE", "")]),
        (Some(0), String::new(), String::new())
    );
    assert_eq!(says(&["true"], &[("PANICMON_VERBOSE", "3"), ("PANICMON_QUIET", "1")]).2, "");
    assert_eq!(says(&["true"], &[("PANICMON_QUIET", "maybe")]).0, Some(125));
    assert!(says(&["true"], &[("PANICMON_LOG", "debug")]).2.contains("panicmon: debug: "));
}

#[test]
fn a_variable_that_is_nearly_an_options_is_told_once_and_kubernetes_are_not() {
    let services = ["PANICMON_SERVICE_HOST", "PANICMON_SERVICE_PORT", "PANICMON_SERVICE_PORT_HTTP", "PANICMON_PORT"];
    let ports = [
        "PANICMON_PORT_80_TCP",
        "PANICMON_PORT_80_TCP_PROTO",
        "PANICMON_PORT_80_TCP_PORT",
        "PANICMON_PORT_80_TCP_ADDR",
    ];
    let others = services.into_iter().chain(ports).chain(["PANICMON_VERSION", "PANICMON_HOME"]).map(|name| (name, "1"));
    let variables: Vec<_> = others.chain([("PANICMON_DRIAN", "1s")]).collect();
    let told = "panicmon: warn: PANICMON_DRIAN: no option has this variable: did you mean PANICMON_DRAIN?\n";
    assert_eq!(says(&["true"], &variables), (Some(0), String::new(), told.to_owned()));
    assert_eq!(says(&["-q", "true"], &variables).2, "");
    let file = support::Scratch::new("processes:\n- cmd: echo\n  noRestartOn: [0]\n");
    let err = says(&["-c", file.0.to_str().unwrap()], &variables).2;
    assert!(err.starts_with(told) && err.matches("did you mean").count() == 1, "{err}");
}

#[test]
fn a_value_with_a_hyphen_is_no_command() {
    let (code, _, err) = says(&["-k", "-1s", "true"], &[]);
    assert_eq!(code, Some(125));
    assert!(err.contains("no option -1: a value that begins with a hyphen goes after '='"), "{err}");
    let (code, _, err) = says(&["-X", "true"], &[]);
    assert_eq!(code, Some(125));
    assert!(err.contains("no option -X; --help") && !err.contains("-- -X"), "{err}");
}

#[test]
fn the_childs_own_words_are_its_own() {
    let (code, out, err) = says(&["sh", "-c", "echo \"$@\"", "--", "-v", "--", "--help"], &[]);
    assert_eq!((code, out.as_str(), err.as_str()), (Some(0), "-v -- --help\n", ""));
}

#[test]
fn texts_go_to_stdout_whatever_the_variables_are() {
    let (code, out, err) = says(&["--version"], &[]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    // The static binary adds the commit.
    let version = out.split(" - git.").next().unwrap_or_default().trim_end();
    assert_eq!(version, concat!("panicmon ", env!("CARGO_PKG_VERSION")), "{out}");
    for (words, told) in [
        (&["-h"] as &[&str], "Usage: panicmon [OPTIONS] [--] COMMAND [ARG]...\n".to_owned()),
        (&["--help"], "Examples:\n".to_owned()),
        (&["--man"], include_str!("../../packaging/man/panicmon.1").to_owned()),
        (&["--completions", "bash"], include_str!("../../packaging/completions/panicmon.bash").to_owned()),
        (&["--completions", "zsh"], include_str!("../../packaging/completions/_panicmon").to_owned()),
        (&["--completions", "fish"], include_str!("../../packaging/completions/panicmon.fish").to_owned()),
    ] {
        let (code, out, err) = says(words, &[("PANICMON_SIGNALS", "TREM")]);
        assert_eq!((code, err.as_str()), (Some(0), ""), "{words:?}");
        assert!(out.contains(&told), "{words:?}: {out}");
        // Not on a terminal.
        assert!(!out.contains('\x1b'), "{words:?}: {out}");
    }
}

/// A pipe that nobody reads.
fn unread() -> std::io::PipeWriter {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer
}

/// As of any program in front of head(1): the end is SIGPIPE's, and nothing is said. Where PIPE is ignored, it is an error.
#[test]
fn a_text_without_a_reader_ends_quietly() {
    let file = support::Scratch::new("processes: [{ cmd: 'true' }]\n");
    let file = file.0.to_str().unwrap();
    let texts = [
        &["-h"] as &[&str],
        &["--help"],
        &["--man"],
        &["--version"],
        &["--completions", "fish"],
        &["--doctor"],
        &["--check", "--config", file],
        &["--as", "tini", "--", "-h"],
        &["--as", "catatonit", "--", "-V"],
    ];
    for words in texts {
        let end = support::outcome(
            Command::new(panicmon()).args(words).stdout(unread()).stderr(Stdio::piped()).spawn().unwrap(),
        );
        let err = String::from_utf8_lossy(&end.stderr).into_owned();
        assert_eq!((end.status.signal(), err.as_str()), (Some(libc::SIGPIPE), ""), "{words:?}");
        let mut ignoring = Command::new(PROBE);
        ignoring.args(["prepare", "ignore=13", "--", &panicmon()]).args(words).stdout(unread()).stderr(Stdio::piped());
        let end = support::outcome(ignoring.spawn().unwrap());
        let err = String::from_utf8_lossy(&end.stderr).into_owned();
        let code = if words[0] == "--as" { 1 } else { 125 };
        assert_eq!(end.status.code(), Some(code), "{words:?}: {err}");
        assert_eq!(err, "panicmon: can't write to stdout: EPIPE: Broken pipe\n", "{words:?}");
    }
}

#[test]
fn a_word_that_programs_with_subcommands_have_is_a_command_and_hinted_at_where_there_is_none() {
    let folder = support::Scratch::folder();
    let path = folder.0.to_str().unwrap();
    for (words, hint) in [
        (&["help"] as &[&str], "--help"),
        (&["--", "version"], "--version"),
        (&["check", "a b.yml"], "--check --config a b.yml"),
        (&["-v", "doctor"], "--doctor"),
        (&["doctor", "-k5", "web"], "--doctor -k5 web"),
        (&["help", "tini"], "--help"),
        (&["version", "--config", "x"], "--version"),
        (&["check"], "--check --config FILE"),
        (&["check", "--config", "x.yml"], "--check --config x.yml"),
        (&["completions"], "--completions SHELL"),
        (&["completions", "zsh", "-v"], "--completions zsh"),
        (&["man", "1"], "--man"),
    ] {
        let (code, out, err) = says(words, &[("PATH", path)]);
        assert_eq!((code, out.as_str()), (Some(127), ""), "{words:?}: {err}");
        let lines: Vec<_> = err.lines().filter(|line| !line.contains(": info: ")).collect();
        assert!(lines.len() == 2 && lines[0].contains(": command not found in PATH="), "{words:?}: {err}");
        assert_eq!(lines[1], format!("panicmon: did you mean panicmon {hint}?"), "{words:?}");
    }
    assert!(!says(&["helper", "me"], &[("PATH", path)]).2.contains("did you mean"));
    support::write_program(&folder.0.join("help"), b"#!/bin/sh\necho helped\n", 0o755);
    assert_eq!(says(&["help"], &[("PATH", path)]), (Some(0), "helped\n".to_owned(), String::new()));
}

#[test]
fn a_full_or_closed_stderr_changes_nothing_of_the_exit_status() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let status = support::status(Command::new(panicmon()).arg("/no/such/file").stderr(full.try_clone().unwrap()));
    assert_eq!(status.code(), Some(127));
    let mut failing = Command::new(panicmon());
    let status = support::status(failing.args(["-vvv", "sh", "-c", "exit 4"]).stderr(full.try_clone().unwrap()));
    assert_eq!(status.code(), Some(4));
    let status = support::status(Command::new(panicmon()).arg("--help").stdout(full));
    assert_eq!(status.code(), Some(125));
}

#[test]
fn a_filter_of_the_log_that_is_wrong_is_told_by_its_name() {
    let (code, out, err) = says(&["echo", "started"], &[("PANICMON_LOG", "a=b=c")]);
    assert_eq!((code, out.as_str()), (Some(0), "started\n"));
    assert!(err.starts_with("panicmon: warn: PANICMON_LOG: ") && err.contains("'a=b=c'"), "{err}");
    assert_eq!(says(&["-q", "true"], &[("PANICMON_LOG", "a=b=c")]).2, "");
}

#[test]
fn a_warning_of_variables_does_not_wait_for_a_reader() {
    for (name, value) in [("PANICMON_LOG", "a=b=c"), ("PANICMON_DRIAN", "1s")] {
        let mut running = with_stderr_and(&["--", "echo", "started"], true, (name, value));
        assert_eq!(running.line().as_deref(), Some("started"));
        assert_eq!(running.code(), 0);
    }
}

/// Starts it with a stderr that nobody reads any more, or that is full and stays so.
fn with_stderr(words: &[&str], full: bool) -> support::Running {
    with_stderr_and(words, full, ("PANICMON_NOTHING", ""))
}

fn with_stderr_and(words: &[&str], full: bool, (name, value): (&str, &str)) -> support::Running {
    let (reader, writer) = std::io::pipe().unwrap();
    if full {
        let flags = |flags| nix::fcntl::fcntl(&writer, nix::fcntl::FcntlArg::F_SETFL(flags)).unwrap();
        flags(OFlag::O_NONBLOCK);
        while (&writer).write(&[0; 4096]).is_ok() {}
        // A write to it blocks now.
        flags(OFlag::empty());
        std::mem::forget(reader);
    }
    let mut command = Command::new(panicmon());
    command.args(words).env(name, value).stderr(writer);
    support::Running::start(command)
}

#[test]
fn a_stderr_that_is_gone_or_full_holds_up_neither_signals_nor_the_end() {
    for full in [false, true] {
        for words in [&["-vvv"] as &[&str], &["-vvv", "-s", "USR1,TERM"]] {
            let words = [words, &["--", PROBE, "exit-after", "2", "7"]].concat();
            let mut running = with_stderr(&words, full);
            assert_eq!(running.line().as_deref(), Some("ready"));
            running.kill(libc::SIGUSR1);
            running.kill(libc::SIGTERM);
            assert_eq!(running.code(), 7, "{words:?}, full: {full}");
        }
    }
}
