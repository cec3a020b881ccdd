//! The pipes of all children, and where their lines go.

use super::lines::Lines;
use super::passed::{self, Passed};
use super::pipe_set::{Group, Pipe, PipeSet, ToRead};
use super::printed::{FULL_AT_END_BYTES, FULL_BYTES, Printed};
use super::stream::{Gone, Line, Stream};
use super::words::Words;
use crate::model::identity::Identity;
use crate::model::printable::OneLine;
use crate::report::last_words::LastWords;
use crate::report::remarks::Remark;
use crate::sys::pipe;
use crate::sys::private_fds::PrivateFds;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A function of a library's user that takes lines.
pub(crate) type Tell<'o> = dyn FnMut(&Line<'_>) + Send + 'o;

/// Where lines go.
pub(crate) enum Sink<'o> {
    Printed(Printed),
    Passed(Passed),
    Told { names: Vec<String>, tell: Box<Tell<'o>> },
}

impl Sink<'_> {
    /// Those that are written to our streams.
    fn streams(&self) -> (Option<&Printed>, Option<&Passed>) {
        match self {
            Sink::Printed(printed) => (Some(printed), None),
            Sink::Passed(passed) => (None, Some(passed)),
            Sink::Told { .. } => (None, None),
        }
    }
}

/// The pipes of all children, and where their lines go.
pub(crate) struct Relay<'o> {
    sink: Sink<'o>,
    pipes: PipeSet,
    buffer: Vec<u8>,
    /// The pipe that is read first the next time, for each of our streams.
    turns: [usize; 2],
    /// What is kept of the last words.
    words: Option<Words>,
}

/// The most bytes that are read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// How many pipes are enlarged, at most: a user has 64 MiB of pipes, and beyond that any new pipe of the user's, the command's
/// too, is a small one (pipe(7), /proc/sys/fs/pipe-user-pages-soft).
const MOST_ENLARGED: usize = 4;

impl<'o> Relay<'o> {
    pub(crate) fn new(sink: Sink<'o>) -> Relay<'o> {
        Relay { sink, pipes: PipeSet::default(), buffer: Vec::new(), turns: [0; 2], words: None }
    }

    /// Also keeps the last words of each child.
    pub(crate) fn keep(mut self, words: Option<Words>) -> Relay<'o> {
        self.words = words;
        self
    }

    /// Opens pipes for stdout and stderr of a process that is to be started, and returns the child's ends. If another user runs
    /// it, they belong to that user: it can open /dev/stdout and /dev/stderr, as it could without us. `private`: where
    /// ours are put. `None`: the child has our stream itself.
    #[cold]
    pub(crate) fn open(
        &mut self,
        process: usize,
        user: Option<&Identity>,
        private: Option<PrivateFds>,
    ) -> io::Result<[Option<OwnedFd>; 2]> {
        let streams = [Stream::Stdout, Stream::Stderr];
        let mut pipes = [None, None];
        for (place, stream) in pipes.iter_mut().zip(streams) {
            if self.outbox(stream).is_some() {
                *place = Some(pipe::to_be_polled(private)?);
            }
        }
        if let Some(words) = &mut self.words {
            words.begin(process);
        }
        let mut childs = [None, None];
        for ((pipe, childs), stream) in pipes.into_iter().zip(&mut childs).zip(streams) {
            let (Some((fd, child)), Some(outbox)) = (pipe, self.outbox(stream)) else { continue };
            give_to(user, fd.as_fd());
            if self.words.is_some() && self.pipes.len() < MOST_ENLARGED {
                pipe::enlarge(fd.as_fd(), passed::FULL_BYTES);
            }
            *childs = Some(child);
            // Without a reader for ours, the child's has none, either.
            if !self.is_gone(outbox) {
                self.pipes.add(Pipe { process, stream, outbox, fd, lines: Lines::default(), left: None });
            }
        }
        Ok(childs)
    }

    /// What a child of this process has written by now is read, as far as there is room, though it may go on. Then its last
    /// words.
    #[inline(never)]
    pub(crate) fn take_words(&mut self, process: usize) -> Option<[LastWords; 2]> {
        self.words.as_ref()?;
        for number in self.pipes.of(process).to_vec() {
            let Some(pipe) = self.pipes.get(number).filter(|pipe| pipe.left.is_none()) else { continue };
            let (stream, mut left) = (pipe.stream, pipe::bytes_in(pipe.fd.as_fd()));
            while left > 0 && self.has_room(stream, FULL_AT_END_BYTES) {
                match self.read_once(number, left) {
                    Some(read @ 1..) => left -= read,
                    _ => break,
                }
            }
        }
        self.words.as_mut()?.take(process)
    }

    /// Whether lines are written to stdout.
    pub(crate) fn uses_stdout(&self) -> bool {
        match &self.sink {
            Sink::Printed(_) => true,
            Sink::Passed(passed) => passed.number(Stream::Stdout).is_some(),
            Sink::Told { .. } => true,
        }
    }

    /// What is to be waited for: the pipes whose lines find room; all, or those of ended children only.
    pub(crate) fn to_read(&self, ended_only: bool) -> Vec<(ToRead, BorrowedFd<'_>)> {
        self.pipes.to_read(ended_only, [0, 1].map(|outbox| self.outbox_has_room(outbox)))
    }

    /// All descriptors it holds but stdout and stderr themselves.
    pub(crate) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let (printed, passed) = self.sink.streams();
        let streams = printed.into_iter().flat_map(Printed::fds).chain(passed.into_iter().flat_map(Passed::fds));
        self.pipes.fds().chain(streams)
    }

    /// The streams that have something to be written.
    pub(crate) fn to_write(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let (printed, passed) = self.sink.streams();
        printed.into_iter().flat_map(Printed::to_write).chain(passed.into_iter().flat_map(Passed::to_write))
    }

    /// Whether everything that ended children wrote has been read, and everything read has been written.
    pub(crate) fn is_idle(&self) -> bool {
        !self.pipes.has_ended() && self.to_write().next().is_none()
    }

    /// Whether readers keep up, so that more may be written.
    pub(crate) fn keeps_up(&self) -> bool {
        self.has_room(Stream::Stdout, FULL_BYTES) && self.has_room(Stream::Stderr, FULL_BYTES)
    }

    /// Whether something that an ended child of this process wrote is still to be read.
    pub(crate) fn is_behind(&self, process: usize) -> bool {
        self.pipes.of(process).iter().any(|number| self.pipes.get(*number).is_some_and(|pipe| pipe.left.is_some()))
    }

    /// Reads from what is ready of these, as long as there is room for the lines. Pipes that are closed are removed.
    #[inline(never)]
    pub(crate) fn read(&mut self, ready: &[ToRead]) {
        if ready.is_empty() {
            return;
        }
        let mut numbers = Vec::with_capacity(ready.len());
        for ready in ready {
            match *ready {
                ToRead::Pipe(number) => numbers.push(number),
                ToRead::Group(group) => self.read_group(group),
            }
        }
        for outbox in 0..self.turns.len() {
            let (before, from_turn) = numbers.split_at(numbers.partition_point(|number| *number < self.turns[outbox]));
            for number in from_turn.iter().chain(before).copied() {
                if !self.outbox_has_room(outbox) {
                    break;
                }
                if self.read_for(outbox, number) {
                    // If there is room for one pipe only, it is another one each time.
                    self.turns[outbox] = number + 1;
                }
            }
        }
    }

    /// Reads from what is ready of a group, as long as there is room for the lines.
    fn read_group(&mut self, group: Group) {
        self.pipes.look_into(group);
        while self.outbox_has_room(group.outbox())
            && let Some(number) = self.pipes.next_of(group)
        {
            self.read_for(group.outbox(), number);
        }
    }

    /// Reads once from this pipe, if its lines go there. Whether they do.
    fn read_for(&mut self, outbox: usize, number: usize) -> bool {
        let is_for_it = self.pipes.get(number).is_some_and(|pipe| pipe.outbox == outbox);
        if is_for_it && !self.read_chunk(number) {
            self.close(number);
        }
        is_for_it
    }

    /// A child has ended: what its pipes hold by now is read as soon as there is room, and no more, since a grandchild may keep
    /// them open, and write to them, for as long as it lives.
    #[inline(never)]
    pub(crate) fn ended(&mut self, process: usize) {
        for number in self.pipes.of(process).to_vec() {
            let Some(pipe) = self.pipes.get(number).filter(|pipe| pipe.left.is_none()) else { continue };
            let (stream, left) = (pipe.stream, pipe::bytes_in(pipe.fd.as_fd()));
            self.pipes.set_ended(number, left);
            let mut more = left > 0;
            while more && self.has_room(stream, FULL_AT_END_BYTES) {
                more = self.read_chunk(number);
            }
            if !more {
                self.close(number);
            }
        }
    }

    /// Reads once, and returns whether there may be more.
    fn read_chunk(&mut self, number: usize) -> bool {
        let Some(left) = self.pipes.get(number).map(|pipe| pipe.left) else { return false };
        match self.read_once(number, left.unwrap_or(CHUNK_BYTES)) {
            Some(read @ 1..) => {
                let left = left.map(|left| left - read);
                if let Some(pipe) = self.pipes.get_mut(number) {
                    pipe.left = left;
                }
                left != Some(0)
            }
            Some(0) => false,
            None => left.is_none(),
        }
    }

    /// Reads once, at most this many bytes, and returns how many. `None`: there is nothing now.
    fn read_once(&mut self, number: usize, most: usize) -> Option<usize> {
        let pipe = self.pipes.get_mut(number)?;
        let read = read_some(pipe, most.min(CHUNK_BYTES), &mut self.buffer, &mut self.sink)?;
        if let Some(words) = &mut self.words {
            words.add(pipe.process, pipe.stream, &self.buffer[..read]);
        }
        Some(read)
    }

    /// Removes a pipe; a last line without newline is a line, too.
    fn close(&mut self, number: usize) {
        let Some(mut pipe) = self.pipes.remove(number) else { return };
        match &mut self.sink {
            Sink::Printed(printed) => {
                let mut to = printed.lines_of(pipe.process, pipe.stream);
                pipe.lines.finish(|line| to.line(line));
            }
            Sink::Passed(_) => {}
            Sink::Told { names, tell } => {
                let name = &names[pipe.process];
                pipe.lines.finish(|bytes| tell(&Line { name, stream: pipe.stream, bytes }));
            }
        }
    }

    /// A remark about a process; `None`: about all of them.
    pub(crate) fn remark(&mut self, process: Option<usize>, remark: &Remark<'_>) {
        let text = &OneLine(remark).to_string();
        match &mut self.sink {
            Sink::Printed(printed) => printed.remark(process, text, remark.is_warning()),
            Sink::Passed(_) => {}
            Sink::Told { names, tell } => {
                let name = process.and_then(|process| names.get(process)).map_or("", String::as_str);
                tell(&Line { name, stream: Stream::Remark, bytes: text.as_bytes() });
            }
        }
    }

    /// Writes what can be written without waiting, and returns whether that is anything. It is an error, once, if the reader
    /// of a stream has gone: its lines are lost from then on. Any other failure to write costs lines, and is logged here.
    #[inline(never)]
    pub(crate) fn flush(&mut self) -> Result<bool, Gone> {
        let mut gone = Vec::new();
        let any = match &mut self.sink {
            Sink::Printed(printed) => return printed.flush(),
            Sink::Passed(passed) => passed.flush(&mut gone),
            Sink::Told { .. } => false,
        };
        for outbox in gone {
            for number in self.pipes.of_outbox(outbox) {
                self.close(number);
            }
        }
        Ok(any)
    }

    /// The last call: logs how many lines were lost, and returns whether there were any.
    #[cold]
    pub(crate) fn finish(&mut self) -> bool {
        match &mut self.sink {
            Sink::Printed(printed) => printed.finish(),
            Sink::Passed(_) | Sink::Told { .. } => false,
        }
    }

    /// The number of our stream that a child's stream goes to; `None`: the child has our stream itself.
    fn outbox(&self, stream: Stream) -> Option<usize> {
        match &self.sink {
            Sink::Printed(printed) => Some(printed.number(stream)),
            Sink::Passed(passed) => passed.number(stream),
            Sink::Told { .. } => Some(0),
        }
    }

    /// Whether nobody reads one of our streams any more, and the children are to find out.
    fn is_gone(&self, outbox: usize) -> bool {
        matches!(&self.sink, Sink::Passed(passed) if passed.is_gone(outbox))
    }

    /// Whether one of our streams has room for what children that run write.
    fn outbox_has_room(&self, outbox: usize) -> bool {
        match &self.sink {
            Sink::Printed(printed) => printed.outbox_has_room(outbox, FULL_BYTES),
            Sink::Passed(passed) => passed.has_room(outbox),
            Sink::Told { .. } => true,
        }
    }

    /// Whether fewer bytes than this wait for the reader of a stream.
    fn has_room(&self, stream: Stream, enough: usize) -> bool {
        match &self.sink {
            Sink::Printed(printed) => printed.has_room(stream, enough),
            Sink::Passed(passed) => passed.number(stream).is_none_or(|number| passed.has_room(number)),
            Sink::Told { .. } => true,
        }
    }
}

/// Gives the pipe with this end to the user that runs the command.
pub(crate) fn give_to(user: Option<&Identity>, end: BorrowedFd<'_>) {
    if let Some(user) = user
        && let Err(error) = pipe::give_to(end, user)
    {
        log::warn!("the command can't open /dev/stdout or /dev/stderr: its pipe can't be made its user's: {error}");
    }
}

/// Reads once, and returns how many bytes; `None`: there is nothing now.
fn read_some(pipe: &mut Pipe, most: usize, buffer: &mut Vec<u8>, sink: &mut Sink<'_>) -> Option<usize> {
    buffer.resize(CHUNK_BYTES, 0);
    let read = pipe::read(pipe.fd.as_fd(), &mut buffer[..most])?;
    let (bytes, lines) = (&buffer[..read], &mut pipe.lines);
    match sink {
        Sink::Printed(printed) => {
            let mut to = printed.lines_of(pipe.process, pipe.stream);
            lines.feed(bytes, |line| to.line(line));
        }
        Sink::Passed(passed) => passed.add(pipe.stream, bytes),
        Sink::Told { names, tell } => {
            let name = &names[pipe.process];
            lines.feed(bytes, |bytes| tell(&Line { name, stream: pipe.stream, bytes }));
        }
    }
    Some(read)
}

impl fmt::Debug for Relay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").field("pipes", &self.pipes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::fcntl::{FcntlArg, fcntl};

    #[test]
    fn many_pipes_dont_use_up_what_a_user_may_have() {
        let told = Sink::Told { names: Vec::new(), tell: Box::new(|_| {}) };
        let mut relay = Relay::new(told).keep(Some(Words::new([1, 1])));
        let mut childs = Vec::new();
        for process in 0..20 {
            childs.extend(relay.open(process, None, None).unwrap().into_iter().flatten());
        }
        let sizes = childs.iter().map(|end| fcntl(end, FcntlArg::F_GETPIPE_SZ).unwrap() as usize);
        assert!(sizes.sum::<usize>() <= 8 * passed::FULL_BYTES);
    }
}
