//! What panicmon does while a call fails.

use crate::listener::Place;
use crate::lives::Life;
use crate::support::{PROBE, Scratch, panicmon};
use Stimulus::{Kill, Queue, Type};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What the test does.
#[derive(Clone, Copy, Debug)]
pub enum Stimulus {
    /// Sends panicmon a signal.
    Kill(i32),
    /// Queues a signal with a value.
    Queue(i32, usize),
    /// Types this key.
    Type(u8),
}

const INTERRUPT: u8 = 3;
const SUSPEND: u8 = 26;

#[derive(Default)]
pub struct Scenario {
    pub name: String,
    /// panicmon's, and its command.
    pub words: Vec<String>,
    /// Each as soon as stdout has had this, as often as that.
    pub stimuli: Vec<(&'static str, usize, Stimulus)>,
    /// The status, if nothing fails.
    pub status: i32,
    /// What stdout and stderr have in the end besides panicmon's own messages, if nothing fails, in any order; with `#` for
    /// the number of a process.
    pub out: &'static [&'static str],
    pub err: &'static [&'static str],
    /// On a terminal of its own, there.
    pub terminal: Option<Place>,
    /// As the first process of a PID namespace.
    pub first: bool,
    /// What is to come through NOTIFY_SOCKET.
    pub notified: &'static [&'static str],
    /// The command's streams are passed on as if nobody stood between: a reader that is gone is gone for the command, without
    /// a word.
    pub is_tee: bool,
    /// The file that the words name, kept as long as this.
    _file: Option<Scratch>,
}

impl Scenario {
    pub fn is_right(&self, life: &Life) -> bool {
        life.status.and_then(|status| status.code()) == Some(self.status)
    }

    pub fn place(&self) -> Place {
        if self.first { Place::First } else { self.terminal.unwrap_or(Place::Leader) }
    }
}

/// All that this user may play, without and with all messages.
pub fn all() -> Vec<Scenario> {
    let mut all = Vec::new();
    for verbose in [&[][..], &["-vvv"]] {
        all.extend(commands(verbose));
        all.extend(lives(verbose));
        all.extend(reports(verbose));
        if nix::unistd::geteuid().is_root() {
            all.extend(of_root(verbose));
        }
        all.extend(files(verbose));
    }
    all
}

/// `panicmon OPTIONS -- probe COMMAND`, which ends with this status.
fn scenario(verbose: &[&str], name: &str, options: &[&str], command: &[&str], status: i32) -> Scenario {
    let words = verbose.iter().chain(options).chain(&["--", PROBE]).chain(command).map(|word| (*word).to_owned());
    Scenario {
        name: verbose.iter().fold(name.to_owned(), |name, word| name + " " + word),
        words: std::iter::once(panicmon()).chain(words).collect(),
        status,
        ..Scenario::default()
    }
}

/// Commands that end by themselves.
fn commands(verbose: &[&str]) -> Vec<Scenario> {
    let once = ["--restart", "on-failure", "--max-restarts", "1", "--min-wait", "1ms"];
    let speaking = |name, options: &[&str]| Scenario {
        out: &["out"],
        err: &["err"],
        ..scenario(verbose, name, options, &["speak", "3"], 3)
    };
    let leaving = |name, options: &[&str]| Scenario {
        out: &["out"],
        err: &["err"],
        ..scenario(verbose, name, options, &["leave", "3"], 3)
    };
    let twice = |scenario| Scenario { out: &["out", "out"], err: &["err", "err"], ..scenario };
    vec![
        speaking("plain", &[]),
        speaking("session", &["--session"]),
        speaking("parent-death-signal", &["--parent-death-signal", "USR1"]),
        speaking("environment", &["--dir", "/tmp", "--env", "A=B", "--unset-env", "C"]),
        twice(speaking("restart", &once)),
        twice(leaving("restart with something left", &[&once[..], &["--drain", "50ms"]].concat())),
        Scenario { out: &["a › out"], err: &["a » err"], ..speaking("label", &["--label", "a"]) },
        leaving("drain", &["--drain", "50ms"]),
        scenario(verbose, "orphans", &[], &["burst", "3", "3"], 3),
        Scenario { notified: &["READY=1"], ..scenario(verbose, "notify", &[], &["notify", "READY=1"], 0) },
        Scenario {
            out: &["waiting", "passed"],
            notified: &["FDSTORE=1\nFDNAME=word", "BARRIER=1"],
            ..scenario(verbose, "notify with a barrier", &[], &["notify-barrier"], 0)
        },
    ]
}

/// Stands for a folder that each run has of its own.
pub const FOLDER: &str = "FOLDER";

/// What is told of a command, in each way there is.
fn reports(verbose: &[&str]) -> Vec<Scenario> {
    let speaking = |name, options: &[&str]| Scenario {
        out: &["out"],
        err: &["err"],
        ..scenario(verbose, name, options, &["speak", "3"], 3)
    };
    vec![
        speaking("events", &["--events", "FOLDER/events"]),
        speaking("hook", &["--hook", "/bin/true", "--hook-on", "exited"]),
        speaking("certificate", &["--report", FOLDER, "--report-keep", "1"]),
        speaking("termination log", &["--termination-log", "FOLDER/log"]),
        speaking("metrics", &["--metrics", "FOLDER/x.prom"]),
        Scenario {
            is_tee: true,
            ..speaking("tails", &["--stderr-tail", "4K", "--stdout-tail", "4K", "--events", "FOLDER/events"])
        },
    ]
}

/// Commands that are sent signals.
fn lives(verbose: &[&str]) -> Vec<Scenario> {
    let live = |name, options: &[&str], rules: &[&str], status| {
        scenario(verbose, name, options, &[&["live"], rules].concat(), status)
    };
    let term = ("ready", 1, Kill(libc::SIGTERM));
    vec![
        Scenario {
            stimuli: vec![("ready", 1, Queue(40, 7)), ("ready", 1, Queue(40, 8)), term, ("ready", 1, Queue(63, 3))],
            out: &["ready #", "came 40 7 #", "came 40 8 #", "came 15 0 #", "came 63 3 #"],
            ..live("signals", &[], &[], 3)
        },
        Scenario {
            stimuli: vec![term],
            out: &["ready #", "came 10 0 #"],
            ..live("rewrite", &["--rewrite", "TERM=USR1", "--delay", "TERM=10ms", "--group"], &["10=exit:5"], 5)
        },
        Scenario {
            stimuli: vec![term],
            out: &["helper #", "ready #", "came 15 0 #"],
            ..live("kill-after", &["--kill-after", "30ms"], &["stubborn"], 137)
        },
        Scenario {
            stimuli: vec![("ready", 1, Queue(63, 3))],
            out: &["helper #", "ready #", "came 63 3 #"],
            ..live("drain by KILL", &["--drain", "30ms"], &["stubborn"], 3)
        },
        Scenario {
            stimuli: vec![("ready", 1, Queue(63, 3))],
            out: &["helper #", "ready #", "came 63 3 #"],
            ..live("drain of a session", &["--drain", "30ms"], &["away"], 3)
        },
        Scenario {
            stimuli: vec![("ready", 1, Type(INTERRUPT))],
            terminal: Some(Place::Leader),
            ..live("terminal", &[], &["2=exit:4"], 4)
        },
        Scenario {
            stimuli: vec![("ready", 1, Type(SUSPEND)), ("came 18", 1, Type(INTERRUPT))],
            terminal: Some(Place::Job),
            ..live("job", &[], &["2=exit:4", "20=stop"], 4)
        },
        Scenario {
            stimuli: vec![("ready", 1, Type(INTERRUPT))],
            terminal: Some(Place::Job),
            ..live("label on a terminal", &["--label", "a"], &["2=exit:4"], 4)
        },
    ]
}

fn of_root(verbose: &[&str]) -> Vec<Scenario> {
    let speaking = |name, user| Scenario {
        out: &["out"],
        err: &["err"],
        ..scenario(verbose, name, &["--user", user], &["speak", "3"], 3)
    };
    // In root's own folder nobody else may execute the probe.
    let [name, number] = if is_for_others(Path::new(PROBE)) { ["nobody", "65534:65534"] } else { ["root", "0:0"] };
    vec![
        speaking("user", name),
        speaking("user by number", number),
        Scenario { first: true, ..scenario(verbose, "first", &[], &["burst", "3", "3"], 3) },
        Scenario {
            first: true,
            out: &["out"],
            err: &["err"],
            ..scenario(verbose, "first with something left", &["--drain", "50ms"], &["leave", "3"], 3)
        },
    ]
}

/// Whether every user may reach this file and execute it.
fn is_for_others(file: &Path) -> bool {
    let file = file.canonicalize().unwrap();
    file.ancestors().all(|part| part.metadata().unwrap().permissions().mode() & 1 != 0)
}

/// With this many processes there are more pipes than one poll(2) is asked about, and a child doesn't copy them.
const MANY: u32 = 33;

/// Files in pmux's format.
fn files(verbose: &[&str]) -> Vec<Scenario> {
    let scenario = |name, processes: String, status| {
        let file = Scratch::new(&format!("processes:\n{processes}"));
        let words = ["--config", &file.0.display().to_string()].map(str::to_owned);
        let scenario = scenario(verbose, name, &[], &[], status);
        let before = scenario.words[..=verbose.len()].iter().cloned();
        Scenario { words: before.chain(words).collect(), _file: Some(file), ..scenario }
    };
    let speaking = |name: &str, code: i32| {
        format!("- {{name: {name}, cmd: '{PROBE}', args: [speak, '{code}'], noRestartOn: [{code}, -1]}}\n")
    };
    let many = || 10..10 + MANY;
    let all_say =
        |said: &str| -> Vec<&'static str> { many().map(|number| &*format!("p{number}  › {said}").leak()).collect() };
    let living = |name: &str| format!("- {{name: {name}, cmd: '{PROBE}', args: [live, '2=exit:0']}}\n");
    vec![
        Scenario {
            out: &["a    › out", "b    › out"],
            err: &["a    » err", "b    » err"],
            ..scenario("config", speaking("a", 0) + &speaking("b", 3), 3)
        },
        Scenario {
            stimuli: vec![("ready", 2, Kill(libc::SIGTERM))],
            out: &["a    › ready #", "b    › ready #", "a    › came 2 0 #", "b    › came 2 0 #"],
            ..scenario("config with a stop", living("a") + &living("b"), 0)
        },
        Scenario {
            stimuli: vec![("ready", MANY as usize, Kill(libc::SIGTERM))],
            out: [all_say("ready #"), all_say("came 2 0 #")].concat().leak(),
            ..scenario("config with many", many().map(|number| living(&format!("p{number}"))).collect(), 0)
        },
    ]
}
