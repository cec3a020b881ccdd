//! Which signals are a stop: decisions only.
//!
//! A stop starts the grace period, ends the restarting, and stops the processes of a file. A second one hurries a drain. A
//! signal is judged as it came, whatever it is rewritten to.
//!
//! | what came | |
//! |---|---|
//! | TERM, INT, or the signals configured instead | a stop |
//! | the same signal from the same sender again, within [`SAME_STOP_WINDOW`] | the same stop |
//! | a hang-up: HUP from the kernel, or while the controlling terminal is gone | a stop; a second one is the same stop |
//! | anything else: a reload by HUP, a thread dump by QUIT | no stop |

use crate::model::origin::{Origin, Received};
use crate::model::signal::{Signal, SignalSet};
use std::time::{Duration, Instant};

/// A signal that its sender repeats within this time is the same stop: timeout(1) signals the process it has started, and
/// then its whole process group.
const SAME_STOP_WINDOW: Duration = Duration::from_millis(100);

/// What a signal that came asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    /// No stop.
    Nothing,
    /// A stop.
    Stop,
    /// A stop; but if one came before, it is the same one, and hurries nothing.
    SameStop,
}

/// What is a stop, and what the last one was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stops {
    signals: SignalSet,
    /// Whether a hang-up is a stop.
    hang_up: bool,
    last: Option<(Received, Instant)>,
}

impl Stops {
    /// TERM and INT.
    pub(crate) const DEFAULT: SignalSet = SignalSet::EMPTY.with(Signal::TERM).with(Signal::INT);

    pub(crate) fn new(signals: SignalSet, hang_up: bool) -> Stops {
        Stops { signals, hang_up, last: None }
    }

    /// Judges a signal that came; `has_hung_up` says whether the controlling terminal is gone.
    pub(crate) fn judge(
        &mut self,
        received: Received,
        has_hung_up: impl FnOnce() -> bool,
        now: impl FnOnce() -> Instant,
    ) -> Asks {
        let Received { signal, origin, .. } = received;
        let is_hang_up = || self.hang_up && (origin == Origin::Kernel || has_hung_up());
        if signal == Signal::HUP && is_hang_up() {
            // The terminal that hangs up sends one, and its shell another.
            return Asks::SameStop;
        }
        // A terminal sends WINCH when it is resized; as a stop signal (httpd's) it comes by kill(2).
        let is_resize = signal == Signal::WINCH && origin == Origin::Kernel;
        if !self.signals.contains(signal) || is_resize {
            return Asks::Nothing;
        }
        if !matches!(origin, Origin::Process { .. } | Origin::Thread { .. }) {
            return Asks::Stop;
        }
        let now = now();
        let is_same =
            |(last, at): (Received, Instant)| last == received && now.saturating_duration_since(at) <= SAME_STOP_WINDOW;
        if self.last.is_some_and(is_same) {
            return Asks::SameStop;
        }
        self.last = Some((received, now));
        Asks::Stop
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::pid::Pid;

    fn by(signal: Signal, pid: i32, uid: u32) -> Received {
        Received::of(signal, Origin::Process { pid: Pid::new(pid), uid })
    }

    fn judge(stops: &mut Stops, received: Received, hung_up: bool) -> Asks {
        stops.judge(received, || hung_up, Instant::now)
    }

    #[test]
    fn a_stop_is_term_or_int_or_what_stands_in_their_place_and_a_hang_up() {
        let (usr1, winch) = (Signal::USR1, Signal::WINCH);
        let kernel = |signal| Received::of(signal, Origin::Kernel);
        for (signals, received, hung_up, asks) in [
            (Stops::DEFAULT, by(Signal::TERM, 9, 0), false, Asks::Stop),
            (Stops::DEFAULT, by(Signal::INT, 9, 0), false, Asks::Stop),
            (Stops::DEFAULT, kernel(Signal::INT), false, Asks::Stop),
            (Stops::DEFAULT, by(Signal::HUP, 9, 0), false, Asks::Nothing),
            (Stops::DEFAULT, by(Signal::HUP, 9, 0), true, Asks::SameStop),
            (Stops::DEFAULT, kernel(Signal::HUP), false, Asks::SameStop),
            (Stops::DEFAULT, by(Signal::QUIT, 9, 0), true, Asks::Nothing),
            (Stops::DEFAULT, kernel(Signal::QUIT), false, Asks::Nothing),
            (Stops::DEFAULT, by(usr1, 9, 0), false, Asks::Nothing),
            (SignalSet::EMPTY.with(usr1), by(usr1, 9, 0), false, Asks::Stop),
            (SignalSet::EMPTY.with(usr1), by(Signal::TERM, 9, 0), false, Asks::Nothing),
            (SignalSet::EMPTY.with(usr1), kernel(Signal::HUP), false, Asks::SameStop),
            (SignalSet::EMPTY.with(Signal::HUP), by(Signal::HUP, 9, 0), false, Asks::Stop),
            (SignalSet::EMPTY.with(winch), by(winch, 9, 0), false, Asks::Stop),
            (SignalSet::EMPTY.with(winch), kernel(winch), false, Asks::Nothing),
        ] {
            let mut stops = Stops::new(signals, true);
            assert_eq!(judge(&mut stops, received, hung_up), asks, "{signals:?} {received:?} {hung_up}");
        }
        let mut nohup = Stops::new(Stops::DEFAULT, false);
        assert_eq!(judge(&mut nohup, kernel(Signal::HUP), true), Asks::Nothing);
    }

    #[test]
    fn the_same_from_the_same_sender_at_once_is_one_stop() {
        let (now, first) = (Instant::now(), by(Signal::TERM, 9, 0));
        let queued = Received { origin: Origin::Queue { pid: Pid::new(9), uid: 0, value: 0 }, ..first };
        for (second, after, asks) in [
            (first, Duration::ZERO, Asks::SameStop),
            (first, SAME_STOP_WINDOW, Asks::SameStop),
            (first, SAME_STOP_WINDOW + Duration::from_nanos(1), Asks::Stop),
            (by(Signal::INT, 9, 0), Duration::ZERO, Asks::Stop),
            (by(Signal::TERM, 8, 0), Duration::ZERO, Asks::Stop),
            (by(Signal::TERM, 9, 1), Duration::ZERO, Asks::Stop),
            (queued, Duration::ZERO, Asks::Stop),
        ] {
            let mut stops = Stops::new(Stops::DEFAULT, true);
            assert_eq!(stops.judge(first, || false, || now), Asks::Stop);
            assert_eq!(stops.judge(second, || false, || now + after), asks, "{second:?} {after:?}");
        }
        // The window begins with the first: a sender that goes on and on does hurry.
        let mut stops = Stops::new(Stops::DEFAULT, true);
        let asks = [0, 60, 120].map(|at| stops.judge(first, || false, || now + Duration::from_millis(at)));
        assert_eq!(asks, [Asks::Stop, Asks::SameStop, Asks::Stop]);
    }
}
