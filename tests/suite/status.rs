//! The child's end is ours.

use crate::support::{PROBE, Running, output, panicmon, status, wrapped, write_program};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn code(words: &[&str]) -> i32 {
    output(Command::new(panicmon()).arg("--").args(words)).0.expect("an exit code")
}

/// A folder of its own for a test, gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str, content: &str, mode: u32) -> String {
        let path = self.0.join(name);
        write_program(&path, content.as_bytes(), mode);
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn exit_codes_are_the_childs() {
    for expected in 0..=255 {
        assert_eq!(code(&[PROBE, "exit", &expected.to_string()]), expected);
    }
}

#[test]
fn a_child_killed_by_a_signal_is_128_and_the_signal() {
    let harmless = [libc::SIGCHLD, libc::SIGCONT, libc::SIGURG, libc::SIGWINCH];
    let stops = [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];
    for signal in (1..=64).filter(|signal| !harmless.contains(signal) && !stops.contains(signal)) {
        assert_eq!(code(&[PROBE, "die", &signal.to_string()]), 128 + signal);
    }
}

#[test]
fn a_signal_from_outside_ends_it_as_the_child() {
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGKILL, 63] {
        let mut running = Running::start(wrapped(&["pause"]));
        crate::sys::kill(running.ready_child(), signal).unwrap();
        assert_eq!(running.code(), 128 + signal);
    }
}

#[test]
fn a_command_that_is_not_there_is_127() {
    for (words, told) in [
        (["no-such-command-anywhere"], "panicmon: no-such-command-anywhere: command not found in PATH="),
        (["/no/such/command"], "panicmon: /no/such/command: no such file"),
        ([""], "panicmon: the command is empty: name the program to run (is a variable unset?)"),
    ] {
        // An entry that can't be searched would make it 126, as with execvp: it may be there.
        let (code, out, err) = output(Command::new(panicmon()).args(words).env("PATH", "/usr/bin:/bin"));
        assert_eq!((code, out.as_str()), (Some(127), ""));
        assert!(err.starts_with(told), "{err}");
    }
}

#[test]
fn a_command_that_cannot_be_executed_is_126() {
    let folder = Folder::new("not-executable");
    let plain = folder.file("plain", "echo hello\n", 0o644);
    let interpreter = folder.file("interpreter", "#!/no/such/interpreter\n", 0o755);
    let line_ends = folder.file("line-ends", "#!/bin/sh\r\necho hello\r\n", 0o755);
    let directory = folder.0.to_str().unwrap().to_owned();
    for (words, told) in [
        ([plain.as_str()], "Permission denied"),
        ([directory.as_str()], "Permission denied"),
        ([interpreter.as_str()], "its #! line names /no/such/interpreter, which isn't there\n"),
        ([line_ends.as_str()], "its #! line names /bin/sh\\r, which isn't there (its #! line ends in CR LF)"),
        (
            ["/etc/passwd/x"],
            "/etc/passwd/x: can't be executed: Not a directory (os error 20) (a part of this path is a file)",
        ),
    ] {
        let (code, out, err) = output(Command::new(panicmon()).arg("--").args(words));
        assert_eq!((code, out.as_str()), (Some(126), ""), "{err}");
        assert!(err.starts_with("panicmon: ") && err.contains(told), "{err}");
    }
}

#[test]
fn a_script_without_an_interpreter_runs_as_execvp_would_run_it() {
    let folder = Folder::new("script");
    let script = folder.file("script", "echo \"$0\" \"$#\" \"$1\" \"$2\"; exit 7\n", 0o755);
    let expected = format!("{script} 2 a b c\n");
    let (code, out, err) = output(Command::new(panicmon()).args([&script, "a", "b c"]));
    assert_eq!((code, out, err.as_str()), (Some(7), expected.clone(), ""));
    let mut found = Command::new(panicmon());
    found.args(["script", "a", "b c"]).env("PATH", format!("/no/such/folder:{}", folder.0.display()));
    assert_eq!(output(&mut found).1, expected);
    // Far more arguments than would fit a small stack.
    let many = output(Command::new(panicmon()).arg(&script).args(vec!["x"; 20_000]));
    assert_eq!(many.1, format!("{script} 20000 x x\n"));
}

#[test]
fn path_is_searched_past_what_cannot_be_executed() {
    let folder = Folder::new("path");
    for entry in ["refused", "missing", "good"] {
        fs::create_dir(folder.0.join(entry)).unwrap();
    }
    folder.file("refused/it", "exit 1\n", 0o644);
    folder.file("missing/it", "#!/no/such/interpreter\n", 0o755);
    let search = |entries: &[&str]| {
        let path = entries.iter().map(|entry| folder.0.join(entry).display().to_string()).collect::<Vec<_>>().join(":");
        let (code, _, err) = output(Command::new(panicmon()).arg("it").env("PATH", path));
        (code, err)
    };
    assert_eq!(search(&["nowhere"]).0, Some(127));
    let (code, err) = search(&["refused", "nowhere"]);
    assert_eq!(code, Some(126));
    assert!(err.contains("refused/it: can't be executed: Permission denied"), "{err}");
    assert_eq!(search(&["missing"]).0, Some(126));
    folder.file("good/it", "exit 5\n", 0o755);
    assert_eq!(search(&["refused", "missing", "nowhere", "good"]).0, Some(5));
    // An empty entry is the working directory.
    let mut here = Command::new(panicmon());
    here.arg("it").env("PATH", "/nowhere:").current_dir(folder.0.join("good"));
    assert_eq!(output(&mut here).0, Some(5));
}

#[test]
fn ten_thousand_runs_are_always_right() {
    for _ in 0..5_000 {
        assert_eq!(status(Command::new(panicmon()).args(["--", "/bin/true"])).code(), Some(0));
        let missing = output(Command::new(panicmon()).args(["--", "/no/such/file"]));
        assert_eq!(missing.0, Some(127));
    }
}

#[test]
fn with_hardly_a_descriptor_to_spare_the_command_still_runs() {
    // A static command needs none; the loader of another needs one.
    for limit in [3, 4] {
        let mut running =
            Running::start(crate::support::prepared(&[&format!("nofile={limit}"), "close=0"], true, &["exit", "7"]));
        assert_eq!(running.code(), 7);
    }
}

#[test]
fn an_ignored_sigchld_neither_hangs_nor_loses_the_status() {
    for _ in 0..100 {
        let mut running = Running::start(crate::support::prepared(&["ignore=17"], true, &["exit", "42"]));
        assert_eq!(running.code(), 42);
    }
}
