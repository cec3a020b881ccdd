//! Children that ended, beside many: what finds any child that has ended goes through all of them.

use super::outcome::Asked;
use super::run::{Run, Wakeup};
use crate::model::error::Error;
use crate::sys::proc_fs;
use std::time::Instant;

impl Run<'_, '_> {
    /// Reaps the child that is named, and all others if it is time to look for them, or if an end is waited for.
    #[cold]
    pub(super) fn reap_some_of_many(&mut self, wakeup: &Wakeup) -> Result<(), Error> {
        if let Some(child) = wakeup.named_child {
            // A look at all may have been earlier than its signal.
            self.reap_by_number(child)?;
        }
        if self.progress.asked != Asked::Nothing || self.tasks.draining().next().is_some() {
            return self.reap_all_of(None);
        }
        if self.progress.looks.is_now(Instant::now()) { self.look_at_many() } else { Ok(()) }
    }

    /// Reaps all that have ended. If many of them are orphans, a list of all children is read, once for many.
    fn look_at_many(&mut self) -> Result<(), Error> {
        let begin = Instant::now();
        let most = self.progress.looks.orphans_one_by_one();
        let are_many = !self.reap_until_orphans(most)?;
        // A child of a task may stand behind orphans that come meanwhile.
        let are_left = are_many && self.reap_listed_orphans()? && !self.reap_until_orphans(most)?;
        self.progress.looks.looked(begin, Instant::now(), are_many, are_left);
        Ok(())
    }

    /// Reaps what has ended, but no more than this number of orphans. Whether nothing is left.
    fn reap_until_orphans(&mut self, mut most: usize) -> Result<bool, Error> {
        while most > 0 {
            let Some(ended) = self.reap_next_of(None)? else { return Ok(true) };
            if self.tasks.with_child(ended.pid).is_none() {
                most -= 1;
            }
            self.child_was_reaped(ended);
        }
        Ok(false)
    }

    /// Reaps the orphans that have ended by now, each by its number, at which the kernel finds it at once. Whether any may be
    /// left.
    fn reap_listed_orphans(&mut self) -> Result<bool, Error> {
        let Some(mut orphans) = proc_fs::children() else {
            // Without a list, one by one.
            return self.reap_all_of(None).map(|()| false);
        };
        self.tasks.leave_out_children(&mut orphans);
        for orphan in orphans {
            self.reap_by_number(orphan)?;
        }
        Ok(true)
    }
}
