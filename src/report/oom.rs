//! Whether the command was killed because memory ran out: by the cgroup's count of such kills before the start and at the end.

use crate::model::event::{ProcessExited, ProcessStarting};
use crate::model::handler::Handler;
use crate::model::status::StatusCode;
use crate::sys::cgroup::OomKills;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A handler that reads the count around each run.
pub(crate) struct OomWatch {
    /// The option or variable that asks for it, for warnings.
    option: String,
    counter: Result<OomKills, String>,
    before: Option<u64>,
    killed: Arc<AtomicBool>,
}

/// What is known about the last run.
#[derive(Debug)]
pub(crate) struct Verdict(Arc<AtomicBool>);

/// A handler for the runs of a command, and what it finds out; `option` is the option or variable that asks for it.
pub(crate) fn watch(option: String) -> (OomWatch, Verdict) {
    let killed = Arc::new(AtomicBool::new(false));
    let watch = OomWatch { option, counter: OomKills::find(), before: None, killed: Arc::clone(&killed) };
    (watch, Verdict(killed))
}

impl Verdict {
    /// Whether a process of the cgroup was killed because memory ran out, while the command ran.
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
        // With any other end the counts don't matter.
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
