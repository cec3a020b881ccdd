//! Starting programs, and waiting for facts with a generous deadline.
#![allow(dead_code, reason = "shared by two test programs, which use different parts of it")]

use crate::sys;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Long enough for any machine; a test that meets it has failed. `PANICMON_TEST_DEADLINE` gives other seconds, to see
/// quickly what fails.
pub fn deadline() -> Duration {
    let seconds = std::env::var("PANICMON_TEST_DEADLINE").ok().and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(60))
}

/// For a script: waits until what it has just started by setsid(1) leads a session of its own, and is what it is to be.
pub const LEADS_SESSION: &str =
    "until s=$(cut -d' ' -f2,6 /proc/$!/stat); [ \"${s#* }\" = $! ] && [ \"${s% *}\" != '(setsid)' ]; do :; done";

/// The helper of the tests: a binary with the feature `probe`; without it, as in the published crate, an example.
pub const PROBE: &str = match option_env!("CARGO_BIN_EXE_panicmon-probe") {
    Some(path) if cfg!(feature = "probe") => path,
    _ if cfg!(debug_assertions) => concat!(env!("CARGO_TARGET_TMPDIR"), "/../debug/examples/panicmon-probe"),
    _ => concat!(env!("CARGO_TARGET_TMPDIR"), "/../release/examples/panicmon-probe"),
};

/// The program under test.
pub fn panicmon() -> String {
    std::env::var("PANICMON_TEST_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_panicmon").to_owned())
}

/// Waits until there is an answer.
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + deadline();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited in vain for: {what}");
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

/// Lets this time go by, to the microsecond: a stimulus at some moment, never a wait for something.
pub fn spend(time: Duration) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        std::hint::spin_loop();
    }
}

/// Numbers without a pattern, the same in every run.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// `prepare OPS -- [panicmon --] probe WORDS`.
pub fn prepared(ops: &[&str], wrapped: bool, words: &[&str]) -> Command {
    let mut command = Command::new(PROBE);
    command.arg("prepare").args(ops).arg("--");
    if wrapped {
        command.args([&panicmon(), "--"]);
    }
    command.arg(PROBE).args(words);
    command
}

/// `panicmon -- probe WORDS`.
pub fn wrapped(words: &[&str]) -> Command {
    prepared(&[], true, words)
}

/// A process with its stdout read by the test; killed when the test is done.
pub struct Running {
    pub child: Child,
    out: ChildStdout,
    buffer: Vec<u8>,
}

impl Running {
    pub fn start(mut command: Command) -> Running {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("the program starts");
        let out = child.stdout.take().expect("its stdout is a pipe");
        Running { child, out, buffer: Vec::new() }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn kill(&self, signal: i32) {
        sys::kill(self.pid(), signal).expect("the process is there, or a zombie");
    }

    /// Does this while it is stopped: then it sees all at once.
    pub fn while_stopped(&self, act: impl FnOnce(&Running)) {
        self.kill(libc::SIGSTOP);
        let is_stopped = || status_field(self.pid(), "State").is_some_and(|state| state.starts_with('T'));
        wait_for("it to be stopped", || is_stopped().then_some(()));
        act(self);
        self.kill(libc::SIGCONT);
    }

    /// From another process: the same stop twice at once from one sender is one.
    pub fn kill_by_another(&self, signal: i32) {
        let script = format!("kill -{signal} {}", self.pid());
        assert!(status(Command::new("sh").args(["-c", &script])).success());
    }

    /// The next line of its stdout; none at the end.
    pub fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return Some(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            if !self.read_more() {
                return None;
            }
        }
    }

    /// Waits until nobody holds its stdout any more.
    pub fn wait_for_eof(&mut self) {
        while self.read_more() {
            self.buffer.clear();
        }
    }

    fn read_more(&mut self) -> bool {
        read_more(&mut self.out, &mut self.buffer)
    }

    /// Its end.
    pub fn wait(&mut self) -> ExitStatus {
        wait_for("the end of the program", || self.child.try_wait().expect("it can be waited for"))
    }

    /// Its exit code; being killed is none.
    pub fn code(&mut self) -> i32 {
        let status = self.wait();
        status.code().unwrap_or_else(|| panic!("killed by signal {:?}", status.signal()))
    }

    /// The child of the wrapper, once it is the probe and has said `ready` by its name.
    pub fn ready_child(&self) -> u32 {
        let parent = self.pid();
        wait_for("a child that is ready", || children(parent).into_iter().find(|pid| name(*pid) == "ready"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads what comes next; false at the end.
fn read_more(stream: &mut (impl Read + AsFd), buffer: &mut Vec<u8>) -> bool {
    let mut fds = [PollFd::new(stream.as_fd(), PollFlags::POLLIN)];
    let timeout = PollTimeout::try_from(deadline()).expect("it fits");
    let ready = poll(&mut fds, timeout).expect("poll works");
    assert!(ready > 0, "waited in vain for output or its end");
    let mut chunk = [0; 65536];
    let read = stream.read(&mut chunk).expect("the stream can be read");
    buffer.extend_from_slice(&chunk[..read]);
    read > 0
}

/// All that a stream still has.
pub fn rest_of(mut stream: impl Read + AsFd) -> String {
    let mut bytes = Vec::new();
    while read_more(&mut stream, &mut bytes) {}
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The first line of a stream, which is read no further by anybody.
pub fn first_line_of(mut stream: impl Read + AsFd) -> String {
    let mut bytes = Vec::new();
    while !bytes.contains(&b'\n') {
        assert!(read_more(&mut stream, &mut bytes), "it ended before its first line did");
    }
    String::from_utf8_lossy(&bytes).lines().next().unwrap_or_default().to_owned()
}

/// The lines of a stream.
pub fn lines_of(stream: impl Read + Send + 'static) -> impl Iterator<Item = String> {
    let (sender, lines) = mpsc::channel();
    let read = BufReader::new(stream).lines();
    std::thread::spawn(move || read.map(Result::unwrap).try_for_each(|line| sender.send(line)));
    std::iter::from_fn(move || match lines.recv_timeout(deadline()) {
        Ok(line) => Some(line),
        Err(RecvTimeoutError::Disconnected) => None,
        Err(RecvTimeoutError::Timeout) => panic!("waited in vain for a line"),
    })
}

/// The children of a process, whichever of its threads started them.
pub fn children(pid: u32) -> Vec<u32> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let lists = tasks.flatten().map(|task| fs::read_to_string(task.path().join("children")).unwrap_or_default());
    lists.flat_map(|list| list.split_whitespace().filter_map(|word| word.parse().ok()).collect::<Vec<_>>()).collect()
}

/// The name of a process; empty if there is none.
pub fn name(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim_end().to_owned()
}

/// A line of /proc/PID/status.
pub fn status_field(pid: u32, field: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.split(':').next() == Some(field))?;
    line.split_once(':').map(|(_, value)| value.trim().to_owned())
}

/// A set of signals of /proc/PID/status.
pub fn status_signals(pid: u32, field: &str) -> u64 {
    status_field(pid, field).and_then(|value| u64::from_str_radix(&value, 16).ok()).unwrap_or(0)
}

/// Waits until a process that writes without end waits for a reader: it doesn't go on for a while.
pub fn wait_for_full_pipe(pid: u32) {
    let (mut before, mut same) = (None, 0);
    wait_for("the process to wait for its full pipe", || {
        let switches = status_field(pid, "voluntary_ctxt_switches");
        same = if before == switches { same + 1 } else { 0 };
        before = switches;
        (same > 50 && status_field(pid, "State")?.starts_with('S')).then_some(())
    });
}

/// It hasn't had 16 MiB of memory at any time, however much it relays.
pub fn assert_little_memory(pid: u32) {
    let most = status_field(pid, "VmHWM").unwrap();
    let kib: u64 = most.split_whitespace().next().unwrap().parse().unwrap();
    assert!(kib < 16 * 1024, "{most}");
}

/// The same command with its stderr in its stdout.
pub fn with_one_pipe(command: &Command) -> Command {
    by_shell("exec \"$@\" 2>&1", command)
}

/// The same, with its 3 open to that, too: whatever it starts holds that open as long as it lives.
pub fn with_one_pipe_held(command: &Command) -> Command {
    by_shell("exec \"$@\" 2>&1 3>&1", command)
}

/// The command as a script's arguments.
pub fn by_shell(script: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh"]).arg(command.get_program()).args(command.get_args());
    shell
}

/// A file or a folder that is removed again.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(text: &str) -> Scratch {
        let path = new_path(".yml");
        fs::write(&path, text).unwrap();
        Scratch(path)
    }

    pub fn folder() -> Scratch {
        let path = new_path("");
        fs::create_dir(&path).unwrap();
        Scratch(path)
    }
}

fn new_path(end: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("panicmon-test-{}-{number}{end}", std::process::id()))
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0).or_else(|_| fs::remove_dir_all(&self.0));
    }
}

/// Writes a new file that can be executed at once. This process never has it open for writing: a child that another thread
/// forks meanwhile would hold it open until it executes something itself, and execve(2) would fail with ETXTBSY.
pub fn write_program(path: &Path, content: &[u8], mode: u32) {
    let mut command = Command::new("sh");
    command.args(["-c", "rm -f \"$0\" && cat >\"$0\" && chmod \"$1\" \"$0\""]).arg(path).arg(format!("{mode:o}"));
    let mut writer = command.stdin(Stdio::piped()).spawn().expect("sh starts");
    writer.stdin.take().expect("it is a pipe").write_all(content).expect("cat reads it");
    assert!(outcome(writer).status.success(), "{} can't be written", path.display());
}

/// What a program that ends by itself said and how it ended.
pub fn output(command: &mut Command) -> (Option<i32>, String, String) {
    let output = bytes_of(command);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// How a program that ends by itself ended.
pub fn status(command: &mut Command) -> ExitStatus {
    outcome(command.spawn().expect("the program starts")).status
}

/// What it wrote, byte for byte.
pub fn bytes_of(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    outcome(command.spawn().expect("the program starts"))
}

/// Its end, and what it said of what is read of it.
pub fn outcome(child: Child) -> Output {
    let pid = child.id();
    let (sender, end) = mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let output = end.recv_timeout(deadline()).unwrap_or_else(|_| {
        let _ = sys::kill(pid, libc::SIGKILL);
        panic!("waited in vain for the end of the program")
    });
    output.expect("it can be waited for")
}

/// `panicmon OPTIONS -- probe WORDS`.
pub fn with_options(options: &[&str], words: &[&str]) -> Command {
    let mut command = Command::new(panicmon());
    command.args(options).args(["--", PROBE]).args(words);
    command
}

/// `panicmon OPTIONS -- sh -c SCRIPT`.
pub fn script_with(options: &[&str], script: &str) -> Command {
    let mut command = Command::new(panicmon());
    command.args(options).args(["--", "sh", "-c", script]);
    command
}
