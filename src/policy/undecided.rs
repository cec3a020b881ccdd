//! Signals that are dropped if the child would die of them unasked, and of which that isn't known yet.
//!
//! A program that starts another one, or a thread, blocks all signals for a moment: dash and Python do so, as do posix_spawn(3),
//! pthread_create(3) and musl's fork(3). A signal that comes meanwhile would kill it a moment later. But a server may block
//! all signals for ever, and fetch those it wants. One look can't tell the two apart. So the signal waits, and the child is
//! looked at again. If it still blocks all after [`LOOKS`] looks, it has asked for the signal.

use super::action::{Actions, ChildAction, Tell, To};
use crate::model::origin::Received;
use crate::model::signal::{Signal, SignalSet};
use std::io;
use std::time::{Duration, Instant};

/// How long after the first look the next one follows. Each look doubles it, up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(1);
const LONGEST_WAIT: Duration = Duration::from_millis(16);

/// The same limit while the child can't run, and so can't change what it blocks.
const LONGEST_WAIT_FOR_IT_TO_RUN: Duration = Duration::from_secs(1);

/// The number of further looks: 127 ms in all. A look at a child that can't run doesn't count.
const LOOKS: u32 = 11;

/// When this many signals wait, further ones are given up.
const MOST_WAITING: usize = 65_536;

/// The undecided signals of one child. There is this only after a signal has come that may have to be dropped.
#[derive(Debug)]
pub(crate) struct Undecided {
    /// In the order in which they came.
    waiting: Vec<(Received, To)>,
    /// When the child is looked at again.
    at: Option<Instant>,
    wait: Duration,
    looks: u32,
    /// The child is being looked at for all that waited.
    is_looking: bool,
    /// In this look, the child couldn't run.
    is_still: bool,
    /// What the child was once seen waiting for: it has asked for these, whatever it blocks.
    awaited: SignalSet,
}

impl Default for Undecided {
    fn default() -> Undecided {
        Undecided {
            waiting: Vec::new(),
            at: None,
            wait: FIRST_WAIT,
            looks: 0,
            is_looking: false,
            is_still: false,
            awaited: SignalSet::EMPTY,
        }
    }
}

impl Undecided {
    /// When [`time_is_up`](Undecided::time_is_up) is to be called; or what is to be done otherwise, if that is sooner.
    #[cold]
    pub(crate) fn deadline_or(&self, other: Option<Instant>) -> Option<Instant> {
        self.at.into_iter().chain(other).min()
    }

    /// Whether this signal must wait because an earlier one of its kind does. Two standard signals that wait are one, as they
    /// are in the kernel.
    #[cold]
    pub(crate) fn waits_behind(&mut self, received: Received, to: To, actions: &mut Actions) -> bool {
        if !self.waiting.iter().any(|(waiting, _)| waiting.signal == received.signal) {
            return false;
        }
        if !received.signal.is_realtime() {
            actions.push(ChildAction::Tell(Tell::Dropped(received)));
        } else if self.waiting.len() < MOST_WAITING {
            self.waiting.push((received, to));
        } else {
            let error = io::Error::new(io::ErrorKind::WouldBlock, "too many signals wait for it to unblock any");
            actions.push(ChildAction::Tell(Tell::NotPassed(received, error)));
        }
        true
    }

    /// The child blocks all signals. `is_still`: it can't run, so that it can't change that. Whether this signal waits;
    /// otherwise the child has asked for it.
    #[cold]
    pub(crate) fn all_is_blocked(&mut self, received: Received, to: To, is_still: bool, now: Instant) -> bool {
        self.is_still |= is_still;
        let is_last_look = self.is_looking && !self.is_still && self.looks + 1 >= LOOKS;
        if is_last_look {
            return false;
        }
        self.waiting.push((received, to));
        if !self.is_looking {
            self.at.get_or_insert(now + self.wait);
        }
        true
    }

    /// Whether the child was once seen waiting for this signal.
    pub(crate) fn was_awaited(&self, signal: Signal) -> bool {
        self.awaited.contains(signal)
    }

    /// The child waits for this signal, or did once. Whether the signal waits all the same: what came before it is looked at first.
    #[cold]
    pub(crate) fn is_awaited(&mut self, received: Received, to: To, now: Instant) -> bool {
        self.awaited = self.awaited.with(received.signal);
        let waits = !self.is_looking && !self.waiting.is_empty();
        if waits {
            self.waiting.push((received, to));
            self.at = Some(now);
        }
        waits
    }

    /// All that waits, if it is time, to be passed on again; which is to be followed by [`has_looked`](Undecided::has_looked).
    #[cold]
    pub(crate) fn time_is_up(&mut self, now: Instant) -> Option<Vec<(Received, To)>> {
        if self.at.is_none_or(|at| at > now) {
            return None;
        }
        (self.at, self.is_looking, self.is_still) = (None, true, false);
        Some(std::mem::take(&mut self.waiting))
    }

    /// The child was looked at for each that waited.
    #[cold]
    pub(crate) fn has_looked(&mut self, now: Instant) {
        self.is_looking = false;
        if self.waiting.is_empty() {
            (self.wait, self.looks) = (FIRST_WAIT, 0);
            return;
        }
        self.looks += u32::from(!self.is_still);
        let longest = if self.is_still { LONGEST_WAIT_FOR_IT_TO_RUN } else { LONGEST_WAIT };
        self.wait = (self.wait * 2).min(longest);
        self.at = Some(now + self.wait);
    }

    /// The child has ended: nobody gets what has waited.
    #[cold]
    pub(crate) fn child_ended(&mut self, actions: &mut Actions) {
        for (received, _) in std::mem::take(&mut self.waiting) {
            actions.push(ChildAction::Tell(Tell::Dropped(received)));
        }
    }
}

#[cfg(test)]
mod tests;
