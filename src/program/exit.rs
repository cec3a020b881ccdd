//! `--exit`: an exit status other than the command's.

use crate::model::signal::Signal;
use crate::model::status::ExitStatus;
use std::fmt;
use std::str::FromStr;

/// How a command ended, as `--exit` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExitFrom {
    /// With this status: its own exit code, or 128+N.
    Status(u8),
    /// This signal ended it.
    Signal(Signal),
    /// The kernel killed it because memory ran out.
    Oom,
    /// panicmon killed it when its grace period was over.
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

impl FromStr for ExitFrom {
    type Err = String;

    /// A number is always a status.
    fn from_str(word: &str) -> Result<ExitFrom, String> {
        let what = "write a number from 0 to 255, a signal (TERM), oom, timeout, or requested";
        match word {
            "oom" => Ok(ExitFrom::Oom),
            "timeout" => Ok(ExitFrom::Timeout),
            "requested" => Ok(ExitFrom::Requested),
            _ if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) => {
                word.parse().map(ExitFrom::Status).map_err(|_| format!("'{word}' is not an exit status: {what}"))
            }
            _ => word.parse().map(ExitFrom::Signal).map_err(|_| format!("'{word}' is no way to end: {what}")),
        }
    }
}

/// How the command ended, and why.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ending {
    pub(crate) status: ExitStatus,
    pub(crate) requested: bool,
    pub(crate) timed_out: bool,
    pub(crate) oom: bool,
}

/// The exit status that the rules have for this end. The most specific rule wins: why it ended, then the signal, then the
/// status.
pub(crate) fn mapped(rules: &[(ExitFrom, u8)], ending: Ending) -> Option<u8> {
    let signal = match ending.status {
        ExitStatus::Signaled { signal, .. } => Some(ExitFrom::Signal(signal)),
        ExitStatus::Exited(_) => None,
    };
    let names = [
        ending.oom.then_some(ExitFrom::Oom),
        ending.timed_out.then_some(ExitFrom::Timeout),
        ending.requested.then_some(ExitFrom::Requested),
        signal,
        Some(ExitFrom::Status(ending.status.code().get())),
    ];
    let mut names = names.into_iter().flatten();
    names.find_map(|name| rules.iter().find(|(from, _)| *from == name)).map(|(_, to)| *to)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BY_TERM: ExitStatus = ExitStatus::Signaled { signal: Signal::TERM, core_dumped: false };

    fn to(rules: &[(ExitFrom, u8)], status: ExitStatus, requested: bool, oom: bool) -> Option<u8> {
        mapped(rules, Ending { status, requested, timed_out: false, oom })
    }

    #[test]
    fn a_status_is_the_commands_or_128_and_the_signal() {
        let rules = [(ExitFrom::Status(143), 0), (ExitFrom::Status(3), 4)];
        assert_eq!(to(&rules, BY_TERM, false, false), Some(0));
        assert_eq!(to(&rules, ExitStatus::Exited(143), false, false), Some(0));
        assert_eq!(to(&rules, ExitStatus::Exited(3), false, false), Some(4));
        assert_eq!(to(&rules, ExitStatus::Exited(5), false, false), None);
    }

    #[test]
    fn the_most_special_comes_first() {
        let rules = [
            (ExitFrom::Status(143), 1),
            (ExitFrom::Signal(Signal::TERM), 2),
            (ExitFrom::Requested, 3),
            (ExitFrom::Oom, 4),
        ];
        assert_eq!(to(&rules, BY_TERM, true, true), Some(4));
        assert_eq!(to(&rules, BY_TERM, true, false), Some(3));
        assert_eq!(to(&rules, BY_TERM, false, false), Some(2));
        assert_eq!(to(&rules, ExitStatus::Exited(143), false, false), Some(1));
        assert_eq!(to(&rules[1..2], ExitStatus::Exited(143), false, false), None, "no signal ended it");
        let killed = ExitStatus::Signaled { signal: Signal::KILL, core_dumped: false };
        let ending = Ending { status: killed, requested: false, timed_out: true, oom: false };
        let rules = [(ExitFrom::Signal(Signal::KILL), 1), (ExitFrom::Timeout, 2), (ExitFrom::Requested, 3)];
        assert_eq!(mapped(&rules, ending), Some(2));
        assert_eq!(mapped(&rules, Ending { timed_out: false, ..ending }), Some(1));
    }
}
