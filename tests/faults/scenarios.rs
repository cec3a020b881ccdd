//! What panicmon does while a call fails.

use crate::lives::Life;
use crate::support::{PROBE, Scratch, panicmon};

/// What the test does when the command has said that it is ready.
#[derive(Clone, Copy, Debug)]
pub enum Stimulus {
    /// Sends panicmon a signal.
    Kill(i32),
    /// Queues a signal with a value.
    Queue(i32, usize),
    /// Types this.
    Type(u8),
}

pub struct Scenario {
    pub name: &'static str,
    /// panicmon's, and its command.
    pub words: Vec<String>,
    pub stimuli: Vec<Stimulus>,
    /// The status, if nothing fails.
    pub status: i32,
    /// What the command and panicmon say on stdout, if nothing fails, in any order; with `#` for each number of a process.
    pub out: &'static [&'static str],
    /// On a terminal of its own.
    pub terminal: bool,
    /// As the first process of a PID namespace.
    pub first: bool,
    /// What is to come through NOTIFY_SOCKET.
    pub notified: Option<&'static str>,
    /// The file that the words name, kept as long as this.
    _file: Option<Scratch>,
}

impl Scenario {
    pub fn is_right(&self, life: &Life) -> bool {
        life.status.and_then(|status| status.code()) == Some(self.status)
    }
}

fn scenario(name: &'static str, options: &[&str], command: &[&str], status: i32) -> Scenario {
    let words = options.iter().chain(&["--", PROBE]).chain(command).map(|word| (*word).to_owned());
    Scenario {
        name,
        words: std::iter::once(panicmon()).chain(words).collect(),
        stimuli: Vec::new(),
        status,
        out: &[],
        terminal: false,
        first: false,
        notified: None,
        _file: None,
    }
}

/// All that this user may play.
pub fn all() -> Vec<Scenario> {
    let once = &["--restart", "on-failure", "--max-restarts", "1", "--min-wait", "1ms"];
    let mut all = vec![
        Scenario { out: &["out"], ..scenario("plain", &[], &["speak", "3"], 3) },
        Scenario { out: &["out"], ..scenario("verbose", &["-vvv"], &["speak", "3"], 3) },
        Scenario { out: &["out"], ..scenario("session", &["--session"], &["speak", "3"], 3) },
        Scenario {
            stimuli: vec![
                Stimulus::Queue(40, 7),
                Stimulus::Queue(40, 8),
                Stimulus::Kill(libc::SIGTERM),
                Stimulus::Queue(63, 3),
            ],
            out: &["ready #", "came 40 7 #", "came 40 8 #", "came 15 0 #", "came 63 3 #"],
            ..scenario("signals", &[], &["live"], 3)
        },
        Scenario {
            stimuli: vec![Stimulus::Kill(libc::SIGTERM)],
            out: &["helper #", "ready #", "came 15 0 #"],
            ..scenario("kill-after", &["--kill-after", "30ms"], &["live", "stubborn"], 137)
        },
        Scenario {
            stimuli: vec![Stimulus::Type(3)],
            terminal: true,
            ..scenario("terminal", &[], &["await", "2", "4"], 4)
        },
        Scenario { out: &["out", "out"], ..scenario("restart", once, &["speak", "3"], 3) },
        Scenario { out: &["a › out"], ..scenario("label", &["--label", "a"], &["speak", "3"], 3) },
        Scenario { out: &["out"], ..scenario("drain", &["--drain", "50ms"], &["leave", "3"], 3) },
        Scenario { notified: Some("READY=1"), ..scenario("notify", &[], &["notify", "READY=1"], 0) },
        config(),
    ];
    if nix::unistd::geteuid().is_root() {
        all.push(Scenario { out: &["out"], ..scenario("user", &["--user", "nobody"], &["speak", "3"], 3) });
        all.push(Scenario { first: true, ..scenario("first", &[], &["burst", "3", "3"], 3) });
    }
    all
}

fn config() -> Scenario {
    let process = |name: &str, code: i32| {
        format!("- {{name: {name}, cmd: '{PROBE}', args: [speak, '{code}'], noRestartOn: [{code}], minWait: 10ms}}\n")
    };
    let file = Scratch::new(&format!("processes:\n{}{}", process("a", 0), process("b", 3)));
    let words = vec![panicmon(), "--config".to_owned(), file.0.display().to_string()];
    let status = 3;
    Scenario {
        words, out: &["a    › out", "b    › out"], _file: Some(file), ..scenario("config", &[], &[], status)
    }
}
