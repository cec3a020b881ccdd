//! What is to be written to a stream, kept until its reader takes it.

use crate::sys::output::Output;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

/// With so much waiting, nothing more is read for it: its writers are slowed down by their full pipes.
pub(super) const ENOUGH: usize = 64 * 1024;

/// And so much for nothing that could wait: what is said of a process stands behind its last lines, if there is room.
pub(super) const ENOUGH_AT_END: usize = 1024 * 1024;

/// A stream of ours with what it hasn't taken yet.
#[derive(Debug)]
pub(crate) struct Outbox {
    output: Output,
    /// What waits is `written..end` of it; the rest is room.
    buffer: Vec<u8>,
    written: usize,
    end: usize,
    /// Nobody reads it any more: whatever is for it is lost.
    gone: bool,
}

impl Outbox {
    pub(crate) fn new(output: Output) -> Outbox {
        Outbox { output, buffer: Vec::new(), written: 0, end: 0, gone: false }
    }

    pub(crate) fn output(&self) -> &Output {
        &self.output
    }

    /// Whether less than this waits.
    pub(crate) fn has_room(&self, enough: usize) -> bool {
        self.end - self.written < enough
    }

    /// The stream, if there is something for it.
    pub(crate) fn to_write(&self) -> Option<BorrowedFd<'_>> {
        (self.end > 0).then(|| self.output.as_fd())
    }

    /// Adds a line, and what stands in front of it.
    pub(crate) fn add(&mut self, front: &[u8], line: &[u8]) {
        if self.gone {
            return;
        }
        let end = self.end + front.len() + line.len() + 1;
        if end > self.buffer.len() {
            self.buffer.resize(end.max(2 * self.buffer.len()), 0);
        }
        let (to_front, rest) = self.buffer[self.end..end].split_at_mut(front.len());
        let (to_line, newline) = rest.split_at_mut(line.len());
        copy(to_front, front);
        copy(to_line, line);
        newline.copy_from_slice(b"\n");
        self.end = end;
    }

    /// Writes as much as is taken without waiting: whether that is anything. An error is told once.
    pub(crate) fn flush(&mut self) -> io::Result<bool> {
        let before = self.written;
        while self.written < self.end {
            let rest = &self.buffer[self.written..self.end];
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
                    (self.buffer, self.written, self.end) = (Vec::new(), 0, 0);
                    return Err(error);
                }
            }
        }
        let any = self.written > before;
        if self.written == self.end {
            (self.written, self.end) = (0, 0);
            // A burst is no reason to hold its memory for ever.
            self.buffer.truncate(2 * ENOUGH);
            self.buffer.shrink_to_fit();
        } else if self.written >= self.end - self.written {
            // What moves is no more than was written; and the same memory, near the processor, is used again.
            self.buffer.copy_within(self.written..self.end, 0);
            (self.written, self.end) = (0, self.end - self.written);
        }
        Ok(any)
    }
}

/// Copies a line, which is short for the most part, to room of the same length. A call of the C library's memcpy(3) costs
/// more than that; and there is no loop here, of which the compiler would make such a call.
#[inline]
fn copy(to: &mut [u8], from: &[u8]) {
    match from.len() {
        0 => {}
        1 => copy_ends::<1>(to, from),
        2..=3 => copy_ends::<2>(to, from),
        4..=7 => copy_ends::<4>(to, from),
        8..=15 => copy_ends::<8>(to, from),
        16..=31 => copy_ends::<16>(to, from),
        32..=63 => copy_ends::<32>(to, from),
        64..=127 => copy_ends::<64>(to, from),
        128..=255 => copy_ends::<128>(to, from),
        _ => to.copy_from_slice(from),
    }
}

/// Copies the first and the last so many bytes, which may be the same ones in part.
#[inline]
fn copy_ends<const N: usize>(to: &mut [u8], from: &[u8]) {
    if let (Some(to), Some(from)) = (to.first_chunk_mut::<N>(), from.first_chunk::<N>()) {
        *to = *from;
    }
    if let (Some(to), Some(from)) = (to.last_chunk_mut::<N>(), from.last_chunk::<N>()) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_every_length_are_copied_whole() {
        let bytes: Vec<u8> = (0..=255).chain(0..=255).collect();
        for length in 0..bytes.len() {
            let mut to = vec![0; length];
            copy(&mut to, &bytes[..length]);
            assert_eq!(to, bytes[..length]);
        }
    }
}
