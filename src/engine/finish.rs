//! The end of a run, when every process is over: what is still to be said, written and passed on, and how long that may
//! take. Decisions only.
//!
//! | in this order | it waits for | and gives up |
//! |---|---|---|
//! | hooks | their ends | after the time that each may run; at a second stop |
//! | the command's notifications | its service manager | after [`MANAGER_PATIENCE`] |
//! | the goodbye, unless all were killed | | |
//! | the output | its readers | never; but if all were stopped, after [`READER_PATIENCE`] without progress, or [`OUTPUT_PATIENCE`]; at once, if all were killed |
//! | how many lines were lost | as the output | as the output |

use super::outcome::Asked;
use std::time::{Duration, Instant};

/// How long the service manager may take for the last notifications.
const MANAGER_PATIENCE: Duration = Duration::from_secs(1);

/// How long the readers of our output may take none of it, when all processes were stopped.
const READER_PATIENCE: Duration = Duration::from_secs(1);

/// How long they may take for all of it.
const OUTPUT_PATIENCE: Duration = Duration::from_secs(10);

/// How far the end is.
#[derive(Debug, Default)]
pub(super) struct Finish {
    /// When hooks are given up, and how many stops had come when waiting for them began.
    hooks: Option<(Option<Instant>, u32)>,
    is_notified: bool,
    said_goodbye: bool,
    said_what_was_lost: bool,
    /// When the service manager is given up.
    manager_until: Option<Instant>,
    /// When readers are given up that take nothing.
    readers_until: Option<Instant>,
    /// When readers are given up in any case.
    output_until: Option<Instant>,
}

/// What is left to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rest {
    pub(super) asked: Asked,
    /// How many stops came.
    pub(super) stops: u32,
    /// Nobody reads one of our streams any more.
    pub(super) reader_gone: bool,
    /// Hooks run, or wait for their turn: how long that may take.
    pub(super) hooks: Option<Duration>,
    /// Notifications wait for the service manager.
    pub(super) notifications: bool,
    pub(super) output: Output,
}

/// The output of the children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// It doesn't go through this process.
    Inherited,
    /// All of it is written.
    Written,
    /// Some of it waits for a reader.
    Waiting,
}

/// What is done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Wait for progress, or for the deadline.
    Wait,
    GiveUpHooks {
        is_late: bool,
    },
    GiveUpManager,
    SayGoodbye,
    SayWhatWasLost,
    GiveUpReaders,
    /// The run is over.
    End,
}

impl Finish {
    /// What is done next, given what is left.
    pub(super) fn next(&mut self, rest: Rest, now: impl Fn() -> Instant) -> Step {
        if let Some(patience) = rest.hooks {
            let now = now();
            let (until, stops) = *self.hooks.get_or_insert_with(|| (now.checked_add(patience), rest.stops));
            let is_late = until.is_some_and(|until| until <= now);
            let is_stopped = rest.stops > stops.max(1);
            return if is_late || is_stopped { Step::GiveUpHooks { is_late } } else { Step::Wait };
        }
        self.hooks = None;
        if !self.is_notified {
            if rest.notifications {
                let now = now();
                if now < *self.manager_until.get_or_insert(now + MANAGER_PATIENCE) {
                    return Step::Wait;
                }
            }
            self.is_notified = true;
            self.manager_until = None;
            if rest.notifications {
                return Step::GiveUpManager;
            }
        }
        if rest.output == Output::Inherited {
            return Step::End;
        }
        if !std::mem::replace(&mut self.said_goodbye, true) && rest.asked != Asked::Kill {
            return Step::SayGoodbye;
        }
        if rest.output == Output::Written {
            let said = std::mem::replace(&mut self.said_what_was_lost, true);
            return if said { Step::End } else { Step::SayWhatWasLost };
        }
        match rest.asked {
            Asked::Kill => Step::GiveUpReaders,
            Asked::Nothing if !rest.reader_gone => Step::Wait,
            Asked::Stop | Asked::Nothing => self.wait_for_readers(now()),
        }
    }

    fn wait_for_readers(&mut self, now: Instant) -> Step {
        let output_until = *self.output_until.get_or_insert(now + OUTPUT_PATIENCE);
        let until = *self.readers_until.get_or_insert((now + READER_PATIENCE).min(output_until));
        if until <= now { Step::GiveUpReaders } else { Step::Wait }
    }

    /// Readers have taken something.
    pub(super) fn output_taken(&mut self) {
        self.readers_until = None;
    }

    /// When [`next`](Finish::next) is to be asked again, if nothing comes before.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let hooks = self.hooks.and_then(|(until, _)| until);
        hooks.into_iter().chain(self.manager_until).chain(self.readers_until).min()
    }
}

#[cfg(test)]
mod tests;
