//! What is told of the processes that a run leaves behind.

use std::time::Duration;

/// A command that ends with 0 in a shorter time, and leaves processes, has probably put itself into the background.
const LONGEST_DAEMON_START: Duration = Duration::from_secs(10);

/// How a run ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EndOfRun {
    pub(crate) succeeded: bool,
    pub(crate) took: Duration,
    /// It was asked to stop.
    pub(crate) asked: bool,
    /// Its whole process group was, too: the others may need a moment longer.
    pub(crate) whole_group: bool,
}

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Nothing,
    /// It looks as if the command had put itself into the background.
    Daemon,
    /// The processes of its group are being ended.
    Ending,
    /// There are other processes that it may have started. That is told at the log level info only.
    Others,
}

impl EndOfRun {
    pub(crate) fn looks_like_a_daemon(&self) -> bool {
        self.succeeded && self.took < LONGEST_DAEMON_START && !self.asked
    }

    /// What is told of this many processes in its group, and this many others. `is_cleaned`: those in its group are being
    /// ended.
    pub(crate) fn tells(&self, is_cleaned: bool, in_group: usize, others: usize) -> Told {
        if in_group + others == 0 {
            Told::Nothing
        } else if self.looks_like_a_daemon() {
            Told::Daemon
        } else if is_cleaned && in_group > 0 && !(self.asked && self.whole_group) {
            Told::Ending
        } else if others > 0 {
            Told::Others
        } else {
            Told::Nothing
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_surprise_is_told() {
        let (soon, late) = (Duration::ZERO, LONGEST_DAEMON_START);
        for (succeeded, took, asked, whole_group, is_cleaned, counts, told) in [
            (true, soon, false, false, false, (0, 0), Told::Nothing),
            (true, soon, false, false, false, (1, 0), Told::Daemon),
            (true, soon, false, false, true, (1, 2), Told::Daemon),
            (true, soon, false, true, true, (0, 2), Told::Daemon),
            (true, late, false, false, false, (1, 0), Told::Nothing),
            (true, late, false, false, true, (1, 0), Told::Ending),
            (false, soon, false, false, true, (1, 1), Told::Ending),
            (false, soon, false, false, true, (0, 1), Told::Others),
            (false, soon, false, false, false, (1, 0), Told::Nothing),
            // A launcher that ends alone, and a group that ends as a whole.
            (true, soon, true, false, true, (1, 0), Told::Ending),
            (true, soon, true, true, true, (1, 0), Told::Nothing),
            (true, soon, true, true, true, (1, 1), Told::Others),
        ] {
            let end = EndOfRun { succeeded, took, asked, whole_group };
            assert_eq!(end.tells(is_cleaned, counts.0, counts.1), told, "{end:?} {is_cleaned} {counts:?}");
        }
    }
}
