//! Several processes from one file.

use crate::support::{Running, children, output, panicmon, wait_for};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A file that is removed again.
struct File(PathBuf);

impl File {
    fn new(text: &str) -> File {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("panicmon-test-{}-{number}.yml", std::process::id()));
        std::fs::write(&path, text).unwrap();
        File(path)
    }

    fn run(&self) -> Command {
        let mut command = Command::new(panicmon());
        command.arg("--config").arg(&self.0);
        command
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// With stderr in the same pipe as stdout.
fn start_with_one_pipe(file: &File) -> Running {
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$@\" 2>&1", "sh", &panicmon(), "--config"]).arg(&file.0);
    Running::start(command)
}

#[test]
fn two_processes_with_both_streams_and_remarks_are_printed_as_the_seed_does() {
    let file = File::new(
        "timeFormat: 'TIME%%'
processes:
  - name: short
    cmd: sh
    args: [-c, 'echo out; echo err >&2; exit 3']
    noRestartOn: [3]
  - name: much-longer
    cmd: sh
    args: [-c, 'printf last; kill -KILL $$']
    noRestartOn: [-1]
",
    );
    let (code, out, err) = output(&mut file.run());
    assert!([Some(3), Some(137)].contains(&code), "{code:?}");
    let of =
        |text: &str, name: &str| text.lines().filter(|line| line.contains(name)).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(of(&out, "short"), ["TIME% › short       › out"]);
    assert_eq!(of(&out, "much-longer"), ["TIME% › much-longer › last"]);
    assert_eq!(
        of(&err, "short"),
        [
            "TIME% ~ short       ~ starting process",
            "TIME% » short       » err",
            "TIME% ~ short       ~ exit code 3, process exited: exit status 3",
            "TIME% ~ short       ~ stopped process handler",
        ]
    );
    assert_eq!(
        of(&err, "much-longer"),
        [
            "TIME% ~ much-longer ~ starting process",
            "TIME% ~ much-longer ~ exit code -1, process exited: signal: killed",
            "TIME% ~ much-longer ~ stopped process handler",
        ]
    );
    assert_eq!(err.lines().last(), Some("TIME% ~ pmux        ~ exited gracefully, ciao!"));
}

#[test]
fn a_stop_sends_int_once_and_ends_with_0() {
    let file = File::new(
        "processes:
  - name: a
    cmd: sh
    args: [-c, 'trap \"echo int; exit 5\" INT; echo ready; while :; do sleep 1000 & wait; done']
  - name: waiting
    cmd: 'false'
    minWait: 1h
    maxWait: 2h
",
    );
    let mut running = start_with_one_pipe(&file);
    let mut seen = Vec::new();
    while !(seen.iter().any(|line: &String| line == "a       › ready")
        && seen.iter().any(|line| line.contains("will restart process in 1h0m0s")))
    {
        seen.push(running.line().expect("a line"));
    }
    running.kill(libc::SIGTERM);
    let mut rest = Vec::new();
    while let Some(line) = running.line() {
        rest.push(line);
    }
    assert_eq!(running.code(), 0);
    assert_eq!(rest.iter().filter(|line| line.ends_with("› int")).count(), 1, "{rest:?}");
    let of_a: Vec<_> = rest.iter().filter(|line| line.starts_with("a ") && line.contains('~')).cloned().collect();
    assert_eq!(
        of_a,
        [
            "a       ~ sending interrupt signal",
            "a       ~ exit code 5, process exited: exit status 5",
            "a       ~ stopped process handler",
        ]
    );
    assert_eq!(rest[0], "pmux    ~ terminated signal received, waiting for child processes to exit");
    assert_eq!(rest.last().unwrap(), "pmux    ~ exited gracefully, ciao!");
}

const STUBBORN: &str = "  - name: NAME
    cmd: sh
    args: [-c, 'trap \"\" INT; echo ready; while :; do sleep 1000; done']
    sigKillWait: WAIT
";

fn stubborn(wait: &str) -> Running {
    let of = |name: &str| STUBBORN.replace("NAME", name).replace("WAIT", wait);
    let file = File::new(&format!("processes:\n{}{}", of("a"), of("b")));
    let mut running = start_with_one_pipe(&file);
    let mut ready = 0;
    while ready < 2 {
        ready += usize::from(running.line().expect("a line").ends_with("› ready"));
    }
    running
}

#[test]
fn who_is_stubborn_is_killed_with_its_group_after_its_time() {
    let mut running = stubborn("1ms");
    running.kill(libc::SIGINT);
    let mut killed = 0;
    while let Some(line) = running.line() {
        killed += usize::from(line.ends_with("~ sending killed signal"));
    }
    assert_eq!((killed, running.code()), (2, 0));
}

#[test]
fn a_second_signal_kills_all_and_exits_with_1() {
    let mut running = stubborn("1h");
    running.kill(libc::SIGINT);
    while !running.line().expect("a line").ends_with("waiting for child processes to exit") {}
    running.kill(libc::SIGTERM);
    // Nobody is left who has its stdout.
    running.wait_for_eof();
    assert_eq!(running.code(), 1);
}

#[test]
fn kill_9_leaves_no_child() {
    let running = stubborn("1h");
    let pids = children(running.pid());
    assert_eq!(pids.len(), 2);
    running.kill(libc::SIGKILL);
    wait_for("the children to be gone", || {
        pids.iter()
            .all(|pid| crate::support::status_field(*pid, "State").is_none_or(|state| state.starts_with('Z')))
            .then_some(())
    });
}

#[test]
fn a_reader_that_is_gone_stops_all() {
    let file = File::new("processes:\n  - {name: a, cmd: 'yes'}\n  - {name: b, cmd: sleep, args: [1000]}\n");
    let mut child = file.run().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(err.contains("panicmon: error: nobody reads stdout any more: stopping"), "{err}");
    assert_eq!(output.status.code(), Some(125));
}

#[test]
fn all_lines_of_two_hundred_processes_arrive() {
    let one = |number: u32| format!("  - {{name: 'p{number}', cmd: seq, args: ['1000'], noRestartOn: [0]}}\n");
    let file = File::new(&format!("processes:\n{}", (0..200).map(one).collect::<String>()));
    let (code, out, _) = output(&mut file.run());
    assert_eq!((code, out.lines().count()), (Some(0), 200_000));
    for number in [0, 77, 199] {
        let label = format!("p{number} ");
        let lines = out.lines().filter_map(|line| line.strip_prefix(&label)?.trim_start().strip_prefix("› "));
        assert!(lines.map(|line| line.parse::<u32>().unwrap()).eq(1..=1000));
    }
}

#[test]
fn a_file_can_be_checked() {
    let good = File::new("processes:\n  - cmd: sleep\n");
    let (code, out, err) = output(good.run().arg("--check"));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.ends_with(": good: 1 process\n"), "{out}");
    let bad = File::new("processes:\n  - cmmd: sleep\n");
    for arguments in [&[] as &[&str], &["--check"]] {
        let (code, out, err) = output(bad.run().args(arguments));
        assert_eq!((code, out.as_str()), (Some(125), ""));
        assert!(err.contains(".yml:2:5: ") && err.contains("'cmd'"), "{err}");
    }
}
