//! The exit status where rules ask for another than the command's: decisions only.

use crate::model::exit_from::ExitFrom;
use crate::model::status::{ExitStatus, StatusCode};

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
pub(crate) fn mapped(rules: &[(ExitFrom, StatusCode)], ending: Ending) -> Option<StatusCode> {
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
    use crate::model::signal::Signal;

    const BY_TERM: ExitStatus = ExitStatus::Signaled { signal: Signal::TERM, core_dumped: false };

    fn code(rules: &[(ExitFrom, u8)], ending: Ending) -> Option<u8> {
        let rules: Vec<_> = rules.iter().map(|(from, to)| (*from, StatusCode::new(*to))).collect();
        mapped(&rules, ending).map(StatusCode::get)
    }

    fn to(rules: &[(ExitFrom, u8)], status: ExitStatus, requested: bool, oom: bool) -> Option<u8> {
        code(rules, Ending { status, requested, timed_out: false, oom })
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
        assert_eq!(code(&rules, ending), Some(2));
        assert_eq!(code(&rules, Ending { timed_out: false, ..ending }), Some(1));
    }
}
