//! How a command ended, to which a status can be given.

use crate::model::signal::Signal;
use std::fmt;
use std::str::FromStr;

/// How a command ended, to which a status can be given ([`Options::exit`](crate::api::options::Options::exit)).
///
/// ```
/// use panicmon::{ExitFrom, Signal};
///
/// assert_eq!("143".parse(), Ok(ExitFrom::Status(143)));
/// assert_eq!("TERM".parse(), Ok(ExitFrom::Signal(Signal::TERM)));
/// assert_eq!("timeout".parse(), Ok(ExitFrom::Timeout));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExitFrom {
    /// With this status: its own exit code, or 128+N.
    Status(u8),
    /// This signal ended it.
    Signal(Signal),
    /// The kernel killed it because memory ran out: it died of KILL, which this program didn't send, and its cgroup has
    /// counted a kill for want of memory meanwhile (`memory.events`, cgroup v2, or `memory.oom_control`, v1).
    Oom,
    /// panicmon killed it when its time after a stop was over.
    Timeout,
    /// A stop came through panicmon, and the command ended with 0, by that signal, or with 128 and its number.
    Requested,
}

impl fmt::Display for ExitFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExitFrom::Status(code) => write!(f, "{code}"),
            ExitFrom::Signal(signal) => write!(f, "{signal}"),
            ExitFrom::Oom => f.write_str("oom"),
            ExitFrom::Timeout => f.write_str("timeout"),
            ExitFrom::Requested => f.write_str("requested"),
        }
    }
}

/// A word that is no way to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseExitFromError {
    word: String,
}

impl fmt::Display for ParseExitFromError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if is_number(&self.word) { "is not an exit status" } else { "is no way to end" };
        write!(f, "'{}' {what}: write a number from 0 to 255, a signal (TERM), oom, timeout, or requested", self.word)
    }
}

impl std::error::Error for ParseExitFromError {}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

impl FromStr for ExitFrom {
    type Err = ParseExitFromError;

    /// Understands `oom`, `timeout`, `requested`, statuses, and names of signals. A number is always a status.
    fn from_str(word: &str) -> Result<ExitFrom, ParseExitFromError> {
        let error = || ParseExitFromError { word: word.to_owned() };
        match word {
            "oom" => Ok(ExitFrom::Oom),
            "timeout" => Ok(ExitFrom::Timeout),
            "requested" => Ok(ExitFrom::Requested),
            _ if is_number(word) => word.parse().map(ExitFrom::Status).map_err(|_| error()),
            _ => word.parse().map(ExitFrom::Signal).map_err(|_| error()),
        }
    }
}
