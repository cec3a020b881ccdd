//! Whether memory ran out: the count of the cgroup before the start, and at the end.

use crate::model::event::{ProcessExited, ProcessStarting};
use crate::model::handler::Handler;
use crate::model::status::StatusCode;
use crate::sys::cgroup::OomKills;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Looks at the count around each run.
pub(crate) struct OomWatch {
    /// What it was asked for by.
    option: String,
    counter: Result<OomKills, String>,
    before: Option<u64>,
    killed: Arc<AtomicBool>,
}

/// What it has seen of the last run.
pub(crate) struct Verdict(Arc<AtomicBool>);

/// One for a command that will be run, asked for by this option or variable.
pub(crate) fn watch(option: String) -> (OomWatch, Verdict) {
    let killed = Arc::new(AtomicBool::new(false));
    let watch = OomWatch { option, counter: OomKills::find(), before: None, killed: Arc::clone(&killed) };
    (watch, Verdict(killed))
}

impl Verdict {
    /// Whether somebody of the cgroup was killed while the command ran because memory ran out.
    pub(crate) fn is_oom(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl OomWatch {
    fn count(&self) -> Option<u64> {
        self.counter.as_ref().ok()?.read().ok()
    }
}

impl Handler for OomWatch {
    fn process_starting(&mut self, _: &ProcessStarting<'_>) {
        self.before = self.count();
        self.killed.store(false, Ordering::Relaxed);
    }

    fn process_exited(&mut self, event: &ProcessExited<'_>) {
        // Counts are for nothing with any other end.
        if event.status.code() != StatusCode::new(128 + libc::SIGKILL as u8) {
            return;
        }
        match (&self.counter, self.before, self.count()) {
            (_, Some(before), Some(after)) => self.killed.store(after > before, Ordering::Relaxed),
            (Err(why), ..) => {
                log::warn!("{}: oom: whether memory ran out is unknown: {why}", self.option);
            }
            (Ok(counter), ..) => {
                log::warn!(
                    "{}: oom: whether memory ran out is unknown: {} can't be read",
                    self.option,
                    counter.file.display()
                );
            }
        }
    }
}
