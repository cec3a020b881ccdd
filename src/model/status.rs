//! How a process ended, and the exit status that says so.

use crate::model::signal::Signal;
use std::fmt;
use std::process::{ExitCode, Termination};
use std::time::Duration;

/// An exit status, 0 to 255; prints as its number.
///
/// A child that signal N ended has 128+N, as with shells and other wrappers. (The Go package panicmon says -1; the signal
/// itself is in [`ExitStatus`].) A `main` can return it, or a `Result<StatusCode, Error>`: the program exits with it.
///
/// ```
/// use panicmon::{ExitStatus, Signal, StatusCode};
///
/// let status = ExitStatus::Signaled { signal: Signal::TERM, core_dumped: false };
/// assert_eq!(status.code(), StatusCode::new(143));
/// assert_eq!(status.code().to_string(), "143");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusCode(u8);

impl StatusCode {
    /// Success: 0.
    pub const SUCCESS: StatusCode = StatusCode(0);
    /// panicmon itself failed, or was called wrongly: 125.
    pub const OWN_FAILURE: StatusCode = StatusCode(125);
    /// The command was found but can't be executed: 126.
    pub const NOT_EXECUTABLE: StatusCode = StatusCode(126);
    /// The command wasn't found: 127.
    pub const NOT_FOUND: StatusCode = StatusCode(127);

    /// The status with this number.
    pub const fn new(code: u8) -> StatusCode {
        StatusCode(code)
    }

    /// Its number.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Whether it is 0.
    pub const fn is_success(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Termination for StatusCode {
    /// The status that a program whose `main` returns it exits with.
    ///
    /// ```no_run
    /// use panicmon::{Error, Executor, Options, StatusCode};
    ///
    /// fn main() -> Result<StatusCode, Error> {
    ///     Executor::new(Options::default())?.run(["myserver"])
    /// }
    /// ```
    fn report(self) -> ExitCode {
        self.into()
    }
}

impl From<StatusCode> for ExitCode {
    fn from(code: StatusCode) -> ExitCode {
        ExitCode::from(code.0)
    }
}

impl From<StatusCode> for i32 {
    fn from(code: StatusCode) -> i32 {
        i32::from(code.0)
    }
}

/// How a process ended (wait(2)).
///
/// With the feature `serde` it is a map with `code`, or with `signal` and `core_dumped`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExitStatus {
    /// It exited of itself, with this code.
    Exited(u8),
    /// A signal ended it.
    Signaled {
        /// Which one.
        signal: Signal,
        /// Whether the kernel wrote a core file.
        core_dumped: bool,
    },
}

impl ExitStatus {
    /// The exit status of a wrapper that ends as this process did: its code, or 128+N.
    pub const fn code(self) -> StatusCode {
        match self {
            ExitStatus::Exited(code) => StatusCode(code),
            ExitStatus::Signaled { signal, .. } => StatusCode(128 + signal.number() as u8),
        }
    }

    /// Whether it exited with 0.
    pub const fn is_success(self) -> bool {
        matches!(self, ExitStatus::Exited(0))
    }

    /// The signal that ended it, if one did.
    pub const fn signal(self) -> Option<Signal> {
        match self {
            ExitStatus::Signaled { signal, .. } => Some(signal),
            ExitStatus::Exited(_) => None,
        }
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExitStatus::Exited(code) => write!(f, "exit code {code}"),
            ExitStatus::Signaled { signal, core_dumped: false } => write!(f, "killed by {signal}"),
            ExitStatus::Signaled { signal, core_dumped: true } => write!(f, "killed by {signal}, core dumped"),
        }
    }
}

/// What a process used, its own waited-for children included (getrusage(2)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ResourceUsage {
    /// Processor time in user mode.
    #[cfg_attr(feature = "serde", serde(rename = "user_ms", serialize_with = "milliseconds"))]
    pub user: Duration,
    /// Processor time in the kernel.
    #[cfg_attr(feature = "serde", serde(rename = "system_ms", serialize_with = "milliseconds"))]
    pub system: Duration,
    /// The greatest resident set, in bytes; at least that of the program that started it, whose memory it had before exec.
    pub max_rss_bytes: u64,
    /// Page faults served without input or output.
    pub minor_faults: u64,
    /// Page faults that needed input.
    pub major_faults: u64,
    /// Context switches because it waited.
    pub voluntary_switches: u64,
    /// Context switches because its time was up.
    pub involuntary_switches: u64,
}

#[cfg(feature = "serde")]
fn milliseconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_main_that_returns_a_status_exits_with_it() {
        assert_eq!(format!("{:?}", StatusCode::new(3).report()), format!("{:?}", ExitCode::from(3)));
    }

    #[test]
    fn the_code_is_the_childs_or_128_and_the_signal() {
        for code in 0..=255 {
            assert_eq!(ExitStatus::Exited(code).code().get(), code);
        }
        for signal in Signal::all() {
            let status = ExitStatus::Signaled { signal, core_dumped: false };
            assert_eq!(i32::from(status.code()), 128 + signal.number());
        }
    }
}
