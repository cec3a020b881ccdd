//! How and why a run ended, beyond its status.

use crate::model::origin::Origin;
use crate::model::signal::Signal;
use std::path::PathBuf;
use std::time::Duration;

/// A signal that a process died of had been passed on to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PassedOn {
    /// Who sent it.
    pub origin: Origin,
    /// How long before the end that was, the last time.
    pub before: Duration,
}

impl PassedOn {
    /// A signal that was passed on so long before the end.
    pub const fn new(origin: Origin, before: Duration) -> PassedOn {
        PassedOn { origin, before }
    }
}

/// What asked a process to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StopRequest {
    /// The signal that came.
    pub signal: Signal,
    /// Who sent it.
    pub origin: Origin,
}

impl StopRequest {
    /// A stop by this signal.
    pub const fn new(signal: Signal, origin: Origin) -> StopRequest {
        StopRequest { signal, origin }
    }
}

/// Why this program killed a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KilledBy {
    /// It hadn't ended within this time of a stop.
    KillAfter(Duration),
    /// A second stop came, or an order to kill it; or the first stop is passed on as KILL.
    Stop,
}

impl KilledBy {
    /// The word for it: `kill-after` or `stop`.
    pub const fn as_str(self) -> &'static str {
        match self {
            KilledBy::KillAfter(_) => "kill-after",
            KilledBy::Stop => "stop",
        }
    }
}

/// Whether a process was killed because memory ran out, by what its cgroup counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Oom {
    /// What follows from it.
    pub verdict: OomVerdict,
    /// How many processes of the cgroup were killed for want of memory while it ran.
    pub kills: u64,
    /// The most memory that the cgroup may use, in bytes; `None`: there is no limit, or it isn't known.
    pub limit_bytes: Option<u64>,
    /// The most that it has used at a time, in bytes (Linux 5.19); `None`: it isn't known.
    pub peak_bytes: Option<u64>,
    /// The directory of the cgroup.
    pub cgroup: Option<PathBuf>,
}

/// What the count of a cgroup says of the end of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
pub enum OomVerdict {
    /// Memory ran out, and it was killed for that.
    Certain,
    /// Another process of the cgroup was killed for that while it ran.
    Helper,
    /// Memory didn't run out.
    No,
    /// There is no count that could be read.
    #[default]
    Unknown,
}

impl OomVerdict {
    /// The word for it: `certain`, `helper`, `no` or `unknown`.
    pub const fn as_str(self) -> &'static str {
        match self {
            OomVerdict::Certain => "certain",
            OomVerdict::Helper => "helper",
            OomVerdict::No => "no",
            OomVerdict::Unknown => "unknown",
        }
    }
}

/// What becomes of the core of a process that died of a signal that asks for one: core(5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Core {
    /// The kernel's pattern (/proc/sys/kernel/core_pattern).
    pub pattern: Option<String>,
    /// The file, if it is there; `None`: it isn't, or a program has it (a pattern that begins with `|`).
    pub path: Option<PathBuf>,
    /// The limit of its size, in bytes (RLIMIT_CORE); `None`: there is none.
    pub limit_bytes: Option<u64>,
}

/// What a process has died of, by its last words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Panic {
    /// The language, or the runtime where it has words of its own: `go`, `python`, `jvm`.
    pub language: &'static str,
    /// The class of an exception, or the runtime's word for this kind of death.
    pub kind: String,
    /// What it said of it; may have several lines, may be empty.
    pub message: String,
    /// The thread, if it has a name.
    pub thread: Option<String>,
    /// The functions, the innermost first, with file and line where they are known. At most ten.
    pub frames: Vec<String>,
    /// The stream that said so.
    pub stream: Source,
    /// The same for the same fault on another day: 16 hexadecimal digits.
    pub fingerprint: String,
}

/// A stream that told of a death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
pub enum Source {
    /// stderr.
    Stderr,
    /// stdout.
    Stdout,
}
