//! A text by its lines.

use crate::report::last_words::escapes;
use memchr::memmem;
use std::borrow::Cow;

/// What is looked at of a long text: as much of its head as of its tail. Kept last words are shorter.
const PART_BYTES: usize = 1024 * 1024;
/// What patterns see of a line. It bounds their work, whatever the line holds.
const LINE_BYTES: usize = 2048;

/// The text without colours and carriage returns, and of a longer one no more than the head and the tail.
pub(super) fn clean(text: &str) -> String {
    let whole: Cow<'_, str> = if text.len() <= 2 * PART_BYTES {
        text.into()
    } else {
        let head = &text[..boundary(text, PART_BYTES)];
        let tail = &text[boundary(text, text.len() - PART_BYTES)..];
        [head, "\n", tail].concat().into()
    };
    let mut bytes = Vec::with_capacity(whole.len());
    for line in whole.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        escapes::strip(line.as_bytes(), &mut bytes);
        bytes.extend_from_slice(end.as_bytes());
    }
    // What was taken out is ASCII, so the rest is still UTF-8.
    String::from_utf8(bytes).unwrap_or_default()
}

/// The start of a character, here or just before.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// The beginning of a text, at most this many bytes.
pub(super) fn beginning(text: &str, most: usize) -> &str {
    if text.len() <= most { text } else { &text[..boundary(text, most)] }
}

/// The lines of a text, which can be found by what they start with.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    text: &'a str,
    lines: Vec<&'a str>,
    /// Where they begin in the text.
    offsets: Vec<usize>,
    /// Their numbers, sorted by the first byte.
    sorted: Vec<usize>,
    /// For each first byte, where its lines begin in `sorted`; and one more for the end.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Lines<'a> {
        let lines: Vec<&str> = text.lines().map(|line| beginning(line, LINE_BYTES)).collect();
        let ends = memchr::memchr_iter(b'\n', text.as_bytes());
        let offsets = std::iter::once(0).chain(ends.map(|end| end + 1)).take(lines.len()).collect();
        let mut starts = vec![0; 257];
        for byte in lines.iter().filter_map(|line| line.bytes().next()) {
            starts[usize::from(byte) + 1] += 1;
        }
        for byte in 0..256 {
            starts[byte + 1] += starts[byte];
        }
        let (mut next, mut sorted) = (starts.clone(), vec![0; starts[256]]);
        for (at, line) in lines.iter().enumerate() {
            if let Some(byte) = line.bytes().next() {
                sorted[next[usize::from(byte)]] = at;
                next[usize::from(byte)] += 1;
            }
        }
        Lines { text, lines, offsets, sorted, starts }
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// A line, or an empty one where there is none.
    pub(super) fn get(&self, at: usize) -> &'a str {
        self.lines.get(at).copied().unwrap_or_default()
    }

    /// The line before this one.
    pub(super) fn before(&self, at: usize) -> &'a str {
        at.checked_sub(1).map_or("", |at| self.get(at))
    }

    /// The numbers of the lines that start so and hold this. One of both may be empty.
    pub(super) fn with(&self, start: &str, has: &str) -> Vec<usize> {
        let Some(byte) = start.bytes().next().map(usize::from) else {
            return self.holding(has);
        };
        let is_one = |at: &usize| {
            let line = self.lines[*at];
            line.starts_with(start) && (has.is_empty() || line.contains(has))
        };
        self.sorted[self.starts[byte]..self.starts[byte + 1]].iter().copied().filter(is_one).collect()
    }

    /// The numbers of the lines that hold this: the text is searched at once, because most lines don't.
    fn holding(&self, has: &str) -> Vec<usize> {
        let mut found = Vec::new();
        for at in memmem::find_iter(self.text.as_bytes(), has) {
            let line = self.offsets.partition_point(|offset| *offset <= at).saturating_sub(1);
            if found.last() != Some(&line) && self.lines[line].contains(has) {
                found.push(line);
            }
        }
        found
    }

    /// Whether one of the next lines starts with one of these.
    pub(super) fn is_near_below(&self, at: usize, near: usize, starts: &[&str]) -> bool {
        self.below(at, near).any(|line| starts.iter().any(|start| line.starts_with(start)))
    }

    /// The next lines, at most this many.
    pub(super) fn below(&self, at: usize, most: usize) -> impl Iterator<Item = &'a str> {
        self.lines.iter().skip(at + 1).take(most).copied()
    }

    /// The first line after which no more than this many lines follow that aren't empty.
    pub(super) fn near_end(&self, most: usize) -> usize {
        let mut texts = (0..self.lines.len()).rev().filter(|at| !self.lines[*at].trim().is_empty());
        texts.nth(most).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_by_their_start() {
        let lines = Lines::new("b one\n\na two\nb three\n");
        assert_eq!(lines.with("b", ""), [0, 3]);
        assert_eq!(lines.with("b ", "three"), [3]);
        assert_eq!(lines.with("", "t"), [2, 3]);
        assert_eq!(lines.with("", "e"), [0, 3]);
        assert_eq!(lines.with("", "none"), [0; 0]);
        assert_eq!(lines.with("\u{ff}", ""), [0; 0]);
        assert_eq!((lines.near_end(0), lines.near_end(2), lines.near_end(9)), (3, 0, 0));
        assert_eq!((lines.before(0), lines.before(2), lines.get(9)), ("", "", ""));
    }

    #[test]
    fn of_a_long_text_the_head_and_the_tail_are_looked_at() {
        let text = format!("first\n{}\nlast", "é\n".repeat(2 * PART_BYTES));
        let clean = clean(&text);
        assert!(clean.len() <= 2 * PART_BYTES + 1);
        assert!(clean.starts_with("first\n") && clean.ends_with("\nlast"));
    }
}
