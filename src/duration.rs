//! Durations as people write them: `10s`, `500ms`, `1m30s`, `1.5h`.

use jiff::SignedDuration;
use std::fmt::{self, Write};
use std::time::Duration;

/// The longest that is taken: what is longer is a slip.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

const NANOS_PER_SECOND: u32 = 1_000_000_000;

/// Reads one: numbers, each with a unit. The error says what is wrong with the word, and what to write.
pub(crate) fn parse(word: &str) -> Result<Duration, String> {
    // A bare number: of what?
    if !word.is_empty() && word != "0" && word.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("'{word}' has no unit: write {word}s for seconds, {word}ms for milliseconds"));
    }
    let duration = if word == "0" { Ok(SignedDuration::ZERO) } else { word.parse::<SignedDuration>() };
    let duration = duration.map_err(|_| format!("'{word}' is no duration: write 10s, 500ms, 1m30s"))?;
    let duration = Duration::try_from(duration).map_err(|_| format!("'{word}' is a time before now"))?;
    if duration > LONGEST {
        return Err(format!("'{word}' is more than a year"));
    }
    Ok(duration)
}

/// Prints it as Go does: `1s`, `1.5s`, `1m4s`, `1h0m0s`, `250ms`.
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
    fn numbers_with_units_are_read() {
        for (word, nanos) in [
            ("0", 0),
            ("0s", 0),
            ("10s", 10_000_000_000),
            ("500ms", 500_000_000),
            ("1m30s", 90_000_000_000),
            ("1.5s", 1_500_000_000),
            ("2h45m", 9_900_000_000_000),
            ("1us", 1_000),
            ("1µs", 1_000),
            ("7ns", 7),
            ("1.5h", 5_400_000_000_000),
        ] {
            assert_eq!(parse(word).map(|duration| duration.as_nanos()), Ok(nanos), "{word}");
        }
    }

    #[test]
    fn what_is_none_is_told() {
        for (word, told) in [
            ("", "is no duration"),
            ("5", "has no unit"),
            ("-1s", "before now"),
            ("1..5s", "is no duration"),
            ("5d", "is no duration"),
            ("2 years", "is no duration"),
            ("s", "is no duration"),
            ("1s5", "is no duration"),
            ("9999h", "more than a year"),
            ("99999999999999999999s", "is no duration"),
            ("5µ", "is no duration"),
        ] {
            let message = parse(word).unwrap_err();
            assert!(message.contains(told), "{word}: {message}");
        }
    }

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
            assert_eq!(parse(text), Ok(duration), "and back");
        }
    }
}
