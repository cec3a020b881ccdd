//! Real-time signals that found no room in the child's queue of pending signals: they are held, in order, and tried again.
//!
//! The kernel counts the pending signals of a user's processes together (RLIMIT_SIGPENDING). So a full queue has two
//! cures: places are reserved for the child by a lower limit of this process, and with many signals held the next ones are
//! left in the kernel, where they keep senders from sending more.

use super::action::{Actions, ChildAction, LoopAction, Tell, To};
use crate::model::origin::Received;
use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

/// How long after the first failure a held signal is tried again. Each failure doubles it, up to [`LONGEST_RETRY_WAIT`].
const FIRST_RETRY_WAIT: Duration = Duration::from_millis(1);
const LONGEST_RETRY_WAIT: Duration = Duration::from_millis(100);

/// When this many signals are held, further real-time signals are left in the kernel's queue.
///
/// It must be more than one read fetches (the engine checks that): while the first signal of a read found no room, and our
/// limit was lowered for that, senders may have filled the queue up to the old limit. If none of those signals were read,
/// the child would never have room.
pub(crate) const MANY_HELD: usize = 128;

/// When this many signals are held, further ones are given up: those that come by handlers can't be left in the kernel.
const MOST_HELD: usize = 65_536;

/// The held signals of one child.
#[derive(Debug, Default)]
pub(crate) struct Held {
    queue: VecDeque<Received>,
    /// The first one is being passed on.
    is_passing: bool,
    leaves_realtime: bool,
    has_reserved: bool,
    /// When the first one is tried again.
    retry: Option<Retry>,
}

#[derive(Clone, Copy, Debug)]
struct Retry {
    at: Instant,
    wait: Duration,
}

impl Held {
    /// A child was started.
    pub(crate) fn child_started(&mut self) {
        self.is_passing = false;
    }

    /// The child has ended: the held signals are lost with it, as those in its queue are.
    pub(crate) fn child_ended(&mut self, actions: &mut Actions) {
        self.queue.clear();
        self.retry = None;
        self.leave_realtime(actions);
    }

    /// When [`time_is_up`](Held::time_is_up) is to be called.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.retry.map(|retry| retry.at)
    }

    /// Whether real-time signals are to be left in the kernel's queue.
    pub(crate) fn leaves_realtime(&self) -> bool {
        self.leaves_realtime
    }

    /// Passes a signal on, or holds it if it must wait behind others. Standard signals don't wait: they need no room.
    pub(crate) fn pass(&mut self, received: Received, to: To, actions: &mut Actions) {
        if !received.signal.is_realtime() || self.queue.is_empty() {
            actions.push(ChildAction::Pass(received, to));
        } else if self.queue.len() < MOST_HELD {
            self.hold(received, actions);
        } else {
            let error = io::Error::new(io::ErrorKind::WouldBlock, "too many signals wait for room in its queue");
            actions.push(ChildAction::Tell(Tell::NotPassed(received, error)));
        }
    }

    /// Whether this signal, which was dealt with just now, is the first of those held.
    pub(crate) fn takes_passing(&mut self, received: Received) -> bool {
        received.signal.is_realtime() && std::mem::take(&mut self.is_passing)
    }

    /// There was no room for this signal; `was_held`: it is the first of those held.
    #[cold]
    pub(crate) fn found_no_room(&mut self, received: Received, was_held: bool, now: Instant, actions: &mut Actions) {
        if !was_held {
            self.hold(received, actions);
        }
        if !std::mem::replace(&mut self.has_reserved, true) {
            actions.push(LoopAction::ReserveQueue);
        }
        let wait = self.retry.map_or(FIRST_RETRY_WAIT, |retry| (retry.wait * 2).min(LONGEST_RETRY_WAIT));
        self.retry = Some(Retry { at: now + wait, wait });
    }

    /// The first signal was passed on, or given up: the next one follows.
    #[cold]
    pub(crate) fn first_is_done(&mut self, actions: &mut Actions) {
        self.queue.pop_front();
        // There is room: the next wait is a short one again.
        self.retry = None;
        self.pass_first(actions);
    }

    /// Tries again if it is time.
    #[cold]
    pub(crate) fn time_is_up(&mut self, now: Instant, actions: &mut Actions) {
        if self.retry.is_some_and(|retry| retry.at <= now) {
            self.pass_first(actions);
        }
    }

    #[cold]
    fn pass_first(&mut self, actions: &mut Actions) {
        self.leave_realtime(actions);
        if let Some(first) = self.queue.front()
            && !self.is_passing
        {
            self.is_passing = true;
            actions.push(ChildAction::Pass(*first, To::Child));
        }
    }

    #[cold]
    fn hold(&mut self, received: Received, actions: &mut Actions) {
        self.queue.push_back(received);
        self.leave_realtime(actions);
    }

    fn leave_realtime(&mut self, actions: &mut Actions) {
        let leave = self.queue.len() >= MANY_HELD;
        if leave != self.leaves_realtime {
            self.leaves_realtime = leave;
            actions.push(LoopAction::LeaveRealtime);
        }
    }
}

#[cfg(test)]
mod tests;
