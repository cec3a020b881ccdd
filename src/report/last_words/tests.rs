use super::marks::LINE_BYTES;
use super::{HEAD_LASTS, LastWords, Tail, Text};
use crate::model::test_random::Random;
use std::time::Duration;

const NOW: Duration = Duration::from_secs(1000);

fn after(pieces: &[&[u8]], size: usize) -> LastWords {
    let mut words = LastWords::new(size);
    for piece in pieces {
        words.push(piece, NOW);
    }
    words
}

fn tail(bytes: &str, is_truncated: bool) -> Tail {
    Tail { bytes: bytes.into(), is_truncated }
}

fn text(bytes: &str, cut: Option<(usize, u64)>) -> Text {
    Text { bytes: bytes.into(), cut }
}

#[test]
fn the_tail_begins_with_a_line_if_it_can() {
    for (written, size, expected) in [
        ("", 8, tail("", false)),
        ("one\ntwo\n", 8, tail("one\ntwo\n", false)),
        ("zero\none\ntwo\n", 8, tail("two\n", true)),
        ("zero\none\ntwo", 8, tail("one\ntwo", true)),
        ("a longer line", 8, tail("ger line", true)),
        ("a longer line\n", 8, tail("er line\n", true)),
        ("anything", 0, tail("", false)),
    ] {
        assert_eq!(after(&[written.as_bytes()], size).tail(), expected, "{written:?}");
        let bytes: Vec<&[u8]> = written.as_bytes().chunks(1).collect();
        assert_eq!(after(&bytes, size).tail(), expected, "{written:?}");
    }
}

#[test]
fn the_text_begins_with_the_line_that_looks_like_a_death() {
    for (written, size, expected) in [
        // All of it is in the tail.
        ("zero\npanic: x\n", 20, text("zero\npanic: x\n", None)),
        // The head is in the tail, just at its beginning.
        ("zero\npanic: x\n", 9, text("panic: x\n", None)),
        // The head and the tail meet.
        ("zero\npanic: x\n\tmain\n\texit\n", 12, text("panic: x\n\tmain\n\texit\n", None)),
        // A line is missing between them.
        (
            "zero\npanic: x\n\tmain\n\t1\n\t2\n\tend\n\tstop\n",
            15,
            text("panic: x\n\tmain\n\t2\n\tend\n\tstop\n", Some((15, 3))),
        ),
        // Nothing looks like a death.
        ("zero\nwell: x\n\tmain\n\t1\n\t2\n\tend\n\tstop\n", 12, text("\tend\n\tstop\n", None)),
        // The line has no end yet.
        ("zero\none\npanic: x", 9, text("panic: x", None)),
    ] {
        assert_eq!(after(&[written.as_bytes()], size).text(), expected, "{written:?}");
        let bytes: Vec<&[u8]> = written.as_bytes().chunks(1).collect();
        assert_eq!(after(&bytes, size).text(), expected, "{written:?} in single bytes");
    }
}

#[test]
fn escapes_hide_no_mark_and_are_kept() {
    let written = b"\x1b[0m\x1b[31mpanic: x\x1b[0m\r\n\tmain\n\t1\n\t2\n\t3\n\t4\n\t5\n";
    let text = after(&[written], 30).text();
    assert!(text.bytes.starts_with(b"\x1b[0m\x1b[31mpanic: x\x1b[0m\r\n"), "{}", text.bytes.escape_ascii());
}

/// The head of the text, after lines at these times; each is followed by enough to fill the tail.
fn head_after(lines: &[(&str, Duration)]) -> String {
    let mut words = LastWords::new(64);
    for (line, at) in lines {
        words.push(line.as_bytes(), *at);
        words.push(&[b"\n", [b'.'; 99].as_slice(), b"\n"].concat(), *at);
    }
    let text = String::from_utf8(words.text().bytes).unwrap();
    text.lines().next().unwrap().to_owned()
}

#[test]
fn the_first_head_stays_for_a_while_then_the_next_takes_its_place() {
    let later = NOW + HEAD_LASTS;
    let much_later = later + Duration::from_millis(1);
    assert_eq!(head_after(&[("panic: a", NOW), ("panic: b", later)]), "panic: a");
    assert_eq!(head_after(&[("panic: a", NOW), ("panic: b", much_later)]), "panic: b");
    // It stays as long as no other comes.
    assert_eq!(head_after(&[("panic: a", NOW), ("all is well", much_later)]), "panic: a");
    // Its age counts from its own line.
    assert_eq!(head_after(&[("panic: a", NOW), ("panic: b", later), ("panic: c", much_later)]), "panic: c");
}

#[test]
fn a_certain_death_takes_the_place_of_a_logged_exception_at_once() {
    let logged = "Traceback (most recent call last):";
    assert_eq!(head_after(&[(logged, NOW), ("panic: b", NOW)]), "panic: b");
    assert_eq!(head_after(&[("panic: b", NOW), (logged, NOW)]), "panic: b");
}

#[test]
fn a_line_is_judged_by_its_beginning_however_long_it_is() {
    let long = [b"panic: ", vec![b'x'; 10 * LINE_BYTES].as_slice(), b"\nend\n"].concat();
    for chunk in [1, 7, LINE_BYTES, long.len()] {
        let pieces: Vec<&[u8]> = long.chunks(chunk).collect();
        let text = after(&pieces, 1024).text();
        assert_eq!((&text.bytes[..7], text.cut.is_some()), (b"panic: " as &[u8], true), "in pieces of {chunk}");
    }
    // The tail is smaller than what a line is judged by.
    let text = after(&[b"panic: 0123456", b"789\n", b"end of it\n"], 8).text();
    assert_eq!(text, Text { bytes: b" 0123456d of it\n".to_vec(), cut: Some((8, 6)) }, "{}", text.bytes.escape_ascii());
    // In the middle of a line there is no mark.
    assert_eq!(after(&[&[b'x'; 2 * LINE_BYTES], b"panic: x\n", &[b'.'; 100]], 16).text().cut, None);
}

#[test]
fn memory_grows_with_use_up_to_twice_the_size_and_a_line() {
    let size = 100_000;
    let mut words = LastWords::new(size);
    let memory = |words: &LastWords| {
        words.tail.memory() + words.begun.capacity() + words.head.as_ref().map_or(0, |head| head.bytes.capacity())
    };
    assert_eq!(memory(&words), 0);
    words.push(b"panic: x\n", NOW);
    assert!(memory(&words) <= 2048, "{}", memory(&words));
    for piece in [1, 10, 1000, 250_000] {
        for _ in 0..2 * size / piece + 2 {
            words.push(&vec![b'x'; piece], NOW);
            assert!(memory(&words) <= 2 * size + 2 * LINE_BYTES, "{}", memory(&words));
        }
    }
    assert_eq!(words.text().bytes.len(), 9 + size);
}

/// Whatever comes in whatever pieces: as from the whole of it.
#[test]
fn at_random_it_is_as_if_it_came_at_once() {
    let parts =
        ["panic: x\n", "\n", "line\n", "Traceback (most recent call last):\n", "x", "\x1b[1merror: y\n", "\0\u{ff}"];
    let mut random = Random::new(7);
    for _ in 0..2000 {
        let written: String = (0..random.below(30)).map(|_| parts[random.below(parts.len() as u64) as usize]).collect();
        let (written, size) = (written.as_bytes(), 1 + random.below(60) as usize);
        let mut pieces = LastWords::new(size);
        let mut rest = written;
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(1 + random.below(rest.len().min(20) as u64) as usize);
            pieces.push(piece, NOW);
            rest = behind;
        }
        assert!(written.ends_with(&pieces.tail().bytes));
        let text = pieces.text();
        match text.cut {
            None => assert!(written.ends_with(&text.bytes)),
            Some((at, missing)) => {
                let (head, tail) = text.bytes.split_at(at);
                assert!(written.ends_with(tail) && missing > 0);
                let start = written.len() - tail.len() - missing as usize - head.len();
                assert_eq!(&written[start..start + head.len()], head, "{}", written.escape_ascii());
            }
        }
        // A tail of one byte may have lost the beginning of a line that comes in pieces.
        if size > 40 {
            assert_eq!(text, after(&[written], size).text(), "{}", written.escape_ascii());
        }
    }
}

#[test]
fn a_million_single_bytes() {
    let mut words = LastWords::new(64 * 1024);
    for n in 0..1_000_000_u32 {
        words.push(if n % 80 == 79 { b"\n" } else { b"x" }, NOW);
    }
    assert_eq!(words.tail().bytes.len(), 64 * 1024 / 80 * 80);
    assert_eq!(words.taken, 1_000_000);
}
