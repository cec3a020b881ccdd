//! The grace period: a child that was asked to stop, and hasn't ended in time, is killed.

use crate::model::death::KilledBy;
use std::time::{Duration, Instant};

/// The grace period of a child that panicmon stops by itself, if none was configured; pmux's.
pub(crate) const DEFAULT_GRACE_PERIOD: Duration = Duration::from_secs(10);

/// When the child is killed, and whether it was.
#[derive(Debug)]
pub(crate) struct GracePeriod {
    /// `None`: a stop that is passed on starts no grace period.
    configured: Option<Duration>,
    /// When the child is killed.
    ends_at: Option<Instant>,
    killed_by: Option<KilledBy>,
}

impl GracePeriod {
    pub(crate) fn new(configured: Option<Duration>) -> GracePeriod {
        GracePeriod { configured, ends_at: None, killed_by: None }
    }

    /// A child was started.
    pub(crate) fn child_started(&mut self) {
        self.killed_by = None;
    }

    /// The child has ended.
    pub(crate) fn child_ended(&mut self) {
        self.ends_at = None;
    }

    /// A stop is passed on to the child after this delay. Only the first stop starts the period: a second one doesn't put
    /// the end off.
    pub(crate) fn stop_asked(&mut self, after: Duration, now: Instant) {
        // A time so late that it overflows is no deadline.
        let ends_at = self.configured.and_then(|configured| now.checked_add(after)?.checked_add(configured));
        self.ends_at = self.ends_at.into_iter().chain(ends_at).min();
    }

    /// panicmon itself stops the child: there is a grace period in any case.
    pub(crate) fn own_stop(&mut self, now: Instant) {
        self.stop_asked(Duration::ZERO, now);
        if self.configured.is_none() {
            self.ends_at.get_or_insert(now + DEFAULT_GRACE_PERIOD);
        }
    }

    /// When [`take_end`](GracePeriod::take_end) is to be called.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.ends_at
    }

    /// Whether the period has ended, once: how long it was.
    pub(crate) fn take_end(&mut self, now: Instant) -> Option<Duration> {
        self.ends_at.take_if(|at| *at <= now)?;
        Some(self.configured.unwrap_or(DEFAULT_GRACE_PERIOD))
    }

    /// This process sends KILL to the child.
    pub(crate) fn killed(&mut self, by: KilledBy) {
        self.killed_by.get_or_insert(by);
    }

    /// Why this process has first sent KILL to the child, if it has.
    pub(crate) fn killed_by(&self) -> Option<KilledBy> {
        self.killed_by
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIGURED: Duration = Duration::from_secs(3);

    #[test]
    fn the_first_stop_starts_it_and_the_earliest_end_counts() {
        let now = Instant::now();
        let second = Duration::from_secs(1);
        for (configured, stops, ends_after) in [
            (None, &[(0_u32, 0_u32)] as &[_], None),
            (Some(CONFIGURED), &[(0, 0)], Some(3)),
            (Some(CONFIGURED), &[(0, 0), (0, 2)], Some(3)),
            // One that is passed on later, and a second one that isn't delayed any more.
            (Some(CONFIGURED), &[(10, 0)], Some(13)),
            (Some(CONFIGURED), &[(10, 0), (0, 2)], Some(5)),
            (Some(Duration::MAX), &[(0, 0)], None),
        ] {
            let mut grace = GracePeriod::new(configured);
            for (after, at) in stops {
                grace.stop_asked(second * *after, now + second * *at);
            }
            assert_eq!(grace.deadline(), ends_after.map(|after| now + second * after), "{configured:?} {stops:?}");
        }
    }

    #[test]
    fn it_ends_once_and_not_before_its_time() {
        let now = Instant::now();
        let mut grace = GracePeriod::new(Some(CONFIGURED));
        grace.stop_asked(Duration::ZERO, now);
        assert_eq!(grace.take_end(now + CONFIGURED - Duration::from_nanos(1)), None);
        assert_eq!(grace.take_end(now + CONFIGURED), Some(CONFIGURED));
        assert!(grace.killed_by().is_none());
        assert_eq!((grace.take_end(now + CONFIGURED), grace.deadline()), (None, None));
    }

    #[test]
    fn a_stop_by_panicmon_itself_has_a_grace_period_in_any_case() {
        let now = Instant::now();
        for (configured, ends_after) in [(None, DEFAULT_GRACE_PERIOD), (Some(CONFIGURED), CONFIGURED)] {
            let mut grace = GracePeriod::new(configured);
            grace.own_stop(now);
            grace.own_stop(now + Duration::from_secs(1));
            assert_eq!(grace.deadline(), Some(now + ends_after));
            assert_eq!(grace.take_end(now + ends_after), Some(ends_after));
        }
    }

    #[test]
    fn an_end_of_the_child_ends_it() {
        let mut grace = GracePeriod::new(Some(CONFIGURED));
        grace.stop_asked(Duration::ZERO, Instant::now());
        grace.killed(KilledBy::Stop);
        grace.child_ended();
        assert_eq!(grace.deadline(), None);
        assert!(grace.killed_by().is_some(), "how it ended is asked after its end");
        grace.child_started();
        assert!(grace.killed_by().is_none());
    }
}
