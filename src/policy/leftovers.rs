//! What is told of the processes that a run leaves behind.

use std::time::Duration;

/// A command that ends with 0 sooner than this, and leaves processes, has probably put itself into the background.
const DAEMONISES_WITHIN: Duration = Duration::from_secs(10);

/// How a run ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EndOfRun {
    pub(crate) succeeded: bool,
    pub(crate) took: Duration,
    /// It was asked to stop.
    pub(crate) asked: bool,
    /// Together with its whole process group: the others may need a moment longer.
    pub(crate) whole_group: bool,
}

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Nothing,
    /// It looks as if the command had put itself into the background.
    Daemon,
    /// Those of its group are being ended.
    Ending,
    /// Others are there that it may have started, which is for those only who want to know.
    Others,
}

impl EndOfRun {
    pub(crate) fn looks_like_a_daemon(&self) -> bool {
        self.succeeded && self.took < DAEMONISES_WITHIN && !self.asked
    }

    /// What is told of this many processes in its group, which are being ended or not, and this many others.
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
    fn what_surprises_is_told() {
        let (soon, late) = (Duration::ZERO, DAEMONISES_WITHIN);
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
