//! What this process was started in.

use super::finding::{Finding, Report, finding};
use crate::model::env;
use crate::program::notify::directories;
use crate::program::options::settings::Settings;
use crate::program::options::variables;
use crate::program::systemds;
use crate::sys::capability;
use crate::sys::capability::Capability;
use crate::sys::cgroup::MemoryGroup;
use crate::sys::notify::{Directories, Notify};
use crate::sys::proc_fs::Status;
use crate::sys::process;
use crate::sys::{limit, trial};
use std::ffi::{CStr, OsStr};
use std::fs;
use std::path::Path;

/// What has started panicmon, as far as that can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Kubernetes,
    Container,
    Systemd,
    Supervisord,
    Unknown,
}

impl Place {
    pub(super) fn name(self) -> &'static str {
        match self {
            Place::Kubernetes => "a Kubernetes pod",
            Place::Container => "a container",
            Place::Systemd => "a systemd unit",
            Place::Supervisord => "a supervisord section",
            Place::Unknown => "no container, systemd unit or supervisord section",
        }
    }
}

pub(super) fn place(env: &[&CStr]) -> Place {
    let is_there = |path: &str| fs::exists(path).unwrap_or(false);
    let is_set = |name| env::get(env, name).is_some();
    if is_set("KUBERNETES_SERVICE_HOST") {
        Place::Kubernetes
    } else if is_there("/.dockerenv") || is_there("/run/.containerenv") {
        Place::Container
    } else if is_set("INVOCATION_ID") {
        Place::Systemd
    } else if is_set("SUPERVISOR_ENABLED") {
        Place::Supervisord
    } else {
        Place::Unknown
    }
}

/// What else there is around a process.
pub(super) fn all(env: &[&'static CStr], settings: &Settings, report: &mut Report) {
    let variable = |name: &str| env::get(env, name).map(|value| value.to_string_lossy().into_owned());
    let several = settings.config.is_some();
    report.add(cgroup());
    report.add(user(settings));
    report.add(sandbox());
    report.add(notify(variable("NOTIFY_SOCKET").as_deref(), directories(env), several));
    let sockets = "sockets that systemd opened are passed on to the command";
    report.add(pid_variable("LISTEN_PID", variable("LISTEN_PID"), sockets));
    report.add(pid_variable("WATCHDOG_PID", variable("WATCHDOG_PID"), "systemd wants the command to send WATCHDOG=1"));
    report.add(systemds_own(variable("SYSTEMD_EXEC_PID"), systemds::is_own_init(env)));
    report.add(core());
    settings.tell_refused(env, &mut |why| {
        let refused = finding(Some(false), why, "panicmon exits with 125, and the command isn't started");
        report.add(refused.do_this("mend or unset the variable"));
    });
    variables::tell_slips(env, &mut |name, meant| {
        let seen = format!("{name}: no option has this variable");
        report.add(finding(None, seen, "it has no effect").do_this(format!("{name}: did you mean {meant}?")));
    });
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

pub(super) fn kernel() -> Finding {
    let release = process::kernel_release();
    let mut numbers = release.split('.').map(|word| {
        let digits = word.bytes().take_while(u8::is_ascii_digit).count();
        word[..digits].parse::<u32>().unwrap_or(0)
    });
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let holds = version >= (5, 4);
    let seen = format!("Linux {release}");
    if holds {
        return finding(Some(true), seen, "all that panicmon needs");
    }
    finding(Some(false), seen, "panicmon is tested with 5.4 and later").do_this("take a kernel from 5.4 on")
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

fn user(settings: &Settings) -> Finding {
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
    let seen = format!("user {uid}, group {gid}; of the capabilities KILL, SETUID and SETGID: {some}");
    let fails = means.starts_with("--user doesn't work") || means.contains("can't be signalled");
    if settings.user.is_some() && fails {
        let what =
            "for --user: give panicmon the capabilities SETUID, SETGID and KILL, and a filter that allows setresuid(2)";
        return finding(Some(false), seen, means).do_this(what);
    }
    finding(None, seen, means)
}

/// A filter of system calls, before anything is tried that it may end this process for.
pub(super) fn filter() -> Option<Finding> {
    let status = Status::of_this_process().ok();
    let seen = match status.as_ref().and_then(|status| status.field("Seccomp")) {
        Some("0") => return None,
        Some(_) => "there is a filter of system calls (seccomp); what it does to clone(2) is tried next",
        None => "whether there is a filter of system calls (seccomp) is unknown; clone(2) is tried next",
    };
    let means = "if this is the last line, it ends a process that calls clone(2), and no command can be started: allow the call \
                 (SystemCallFilter= of a systemd unit)";
    Some(finding(None, seen, means))
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
        Err(error) => finding(Some(false), seen, format!("nothing can be passed on to it: {error}"))
            .do_this("make the socket of NOTIFY_SOCKET reachable (mount it into the container), or unset the variable"),
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
