//! The file of `--metrics`, which node_exporter's textfile collector reads.

use crate::model::event::Event;
use crate::report::metrics::Counts;
use crate::sys::own_file::{Directory, Readers};
use jiff::Timestamp;
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::{Duration, Instant};

/// It isn't written more often.
const EVERY: Duration = Duration::from_secs(1);

/// The counts, and the file they are written to.
#[derive(Debug)]
pub(crate) struct MetricsFile {
    dir: Directory,
    name: OsString,
    counts: Counts,
    /// Since it was written last.
    has_changed: bool,
    written: Option<Instant>,
    /// What asks for it; `None`: it was warned that it can't be written.
    asked_by: Option<String>,
}

impl MetricsFile {
    /// `asked_by` is the option or variable that asks for it, for a warning.
    pub(crate) fn new(path: &Path, asked_by: String) -> io::Result<MetricsFile> {
        let (dir, name) = Directory::of(path)?;
        let (counts, asked_by) = (Counts::default(), Some(asked_by));
        Ok(MetricsFile { dir, name, counts, has_changed: true, written: None, asked_by })
    }

    pub(super) fn expect(&mut self, name: &str) {
        self.counts.expect(name);
    }

    pub(super) fn count(&mut self, event: &Event<'_>, name: &str, time: Timestamp) {
        let since_epoch = time.duration_since(Timestamp::UNIX_EPOCH);
        self.has_changed |= self.counts.count(event, name, since_epoch.try_into().unwrap_or_default());
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let at = self.written.map_or_else(Instant::now, |written| written + EVERY);
        self.has_changed.then_some(at)
    }

    pub(super) fn write_if_due(&mut self) {
        if self.deadline().is_some_and(|at| at <= Instant::now()) {
            self.write();
        }
    }

    pub(super) fn write(&mut self) {
        if !std::mem::take(&mut self.has_changed) {
            return;
        }
        self.written = Some(Instant::now());
        let written = self.dir.replace(&self.name, Readers::All, self.counts.to_string().as_bytes());
        if let Err(error) = written
            && let Some(asked_by) = self.asked_by.take()
        {
            log::warn!("{asked_by}: {}: {error}: what happened isn't in it", self.name.display());
        }
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::ProcessStarting;
    use std::fs;

    #[test]
    fn it_is_written_at_once_and_then_no_more_than_once_a_second() {
        let path = std::env::temp_dir().join(format!("panicmon-metrics-{}.prom", std::process::id()));
        let mut file = MetricsFile::new(&path, "--metrics".to_owned()).unwrap();
        file.expect("web");
        file.write_if_due();
        assert!(fs::read_to_string(&path).unwrap().contains("panicmon_up{name=\"web\"} 0\n"));
        assert_eq!(file.deadline(), None, "nothing has changed");
        let starting = Event::Starting(ProcessStarting::new("web", &[]));
        file.count(&starting, "web", Timestamp::UNIX_EPOCH);
        assert_eq!(file.deadline(), file.written.map(|at| at + EVERY));
        // A write that is due now is long past the last one.
        file.written = Instant::now().checked_sub(2 * EVERY);
        file.write_if_due();
        assert_eq!(file.deadline(), None);
        fs::remove_file(&path).unwrap();
    }
}
