//! Durations as Go prints them.

use std::fmt::{self, Write};
use std::time::Duration;

const NANOS_PER_SECOND: u32 = 1_000_000_000;

/// A duration as Go prints it: `1s`, `1.5s`, `1m4s`, `1h0m0s`, `250ms`.
pub(crate) struct Spelled(pub(crate) Duration);

impl fmt::Display for Spelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanos) = (self.0.as_secs(), self.0.subsec_nanos());
        if seconds == 0 {
            return match nanos {
                0 => f.write_str("0s"),
                1..1_000 => write!(f, "{nanos}ns"),
                1_000..1_000_000 => decimal(f, u64::from(nanos), 1_000, "µs"),
                _ => decimal(f, u64::from(nanos), 1_000_000, "ms"),
            };
        }
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if seconds >= 60 {
            write!(f, "{minutes}m")?;
        }
        decimal(f, seconds % 60 * u64::from(NANOS_PER_SECOND) + u64::from(nanos), u64::from(NANOS_PER_SECOND), "s")
    }
}

/// `value / unit`, without zeroes at its end.
fn decimal(f: &mut fmt::Formatter<'_>, value: u64, unit: u64, name: &str) -> fmt::Result {
    write!(f, "{}", value / unit)?;
    let (mut rest, mut place) = (value % unit, unit / 10);
    if rest > 0 {
        f.write_char('.')?;
    }
    while rest > 0 {
        write!(f, "{}", rest / place)?;
        rest %= place;
        place /= 10;
    }
    f.write_str(name)
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
