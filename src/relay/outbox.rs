//! What is to be written to a stream, kept until its reader takes it.

use crate::sys::output::Output;
use memchr::{memchr, memchr_iter};
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
    /// Lines were added since it was last written to.
    has_new: bool,
    /// The last byte that was written is within a line.
    is_torn: bool,
    state: State,
    /// How many lines were lost that nobody has been told of.
    lost: u64,
}

/// Whether it can be written to, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Works,
    /// The last attempt failed: what is for it is lost, but for the rest of a line that was begun. Each new line is another
    /// attempt.
    Fails,
    /// Nobody reads it any more, and all is stopped for that: nothing is written, nor counted.
    Gone,
}

impl Outbox {
    pub(crate) fn new(output: Output) -> Outbox {
        Outbox {
            output,
            buffer: Vec::new(),
            written: 0,
            end: 0,
            has_new: false,
            is_torn: false,
            state: State::Works,
            lost: 0,
        }
    }

    pub(crate) fn output(&self) -> &Output {
        &self.output
    }

    /// Whether less than this waits.
    pub(crate) fn has_room(&self, enough: usize) -> bool {
        self.end - self.written < enough
    }

    /// The stream, if there is something for it. One that fails isn't waited for: poll(2) says of a file on a full disk that
    /// it can be written.
    pub(crate) fn to_write(&self) -> Option<BorrowedFd<'_>> {
        (self.end > 0 && self.state == State::Works).then(|| self.output.as_fd())
    }

    /// Whether the last attempt to write to it failed.
    pub(crate) fn fails(&self) -> bool {
        self.state == State::Fails
    }

    /// Nobody reads it any more, and all is to stop for that.
    pub(crate) fn give_up(&mut self) {
        self.state = State::Gone;
        (self.buffer, self.written, self.end, self.lost) = (Vec::new(), 0, 0, 0);
    }

    /// How many lines were lost that nobody has been told of.
    pub(crate) fn lost(&self) -> u64 {
        self.lost
    }

    /// That has been told.
    pub(crate) fn lost_is_told(&mut self) {
        self.lost = 0;
    }

    /// There will be no other line: the rest of one that was begun is lost, too, if it can't be written now.
    pub(crate) fn count_rest(&mut self) {
        self.lost += u64::from(self.fails() && self.written < self.end);
    }

    /// Adds a line, and what stands in front of it.
    pub(crate) fn add(&mut self, front: &[u8], line: &[u8]) {
        if self.state == State::Gone {
            return;
        }
        self.has_new = true;
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

    /// Writes as much as is taken without waiting: whether that is anything. An error is told when it begins; meanwhile
    /// lines are lost, as they are to a program that writes by itself.
    pub(crate) fn flush(&mut self) -> io::Result<bool> {
        // Of the rest of a line alone another attempt would be made at each wake-up, by the signal of a write that failed
        // among others.
        if self.fails() && !self.has_new {
            return Ok(false);
        }
        self.try_to_write()
    }

    /// The same, though nothing has come since the last attempt.
    pub(crate) fn try_to_write(&mut self) -> io::Result<bool> {
        self.has_new = false;
        let before = self.written;
        let mut result = Ok(());
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
                    result = Err(error);
                    break;
                }
            }
        }
        let any = self.written > before;
        if any {
            self.is_torn = self.buffer[self.written - 1] != b'\n';
            self.state = State::Works;
        }
        if result.is_err() {
            self.lose();
        }
        self.make_room();
        match result {
            Ok(()) => Ok(any),
            Err(_) if self.fails() => Ok(any),
            Err(error) => {
                self.state = State::Fails;
                Err(error)
            }
        }
    }

    /// What waits is lost, but for the rest of a line that was begun: a line that comes later starts where a line starts.
    fn lose(&mut self) {
        let waits = &self.buffer[self.written..self.end];
        let kept = if self.is_torn { memchr(b'\n', waits).map_or(waits.len(), |newline| newline + 1) } else { 0 };
        self.lost += memchr_iter(b'\n', &waits[kept..]).count() as u64;
        self.end = self.written + kept;
    }

    fn make_room(&mut self) {
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
