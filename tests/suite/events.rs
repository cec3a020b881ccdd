//! `--events`: what happens, as JSON.

use crate::support::{PROBE, Running, Scratch, output, panicmon, script_with, wait_for, with_options, write_program};
use crate::sys;
use jsonschema::Validator;
use serde_json::{Value, json};
use std::fs;
use std::io::Read;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let schema: Value = serde_json::from_str(include_str!("../../docs/events.schema.json")).unwrap();
    jsonschema::validator_for(&schema).unwrap()
});

/// A folder of its own for a test, and the file of its events.
pub struct Events {
    pub folder: Scratch,
    pub file: PathBuf,
}

impl Events {
    pub fn new() -> Events {
        let folder = Scratch::folder();
        let file = folder.0.join("events");
        Events { folder, file }
    }

    /// The options that have events written there.
    pub fn options<'o>(&'o self, more: &[&'o str]) -> Vec<&'o str> {
        [&["--events", self.file.to_str().unwrap()], more].concat()
    }

    pub fn all(&self) -> Vec<Value> {
        parsed(&fs::read_to_string(&self.file).unwrap_or_default())
    }

    /// Those of this kind.
    pub fn of(&self, kind: &str) -> Vec<Value> {
        self.all().into_iter().filter(|event| event["event"] == kind).collect()
    }

    pub fn one(&self, kind: &str) -> Value {
        let mut found = self.of(kind);
        assert_eq!(found.len(), 1, "{kind}: {:?}", self.all());
        found.remove(0)
    }

    fn kinds(&self) -> Vec<String> {
        self.all().iter().map(|event| event["event"].as_str().unwrap().to_owned()).collect()
    }
}

/// Each line as what it has to be: an event by the schema.
pub fn parsed(text: &str) -> Vec<Value> {
    let event = |line: &str| {
        let event = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let wrong: Vec<_> = SCHEMA.iter_errors(&event).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{line}: {wrong:?}");
        event
    };
    text.lines().map(event).collect()
}

/// The probe that says which signals come, and its pid.
pub fn live(options: &[&str]) -> (Running, u32) {
    let mut running = Running::start(with_options(options, &["live"]));
    let ready = running.line().unwrap();
    let child = ready.strip_prefix("ready ").unwrap().parse().unwrap();
    (running, child)
}

#[test]
fn a_run_is_told_from_its_start_to_its_end() {
    let events = Events::new();
    let options = events.options(&["--name", "web", "--dir", "/usr"]);
    assert_eq!(output(&mut with_options(&options, &["exit", "3"])).0, Some(3));
    assert_eq!(events.kinds(), ["process.starting", "process.started", "process.exited"]);
    let all = events.all();
    for (event, number) in all.iter().zip(1..) {
        assert_eq!((&event["seq"], &event["run"], &event["name"]), (&json!(number), &json!(1), &json!("web")));
    }
    let [starting, started, exited] = &all[..] else { unreachable!() };
    assert_eq!((&starting["cwd"], &starting["executable"]), (&json!("/usr"), &json!(PROBE)));
    assert_eq!((&started["pid"], &started["pid"]), (&exited["pid"], &started["pgid"]));
    assert_eq!(started["user"]["uid"], json!(nix::unistd::getuid().as_raw()));
    assert_eq!((&exited["result"], &exited["code"]), (&json!("exit-code"), &json!(3)));
    assert!(!fs::read_to_string(&events.file).unwrap().contains("\"exit\""), "an argument may be a secret");
}

#[test]
fn a_start_that_fails_is_told_with_its_step() {
    let folder = Scratch::folder();
    let program = |name: &str, content: &str| {
        let path = folder.0.join(name);
        write_program(&path, content.as_bytes(), 0o755);
        path.into_os_string().into_string().unwrap()
    };
    let binary = &*program("binary", "\x7fELF, but no more");
    let without_interpreter = &*program("script", "#!/nowhere/interpreter\n");
    for (options, words, code, stage, errno) in [
        (&[] as &[&str], &["/nowhere/x"] as &[&str], 127, "resolve", Some("ENOENT")),
        (&[], &["nowhere-in-the-path"], 127, "resolve", Some("ENOENT")),
        (&[], &[without_interpreter], 126, "exec", Some("ENOENT")),
        (&[], &[binary], 126, "exec", Some("ENOEXEC")),
        (&[], &["/"], 126, "exec", Some("EACCES")),
        (&["--dir", "/nowhere"], &["true"], 125, "chdir", Some("ENOENT")),
    ] {
        let events = Events::new();
        let mut command = Command::new(panicmon());
        // Of another PATH not every user may search each directory.
        command.env("PATH", "/usr/bin:/bin");
        let (status, _, err) = output(command.args(events.options(options)).arg("--").args(words));
        assert_eq!(status, Some(code), "{err}");
        let failed = events.one("process.failed");
        assert_eq!(failed["stage"], json!(stage), "{failed}");
        assert_eq!(failed.get("errno").and_then(Value::as_str), errno, "{failed}");
        let name = failed["name"].as_str().unwrap();
        let summary = failed["summary"].as_str().unwrap();
        assert!(summary.starts_with(&format!("{name} couldn't be started: ")), "{failed}");
        assert!(failed["error"].as_str().unwrap().contains(summary.split_once(": ").unwrap().1), "{failed}");
    }
}

#[test]
fn a_signal_is_told_with_its_sender_and_what_became_of_it() {
    let events = Events::new();
    let options = events.options(&["--rewrite", "HUP=USR1,USR2=drop"]);
    let (mut running, child) = live(&options);
    running.kill(libc::SIGHUP);
    wait_for("the signal", || (!events.of("signal.passed").is_empty()).then_some(()));
    running.kill(libc::SIGUSR2);
    wait_for("the other", || (!events.of("signal.dropped").is_empty()).then_some(()));
    let (received, passed) = (&events.of("signal.received")[0], events.one("signal.passed"));
    for event in [received, &passed] {
        assert_eq!((&event["signal"], &event["code"]), (&json!("HUP"), &json!("user")));
        assert_eq!(event["sender"]["pid"], json!(std::process::id()));
        assert!(event["sender"]["command"].is_string(), "{event}");
    }
    assert_eq!((&passed["as"], &passed["target"]), (&json!("USR1"), &json!("child")));
    assert_eq!(events.one("signal.dropped")["signal"], json!("USR2"));
    sys::kill(child, libc::SIGKILL).unwrap();
    running.wait();
    assert_eq!(events.one("process.exited")["signal"], json!("KILL"));
}

#[test]
fn each_run_has_its_number() {
    let events = Events::new();
    let options =
        events.options(&["--restart", "on-failure", "--max-restarts", "2", "--min-wait", "1ms", "--max-wait", "1ms"]);
    assert_eq!(output(&mut with_options(&options, &["exit", "1"])).0, Some(1));
    let runs: Vec<_> = events.of("process.exited").iter().map(|event| event["run"].clone()).collect();
    assert_eq!(runs, [json!(1), json!(2), json!(3)]);
    assert_eq!(events.of("restart.scheduled")[0]["delay_ms"], json!(1));
}

#[test]
fn what_is_left_behind_is_told_while_it_is_ended() {
    let events = Events::new();
    let options = events.options(&["--drain", "30s"]);
    assert_eq!(output(&mut script_with(&options, "sleep 1000 & exit 0")).0, Some(0));
    let kinds = events.kinds();
    let place = |kind: &str| kinds.iter().position(|told| told == kind).unwrap_or_else(|| panic!("{kind}: {kinds:?}"));
    assert!(place("drain.started") < place("drain.signaled") && place("drain.signaled") < place("drain.ended"));
    assert_eq!(events.one("orphan.reaped")["status"], json!(143));
    assert_eq!(events.one("drain.ended")["remaining"], json!(0));
}

#[test]
fn the_processes_of_a_file_are_told_by_their_names() {
    let events = Events::new();
    let file = Scratch::new(&format!(
        "processes: [{{name: a, cmd: {PROBE}, args: [exit, 0], noRestartOn: [0]}}, {{name: b, cmd: {PROBE}, args: [exit, 0], noRestartOn: [0]}}]"
    ));
    let mut command = Command::new(panicmon());
    let (code, _, err) = output(command.args(events.options(&["--config", file.0.to_str().unwrap()])));
    assert_eq!(code, Some(0), "{err}");
    let mut names: Vec<_> = events.of("process.exited").iter().map(|event| event["name"].to_string()).collect();
    names.sort();
    assert_eq!(names, ["\"a\"", "\"b\""]);
}

/// A sink of each kind, and what it has got.
#[test]
fn events_go_to_every_kind_of_sink() {
    let events = Events::new();
    let socket_path = events.folder.0.join("socket");
    let socket = UnixDatagram::bind(&socket_path).unwrap();
    let unix = format!("unix:{}", socket_path.display());
    let fd_file = events.folder.0.join("fd");
    let mut command = Command::new("sh");
    let script = "exec \"$@\" 5>>\"$FILE\"";
    command.args(["-c", script, "sh", &panicmon(), "--events", "stderr", "--events", &unix, "--events", "fd:5"]);
    command.args(events.options(&[])).args(["--", "ls", "-l", "/proc/self/fd"]).env("FILE", &fd_file);
    let (code, out, err) = output(&mut command);
    assert_eq!(code, Some(0), "{err}");
    let from_stderr = parsed(&err);
    assert_eq!(from_stderr.len(), 3);
    assert_eq!(events.all(), from_stderr);
    assert_eq!(parsed(&fs::read_to_string(&fd_file).unwrap()), from_stderr);
    let mut datagram = [0; 4096];
    for event in &from_stderr {
        let length = socket.recv(&mut datagram).unwrap();
        assert_eq!(&parsed(std::str::from_utf8(&datagram[..length]).unwrap())[0], event);
    }
    assert!(!out.contains(fd_file.to_str().unwrap()), "the child has the sink: {out}");
}

/// A datagram has no room for it all: the end of the last words is there, and what has happened.
#[test]
fn a_socket_gets_an_end_with_many_last_words() {
    let events = Events::new();
    let path = events.folder.0.join("socket");
    let socket = UnixDatagram::bind(&path).unwrap();
    let unix = format!("unix:{}", path.display());
    let script = "head -c 900000 /dev/zero | tr '\\0' x >&2; echo last >&2; exit 3";
    let (code, _, _) = output(&mut script_with(&["--events", &unix, "--stderr-tail", "1M"], script));
    assert_eq!(code, Some(3));
    let mut datagram = vec![0; 1 << 20];
    let told: Vec<Value> = (0..3)
        .map(|_| socket.recv(&mut datagram).map(|length| serde_json::from_slice(&datagram[..length]).unwrap()).unwrap())
        .collect();
    let end = &told[2];
    assert_eq!(
        (&end["event"], &end["code"], &end["tail_truncated"]),
        (&json!("process.exited"), &json!(3), &json!(true))
    );
    let tail = end["stderr_tail"].as_str().unwrap();
    assert!(tail.len() > 50_000 && tail.ends_with("xlast\n"), "{}", tail.len());
}

/// A drain kills children before it looks at them: they are told by their names all the same.
#[test]
fn what_a_drain_kills_has_a_name() {
    let events = Events::new();
    let options = events.options(&["--drain", "200ms"]);
    let (code, _, err) = output(&mut script_with(&options, "trap '' TERM; sleep 1000 & exit 3"));
    assert_eq!(code, Some(3), "{err}");
    let killed = events.one("drain.killed");
    let of_both = [json!("sleep"), json!("sh")];
    assert!(of_both.contains(&killed["command"]) && killed["signal"] == json!("KILL"), "{killed}");
}

/// An empty command has no name, and neither does a directory's directory.
#[test]
fn a_sentence_has_a_subject() {
    for (command, name, begin) in
        [("", "", "the command couldn't be started: the command is empty"), ("..", "..", ".. couldn't be started: ")]
    {
        let events = Events::new();
        let mut panicmon = Command::new(panicmon());
        output(panicmon.args(events.options(&[])).args(["--", command]));
        let failed = events.one("process.failed");
        assert_eq!(failed["name"], json!(name));
        assert!(failed["summary"].as_str().unwrap().starts_with(begin), "{failed}");
    }
}

#[test]
fn with_a_relay_events_on_stderr_are_whole_lines_among_the_others() {
    let script = "i=0; while [ $i -lt 300 ]; do echo line $i >&2; i=$((i+1)); done";
    let (code, _, err) = output(&mut script_with(&["--events", "stderr", "--label", "web"], script));
    assert_eq!(code, Some(0));
    let (told, lines): (Vec<_>, Vec<_>) = err.lines().partition(|line| line.starts_with('{'));
    assert_eq!((parsed(&told.join("\n")).len(), lines.len()), (3, 300));
}

#[test]
fn a_sink_that_cant_be_opened_is_a_warning_and_the_command_runs() {
    for sink in ["fd:1000", "unix:/nowhere/socket", "/nowhere/events", "/"] {
        let (code, _, err) = output(&mut with_options(&["--events", sink], &["exit", "3"]));
        assert_eq!(code, Some(3), "{err}");
        assert!(err.contains(&format!("--events: {sink}: ")) && err.contains("it gets no events"), "{err}");
    }
    for sink in ["", "fd:x", "unix:"] {
        let (code, _, err) = output(&mut with_options(&["--events", sink], &["exit", "3"]));
        assert_eq!(code, Some(125), "{err}");
    }
}

/// More signals than any queue has room for, and nobody reads.
#[test]
fn what_nobody_reads_is_dropped_and_counted_and_holds_up_nothing() {
    let folder = Scratch::folder();
    let fifo = folder.0.join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let (mut running, child) = live(&["--events", fifo.to_str().unwrap()]);
    for _ in 0..2000 {
        running.kill(libc::SIGUSR1);
        assert!(running.line().unwrap().starts_with("came 10 "));
    }
    let mut reader = fs::File::open(&fifo).unwrap();
    // What fits into the pipe and the queue; then the count of the others; then what comes next.
    let mut text = String::new();
    sys::kill(child, libc::SIGKILL).unwrap();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(running.code(), 137);
    let told = parsed(&text);
    let dropped: u64 = told
        .iter()
        .filter(|event| event["event"] == "sink.dropped")
        .map(|event| event["count"].as_u64().unwrap())
        .sum();
    let last = told.last().unwrap()["seq"].as_u64().unwrap();
    let markers = told.iter().filter(|event| event["event"] == "sink.dropped").count() as u64;
    assert!(dropped > 500, "{dropped}");
    assert_eq!(told.len() as u64 - markers + dropped, last - markers);
}
