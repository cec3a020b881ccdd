//! The readers of this floor, for the targets in fuzz/.

use super::last_words::LastWords;
use std::time::Duration;

/// What is kept of a stream.
#[derive(Debug)]
pub struct Kept {
    /// The tail, and whether there was more before it.
    pub tail: (Vec<u8>, bool),
    /// Head and tail.
    pub text: Vec<u8>,
    /// Where they were cut, and how much is missing.
    pub cut: Option<(usize, u64)>,
}

/// What is kept of a stream that comes in these pieces.
pub fn kept<'a>(size: usize, pieces: impl Iterator<Item = &'a [u8]>) -> Kept {
    let mut words = LastWords::new(size);
    pieces.for_each(|piece| words.push(piece, Duration::ZERO));
    let (tail, text) = (words.tail(), words.text());
    Kept { tail: (tail.bytes, tail.is_truncated), text: text.bytes, cut: text.cut }
}
