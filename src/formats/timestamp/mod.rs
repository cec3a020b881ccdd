//! Timestamps of lines, in a format of the user's.

mod element;
mod layout;
mod zone;

use crate::model::printable::shown;
use jiff::Zoned;
use jiff::fmt::strtime::{BrokenDownTime, Config, PosixCustom};
use jiff::tz::TimeZone;
use layout::Layout;
use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

/// One of each kind, for the message about something else.
const EXAMPLES: &str = "rfc3339, iso8601, unix or unix-ms, 2006-01-02T15:04:05.000Z07:00 (a layout of Go's) or %Y-%m-%dT%H:%M:%S.%3f%:z (strftime)";

/// The formats that have names.
const NAMES: [(&str, &str); 4] = [
    ("rfc3339", "2006-01-02T15:04:05Z07:00"),
    ("iso8601", "2006-01-02T15:04:05.000Z07:00"),
    ("unix", "%s"),
    ("unix-ms", "%s%3f"),
];

/// A format of timestamps: the `timeFormat` of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeFormat(Kind);

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Go(Layout),
    Strftime(String),
}

/// Why a text is no [`TimeFormat`]: displayed, what is wrong with it, and what to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseTimeFormatError(String);

impl fmt::Display for ParseTimeFormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ParseTimeFormatError {}

impl FromStr for TimeFormat {
    type Err = ParseTimeFormatError;

    /// Reads the name of a format (`rfc3339`, `iso8601`, `unix`, `unix-ms`), a layout of Go's
    /// (`2006-01-02T15:04:05.000Z07:00`), or a format of strftime(3), if there is a `%` in it.
    fn from_str(format: &str) -> Result<TimeFormat, ParseTimeFormatError> {
        TimeFormat::parse(format).map_err(ParseTimeFormatError)
    }
}

impl TimeFormat {
    /// A function that appends a time, in the local time zone: that of `TZ`, or of /etc/localtime.
    ///
    /// The zone is looked up here, once; it is not looked up for a format to which it makes no difference. One that isn't
    /// found is UTC, which is logged as a warning.
    pub fn writer(self) -> impl Fn(SystemTime, &mut Vec<u8>) + Send + 'static {
        let east = TimeZone::fixed(jiff::tz::offset(1));
        let is_zoneless = self.written(0, TimeZone::UTC) == self.written(0, east);
        let zone = if is_zoneless { TimeZone::UTC } else { zone::local() };
        move |time, into| self.write(time, &zone, into)
    }

    /// The error says what is wrong, and what to write.
    fn parse(format: &str) -> Result<TimeFormat, String> {
        if format.contains(char::is_control) {
            return Err(format!("'{}' holds a control character: write {EXAMPLES}", shown(format)));
        }
        if let Some((_, format)) = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(format)) {
            return TimeFormat::parse(format);
        }
        let parsed = TimeFormat(if format.contains('%') {
            check(format)?;
            Kind::Strftime(format.to_owned())
        } else {
            let layout = Layout::parse(format);
            Kind::Go(
                layout.ok_or_else(|| format!("nothing in '{}' stands for a time: write {EXAMPLES}", shown(format)))?,
            )
        });
        if is_like_a_name(format) {
            return Err(format!("'{}' is no format that has a name: write {EXAMPLES}", shown(format)));
        }
        if !parsed.says_the_hour() {
            return Err(format!("there is no hour in '{}': write {EXAMPLES}", shown(format)));
        }
        Ok(parsed)
    }

    /// Appends the time, as it is in this zone.
    pub(super) fn write(&self, time: SystemTime, zone: &TimeZone, into: &mut Vec<u8>) {
        // Beyond the years -9999 to 9999 a clock is wrong anyway.
        let time = jiff::Timestamp::try_from(time).unwrap_or(if time < SystemTime::UNIX_EPOCH {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        });
        self.write_zoned(&time.to_zoned(zone.clone()), into);
    }

    fn write_zoned(&self, time: &Zoned, into: &mut Vec<u8>) {
        match &self.0 {
            Kind::Go(layout) => layout.write(time, into),
            // It can't fail: each directive was tried.
            Kind::Strftime(format) => drop(strftime(format, time, into)),
        }
    }

    /// Whether it tells one hour of a day from the next, minutes and seconds being the same.
    fn says_the_hour(&self) -> bool {
        self.written(1, TimeZone::UTC) != self.written(2, TimeZone::UTC)
    }

    /// This many hours after the epoch.
    fn written(&self, hours: i64, zone: TimeZone) -> Vec<u8> {
        let mut written = Vec::new();
        let time = jiff::Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(hours);
        self.write_zoned(&time.to_zoned(zone), &mut written);
        written
    }
}

/// Whether the name of a standard is meant: `rfc1123` holds a 3, which is Go's hour.
fn is_like_a_name(format: &str) -> bool {
    let prefix = format.get(..3).unwrap_or_default();
    let is_standard = ["rfc", "iso"].iter().any(|name| name.eq_ignore_ascii_case(prefix));
    is_standard && format.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn strftime(format: &str, now: &Zoned, into: &mut Vec<u8>) -> Result<(), jiff::Error> {
    BrokenDownTime::from(now).format_with_config(&Config::new().custom(PosixCustom::new()), format, into)
}

/// Tries each directive by itself: it is known, and prints no control character, as %n does.
fn check(format: &str) -> Result<(), String> {
    let now = jiff::Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    let mut rest = format;
    while let Some(start) = rest.find('%') {
        let directive = directive(&rest[start..]);
        let told = |why: &str| Err(format!("'{}' in '{}' {why}{EXAMPLES}", shown(directive), shown(format)));
        let mut printed = Vec::new();
        if strftime(directive, &now, &mut printed).is_err() {
            return told("is no directive of strftime's: write %% for a '%', or ");
        }
        if printed.iter().any(u8::is_ascii_control) {
            return told("prints a control character: write ");
        }
        rest = &rest[start + directive.len()..];
    }
    Ok(())
}

/// The directive that the text starts with: the `%`, flags, width, colons and dot, and the letter.
fn directive(text: &str) -> &str {
    let letter = |(at, next): &(usize, char)| *at > 0 && !next.is_ascii_digit() && !"_-^#:.".contains(*next);
    let end = text.char_indices().find(letter).map_or(text.len(), |(at, next)| at + next.len_utf8());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil;
    use std::time::Duration;

    fn on_a_thursday() -> Zoned {
        let zone = TimeZone::posix("EST5EDT,M3.2.0,M11.1.0").unwrap();
        civil::date(2021, 3, 4).at(5, 6, 7, 80_900_000).to_zoned(zone).unwrap()
    }

    fn printed(format: &str, now: &Zoned) -> String {
        let mut into = b"> ".to_vec();
        TimeFormat::parse(format).unwrap().write_zoned(now, &mut into);
        String::from_utf8(into).unwrap().split_off(2)
    }

    #[test]
    fn both_kinds_of_formats_are_read() {
        for (format, text) in [
            ("2006-01-02T15:04:05.000Z07:00", "2021-03-04T05:06:07.080-05:00"),
            ("15:04:05", "05:06:07"),
            ("%Y-%m-%dT%H:%M:%S%z", "2021-03-04T05:06:07-0500"),
            ("%F %T.%3f %Z", "2021-03-04 05:06:07.080 EST"),
            ("%H:%M:%S.%N", "05:06:07.080900000"),
            ("%H|%f|%6f|%.f|%.3f", "05|0809|080900|.0809|.080"),
            ("%s", "1614852367"),
            ("%c", "Thu Mar  4 05:06:07 2021"),
            ("%-d.%-m. %e %k %l%P %:z %^a", "4.3.  4  5  5am -05:00 THU"),
            ("100%% of 2006 at %H›", "100% of 2006 at 05›"),
            ("%H %Q", "05 -0500"),
            ("rfc3339", "2021-03-04T05:06:07-05:00"),
            ("iso8601", "2021-03-04T05:06:07.080-05:00"),
            ("ISO8601", "2021-03-04T05:06:07.080-05:00"),
            ("unix", "1614852367"),
            ("unix-ms", "1614852367080"),
        ] {
            assert_eq!(printed(format, &on_a_thursday()), text, "{format}");
        }
        // Longer than any buffer in between.
        assert_eq!(printed(&"%H›".repeat(1000), &on_a_thursday()), "05›".repeat(1000));
        assert_eq!(printed(&"15›".repeat(1000), &on_a_thursday()), "05›".repeat(1000));
    }

    #[test]
    fn what_is_none_is_told() {
        for (format, told) in [
            ("", "nothing in '' stands for a time: write rfc3339, iso8601, unix or unix-ms, 2006-01-02T"),
            ("hello", "nothing in 'hello' stands for a time"),
            ("HH:mm:ss", "nothing in 'HH:mm:ss' stands for a time"),
            ("2006-01-02", "there is no hour in '2006-01-02': write rfc3339"),
            ("04:05.000", "there is no hour in"),
            ("%F", "there is no hour in '%F'"),
            ("AT%%", "there is no hour in 'AT%%'"),
            ("%F %p", "there is no hour in"),
            ("rfc1123", "'rfc1123' is no format that has a name: write rfc3339, iso8601, unix or unix-ms"),
            ("RFC3339Nano", "'RFC3339Nano' is no format that has a name"),
            ("unixms", "nothing in 'unixms' stands for a time"),
            ("15:04\n", r"'15:04\n' holds a control character"),
            ("%H\t", r"'%H\t' holds a control character"),
            ("\u{1b}[1m15:04", "holds a control character"),
            ("15:04\u{85}", "holds a control character"),
            ("%H%n", "'%n' in '%H%n' prints a control character"),
            ("%H%5t", "'%5t' in '%H%5t' prints a control character"),
            ("%H:%J", "'%J' in '%H:%J' is no directive"),
            ("%Y%EY", "'%E' in '%Y%EY' is no directive"),
            ("%H%é", "'%é' in '%H%é' is no directive"),
            ("100%", "'%' in '100%' is no directive of strftime's: write %% for a '%'"),
            ("%H %-", "'%-' in"),
            ("%H %5", "'%5' in"),
            ("%:", "'%:' in"),
            ("%.", "'%.' in"),
            ("%.3", "'%.3' in"),
            ("%.3N", "'%.3N' in"),
            ("%::::z", "'%::::z' in"),
            ("%0000f", "'%0000f' in"),
            ("%999d", "'%999d' in"),
        ] {
            let message = TimeFormat::parse(format).unwrap_err();
            assert!(message.contains(told), "{format:?}: {message}");
            assert!(!message.contains(char::is_control), "{format:?}: {message}");
        }
    }

    /// A file may have a megabyte in one word.
    #[test]
    fn a_long_format_is_not_told_whole() {
        for long in ["x", "04", "%F", "rfc3", "\u{1}", "15%J", "%-"].map(|word| word.repeat(10_000)) {
            let message = TimeFormat::parse(&long).unwrap_err();
            assert!(message.len() < 1000, "{} bytes", message.len());
        }
    }

    /// Formats at random: what was taken is written, whatever the time, with every directive of it.
    #[test]
    fn what_was_taken_is_written_at_any_time() {
        let mut random = crate::model::test_random::Random::new(1);
        let mut below = |limit: usize| random.below(limit as u64) as usize;
        let zone = TimeZone::posix("XYZ12:59").unwrap();
        let times = [jiff::Timestamp::MIN, jiff::Timestamp::UNIX_EPOCH, jiff::Timestamp::MAX];
        let characters: Vec<char> =
            "%%%%%%%%_-0^#19:.abcdefghjklmopqrsuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ›".chars().collect();
        let mut taken = 0;
        for _ in 0..20_000 {
            let format: String = (0..1 + below(6)).map(|_| characters[below(characters.len())]).collect();
            if !format.contains('%') || check(&format).is_err() {
                continue;
            }
            taken += 1;
            for time in times {
                for zone in [zone.clone(), TimeZone::UTC, TimeZone::unknown()] {
                    let result = strftime(&format, &time.to_zoned(zone), &mut Vec::new());
                    assert!(result.is_ok(), "{format}: {result:?}");
                }
            }
        }
        assert!(taken > 1000, "{taken}");
    }

    #[test]
    fn any_time_is_written() {
        let far = Duration::from_secs(1 << 60);
        let years = TimeFormat::parse("2006 06 002 15").unwrap();
        for (time, text) in [
            (Some(SystemTime::UNIX_EPOCH), "1970 70 001 00"),
            (SystemTime::UNIX_EPOCH.checked_add(far), "9999 99 364 22"),
            (SystemTime::UNIX_EPOCH.checked_sub(far), "-9999 99 002 01"),
        ] {
            let mut into = Vec::new();
            years.write(time.unwrap(), &TimeZone::UTC, &mut into);
            assert_eq!(String::from_utf8(into).unwrap(), text);
        }
    }
}
