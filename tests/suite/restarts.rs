//! One command, started again, killed when it doesn't stop, and its lines labelled.

use crate::support::{PROBE, Running, output, panicmon};
use std::process::Command;

fn wrapper(options: &[&str], command: &[&str]) -> Command {
    let mut wrapper = Command::new(panicmon());
    wrapper.args(options).arg("--").args(command);
    wrapper
}

#[test]
fn it_is_started_again_as_its_options_say_and_the_last_end_counts() {
    let again = |options: &[&str], script: &str| {
        let options = [options, &["-q", "--min-wait=1ms", "--max-wait=2ms"]].concat();
        let (code, out, err) = output(&mut wrapper(&options, &["sh", "-c", script]));
        assert_eq!(err, "");
        (code, out.lines().count())
    };
    let failing = "echo run; exit 3";
    assert_eq!(again(&["--restart=always", "--max-restarts=4"], failing), (Some(3), 5));
    assert_eq!(again(&["--restart=on-failure", "--max-restarts=0"], failing), (Some(3), 1));
    assert_eq!(again(&["--restart=always", "--no-restart-on=1,3"], failing), (Some(3), 1));
    assert_eq!(again(&["--restart=on-failure"], "echo run"), (Some(0), 1));
    let killed = "echo run; kill -USR1 $$";
    assert_eq!(again(&["--restart=always", "--no-restart-on=USR1"], killed), (Some(138), 1));
    assert_eq!(again(&["--restart=always", "--no-restart-on=-1"], killed), (Some(138), 1));
    assert_eq!(again(&["--restart=always", "--no-restart-on=TERM", "--max-restarts=1"], killed), (Some(138), 2));
}

#[test]
fn a_command_that_is_not_there_is_tried_again() {
    let options = ["--restart=on-failure", "--min-wait=1ms", "--max-restarts=2"];
    let (code, _, err) = output(&mut wrapper(&options, &["/nonexistent"]));
    assert_eq!(code, Some(127));
    assert_eq!(err.matches("couldn't be started; it is tried again").count(), 2, "{err}");
}

#[test]
fn every_stop_signal_ends_the_restarting_with_the_end_of_the_child() {
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGQUIT, libc::SIGHUP] {
        let options = ["--restart=always", "--min-wait=1h", "--max-wait=2h"];
        let mut running = Running::start(wrapper(&options, &[PROBE, "exit-after", "1", "7"]));
        assert_eq!(running.line().as_deref(), Some("ready"));
        running.kill(signal);
        assert_eq!(running.code(), 7, "{signal}");
    }
}

#[test]
fn a_stop_signal_ends_a_wait_at_once_with_the_last_end() {
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGQUIT, libc::SIGHUP] {
        let mut command = Command::new("sh");
        command.args([
            "-c",
            "exec \"$@\" 2>&1",
            "sh",
            &panicmon(),
            "--restart=always",
            "--min-wait=1h",
            "--max-wait=2h",
        ]);
        command.args([PROBE, "exit", "3"]);
        let mut running = Running::start(command);
        let line = running.line().unwrap();
        assert!(line.ends_with("it starts again in 3600s"), "{line}");
        running.kill(signal);
        assert_eq!(running.code(), 3, "{signal}");
    }
}

#[test]
fn who_does_not_stop_is_killed_with_its_quiet_child() {
    let script = format!("trap '' TERM; '{PROBE}' pause & echo started; wait; wait");
    let mut running = Running::start(wrapper(&["-k", "1ms"], &["sh", "-c", &script]));
    assert_eq!(running.line().as_deref(), Some("started"));
    running.kill(libc::SIGTERM);
    assert_eq!(running.code(), 137);
    // The other process has its stdout, too.
    running.wait_for_eof();
}

#[test]
fn lines_are_labelled_and_whole_and_the_last_needs_no_newline() {
    let script = r"printf 'one\n\ntwo\r\n\000\377\n'; printf last; echo error >&2";
    let mut command = wrapper(&["--label", "web"], &["sh", "-c", script]);
    let output = command.output().unwrap();
    assert_eq!(
        output.stdout,
        "web › one\nweb › \nweb › two\r\nweb › \0".bytes().chain(*b"\xff\nweb \xe2\x80\xba last\n").collect::<Vec<_>>()
    );
    assert_eq!(output.stderr, "web » error\n".as_bytes());
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_line_over_64_kib_goes_on_in_pieces() {
    let mut command = wrapper(&["--label=x"], &["sh", "-c", "head -c 150000 /dev/zero | tr '\\0' y; echo"]);
    let output = command.output().unwrap();
    let lines: Vec<_> = output.stdout.split(|byte| *byte == b'\n').map(<[u8]>::len).collect();
    let label = "x › ".len();
    assert_eq!(lines, [65536 + label, 65536 + label, 150_000 - 2 * 65536 + label, 0]);
}

#[test]
fn a_grandchild_that_keeps_the_pipe_open_holds_up_nothing() {
    let script = format!("'{PROBE}' pause & echo $!; exit 4");
    let mut running = Running::start(wrapper(&["--label=x"], &["sh", "-c", &script]));
    let line = running.line().unwrap();
    let left: u32 = line.strip_prefix("x › ").unwrap().parse().unwrap();
    assert_eq!(running.code(), 4);
    crate::sys::kill(left, libc::SIGKILL).unwrap();
}

#[test]
fn a_reader_that_is_gone_ends_the_command_though_it_is_started_again() {
    let mut command = wrapper(&["--label=x", "--restart=always"], &["yes"]);
    let mut child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(err.contains("nobody reads stdout any more: stopping"), "{err}");
    assert_eq!(output.status.code(), Some(130));
}
