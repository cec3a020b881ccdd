//! One life of panicmon in a scenario, in which one call fails, or none.

use crate::listener::{Call, Launch, Started, launch, name_of, string_at};
use crate::scenarios::{FOLDER, Scenario, Stimulus};
use crate::support::{PROBE, Scratch, panicmon};
use crate::sys;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CString;
use std::fmt;
use std::fs::{self, File};
use std::io::{Read, Write, pipe};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// All is over by then,
const DEADLINE: Duration = Duration::from_secs(5);

/// or, where something fails again and again, by then: what couldn't be killed is given up after five seconds, and there may
/// be two such waits;
const LASTING_DEADLINE: Duration = Duration::from_secs(12);

/// and this long after a stop.
const STOP_DEADLINE: Duration = Duration::from_secs(3);

/// So much more for each process of the machine: some twenty times a life looks for processes, by a few calls each, and each
/// of them waits for an answer.
const FOR_EACH_PROCESS: Duration = Duration::from_millis(5);

/// What hasn't ended by then never does.
const PATIENCE_OF_TEST: Duration = Duration::from_secs(25);

/// After this time the last stimulus comes once more, if panicmon has said why the first may have had no effect.
const ONCE_MORE: Duration = Duration::from_millis(700);

/// After this time the user loses patience with what goes on trying for ever, and has said so.
const PATIENCE: Duration = Duration::from_millis(1500);

/// The call that fails.
#[derive(Clone, Debug)]
pub struct Fault {
    pub kind: String,
    /// From 1.
    pub nth: u32,
    pub errno: i32,
    /// All later calls of the kind fail as well.
    pub lasting: bool,
}

impl Fault {
    /// Whether a message of panicmon's own may be what isn't written.
    pub fn is_mute(&self) -> bool {
        self.kind.contains("stderr") || self.kind.contains("write tty")
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let later = if self.lasting { " and later" } else { "" };
        write!(f, "{} {}{later} {:?}", self.kind, self.nth, Errno::from_raw(self.errno))
    }
}

/// What is said of the processes of a file when nothing is wrong.
const USUAL: &[&str] = &[
    "starting process",
    "sending ",
    "stopped process handler",
    "terminated signal received",
    "exit code 0",
    "exit code 3",
];

/// What was seen.
#[derive(Debug, Default)]
pub struct Life {
    /// How panicmon ended, if it did.
    pub status: Option<ExitStatus>,
    pub out: String,
    pub err: String,
    /// What came through NOTIFY_SOCKET.
    pub notified: Vec<String>,
    /// Whether somebody whom panicmon started was still there at the end.
    pub left: bool,
    /// Whether panicmon was sent a stop, because something failed again and again.
    pub stopped: bool,
    /// Whether a stimulus came twice, because the first may have had no effect.
    pub repeated: bool,
    /// How long it has lived, and how long after such a stop.
    pub took: Duration,
    pub took_to_stop: Duration,
    /// What it was given beyond the deadlines.
    more: Duration,
    /// Whether the call that was to fail was made.
    pub met: bool,
    /// How often a call of each kind was made.
    pub counts: BTreeMap<String, u32>,
    /// Calls that no table has.
    pub unknown: BTreeSet<String>,
}

impl Life {
    /// Whether panicmon has said that something is wrong.
    pub fn has_told(&self) -> bool {
        let mut lines = self.out.lines().chain(self.err.lines());
        lines.any(|line| match (line.split_once("panicmon: "), line.split_once(" ~ ")) {
            (Some((_, message)), _) => !["info: ", "debug: ", "trace: "].iter().any(|level| message.starts_with(level)),
            (None, Some((_, message))) => !USUAL.iter().any(|usual| message.starts_with(usual)),
            (None, None) => false,
        })
    }

    /// Whether it took too long.
    pub fn is_late(&self, fault: Option<&Fault>) -> bool {
        let deadline = if fault.is_some_and(|fault| fault.lasting) { LASTING_DEADLINE } else { DEADLINE };
        self.took > deadline + self.more || self.took_to_stop > STOP_DEADLINE + self.more
    }

    /// Whether panicmon has said that somebody outlives it.
    pub fn has_given_up(&self) -> bool {
        self.err.contains("lives on") || self.err.contains("can't be killed")
    }
}

/// Whose code a process runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// The C library's start is still running in the first process.
    Starting,
    Panicmons,
    /// It has been allowed to execute something.
    Executing,
    AnothersOwn,
}

struct Playing<'s> {
    scenario: &'s Scenario,
    fault: Option<&'s Fault>,
    started: Started,
    /// What is read: stdout, or the terminal; stderr; the pipe that every command holds.
    streams: [Option<File>; 3],
    /// As /proc names stdout and stderr.
    pipes: [PathBuf; 2],
    hold: PathBuf,
    master: Option<PtyMaster>,
    socket: Option<UnixDatagram>,
    _folder: Scratch,
    /// panicmon, from its first call on.
    main: Option<u32>,
    processes: BTreeMap<u32, Whose>,
    /// How many of the stimuli were given, the last of them at that time.
    given: usize,
    last: Instant,
    begun: Instant,
    stopped: Option<Instant>,
    life: Life,
}

static BINARY: LazyLock<PathBuf> = LazyLock::new(|| fs::canonicalize(panicmon()).expect("the program is there"));

/// Plays the scenario.
pub fn play(scenario: &Scenario, fault: Option<&Fault>) -> Life {
    let mut playing = Playing::start(scenario, fault);
    while !playing.is_over() && playing.begun.elapsed() < playing.patience() {
        playing.turn();
    }
    playing.life.took = playing.begun.elapsed();
    playing.life.took_to_stop = playing.stopped.map_or(Duration::ZERO, |at| at.elapsed());
    playing.finish()
}

fn link(fd: &impl AsRawFd) -> PathBuf {
    fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd())).expect("it is open")
}

fn c_strings(words: impl IntoIterator<Item = String>) -> Vec<CString> {
    words.into_iter().map(|word| CString::new(word).expect("no NUL")).collect()
}

fn new_terminal() -> (PtyMaster, String) {
    let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).expect("a terminal");
    grantpt(&master).expect("a terminal");
    unlockpt(&master).expect("a terminal");
    let name = ptsname_r(&master).expect("a terminal");
    (master, name)
}

impl<'s> Playing<'s> {
    fn start(scenario: &'s Scenario, fault: Option<&'s Fault>) -> Playing<'s> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let null = File::open("/dev/null").expect("it is there");
        let [(out, out_end), (err, err_end), (hold, hold_end)] = [(); 3].map(|()| pipe().expect("a pipe"));
        let mut env = vec!["PATH=/usr/bin:/bin".to_owned()];
        let socket = (!scenario.notified.is_empty()).then(|| {
            let name = format!("panicmon-faults-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
            env.push(format!("NOTIFY_SOCKET=@{name}"));
            let address = SocketAddr::from_abstract_name(name).expect("a name");
            let socket = UnixDatagram::bind_addr(&address).expect("a new name");
            socket.set_nonblocking(true).expect("it can be");
            socket
        });
        let terminal = scenario.terminal.map(|_| new_terminal());
        let folder = Scratch::folder();
        let started = launch(&Launch {
            words: c_strings(scenario.words.iter().map(|word| word.replace(FOLDER, &folder.0.display().to_string()))),
            env: c_strings(env),
            fds: [null.as_raw_fd(), out_end.as_raw_fd(), err_end.as_raw_fd(), hold_end.as_raw_fd()],
            terminal: terminal.as_ref().map(|(_, name)| CString::new(name.as_str()).expect("no NUL")),
            place: scenario.place(),
        });
        let started = started.unwrap_or_else(|error| {
            panic!("no listener for system calls: {error}. It takes Linux 5.5, and seccomp(2) allowed in a container")
        });
        started.be_quick();
        let pipes = [link(&out_end), link(&err_end)];
        let hold_link = link(&hold_end);
        let file = |end: OwnedFd| Some(File::from(end));
        let master = terminal.map(|(master, _)| master);
        Playing {
            scenario,
            fault,
            started,
            streams: [file(out.into()), file(err.into()), file(hold.into())],
            pipes,
            hold: hold_link,
            master,
            socket,
            _folder: folder,
            main: None,
            processes: BTreeMap::new(),
            given: 0,
            last: Instant::now(),
            begun: Instant::now(),
            stopped: None,
            life: Life { more: FOR_EACH_PROCESS * pids().count() as u32, ..Life::default() },
        }
    }

    /// Who outlives panicmon by so much is left.
    fn patience(&self) -> Duration {
        let patience = if self.life.status.is_some() && !self.lasts() { DEADLINE } else { PATIENCE_OF_TEST };
        patience + self.life.more
    }

    fn is_over(&self) -> bool {
        let is_given_up = self.life.has_given_up();
        self.life.status.is_some() && self.streams.iter().all(|stream| stream.is_none() || is_given_up)
    }

    /// Waits for whatever comes first, and does what it asks for.
    fn turn(&mut self) {
        let has_ended = self.life.status.is_some();
        let [call, end, terminal, streams @ ..] = {
            let master = self.master.as_ref().map(|master| master.as_fd());
            let streams = self.streams.each_ref().map(|stream| stream.as_ref().map(File::as_fd));
            let listener = Some(self.started.listener.as_fd());
            let end = (!has_ended).then(|| self.started.pidfd.as_fd());
            let all = [listener, end, master, streams[0], streams[1], streams[2]];
            let mut fds: Vec<_> = all.iter().flatten().map(|fd| PollFd::new(*fd, PollFlags::POLLIN)).collect();
            poll(&mut fds, PollTimeout::from(20u8)).expect("poll works");
            let mut ready = fds.iter().map(|fd| fd.revents().unwrap_or(PollFlags::empty()));
            all.map(|fd| fd.and_then(|_| ready.next()).unwrap_or(PollFlags::empty()))
        };
        if call.contains(PollFlags::POLLIN)
            && let Some(call) = self.started.next()
        {
            let errno = self.decide(&call);
            self.started.answer(&call, errno);
        }
        if !terminal.is_empty() {
            self.read_terminal();
        }
        for (number, ready) in streams.iter().enumerate() {
            if !ready.is_empty() {
                self.read(number);
            }
        }
        if !end.is_empty() {
            self.life.status = self.started.reap();
        }
        if let Some(socket) = &self.socket {
            let mut bytes = [0; 4096];
            while let Ok(length) = socket.recv(&mut bytes) {
                self.life.notified.push(String::from_utf8_lossy(&bytes[..length]).into_owned());
            }
        }
        self.stimulate();
    }

    fn read(&mut self, number: usize) {
        let Some(stream) = &mut self.streams[number] else { return };
        let mut bytes = [0; 4096];
        let length = stream.read(&mut bytes).expect("it can be read");
        if length == 0 {
            self.streams[number] = None;
        }
        let text = String::from_utf8_lossy(&bytes[..length]);
        if number == 0 { self.life.out.push_str(&text) } else { self.life.err.push_str(&text) }
    }

    /// Nobody has it open any more: an error.
    fn read_terminal(&mut self) {
        let Some(master) = &mut self.master else { return };
        let mut bytes = [0; 4096];
        match master.read(&mut bytes) {
            Ok(length) if length > 0 => self.life.out.push_str(&String::from_utf8_lossy(&bytes[..length])),
            _ => self.master = None,
        }
    }

    fn stimulate(&mut self) {
        if self.life.status.is_some() {
            return;
        }
        match self.scenario.stimuli.get(self.given) {
            Some((cause, count, stimulus)) if self.life.out.matches(cause).count() >= *count => {
                self.give(*stimulus);
                (self.given, self.last) = (self.given + 1, Instant::now());
            }
            _ if self.begun.elapsed() > PATIENCE && !self.life.stopped && self.lasts() && self.has_cause() => {
                self.give(Stimulus::Kill(libc::SIGTERM));
                self.life.stopped = true;
                self.stopped = Some(Instant::now());
            }
            // What it waits for may be a line that is lost, which can't be told where that wasn't written.
            Some((.., stimulus))
                if self.last.elapsed() > ONCE_MORE && (self.has_cause() || self.life.met && self.is_mute()) =>
            {
                self.give(*stimulus);
                (self.given, self.last) = (self.given + 1, Instant::now());
            }
            None if !self.life.repeated && self.given > 0 && self.last.elapsed() > ONCE_MORE && self.has_cause() => {
                let stimulus = self.scenario.stimuli[self.given - 1].2;
                self.give(stimulus);
                self.life.stopped |= matches!(stimulus, Stimulus::Kill(libc::SIGTERM));
                self.life.repeated = true;
            }
            _ => {}
        }
    }

    /// Whether something has failed, and panicmon has said so.
    fn has_cause(&self) -> bool {
        self.life.met && self.life.has_told()
    }

    fn is_mute(&self) -> bool {
        self.fault.is_some_and(Fault::is_mute)
    }

    fn lasts(&self) -> bool {
        self.fault.is_some_and(|fault| fault.lasting)
    }

    fn give(&self, stimulus: Stimulus) {
        let Some(pid) = self.main else { return };
        // It may have ended.
        let _ = match stimulus {
            Stimulus::Kill(signal) => sys::kill(pid, signal),
            Stimulus::Queue(signal, value) => sys::queue(pid, signal, value),
            Stimulus::Type(key) => self.master.as_ref().map_or(Ok(()), |mut master| master.write_all(&[key])),
        };
    }

    /// What becomes of a call: the errno with which it fails.
    fn decide(&mut self, call: &Call) -> Option<i32> {
        let name = name_of(call.number);
        let pid = call.pid;
        let main = *self.main.get_or_insert(pid);
        let whose = match self.processes.get(&pid) {
            None if pid == main => Whose::Starting,
            Some(Whose::Starting) if name == "rt_sigprocmask" => Whose::Panicmons,
            Some(Whose::Starting) => Whose::Starting,
            Some(Whose::AnothersOwn) => Whose::AnothersOwn,
            Some(Whose::Panicmons) => Whose::Panicmons,
            None | Some(Whose::Executing) if runs_panicmon(pid) => Whose::Panicmons,
            _ => Whose::AnothersOwn,
        };
        self.processes.insert(pid, whose);
        if whose != Whose::Panicmons || name == "rt_sigprocmask" {
            return None;
        }
        let who = if pid == main { "main" } else { "child" };
        let kind = format!("{who} {name}{}", self.about(name, call));
        if !crate::table::is_known(&kind) {
            self.life.unknown.insert(kind.clone());
        }
        let count = self.life.counts.entry(kind.clone()).or_default();
        *count += 1;
        let fault = self
            .fault
            .filter(|fault| fault.kind == kind && (fault.nth == *count || fault.lasting && fault.nth < *count));
        if fault.is_some() {
            self.life.met = true;
        } else if name == "execve" || name == "execveat" {
            self.processes.insert(pid, Whose::Executing);
        }
        fault.map(|fault| fault.errno)
    }

    /// What a call is about, as far as that makes a difference to what it can give.
    fn about(&self, name: &str, call: &Call) -> String {
        let [first, second, third, ..] = call.args;
        let known = |names: &[(u64, &str)], number: u64| {
            let name = names.iter().find(|(known, _)| *known == number).map(|(_, name)| *name);
            name.map_or_else(|| format!(" {number:#x}"), |name| format!(" {name}"))
        };
        match name {
            "openat" => format!(" {}", path_class(&string_at(call.pid, second).unwrap_or_default())),
            "read" | "pread64" | "write" | "writev" | "pwritev2" | "getdents64" => self.fd_class(call.pid, first),
            "fcntl" => known(FCNTL, second),
            "ioctl" => known(IOCTL, second) + &self.fd_class(call.pid, first),
            "prctl" => known(PRCTL, first),
            "waitid" if third_is_at_once(call) => " at once".to_owned(),
            "kill" if second == 0 => " 0".to_owned(),
            "kill" if first == 0 || first == self.number_of_main() => " self".to_owned(),
            "kill" if second == libc::SIGCONT as u64 => " CONT".to_owned(),
            "prlimit64" if third != 0 => " set".to_owned(),
            "prlimit64" => " get".to_owned(),
            "stat" | "lstat" => " path".to_owned(),
            "newfstatat" if call.args[3] & libc::AT_EMPTY_PATH as u64 == 0 => " path".to_owned(),
            "statx" if third & libc::AT_EMPTY_PATH as u64 == 0 => " path".to_owned(),
            "newfstatat" | "statx" | "fstat" => self.fd_class(call.pid, first),
            _ => String::new(),
        }
    }

    /// What panicmon calls itself.
    fn number_of_main(&self) -> u64 {
        if self.scenario.first { 1 } else { self.main.map_or(0, u64::from) }
    }

    /// What kind of file a descriptor is open to.
    fn fd_class(&self, pid: u32, fd: u64) -> String {
        let link = fs::read_link(format!("/proc/{pid}/fd/{}", fd as i32)).unwrap_or_default();
        let text = link.to_string_lossy();
        let class = match &*text {
            _ if link == self.pipes[0] => "stdout",
            _ if link == self.pipes[1] => "stderr",
            text if text.starts_with("pipe:") => "pipe",
            text if text.starts_with("socket:") => "socket",
            text if text.starts_with("anon_inode:") => text.trim_start_matches("anon_inode:").trim_matches(['[', ']']),
            "/dev/null" => "null",
            text if text.starts_with("/dev/pts/") || text == "/dev/tty" => "tty",
            text if text.starts_with("/proc/") => "proc",
            "" => "closed",
            _ => "file",
        };
        format!(" {class}")
    }

    /// What was seen; nobody is left after this.
    fn finish(mut self) -> Life {
        self.life.left = self.streams[2].is_some();
        if self.life.left || self.life.status.is_none() {
            if self.life.status.is_none() {
                // The leader isn't reaped yet, and neither is its job.
                let all = self.main.into_iter().chain([self.started.pid]);
                all.for_each(|pid| drop(sys::kill(pid, libc::SIGKILL)));
            }
            for pid in pids().filter(|pid| *pid != self.started.pid && *pid != std::process::id() && self.holds(*pid)) {
                let _ = sys::kill(pid, libc::SIGKILL);
            }
            // Without its listener no call waits for an answer.
            let deadline = Instant::now() + DEADLINE;
            let mut ended = self.life.status.is_some();
            while !ended && Instant::now() < deadline {
                ended = self.started.reap().is_some();
                std::thread::park_timeout(Duration::from_millis(1));
            }
        }
        self.life
    }

    /// Whether it is one of those who hold the pipe.
    fn holds(&self, pid: u32) -> bool {
        fs::read_link(format!("/proc/{pid}/fd/3")).is_ok_and(|link| link == self.hold)
    }
}

/// Whether it is the program under test, or a child of that which has executed nothing yet.
fn runs_panicmon(pid: u32) -> bool {
    fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|program| program == *BINARY)
}

/// The processes of the machine.
fn pids() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc").expect("it is there").flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn third_is_at_once(call: &Call) -> bool {
    call.args[3] & libc::WNOHANG as u64 != 0
}

fn path_class(path: &str) -> &str {
    match path {
        "/dev/tty" | "/dev/null" => path,
        _ if path.starts_with("/proc/") => "proc",
        _ if path == PROBE => "command",
        _ => "file",
    }
}

const FCNTL: &[(u64, &str)] = &[
    (libc::F_GETFD as u64, "F_GETFD"),
    (libc::F_SETFD as u64, "F_SETFD"),
    (libc::F_GETFL as u64, "F_GETFL"),
    (libc::F_SETFL as u64, "F_SETFL"),
    (libc::F_DUPFD_CLOEXEC as u64, "F_DUPFD_CLOEXEC"),
    (libc::F_SETPIPE_SZ as u64, "F_SETPIPE_SZ"),
    (libc::F_ADD_SEALS as u64, "F_ADD_SEALS"),
];

#[allow(clippy::unnecessary_cast, reason = "another C library has another type")]
const IOCTL: &[(u64, &str)] = &[
    (libc::TCGETS as u64, "TCGETS"),
    (libc::FIONREAD as u64, "FIONREAD"),
    (libc::TIOCGPGRP as u64, "TIOCGPGRP"),
    (libc::TIOCSPGRP as u64, "TIOCSPGRP"),
    (libc::TIOCSCTTY as u64, "TIOCSCTTY"),
    (libc::TIOCGSID as u64, "TIOCGSID"),
];

const PRCTL: &[(u64, &str)] = &[
    (libc::PR_SET_PDEATHSIG as u64, "PR_SET_PDEATHSIG"),
    (libc::PR_GET_PDEATHSIG as u64, "PR_GET_PDEATHSIG"),
    (libc::PR_SET_CHILD_SUBREAPER as u64, "PR_SET_CHILD_SUBREAPER"),
    (libc::PR_GET_CHILD_SUBREAPER as u64, "PR_GET_CHILD_SUBREAPER"),
];
