//! What is left of a run for those who come later.

use crate::events::{Events, live, parsed};
use crate::last_words::GO;
use crate::support::{
    PROBE, Scratch, by_shell, output, panicmon, script_with, spend, status_field, wait_for, with_options,
};
use crate::sys;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

#[test]
fn restarts_that_a_limit_has_ended_are_told_with_the_limit() {
    let quick = ["--min-wait=1ms", "--max-wait=1ms"];
    for (options, code, reason) in [
        (&["--restart=on-failure", "--max-restarts=1"][..], "3", Some("max-restarts")),
        (&["--restart=always", "--no-restart-on=3"], "3", Some("no-restart-on")),
        (&["--restart=on-failure"], "0", None),
        (&[], "3", None),
    ] {
        let events = Events::new();
        let options = if options.is_empty() { Vec::new() } else { [options, &quick].concat() };
        assert_eq!(output(&mut with_options(&events.options(&options), &["exit", code])).0, code.parse().ok());
        let told: Vec<Value> = events.of("restart.given_up").iter().map(|event| event["reason"].clone()).collect();
        assert_eq!(told, reason.map(|reason| json!(reason)).into_iter().collect::<Vec<_>>(), "{options:?}");
    }
}

/// Files of ours in a folder of its own.
struct Files(Scratch);

impl Files {
    fn new() -> Files {
        Files(Scratch::folder())
    }

    fn path(&self, name: &str) -> String {
        self.0.0.join(name).to_str().unwrap().to_owned()
    }

    fn dir(&self) -> &str {
        self.0.0.to_str().unwrap()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.0.join(name)).unwrap_or_default()
    }

    /// The names with this ending, in order.
    fn names(&self, ending: &str) -> Vec<String> {
        let names = fs::read_dir(&self.0.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name.ends_with(ending)).collect();
        names.sort();
        names
    }

    /// The value of a sample in a file of metrics.
    fn sample(&self, name: &str, sample: &str) -> Option<f64> {
        let text = self.read(name);
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("panicmon_{sample} ")).map(str::to_owned));
        line.map(|value| value.parse().unwrap())
    }
}

/// Whether somebody has locked this file.
fn is_locked(path: &str) -> bool {
    fs::File::open(path).is_ok_and(|file| matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock)))
}

fn again<'o>(most: &'o str, more: &[&'o str]) -> Vec<&'o str> {
    [&["--restart=always", "--max-restarts", most, "--min-wait=1ms", "--max-wait=1ms"], more].concat()
}

#[test]
fn what_happened_is_counted() {
    let files = Files::new();
    let file = files.path("web.prom");
    let options = again("2", &["--name=web", "--metrics", &file]);
    assert_eq!(output(&mut script_with(&options, "(exit 0) & kill -SEGV $$")).0, Some(139));
    for (sample, value) in [
        ("up{name=\"web\"}", 0.0),
        ("starts_total{name=\"web\"}", 3.0),
        ("restarts_total{name=\"web\"}", 2.0),
        ("oom_kills_total{name=\"web\"}", 0.0),
    ] {
        assert_eq!(files.sample("web.prom", sample), Some(value), "{sample}: {}", files.read("web.prom"));
    }
    let text = files.read("web.prom");
    let of = |start: &str| -> f64 {
        let lines = text.lines().filter(|line| line.starts_with(&format!("panicmon_{start}")));
        lines.map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap()).sum()
    };
    assert_eq!(of("exits_total{"), 3.0, "{text}");
    assert!(text.contains("code=\"\",signal=\"SEGV\"} 3\n"), "{text}");
    assert!(of("orphans_reaped_total{") > 0.0 && of("max_rss_bytes{") > 0.0, "{text}");
    let start = files.sample("web.prom", "start_time_seconds{name=\"web\"}").unwrap();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
    assert!((now - 3600.0..=now).contains(&start), "{start}");
    assert_eq!(files.names("").len(), 1, "a temporary file is left: {:?}", files.names(""));
    // node_exporter has another user.
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777 & !0o022, 0o644 & !umask(), "{file}");
}

fn umask() -> u32 {
    let field = status_field(std::process::id(), "Umask").unwrap();
    u32::from_str_radix(&field, 8).unwrap()
}

/// The format as a reader of it sees it: each metric has its help and its type before its samples, which stand together.
#[test]
fn metrics_are_in_prometheus_format() {
    let files = Files::new();
    let file = files.path("a.prom");
    output(&mut script_with(&["--name", "a\"b\\c", "--metrics", &file], "kill -TERM $$"));
    let text = files.read("a.prom");
    let mut seen: Vec<String> = Vec::new();
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let name = help.split(' ').next().unwrap().to_owned();
            assert!(!seen.contains(&name), "{name} comes twice");
            seen.push(name);
            continue;
        }
        let name = seen.last().unwrap();
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            let ending = if name.ends_with("_total") { "counter" } else { "gauge" };
            assert_eq!(kind, format!("{name} {ending}"));
            continue;
        }
        assert!(line.starts_with(&format!("{name}{{name=\"a\\\"b\\\\c\"")), "{line}");
        assert!(line.rsplit_once("} ").unwrap().1.parse::<f64>().is_ok(), "{line}");
    }
    let expected = [
        "up",
        "start_time_seconds",
        "starts_total",
        "restarts_total",
        "exits_total",
        "panics_total",
        "signals_total",
        "oom_kills_total",
        "orphans_reaped_total",
        "cpu_seconds_total",
        "max_rss_bytes",
    ];
    assert_eq!(seen, expected.map(|name| format!("panicmon_{name}")));
}

#[test]
fn metrics_are_written_while_the_command_runs_and_only_when_they_change() {
    let files = Files::new();
    let file = files.path("web.prom");
    let (mut running, child) = live(&["--name=web", "--metrics", &file]);
    wait_for("the start", || (files.sample("web.prom", "up{name=\"web\"}") == Some(1.0)).then_some(()));
    running.kill(libc::SIGUSR1);
    let passed = || files.sample("web.prom", "signals_total{name=\"web\",signal=\"USR1\",outcome=\"passed\"}");
    wait_for("the signal", || (passed() == Some(1.0)).then_some(()));
    // Now nothing happens: panicmon isn't woken up.
    let switches = || status_field(running.pid(), "voluntary_ctxt_switches").unwrap();
    wait_for("it to sleep", || {
        let before = switches();
        spend(Duration::from_millis(1100));
        (switches() == before).then_some(())
    });
    sys::kill(child, libc::SIGKILL).unwrap();
    running.wait();
    assert_eq!(files.sample("web.prom", "up{name=\"web\"}"), Some(0.0));
}

#[test]
fn each_process_of_a_file_is_counted_by_its_name() {
    let files = Files::new();
    let file = files.path("all.prom");
    let config = Scratch::new(&format!(
        "processes: [{{name: a, cmd: {PROBE}, args: [exit, 3], noRestartOn: [3]}}, {{cmd: {PROBE}, args: [exit, 0], noRestartOn: [0]}}]"
    ));
    let mut command = Command::new(panicmon());
    output(command.args(["--metrics", &file, "--config", config.0.to_str().unwrap()]));
    let probe = Path::new(PROBE).file_name().unwrap().to_str().unwrap();
    for name in ["a", probe] {
        let starts = files.sample("all.prom", &format!("starts_total{{name=\"{name}\"}}"));
        assert_eq!(starts, Some(1.0), "{}", files.read("all.prom"));
    }
}

#[test]
fn why_a_run_failed_is_in_the_termination_log() {
    let files = Files::new();
    let log = files.path("log");
    for (before, script, start) in [
        (None, "exit 3", Some("web (pid ")),
        (Some("of the last time, which was very long"), "kill -SEGV $$", Some("web (pid ")),
        (Some("of the last time"), "exit 0", None),
    ] {
        if let Some(before) = before {
            fs::write(&log, before).unwrap();
        }
        output(&mut script_with(&["--name=web", "--termination-log", &log], script));
        let text = files.read("log");
        match start {
            Some(start) => assert!(text.starts_with(start) && text.ends_with('\n'), "{text}"),
            None => assert_eq!(text, ""),
        }
        assert!(!text.contains("last time"), "{text}");
    }
    let mut command = Command::new(panicmon());
    output(command.args(["--termination-log", &log, "--", "/nowhere/x"]));
    assert!(files.read("log").starts_with("x couldn't be started: "), "{}", files.read("log"));
}

/// Lines without end after the death: it is they that are cut.
#[test]
fn the_cause_and_the_last_words_are_in_all_documents() {
    let files = Files::new();
    let (log, prom) = (files.path("log"), files.path("a.prom"));
    let flood = "i=0; while [ $i -lt 500 ]; do echo \"main.deeper($i) has a line of its own\" >&2; i=$((i+1)); done";
    let script = format!("printf '%s' '{GO}' >&2; {flood}; exit 2");
    let options =
        ["--name=web", "--stderr-tail=64K", "--termination-log", &log, "--report", files.dir(), "--metrics", &prom];
    assert_eq!(output(&mut script_with(&options, &script)).0, Some(2));
    let cause = "\n\ngo: panic\nruntime error: index out of range [5] with length 3\n    at main.pick";
    let last = "main.deeper(498) has a line of its own\nmain.deeper(499) has a line of its own\n";
    let brief = files.read("log");
    assert!(brief.len() <= 4096 && brief.len() > 4000, "{}", brief.len());
    for text in [brief, files.read(&files.names(".txt")[0])] {
        let mut lines = text.lines();
        assert!(lines.next().is_some_and(|line| line.contains(" ended with exit code 2 after ")), "{text}");
        assert!(text.contains(cause) && text.ends_with(last), "{text}");
    }
    let record = parsed(&files.read(&files.names(".json")[0])).remove(0);
    assert!(record["panic"]["language"] == json!("go") && record["stderr_tail"].is_string(), "{record}");
    assert_eq!(files.sample("a.prom", "panics_total{name=\"web\",language=\"go\"}"), Some(1.0));
}

/// The last run counts: an earlier one that failed is no cause of the end.
#[test]
fn a_success_after_a_failure_empties_the_termination_log() {
    let files = Files::new();
    let (log, mark) = (files.path("log"), files.path("mark"));
    let script = format!("[ -e {mark} ] && exit 0; touch {mark}; exit 3");
    let options = ["--restart=on-failure", "--min-wait=1ms", "--max-wait=1ms", "--termination-log", &log];
    assert_eq!(output(&mut script_with(&options, &script)).0, Some(0));
    assert!(Path::new(&mark).exists());
    assert_eq!(files.read("log"), "");
}

#[test]
fn an_abnormal_end_leaves_a_certificate_and_another_end_none() {
    let files = Files::new();
    for script in ["exit 0", "exit 3"] {
        output(&mut script_with(&["--name=we/b", "--report", files.dir()], script));
    }
    let (json, txt) = (files.names(".json"), files.names(".txt"));
    assert_eq!((json.len(), txt.len(), files.names("").len()), (1, 1, 2), "{:?}", files.names(""));
    assert_eq!(json[0].strip_suffix(".json"), txt[0].strip_suffix(".txt"));
    let record = parsed(&files.read(&json[0])).remove(0);
    assert_eq!((&record["event"], &record["code"]), (&json!("process.exited"), &json!(3)));
    assert!(json[0].starts_with("we%2Fb-") && json[0].ends_with(&format!("-{}.json", record["pid"])), "{json:?}");
    let text = files.read(&txt[0]);
    assert_eq!(text.lines().next(), record["summary"].as_str());
    assert!(text.contains("\nresult      exit-code\n") && text.contains("\nmemory      "), "{text}");
    assert_eq!(fs::metadata(files.path(&json[0])).unwrap().permissions().mode() & 0o137, 0);
}

#[test]
fn a_start_that_fails_leaves_a_certificate() {
    let files = Files::new();
    let mut command = Command::new(panicmon());
    output(command.args(["--report", files.dir(), "--", "/nowhere/x"]));
    let record = parsed(&files.read(&files.names(".json")[0])).remove(0);
    assert_eq!(record["event"], json!("process.failed"));
    assert!(files.read(&files.names(".txt")[0]).starts_with("x couldn't be started: "));
}

#[test]
fn the_newest_certificates_are_kept() {
    let files = Files::new();
    // None of them is a certificate of this process.
    let others = ["web-2-20200101T000000.000000Z-1.json", "web-notes.txt", "web.txt"];
    for other in others {
        fs::write(files.path(other), "").unwrap();
    }
    let events = Events::new();
    let options = again("5", &["--name=web", "--report", files.dir(), "--report-keep=2"]);
    output(&mut script_with(&events.options(&options), "exit 3"));
    let pids: Vec<_> = events.of("process.exited").iter().map(|event| event["pid"].clone()).collect();
    assert_eq!(pids.len(), 6);
    let kept = |ending: &str| -> Vec<String> {
        files.names(ending).into_iter().filter(|name| !others.contains(&name.as_str())).collect()
    };
    let kept_pids: Vec<_> = kept(".json").iter().map(|name| parsed(&files.read(name))[0]["pid"].clone()).collect();
    assert_eq!(kept_pids, pids[4..]);
    assert_eq!((kept(".txt").len(), kept("").len()), (2, 4), "{:?}", files.names(""));
    assert!(others.iter().all(|other| Path::new(&files.path(other)).exists()));
}

#[test]
fn while_the_command_runs_a_locked_file_says_so() {
    let files = Files::new();
    let (running, child) = live(&["--name=web", "--report", files.dir()]);
    let file = files.path("web.running");
    wait_for("the file", || is_locked(&file).then_some(()));
    assert_eq!(serde_json::from_str::<Value>(&files.read("web.running")).unwrap()["pid"], json!(child));
    // Another one of this name leaves it alone.
    let (code, _, err) = output(&mut script_with(&["--name=web", "--report", files.dir()], "exit 0"));
    assert!(code == Some(0) && err.contains("another process has locked it"), "{err}");
    assert!(is_locked(&file));
    sys::kill(child, libc::SIGTERM).unwrap();
    running.kill(libc::SIGKILL);
}

#[test]
fn a_run_that_vanished_without_a_record_is_told_by_the_next_one() {
    let files = Files::new();
    let (mut running, child) = live(&["--name=web", "--report", files.dir()]);
    let file = files.path("web.running");
    wait_for("the file", || is_locked(&file).then_some(()));
    let (pid, started) = (running.pid(), files.read("web.running"));
    let started: Value = serde_json::from_str(&started).unwrap();
    running.kill(libc::SIGKILL);
    running.wait();
    wait_for("the lock to go", || (!is_locked(&file)).then_some(()));
    let hook = format!("sh -c 'cat >{}'", files.path("told"));
    for told in [1, 0] {
        let events = Events::new();
        let options = ["--name=web", "--report", files.dir(), "--hook", &hook, "--hook-on=previous_run.lost"];
        let (_, _, err) = output(&mut script_with(&events.options(&options), "exit 0"));
        assert_eq!((events.of("previous_run.lost").len(), err.lines().count()), (told, told), "once: {err}");
        if told == 1 {
            let lost = events.one("previous_run.lost");
            assert!(err.starts_with(&format!("panicmon: warn: the last run of web (pid {child})")), "{err}");
            assert_eq!(parsed(&files.read("told")).first(), Some(&lost), "a hook");
            assert_eq!((&lost["seq"], &lost["run"], &lost["name"]), (&json!(1), &json!(0), &json!("web")));
            assert_eq!((&lost["pid"], &lost["panicmon_pid"]), (&json!(child), &json!(pid)));
            assert_eq!((&lost["started"], &lost["rebooted"]), (&started["time"], &json!(false)));
        }
        assert!(!Path::new(&file).exists());
    }
    let record = parsed(&files.read(&files.names(".json")[0])).remove(0);
    assert_eq!(record["event"], json!("previous_run.lost"));
    assert!(files.read(&files.names(".txt")[0]).starts_with(&format!("the last run of web (pid {child})")));
}

/// What is wrong with a place is a warning; the command runs as without.
#[test]
fn a_place_that_cant_be_written_is_a_warning_and_the_command_runs() {
    let files = Files::new();
    let elsewhere = files.path("elsewhere");
    fs::write(&elsewhere, "kept").unwrap();
    let planted = files.path("planted");
    // It has one name only: nothing else keeps it from being overwritten.
    let pointed_at = files.path("pointed-at");
    fs::write(&pointed_at, "kept").unwrap();
    symlink(&pointed_at, &planted).unwrap();
    // No device, which a program that replaces it would take from all others.
    let fifo = files.path("fifo");
    nix::unistd::mkfifo(fifo.as_str(), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let linked = files.path("linked");
    fs::hard_link(&elsewhere, &linked).unwrap();
    for (option, place) in [
        ("--report", "/nowhere"),
        ("--report", &elsewhere),
        ("--termination-log", "/nowhere/log"),
        ("--termination-log", "/dev/full"),
        ("--termination-log", &planted),
        ("--termination-log", &linked),
        ("--termination-log", files.dir()),
        ("--metrics", "/nowhere/a.prom"),
        ("--metrics", &fifo),
        ("--metrics", &planted),
    ] {
        let (code, out, err) =
            output(&mut script_with(&again("2", &[option, place]), "echo out; echo err >&2; exit 3"));
        assert_eq!((code, out.as_str()), (Some(3), "out\nout\nout\n"), "{err}");
        assert_eq!(err.matches(&format!("{option}: ")).count(), 1, "a warning, once: {err}");
        assert_eq!(err.lines().filter(|line| *line == "err").count(), 3, "{err}");
    }
    assert_eq!((files.read("elsewhere"), files.read("pointed-at")), ("kept".to_owned(), "kept".to_owned()));
    for value in ["0", "x", "-1"] {
        let (code, _, err) = output(&mut script_with(&["--report", files.dir(), "--report-keep", value], "exit 3"));
        assert_eq!(code, Some(125), "{err}");
    }
    for (options, without) in [
        (&["--report-keep", "3"] as &[&str], "--report DIR"),
        (&["--redact", "a"], "--events, --hook, --report or --termination-log"),
        (&["--report-args", "--stderr-tail", "4K"], "--events, --hook, --report or --termination-log"),
    ] {
        let (code, _, err) = output(&mut script_with(options, "exit 3"));
        assert_eq!(code, Some(125), "{err}");
        assert!(err.contains(&format!("{}: it has no effect without {without}", options[0])), "{err}");
    }
    // The line on stderr has the panic of the last words in it.
    assert_eq!(output(&mut script_with(&["--redact", "a", "--stderr-tail", "4K"], "exit 3")).0, Some(3));
}

#[test]
fn a_directory_that_vanishes_is_warned_of_once() {
    let files = Files::new();
    let dir = files.path("dir");
    fs::create_dir(&dir).unwrap();
    let prom = format!("{dir}/a.prom");
    let options = again("3", &["--name=web", "--report", &dir, "--metrics", &prom]);
    let (code, _, err) = output(&mut script_with(&options, &format!("rm -rf {dir}; exit 3")));
    assert_eq!(code, Some(3), "{err}");
    for option in ["--report: ", "--metrics: "] {
        assert_eq!(err.matches(option).count(), 1, "{err}");
    }
}

/// Where files may not be longer than 512 bytes, as on a full disk: nothing is there by halves.
#[test]
fn a_file_that_cant_be_written_whole_isnt_there() {
    let files = Files::new();
    let prom = files.path("a.prom");
    let command = script_with(&["--name=web", "--report", files.dir(), "--metrics", &prom], "exit 3");
    let (code, _, err) = output(&mut by_shell("ulimit -f 1; exec \"$@\"", &command));
    assert_eq!(code, Some(3), "{err}");
    assert!(err.contains("--metrics: ") && err.contains("--report: "), "{err}");
    assert!(files.names("").iter().all(|name| name.ends_with(".txt")), "{:?}", files.names(""));
}

/// panicmon goes to / when the command runs; the files are where they were meant.
#[test]
fn places_are_taken_from_where_panicmon_was_started() {
    let files = Files::new();
    let mut command =
        script_with(&["--name=web", "--report", ".", "--metrics", "a.prom", "--termination-log", "log"], "exit 3");
    output(command.current_dir(files.dir()));
    assert_eq!(files.names("").len(), 4, "{:?}", files.names(""));
    assert_eq!(files.sample("a.prom", "up{name=\"web\"}"), Some(0.0));
    assert!(files.read("log").starts_with("web (pid "));
}
