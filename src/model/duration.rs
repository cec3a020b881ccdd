//! Durations as people read them.

use std::fmt::{self, Display, Formatter, Write};
use std::time::Duration;

/// A duration that somebody has set: all of it, as it can be typed, without units that are 0: `0s`, `250ms`, `1.5s`, `1m30s`,
/// `1h`, `1d12h`.
pub(crate) struct Exact(pub(crate) Duration);

impl Display for Exact {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (seconds, nanos) = (self.0.as_secs(), self.0.subsec_nanos());
        if seconds == 0 {
            return below_a_second(f, nanos);
        }
        for (amount, unit) in [(seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "m")] {
            if amount > 0 {
                write!(f, "{amount}{unit}")?;
            }
        }
        if seconds % 60 > 0 || nanos > 0 { seconds_with_fraction(f, seconds % 60, nanos) } else { Ok(()) }
    }
}

/// A duration that was measured, in its two largest units, without fractions but below a second: `3h12m`, `45s`, `340ms`.
pub(crate) struct Short(pub(crate) Duration);

impl Display for Short {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
        match (days, hours, minutes, seconds) {
            (0, 0, 0, 0) => write!(f, "{}ms", self.0.as_millis()),
            (0, 0, 0, seconds) => write!(f, "{seconds}s"),
            (0, 0, minutes, seconds) => write!(f, "{minutes}m{}s", seconds % 60),
            (0, hours, minutes, _) => write!(f, "{hours}h{minutes}m"),
            (days, hours, ..) => write!(f, "{days}d{hours}h"),
        }
    }
}

/// `250ms`, `1.5µs`, `0s`.
pub(crate) fn below_a_second(f: &mut Formatter<'_>, nanos: u32) -> fmt::Result {
    match nanos {
        0 => f.write_str("0s"),
        1..1_000 => write!(f, "{nanos}ns"),
        1_000..1_000_000 => decimal(f, u64::from(nanos), 1_000, "µs"),
        _ => decimal(f, u64::from(nanos), 1_000_000, "ms"),
    }
}

/// `1.5s`.
pub(crate) fn seconds_with_fraction(f: &mut Formatter<'_>, seconds: u64, nanos: u32) -> fmt::Result {
    const NANOS_PER_SECOND: u64 = 1_000_000_000;
    decimal(f, seconds * NANOS_PER_SECOND + u64::from(nanos), NANOS_PER_SECOND, "s")
}

/// `value / unit`, without zeroes at its end.
fn decimal(f: &mut Formatter<'_>, value: u64, unit: u64, name: &str) -> fmt::Result {
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
    fn what_was_set_is_shown_whole() {
        for (nanos, text) in [
            (0, "0s"),
            (1, "1ns"),
            (1_500, "1.5µs"),
            (250_000_000, "250ms"),
            (1_000_000_000, "1s"),
            (1_500_000_000, "1.5s"),
            (60_000_000_000, "1m"),
            (90_000_000_000, "1m30s"),
            (3_600_000_000_000, "1h"),
            (3_600_500_000_000, "1h0.5s"),
            (129_600_000_000_000, "1d12h"),
        ] {
            assert_eq!(Exact(Duration::from_nanos(nanos)).to_string(), text);
        }
    }

    #[test]
    fn what_was_measured_is_short() {
        let short = |seconds, millis: u32| Short(Duration::new(seconds, millis * 1_000_000)).to_string();
        assert_eq!(short(0, 340), "340ms");
        assert_eq!(short(59, 999), "59s");
        assert_eq!(short(303, 0), "5m3s");
        assert_eq!(short(11_520, 0), "3h12m");
        assert_eq!(short(190_000, 0), "2d4h");
    }
}
