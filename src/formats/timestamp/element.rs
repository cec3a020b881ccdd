//! The elements of Go's layouts, and how a time is written by them.

use jiff::Zoned;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Element {
    /// A number, its least width in characters, and the byte that fills it up.
    Number(Field, u8, u8),
    /// Whole, or its first three letters.
    Month(Whole),
    Weekday(Whole),
    /// Before noon, and from then on.
    Half(&'static str, &'static str),
    Abbreviation,
    Offset(Offset),
    Fraction(Fraction),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Field {
    Year,
    YearOfCentury,
    Month,
    Day,
    DayOfYear,
    Hour,
    Hour12,
    Minute,
    Second,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whole {
    Yes,
    No,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Offset {
    pub(super) parts: Parts,
    pub(super) colons: bool,
    /// Nothing but a Z for UTC.
    pub(super) z: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Parts {
    Hours,
    Minutes,
    Seconds,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fraction {
    pub(super) separator: u8,
    pub(super) digits: usize,
    /// Without the zeroes at its end; without the separator if nothing else is left.
    pub(super) trim: bool,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

impl Element {
    /// Appends this part of the time.
    pub(super) fn write(self, now: &Zoned, into: &mut Vec<u8>) {
        match self {
            Element::Number(field, width, fill) => number(field.of(now), width, fill, into),
            Element::Month(whole) => name(MONTHS[now.month() as usize - 1], whole, into),
            Element::Weekday(whole) => name(WEEKDAYS[now.weekday().to_sunday_zero_offset() as usize], whole, into),
            Element::Half(before_noon, _) if now.hour() < 12 => into.extend_from_slice(before_noon.as_bytes()),
            Element::Half(_, from_noon) => into.extend_from_slice(from_noon.as_bytes()),
            Element::Abbreviation => {
                let info = now.time_zone().to_offset_info(now.timestamp());
                into.extend_from_slice(info.abbreviation().as_bytes());
                // A zone without an abbreviation is shown by its offset.
                if info.abbreviation().is_empty() {
                    Offset { parts: Parts::Minutes, colons: false, z: false }.write(info.offset().seconds(), into);
                }
            }
            Element::Offset(offset) => offset.write(now.offset().seconds(), into),
            Element::Fraction(fraction) => fraction.write(now.subsec_nanosecond().unsigned_abs(), into),
        }
    }
}

impl Field {
    fn of(self, now: &Zoned) -> i32 {
        match self {
            Field::Year => now.year().into(),
            Field::YearOfCentury => (now.year() % 100).abs().into(),
            Field::Month => now.month().into(),
            Field::Day => now.day().into(),
            Field::DayOfYear => now.day_of_year().into(),
            Field::Hour => now.hour().into(),
            // Noon and midnight are 12.
            Field::Hour12 => ((now.hour() + 11) % 12 + 1).into(),
            Field::Minute => now.minute().into(),
            Field::Second => now.second().into(),
        }
    }
}

impl Offset {
    fn write(self, seconds: i32, into: &mut Vec<u8>) {
        if self.z && seconds == 0 {
            return into.push(b'Z');
        }
        into.push(if seconds < 0 { b'-' } else { b'+' });
        let seconds = seconds.abs();
        for (part, value) in
            [(Parts::Hours, seconds / 3600), (Parts::Minutes, seconds / 60 % 60), (Parts::Seconds, seconds % 60)]
        {
            if part > self.parts {
                break;
            }
            if self.colons && part > Parts::Hours {
                into.push(b':');
            }
            number(value, 2, b'0', into);
        }
    }
}

impl Fraction {
    fn write(self, nanos: u32, into: &mut Vec<u8>) {
        let start = into.len();
        into.push(self.separator);
        let mut place = 100_000_000;
        for _ in 0..self.digits {
            into.push(digit(nanos, place));
            place /= 10;
        }
        if self.trim {
            while into.len() > start + 1 && into.last() == Some(&b'0') {
                into.pop();
            }
            if into.len() == start + 1 {
                into.truncate(start);
            }
        }
    }
}

/// Writes a number with at least this width, not counting the sign.
fn number(value: i32, width: u8, fill: u8, into: &mut Vec<u8>) {
    if value < 0 {
        into.push(b'-');
    }
    let value = value.unsigned_abs();
    let mut place = 10_u32.pow(value.checked_ilog10().unwrap_or(0));
    let mut wide = 10_u32.pow(u32::from(width) - 1);
    while wide > place {
        into.push(fill);
        wide /= 10;
    }
    while place > 0 {
        into.push(digit(value, place));
        place /= 10;
    }
}

fn digit(value: u32, place: u32) -> u8 {
    b'0' + (value / place % 10) as u8
}

fn name(name: &str, whole: Whole, into: &mut Vec<u8>) {
    let name = name.as_bytes();
    into.extend_from_slice(if whole == Whole::Yes { name } else { &name[..3] });
}

#[cfg(test)]
mod tests {
    use super::super::layout::Layout;
    use jiff::Timestamp;
    use jiff::tz::{self, TimeZone};

    fn written(layout: &str, nanos: i128, zone: &TimeZone) -> String {
        let mut into = Vec::new();
        let now = Timestamp::from_nanosecond(nanos).unwrap().to_zoned(zone.clone());
        Layout::parse(layout).unwrap().write(&now, &mut into);
        String::from_utf8(into).unwrap()
    }

    const SECOND: i128 = 1_000_000_000;

    #[test]
    fn dates_and_times_are_written_as_go_writes_them() {
        for (seconds, date, time) in [
            (0, "Thu Thursday Jan January 1 01 1 01  1 001   1 1970 70", "00 12 12 AM am 0 00 0 00"),
            (-1, "Wed Wednesday Dec December 12 12 31 31 31 365 365 1969 69", "23 11 11 PM pm 59 59 59 59"),
            (951_868_799, "Tue Tuesday Feb February 2 02 29 29 29 060  60 2000 00", "23 11 11 PM pm 59 59 59 59"),
            (1_000_000_000, "Sun Sunday Sep September 9 09 9 09  9 252 252 2001 01", "01 1 01 AM am 46 46 40 40"),
            (1_723_982_583, "Sun Sunday Aug August 8 08 18 18 18 231 231 2024 24", "12 12 12 PM pm 3 03 3 03"),
            (-62_150_000_000, "Tue Tuesday Jul July 7 07 18 18 18 200 200 0000 00", "07 7 07 AM am 6 06 40 40"),
            (-62_500_000_000, "Thu Thursday Jun June 6 06 15 15 15 166 166 -0011 11", "08 8 08 AM am 53 53 20 20"),
            (253_000_000_000, "Thu Thursday Apr April 4 04 2 02  2 092  92 9987 87", "17 5 05 PM pm 46 46 40 40"),
        ] {
            let now = seconds * SECOND;
            assert_eq!(written("Mon Monday Jan January 1 01 2 02 _2 002 __2 2006 06", now, &TimeZone::UTC), date);
            assert_eq!(written("15 3 03 PM pm 4 04 5 05", now, &TimeZone::UTC), time);
        }
    }

    #[test]
    fn fractions_are_cut_never_rounded() {
        for (nanos, text) in [
            (0, ".0 .000 .000000000 ,000|||"),
            (1, ".0 .000 .000000001 ,000|||.000000001"),
            (999_999_999, ".9 .999 .999999999 ,999|.9|,999|.999999999"),
            (500_000_000, ".5 .500 .500000000 ,500|.5|,5|.5"),
            (120_340_000, ".1 .120 .120340000 ,120|.1|,12|.12034"),
            (10_000_000, ".0 .010 .010000000 ,010||,01|.01"),
            // Before the epoch, counted from the second before.
            (-1, ".9 .999 .999999999 ,999|.9|,999|.999999999"),
        ] {
            assert_eq!(written(".0 .000 .000000000 ,000|.9|,999|.999999999", nanos, &TimeZone::UTC), text, "{nanos}");
        }
    }

    #[test]
    fn every_form_of_an_offset_is_written() {
        for (seconds, text) in [
            (0, "+00 +0000 +00:00 +000000 +00:00:00 Z Z Z Z Z"),
            (5 * 3600 + 1800, "+05 +0530 +05:30 +053000 +05:30:00 +05 +0530 +05:30 +053000 +05:30:00"),
            (-3 * 3600 - 1800, "-03 -0330 -03:30 -033000 -03:30:00 -03 -0330 -03:30 -033000 -03:30:00"),
            (14 * 3600, "+14 +1400 +14:00 +140000 +14:00:00 +14 +1400 +14:00 +140000 +14:00:00"),
            (-4521, "-01 -0115 -01:15 -011521 -01:15:21 -01 -0115 -01:15 -011521 -01:15:21"),
        ] {
            let zone = TimeZone::fixed(tz::Offset::from_seconds(seconds).unwrap());
            let layout = "-07 -0700 -07:00 -070000 -07:00:00 Z07 Z0700 Z07:00 Z070000 Z07:00:00";
            assert_eq!(written(layout, 0, &zone), text);
        }
    }

    #[test]
    fn zones_are_followed_to_daylight_saving_time_and_back() {
        let new_york = "EST5EDT,M3.2.0,M11.1.0";
        let lord_howe = "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0";
        for (seconds, zone, text) in [
            (1_615_705_199, new_york, "01:59:59 EST -05:00"),
            (1_615_705_200, new_york, "03:00:00 EDT -04:00"),
            (1_636_264_799, new_york, "01:59:59 EDT -04:00"),
            (1_636_264_800, new_york, "01:00:00 EST -05:00"),
            // By half an hour.
            (1_617_461_999, lord_howe, "01:59:59 +11 +11:00"),
            (1_617_462_000, lord_howe, "01:30:00 +1030 +10:30"),
            (0, "UTC0", "00:00:00 UTC Z"),
            (0, "<+03>-3", "03:00:00 +03 +03:00"),
        ] {
            let zone = TimeZone::posix(zone).unwrap();
            assert_eq!(written("15:04:05 MST Z07:00", seconds * SECOND, &zone), text);
        }
    }
}
