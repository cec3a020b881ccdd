//! Signals that are passed on later (`--delay`).

use super::action::Delayed;
use super::stop::Asks;
use crate::model::origin::Received;
use crate::model::signal::SignalSet;
use std::time::{Duration, Instant};

/// The delayed signals of one child.
#[derive(Debug, Default)]
pub(crate) struct Delays {
    waiting: Vec<(Instant, Delayed)>,
    /// Stop signals that are delayed no more: one has been passed on.
    hurried: SignalSet,
}

/// When a signal is passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// Now, and before it the first of its kind, if one was waiting.
    Now { first: Option<Delayed> },
    /// After this time.
    After(Duration),
    /// Together with the first of its kind, which is waiting: the two are one. That is at most this time from now.
    WithFirst(Duration),
}

impl Delays {
    /// A child was started.
    pub(crate) fn child_started(&mut self) {
        self.hurried = SignalSet::EMPTY;
    }

    /// The child has ended: what was waiting.
    pub(crate) fn child_ended(&mut self) -> impl Iterator<Item = Delayed> + use<> {
        std::mem::take(&mut self.waiting).into_iter().map(|(_, delayed)| delayed)
    }

    /// When this signal is passed on, for which a delay is configured, or not.
    ///
    /// A second one of its kind goes at once, and the first one with it. The same stop once more waits with the first.
    pub(crate) fn when(&mut self, received: Received, asks: Asks, configured: Option<Duration>) -> When {
        let now = When::Now { first: None };
        let Some(delay) = configured else { return now };
        if self.hurried.contains(received.signal) {
            return now;
        }
        let first = self.waiting.iter().position(|(_, delayed)| delayed.came.signal == received.signal);
        let Some(first) = first else { return When::After(delay) };
        if asks == Asks::SameStop {
            return if received.signal.is_realtime() { When::After(delay) } else { When::WithFirst(delay) };
        }
        When::Now { first: Some(self.take(first)) }
    }

    pub(crate) fn add(&mut self, at: Instant, delayed: Delayed) {
        self.waiting.push((at, delayed));
    }

    /// Takes the first that is due.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Delayed> {
        let first = self.waiting.iter().position(|(at, _)| *at <= now)?;
        Some(self.take(first))
    }

    /// When [`take_due`](Delays::take_due) has something.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.waiting.iter().map(|(at, _)| *at).min()
    }

    fn take(&mut self, place: usize) -> Delayed {
        let (_, delayed) = self.waiting.remove(place);
        if delayed.is_stop {
            self.hurried = self.hurried.with(delayed.came.signal);
        }
        delayed
    }
}
