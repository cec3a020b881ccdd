//! The exit status where rules ask for another than the command's: decisions only.

use super::action::End;
use crate::model::exit_from::ExitFrom;
use crate::model::status::StatusCode;

/// The exit status that the rules have for this end. The most specific rule wins: why it ended, then the signal, then the
/// status.
pub(crate) fn mapped(rules: &[(ExitFrom, StatusCode)], end: &End) -> Option<StatusCode> {
    let names = [
        end.oom.then_some(ExitFrom::Oom),
        end.has_timed_out().then_some(ExitFrom::Timeout),
        end.requested.then_some(ExitFrom::Requested),
        end.status.signal().map(ExitFrom::Signal),
        Some(ExitFrom::Status(end.status.code().get())),
    ];
    let mut names = names.into_iter().flatten();
    names.find_map(|name| rules.iter().find(|(from, _)| *from == name)).map(|(_, to)| *to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::death::KilledBy;
    use crate::model::signal::Signal;
    use crate::model::status::ExitStatus;
    use std::time::Duration;

    const BY_TERM: ExitStatus = ExitStatus::Signaled { signal: Signal::TERM, core_dumped: false };

    fn code(rules: &[(ExitFrom, u8)], end: End) -> Option<u8> {
        let rules: Vec<_> = rules.iter().map(|(from, to)| (*from, StatusCode::new(*to))).collect();
        mapped(&rules, &end).map(StatusCode::get)
    }

    fn end(status: ExitStatus) -> End {
        End {
            status,
            requested: false,
            stop_requested: false,
            request: None,
            killed_by: None,
            oom: false,
            die_of: None,
        }
    }

    fn to(rules: &[(ExitFrom, u8)], status: ExitStatus, requested: bool, oom: bool) -> Option<u8> {
        code(rules, End { requested, oom, ..end(status) })
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
        let killed_by = Some(KilledBy::KillAfter(Duration::from_secs(10)));
        let rules = [(ExitFrom::Signal(Signal::KILL), 1), (ExitFrom::Timeout, 2), (ExitFrom::Requested, 3)];
        assert_eq!(code(&rules, End { killed_by, ..end(killed) }), Some(2));
        assert_eq!(code(&rules, End { killed_by: Some(KilledBy::Stop), ..end(killed) }), Some(1));
    }
}
