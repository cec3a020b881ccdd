//! A number by which the same fault is known again on another day.

/// 16 hexadecimal digits: the 64-bit FNV-1a hash of the language, the kind and the frames.
///
/// What differs from run to run is left out: numbers of lines, addresses, pids. Where there is one frame or none, the first
/// line of the message has to tell faults apart, without numbers and what is quoted.
pub(super) fn of(language: &str, kind: &str, message: &str, frames: &[String]) -> String {
    let mut parts = vec![language.to_owned(), without_numbers(kind)];
    parts.extend(frames.iter().map(|frame| without_numbers(frame)));
    if frames.len() <= 1 {
        let line = message.lines().next().unwrap_or_default();
        parts.push(without_numbers(&without_quotes(line)));
    }
    format!("{:016x}", fnv_1a(parts.join("\0").as_bytes()))
}

/// FNV-1a of 64 bits (the draft draft-eastlake-fnv).
pub(crate) fn fnv_1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// The text with `0` for each word that is a number, an address or a hash. `f2` is a name and stays.
pub(super) fn without_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        if length == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (word, behind) = rest.split_at(length);
        out.push_str(if is_number(word) { "0" } else { word });
        rest = behind;
    }
    out
}

/// Whether the word begins with a digit, or is a hash: `h` and 16 hexadecimal digits in Rust's symbols, longer ones elsewhere.
fn is_number(word: &str) -> bool {
    let digits = word.strip_prefix('h').filter(|rest| rest.len() == 16).unwrap_or(word);
    let is_hash = digits.len() >= 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash || word.starts_with(|c: char| c.is_ascii_digit())
}

/// The text without what is between quotes.
fn without_quotes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['"', '`', '\u{2018}']) {
        let (before, quoted) = rest.split_at(at);
        let mut characters = quoted.chars();
        let ends = match characters.next() {
            Some('"') => ['"', '"'],
            Some('`') => ['`', '\''],
            _ => ['\u{2019}', '\u{2019}'],
        };
        let inside = characters.as_str();
        out.push_str(before);
        out.push('"');
        rest = inside.find(ends).map_or("", |end| inside[end..].trim_start_matches(ends));
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a() {
        // From the draft's own test vectors.
        for (text, hash) in
            [("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8)]
        {
            assert_eq!(fnv_1a(text.as_bytes()), hash);
        }
    }

    #[test]
    fn what_differs_from_run_to_run_is_left_out() {
        for (text, plain) in [
            ("main.work (/srv/app.go:12)", "main.work (/srv/app.go:0)"),
            ("f2 at 0x7f00dead+0x12", "f2 at 0+0"),
            ("core::f::h0123456789abcdef", "core::f::0"),
            ("<12b418a7818c4ca0893feeaaf67f1e7f>:0", "<0>:0"),
            ("<a2b418a7818c4ca0893feeaaf67f1e7f>:0", "<0>:0"),
            ("héros_1 9é", "héros_1 0"),
        ] {
            assert_eq!(without_numbers(text), plain);
        }
        assert_eq!(without_quotes("open `/tmp/a1' of \"b\": no, \u{2018}x\u{2019} \"y"), "open \" of \": no, \" \"");
    }

    #[test]
    fn the_same_fault_has_the_same_and_another_fault_another() {
        let frames = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let one = of("go", "panic", "boom 7", &frames(&["main.f (a.go:3)", "main.main (a.go:9)"]));
        assert_eq!(one, of("go", "panic", "boom 8", &frames(&["main.f (a.go:4)", "main.main (a.go:10)"])));
        assert_ne!(one, of("go", "panic", "boom 7", &frames(&["main.g (a.go:3)", "main.main (a.go:9)"])));
        assert_ne!(one, of("go", "fatal error", "boom 7", &frames(&["main.f (a.go:3)", "main.main (a.go:9)"])));
        assert_eq!(one.len(), 16);
        // Without frames the message counts.
        assert_eq!(of("perl", "die", "no user 7 in \"a\"", &[]), of("perl", "die", "no user 8 in \"b\"", &[]));
        assert_ne!(of("perl", "die", "no user", &[]), of("perl", "die", "no group", &[]));
    }
}
