//! Durations as Go prints them.

use crate::model::duration::{below_a_second, seconds_with_fraction};
use std::fmt;
use std::time::Duration;

/// A duration as Go prints it: `1s`, `1.5s`, `1m4s`, `1h0m0s`, `250ms`.
pub(crate) struct Spelled(pub(crate) Duration);

impl fmt::Display for Spelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanos) = (self.0.as_secs(), self.0.subsec_nanos());
        if seconds == 0 {
            return below_a_second(f, nanos);
        }
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if seconds >= 60 {
            write!(f, "{minutes}m")?;
        }
        seconds_with_fraction(f, seconds % 60, nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_printed_as_go_prints_them() {
        for (nanos, text) in [
            (0, "0s"),
            (1, "1ns"),
            (1_500, "1.5µs"),
            (250_000_000, "250ms"),
            (1_000_000_000, "1s"),
            (1_234_000_000, "1.234s"),
            (64_000_000_000, "1m4s"),
            (60_000_000_000, "1m0s"),
            (3_600_000_000_000, "1h0m0s"),
            (3_661_500_000_000, "1h1m1.5s"),
        ] {
            let duration = Duration::from_nanos(nanos);
            assert_eq!(Spelled(duration).to_string(), text);
        }
    }
}
