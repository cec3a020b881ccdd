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
        self.waiting.reserve(parts.iter().map(|part| part.len()).sum());
        for part in parts {
            self.waiting.extend_from_slice(part);
        }
    }

    /// Writes as much as is taken without waiting: whether that is anything. An error is told once.
    pub(crate) fn flush(&mut self) -> io::Result<bool> {
        let before = self.written;
        while self.written < self.waiting.len() {
            match self.output.write(&self.waiting[self.written..]) {
                Ok(written) => self.written += written,
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
