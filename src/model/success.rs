//! Ends that count as a success.

use crate::model::signal::Signal;
use crate::model::status::ExitStatus;
use std::fmt;
use std::str::FromStr;

/// An end that counts as a success, beside exit code 0.
///
/// ```
/// use panicmon::{Signal, Success};
///
/// assert_eq!("3".parse(), Ok(Success::Code(3)));
/// assert_eq!("SIGTERM".parse(), Ok(Success::Signal(Signal::TERM)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Success {
    /// It exited with this code.
    Code(u8),
    /// This signal ended it.
    Signal(Signal),
}

impl Success {
    /// Whether this end is meant.
    pub(crate) fn is(self, status: ExitStatus) -> bool {
        match (self, status) {
            (Success::Code(code), ExitStatus::Exited(exited)) => code == exited,
            (Success::Signal(signal), ExitStatus::Signaled { signal: by, .. }) => signal == by,
            _ => false,
        }
    }

    /// Whether a process that ended so, and for which these count, too, has succeeded.
    pub(crate) fn is_any_of(successes: &[Success], status: ExitStatus) -> bool {
        status.is_success() || successes.iter().any(|success| success.is(status))
    }
}

/// A word that is neither an exit code nor a signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseSuccessError {
    word: String,
}

impl fmt::Display for ParseSuccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' is neither an exit code (0 to 255) nor a signal (TERM, SIGTERM)", self.word)
    }
}

impl std::error::Error for ParseSuccessError {}

impl FromStr for Success {
    type Err = ParseSuccessError;

    /// Understands exit codes and names of signals. A number is always a code. Blanks around them don't count.
    fn from_str(word: &str) -> Result<Success, ParseSuccessError> {
        let error = || ParseSuccessError { word: word.to_owned() };
        let word = word.trim();
        if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) {
            word.parse().map(Success::Code).map_err(|_| error())
        } else {
            word.parse().map(Success::Signal).map_err(|_| error())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_success_is_0_or_what_is_listed() {
        let killed = |signal| ExitStatus::Signaled { signal, core_dumped: false };
        let list = ["3", "TERM"].map(|word| word.parse().unwrap());
        for (status, listed) in [
            (ExitStatus::Exited(0), true),
            (ExitStatus::Exited(3), true),
            (ExitStatus::Exited(4), false),
            (killed(Signal::TERM), true),
            // What it exits with isn't what ended it.
            (ExitStatus::Exited(143), false),
            (killed(Signal::INT), false),
        ] {
            assert_eq!(Success::is_any_of(&list, status), listed, "{status}");
            assert_eq!(Success::is_any_of(&[], status), status.is_success());
        }
    }

    /// As in `3, 4`, where 4 isn't SIGILL.
    #[test]
    fn a_number_in_blanks_is_a_code() {
        for word in [" 4", "4 ", "\t4"] {
            assert_eq!(word.parse(), Ok(Success::Code(4)));
        }
        assert_eq!(" TERM".parse(), Ok(Success::Signal(Signal::TERM)));
    }

    #[test]
    fn what_is_none_is_told() {
        for word in ["256", "-1", "", "TREM", "+3", "1-3"] {
            let error = word.parse::<Success>().unwrap_err();
            assert!(error.to_string().starts_with(&format!("'{word}' is neither")), "{error}");
        }
    }
}
