//! Where there is little memory, stack or room for descriptors, or a system call is refused: all works, or is told.

use crate::support::{
    PROBE, Running, Scratch, by_shell, name, outcome, output, panicmon, script_with, wait_for, with_one_pipe,
};
use crate::sys;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

const OUT_OF_MEMORY: &str = "panicmon: out of memory: a limit (ulimit -v, ulimit -d) or the machine has no more";

/// The command where this is done first by a shell.
fn after(limit: &str, command: &Command) -> (Option<i32>, String, String) {
    output(&mut by_shell(&format!("{limit}; exec \"$@\""), command))
}

/// `panicmon --check --config` needs the most.
#[test]
fn where_there_is_no_memory_that_is_said() {
    let file = Scratch::new(&format!("processes:\n- {{name: a, cmd: '{PROBE}', noRestartOn: [0]}}\n"));
    let mut check = Command::new(panicmon());
    check.args(["--check", "--config"]).arg(&file.0);
    let mut run = Command::new(panicmon());
    run.args(["--", &panicmon(), "--version"]);
    for command in [run, check] {
        is_told_without_memory(&command, 125);
    }
}

/// With a little less memory than the command needs, it ends with this status, and the reason.
pub fn is_told_without_memory(command: &Command, status: i32) {
    let under = |kib: u32| after(&format!("ulimit -v {kib}"), command);
    let (mut too_little, mut enough) = (1000, 1_000_000);
    while enough - too_little > 4 {
        let middle = u32::midpoint(too_little, enough);
        if under(middle).0 == Some(0) { enough = middle } else { too_little = middle }
    }
    let mut told = 0;
    for kib in (enough.saturating_sub(400)..enough).step_by(4) {
        match under(kib) {
            (Some(0), ..) => {}
            (Some(code), _, err) if code == status && err.starts_with(OUT_OF_MEMORY) => told += 1,
            // The command's own end, or that of a program that isn't panicmon yet: the kernel or the dynamic linker
            // has no memory to load it.
            (Some(127 | 134 | 137 | 139), _, err) if !err.starts_with("panicmon: ") => {}
            (None, _, err) if err.is_empty() => {}
            other => panic!("{kib} KiB: {other:?}"),
        }
    }
    assert!(told > 0, "{:?}", command.get_program());
}

/// Its lines wait for a reader.
#[test]
fn where_memory_ends_later_the_command_is_killed() {
    where_memory_ends(&["--label", "x"], "echo $$; read go; yes & exec sleep 1000");
}

#[test]
fn where_memory_ends_later_what_a_drain_was_to_end_is_killed() {
    let script = "setsid sleep 1000 >/dev/null 2>&1 & echo $!; read go; yes & exec sleep 1000";
    where_memory_ends(&["--label", "x", "--drain", "1h"], script);
}

/// The script says which process isn't to outlive panicmon, and goes on when it reads a line.
fn where_memory_ends(options: &[&str], script: &str) {
    let mut command = script_with(options, script);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().unwrap();
    let mut lines = BufReader::new(running.stdout.take().unwrap());
    let mut first = String::new();
    lines.read_line(&mut first).unwrap();
    let child: u32 = first.trim().rsplit(' ').next().unwrap().parse().unwrap();
    sys::limit_memory(running.id());
    running.stdin.take().unwrap().write_all(b"\n").unwrap();
    let ended = outcome(running);
    let err = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(125), "{err}");
    assert!(err.starts_with(OUT_OF_MEMORY), "{err}");
    wait_for("the command's end", || (name(child) != "sleep").then_some(()));
}

#[test]
fn a_small_stack_is_no_reason_to_die() {
    let words: [(&[&str], &[&str], i32); 4] = [
        (&[], &["sh", "-c", "ulimit -Ss; exit 3"], 3),
        (&["--label", "a"], &["sh", "-c", "ulimit -Ss; exit 3"], 3),
        (
            &["--restart", "on-failure", "--max-restarts", "1", "--min-wait", "1ms"],
            &["sh", "-c", "ulimit -Ss; exit 3"],
            3,
        ),
        (&["--drain", "1s", "--kill-after", "1s"], &["sh", "-c", "ulimit -Ss; exit 3"], 3),
    ];
    for (options, words, status) in words {
        let mut command = Command::new(panicmon());
        command.args(options).arg("--").args(words);
        let (code, out, err) = after("ulimit -Ss 32", &command);
        assert_eq!(code, Some(status), "{options:?}: {err}");
        assert!(!out.is_empty() && out.lines().all(|line| line.ends_with("32")), "the command has its own: {out}");
        let (code, out, err) = after("ulimit -Ss 32; ulimit -Hs 40", &command);
        assert_eq!((code, out.as_str()), (Some(125), ""));
        assert!(err.starts_with("panicmon: the hard limit of the stack is 40 KiB; "), "{err}");
    }
}

/// poll(2) is refused there as well, and on an older kernel writing without waiting needs that.
#[test]
fn where_no_descriptor_may_be_opened_that_is_said() {
    let refuse = format!("refuse={}:{}", libc::SYS_pwritev2, libc::EOPNOTSUPP);
    for files in 0..=3 {
        for options in [&[][..], &["--label", "a"], &["--kill-after", "1s"], &["--session"], &["--user", "nobody"]] {
            for ops in [&[][..], &[refuse.as_str()]] {
                let mut command = Command::new(PROBE);
                command.arg("prepare").args(ops).args([&format!("nofile={files}"), "--", &panicmon()]);
                match output(command.args(options).args(["--", &panicmon(), "--version"])) {
                    (Some(0), ..) => assert!(files > 0),
                    (Some(125), _, err) => {
                        assert!(err.starts_with("panicmon: ") && err.contains("(os error 24)"), "{err}");
                    }
                    // The loader of a dynamic binary opens its libraries before it is panicmon.
                    (Some(127), _, err) => assert!(err.contains("shared librar"), "{err}"),
                    other => panic!("{files}, {options:?}: {other:?}"),
                }
            }
        }
    }
}

#[test]
fn a_table_of_descriptors_that_is_full_later_on_is_told_and_the_next_start_tries_again() {
    let options = ["--label", "x", "--restart", "always", "--min-wait", "1ms", "--max-wait", "1ms"];
    let mut running = Running::start(with_one_pipe(&script_with(&options, "exit 3")));
    let until = |text: &str, running: &mut Running| while !running.line().unwrap().contains(text) {};
    until("failed, exit code 3; it starts again", &mut running);
    sys::limit_files(running.pid(), 4);
    for _ in 0..2 {
        until("couldn't be started: pipe: ", &mut running);
    }
    sys::limit_files(running.pid(), 100);
    until("failed, exit code 3; it starts again", &mut running);
    running.kill(libc::SIGTERM);
    running.wait();
}

/// A kernel or filter that doesn't know the call may answer in several ways.
#[test]
fn output_is_written_whatever_a_filter_refuses() {
    for errno in [libc::EPERM, libc::ENOSYS, libc::EINVAL, libc::EOPNOTSUPP, libc::ENOMEM] {
        let mut command = Command::new(PROBE);
        command.args(["prepare", &format!("refuse={}:{errno}", libc::SYS_pwritev2), "--", &panicmon(), "--label", "x"]);
        command.args(["--", "sh", "-c", "echo out; echo err >&2; exit 3"]);
        let told = output(&mut command);
        assert_eq!(told, (Some(3), "x › out\n".to_owned(), "x » err\n".to_owned()), "{errno}");
        let mut command = Command::new(PROBE);
        command.args([
            "prepare",
            &format!("refuse={}:{errno}", libc::SYS_pwritev2),
            "--",
            &panicmon(),
            "--",
            "/no/such",
        ]);
        let (code, _, err) = output(&mut command);
        assert_eq!(code, Some(127));
        assert!(err.starts_with("panicmon: /no/such"), "{err}");
    }
}

#[test]
fn a_refused_look_at_a_stream_is_no_reason_to_replace_it() {
    let run = |ops: &[&str]| {
        let mut command = Command::new(PROBE);
        command.arg("prepare").args(ops).args(["--", &panicmon(), "-v", "--", PROBE, "exit", "3"]);
        let (code, _, err) = output(&mut command);
        assert_eq!(code, Some(3));
        err.lines().count()
    };
    let said = run(&[]);
    assert!(said > 1, "at the start and at the end: {said}");
    assert_eq!(run(&[&format!("refuse={}:{}", libc::SYS_fcntl, libc::ENOSYS)]), said);
}

/// The maps of the standard library and the reader of YAML want some.
#[test]
fn without_random_numbers_all_works_or_is_told() {
    let refuse = format!("refuse={}:{}", libc::SYS_getrandom, libc::EIO);
    let with = |options: &[&str], words: &[&str]| {
        let mut command = Command::new(PROBE);
        output(command.args(["prepare", &refuse, "--", &panicmon()]).args(options).args(words))
    };
    for options in [&["--drain", "1s"][..], &["--label", "a"], &["--restart", "on-failure", "--max-restarts", "0"]] {
        let (code, _, err) = with(options, &["--", PROBE, "exit", "3"]);
        assert_eq!((code, err.contains("panicked")), (Some(3), false), "{err}");
    }
    // A panic isn't the command's SIGABRT.
    let (code, out, err) = with(&["--redact", "x", "--report", "/tmp"], &["--", "echo", "ran"]);
    let is_told = code == Some(125) && err.starts_with("panicmon: internal error: failed to generate random data (");
    assert!(is_told && err.lines().count() == 1 && out.is_empty() || code == Some(0), "{code:?}: {err}");
    let (code, out, err) = with(&["--doctor"], &[]);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    let file =
        Scratch::new(&format!("processes:\n- {{name: a, cmd: '{PROBE}', args: [exit, '0'], noRestartOn: [0]}}\n"));
    let (code, _, err) = with(&["--config", &file.0.to_string_lossy()], &[]);
    let is_told = code == Some(125) && err.starts_with("panicmon: internal error: failed to generate random data (");
    assert!(is_told && err.lines().count() == 1 || code == Some(0), "{code:?}: {err}");
}

#[test]
fn what_a_message_quotes_stays_on_its_line() {
    let said = |command: &mut Command| {
        let (_, out, err) = output(command.env("NOTIFY_SOCKET", "/no\n/a\u{1b}[2J").env("LISTEN_PID", "1\n2"));
        assert!(!out.contains('\u{1b}') && !err.contains('\u{1b}'), "{out}{err}");
        format!("{out}{err}")
    };
    let doctor = said(Command::new(panicmon()).arg("--doctor"));
    assert!(doctor.contains("NO  NOTIFY_SOCKET=/no\\n/a\\u{1b}[2J\n"), "{doctor}");
    assert!(doctor.contains("LISTEN_PID=1\\n2"), "{doctor}");
    for (options, command) in
        [(&[][..], "/no\n\u{1b}such"), (&["--dir", "/no\n\u{1b}"], "true"), (&["--user", "a\nb"], "true")]
    {
        let told = said(Command::new(panicmon()).arg("-q").args(options).args(["--", command]));
        assert_eq!(told.lines().count(), 1, "{told}");
    }
    let mut command = Command::new(panicmon());
    let told = said(command.env("PATH", "/a\n\u{1b}b").args(["-v", "--", "no-such\ncommand"]));
    assert!(told.lines().all(|line| line.starts_with("panicmon: ")), "{told}");
    // Its first line is about the option, the others tell how to call panicmon.
    let told = said(Command::new(panicmon()).arg("--no-\u{1b}such"));
    assert!(told.starts_with("panicmon: "), "{told}");
}
