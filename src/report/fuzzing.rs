//! The readers of this floor, for the targets in fuzz/.

use super::last_words::LastWords;
use super::panic;
use crate::model::status::ExitStatus;
use std::time::Duration;

/// What is found of a death.
#[derive(Debug)]
pub struct Death {
    /// The language, and what it calls this death.
    pub names: [String; 2],
    /// What it said of it.
    pub message: String,
    /// The functions.
    pub frames: Vec<String>,
    /// The same for the same fault.
    pub fingerprint: String,
}

/// What a process that ended so has died of.
pub fn death(stderr: &str, stdout: &str, status: ExitStatus) -> Option<Death> {
    let found = panic::recognise(stderr, stdout, status)?;
    let names = [found.language.to_owned(), found.kind];
    Some(Death { names, message: found.message, frames: found.frames, fingerprint: found.fingerprint })
}

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
