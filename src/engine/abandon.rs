//! A run is given up by an error: what would have been ended with its tasks is killed. Without the loop, whose wait may be
//! what has failed.

use super::run::Run;
use crate::policy::drain::Leftovers;
use std::thread;
use std::time::{Duration, Instant};

/// The time between two looks, where nothing tells of an end.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

impl Run<'_, '_> {
    /// Kills what runs, and what is left behind, where that is to be ended.
    #[cold]
    pub(super) fn abandon(&mut self) {
        if !self.reaps_all {
            return;
        }
        for number in self.tasks.numbers() {
            let task = &mut self.tasks[number];
            if !matches!(task.cleanup.drain.leftovers(), Leftovers::Ended(..)) {
                continue;
            }
            if let Some(started) = task.started.take() {
                let (leader, at) = (started.child.pid(), started.at);
                // This kills it, and waits for its end.
                drop(started);
                self.begin_drain(number, leader, at);
            }
            self.tasks[number].cleanup.drain.hurry(Instant::now());
        }
        while self.tasks.iter().any(|task| task.cleanup.drain.is_on()) {
            // The first error is the one that is told.
            let _ = self.reap_all_of(None);
            self.drain_all(true);
            thread::sleep(LOOK_INTERVAL);
        }
    }
}
