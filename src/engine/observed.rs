//! What is observed of a child where it is to be reported how it ended.

use crate::model::death::{Core, OomVerdict};
use crate::model::event::ProcessExited;
use crate::report::last_words::LastWords;
use crate::report::oom::{AtEnd, AtStart, OomWatch};
use crate::report::records::Records;
use std::time::Duration;

/// What is observed of one child.
#[derive(Debug, Default)]
pub(super) struct Observed {
    /// What was counted of memory when it was started, and when it had ended.
    pub(super) at_start: AtStart,
    pub(super) at_end: Option<AtEnd>,
    pub(super) processor_limit: Option<Duration>,
    pub(super) core: Option<Core>,
}

/// A child is going to be started.
#[cold]
pub(super) fn observed_at_start(oom: &mut OomWatch) -> Box<Observed> {
    Box::new(Observed { at_start: oom.at_start(), ..Observed::default() })
}

impl Observed {
    /// Adds it to what is told, with the last words of stdout and stderr that were kept. Whether memory ran out.
    #[cold]
    pub(super) fn tell(
        self,
        exited: &mut ProcessExited<'_>,
        oom: Option<&mut OomWatch>,
        records: Option<&Records>,
        words: Option<[LastWords; 2]>,
    ) -> bool {
        exited.core = self.core;
        exited.processor_limit = self.processor_limit.filter(|_| exited.killed_by.is_none());
        if let Some(records) = records {
            records.add_words(exited, words);
        }
        exited.oom =
            oom.zip(self.at_end).map(|(oom, at_end)| oom.judge(&at_end, exited.status, exited.killed_by.is_some()));
        exited.oom.as_ref().is_some_and(|oom| oom.verdict == OomVerdict::Certain)
    }
}
