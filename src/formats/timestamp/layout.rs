//! Go's layouts of times: the reference time, Mon Jan 2 15:04:05 MST 2006, in the wanted form.

use super::element::{Element, Field, Fraction, Offset, Parts, Whole};
use jiff::Zoned;

/// A layout, parsed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layout(Vec<Piece>);

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Literal(String),
    Element(Element),
}

/// The words, and what they stand for. The first that fits is taken, so the longer of two comes first.
const ELEMENTS: [(&str, Element); 33] = [
    ("January", Element::Month(Whole::Yes)),
    ("Jan", Element::Month(Whole::No)),
    ("Monday", Element::Weekday(Whole::Yes)),
    ("Mon", Element::Weekday(Whole::No)),
    ("MST", Element::Abbreviation),
    ("2006", Element::Number(Field::Year, 4, b'0')),
    ("06", Element::Number(Field::YearOfCentury, 2, b'0')),
    ("01", Element::Number(Field::Month, 2, b'0')),
    ("02", Element::Number(Field::Day, 2, b'0')),
    ("03", Element::Number(Field::Hour12, 2, b'0')),
    ("04", Element::Number(Field::Minute, 2, b'0')),
    ("05", Element::Number(Field::Second, 2, b'0')),
    ("002", Element::Number(Field::DayOfYear, 3, b'0')),
    ("__2", Element::Number(Field::DayOfYear, 3, b' ')),
    ("_2", Element::Number(Field::Day, 2, b' ')),
    ("15", Element::Number(Field::Hour, 2, b'0')),
    ("1", Element::Number(Field::Month, 1, b'0')),
    ("2", Element::Number(Field::Day, 1, b'0')),
    ("3", Element::Number(Field::Hour12, 1, b'0')),
    ("4", Element::Number(Field::Minute, 1, b'0')),
    ("5", Element::Number(Field::Second, 1, b'0')),
    ("PM", Element::Half("AM", "PM")),
    ("pm", Element::Half("am", "pm")),
    ("-07:00:00", offset(Parts::Seconds, true, false)),
    ("-070000", offset(Parts::Seconds, false, false)),
    ("-07:00", offset(Parts::Minutes, true, false)),
    ("-0700", offset(Parts::Minutes, false, false)),
    ("-07", offset(Parts::Hours, false, false)),
    ("Z07:00:00", offset(Parts::Seconds, true, true)),
    ("Z070000", offset(Parts::Seconds, false, true)),
    ("Z07:00", offset(Parts::Minutes, true, true)),
    ("Z0700", offset(Parts::Minutes, false, true)),
    ("Z07", offset(Parts::Hours, false, true)),
];

const fn offset(parts: Parts, colons: bool, z: bool) -> Element {
    Element::Offset(Offset { parts, colons, z })
}

impl Layout {
    /// `None` if nothing in it stands for a part of a time.
    pub(super) fn parse(layout: &str) -> Option<Layout> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = layout;
        while let Some(first) = rest.chars().next() {
            let Some((element, length)) = element(rest) else {
                literal.push(first);
                rest = &rest[first.len_utf8()..];
                continue;
            };
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            pieces.push(Piece::Element(element));
            rest = &rest[length..];
        }
        if pieces.is_empty() {
            return None;
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Some(Layout(pieces))
    }

    pub(super) fn write(&self, now: &Zoned, into: &mut Vec<u8>) {
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => into.extend_from_slice(text.as_bytes()),
                Piece::Element(element) => element.write(now, into),
            }
        }
    }
}

/// The element that the text starts with, and its length.
fn element(text: &str) -> Option<(Element, usize)> {
    let known = ELEMENTS.iter().find(|(word, _)| {
        text.strip_prefix(word).is_some_and(|rest| match *word {
            // Not in Janet, nor in Month.
            "Jan" | "Mon" => !rest.starts_with(|next: char| next.is_ascii_lowercase()),
            // An underscore, and the year.
            "_2" => !rest.starts_with("006"),
            _ => true,
        })
    });
    known.map(|(word, element)| (*element, word.len())).or_else(|| fraction(text))
}

/// `.000` or `,999`, of any length. Followed by another digit it is literal: `.0001`.
fn fraction(text: &str) -> Option<(Element, usize)> {
    let (&separator, digits) = text.as_bytes().split_first()?;
    let &digit = digits.first()?;
    if !matches!(separator, b'.' | b',') || !matches!(digit, b'0' | b'9') {
        return None;
    }
    let count = digits.iter().take_while(|other| **other == digit).count();
    if digits.get(count).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    // There are nanoseconds, and nothing beyond.
    let fraction = Fraction { separator, digits: count.min(9), trim: digit == b'9' };
    Some((Element::Fraction(fraction), count + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil;
    use jiff::tz::TimeZone;

    /// Each with what Go prints for 2021-03-04 05:06:07.0809 in New York; none if it holds no element.
    #[test]
    fn elements_are_found_as_go_finds_them() {
        let zone = TimeZone::posix("EST5EDT,M3.2.0,M11.1.0").unwrap();
        let now = civil::date(2021, 3, 4).at(5, 6, 7, 80_900_000).to_zoned(zone).unwrap();
        for (layout, text) in [
            // Not in words that only start like one; Go looks at the next letter.
            ("January Jan JanX Jan.", "March Mar MarX Mar."),
            ("Janet Januar", ""),
            ("Monday Mon MonX Mon_Mond", "Thursday Thu ThuX Thu_Mond"),
            ("Month Monkey", ""),
            ("Mondays JanuaryX", "Thursdays MarchX"),
            ("MSTx xPMx xpmx", "ESTx xAMx xamx"),
            ("Pm pM AM am M P p J", ""),
            // Underscores.
            ("_2 _2006 __2006 __2 _2007", " 4 _2021  63021  63  4007"),
            ("_200", " 400"),
            ("_ _1", "_ _3"),
            // Digits, one next to the other.
            ("20060102150405", "20210304050607"),
            ("200601021504051", "202103040506073"),
            ("2 20 200 2006 20062", "4 40 400 2021 20214"),
            ("1 15 151 11", "3 05 053 33"),
            ("0 00 000 0000 007 08 09", ""),
            ("002 0002 0024", "063 0063 0636"),
            ("3 4 5 03 04 05", "5 6 7 05 06 07"),
            ("6 7 8 9 0", ""),
            // Zones.
            ("-07 -070 -0700 -07000 -070000", "-05 -050 -0500 -05000 -050000"),
            ("-07:00 -07:0 -07:00:00 -07:00:0", "-05:00 -05:0 -05:00:00 -05:00:0"),
            ("Z07 Z070 Z0700 Z070000", "-05 -050 -0500 -050000"),
            ("Z07:00 Z07:0 Z07:00:00", "-05:00 -05:0 -05:00:00"),
            ("-06 +07 -7 Z", "-21 +07 -7 Z"),
            ("Z Z7 Z0", ""),
            // Fractions: anywhere, unless another digit follows.
            (".000 ,000 .0 .000000 .000000000 .000000000000", ".080 ,080 .0 .080900 .080900000 .080900000"),
            (".999 ,999 .9 .999999 .9999999999", ".08 ,08  .0809 .0809"),
            ("x.00x..00,.99", "x.08x..08,.08"),
            (".0001 .001 .9990 .0009", ".0003 .003 .9990 .0009"),
            (".09 .90 ,98 . , .x .8", ""),
            ("05.000 05.999Z07:00 5,9", "07.080 07.08-05:00 7"),
            // Everything else stays.
            ("»15«Uhr→ \u{1F550}", "»05«Uhr→ \u{1F550}"),
            ("", ""),
            ("HH:mm:ss", ""),
        ] {
            let read = Layout::parse(layout).map(|layout| {
                let mut into = Vec::new();
                layout.write(&now, &mut into);
                String::from_utf8(into).unwrap()
            });
            assert_eq!(read.unwrap_or_default(), text, "{layout}");
        }
    }
}
