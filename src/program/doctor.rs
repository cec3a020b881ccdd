//! `--doctor`: what panicmon sees here, what that means, and which of its promises hold. What it says of system calls, it
//! has tried: a version or a file may promise what a filter or an emulator refuses.

use super::notify::directories;
use super::systemds;
use crate::model::env;
use crate::model::printable::OneLine;
use crate::model::signal::{Signal, SignalSet};
use crate::sys::capability;
use crate::sys::capability::Capability;
use crate::sys::cgroup::MemoryGroup;
use crate::sys::fd::Closing;
use crate::sys::notify::{Directories, Notify};
use crate::sys::proc_fs::Status;
use crate::sys::process;
use crate::sys::process::Subreaper;
use crate::sys::signals::process::ProcessSignals;
use crate::sys::signals::source::Source;
use crate::sys::signals::{Disposition, disposition};
use crate::sys::terminal::ChildGroup;
use crate::sys::user;
use crate::sys::user::Differing;
use crate::sys::{limit, trial};
use std::ffi::{CStr, OsStr};
use std::fmt::{self, Write};
use std::fs;
use std::path::Path;

/// Something that was looked at, and what it means.
struct Finding {
    /// Whether a promise holds; `None`: no promise depends on it.
    holds: Option<bool>,
    seen: String,
    means: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.holds {
            Some(true) => "ok",
            Some(false) => "NO",
            None => "--",
        };
        writeln!(f, "{mark}  {}\n      {}", OneLine(&self.seen), OneLine(&self.means))
    }
}

fn finding(holds: Option<bool>, seen: impl Into<String>, means: impl Into<String>) -> Finding {
    Finding { holds, seen: seen.into(), means: means.into() }
}

/// Looks at everything, and returns a text and whether every promise holds.
#[cold]
pub(crate) fn report(signals: ProcessSignals, env: &[&CStr], several: bool) -> (String, bool) {
    let variable = |name: &str| env::get(env, name).map(|value| value.to_string_lossy().into_owned());
    let inherited_mask = signals.inherited_mask();
    let (start, signalfd) = start_and_signals(signals);
    let (subreaper, parent_death) = orphans();
    let findings = [
        kernel(),
        proc(),
        pid(),
        start,
        subreaper,
        parent_death,
        descendants(),
        descriptors(),
        signalfd,
        inherited(inherited_mask),
        queue(),
        terminal(inherited_mask),
        cgroup(),
        user(),
        sandbox(),
        notify(variable("NOTIFY_SOCKET").as_deref(), directories(env), several),
        pid_variable("LISTEN_PID", variable("LISTEN_PID"), "sockets that systemd opened are passed on to the command"),
        pid_variable("WATCHDOG_PID", variable("WATCHDOG_PID"), "systemd wants the command to send WATCHDOG=1"),
        systemds_own(variable("SYSTEMD_EXEC_PID"), systemds::is_own_init(env)),
        core(),
    ];
    let mut text = format!("panicmon {} in {}\n", env!("CARGO_PKG_VERSION"), place(env));
    for finding in &findings {
        let _ = write!(text, "{finding}");
    }
    let holds = findings.iter().all(|finding| finding.holds != Some(false));
    text.push_str(if holds { "Every promise holds here.\n" } else { "What is marked NO doesn't hold here.\n" });
    (text, holds)
}

fn place(env: &[&CStr]) -> &'static str {
    let is_there = |path: &str| fs::exists(path).unwrap_or(false);
    let is_set = |name| env::get(env, name).is_some();
    if is_set("KUBERNETES_SERVICE_HOST") {
        "a Kubernetes pod"
    } else if is_there("/.dockerenv") || is_there("/run/.containerenv") {
        "a container"
    } else if is_set("INVOCATION_ID") {
        "a systemd unit"
    } else if is_set("SUPERVISOR_ENABLED") {
        "a supervisord section"
    } else {
        "no container, systemd unit or supervisord section"
    }
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

fn kernel() -> Finding {
    let release = process::kernel_release();
    let mut numbers = release.split('.').map(|word| {
        let digits = word.bytes().take_while(u8::is_ascii_digit).count();
        word[..digits].parse::<u32>().unwrap_or(0)
    });
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let holds = version >= (5, 4);
    let means = if holds { "all that panicmon needs" } else { "panicmon is tested with 5.4 and later" };
    finding(Some(holds), format!("Linux {release}"), means)
}

fn proc() -> Finding {
    if fs::exists("/proc/self/stat").unwrap_or(false) {
        finding(Some(true), "/proc is there", "--drain finds what is left")
    } else {
        finding(
            Some(false),
            "there is no /proc",
            "--drain can't find what is left, --exit oom can't be told; the rest works",
        )
    }
}

fn pid() -> Finding {
    let pid = process::id();
    if pid.as_raw() == 1 {
        let means = "it reaps all orphans of the PID namespace; when it ends, the kernel kills every process that is left. \
                     A signal with the default action never reaches a PID 1, but panicmon forwards it to the command";
        finding(Some(true), "it is PID 1", means)
    } else {
        finding(None, format!("it is PID {pid}, not 1"), "another process is the init here")
    }
}

/// What clone(2) and signalfd(2) do.
fn start_and_signals(signals: ProcessSignals) -> (Finding, Finding) {
    let mut source = Source::Process(signals);
    let start = match trial::start(&source) {
        Ok(true) => finding(Some(true), "clone(2) in shared memory works", "a command is started fast"),
        Ok(false) => finding(
            Some(true),
            "clone(2) in shared memory: Invalid argument (an emulator?); it works without",
            "a command is started as by fork(2), a little later",
        ),
        Err(error) => finding(Some(false), format!("clone(2) doesn't work: {error}"), "a command can't be started"),
    };
    let tried = match &mut source {
        Source::Process(signals) => trial::signals(signals),
        Source::Shared(_) => Ok(SignalSet::EMPTY),
    };
    let signalfd = match tried {
        Ok(SignalSet::EMPTY) => finding(
            Some(true),
            "signalfd(2) works: each signal came, and queued ones with their values",
            "each signal is passed on to the command",
        ),
        Ok(lost) => finding(
            Some(false),
            format!("signalfd(2): these signals don't come (an emulator?): {}", list(lost)),
            "they don't reach the command; all others do",
        ),
        Err((call, error)) => {
            finding(Some(false), format!("{call}: {error}"), "signals don't reach the command as they are sent")
        }
    };
    (start, signalfd)
}

/// What becomes of a process whose parent is killed.
fn orphans() -> (Finding, Finding) {
    let is_pid_1 = process::id().as_raw() == 1;
    let claimed = Subreaper::claim();
    let (subreaper, parent_death) = match trial::bereave() {
        Ok(bereaved) => (
            if bereaved.is_adopted { Ok(()) } else { Err("an orphan went to another process".to_owned()) },
            bereaved.is_killed.map_err(|error| error.to_string()),
        ),
        Err(error) => {
            let not_tried = || Err(format!("no process could be started to try it: {error}"));
            (not_tried(), not_tried())
        }
    };
    // PID 1 needs to be none.
    let subreaper =
        if is_pid_1 { subreaper } else { claimed.map(drop).map_err(|error| error.to_string()).and(subreaper) };
    let subreaper = match subreaper {
        Ok(()) => finding(
            Some(true),
            if is_pid_1 { "it gets orphans" } else { "it can be a child subreaper" },
            "panicmon gets the orphans of the command, and reaps them",
        ),
        Err(error) => {
            let means = "orphans of the command go to PID 1, and --drain can't find them";
            finding(Some(false), format!("it can't be a child subreaper: {error}"), means)
        }
    };
    let parent_death = match (parent_death, user::differing()) {
        (Ok(()), Some(Differing { what, real, effective })) => finding(
            Some(false),
            format!(
                "the real {what} is {real} and the effective {what} {effective}: an exec takes the parent-death signal"
            ),
            "if panicmon is killed, the command lives on, unless --user makes them the same",
        ),
        (Ok(()), None) => finding(
            Some(true),
            "the kernel has a parent-death signal",
            "if panicmon is killed, the command is killed too (unless it is set-user-id, or changes its user itself)",
        ),
        (Err(error), _) => {
            finding(Some(false), format!("there is no parent-death signal: {error}"), "a command can't be started")
        }
    };
    (subreaper, parent_death)
}

fn descendants() -> Finding {
    match trial::pidfd() {
        Ok(()) => finding(Some(true), "pidfd_open(2) works", "--drain reaches every descendant, and no other process"),
        Err((call, error)) => finding(
            Some(false),
            format!("{call}: {error}"),
            "--drain reaches panicmon's own children only, and other descendants once their parents have ended",
        ),
    }
}

/// What becomes of descriptors that panicmon has inherited and doesn't need.
fn descriptors() -> Finding {
    let closed = "panicmon keeps nothing open that is the command's";
    match Closing::find() {
        Closing::AtOnce => finding(Some(true), "close_range(2) works", closed),
        Closing::ByProc(error) => {
            finding(Some(true), format!("close_range(2): {error}; /proc/self/fd tells what is open"), closed)
        }
        Closing::ByAsking(error, proc) => finding(
            Some(false),
            format!("close_range(2): {error}; /proc/self/fd: {proc}"),
            "panicmon looks for inherited descriptors by 4096 calls of poll(2) at the most, which finds those below 2^20 \
             (fewer if RLIMIT_NOFILE is below 256); others stay open in it",
        ),
    }
}

fn list(set: SignalSet) -> String {
    match set.iter().map(|signal| signal.to_string()).collect::<Vec<_>>() {
        names if names.is_empty() => "none".to_owned(),
        names if set == SignalSet::ALL => format!("all {}", names.len()),
        names => names.join(" "),
    }
}

fn inherited(inherited_mask: SignalSet) -> Finding {
    let ignored = Signal::all().filter(|signal| disposition(*signal) == Disposition::Ignored).collect();
    finding(
        None,
        format!("signals ignored from the start: {}; blocked: {}", list(ignored), list(inherited_mask)),
        "the command inherits this; panicmon forwards them all the same",
    )
}

fn queue() -> Finding {
    match limit::pending_signals() {
        Ok(limit) => finding(
            None,
            format!("{limit} signals can be queued"),
            "the sender of a further real-time signal gets an error",
        ),
        Err(error) => finding(None, format!("RLIMIT_SIGPENDING: {error}"), "how many signals can be queued is unknown"),
    }
}

fn terminal(inherited_mask: SignalSet) -> Finding {
    let group = ChildGroup::find(inherited_mask, true);
    match (&group, group.terminal()) {
        (ChildGroup::Shared, _) => finding(
            None,
            "there is a controlling terminal that can't be handed over (-vv tells why)",
            "the command stays in panicmon's process group, and the kernel treats both alike",
        ),
        (_, None) => finding(None, "there is no controlling terminal", "the command has a process group of its own"),
        (_, Some(_)) => finding(
            Some(true),
            "there is a controlling terminal",
            "the command has a process group of its own, and gets the terminal when it needs it",
        ),
    }
}

fn cgroup() -> Finding {
    match MemoryGroup::own() {
        Ok((group, _)) => finding(
            Some(true),
            format!("cgroup version {}, {} can be read", group.version, group.counter().display()),
            "a kill because memory ran out can be told from any other SIGKILL",
        ),
        Err(why) => finding(
            None,
            why,
            "a kill because memory ran out can't be told from any other SIGKILL: --exit oom has no effect",
        ),
    }
}

fn user() -> Finding {
    let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
    let all = [("KILL", Capability::Kill), ("SETUID", Capability::SetUid), ("SETGID", Capability::SetGid)];
    let [kills, changes_user, changes_group] = all.map(|(_, capability)| capability::is_effective(capability));
    let some: Vec<_> = all.iter().filter(|(_, one)| capability::is_effective(*one)).map(|(name, _)| *name).collect();
    let some = if some.is_empty() { "none".to_owned() } else { some.join(" ") };
    // In a user namespace there may be few others: user_namespaces(7).
    let is_whole = read("/proc/self/uid_map").is_none_or(|map| map.split_whitespace().eq(["0", "0", "4294967295"]));
    let means = if !(changes_user && changes_group) {
        "--user doesn't work: it takes the capabilities SETUID and SETGID"
    } else if read("/proc/self/setgroups").as_deref() == Some("deny") {
        "--user doesn't work: setgroups(2) is denied in this user namespace"
    } else if !kills {
        "--user works, but without the capability KILL a command of another user can't be signalled, and outlives panicmon"
    } else if !is_whole {
        "--user works for those whom this user namespace maps (/proc/self/uid_map)"
    } else {
        "--user works"
    };
    let tried = if changes_user && changes_group { trial::change_of_user() } else { Ok(()) };
    let means = match tried {
        // What the capabilities allow, something else refuses.
        Err(error) if means.starts_with("--user works") => format!("--user doesn't work: {error}"),
        _ => means.to_owned(),
    };
    finding(None, format!("user {uid}, group {gid}; of the capabilities KILL, SETUID and SETGID: {some}"), means)
}

fn sandbox() -> Finding {
    let privileges = match capability::has_no_new_privileges() {
        Ok(true) => "no new privileges",
        Ok(false) => "new privileges are possible",
        Err(_) => "new privileges: unknown",
    };
    let status = Status::of_this_process().ok();
    let filter = match status.as_ref().and_then(|status| status.field("Seccomp")) {
        Some("0") => "no filter of system calls",
        Some(_) => "a filter of system calls",
        None => "filter of system calls: unknown",
    };
    finding(None, format!("{privileges}, {filter}"), "the command has the same")
}

fn notify(socket: Option<&str>, directories: Directories<'_>, several: bool) -> Finding {
    let Some(path) = socket.filter(|path| !path.is_empty()) else {
        return finding(None, "NOTIFY_SOCKET isn't set", "no service manager waits for a READY=1");
    };
    let seen = format!("NOTIFY_SOCKET={path}");
    if several {
        return finding(None, seen, "the processes of a file inherit it unchanged: none of them speaks for all");
    }
    match Notify::relay(OsStr::new(path), None, directories) {
        Ok(Some(notify)) => {
            let passed =
                "what the command says to it is passed on: READY, STATUS, WATCHDOG, descriptors; but MAINPID isn't";
            let own = match Path::new(notify.name()).parent().and_then(Path::parent) {
                Some(base) => format!("the command's own socket is a path below {}", base.display()),
                None => {
                    "the command's own socket has an abstract name, which not every client understands: no directory \
                         can be made for it below RUNTIME_DIRECTORY, /run, TMPDIR or /tmp"
                        .to_owned()
                }
            };
            finding(Some(true), seen, format!("{passed}; {own}"))
        }
        Ok(None) => finding(None, seen, "it is neither a path nor an abstract name: the command inherits it unchanged"),
        Err(error) => finding(Some(false), seen, format!("nothing can be passed on to it: {error}")),
    }
}

fn pid_variable(name: &str, value: Option<String>, means: &str) -> Finding {
    match value {
        Some(pid) if pid == process::id().to_string() => finding(
            Some(true),
            format!("{name}={pid}, this process"),
            format!("{means}: the command finds its own pid there"),
        ),
        Some(pid) if !pid.is_empty() => {
            finding(None, format!("{name}={pid}, another process"), "the command inherits it unchanged")
        }
        _ => finding(None, format!("{name} isn't set"), "there is nothing to pass on"),
    }
}

fn systemds_own(value: Option<String>, is_init: bool) -> Finding {
    match value {
        Some(pid) if is_init => finding(
            Some(true),
            format!("SYSTEMD_EXEC_PID={pid}, and it is PID 1: PrivatePIDs=yes"),
            "a PID 1 can't end by a signal of its own: when TERM, INT or HUP has come and ended the command, the exit status \
             is 0, a success as systemd expects of a stop; after any other signal it is 128+N",
        ),
        Some(pid) if pid == process::id().to_string() => finding(
            Some(true),
            format!("SYSTEMD_EXEC_PID={pid}, this process"),
            "panicmon ends by the signal that ended the command, as systemd expects of a stop",
        ),
        other => finding(
            None,
            match other {
                Some(pid) => format!("SYSTEMD_EXEC_PID={pid}: systemd hasn't started this process itself"),
                None => "systemd hasn't started this process itself".to_owned(),
            },
            "a command that a signal ended gives the exit status 128+N (but in a job of an interactive shell)",
        ),
    }
}

fn core() -> Finding {
    let limit = match limit::core() {
        Ok(u64::MAX) => "unlimited".to_owned(),
        Ok(bytes) => bytes.to_string(),
        Err(error) => error.to_string(),
    };
    let Some(pattern) = read("/proc/sys/kernel/core_pattern") else {
        return finding(None, format!("core limit {limit}, pattern unknown"), "where a core would go is unknown");
    };
    let means = match pattern.bytes().next() {
        Some(b'|') => "a core of the command is piped to that program, on the host",
        Some(b'@') => "a core of the command goes to that socket",
        _ if limit == "0" => "the command leaves no core: the limit (ulimit -c) is 0",
        Some(b'/') => "the command leaves its core there",
        _ => "the command leaves its core in its working directory",
    };
    finding(None, format!("core pattern '{pattern}', limit {limit}"), means)
}
