//! The end of a run in a sentence, as a person would say it.

use super::process::{PreviousRunLost, ProcessExited, ProcessFailed};
use crate::model::death::{Core, KilledBy, Oom, OomVerdict, Panic, PassedOn};
use crate::model::duration::{Exact, Short};
use crate::model::error::Error;
use crate::model::printable::OneLine;
use crate::model::signal::Signal;
use crate::model::status::ExitStatus;
use std::fmt::{self, Display};

impl ProcessExited<'_> {
    /// How and why it ended, in a sentence without its period.
    ///
    /// ```
    /// use panicmon::{ExitStatus, Pid, ProcessExited, Signal};
    /// use std::time::Duration;
    ///
    /// let killed = ExitStatus::Signaled { signal: Signal::KILL, core_dumped: false };
    /// let mut exited = ProcessExited::new("web", vec!["myserver".into()], Pid::new(7), killed);
    /// exited.duration = Duration::from_secs(3 * 3600 + 12 * 60);
    /// assert_eq!(exited.summary(), "web (pid 7) was killed by SIGKILL after 3h12m");
    /// ```
    pub fn summary(&self) -> String {
        let why = self.why();
        format!("{} (pid {}) {} after {}{why}", named(&self.name), self.pid, self.how(), Short(self.duration))
    }

    /// The word of systemd's for how it ended (`$SERVICE_RESULT`, systemd.exec(5)): `success`, `exit-code`, `signal`,
    /// `core-dump`, `oom-kill` or `timeout`.
    pub fn result(&self) -> &'static str {
        match self.status {
            _ if self.success => "success",
            _ if self.is_out_of_memory() => "oom-kill",
            _ if matches!(self.killed_by, Some(KilledBy::KillAfter(_))) => "timeout",
            _ if self.requested => "success",
            ExitStatus::Exited(_) => "exit-code",
            ExitStatus::Signaled { core_dumped: false, .. } => "signal",
            ExitStatus::Signaled { core_dumped: true, .. } => "core-dump",
        }
    }

    fn is_out_of_memory(&self) -> bool {
        self.oom.as_ref().is_some_and(|oom| oom.verdict == OomVerdict::Certain)
    }

    fn how(&self) -> String {
        match self.status {
            ExitStatus::Exited(code) => format!("ended with exit code {code}"),
            ExitStatus::Signaled { signal, .. } if self.requested => format!("ended by {signal}"),
            ExitStatus::Signaled { signal, .. } => format!("was killed by {signal}"),
        }
    }

    fn why(&self) -> String {
        let is_strangers = self.status.signal() == Some(Signal::KILL) && self.killed_by.is_none();
        let memory = match &self.oom {
            Some(oom) if oom.verdict == OomVerdict::Certain => return format!(": out of memory{}", Figures(oom)),
            Some(oom) if oom.verdict == OomVerdict::Helper => format!("; {}", Helpers(oom)),
            Some(oom) if is_strangers && oom.verdict == OomVerdict::No && self.processor_limit.is_none() => {
                ", and not for want of memory".to_owned()
            }
            _ => String::new(),
        };
        let panic = self.panic.as_ref().map_or_else(String::new, |panic| format!(": {}", Said(panic)));
        let by = match self.killed_by {
            Some(KilledBy::KillAfter(time)) => {
                return format!(": it hadn't ended within {} of {}{memory}", Exact(time), self.stop());
            }
            Some(KilledBy::Stop) => return format!(": that was asked for by {}{memory}", self.stop()),
            None if self.requested => format!(", as {} asked", self.stop()),
            None => self.passed_on.map_or_else(String::new, |passed| passed.to_string()),
        };
        let core = self.core.as_ref().map_or_else(
            || if self.has_dumped() { ", core dumped".to_owned() } else { String::new() },
            |core| WithCore { core, dumped: self.has_dumped() }.to_string(),
        );
        format!("{by}{}{core}{panic}{memory}", self.limit())
    }

    /// The limit whose signal ended it.
    fn limit(&self) -> String {
        match (self.status.signal(), self.processor_limit) {
            (Some(Signal::XCPU), _) => ", which the limit of processor time sends (ulimit -t)".to_owned(),
            (Some(Signal::XFSZ), _) => ", which the limit of a file's size sends (ulimit -f)".to_owned(),
            (Some(Signal::KILL), Some(limit)) => {
                format!(", which the hard limit of processor time sends (ulimit -Ht), {}", Exact(limit))
            }
            _ => String::new(),
        }
    }

    fn has_dumped(&self) -> bool {
        matches!(self.status, ExitStatus::Signaled { core_dumped: true, .. })
    }

    fn stop(&self) -> String {
        match self.requested_by {
            Some(by) => match by.origin.sender() {
                Some(pid) if pid.as_raw() > 0 => format!("{} from pid {pid}", by.signal),
                _ => by.signal.to_string(),
            },
            None => "the stop".to_owned(),
        }
    }
}

impl ProcessFailed<'_> {
    /// What couldn't be started and why, in a sentence without its period. It names no directory of `PATH`: the
    /// [error](ProcessFailed::error) does.
    ///
    /// ```
    /// use panicmon::{Error, ProcessFailed};
    ///
    /// let error = Error::NotFound { command: "./myserver".into(), path: None };
    /// let failed = ProcessFailed::new("web", vec!["./myserver".into()], error);
    /// assert_eq!(failed.summary(), "web couldn't be started: ./myserver: no such file");
    /// ```
    pub fn summary(&self) -> String {
        let (name, error) = (named(&self.name), &*self.error);
        match error {
            Error::Cancelled => format!("{name} was cancelled before it was started"),
            // It was started.
            Error::Wait { .. } | Error::StatusLost => format!("{name}: {error}"),
            error => format!("{name} couldn't be started: {}", error.brief()),
        }
    }
}

impl PreviousRunLost<'_> {
    /// What is known of it, in a sentence without its period.
    pub fn summary(&self) -> String {
        let pid = self.pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
        let started = self.started.as_ref().map(|time| format!(", started at {time},")).unwrap_or_default();
        let reboot = match self.rebooted {
            Some(true) => "; the machine was started anew since",
            Some(false) => "; the machine has been running since, so both were killed",
            None => "",
        };
        format!("the last run of {}{pid}{started} has vanished together with its panicmon{reboot}", named(&self.name))
    }
}

/// `, passed on from pid 1 2ms before`.
impl Display for PassedOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(", passed on")?;
        if let Some(pid) = self.origin.sender().filter(|pid| pid.as_raw() > 0) {
            write!(f, " from pid {pid}")?;
        }
        match self.before.as_millis() {
            0 => f.write_str(" just before"),
            _ => write!(f, " {} before", Short(self.before)),
        }
    }
}

/// What a process is called in a sentence: an empty command has no name.
fn named(name: &str) -> &str {
    if name.is_empty() { "the command" } else { name }
}

/// `go panic: index out of range`: the language, its word for it, and the first line of the message.
struct Said<'a>(&'a Panic);

impl Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Panic { language, kind, message, .. } = self.0;
        f.write_str(language)?;
        if !kind.is_empty() {
            write!(f, " {kind}")?;
        }
        match message.lines().next() {
            Some(line) if !line.trim().is_empty() => write!(f, ": {}", OneLine(&line.trim())),
            _ => Ok(()),
        }
    }
}

/// ` (limit 512 MiB, peak 512 MiB)`, as far as they are known.
struct Figures<'a>(&'a Oom);

impl Display for Figures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.limit_bytes, self.0.peak_bytes) {
            (Some(limit), Some(peak)) => write!(f, " (limit {}, peak {})", Bytes(limit), Bytes(peak)),
            (Some(limit), None) => write!(f, " (limit {})", Bytes(limit)),
            (None, Some(peak)) => write!(f, " (peak {})", Bytes(peak)),
            (None, None) => Ok(()),
        }
    }
}

/// `2 other processes of its cgroup were killed for want of memory while it ran`.
struct Helpers<'a>(&'a Oom);

impl Display for Helpers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, figures) = (self.0.kills, Figures(self.0));
        match count {
            1 => write!(f, "another process of its cgroup was killed for want of memory while it ran{figures}"),
            _ => {
                write!(f, "{count} other processes of its cgroup were killed for want of memory while it ran{figures}")
            }
        }
    }
}

struct WithCore<'a> {
    core: &'a Core,
    dumped: bool,
}

impl Display for WithCore<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.dumped, &self.core.path, self.core.limit_bytes) {
            (true, Some(path), _) => write!(f, ", core dumped to {}", path.display()),
            (true, None, _) => f.write_str(", core dumped"),
            (false, _, Some(0)) => f.write_str(", without a core: its limit is 0 (ulimit -c)"),
            (false, ..) => f.write_str(", without a core"),
        }
    }
}

/// A number of bytes: `512 MiB`, `1.5 GiB`, `900 bytes`.
pub(crate) struct Bytes(pub(crate) u64);

impl Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shift, unit) = match self.0 {
            0..1024 => return write!(f, "{} bytes", self.0),
            bytes if bytes < 1 << 20 => (10, "KiB"),
            bytes if bytes < 1 << 30 => (20, "MiB"),
            _ => (30, "GiB"),
        };
        let tenths = (u128::from(self.0) * 10) >> shift;
        match tenths % 10 {
            0 => write!(f, "{} {unit}", tenths / 10),
            tenth => write!(f, "{}.{tenth} {unit}", tenths / 10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::death::StopRequest;
    use crate::model::origin::Origin;
    use crate::model::pid::Pid;
    use std::io;
    use std::time::Duration;

    fn by(signal: Signal) -> ExitStatus {
        ExitStatus::Signaled { signal, core_dumped: false }
    }

    fn ended(status: ExitStatus, change: impl FnOnce(&mut ProcessExited<'_>)) -> (String, &'static str) {
        let mut exited = ProcessExited::new("web", vec!["x".into()], Pid::new(7), status);
        exited.duration = Duration::from_secs(45);
        change(&mut exited);
        let summary = exited.summary();
        (summary.strip_prefix("web (pid 7) ").unwrap().to_owned(), exited.result())
    }

    fn oom(verdict: OomVerdict, kills: u64) -> Option<Oom> {
        let (limit_bytes, peak_bytes) = (Some(512 << 20), Some((512 << 20) - 1));
        Some(Oom { verdict, kills, limit_bytes, peak_bytes, cgroup: None })
    }

    #[test]
    fn who_sent_a_signal_that_was_passed_on_is_said() {
        let sender = Origin::Process { pid: Pid::new(1), uid: 0 };
        let passed =
            |origin, before| ended(by(Signal::ABRT), |end| end.passed_on = Some(PassedOn::new(origin, before))).0;
        let some = passed(sender, Duration::from_millis(2));
        assert_eq!(some, "was killed by SIGABRT after 45s, passed on from pid 1 2ms before");
        let none = passed(Origin::Kernel, Duration::from_micros(7));
        assert_eq!(none, "was killed by SIGABRT after 45s, passed on just before");
    }

    #[test]
    fn each_end_is_said_as_a_person_would() {
        let kill = by(Signal::KILL);
        let origin = Origin::Process { pid: Pid::new(1), uid: 0 };
        let term = Some(StopRequest::new(Signal::TERM, origin));
        let dumped = ExitStatus::Signaled { signal: Signal::SEGV, core_dumped: true };
        for (end, sentence, result) in [
            (ended(ExitStatus::Exited(0), |_| {}), "ended with exit code 0 after 45s", "success"),
            (ended(ExitStatus::Exited(3), |_| {}), "ended with exit code 3 after 45s", "exit-code"),
            (ended(by(Signal::TERM), |_| {}), "was killed by SIGTERM after 45s", "signal"),
            (
                ended(by(Signal::TERM), |end| (end.requested, end.requested_by) = (true, term)),
                "ended by SIGTERM after 45s, as SIGTERM from pid 1 asked",
                "success",
            ),
            (ended(kill, |_| {}), "was killed by SIGKILL after 45s", "signal"),
            (
                ended(kill, |end| end.oom = oom(OomVerdict::Certain, 1)),
                "was killed by SIGKILL after 45s: out of memory (limit 512 MiB, peak 511.9 MiB)",
                "oom-kill",
            ),
            (
                ended(kill, |end| end.oom = oom(OomVerdict::No, 0)),
                "was killed by SIGKILL after 45s, and not for want of memory",
                "signal",
            ),
            (
                ended(ExitStatus::Exited(5), |end| end.oom = oom(OomVerdict::Helper, 2)),
                "ended with exit code 5 after 45s; 2 other processes of its cgroup were killed for want of memory while \
                 it ran (limit 512 MiB, peak 511.9 MiB)",
                "exit-code",
            ),
            (
                ended(kill, |end| {
                    let after = KilledBy::KillAfter(Duration::from_secs(10));
                    (end.killed_by, end.requested_by) = (Some(after), term);
                }),
                "was killed by SIGKILL after 45s: it hadn't ended within 10s of SIGTERM from pid 1",
                "timeout",
            ),
            (
                ended(kill, |end| (end.killed_by, end.oom) = (Some(KilledBy::Stop), oom(OomVerdict::No, 0))),
                "was killed by SIGKILL after 45s: that was asked for by the stop",
                "signal",
            ),
            (ended(dumped, |_| {}), "was killed by SIGSEGV after 45s, core dumped", "core-dump"),
            (
                ended(dumped, |end| end.core = Some(Core { path: Some("/var/core.7".into()), ..Core::default() })),
                "was killed by SIGSEGV after 45s, core dumped to /var/core.7",
                "core-dump",
            ),
            (
                ended(by(Signal::ABRT), |end| end.core = Some(Core { limit_bytes: Some(0), ..Core::default() })),
                "was killed by SIGABRT after 45s, without a core: its limit is 0 (ulimit -c)",
                "signal",
            ),
        ] {
            assert_eq!(end, (sentence.to_owned(), result));
        }
    }

    #[test]
    fn whose_limit_sent_the_signal_is_said() {
        let (sentence, result) = ended(by(Signal::XCPU), |_| {});
        let expected = "was killed by SIGXCPU after 45s, which the limit of processor time sends (ulimit -t)";
        assert_eq!((&*sentence, result), (expected, "signal"));
        assert!(ended(by(Signal::XFSZ), |_| {}).0.ends_with(", which the limit of a file's size sends (ulimit -f)"));
        let (sentence, result) = ended(by(Signal::KILL), |end| {
            (end.processor_limit, end.oom) = (Some(Duration::from_secs(2)), oom(OomVerdict::No, 0));
        });
        let expected = "was killed by SIGKILL after 45s, which the hard limit of processor time sends (ulimit -Ht), 2s";
        assert_eq!((&*sentence, result), (expected, "signal"));
    }

    #[test]
    fn a_failure_says_what_could_not_be_started_and_why() {
        let start = io::Error::from_raw_os_error(libc::ENOSPC);
        let in_path = Error::NotFound { command: "x".into(), path: Some("/a:/b".into()) };
        for (error, sentence) in [
            (in_path, "web couldn't be started: x: command not found in PATH"),
            (Error::start("clone", start), "web couldn't be started: clone: No space left on device (os error 28)"),
            (Error::Cancelled, "web was cancelled before it was started"),
            (
                Error::StatusLost,
                "web: the command ended, but its exit status is lost: something else in this process waited for it",
            ),
        ] {
            assert_eq!(ProcessFailed::new("web", vec!["x".into()], error).summary(), sentence);
        }
    }

    #[test]
    fn a_time_that_was_set_is_said_whole() {
        let late = |time| ended(by(Signal::KILL), |end| end.killed_by = Some(KilledBy::KillAfter(time))).0;
        let how = "was killed by SIGKILL after 45s: it hadn't ended within";
        assert_eq!(late(Duration::from_millis(1500)), format!("{how} 1.5s of the stop"));
        assert_eq!(late(Duration::ZERO), format!("{how} 0s of the stop"));
    }

    #[test]
    fn sizes_are_short() {
        assert_eq!(Bytes(900).to_string(), "900 bytes");
        assert_eq!(Bytes(1536).to_string(), "1.5 KiB");
        assert_eq!(Bytes(3 << 29).to_string(), "1.5 GiB");
        assert_eq!(Bytes(u64::MAX).to_string(), "17179869183.9 GiB");
    }
}
