//! Each death is named: in its event, and in a sentence where the command can't have told by itself.

use crate::events::{Events, live};
use crate::exit::LittleMemory;
use crate::files::line_with;
use crate::support::{PROBE, Running, Scratch, output, script_with, spend, wait_for, with_one_pipe, with_options};
use crate::sys;
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

/// The end of a script, as it is told; and what panicmon said on stderr.
fn told(options: &[&str], script: &str) -> (Value, String) {
    let events = Events::new();
    let (_, _, err) = output(&mut script_with(&events.options(options), script));
    (events.one("process.exited"), err)
}

fn assert_fields(event: &Value, fields: &Value) {
    for (name, value) in fields.as_object().unwrap() {
        assert_eq!(&event[name], value, "{name} of {event}");
    }
}

#[test]
fn an_end_of_its_own_is_told_and_nothing_is_said() {
    for (script, fields) in [
        ("exit 0", json!({"result": "success", "code": 0})),
        ("exit 3", json!({"result": "exit-code", "code": 3})),
        ("kill -TERM $$", json!({"result": "signal", "signal": "TERM", "stop_requested": false, "requested": false})),
        ("kill -PIPE $$", json!({"result": "signal", "signal": "PIPE"})),
        ("kill -HUP $$", json!({"result": "signal", "signal": "HUP", "killed_by_panicmon": false})),
    ] {
        let (event, err) = told(&[], script);
        assert_fields(&event, &fields);
        assert_eq!(err, "", "{script}");
        let summary = event["summary"].as_str().unwrap();
        assert!(summary.starts_with(&format!("sh (pid {}) ", event["pid"])), "{summary}");
    }
}

/// Not of the last signal, if it ended by another.
#[test]
fn who_sent_the_signal_that_it_died_of_is_said_if_panicmon_passed_that_on() {
    let passed = format!(", passed on from pid {} ", std::process::id());
    for (command, signal, is_said) in [
        ("exec sleep 1000", libc::SIGUSR1, true),
        ("trap 'kill -HUP $$' USR1; while :; do sleep 0.01; done", libc::SIGUSR1, false),
    ] {
        let events = Events::new();
        let mut running = Running::start(script_with(&events.options(&[]), &format!("echo ready; {command}")));
        assert_eq!(running.line().as_deref(), Some("ready"));
        // A CONT comes behind it, as with systemd.
        running.while_stopped(|running| running.kill(signal));
        running.wait();
        let event = events.one("process.exited");
        assert_eq!(event["summary"].as_str().unwrap().contains(&passed), is_said, "{event}");
    }
}

#[test]
fn a_label_that_is_empty_is_no_name() {
    let (event, err) = told(&["--label", ""], "kill -KILL $$");
    assert_fields(&event, &json!({"name": "sh"}));
    assert!(err.starts_with("panicmon: sh (pid "), "{err}");
}

#[test]
fn a_death_that_nobody_else_can_tell_is_said_without_being_asked() {
    let without_core = "ulimit -c 0; ";
    for signal in ["KILL", "ABRT", "SEGV", "BUS", "ILL", "FPE", "SYS", "TRAP"] {
        let script = format!("{without_core}kill -{signal} $$");
        let (code, _, err) = output(&mut script_with(&[], &script));
        assert_eq!(code, Some(128 + number(signal)), "{err}");
        assert!(
            err.starts_with("panicmon: sh (pid ") && err.contains(&format!(" was killed by SIG{signal} after ")),
            "{err}"
        );
        assert_eq!(err.lines().count(), 1, "{err}");
        assert_eq!(output(&mut script_with(&["-q"], &script)).2, "", "-q");
    }
}

fn number(name: &str) -> i32 {
    name.parse::<panicmon::Signal>().unwrap().number()
}

#[test]
fn with_restarts_it_is_one_line_with_the_next_start() {
    let again = ["--restart=on-failure", "--max-restarts=1", "--min-wait=1ms", "--max-wait=1ms"];
    let (code, _, err) = output(&mut script_with(&again, "kill -KILL $$"));
    assert_eq!(code, Some(137));
    let lines: Vec<_> = err.lines().collect();
    assert_eq!(lines.len(), 2, "{err}");
    assert!(
        lines[0].contains(" was killed by SIGKILL after ") && lines[0].ends_with("; it starts again in 1ms"),
        "{err}"
    );
    assert!(lines[1].starts_with("panicmon: sh (pid "), "{err}");
}

#[test]
fn a_stop_is_told_with_who_asked_for_it() {
    let events = Events::new();
    let mut running = Running::start(with_options(&events.options(&[]), &["await", "15", "0"]));
    assert_eq!(running.line().as_deref(), Some("ready"));
    running.kill(libc::SIGTERM);
    assert_eq!(running.code(), 0);
    let event = events.one("process.exited");
    assert_fields(&event, &json!({"result": "success", "stop_requested": true, "requested": true}));
    assert_eq!(event["requested_by"]["signal"], json!("TERM"));
    assert_eq!(event["requested_by"]["sender"]["pid"], json!(std::process::id()));
    let expected = format!(", as SIGTERM from pid {} asked", std::process::id());
    assert!(event["summary"].as_str().unwrap().ends_with(&expected), "{event}");
}

#[test]
fn whom_panicmon_kills_it_says_so() {
    let events = Events::new();
    let (mut running, _) = live(&events.options(&["--kill-after", "1ms"]));
    running.kill(libc::SIGTERM);
    assert_eq!(running.code(), 137);
    let event = events.one("process.exited");
    assert_fields(&event, &json!({"result": "timeout", "killed_by_panicmon": "kill-after", "requested": false}));
    assert!(
        event["summary"].as_str().unwrap().contains(": it hadn't ended within 1ms of SIGTERM from pid "),
        "{event}"
    );
}

#[test]
fn a_strangers_kill_is_no_stop() {
    let events = Events::new();
    let (mut running, child) = live(&events.options(&[]));
    sys::kill(child, libc::SIGKILL).unwrap();
    assert_eq!(running.code(), 137);
    assert_fields(
        &events.one("process.exited"),
        &json!({"result": "signal", "signal": "KILL", "killed_by_panicmon": false, "stop_requested": false}),
    );
}

#[test]
fn a_core_is_told_of_with_its_limit() {
    let (event, err) = told(&[], "ulimit -c 0; kill -SEGV $$");
    assert_fields(&event, &json!({"result": "signal", "core_dumped": false}));
    assert_eq!(event["core"]["limit_bytes"], json!(0), "{event}");
    assert!(err.contains(", without a core: its limit is 0 (ulimit -c)"), "{err}");
    let (event, _) = told(&[], "kill -KILL $$");
    assert_eq!(event.get("core"), None, "KILL asks for none");
}

#[test]
fn the_limit_of_processor_time_that_kills_is_told() {
    let (event, err) = told(&[], "ulimit -t 1; while :; do :; done");
    assert_fields(&event, &json!({"result": "signal", "signal": "KILL"}));
    let expected = ", which the hard limit of processor time sends (ulimit -Ht), 1s";
    assert!(event["summary"].as_str().unwrap().ends_with(expected), "{event}");
    assert!(err.trim_end().ends_with(expected), "{err}");
    let (event, _) = told(&[], "ulimit -t 60; kill -KILL $$");
    assert!(!event["summary"].as_str().unwrap().contains("limit of processor time"), "{event}");
}

#[test]
fn an_orphan_is_told_with_its_name() {
    let events = Events::new();
    // The shell's child is orphaned, and ends when the shell has.
    let script = format!("(\"{PROBE}\" exit 7 &) ; exec \"{PROBE}\" until 15 0");
    let mut running = Running::start(script_with(&events.options(&[]), &script));
    let orphan = wait_for("the orphan", || events.of("orphan.reaped").pop());
    assert_eq!((&orphan["status"], &orphan["command"]), (&json!(7), &json!("panicmon-probe")), "{orphan}");
    running.kill(libc::SIGTERM);
    running.wait();
}

/// The end of a script in a cgroup of little memory, and what panicmon said.
fn told_of(group: &LittleMemory, script: &str) -> (Value, String) {
    let events = Events::new();
    let (_, _, err) = output(&mut group.command(&events.options(&[]), script));
    (events.one("process.exited"), err)
}

#[test]
#[ignore = "needs root: a cgroup of its own"]
fn who_was_killed_for_want_of_memory_is_told() {
    let group = LittleMemory::new("deaths");
    let hog = format!("\"{PROBE}\" fill-memory");
    let (event, err) = told_of(&group, &format!("exec {hog}"));
    assert_fields(&event, &json!({"result": "oom-kill", "signal": "KILL", "killed_by_panicmon": false}));
    assert_fields(&event["oom"], &json!({"verdict": "certain", "kills": 1, "limit_bytes": 24 << 20}));
    assert!(err.contains(": out of memory (limit 24 MiB"), "{err}");

    let (event, err) = told_of(&group, &format!("{hog}; exit 5"));
    assert_fields(&event, &json!({"result": "exit-code", "code": 5}));
    assert_fields(&event["oom"], &json!({"verdict": "helper", "kills": 1}));
    assert!(!err.contains("panicmon"), "{err}");

    // Nothing was watched: what was counted is the kills of all lives in this cgroup.
    let (_, _, err) = output(&mut group.command(&[], &format!("exec {hog}")));
    assert!(err.contains("; its cgroup has counted ") && err.trim_end().ends_with(" (limit 24 MiB)"), "{err}");
}

#[test]
#[ignore = "needs root: a cgroup of its own"]
fn a_kill_for_want_of_memory_that_is_long_ago_is_no_cause() {
    let group = LittleMemory::new("long-ago");
    let events = Events::new();
    let script = format!("\"{PROBE}\" fill-memory; echo over; exec \"{PROBE}\" pause");
    let mut options = events.options(&["--exit", "oom=99"]);
    options.extend(["--name", "web"]);
    let mut running = Running::start(with_one_pipe(&group.command(&options, &script)));
    let told = "memory ran out: the kernel has killed another process of this cgroup (limit 24 MiB)";
    // The shell says that it was killed, and its script that it is over.
    let said: Vec<String> = std::iter::from_fn(|| running.line()).take(3).collect();
    assert!(said.iter().any(|line| line.ends_with(told)), "{said:?}");
    let child = running.ready_child();
    spend(Duration::from_millis(1100));
    sys::kill(child, libc::SIGKILL).unwrap();
    assert_eq!(running.code(), 137, "not --exit oom");
    let event = events.one("process.exited");
    assert_fields(&event, &json!({"result": "signal", "signal": "KILL"}));
    assert_fields(&event["oom"], &json!({"verdict": "helper", "kills": 1}));
}

/// The end that comes first tells of it, too; but what was killed is the other one's.
#[test]
#[ignore = "needs root: a cgroup of its own"]
fn a_kill_for_want_of_memory_is_told_though_another_process_ends_first() {
    let group = LittleMemory::new("several");
    let (events, folder) = (Events::new(), Scratch::folder());
    let fifo = folder.0.join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let fifo = fifo.display();
    let file = Scratch::new(&format!(
        "processes:\n\
         - {{name: web, cmd: sh, args: [-c, '\"{PROBE}\" fill-memory; echo >{fifo}; exec \"{PROBE}\" pause']}}\n\
         - {{name: quick, cmd: sh, args: [-c, 'read line <{fifo}'], noRestartOn: [0]}}\n"
    ));
    let mut command = group.panicmon();
    command.args(events.options(&["--config"])).arg(&file.0);
    let mut running = Running::start(with_one_pipe(&command));
    line_with(&mut running, "memory ran out: the kernel has killed another process of this cgroup (limit 24 MiB)");
    running.kill(libc::SIGTERM);
    running.wait();
    let ends = events.of("process.exited");
    assert_fields(&ends[0], &json!({"name": "quick", "result": "success"}));
    assert_fields(&ends[0]["oom"], &json!({"verdict": "helper", "kills": 1}));
}

#[test]
#[ignore = "needs root: a cgroup of its own"]
fn a_command_that_has_moved_to_a_cgroup_below_is_seen() {
    let group = LittleMemory::new("below");
    let below = group.0.join("below");
    fs::create_dir(&below).unwrap();
    let script = format!("echo $$ >{}/cgroup.procs; exec \"{PROBE}\" fill-memory", below.display());
    let (event, _) = told_of(&group, &script);
    assert_fields(&event["oom"], &json!({"verdict": "certain", "kills": 1}));
    fs::remove_dir(&below).unwrap();
}
