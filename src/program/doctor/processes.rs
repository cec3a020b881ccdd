//! Processes and signals: what the kernel does here is tried.

use super::finding::{Finding, Report, finding};
use crate::model::signal::{Signal, SignalSet};
use crate::program::options::settings::Settings;
use crate::sys::capability;
use crate::sys::capability::Capability;
use crate::sys::fd::Closing;
use crate::sys::process;
use crate::sys::process::Subreaper;
use crate::sys::signals::process::ProcessSignals;
use crate::sys::signals::source::Source;
use crate::sys::signals::{Disposition, disposition};
use crate::sys::terminal::ChildGroup;
use crate::sys::trial::Sight;
use crate::sys::user;
use crate::sys::user::Differing;
use crate::sys::{limit, trial};
use std::error::Error;
use std::io;

/// The advice where an emulator refuses something: no option helps.
const EMULATED: &str = "an emulator (qemu-user) runs this: take an image for this machine's own architecture";

pub(super) fn all(signals: ProcessSignals, settings: &Settings, report: &mut Report) {
    let inherited_mask = signals.inherited_mask();
    let (start, signalfd) = start_and_signals(signals);
    let sight = trial::sight();
    let is_seen = matches!(sight, Ok(Sight::All | Sight::Own));
    report.add(proc(sight));
    report.add(pid());
    report.add(start);
    orphans(report);
    report.add(descendants(is_seen));
    report.add(descriptors());
    report.add(signalfd);
    report.add(inherited(inherited_mask));
    report.add(queue());
    report.add(terminal(inherited_mask, settings));
}

/// What is to be done where something is scarce.
fn have_more(error: &io::Error) -> Option<&'static str> {
    match error.raw_os_error()? {
        libc::EMFILE => Some("let panicmon open more files (ulimit -n)"),
        libc::ENFILE => Some("let this machine open more files (fs.file-max)"),
        libc::EAGAIN => Some("allow the user more processes (ulimit -u), and the control group (pids.max)"),
        _ => None,
    }
}

/// What is to be done about a call that fails so.
fn allow(call: &str, error: &io::Error) -> String {
    if let Some(more) = have_more(error) {
        let are_queued = call == "rt_sigqueueinfo(2)";
        return if are_queued { "let more signals be queued (ulimit -i)" } else { more }.to_owned();
    }
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => format!("allow {call} in the filter of system calls (seccomp)"),
        Some(libc::ENOSYS) => {
            format!("{call}: allow it in the filter of system calls (seccomp), or take a newer kernel")
        }
        _ => EMULATED.to_owned(),
    }
}

/// What is found if a filter ends the process that makes a call, instead of refusing the call: a process of its own tries it.
fn ended(call: &str, act: impl FnOnce()) -> Option<Finding> {
    let signal = trial::ends_by(act)?;
    let seen = format!("{call}: the process that makes the call is ended by {signal}");
    let what = format!("allow {call} in the filter of system calls (seccomp; SystemCallFilter= of a systemd unit)");
    Some(finding(Some(false), seen, "panicmon would be ended so, too").do_this(what))
}

/// Which processes can be seen.
fn proc(sight: io::Result<Sight>) -> Finding {
    match sight {
        Ok(Sight::All) => finding(Some(true), "/proc is there, and hides no process", "--drain finds what is left"),
        Ok(Sight::Own) => {
            let is_needed = capability::is_effective(Capability::Kill);
            let found = finding(
                is_needed.then_some(false),
                "/proc hides the processes of other users (hidepid)",
                "--drain and restarts don't find what is left of another user: of --user, or of a set-user-id program",
            );
            let what = "mount /proc without hidepid, or give panicmon the capability SYS_PTRACE";
            if is_needed { found.do_this(what) } else { found }
        }
        Ok(Sight::Foreign) => finding(
            Some(false),
            "/proc is that of another PID namespace",
            "--drain can't find what is left, nor can it be seen which signals the command catches (--rewrite uncaught=drop, files)",
        )
        .do_this("mount the /proc of this PID namespace: mount -t proc proc /proc (unshare --mount-proc does)"),
        Ok(Sight::Missing) => finding(
            Some(false),
            "there is no /proc",
            "--drain can't find what is left, --exit oom can't be told; the rest works",
        )
        .do_this("mount /proc: mount -t proc proc /proc"),
        Err(error) => finding(Some(false), format!("/proc can't be read: {error}"), "--drain can't find what is left")
            .do_this(have_more(&error).unwrap_or(
                "let panicmon read /proc: a filter or a security module (AppArmor, SELinux) refuses it",
            )),
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
    let start = ended("clone(2)", || drop(trial::start(&source))).unwrap_or_else(|| start(&source));
    let signalfd = match &mut source {
        Source::Process(signals) => {
            ended("signalfd(2)", || drop(trial::signals(signals))).unwrap_or_else(|| received(trial::signals(signals)))
        }
        Source::Shared(_) => received(Ok(SignalSet::EMPTY)),
    };
    (start, signalfd)
}

fn start(source: &Source) -> Finding {
    match trial::start(source) {
        Ok(true) => finding(Some(true), "clone(2) in shared memory works", "a command is started fast"),
        Ok(false) => finding(
            Some(true),
            "clone(2) in shared memory: Invalid argument (an emulator?); it works without",
            "a command is started as by fork(2), a little later",
        ),
        Err(error) => finding(Some(false), format!("clone(2) doesn't work: {error}"), "a command can't be started")
            .do_this(
                error
                    .source()
                    .and_then(|source| have_more(source.downcast_ref()?))
                    .unwrap_or("allow clone(2), setpgid(2) and prctl(2) in the filter of system calls (seccomp)"),
            ),
    }
}

fn received(lost: Result<SignalSet, trial::Refused>) -> Finding {
    match lost {
        Ok(SignalSet::EMPTY) => finding(
            Some(true),
            "signalfd(2) works: each signal came, and queued ones with their values",
            "each signal is passed on to the command",
        ),
        Ok(lost) => finding(
            Some(false),
            format!("signalfd(2): these signals don't come (an emulator?): {}", list(lost)),
            "they don't reach the command; all others do",
        )
        .do_this(EMULATED),
        Err((call, error)) => {
            finding(Some(false), format!("{call}: {error}"), "signals don't reach the command as they are sent")
                .do_this(allow(call, &error))
        }
    }
}

/// What becomes of a process whose parent is killed.
fn orphans(report: &mut Report) {
    if let Some(found) = ended("prctl(2)", || drop((Subreaper::claim(), trial::bereave()))) {
        return report.add(found);
    }
    let is_pid_1 = process::id().as_raw() == 1;
    let claimed = Subreaper::claim();
    let mut more = None;
    let (subreaper, parent_death) = match trial::bereave() {
        Ok(bereaved) => (
            if bereaved.is_adopted { Ok(()) } else { Err("an orphan went to another process".to_owned()) },
            bereaved.is_killed.map_err(|error| error.to_string()),
        ),
        Err(error) => {
            more = have_more(&error);
            let not_tried = || Err(format!("no process could be started to try it: {error}"));
            (not_tried(), not_tried())
        }
    };
    // PID 1 needs to be none.
    let subreaper =
        if is_pid_1 { subreaper } else { claimed.map(drop).map_err(|error| error.to_string()).and(subreaper) };
    for found in [reaped(subreaper, is_pid_1), killed_with_parent(parent_death)] {
        report.add(if let Some(more) = more { found.do_this(more) } else { found });
    }
}

fn reaped(subreaper: Result<(), String>, is_pid_1: bool) -> Finding {
    match subreaper {
        Ok(()) => finding(
            Some(true),
            if is_pid_1 { "it gets orphans" } else { "it can be a child subreaper" },
            "panicmon gets the orphans of the command, and reaps them",
        ),
        Err(error) => {
            let means = "orphans of the command go to PID 1, and --drain can't find them";
            finding(Some(false), format!("it can't be a child subreaper: {error}"), means).do_this(
                "make panicmon PID 1 of a PID namespace (the entrypoint of a container), which needs no subreaper",
            )
        }
    }
}

fn killed_with_parent(parent_death: Result<(), String>) -> Finding {
    match (parent_death, user::differing()) {
        (Ok(()), Some(Differing { what, real, effective })) => finding(
            Some(false),
            format!(
                "the real {what} is {real} and the effective {what} {effective}: an exec takes the parent-death signal"
            ),
            "if panicmon is killed, the command lives on, unless --user makes them the same",
        )
        .do_this("make the real and the effective ids the same: --user, or no set-user-id program before panicmon"),
        (Ok(()), None) => finding(
            Some(true),
            "the kernel has a parent-death signal",
            "if panicmon is killed, the command is killed too (unless it is set-user-id, or changes its user itself)",
        ),
        (Err(error), _) => {
            finding(Some(false), format!("there is no parent-death signal: {error}"), "a command can't be started")
                .do_this("allow prctl(2) in the filter of system calls (seccomp)")
        }
    }
}

/// What `--drain` can do, which needs to see processes, too.
fn descendants(is_seen: bool) -> Finding {
    if let Some(found) = ended("pidfd_open(2) or pidfd_send_signal(2)", || drop(trial::pidfd())) {
        return found;
    }
    match trial::pidfd() {
        Ok(()) if is_seen => {
            finding(Some(true), "pidfd_open(2) works", "--drain reaches every descendant, and no other process")
        }
        Ok(()) => finding(
            Some(true),
            "pidfd_open(2) works",
            "--drain could reach every descendant, and no other process, but it finds none without the /proc of these processes",
        ),
        Err((call, error)) => finding(
            Some(false),
            format!("{call}: {error}"),
            if is_seen {
                "--drain reaches panicmon's own children only, and other descendants once their parents have ended"
            } else {
                "--drain couldn't reach every descendant, and it finds none without the /proc of these processes"
            },
        )
        .do_this(allow(call, &error)),
    }
}

/// What becomes of descriptors that panicmon has inherited and doesn't need.
fn descriptors() -> Finding {
    if let Some(found) = ended("close_range(2)", || drop(Closing::find())) {
        return found;
    }
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
        )
        .do_this("allow close_range(2) in the filter of system calls (seccomp), or mount /proc"),
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

fn terminal(inherited_mask: SignalSet, settings: &Settings) -> Finding {
    if settings.config.is_some() {
        let means = "each process of the file has a process group of its own, and none has the terminal";
        return finding(None, "--config runs several processes", means);
    }
    if settings.session {
        let means = "the command leads it, and gets the controlling terminal only if panicmon leads a session";
        return finding(None, "--session asks for a session of its own", means);
    }
    let group = match ChildGroup::try_to_find(inherited_mask, true) {
        Ok(group) => group,
        Err(error) => return terminal_out_of_reach(&error, settings),
    };
    match group.terminal() {
        None => finding(None, "there is no controlling terminal", "the command has a process group of its own"),
        Some(_) => finding(
            Some(true),
            "there is a controlling terminal",
            "the command has a process group of its own, and gets the terminal when it needs it",
        ),
    }
}

fn terminal_out_of_reach(error: &io::Error, settings: &Settings) -> Finding {
    let is_refused = error.raw_os_error().is_some();
    let node = if is_refused { "/dev/tty: " } else { "" };
    let means = if settings.group {
        "the command stays in panicmon's process group, and is signalled alone: --group has no effect"
    } else {
        "the command stays in panicmon's process group, and the kernel treats both alike"
    };
    let found = finding(
        settings.group.then_some(false),
        format!("there is a controlling terminal that can't be handed over: {node}{error}"),
        means,
    );
    found.do_this(if is_refused || error.kind() == io::ErrorKind::NotFound {
        "give panicmon a /dev/tty that it may open (mknod -m 666 /dev/tty c 5 0), or the terminal as stdin"
    } else {
        "for a command with job control: start panicmon with SIGTTIN neither ignored nor blocked, in a group of its PID namespace"
    })
}
