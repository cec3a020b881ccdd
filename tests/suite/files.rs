//! What people write into a file of processes, and what keeps one of them from being started.

use crate::support::{Running, Scratch, panicmon, with_one_pipe};
use std::process::Command;

fn run(file: &Scratch) -> Command {
    let mut command = Command::new(panicmon());
    command.arg("--config").arg(&file.0);
    command
}

fn start(file: &Scratch) -> Running {
    Running::start(with_one_pipe(&run(file)))
}

/// The next line with this in it.
fn line_with(running: &mut Running, part: &str) -> String {
    let mut seen = Vec::new();
    while let Some(line) = running.line() {
        if line.contains(part) {
            return line;
        }
        seen.push(line);
    }
    panic!("no line with '{part}': {seen:?}")
}

#[test]
fn a_wait_may_be_a_number_of_seconds_or_of_days() {
    for (written, spelled) in [("3600", "1h0m0s"), ("5400.5", "1h30m0.5s"), ("1d", "24h0m0s"), (".5h", "30m0s")] {
        let file = Scratch::new(&format!("processes:\n- {{cmd: 'false', minWait: {written}}}\n"));
        let mut running = start(&file);
        let line = line_with(&mut running, "will restart");
        assert_eq!(line, format!("false ~ will restart process in {spelled}"));
        running.kill(libc::SIGTERM);
        assert_eq!(running.code(), 0);
    }
}
