//! What is known of the leftovers of one task's runs.

use crate::model::pid::Pid;
use crate::policy::drain::{Drain, Leftovers};
use crate::policy::leftovers::EndOfRun;
use std::collections::BTreeSet;
use std::time::Instant;

/// The time at which a process was started, as /proc has it.
type Ticks = u64;

/// What is done about what the runs of a task leave behind.
#[derive(Debug)]
pub(super) struct Cleanup {
    pub(super) drain: Drain,
    /// When the run that ended last was started. Before the first end it has no meaning.
    pub(super) since: Ticks,
    /// The run that has ended just now.
    pub(super) ended: Option<EndedRun>,
    /// When this run was first asked to stop.
    pub(super) asked_at: Option<Instant>,
    /// Why the last look failed, or why not all processes could be signalled.
    pub(super) trouble: Option<String>,
    /// The processes that the last look with KILL has found, in words.
    pub(super) seen_last: String,
    /// The processes that were killed, and told of.
    pub(super) told_killed: BTreeSet<Pid>,
    /// How many the last look has found. `None`: they couldn't be looked for.
    pub(super) remaining: Option<usize>,
    /// What the run has left behind was told as a warning.
    pub(super) is_told: bool,
}

/// A run that has ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct EndedRun {
    /// Its first process.
    pub(super) leader: Pid,
    pub(super) started: Instant,
    pub(super) end: EndOfRun,
}

impl Cleanup {
    pub(super) fn new(leftovers: Leftovers) -> Cleanup {
        Cleanup {
            drain: Drain::new(leftovers),
            since: 0,
            ended: None,
            asked_at: None,
            trouble: None,
            seen_last: String::new(),
            told_killed: BTreeSet::new(),
            remaining: None,
            is_told: false,
        }
    }

    /// A run begins.
    pub(super) fn starts(&mut self) {
        self.asked_at = None;
        self.ended = None;
        self.is_told = false;
    }
}
