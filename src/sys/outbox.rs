//! Lines for a stream, kept until its reader takes them.

use super::output::Output;
use memchr::{memchr, memchr_iter};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

/// As many unused bytes are kept when everything is written.
const KEPT_BYTES: usize = 128 * 1024;

/// A stream of ours, and what it hasn't taken yet.
#[derive(Debug)]
pub(crate) struct Outbox {
    output: Output,
    /// `written..end` waits to be written; the rest is unused.
    buffer: Vec<u8>,
    written: usize,
    end: usize,
    /// Lines were added since the last attempt to write.
    has_new: bool,
    /// The last line that was written from isn't written whole.
    is_torn: bool,
    state: State,
    /// How many lines were lost and not reported yet.
    lost: u64,
}

/// Whether a stream can be written to, by the last attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Works,
    /// The last attempt failed: lines are lost, but for the rest of one that was begun. Each new line is another attempt.
    Fails,
    /// Its reader has gone, and the run is stopped for that: nothing is written or counted.
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

    /// Whether fewer bytes than this wait.
    pub(crate) fn has_room(&self, enough: usize) -> bool {
        self.end - self.written < enough
    }

    /// The stream, if something waits to be written. A failing one isn't polled: poll(2) reports a file on a full disk as
    /// writable.
    pub(crate) fn to_write(&self) -> Option<BorrowedFd<'_>> {
        (self.end > 0 && self.state == State::Works).then(|| self.output.as_fd())
    }

    /// Whether the last attempt to write to it failed.
    pub(crate) fn fails(&self) -> bool {
        self.state == State::Fails
    }

    /// Its reader has gone, and the run is to stop for that.
    pub(crate) fn give_up(&mut self) {
        self.state = State::Gone;
        (self.buffer, self.written, self.end, self.lost) = (Vec::new(), 0, 0, 0);
    }

    /// How many lines were lost and not reported yet.
    pub(crate) fn lost(&self) -> u64 {
        self.lost
    }

    /// The lost lines have been reported.
    pub(crate) fn lost_is_reported(&mut self) {
        self.lost = 0;
    }

    /// The end: the rest of a line that was begun is lost, too, if it can't be written now.
    pub(crate) fn count_rest(&mut self) {
        self.lost += u64::from(self.fails() && self.written < self.end);
    }

    /// Adds bytes as they are.
    pub(crate) fn add_bytes(&mut self, bytes: &[u8]) {
        if self.state == State::Gone {
            return;
        }
        self.has_new = true;
        let end = self.end + bytes.len();
        if end > self.buffer.len() {
            self.buffer.resize(end.max(2 * self.buffer.len()), 0);
        }
        self.buffer[self.end..end].copy_from_slice(bytes);
        self.end = end;
    }

    /// Adds a line, with something in front of it.
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

    /// Writes as much as is taken without waiting, and returns whether that is anything. An error is returned when it begins;
    /// while it lasts, lines are lost, as those of a program that writes by itself are.
    pub(crate) fn flush(&mut self) -> io::Result<bool> {
        // Without this, the rest of a line would be tried again at each wake-up, and a failed write causes one by its signal (SIGPIPE, SIGXFSZ).
        if self.fails() && !self.has_new {
            return Ok(false);
        }
        self.try_to_write()
    }

    /// The same, even if no line was added since the last attempt.
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
                    // It is full: another attempt would only return EAGAIN.
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

    /// Drops what waits, but for the rest of a line that was begun: the next line must begin on a line of its own.
    fn lose(&mut self) {
        let waits = &self.buffer[self.written..self.end];
        let kept = if self.is_torn { memchr(b'\n', waits).map_or(waits.len(), |newline| newline + 1) } else { 0 };
        self.lost += memchr_iter(b'\n', &waits[kept..]).count() as u64;
        self.end = self.written + kept;
    }

    fn make_room(&mut self) {
        if self.written == self.end {
            (self.written, self.end) = (0, 0);
            // A burst must not keep its memory for ever.
            self.buffer.truncate(KEPT_BYTES);
            self.buffer.shrink_to_fit();
        } else if self.written >= self.end - self.written {
            // No more moves than was written, and memory that is in the cache is used again.
            self.buffer.copy_within(self.written..self.end, 0);
            (self.written, self.end) = (0, self.end - self.written);
        }
    }
}

/// Copies a line, most of which are short, to room of the same length. This is faster than a call of memcpy(3), which the
/// compiler would make of a loop.
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

/// Copies the first N and the last N bytes, which may overlap.
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
