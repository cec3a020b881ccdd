//! `--doctor`: what panicmon sees here, what that means, and which of its promises hold.

use crate::options::names;
use crate::sys::capability::{self, Capability};
use crate::sys::cgroup::OomKills;
use crate::sys::process::{self, Subreaper};
use crate::sys::signals::{Disposition, disposition};
use crate::sys::terminal::ChildGroup;
use crate::sys::{descendants, limit};
use crate::{Signal, SignalSet};
use std::ffi::CStr;
use std::fmt::{self, Write};
use std::fs;

/// One thing that was looked at.
struct Finding {
    /// Whether a promise holds; none: there is none about it.
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
        writeln!(f, "{mark}  {}\n      {}", self.seen, self.means)
    }
}

fn finding(holds: Option<bool>, seen: impl Into<String>, means: impl Into<String>) -> Finding {
    Finding { holds, seen: seen.into(), means: means.into() }
}

/// Looks at everything. The text, and whether every promise holds.
#[cold]
pub(super) fn report(inherited_mask: SignalSet, env: &[&CStr]) -> (String, bool) {
    let variable = |name: &str| {
        let entry = env.iter().find(|entry| names(entry, name.as_bytes()))?;
        Some(String::from_utf8_lossy(&entry.to_bytes()[name.len() + 1..]).into_owned())
    };
    let findings = [
        kernel(),
        pid(),
        subreaper(),
        parent_death(),
        descendants(),
        signals(inherited_mask),
        queue(),
        terminal(inherited_mask),
        cgroup(),
        user(),
        sandbox(),
        notify(variable("NOTIFY_SOCKET")),
        pid_variable("LISTEN_PID", variable("LISTEN_PID"), "sockets that systemd opened are passed on to the command"),
        pid_variable("WATCHDOG_PID", variable("WATCHDOG_PID"), "systemd wants the command to send WATCHDOG=1"),
        systemds_own(variable("SYSTEMD_EXEC_PID")),
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
    if env.iter().any(|entry| names(entry, b"KUBERNETES_SERVICE_HOST")) {
        "a Kubernetes pod"
    } else if is_there("/.dockerenv") || is_there("/run/.containerenv") {
        "a container"
    } else if env.iter().any(|entry| names(entry, b"INVOCATION_ID")) {
        "a systemd unit"
    } else if env.iter().any(|entry| names(entry, b"SUPERVISOR_ENABLED")) {
        "a supervisord section"
    } else {
        "no container, unit or section that it knows of"
    }
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

fn kernel() -> Finding {
    match read("/proc/sys/kernel/osrelease") {
        Some(release) => {
            let mut numbers = release.split(['.', '-']).map_while(|word| word.parse::<u32>().ok());
            let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
            let holds = version >= (5, 4);
            let means = if holds { "all that panicmon needs" } else { "it is tried with 5.4 and later" };
            finding(Some(holds), format!("Linux {release}"), means)
        }
        None => finding(
            Some(false),
            "there is no /proc",
            "--drain can't find what is left, --exit oom can't be told; the rest works",
        ),
    }
}

fn pid() -> Finding {
    let pid = process::id();
    if pid.as_raw() == 1 {
        let means = "all orphans of the PID namespace are its, and reaped; when it ends the kernel kills all that is left. \
                     A signal whose action is the default never reaches a PID 1; it does reach the command";
        finding(Some(true), "it is PID 1", means)
    } else {
        finding(None, format!("it is PID {pid}, not 1"), "somebody else is the init here")
    }
}

fn subreaper() -> Finding {
    match Subreaper::claim() {
        Ok(_) => {
            finding(Some(true), "it can be a child subreaper", "orphans of the command come to it, and are reaped")
        }
        Err(error) => {
            let means = "orphans of the command go to PID 1, and --drain can't find them";
            finding(Some(process::id().as_raw() == 1), format!("it can't be a child subreaper: {error}"), means)
        }
    }
}

fn parent_death() -> Finding {
    match process::has_parent_death_signal() {
        Ok(()) => finding(
            Some(true),
            "the kernel has a parent-death signal",
            "however panicmon ends, the command goes with it (unless it is set-user-id, or changes its user itself)",
        ),
        Err(error) => {
            finding(Some(false), format!("there is no parent-death signal: {error}"), "a command can't be started")
        }
    }
}

fn descendants() -> Finding {
    match descendants::can_hold() {
        Ok(()) => finding(Some(true), "pidfd_open(2) works", "--drain reaches every descendant, and nobody else"),
        Err(error) => finding(
            Some(false),
            format!("pidfd_open(2): {error}"),
            "--drain reaches children of panicmon's own only; others when their parents have ended",
        ),
    }
}

fn signals(inherited_mask: SignalSet) -> Finding {
    let list = |set: SignalSet| match set.iter().map(|signal| signal.to_string()).collect::<Vec<_>>() {
        names if names.is_empty() => "none".to_owned(),
        names if set == SignalSet::ALL => format!("all {}", names.len()),
        names => names.join(" "),
    };
    let ignored = Signal::all().filter(|signal| disposition(*signal) == Disposition::Ignored).collect();
    finding(
        None,
        format!("signals ignored from the start: {}; blocked: {}", list(ignored), list(inherited_mask)),
        "the command has them so, too; panicmon forwards them all the same",
    )
}

fn queue() -> Finding {
    match limit::pending_signals() {
        Ok(limit) => finding(
            None,
            format!("{limit} signals can be queued"),
            "of real-time signals beyond that the sender is told",
        ),
        Err(error) => {
            finding(None, format!("RLIMIT_SIGPENDING: {error}"), "nobody knows how many signals can be queued")
        }
    }
}

fn terminal(inherited_mask: SignalSet) -> Finding {
    let group = ChildGroup::find(inherited_mask, true);
    match (&group, group.terminal()) {
        (ChildGroup::Shared, _) => finding(
            None,
            "there is a terminal, but it couldn't be handed over",
            "the command stays in panicmon's process group, and the kernel treats both alike",
        ),
        (_, None) => finding(None, "there is no controlling terminal", "the command has a process group of its own"),
        (_, Some(_)) => finding(
            Some(true),
            "there is a controlling terminal",
            "the command has a process group of its own, and the terminal when it is due",
        ),
    }
}

fn cgroup() -> Finding {
    match OomKills::find() {
        Ok(counter) => finding(
            Some(true),
            format!("cgroup version {}, {} can be read", counter.version, counter.file.display()),
            "that memory ran out can be told from any other SIGKILL",
        ),
        Err(why) => finding(None, why, "that memory ran out can't be told from any other SIGKILL: --exit oom"),
    }
}

fn user() -> Finding {
    let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
    let has = |capability| capability::is_effective(capability);
    let changes = has(Capability::SetUid) && has(Capability::SetGid);
    let kills = has(Capability::Kill);
    let means = match (changes, kills) {
        (true, true) => "--user works",
        (true, false) => {
            "--user works, but without the capability KILL a command of another user can't be signalled, and outlives panicmon"
        }
        (false, _) => "--user doesn't work: it takes the capabilities SETUID and SETGID",
    };
    let some = [("KILL", kills), ("SETUID", has(Capability::SetUid)), ("SETGID", has(Capability::SetGid))];
    let some: Vec<_> = some.iter().filter(|(_, has)| *has).map(|(name, _)| *name).collect();
    let some = if some.is_empty() { "none".to_owned() } else { some.join(" ") };
    finding(None, format!("user {uid}, group {gid}; of the capabilities KILL, SETUID and SETGID: {some}"), means)
}

fn sandbox() -> Finding {
    let status = read("/proc/self/status").unwrap_or_default();
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
    let (privileges, filter) = (field("NoNewPrivs") == Some("1"), field("Seccomp").is_some_and(|mode| mode != "0"));
    let seen = match (privileges, filter) {
        (true, true) => "no new privileges, and a filter of system calls",
        (true, false) => "no new privileges",
        (false, true) => "a filter of system calls",
        (false, false) => "neither no_new_privs nor a filter of system calls",
    };
    finding(None, seen, "the command has the same")
}

fn notify(socket: Option<String>) -> Finding {
    match socket {
        Some(path) => finding(
            Some(true),
            format!("NOTIFY_SOCKET={path}"),
            "what the command says to it is passed on: READY, STATUS, WATCHDOG, descriptors; but MAINPID isn't",
        ),
        None => finding(None, "NOTIFY_SOCKET isn't set", "no service manager waits for a READY=1"),
    }
}

fn pid_variable(name: &str, value: Option<String>, means: &str) -> Finding {
    match value {
        Some(pid) if pid == process::id().to_string() => {
            finding(Some(true), format!("{name}={pid}, this process"), format!("{means}: it holds its own pid there"))
        }
        Some(pid) => finding(None, format!("{name}={pid}, another process"), "the command has it as it is"),
        None => finding(None, format!("{name} isn't set"), "nothing is to be passed on by it"),
    }
}

fn systemds_own(value: Option<String>) -> Finding {
    match value {
        Some(pid) if pid == process::id().to_string() => finding(
            Some(true),
            format!("SYSTEMD_EXEC_PID={pid}, this process"),
            "panicmon ends by the signal that ended the command, as systemd expects of a stop",
        ),
        _ => finding(
            None,
            "systemd hasn't started this process itself",
            "a command that a signal ended gives the exit status 128+N (but in a job of an interactive shell)",
        ),
    }
}

fn core() -> Finding {
    let pattern = read("/proc/sys/kernel/core_pattern").unwrap_or_default();
    let limit = limit::core().map(|limit| if limit == u64::MAX { "unlimited".to_owned() } else { limit.to_string() });
    let limit = limit.unwrap_or_else(|error| error.to_string());
    let means = match (pattern.as_str(), limit.as_str()) {
        (pattern, _) if pattern.starts_with('|') => "a core of the command is piped to that program, on the host",
        (_, "0") => "the command leaves no core: the limit (ulimit -c) is 0",
        (pattern, _) if pattern.starts_with('/') => "the command leaves its core there",
        _ => "the command leaves its core in its working directory",
    };
    finding(None, format!("core pattern '{pattern}', limit {limit}"), means)
}
