//! Whether a process was killed because memory ran out, by what its cgroup has counted: decisions only.

use crate::model::death::OomVerdict;
use crate::model::signal::Signal;
use crate::model::status::ExitStatus;
use std::time::Duration;

/// A kill that was counted longer than this before the end of a process wasn't its own.
const BELONGS_TO_END: Duration = Duration::from_secs(1);

/// What was counted while a process ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    /// It can't be told.
    Unknown,
    Kills {
        count: u64,
        /// How long before the end the last one was counted. `None`: it isn't known; the count was looked at only at the end.
        before_end: Option<Duration>,
    },
}

/// The verdict on an end with this status; `ours`: this program had sent it KILL.
pub(crate) fn verdict(counted: Counted, status: ExitStatus, ours: bool) -> OomVerdict {
    let Counted::Kills { count, before_end } = counted else { return OomVerdict::Unknown };
    if count == 0 {
        return OomVerdict::No;
    }
    let by_kill = status.signal() == Some(Signal::KILL);
    let belongs = before_end.is_none_or(|before| before <= BELONGS_TO_END);
    if by_kill && !ours && belongs { OomVerdict::Certain } else { OomVerdict::Helper }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_kill_of_that_moment_that_is_nobody_elses_is_certain() {
        let killed = ExitStatus::Signaled { signal: Signal::KILL, core_dumped: false };
        let kills = |count, before_end| Counted::Kills { count, before_end };
        let hour = Some(Duration::from_secs(3600));
        for (counted, status, ours, expected) in [
            (kills(1, Some(Duration::ZERO)), killed, false, OomVerdict::Certain),
            (kills(7, Some(BELONGS_TO_END)), killed, false, OomVerdict::Certain),
            (kills(1, None), killed, false, OomVerdict::Certain),
            (kills(1, hour), killed, false, OomVerdict::Helper),
            (kills(1, Some(Duration::ZERO)), killed, true, OomVerdict::Helper),
            (kills(1, Some(Duration::ZERO)), ExitStatus::Exited(137), false, OomVerdict::Helper),
            (kills(1, Some(Duration::ZERO)), ExitStatus::Exited(0), false, OomVerdict::Helper),
            (kills(0, None), killed, false, OomVerdict::No),
            (Counted::Unknown, killed, false, OomVerdict::Unknown),
        ] {
            assert_eq!(verdict(counted, status, ours), expected, "{counted:?} {status} {ours}");
        }
    }
}
