//! When to look for children that have ended, where there are many.
//!
//! To find any child that has ended, the kernel goes through all of them. A SIGCHLD names one child, which the kernel finds at
//! once; but it may stand for others, too. So that each orphan doesn't cost a look at all, looks have a distance, which grows
//! with the time that they take. Where a look finds many orphans, it reads a list of all children for them, which takes as
//! long as some 25 of them found one by one.

use std::time::{Duration, Instant};

/// The least time between two looks: how long a child that no signal has named may stay unreaped.
const DISTANCE: Duration = Duration::from_millis(10);

/// The same where many children end.
const LONGEST_DISTANCE: Duration = Duration::from_millis(200);

/// Looks take up to one part in this many of the time, unless the distance would be longer than that.
const PART: u32 = 200;

/// This number of orphans is found one by one before a look reads the list. After a look that has found some in it, the list is
/// read at once.
const ONE_BY_ONE: usize = 16;

/// When all were last looked at, and when they will be next.
#[derive(Debug)]
pub(crate) struct Looks {
    last: Option<Instant>,
    next: Option<Instant>,
    distance: Duration,
    /// The last look has found orphans in the list.
    found_many: bool,
}

impl Default for Looks {
    fn default() -> Looks {
        Looks { last: None, next: None, distance: DISTANCE, found_many: false }
    }
}

impl Looks {
    /// There may be news of any child. Whether to look at all of them now; otherwise it is to be done at the deadline.
    pub(crate) fn is_now(&mut self, now: Instant) -> bool {
        self.next = self.last.and_then(|last| last.checked_add(self.distance)).filter(|next| now < *next);
        if self.next.is_none() {
            self.last = Some(now);
        }
        self.next.is_none()
    }

    /// When to look though no signal has come.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.next
    }

    /// The number of orphans after which a look reads the list.
    pub(crate) fn orphans_one_by_one(&self) -> usize {
        if self.found_many { 0 } else { ONE_BY_ONE }
    }

    /// A look is over. `found_many`: it has found orphans in the list. `are_left`: not all were found, so that the next look follows by
    /// itself.
    pub(crate) fn looked(&mut self, begin: Instant, end: Instant, found_many: bool, are_left: bool) {
        let took = end.saturating_duration_since(begin);
        self.distance = took.saturating_mul(PART).clamp(DISTANCE, LONGEST_DISTANCE);
        self.found_many = found_many;
        self.last = Some(end);
        self.next = end.checked_add(self.distance).filter(|_| are_left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_piece_of_news_is_followed_by_a_look_but_not_each_by_one_of_its_own() {
        let mut looks = Looks::default();
        let begin = Instant::now();
        assert!(looks.is_now(begin));
        assert_eq!(looks.deadline(), None);
        for after in [0, 1, 9] {
            assert!(!looks.is_now(begin + Duration::from_millis(after)));
            assert_eq!(looks.deadline(), Some(begin + DISTANCE));
        }
        assert!(looks.is_now(begin + DISTANCE));
        assert_eq!(looks.deadline(), None);
        assert!(looks.is_now(begin + 3 * DISTANCE));
    }

    #[test]
    fn a_look_that_has_left_some_is_followed_by_another() {
        let mut looks = Looks::default();
        let begin = Instant::now();
        let after = |micros| begin + Duration::from_micros(micros);
        assert!(looks.is_now(begin));
        for (took, distance) in [(1, 10_000), (200, 40_000), (10_000, 200_000)] {
            looks.looked(begin, after(took), true, true);
            assert_eq!((looks.deadline(), looks.orphans_one_by_one()), (Some(after(took + distance)), 0));
            assert!(!looks.is_now(after(took + distance - 1)));
            assert!(looks.is_now(after(took + distance)));
        }
        looks.looked(begin, after(200), false, false);
        assert_eq!((looks.deadline(), looks.orphans_one_by_one()), (None, ONE_BY_ONE), "nothing is left");
        assert!(!looks.is_now(after(40_199)), "but there is news");
        assert!(looks.is_now(after(40_200)));
    }
}
