//! Whose turn it is, where only a few may run and wait at a time: hooks.

use std::collections::VecDeque;

/// How many run at once.
pub(crate) const MOST_AT_ONCE: usize = 4;

/// How many wait for their turn. With one more, the one that has waited longest is dropped: the last event counts most.
pub(crate) const MOST_WAITING: usize = 64;

/// Those that wait for their turn, and how many have it.
#[derive(Debug)]
pub(crate) struct Turns<T> {
    waiting: VecDeque<T>,
    running: usize,
    /// How many were dropped since that was last told.
    dropped: u64,
}

impl<T> Turns<T> {
    pub(crate) fn new() -> Turns<T> {
        Turns { waiting: VecDeque::new(), running: 0, dropped: 0 }
    }

    /// Another one waits.
    #[cold]
    pub(crate) fn add(&mut self, one: T) {
        if self.waiting.len() == MOST_WAITING {
            self.waiting.pop_front();
            self.dropped += 1;
        }
        self.waiting.push_back(one);
    }

    /// Others were dropped before they could wait.
    #[cfg(feature = "reports")]
    pub(crate) fn lost(&mut self, count: u64) {
        self.dropped += count;
    }

    /// The next one, if it is its turn: it runs from now on.
    #[cold]
    pub(crate) fn next(&mut self) -> Option<T> {
        let next = if self.running < MOST_AT_ONCE { self.waiting.pop_front() } else { None };
        self.running += usize::from(next.is_some());
        next
    }

    /// One that had its turn has ended.
    pub(crate) fn ended(&mut self) {
        self.running = self.running.saturating_sub(1);
    }

    /// Nobody gets a turn any more: how many had none.
    #[cold]
    pub(crate) fn give_up(&mut self) -> usize {
        std::mem::take(&mut self.waiting).len()
    }

    pub(crate) fn are_over(&self) -> bool {
        self.running == 0 && self.waiting.is_empty()
    }

    /// How many were dropped, once nobody waits any more. It is told once.
    #[cold]
    pub(crate) fn take_dropped(&mut self) -> Option<u64> {
        if self.dropped == 0 || !self.waiting.is_empty() {
            return None;
        }
        Some(std::mem::take(&mut self.dropped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(turns: &mut Turns<usize>) -> Vec<usize> {
        std::iter::from_fn(|| turns.next()).collect()
    }

    #[test]
    fn only_a_few_run_at_once_and_the_others_wait_in_order() {
        let mut turns = Turns::new();
        (0..6).for_each(|number| turns.add(number));
        assert_eq!(begun(&mut turns), [0, 1, 2, 3]);
        turns.ended();
        assert_eq!(begun(&mut turns), [4]);
        (0..4).for_each(|_| turns.ended());
        assert!(!turns.are_over());
        assert_eq!(begun(&mut turns), [5]);
        assert!(!turns.are_over());
        turns.ended();
        assert!(turns.are_over());
        assert_eq!(turns.take_dropped(), None);
    }

    #[test]
    fn of_too_many_the_oldest_are_dropped_and_counted_once() {
        let mut turns = Turns::new();
        (0..MOST_WAITING + 3).for_each(|number| turns.add(number));
        assert_eq!(begun(&mut turns), [3, 4, 5, 6]);
        assert_eq!(turns.take_dropped(), None, "it is told when nobody waits");
        (0..MOST_WAITING).for_each(|_| {
            turns.ended();
            turns.next();
        });
        assert_eq!((turns.take_dropped(), turns.take_dropped()), (Some(3), None));
    }

    #[test]
    fn those_that_are_given_up_are_counted() {
        let mut turns = Turns::new();
        (0..6).for_each(|number| turns.add(number));
        begun(&mut turns);
        assert_eq!((turns.give_up(), turns.next()), (2, None));
    }
}
