//! How long to wait before a process is started again.

use std::time::Duration;

/// The waits between restarts: doubled after each quick end up to the longest one, and the shortest again after a long run.
///
/// The rule is pmux's: `wait = clamp(2 * wait - took, least, most)`, in whole milliseconds. `took` is how long the last run
/// took, and `wait` starts at zero. So the first wait is the least one, however long the run took.
///
/// ```
/// use panicmon::Backoff;
/// use std::time::Duration;
///
/// let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(64));
/// let ended_at_once = Duration::ZERO;
/// let waits: Vec<u64> = (0..8).map(|_| backoff.after(ended_at_once).as_secs()).collect();
/// assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 64]);
/// assert_eq!(backoff.after(Duration::from_secs(600)).as_secs(), 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    least: Duration,
    most: Duration,
    wait: Duration,
}

impl Backoff {
    /// Waits between the least and the most. A most below the least counts as the least.
    pub const fn new(least: Duration, most: Duration) -> Backoff {
        Backoff { least, most, wait: Duration::ZERO }
    }

    /// How long to wait after a run that took this time.
    pub fn after(&mut self, took: Duration) -> Duration {
        let wait = self.wait.saturating_mul(2).saturating_sub(took);
        let whole = Duration::new(wait.as_secs(), wait.subsec_millis() * 1_000_000);
        // In this order, and not by `clamp`, which panics if the most is below the least.
        self.wait = whole.min(self.most).max(self.least);
        self.wait
    }
}

/// pmux's: between one second and 64.
impl Default for Backoff {
    fn default() -> Backoff {
        Backoff::new(Duration::from_secs(1), Duration::from_secs(64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::test_random::Random;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn waits(least: u64, most: u64, runs: &[u64]) -> Vec<u64> {
        let mut backoff = Backoff::new(ms(least), ms(most));
        runs.iter().map(|took| backoff.after(ms(*took)).as_millis() as u64).collect()
    }

    #[test]
    fn quick_failures_double_the_wait_and_long_runs_bring_it_back() {
        for (least, most, runs, expected) in [
            (1000, 64_000, vec![0; 9], vec![1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 64_000, 64_000]),
            (1000, 64_000, vec![0, 0, 0, 500, 3000], vec![1000, 2000, 4000, 7500, 12_000]),
            (1000, 64_000, vec![0, 0, 0, 100_000, 0], vec![1000, 2000, 4000, 1000, 2000]),
            // A run of the same length each time: it stays where it is.
            (1000, 64_000, vec![0, 1000, 1000], vec![1000, 1000, 1000]),
            (0, 64_000, vec![0; 3], vec![0; 3]),
            (100, 100, vec![0, 50, 1000], vec![100; 3]),
            (500, 100, vec![0, 0, 0], vec![500; 3]),
        ] {
            assert_eq!(waits(least, most, &runs), expected, "{least} {most} {runs:?}");
        }
    }

    #[test]
    fn less_than_a_millisecond_is_cut_off() {
        let mut backoff = Backoff::new(ms(10), ms(1000));
        backoff.after(Duration::ZERO);
        assert_eq!(backoff.after(Duration::from_nanos(1)), ms(19));
        assert_eq!(backoff.after(Duration::from_nanos(37_000_001)), ms(10));
    }

    #[test]
    fn the_longest_times_overflow_nothing() {
        let mut backoff = Backoff::new(Duration::MAX, Duration::MAX);
        assert_eq!([backoff.after(Duration::ZERO), backoff.after(Duration::MAX)], [Duration::MAX; 2]);
    }

    /// The formula in whole nanoseconds, signed, as pmux has it.
    #[test]
    fn the_formula_holds_for_random_runs() {
        let mut random = Random::new(1);
        let mut below = |limit: u64| random.below(limit);
        for _ in 0..2_000 {
            let least = below(5_000_000_000);
            let most = least + below(100_000_000_000);
            let mut backoff = Backoff::new(Duration::from_nanos(least), Duration::from_nanos(most));
            let mut wait: i128 = 0;
            for _ in 0..30 {
                let took = below(20_000_000_000);
                let next = 2 * wait - i128::from(took);
                wait = (next - next % 1_000_000).clamp(i128::from(least), i128::from(most));
                assert_eq!(backoff.after(Duration::from_nanos(took)).as_nanos() as i128, wait);
            }
        }
    }
}
