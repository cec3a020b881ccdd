//! `--success`, and the key of a file: ends that count as a success.

use crate::events::Events;
use crate::support::{PROBE, Scratch, output, panicmon, script_with};
use serde_json::json;
use std::fs;
use std::process::Command;

/// A folder in which all that is reported goes somewhere.
struct Reports {
    events: Events,
    hook: String,
}

impl Reports {
    fn new() -> Reports {
        let events = Events::new();
        fs::create_dir(events.folder.0.join("certificates")).unwrap();
        let hook = format!("sh -c 'echo $SERVICE_RESULT >{}'", events.folder.0.join("hook").display());
        Reports { events, hook }
    }

    fn path(&self, name: &str) -> String {
        self.events.folder.0.join(name).to_str().unwrap().to_owned()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Runs panicmon with all reports, and with these words: its status, and what it says.
    fn run(&self, words: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(panicmon());
        let options = ["--hook", &self.hook, "--metrics", &self.path("metrics.prom"), "--stderr-tail", "64K"];
        command.args(self.events.options(&options)).args(["--report", &self.path("certificates")]);
        let (code, _, err) = output(command.args(["--termination-log", &self.path("termination")]).args(words));
        (code, err)
    }

    /// What all reports say of the one end: its result, and whether it is a failure.
    fn say(&self) -> (String, bool) {
        let exited = self.events.one("process.exited");
        let result = exited["result"].as_str().unwrap().to_owned();
        assert_eq!(self.read("hook"), format!("{result}\n"));
        assert!(self.read("metrics.prom").contains(&format!("result=\"{result}\"")), "{}", self.read("metrics.prom"));
        let certificates = fs::read_dir(self.path("certificates")).unwrap().count();
        let is_failure = certificates > 0;
        assert_eq!(!self.read("termination").is_empty(), is_failure);
        if result != "signal" {
            assert_eq!(exited.get("panic").is_some_and(|panic| !panic.is_null()), is_failure, "{exited}");
        }
        (result, is_failure)
    }
}

/// With exit code 1 it is a death in Python, as far as can be read.
const PANIC: &str =
    "printf 'Traceback (most recent call last):\\n  File \"a.py\", line 1, in <module>\\nKeyError: 1\\n' >&2;";

#[test]
fn a_listed_end_is_a_success_in_every_report_and_the_status_stays_the_commands() {
    for (end, list, code, expected) in [
        ("exit 1", "7,1", 1, ("success", false)),
        ("exit 1", "7", 1, ("exit-code", true)),
        ("kill -KILL $$", "KILL", 137, ("success", false)),
        ("kill -KILL $$", "TERM,9,137", 137, ("signal", true)),
    ] {
        let reports = Reports::new();
        let (status, err) = reports.run(&["--success", list, "--", "sh", "-c", &format!("{PANIC} {end}")]);
        assert_eq!(status, Some(code), "{err}");
        let (result, is_failure) = reports.say();
        assert_eq!((result.as_str(), is_failure), expected, "{end} {list}");
        let said = err.lines().any(|line| line.starts_with("panicmon: "));
        assert_eq!(said, is_failure && code == 137, "{err}");
    }
}

#[test]
fn a_listed_end_of_a_process_of_a_file_is_a_success_and_no_failure_of_the_file() {
    for (key, code, expected) in
        [("success: [TERM, 1]", 0, ("success", false)), ("success: [7]", 1, ("exit-code", true))]
    {
        let reports = Reports::new();
        let file = Scratch::new(&format!(
            "processes:\n- name: web\n  cmd: sh\n  args: [-c, {}]\n  noRestartOn: [1]\n  {key}\n",
            json!(format!("{PANIC} exit 1"))
        ));
        let (status, err) = reports.run(&["--config", file.0.to_str().unwrap()]);
        assert_eq!(status, Some(code), "{err}");
        let (result, is_failure) = reports.say();
        assert_eq!((result.as_str(), is_failure), expected, "{key}");
    }
}

#[test]
fn a_command_isnt_started_again_on_failure_after_a_listed_end() {
    let quick = ["--restart=on-failure", "--max-restarts=2", "--min-wait=1ms", "--max-wait=1ms", "-q"];
    for (end, list, runs) in
        [("exit 3", "3", 1), ("exit 3", "4", 3), ("kill -TERM $$", "TERM", 1), ("kill -TERM $$", "INT", 3)]
    {
        let options = [&quick[..], &["--success", list]].concat();
        let (_, out, err) = output(&mut script_with(&options, &format!("echo run; {end}")));
        assert_eq!(out.lines().count(), runs, "{end} {list}: {err}");
    }
}

#[test]
fn a_restart_after_a_listed_end_is_no_warning() {
    let options = ["--restart=always", "--max-restarts=1", "--min-wait=1ms", "--success", "3,KILL"];
    for (end, code) in [("exit 3", 3), ("kill -KILL $$", 137)] {
        let (status, _, err) = output(&mut script_with(&options, end));
        assert_eq!((status, err.as_str()), (Some(code), ""));
    }
    let (_, _, err) = output(&mut script_with(&options, "exit 4"));
    assert!(err.contains("failed, exit code 4; it starts again in "), "{err}");
}

#[test]
fn a_variable_lists_the_same() {
    let events = Events::new();
    let mut command = Command::new(panicmon());
    command.env("PANICMON_SUCCESS", "3").args(events.options(&["--", PROBE, "exit", "3"]));
    assert_eq!(output(&mut command).0, Some(3));
    assert_eq!(events.one("process.exited")["result"], "success");
}
