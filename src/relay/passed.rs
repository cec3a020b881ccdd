//! Bytes on their way from a child's stream to ours, as they are: for streams that are listened to.
//!
//! To the child it is as if it wrote to our stream itself, but that it isn't held up as soon: a runtime that dies while its
//! pipe is full may drop the text that tells why.

use super::stream::Stream;
use crate::sys::outbox::Outbox;
use crate::sys::output::Output;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

/// From how many waiting bytes on nothing more is read for a stream. A pipe is made to hold as many.
pub(crate) const FULL_BYTES: usize = 1024 * 1024;

/// Streams of ours that take what children write.
#[derive(Debug)]
pub(crate) struct Passed {
    /// One if both are the same.
    outboxes: Vec<Taking>,
    /// The outbox of stdout and of stderr; `None`: the child has our stream itself.
    numbers: [Option<usize>; 2],
}

#[derive(Debug)]
struct Taking {
    outbox: Outbox,
    stream: Stream,
    /// Nobody reads it any more: to the child it is a pipe without a reader.
    is_gone: bool,
}

impl Passed {
    /// These of our streams.
    pub(crate) fn new(streams: &[Stream]) -> Passed {
        let mut passed = Passed { outboxes: Vec::new(), numbers: [None; 2] };
        for stream in streams {
            let output = if *stream == Stream::Stdout { Output::stdout() } else { Output::stderr() };
            let same = passed.outboxes.iter().position(|other| other.outbox.output().is_same(&output));
            let number = same.unwrap_or_else(|| {
                passed.outboxes.push(Taking { outbox: Outbox::new(output), stream: *stream, is_gone: false });
                passed.outboxes.len() - 1
            });
            passed.numbers[usize::from(*stream != Stream::Stdout)] = Some(number);
        }
        passed
    }

    /// The number of the outbox for a stream; `None`: the child has our stream itself.
    pub(super) fn number(&self, stream: Stream) -> Option<usize> {
        self.numbers[usize::from(stream != Stream::Stdout)]
    }

    /// Whether nobody reads this stream any more.
    pub(super) fn is_gone(&self, number: usize) -> bool {
        self.outboxes.get(number).is_some_and(|taking| taking.is_gone)
    }

    pub(super) fn add(&mut self, stream: Stream, bytes: &[u8]) {
        if let Some(number) = self.number(stream) {
            self.outboxes[number].outbox.add_bytes(bytes);
        }
    }

    pub(super) fn has_room(&self, number: usize) -> bool {
        self.outboxes.get(number).is_some_and(|taking| taking.outbox.has_room(FULL_BYTES))
    }

    pub(super) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.outboxes.iter().map(|taking| taking.outbox.output().as_fd())
    }

    pub(super) fn to_write(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.outboxes.iter().filter_map(|taking| taking.outbox.to_write())
    }

    /// Writes what is taken without waiting, and returns whether that is anything. Adds the outboxes to `gone` whose readers
    /// have gone since the last time.
    pub(super) fn flush(&mut self, gone: &mut Vec<usize>) -> bool {
        let mut any = false;
        for (number, taking) in self.outboxes.iter_mut().enumerate().filter(|(_, taking)| !taking.is_gone) {
            match taking.outbox.flush() {
                Ok(wrote) => any |= wrote,
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    taking.outbox.give_up();
                    taking.is_gone = true;
                    gone.push(number);
                }
                Err(error) => {
                    let stream = if taking.stream == Stream::Stdout { "stdout" } else { "stderr" };
                    log::warn!(
                        "can't write to {stream}: {error}: what the command writes there is lost until that works again"
                    );
                }
            }
        }
        any
    }
}
