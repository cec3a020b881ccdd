//! A program whose place panicmon takes, and what its command line asks for.

use super::run::Statuses;
use super::wishes::Wishes;
use std::ffi::{CStr, OsStr};

/// One of those programs.
#[derive(Debug)]
pub(crate) struct Peer {
    /// What it is called. By another word of these it is the same program.
    pub(crate) names: &'static [&'static str],
    /// The exit statuses of its own failures.
    pub(crate) statuses: &'static Statuses,
    /// Reads its command line.
    pub(super) read: fn(&Line<'_>) -> Asked,
}

/// A command line, as it came.
pub(crate) struct Line<'a> {
    /// The program's name, as it was called.
    pub(crate) name: &'a OsStr,
    /// The words behind it.
    pub(crate) words: &'a [&'static CStr],
    pub(crate) env: &'a [&'static CStr],
}

/// What a command line asks for.
#[derive(Debug)]
pub(crate) enum Asked {
    /// Run a command.
    Run(Wishes),
    /// Run nothing, and reap what is orphaned.
    Pause,
    /// Print this on stdout, and exit with 0.
    Print(String),
    /// The same on stderr.
    Tell(String),
    /// Nothing: it can't be read. The text is for stderr.
    Refuse(String),
}

impl Peer {
    #[cold]
    pub(crate) fn read(&self, line: &Line<'_>) -> Asked {
        (self.read)(line)
    }
}
