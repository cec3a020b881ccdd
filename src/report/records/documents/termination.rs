//! The file of `--termination-log`: why a run failed, as Kubernetes shows it.

use super::people;
use crate::sys::own_file;
use serde_json::Value;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Kubernetes shows no more.
const MOST_BYTES: usize = 4096;

/// The file, which is open from before the start on: a container's root may be read-only, and the file is put in from outside.
#[derive(Debug)]
pub(crate) struct TerminationLog {
    file: File,
    path: PathBuf,
    /// The process of which it tells.
    of: Option<String>,
    /// What asks for it; `None`: it was warned that it can't be written.
    asked_by: Option<String>,
}

impl TerminationLog {
    /// `asked_by` is the option or variable that asks for it, for a warning.
    pub(crate) fn new(path: &Path, asked_by: String) -> io::Result<TerminationLog> {
        let (file, path) = (own_file::overwrite(path)?, path.to_owned());
        Ok(TerminationLog { file, path, of: None, asked_by: Some(asked_by) })
    }

    /// A run has failed, with this record of its end.
    pub(super) fn failed(&mut self, name: &str, record: &Value) {
        self.of = Some(name.to_owned());
        self.write(people::brief(record, MOST_BYTES).as_bytes());
    }

    /// A run hasn't. What the file tells of an earlier one of that process is no cause any more.
    pub(super) fn succeeded(&mut self, name: &str) {
        if self.of.as_deref() == Some(name) {
            self.of = None;
            self.write(b"");
        }
    }

    fn write(&mut self, text: &[u8]) {
        let written = self.file.write_all_at(text, 0).and_then(|()| self.file.set_len(text.len() as u64));
        if let Err(error) = written
            && let Some(asked_by) = self.asked_by.take()
        {
            log::warn!("{asked_by}: {}: {error}: why the run failed isn't in it", self.path.display());
        }
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
