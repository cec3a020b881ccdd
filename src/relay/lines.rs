//! Bytes to lines.

use memchr::memchr;

/// The most bytes of a line that are passed on at once; a longer line comes in pieces.
pub(crate) const MAX_LINE_BYTES: usize = 64 * 1024;

/// The beginning of a line whose end hasn't been read yet.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// At most [`MAX_LINE_BYTES`] bytes.
    begun: Vec<u8>,
}

impl Lines {
    /// Takes the next bytes, and passes on each line that is complete now, without its newline.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], mut line: impl FnMut(&[u8])) {
        while let Some(end) = memchr(b'\n', bytes) {
            let segment = &bytes[..end];
            if self.begun.is_empty() && segment.len() <= MAX_LINE_BYTES {
                line(segment);
            } else {
                self.begin(segment, &mut line);
                line(&self.begun);
                self.begun.clear();
            }
            bytes = &bytes[end + 1..];
        }
        self.begin(bytes, &mut line);
    }

    /// The stream has ended: passes on a last line without newline.
    pub(crate) fn finish(&mut self, line: impl FnOnce(&[u8])) {
        if !self.begun.is_empty() {
            line(&self.begun);
        }
        self.begun = Vec::new();
    }

    /// Adds to the line that has begun, and passes on pieces of the longest length.
    fn begin(&mut self, mut segment: &[u8], line: &mut impl FnMut(&[u8])) {
        while self.begun.len() + segment.len() > MAX_LINE_BYTES {
            let (piece, rest) = segment.split_at(MAX_LINE_BYTES - self.begun.len());
            self.begun.extend_from_slice(piece);
            line(&self.begun);
            self.begun.clear();
            segment = rest;
        }
        self.begun.extend_from_slice(segment);
        // There may be thousands of streams: one that says nothing takes no memory.
        if self.begun.is_empty() {
            self.begun = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::test_random::Random;

    fn lines_of(chunks: &[&[u8]]) -> Vec<Vec<u8>> {
        let (mut lines, mut out) = (Lines::default(), Vec::new());
        for chunk in chunks {
            lines.feed(chunk, |line| out.push(line.to_vec()));
        }
        lines.finish(|line| out.push(line.to_vec()));
        out
    }

    #[test]
    fn lines_are_whole_wherever_the_chunks_end() {
        for (chunks, lines) in [
            (&[b"a\nb\n" as &[u8]] as &[&[u8]], vec![b"a" as &[u8], b"b"]),
            (&[b"a", b"b\nc", b"\n"], vec![b"ab", b"c"]),
            (&[b"last without newline"], vec![b"last without newline"]),
            (&[b"\n\n", b"\n"], vec![b"", b"", b""]),
            (&[b"\0\xff\r\n\xc3", b"\x28"], vec![b"\0\xff\r", b"\xc3\x28"]),
            (&[], vec![]),
        ] {
            assert_eq!(lines_of(chunks), lines);
        }
    }

    #[test]
    fn a_line_of_just_the_longest_is_one_and_of_one_byte_more_two() {
        let longest = vec![b'x'; MAX_LINE_BYTES];
        let whole = [&longest[..], b"\n"].concat();
        assert_eq!(lines_of(&[&whole]), [&longest[..]]);
        assert_eq!(lines_of(&[&longest, b"\n"]), [&longest[..]]);
        assert_eq!(lines_of(&[&longest, b"y\n"]), [&longest[..], b"y"]);
        assert_eq!(lines_of(&[&longest, b"y"]), [&longest[..], b"y"]);
    }

    #[test]
    fn between_lines_no_memory_is_kept() {
        let mut lines = Lines::default();
        for chunk in [b"a" as &[u8], b"bc\nd", b"\n"] {
            lines.feed(chunk, |_| {});
        }
        assert_eq!(lines.begun.capacity(), 0);
    }

    /// Whatever comes in whatever chunks, it is the same as in one; no byte is lost, and no piece is too long.
    #[test]
    fn at_random_no_byte_is_lost() {
        let mut random = Random::new(1);
        for _ in 0..30 {
            let mut text = Vec::new();
            for _ in 0..random.below(20) {
                let length = [3, 100, MAX_LINE_BYTES as u64, 3 * MAX_LINE_BYTES as u64][random.below(4) as usize];
                text.extend((0..random.below(length)).map(|n| b'a' + (n % 26) as u8));
                text.push(b'\n');
            }
            text.truncate(text.len() - usize::from(random.below(2) == 0 && !text.is_empty()));
            let (mut chunks, mut rest) = (Vec::new(), &text[..]);
            while !rest.is_empty() {
                let (chunk, behind) = rest.split_at(1 + random.below(rest.len().min(100_000) as u64) as usize);
                chunks.push(chunk);
                rest = behind;
            }
            let lines = lines_of(&chunks);
            assert_eq!(lines, lines_of(&[&text]));
            assert!(lines.iter().all(|line| line.len() <= MAX_LINE_BYTES));
            let without = |text: &[u8]| text.iter().copied().filter(|byte| *byte != b'\n').collect::<Vec<_>>();
            assert_eq!(lines.concat(), without(&text));
        }
    }
}
