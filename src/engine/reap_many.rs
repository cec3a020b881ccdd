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
    #[cold]
    fn look_at_many(&mut self) -> Result<(), Error> {
        let begin = Instant::now();
        let few = self.progress.looks.orphans_one_by_one();
        let mut listed = 0;
        let mut are_left = !self.reap_until_orphans(few)?;
        if are_left {
            listed = self.reap_listed_orphans()?;
            // A child of a task may stand behind orphans that come meanwhile.
            are_left = !self.reap_until_orphans(1)?;
        }
        self.progress.looks.looked(begin, Instant::now(), listed > 0, are_left);
        Ok(())
    }

    /// Reaps what has ended, but no more than this number of orphans. Whether nothing is left.
    #[cold]
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

    /// Reaps the orphans that have ended by now, each by its number, at which the kernel finds it at once. How many there
    /// were.
    #[cold]
    fn reap_listed_orphans(&mut self) -> Result<usize, Error> {
        let Some(mut orphans) = proc_fs::children() else {
            // Without a list, one by one.
            return self.reap_all_of(None).map(|()| 0);
        };
        self.tasks.leave_out_children(&mut orphans);
        let mut reaped = 0;
        for orphan in orphans {
            reaped += usize::from(self.reap_by_number(orphan)?);
        }
        Ok(reaped)
    }
}
