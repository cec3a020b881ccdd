//! What the options say about signals on their way to the child: which signal is sent instead, how much later, to whom.

use crate::model::signal::{Signal, SignalSet};
use std::time::Duration;

/// What is configured for signals on their way to the child.
#[derive(Clone, Debug, Default)]
pub(crate) struct Forwarding {
    /// Instead of the first of each pair the second is sent. `None`: it is dropped.
    pub(crate) rewrites: Vec<(Signal, Option<Signal>)>,
    /// How long the signal is delayed, judged as it came.
    pub(crate) delays: Vec<(Signal, Duration)>,
    /// Signals go to the child's process group, not to the child alone.
    pub(crate) to_group: bool,
    /// Only these signals are passed on. `None`: all are.
    pub(crate) only: Option<SignalSet>,
    /// These signals are dropped if the child would die of them without having asked for them.
    pub(crate) drop_uncaught: SignalSet,
    /// These stop this process, too, if they are no terminal's, whatever they are rewritten to: some of TSTP, TTIN and TTOU.
    pub(crate) stops_too: SignalSet,
}

impl Forwarding {
    /// Drops what the child would die of unasked; but not what is meant to end it: `stops`, as what they are rewritten to.
    #[cold]
    pub(crate) fn drop_uncaught(&mut self, stops: SignalSet) {
        let requests: SignalSet =
            [Signal::TERM, Signal::INT, Signal::QUIT, Signal::HUP, Signal::KILL].into_iter().collect();
        let rewritten = self.rewrites.iter().filter(|(from, _)| stops.contains(*from)).filter_map(|(_, to)| *to);
        let kept = rewritten.fold(requests.union(stops), SignalSet::with);
        self.drop_uncaught = SignalSet::ALL.difference(kept);
    }

    /// What is sent for a signal that came. `None`: nothing. CONT stays as it is, since job control needs it.
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

    /// How long a signal that came is delayed, if it is; CONT never is.
    pub(crate) fn delay(&self, signal: Signal) -> Option<Duration> {
        if signal == Signal::CONT {
            return None;
        }
        self.delays.iter().find(|(from, _)| *from == signal).map(|(_, delay)| *delay)
    }
}
