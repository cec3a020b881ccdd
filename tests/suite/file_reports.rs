//! The keys of reports at the top of a file.

use crate::events::{Events, parsed};
use crate::support::{Scratch, output, panicmon};
use serde_json::{Value, json};
use std::fs;
use std::process::Command;

/// A file of one process that runs this script once, in a folder of its own for what is reported.
struct Place {
    events: Events,
    script: String,
}

impl Place {
    fn new(script: &str) -> Place {
        Place { events: Events::new(), script: script.to_owned() }
    }

    fn path(&self, name: &str) -> String {
        self.events.folder.0.join(name).to_str().unwrap().to_owned()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// The file with these lines at the top. In both, `$D` is the folder.
    fn file(&self, top: &str) -> Scratch {
        let [top, script] = [top, &self.script].map(|text| text.replace("$D", self.events.folder.0.to_str().unwrap()));
        let script = json!(script);
        let process = format!("processes:\n- name: web\n  cmd: sh\n  args: [-c, {script}]\n  noRestartOn: [0, 1]\n");
        Scratch::new(&format!("{top}\n{process}"))
    }

    /// Runs panicmon with that, and with these variables and options: its status, and what it says.
    fn run(&self, top: &str, variables: &[(&str, &str)], options: &[&str]) -> (Option<i32>, String) {
        let file = self.file(top);
        let mut command = Command::new(panicmon());
        command.envs(variables.iter().copied()).args(options).arg("--config").arg(&file.0);
        let (code, _, err) = output(&mut command);
        (code, err.replace(file.0.to_str().unwrap(), "FILE"))
    }
}

#[test]
fn each_key_does_what_its_option_does() {
    // It lives until the hook is killed.
    let place = Place::new(
        "echo token=secret; echo token=secret >&2; until [ -s $D/pid ]; do sleep 0.01; done; \
         while kill -0 $(cat $D/pid) 2>/dev/null; do sleep 0.01; done; exit 1",
    );
    fs::create_dir(place.path("certificates")).unwrap();
    // Two of these are there already: one is to stay.
    for day in ["20200101", "20200102"] {
        for ending in ["json", "txt"] {
            fs::write(place.path(&format!("certificates/web-{day}T000000.000000Z-1.{ending}")), "{}").unwrap();
        }
    }
    let top = "\
events: [$D/events, $D/same]
hook:
- sh -c 'echo $PANICMON_EVENT >>$D/hook; echo $$ >$D/pid; exec sleep 1000'
hookOn: [started]
hookTimeout: 3s
report: $D/certificates
reportKeep: 2
terminationLog: $D/termination
metrics: $D/metrics.prom
stderrTail: 64K
stdoutTail: 64K
redact: [secret]
reportArgs: true
";
    let (code, err) = place.run(top, &[], &[]);
    assert_eq!(code, Some(1), "{err}");
    let exited = place.events.one("process.exited");
    assert_eq!(parsed(&place.read("same")).len(), place.events.all().len());
    assert_eq!(place.read("hook"), "process.started\n");
    assert!(err.contains("FILE: 'hook': sh for process.started of web: it hadn't ended after 3s"), "{err}");
    let certificates = fs::read_dir(place.path("certificates")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut certificates: Vec<_> = certificates.map(|name| name.into_string().unwrap()).collect();
    certificates.sort();
    assert_eq!(certificates.len(), 4, "{certificates:?}");
    assert!(certificates[0].contains("20200102") && !certificates[2].contains("2020"), "{certificates:?}");
    assert!(place.read("termination").starts_with("web (pid "), "{}", place.read("termination"));
    assert!(place.read("metrics.prom").contains("panicmon_starts_total{name=\"web\"} 1\n"));
    let tails = ["stdout_tail", "stderr_tail"].map(|tail| exited[tail].as_str().unwrap_or_default().to_owned());
    assert!(tails.iter().all(|tail| tail.starts_with("token=") && !tail.contains("secret")), "{exited}");
    assert_eq!(exited["args"][0], "sh");
}

#[test]
fn the_command_line_and_variables_win() {
    let events = |place: &Place, name: &str| parsed(&place.read(name)).len();
    for (variables, options) in
        [(&[] as &[(&str, &str)], true), (&[("PANICMON_EVENTS", ""), ("PANICMON_HOOK", "")], false)]
    {
        let place = Place::new("exit 0");
        let (won, hook) = (place.path("won"), format!("sh -c 'cat >>{}'", place.path("hook")));
        let options = if options { vec!["--events", &won, "--hook", &hook, "--hook-on=started"] } else { Vec::new() };
        let values = [won.as_str(), &hook];
        let variables: Vec<_> = variables.iter().zip(values).map(|((name, _), value)| (*name, value)).collect();
        let top = "events: $D/lost\nhook: sh -c 'echo >>$D/lost'\nhookOn: [started]\nmetrics: $D/metrics.prom";
        let (code, err) = place.run(top, &variables, &options);
        assert_eq!((code, events(&place, "lost")), (Some(0), 0), "{err}");
        assert!(events(&place, "won") > 2);
        let kinds: Vec<Value> = parsed(&place.read("hook")).iter().map(|event| event["event"].clone()).collect();
        assert_eq!(kinds, ["process.started"]);
        // What only the file has counts all the same.
        assert!(!place.read("metrics.prom").is_empty());
    }
}

/// An option may need another one that only the file has.
#[test]
fn an_option_and_a_key_go_together() {
    let place = Place::new("exit 0");
    let (code, err) = place.run("hook: sh -c 'cat >>$D/hook'", &[], &["--hook-on", "started"]);
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(parsed(&place.read("hook"))[0]["event"], "process.started");
    let (code, err) = place.run("", &[], &["--hook-on", "started"]);
    assert_eq!((code, err.as_str()), (Some(125), "panicmon: --hook-on: it has no effect without --hook COMMAND\n"));
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_nothing_is_started() {
    for (top, told) in [
        ("hook: a\nhookOn: [started, exitted]", "FILE:2:19: 'hookOn': 'exitted' is no event: did you mean exited?"),
        ("hook: a 'b", "FILE:1:7: 'hook': a quote isn't closed"),
        ("report: /\nreportKeep: 0", "FILE:2:13: 'reportKeep': '0' is not a number from 1 on"),
        ("stderrTail: 0", "FILE:1:13: 'stderrTail': 0 keeps nothing"),
        ("redact: [a, (]", "FILE:1:13: 'redact': "),
        ("hook: a\nhookTimeout: 0s", "FILE:2:14: 'hookTimeout': without any time no hook would run"),
        ("hookOn: exited", "FILE: 'hookOn': it has no effect without --hook COMMAND"),
        ("reportKeep: 3", "FILE: 'reportKeep': it has no effect without --report DIR"),
        ("redact: a", "FILE: 'redact': it has no effect without --events, --hook, --report or --termination-log"),
        ("report: [a]", "FILE:1:9: a list is not for 'report'"),
    ] {
        let place = Place::new("echo started >$D/started");
        for options in [&[] as &[&str], &["--check"]] {
            let (code, err) = place.run(top, &[], options);
            assert_eq!(code, Some(125), "{top}: {err}");
            assert!(err.starts_with(&format!("panicmon: {told}")), "{top}: {err}");
            assert!(place.read("started").is_empty(), "{top}");
        }
    }
}

#[test]
fn a_sink_that_cant_be_opened_is_a_warning_with_its_key() {
    let place = Place::new("exit 0");
    let (code, err) = place.run("events: $D/none/events", &[], &[]);
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("FILE: 'events': ") && err.contains("it gets no events"), "{err}");
}
