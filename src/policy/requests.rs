//! What asked the child to end, and whether its end is the answer to that.

use super::stop::Asks;
use crate::model::death::StopRequest;
use crate::model::origin::Received;
use crate::model::signal::{Signal, SignalSet};
use crate::model::status::ExitStatus;

/// What one child was asked for.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    /// The signals it was sent.
    passed: SignalSet,
    stop_came: bool,
    /// The first stop that came, or the first QUIT before one did.
    first: Option<(Received, Asks)>,
    /// What it was sent for stops.
    sent_for_stops: SignalSet,
    /// What it was sent for a QUIT; and that QUIT was sent for another signal. Stops apart.
    sent_for_quits: SignalSet,
}

impl Requests {
    /// A signal came that is sent as this one.
    pub(crate) fn note(&mut self, received: Received, sent: Received, asks: Asks) {
        if asks != Asks::Nothing || received.signal == Signal::QUIT {
            self.note_request(received, asks);
        }
        if asks != Asks::Nothing {
            self.sent_for_stops = self.sent_for_stops.with(sent.signal);
        } else if received.signal == Signal::QUIT || sent.signal == Signal::QUIT {
            self.sent_for_quits = self.sent_for_quits.with(sent.signal);
        }
    }

    /// What asks the child to end. A stop counts before a QUIT, which may only ask for a dump.
    fn note_request(&mut self, received: Received, asks: Asks) {
        if self.first.is_none_or(|(_, first)| first == Asks::Nothing && asks != Asks::Nothing) {
            self.first = Some((received, asks));
        }
    }

    /// A stop was asked for, and is sent as this signal; by this one, if it came as a signal.
    pub(crate) fn stop_sent(&mut self, signal: Signal, received: Option<Received>) {
        if let Some(received) = received {
            self.note_request(received, Asks::Stop);
        }
        self.stop_came = true;
        self.sent_for_stops = self.sent_for_stops.with(signal);
        self.passed = self.passed.with(signal);
    }

    /// Whether a stop came.
    pub(crate) fn stop_came(&self) -> bool {
        self.stop_came
    }

    /// What asked the child to stop; or to quit, if it `was_quit` by that.
    pub(crate) fn request(&self, was_quit: bool) -> Option<StopRequest> {
        let (received, asks) = self.first?;
        let is_asked = if asks == Asks::Nothing { was_quit } else { self.stop_came };
        is_asked.then_some(StopRequest { signal: received.came, origin: received.origin })
    }

    /// A stop came.
    pub(crate) fn stop_asked(&mut self) {
        self.stop_came = true;
    }

    /// The child has this signal now.
    pub(crate) fn note_passed(&mut self, signal: Signal) {
        self.passed = self.passed.with(signal);
    }

    /// The signals the child was sent.
    pub(crate) fn passed(&self) -> SignalSet {
        self.passed
    }

    /// Whether the child ended as a stop asked it to.
    pub(crate) fn was_stop(&self, status: ExitStatus) -> bool {
        self.stop_came && self.ended_by(status, self.sent_for_stops)
    }

    /// Whether the child ended as a QUIT asked it to, which else asks for a dump only.
    pub(crate) fn was_quit(&self, status: ExitStatus) -> bool {
        let is_any_passed = self.sent_for_quits.iter().any(|signal| self.passed.contains(signal));
        is_any_passed && self.ended_by(status, self.sent_for_quits)
    }

    /// Whether this is the end of a child that does what one of these signals asks for: it ended with 0, by such a signal
    /// that it was sent, or with 128 and its number.
    fn ended_by(&self, status: ExitStatus, signals: SignalSet) -> bool {
        let by = match status {
            ExitStatus::Signaled { signal, .. } => Some(signal),
            ExitStatus::Exited(code) => code.checked_sub(128).and_then(|number| Signal::new(number.into())),
        };
        status.is_success() || by.is_some_and(|by| signals.contains(by) && self.passed.contains(by))
    }
}
