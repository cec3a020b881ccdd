//! What becomes of a signal on its way to the child: another one, or none; at once, or later; to the child, or its group.

use crate::model::origin::Received;
use crate::model::signal::{Signal, SignalSet};
use crate::policy::child::To;
use std::time::{Duration, Instant};

/// What is to become of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Forwarding {
    /// Instead of the first of each pair the second is sent; none: nothing.
    pub(crate) rewrites: Vec<(Signal, Option<Signal>)>,
    /// How much later it is sent, by what came.
    pub(crate) delays: Vec<(Signal, Duration)>,
    /// To the child's process group, not to the child alone.
    pub(crate) to_group: bool,
    /// Nothing but these is passed on; `None`: all are.
    pub(crate) only: Option<SignalSet>,
    /// These aren't passed on to a child that would die of them without having asked for them.
    pub(crate) unless_uncaught: SignalSet,
}

impl Forwarding {
    /// What is sent for one that came; CONT stays as it is, since job control needs it.
    pub(crate) fn becomes(&self, signal: Signal) -> Option<Signal> {
        if signal == Signal::CONT {
            return Some(signal);
        }
        if self.only.is_some_and(|only| !only.contains(signal)) {
            return None;
        }
        let rewrite = self.rewrites.iter().find(|(from, _)| *from == signal);
        rewrite.map_or(Some(signal), |(_, to)| *to)
    }

    /// How long one that came is kept; CONT isn't.
    pub(crate) fn delay(&self, signal: Signal) -> Option<Duration> {
        if signal == Signal::CONT {
            return None;
        }
        self.delays.iter().find(|(from, _)| *from == signal).map(|(_, delay)| *delay)
    }
}

/// A signal that is to be sent later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Delayed {
    pub(crate) came: Received,
    /// As it will be sent.
    pub(crate) sent: Received,
    pub(crate) to: To,
    /// It asks the child to stop.
    pub(crate) is_stop: bool,
}

/// Those that wait, each with its time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting(Vec<(Instant, Delayed)>);

impl Waiting {
    pub(crate) fn add(&mut self, at: Instant, delayed: Delayed) {
        self.0.push((at, delayed));
    }

    pub(crate) fn take_all(&mut self) -> impl Iterator<Item = Delayed> + use<> {
        std::mem::take(&mut self.0).into_iter().map(|(_, delayed)| delayed)
    }

    /// Whether one that came as this signal waits.
    pub(crate) fn contains(&self, signal: Signal) -> bool {
        self.0.iter().any(|(_, delayed)| delayed.came.signal == signal)
    }

    /// Takes the one that came as this signal.
    pub(crate) fn take(&mut self, signal: Signal) -> Option<Delayed> {
        let at = self.0.iter().position(|(_, delayed)| delayed.came.signal == signal)?;
        Some(self.0.remove(at).1)
    }

    /// Takes the first that is due.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Delayed> {
        let at = self.0.iter().position(|(at, _)| *at <= now)?;
        Some(self.0.remove(at).1)
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.0.iter().map(|(at, _)| *at).min()
    }
}
