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
    /// None: the supervisor says it, of the process.
    Remark,
}

/// A line a process wrote, or one about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Line<'a> {
    /// The [`name`](crate::model::process_config::ProcessConfig::name) of the process.
    pub name: &'a str,
    /// Where it comes from.
    pub stream: Stream,
    /// Its bytes, whatever they are, without the newline. At most 64 KiB: a longer line comes in pieces.
    pub bytes: &'a [u8],
}

/// A stream of ours that nobody reads any more.
#[derive(Debug)]
pub(crate) struct Gone {
    pub(super) stream: &'static str,
}

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nobody reads {} any more", self.stream)
    }
}
