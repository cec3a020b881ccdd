//! The last words of a stream: its tail, and the head of the text that tells of a death.
//!
//! Some runtimes say the cause first and a megabyte of frames after it, others say it last. So the tail alone isn't enough.
//!
//! | file | contents |
//! |---|---|
//! | `marks` | lines with which the text of a death may begin |
//! | `ring` | the last bytes |
//! | `escapes` | text without its colours |

pub(crate) mod escapes;
mod marks;
mod ring;

#[cfg(test)]
mod tests;

use marks::{LINE_BYTES, Mark};
use memchr::{memchr, memrchr};
use ring::Ring;
use std::time::Duration;

/// A head that is older than this gives way to the next line that looks like a death: a server may log exceptions for days.
const HEAD_LASTS: Duration = Duration::from_secs(10);

/// What is kept of a stream: its last bytes, and as many from a line on that looks like a death.
///
/// It takes memory as it fills, at most twice the size and the beginning of a line.
#[derive(Debug)]
pub(crate) struct LastWords {
    size: usize,
    /// How many bytes there have been.
    taken: u64,
    tail: Ring,
    head: Option<Head>,
    /// The first bytes of a line whose end hasn't come yet, at most [`LINE_BYTES`].
    begun: Vec<u8>,
    /// The rest of that line isn't looked at any more.
    is_judged: bool,
}

/// A line that looks like a death, and what follows.
#[derive(Debug)]
struct Head {
    mark: Mark,
    since: Duration,
    /// Its place in the stream.
    start: u64,
    /// What the tail has lost of it.
    bytes: Vec<u8>,
}

/// The last bytes of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tail {
    /// From the beginning of a line, if one begins in them.
    pub(crate) bytes: Vec<u8>,
    /// Whether there was more before them.
    pub(crate) is_truncated: bool,
}

/// The head and the tail of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) bytes: Vec<u8>,
    /// Where the head ends, and how many bytes are missing between it and the tail.
    pub(crate) cut: Option<(usize, u64)>,
}

impl LastWords {
    /// Keeps this many bytes of the tail. With 0 it keeps nothing.
    pub(crate) fn new(size: usize) -> LastWords {
        LastWords { size, taken: 0, tail: Ring::new(size), head: None, begun: Vec::new(), is_judged: false }
    }

    /// Whether anything is kept at all.
    #[cfg(feature = "reports")]
    pub(crate) fn is_kept(&self) -> bool {
        self.size > 0
    }

    /// Takes the next bytes of the stream, in pieces of any length. The time is monotonic.
    pub(crate) fn push(&mut self, bytes: &[u8], now: Duration) {
        if self.size == 0 {
            return;
        }
        self.look(bytes, now);
        let (mut at, size, head) = (self.taken - self.tail.len() as u64, self.size, &mut self.head);
        self.tail.push(bytes, |lost| {
            if let Some(head) = head {
                head.keep(lost, at, size);
            }
            at += lost.len() as u64;
        });
        self.taken += bytes.len() as u64;
    }

    /// The tail. From the beginning of a line, if one begins in it.
    pub(crate) fn tail(&self) -> Tail {
        let mut bytes = self.last_bytes();
        let is_truncated = self.taken > bytes.len() as u64;
        let first_end = memchr(b'\n', &bytes).filter(|end| end + 1 < bytes.len());
        if is_truncated && let Some(end) = first_end {
            bytes.drain(..=end);
        }
        Tail { bytes, is_truncated }
    }

    /// The head, if the tail doesn't hold it, and the tail. Both are cut at lines where there are any.
    pub(crate) fn text(&self) -> Text {
        let Some(head) = &self.head else {
            return Text { bytes: self.tail().bytes, cut: None };
        };
        let tail_start = self.taken - self.tail.len() as u64;
        if head.start > tail_start {
            return Text { bytes: self.tail().bytes, cut: None };
        }
        let mut bytes = head.bytes.clone();
        if head.start + bytes.len() as u64 == tail_start {
            bytes.append(&mut self.last_bytes());
            return Text { bytes, cut: None };
        }
        if let Some(end) = memrchr(b'\n', &bytes) {
            bytes.truncate(end + 1);
        }
        let (at, mut tail) = (bytes.len(), self.tail().bytes);
        let missing = self.taken - tail.len() as u64 - head.start - at as u64;
        bytes.append(&mut tail);
        Text { bytes, cut: Some((at, missing)) }
    }

    fn last_bytes(&self) -> Vec<u8> {
        let (older, newer) = self.tail.parts();
        [older, newer].concat()
    }

    /// Looks for lines that look like a death.
    fn look(&mut self, bytes: &[u8], now: Duration) {
        let mut start = 0;
        if !self.begun.is_empty() || self.is_judged {
            let end = memchr(b'\n', bytes);
            self.go_on(&bytes[..end.unwrap_or(bytes.len())], end.is_some(), now);
            match end {
                Some(end) => start = end + 1,
                None => return,
            }
        }
        while let Some(length) = memchr(b'\n', &bytes[start..]) {
            self.judge(&bytes[start..start + length.min(LINE_BYTES)], self.taken + start as u64, now);
            start += length + 1;
        }
        self.go_on(&bytes[start..], false, now);
    }

    /// Takes more of a line that isn't whole in one piece.
    fn go_on(&mut self, bytes: &[u8], is_whole: bool, now: Duration) {
        if !self.is_judged {
            let so_far = self.begun.len();
            self.begun.extend_from_slice(&bytes[..bytes.len().min(LINE_BYTES - so_far)]);
            if is_whole || self.begun.len() == LINE_BYTES {
                // No line is looked at later than this, so its beginning is as far back as what has begun.
                let (begun, start) = (std::mem::take(&mut self.begun), self.taken - so_far as u64);
                self.judge(&begun, start, now);
                self.begun = begun;
                self.begun.clear();
                self.is_judged = true;
            }
        }
        if is_whole {
            self.is_judged = false;
        }
    }

    /// Judges the beginning of a line, at this place of the stream.
    #[inline]
    fn judge(&mut self, line: &[u8], start: u64, now: Duration) {
        if let Some(mark) = marks::of_line(line) {
            self.found(mark, start, now);
        }
    }

    #[cold]
    fn found(&mut self, mark: Mark, start: u64, now: Duration) {
        let stays = |head: &Head| head.mark >= mark && now.saturating_sub(head.since) <= HEAD_LASTS;
        if self.head.as_ref().is_some_and(stays) {
            return;
        }
        // A long line's beginning may be lost to a small tail.
        let start = start.max(self.taken - self.tail.len() as u64);
        self.head = Some(Head { mark, since: now, start, bytes: Vec::new() });
    }
}

impl Head {
    /// Takes of these bytes, which the tail has lost and which are at this place, those that belong to it.
    fn keep(&mut self, lost: &[u8], at: u64, size: usize) {
        let before = usize::try_from(self.start.saturating_sub(at)).unwrap_or(usize::MAX);
        let Some(lost) = lost.get(before..) else { return };
        let kept = &lost[..lost.len().min(size - self.bytes.len())];
        let needed = self.bytes.len() + kept.len();
        if needed > self.bytes.capacity() {
            self.bytes.reserve_exact(needed.max(2 * self.bytes.capacity()).min(size) - self.bytes.len());
        }
        self.bytes.extend_from_slice(kept);
    }
}
