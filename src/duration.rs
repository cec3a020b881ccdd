//! Durations as people write them: `10s`, `500ms`, `1m30s`, `1.5h`.

use jiff::SignedDuration;
use std::time::Duration;

/// The longest that is taken: what is longer is a slip.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

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
}
