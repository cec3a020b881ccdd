//! A person at a terminal: a real interactive bash on a pseudo-terminal, keys, and what the screen shows.

use crate::support::{PROBE, children, panicmon, wait_for};
use crate::sys;
use nix::fcntl::OFlag;
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;

pub const INTERRUPT: &str = "\x03";
pub const QUIT: &str = "\x1c";
pub const SUSPEND: &str = "\x1a";
pub const END_OF_FILE: &str = "\x04";

/// Plays the scene without panicmon, with it, and with two of it, and compares what was noted. `{}` in its commands is
/// where panicmon goes.
pub fn same(scene: impl Fn(&mut Screen) -> Vec<String>) -> Vec<String> {
    same_with(&["panicmon --", "panicmon -- panicmon --"], scene)
}

/// The same with these in front.
pub fn same_with(wrappers: &[&'static str], scene: impl Fn(&mut Screen) -> Vec<String>) -> Vec<String> {
    let bare = scene(&mut Screen::with_shell(""));
    let other = other_wrapper();
    for wrapper in other.as_ref().map_or(wrappers, std::slice::from_ref) {
        let wrapped = scene(&mut Screen::with_shell(wrapper));
        for (with, without) in wrapped.iter().zip(&bare) {
            assert_eq!(with, without, "with {wrapper}, and without it, of {wrapped:#?}");
        }
        assert_eq!(wrapped.len(), bare.len());
    }
    bare
}

/// A process of the terminal's session, as /proc tells.
#[derive(Clone, Debug)]
pub struct Process {
    pub pid: u32,
    pub group: u32,
    pub state: char,
    pub name: String,
}

/// A terminal with its session's leader; both are gone when it is dropped.
pub struct Screen {
    /// None: it has hung up.
    master: Option<PtyMaster>,
    pub leader: Child,
    /// What goes in front of the commands.
    wrapper: &'static str,
    /// What was shown since the last key.
    shown: Vec<u8>,
}

/// What may stand in front of a command.
const WRAPPERS: [&str; 4] = ["panicmon --", "panicmon -s TERM --", "probe host-once", "probe host-job-control"];

/// `PANICMON_TEST_WRAPPER` names another wrapper to play the scenes with: `tini -s --`, to see what peers do.
fn other_wrapper() -> Option<&'static str> {
    static OTHER: OnceLock<Option<String>> = OnceLock::new();
    OTHER.get_or_init(|| std::env::var("PANICMON_TEST_WRAPPER").ok()).as_deref()
}

/// The prompt is the last status in this frame.
const PROMPT: (&str, &str) = ("[st:", "]> ");

impl Screen {
    /// A bash that has shown its prompt.
    pub fn with_shell(wrapper: &'static str) -> Screen {
        let mut screen = Screen::start(wrapper, &["bash", "--norc", "--noprofile", "-i"]);
        screen.status();
        screen
    }

    /// A terminal whose session this command leads.
    pub fn start(wrapper: &'static str, words: &[&str]) -> Screen {
        let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        sys::resize(&master, 50, 240);
        let slave = ptsname_r(&master).unwrap();
        let open = || File::options().read(true).write(true).custom_flags(libc::O_NOCTTY).open(&slave).unwrap();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).stdin(open()).stdout(open()).stderr(Stdio::from(open()));
        command.env_clear().envs([
            ("PATH", format!("{}:/usr/bin:/bin", tools().display()).as_str()),
            ("PS1", &format!("{}$?{}", PROMPT.0, PROMPT.1)),
            ("TERM", "dumb"),
            ("LC_ALL", "C"),
            ("HISTFILE", ""),
            ("HOME", "/"),
        ]);
        sys::lead_session(&mut command, true);
        let leader = command.spawn().expect("bash starts");
        Screen { master: Some(master), leader, wrapper, shown: Vec::new() }
    }

    /// The command with or without panicmon in the places of `{}`.
    pub fn command(&self, line: &str) -> String {
        let placeholder = if self.wrapper.is_empty() { "{} " } else { "{}" };
        line.replace(placeholder, self.wrapper)
    }

    fn master(&self) -> &PtyMaster {
        self.master.as_ref().expect("the terminal hasn't hung up")
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        self.shown.clear();
        let mut master = self.master();
        master.write_all(keys.as_bytes()).unwrap();
    }

    /// Types a line, which has been echoed when this returns.
    pub fn line(&mut self, line: &str) {
        let line = self.command(line);
        self.press(&line);
        self.until("the echo of the line", |shown| shown.contains(&line).then_some(()));
        self.press("\r");
    }

    /// Types a line at the prompt and waits for the next prompt: what was shown, and the status.
    pub fn run(&mut self, line: &str) -> (String, i32) {
        self.line(line);
        self.prompt()
    }

    /// The same where the terminal may not echo.
    pub fn run_blindly(&mut self, line: &str) -> (String, i32) {
        self.press(&format!("{}\r", self.command(line)));
        self.prompt()
    }

    /// Waits for the prompt: what was shown before it, and the status in it.
    pub fn prompt(&mut self) -> (String, i32) {
        let found = self.until("the prompt", |shown| {
            let (before, rest) = shown.rsplit_once(PROMPT.0)?;
            let status = rest.strip_suffix(PROMPT.1)?.parse().ok()?;
            Some((before.to_owned(), status))
        });
        (self.plain(&found.0), found.1)
    }

    /// Waits for the prompt: the status in it.
    pub fn status(&mut self) -> i32 {
        self.prompt().1
    }

    /// Waits until this is shown.
    pub fn see(&mut self, text: &str) {
        self.until(text, |shown| shown.contains(text).then_some(()));
    }

    /// Waits until what was shown since the last key says so.
    pub fn until<T>(&mut self, what: &str, found: impl Fn(&str) -> Option<T>) -> T {
        let mut last = String::new();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_for(what, || {
                self.read();
                last = String::from_utf8_lossy(&self.shown).into_owned();
                found(&last)
            })
        }));
        result.unwrap_or_else(|_| {
            let end: String = last.chars().rev().take(1000).collect::<Vec<_>>().into_iter().rev().collect();
            panic!(
                "{:?}: waited in vain for {what:?}; shown: {end:?}; foreground {}; {:?}",
                self.wrapper,
                self.foreground(),
                self.processes()
            )
        })
    }

    /// Takes in what has come to the screen.
    fn read(&mut self) {
        let Some(mut master) = self.master.as_ref() else { return };
        let mut chunk = [0; 4096];
        // An error: there is nothing now, or nobody has the terminal open.
        while let Ok(read @ 1..) = master.read(&mut chunk) {
            self.shown.extend_from_slice(&chunk[..read]);
        }
    }

    /// Lines as they would be without panicmon, without pids.
    fn plain(&self, shown: &str) -> String {
        let text = WRAPPERS
            .iter()
            .chain(&other_wrapper())
            .fold(shown.to_owned(), |shown, wrapper| shown.replace(&format!("{wrapper} "), ""));
        let text = text.replace('\r', "");
        // Only the shell's own lines about jobs have any; it aligns them.
        let without_pids = |line: &str| {
            let words: Vec<_> = line
                .split_whitespace()
                .map(|word| if word.parse::<u32>().is_ok() && line.starts_with('[') { "PID" } else { word })
                .collect();
            words.join(" ")
        };
        text.lines().map(without_pids).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    }

    /// The foreground process group.
    pub fn foreground(&self) -> u32 {
        sys::foreground(self.master())
    }

    pub fn shell(&self) -> u32 {
        self.leader.id()
    }

    /// Waits until the shell has the terminal.
    pub fn shell_has_terminal(&self) {
        wait_for("the shell to have the terminal", || (self.foreground() == self.shell()).then_some(()));
    }

    /// Waits until another group has the terminal.
    pub fn shell_lost_terminal(&self) {
        wait_for("a job to have the terminal", || (self.foreground() != self.shell()).then_some(()));
    }

    /// Waits until all processes of the session wait for something.
    pub fn all_asleep(&self) {
        wait_for("all to be asleep", || self.processes().iter().all(|p| matches!(p.state, 'S' | 'T')).then_some(()));
    }

    /// Waits until the shell knows that all of its job in the background has stopped. Before that, `fg` takes it for
    /// running and doesn't continue it.
    pub fn shell_sees_job_stopped(&mut self) {
        let mut shown = String::new();
        let seen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_for("the shell to see its job stopped", || {
                shown = self.run("jobs").0;
                shown.contains("Stopped").then_some(())
            });
        }));
        assert!(seen.is_ok(), "{:?}: jobs shows {shown:?}; {:?}", self.wrapper, self.processes());
    }

    /// Waits until it has been continued.
    pub fn job_is_running(&self) {
        let job = self.job();
        wait_for("the job to run", || self.processes().iter().find(|p| p.pid == job && p.state != 'T').map(drop));
    }

    /// Waits until the shell is the only process left of its session.
    pub fn alone(&self) {
        wait_for("the others to be gone", || (self.processes().len() == 1).then_some(()));
    }

    pub fn resize(&self, rows: u16, columns: u16) {
        sys::resize(self.master(), rows, columns);
    }

    /// All processes of the session.
    pub fn processes(&self) -> Vec<Process> {
        processes_of(self.shell())
    }

    /// Waits for a process of this name in the session.
    pub fn process(&self, name: &str) -> Process {
        self.process_in(name, |_| true)
    }

    /// Waits for a process of this name in this state.
    pub fn process_in_state(&self, name: &str, state: char) -> Process {
        self.process_in(name, |process| process.state == state)
    }

    /// Waits until there is this number of processes of this name in this state.
    pub fn processes_in_state(&self, name: &str, count: usize, state: char) {
        wait_for(name, || {
            let processes = self.processes();
            let these = processes.iter().filter(|process| process.name == name && process.state == state);
            (these.count() == count).then_some(())
        });
    }

    fn process_in(&self, name: &str, is_it: impl Fn(&Process) -> bool) -> Process {
        let mut last = Vec::new();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_for(name, || {
                last = self.processes();
                last.iter().find(|process| process.name == name && is_it(process)).cloned()
            })
        }));
        result.unwrap_or_else(|_| panic!("{:?}: waited in vain for {name}; {last:?}", self.wrapper))
    }

    /// The process the shell started, whose number it knows: panicmon, or the command itself.
    pub fn job(&self) -> u32 {
        let shell = self.shell();
        wait_for("a child of the shell", || children(shell).first().copied())
    }

    /// Waits for the end of the session's leader.
    pub fn end(&mut self) -> ExitStatus {
        wait_for("the end of the leader", || {
            self.read();
            self.leader.try_wait().unwrap()
        })
    }

    /// Waits until no process of the session is left.
    pub fn nothing_left(&self) {
        let mut last = Vec::new();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_for("the session to be empty", || {
                last = self.processes();
                last.retain(|process| process.state != 'Z');
                last.is_empty().then_some(())
            });
        }));
        result.unwrap_or_else(|_| panic!("{:?}: left are {last:?}", self.wrapper));
    }

    /// The terminal hangs up.
    pub fn hang_up(&mut self) {
        self.master = None;
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        for process in self.processes() {
            let _ = sys::kill(process.pid, libc::SIGKILL);
        }
        let _ = self.leader.kill();
        let _ = self.leader.wait();
    }
}

/// All processes of a session.
pub fn processes_of(session: u32) -> Vec<Process> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| process(entry.file_name().to_str()?.parse().ok()?, session)).collect()
}

/// A process, if it is of this session.
fn process(pid: u32, session: u32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (before, after) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u32>().ok();
    (number(3)? == session).then_some(Process {
        pid,
        group: number(2)?,
        state: fields[0].chars().next()?,
        name: before.split_once('(')?.1.to_owned(),
    })
}

/// A directory with the programs by their plain names.
fn tools() -> &'static Path {
    static TOOLS: OnceLock<std::path::PathBuf> = OnceLock::new();
    TOOLS.get_or_init(|| {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("tools-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        for (name, file) in [("panicmon", panicmon()), ("probe", PROBE.to_owned())] {
            let _ = fs::remove_file(dir.join(name));
            symlink(fs::canonicalize(file).unwrap(), dir.join(name)).unwrap();
        }
        dir
    })
}
