//! What is to be written to a stream, kept until its reader takes it.

use crate::sys::output::Output;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

/// With so much waiting, nothing more is read for it: its writers are slowed down by their full pipes.
const ENOUGH: usize = 256 * 1024;

/// A stream of ours with what it hasn't taken yet.
#[derive(Debug)]
pub(crate) struct Outbox {
    output: Output,
    waiting: Vec<u8>,
    /// How much of that has been written.
    written: usize,
    /// Nobody reads it any more: whatever is for it is lost.
    gone: bool,
}

impl Outbox {
    pub(crate) fn new(output: Output) -> Outbox {
        Outbox { output, waiting: Vec::new(), written: 0, gone: false }
    }

    pub(crate) fn output(&self) -> &Output {
        &self.output
    }

    pub(crate) fn has_room(&self) -> bool {
        self.waiting.len() - self.written < ENOUGH
    }

    /// The stream, if there is something for it.
    pub(crate) fn to_write(&self) -> Option<BorrowedFd<'_>> {
        (!self.waiting.is_empty()).then(|| self.output.as_fd())
    }

    /// Adds these, one behind the other.
    pub(crate) fn add(&mut self, parts: &[&[u8]]) {
        if self.gone {
            return;
        }
        for part in parts {
            append(&mut self.waiting, part);
        }
    }

    /// Writes as much as is taken without waiting: whether that is anything. An error is told once.
    pub(crate) fn flush(&mut self) -> io::Result<bool> {
        let before = self.written;
        while self.written < self.waiting.len() {
            let rest = &self.waiting[self.written..];
            let asked = rest.len();
            match self.output.write(rest) {
                Ok(written) => {
                    self.written += written;
                    // It is full: asking again would only be told so.
                    if written < asked {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => {
                    self.gone = true;
                    (self.waiting, self.written) = (Vec::new(), 0);
                    return Err(error);
                }
            }
        }
        let any = self.written > before;
        if self.written == self.waiting.len() {
            self.waiting.clear();
            self.written = 0;
            // A burst is no reason to hold its memory for ever.
            self.waiting.shrink_to(2 * ENOUGH);
        } else if self.written >= ENOUGH {
            self.waiting.drain(..self.written);
            self.written = 0;
        }
        Ok(any)
    }
}

/// What is longer is copied by the C library, whose call costs more than copying a short line.
const SHORT: usize = 256;

/// Appends a line, which is short for the most part: in blocks of a few lengths, for which no call is needed.
fn append(to: &mut Vec<u8>, mut bytes: &[u8]) {
    if bytes.len() > SHORT {
        to.extend_from_slice(bytes);
        return;
    }
    while let Some(rest) = append_block::<32>(to, bytes) {
        bytes = rest;
    }
    bytes = append_block::<16>(to, bytes).unwrap_or(bytes);
    bytes = append_block::<8>(to, bytes).unwrap_or(bytes);
    bytes = append_block::<4>(to, bytes).unwrap_or(bytes);
    bytes = append_block::<2>(to, bytes).unwrap_or(bytes);
    append_block::<1>(to, bytes);
}

/// Appends so many bytes, and returns the others; none, if there are fewer.
fn append_block<'b, const N: usize>(to: &mut Vec<u8>, bytes: &'b [u8]) -> Option<&'b [u8]> {
    let (block, rest) = bytes.split_first_chunk::<N>()?;
    to.extend_from_slice(block);
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_every_length_are_appended_whole() {
        let bytes: Vec<u8> = (0..=255).chain(0..=255).collect();
        for length in 0..bytes.len() {
            let mut to = b"before".to_vec();
            append(&mut to, &bytes[..length]);
            assert_eq!(to, [b"before", &bytes[..length]].concat());
        }
    }
}
