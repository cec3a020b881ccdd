//! When to look for children that have ended, where there are many.
//!
//! To find any child that has ended, the kernel goes through all of them. A SIGCHLD names one child, which the kernel finds at
//! once; but it may stand for others, too. So that each orphan doesn't cost a look at all, looks have a distance.

use std::time::{Duration, Instant};

/// The least time between two looks: how long a child that no signal has named may stay unreaped.
const DISTANCE: Duration = Duration::from_millis(10);

/// When all were last looked at, and when they will be next.
#[derive(Debug, Default)]
pub(crate) struct Looks {
    last: Option<Instant>,
    next: Option<Instant>,
}

impl Looks {
    /// There may be news of any child. Whether to look at all of them now; otherwise it is to be done at the deadline.
    pub(crate) fn is_now(&mut self, now: Instant) -> bool {
        self.next = self.last.and_then(|last| last.checked_add(DISTANCE)).filter(|next| now < *next);
        if self.next.is_none() {
            self.last = Some(now);
        }
        self.next.is_none()
    }

    /// When to look though no signal has come.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.next
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
}
