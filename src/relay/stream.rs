//! What a line is, and the streams it can come from.

use std::fmt;

/// Which stream a [`Line`] is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stream {
    /// The process's stdout.
    Stdout,
    /// Its stderr.
    Stderr,
    /// Neither: the supervisor's remark about the process.
    Remark,
}

/// A line that a process wrote, or a remark about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Line<'a> {
    /// The [`name`](crate::model::process_config::ProcessConfig::name) of the process.
    pub name: &'a str,
    /// Where the line comes from.
    pub stream: Stream,
    /// Its bytes, without the newline; they need not be UTF-8. At most 64 KiB: a longer line comes in pieces.
    pub bytes: &'a [u8],
}

/// A stream of ours whose reader has gone.
#[derive(Debug)]
pub(crate) struct Gone {
    pub(super) stream: &'static str,
}

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nobody reads {} any more", self.stream)
    }
}
