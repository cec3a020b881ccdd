//! Durations as Go's `time.ParseDuration` reads them (`10s`, `1m30s`, `.5h`, `+100ms`, `100µs`), and two more: days (`1d`,
//! `1d12h`), and a number alone, which is seconds.
//!
//! No crate reads just these: jiff's and humantime's take spaces and words as well but not `.5h` or units in any order,
//! and ports of Go's parser have neither days nor seconds alone.

use std::time::Duration;

/// The longest duration: a longer one is a slip.
const MAX_DURATION: Duration = Duration::from_secs(366 * 24 * 3600);

const UNITS: [(&str, u64); 9] = [
    ("ns", 1),
    ("us", 1_000),
    // The micro sign, and the Greek letter that looks like it.
    ("\u{B5}s", 1_000),
    ("\u{3BC}s", 1_000),
    ("ms", 1_000_000),
    ("s", NANOS_PER_SECOND),
    ("m", 60 * NANOS_PER_SECOND),
    ("h", 3600 * NANOS_PER_SECOND),
    ("d", 24 * 3600 * NANOS_PER_SECOND),
];

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// Reads a duration. The error says what is wrong with the word, and what to write.
pub(crate) fn parse(word: &str) -> Result<Duration, String> {
    let (negative, digits) = match word.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, word.strip_prefix('+').unwrap_or(word)),
    };
    let nanos = nanos(digits).map_err(|why| match why {
        Bad::Unit(unit) => format!("'{word}': '{unit}' is no unit: write 10s, 500ms, 1m30s, 1d"),
        Bad::UnitMissing => format!("'{word}': its last number has no unit: write 10s, 500ms, 1m30s"),
        Bad::Number => format!("'{word}' is no duration: write 10s, 500ms, 1m30s"),
    })?;
    if negative && nanos > 0 {
        return Err(format!("'{word}' is negative"));
    }
    let duration = Duration::from_nanos(nanos);
    if duration > MAX_DURATION {
        return Err(format!("'{word}' is more than a year"));
    }
    Ok(duration)
}

/// What is wrong with a word.
enum Bad<'w> {
    Number,
    Unit(&'w str),
    UnitMissing,
}

/// The sum of the numbers in a word, in nanoseconds. Too large a sum is the largest.
fn nanos(word: &str) -> Result<u64, Bad<'_>> {
    let (mut rest, mut sum) = (word, 0_u64);
    let mut is_first = true;
    while is_first || !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = after.strip_prefix('.').map_or(("", after), digits);
        if whole.is_empty() && fraction.is_empty() {
            return Err(Bad::Number);
        }
        let (unit, after) = after.split_at(after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len()));
        let nanos = match unit {
            "" if is_first && after.is_empty() => NANOS_PER_SECOND,
            "" if after.is_empty() => return Err(Bad::UnitMissing),
            "" => return Err(Bad::Number),
            _ => UNITS.iter().find(|(name, _)| *name == unit).ok_or(Bad::Unit(unit))?.1,
        };
        // Beyond the type is beyond the longest duration, too.
        let whole = if whole.is_empty() { 0 } else { whole.parse().unwrap_or(u64::MAX) };
        sum = sum.saturating_add(whole.saturating_mul(nanos)).saturating_add(part(fraction, nanos));
        (rest, is_first) = (after, false);
    }
    Ok(sum)
}

/// The digits at the beginning, and what follows them.
fn digits(word: &str) -> (&str, &str) {
    word.split_at(word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len()))
}

/// The part of a unit after the decimal point, in nanoseconds.
///
/// In floating point, as in Go: so a third of an hour, written with many digits, is twenty minutes to the nanosecond.
fn part(fraction: &str, unit: u64) -> u64 {
    let (mut number, mut scale) = (0_u64, 1.0);
    for digit in fraction.bytes().map(|byte| u64::from(byte - b'0')) {
        match number.checked_mul(10).and_then(|tens| tens.checked_add(digit)) {
            // Further digits don't change a nanosecond.
            Some(more) if more <= 1 << 63 => number = more,
            _ => break,
        }
        scale *= 10.0;
    }
    (number as f64 * (unit as f64 / scale)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::duration::Exact;
    use crate::model::test_random::Random;

    #[test]
    fn what_go_reads_is_read() {
        for (word, nanos) in [
            ("0", 0),
            ("0s", 0),
            ("-0", 0),
            ("-0s", 0),
            ("+0", 0),
            ("10s", 10_000_000_000),
            ("+100ms", 100_000_000),
            ("500ms", 500_000_000),
            ("1m30s", 90_000_000_000),
            ("30s1m", 90_000_000_000),
            ("1s1s", 2_000_000_000),
            ("1.5s", 1_500_000_000),
            ("1.s", 1_000_000_000),
            (".1s", 100_000_000),
            ("0h0m0.1s", 100_000_000),
            ("2h45m", 9_900_000_000_000),
            ("1h15m30.918273645s", 4_530_918_273_645),
            ("100us", 100_000),
            ("100000\u{B5}s", 100_000_000),
            ("100000\u{3BC}s", 100_000_000),
            ("7ns", 7),
            ("0.9ns", 0),
            ("1.5h", 5_400_000_000_000),
            ("0.3333333333333333333h", 1_200_000_000_000),
            ("0.100000000000000000000000000h", 360_000_000_000),
            ("0.830103483285477580700h", 2_988_372_539_827),
        ] {
            assert_eq!(parse(word).map(|duration| duration.as_nanos()), Ok(nanos), "{word}");
        }
    }

    #[test]
    fn days_and_seconds_alone_are_read() {
        for (word, millis) in [
            ("1d", 86_400_000),
            ("1d12h", 129_600_000),
            ("1.5d", 129_600_000),
            ("366d", 31_622_400_000),
            ("10", 10_000),
            ("+10", 10_000),
            ("1.5", 1_500),
            (".5", 500),
            ("5.", 5_000),
            ("007", 7_000),
        ] {
            assert_eq!(parse(word).map(|duration| duration.as_millis()), Ok(millis), "{word}");
        }
    }

    #[test]
    fn what_is_none_is_told() {
        for (word, told) in [
            ("", "'' is no duration: write 10s, 500ms, 1m30s"),
            ("soon", "'soon' is no duration"),
            ("s", "'s' is no duration"),
            (".", "'.' is no duration"),
            (".s", "'.s' is no duration"),
            ("-", "'-' is no duration"),
            ("+", "'+' is no duration"),
            ("-.s", "'-.s' is no duration"),
            ("+-1s", "'+-1s' is no duration"),
            ("--1s", "'--1s' is no duration"),
            ("1..5s", "'1..5s' is no duration"),
            ("1.2.3", "'1.2.3' is no duration"),
            (" 1s", "' 1s' is no duration"),
            ("1s5", "'1s5': its last number has no unit: write 10s, 500ms, 1m30s"),
            ("1d12", "'1d12': its last number has no unit"),
            ("1h-2m", "'1h-2m': 'h-' is no unit: write 10s, 500ms, 1m30s, 1d"),
            ("1s ", "'1s ': 's ' is no unit"),
            ("1m 30s", "'1m 30s': 'm ' is no unit"),
            ("10sec", "'10sec': 'sec' is no unit"),
            ("5S", "'5S': 'S' is no unit"),
            ("5\u{B5}", "'5\u{B5}': '\u{B5}' is no unit"),
            ("2 years", "'2 years': ' years' is no unit"),
            ("1w", "'1w': 'w' is no unit"),
            ("1e3", "'1e3': 'e' is no unit"),
            ("0x10", "'0x10': 'x' is no unit"),
            ("1,5s", "'1,5s': ',' is no unit"),
            ("PT10S", "'PT10S' is no duration"),
            ("\u{661}s", "'\u{661}s' is no duration"),
            ("-1s", "'-1s' is negative"),
            ("-5", "'-5' is negative"),
            ("9999h", "'9999h' is more than a year"),
            ("367d", "'367d' is more than a year"),
            ("366d1ns", "'366d1ns' is more than a year"),
            ("31622401", "'31622401' is more than a year"),
            ("99999999999999999999s", "'99999999999999999999s' is more than a year"),
            ("9223372036854775808ns9223372036854775808ns", "is more than a year"),
        ] {
            let message = parse(word).unwrap_err();
            assert!(message.starts_with(told) || message.ends_with(told), "{word}: {message}");
        }
    }

    #[test]
    fn what_is_shown_of_one_is_read_again() {
        let mut random = Random::new(7);
        for _ in 0..1000 {
            let duration = Duration::from_nanos(random.below(366 * 24 * 3600 * NANOS_PER_SECOND) >> random.below(60));
            assert_eq!(parse(&Exact(duration).to_string()), Ok(duration));
        }
    }
}
