//! Descriptors of which the kernel keeps track: epoll(7). Asking which are ready costs what is ready, not how many there are.

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

/// How many are told of at once, as a rule.
const AT_ONCE: usize = 128;

/// Descriptors, each with a number, that can be read or are closed at their other end.
#[derive(Debug)]
pub(crate) struct Readable(Epoll);

impl Readable {
    pub(crate) fn new() -> io::Result<Readable> {
        Ok(Readable(Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?))
    }

    /// Keeps track of this one, until it is removed.
    pub(crate) fn add(&self, fd: BorrowedFd<'_>, number: usize) -> io::Result<()> {
        Ok(self.0.add(fd, EpollEvent::new(EpollFlags::EPOLLIN, number as u64))?)
    }

    /// To be called before it is closed: a child that hasn't executed yet has it, too, and the kernel would go on.
    pub(crate) fn remove(&self, fd: BorrowedFd<'_>) {
        let _ = self.0.delete(fd);
    }

    /// Adds the numbers of all that are ready.
    ///
    /// Of some only, those that are read first would be chosen among others each time, and some of them never.
    pub(crate) fn ready(&self, into: &mut Vec<usize>) -> io::Result<()> {
        let mut events = [EpollEvent::empty(); AT_ONCE];
        let count = self.ask(&mut events)?;
        if count == AT_ONCE {
            return self.more_ready(into);
        }
        into.extend(events[..count].iter().map(number));
        Ok(())
    }

    #[cold]
    fn more_ready(&self, into: &mut Vec<usize>) -> io::Result<()> {
        let mut events = vec![EpollEvent::empty(); AT_ONCE];
        let mut count = AT_ONCE;
        while count == events.len() {
            events.resize(8 * count, EpollEvent::empty());
            count = self.ask(&mut events)?;
        }
        into.extend(events[..count].iter().map(number));
        Ok(())
    }

    /// Which are ready, as far as there is room; and how many.
    fn ask(&self, events: &mut [EpollEvent]) -> io::Result<usize> {
        loop {
            match self.0.wait(events, EpollTimeout::ZERO) {
                Err(Errno::EINTR) => {}
                result => return Ok(result?),
            }
        }
    }
}

fn number(event: &EpollEvent) -> usize {
    event.data() as usize
}

/// It is ready if one of its descriptors is.
impl AsFd for Readable {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::poll::{Awaited, is_ready};
    use std::io::{Read, Write, pipe};

    #[test]
    fn it_is_ready_as_long_as_one_of_them_is_and_says_which() {
        let ((mut first, mut to_first), (second, to_second)) = (pipe().unwrap(), pipe().unwrap());
        let readable = Readable::new().unwrap();
        readable.add(first.as_fd(), 1).unwrap();
        readable.add(second.as_fd(), 2).unwrap();
        let ready = || {
            let mut numbers = Vec::new();
            readable.ready(&mut numbers).unwrap();
            assert_eq!(is_ready(Awaited::Read(readable.as_fd())).unwrap(), !numbers.is_empty());
            numbers.sort_unstable();
            numbers
        };
        assert_eq!(ready(), [0_usize; 0]);
        to_first.write_all(b"xy").unwrap();
        assert_eq!(ready(), [1]);
        drop(to_second);
        assert_eq!(ready(), [1, 2]);
        first.read_exact(&mut [0; 1]).unwrap();
        readable.remove(second.as_fd());
        assert_eq!(ready(), [1], "there is a byte left");
        first.read_exact(&mut [0; 1]).unwrap();
        assert_eq!(ready(), [0_usize; 0]);
    }

    #[test]
    fn of_many_that_are_ready_all_are_told() {
        let (reader, mut writer) = pipe().unwrap();
        writer.write_all(b"x").unwrap();
        let many: Vec<_> = (0..3 * AT_ONCE).map(|_| reader.try_clone().unwrap()).collect();
        let readable = Readable::new().unwrap();
        for (number, fd) in many.iter().enumerate() {
            readable.add(fd.as_fd(), number).unwrap();
        }
        for _ in 0..2 {
            let mut numbers = Vec::new();
            readable.ready(&mut numbers).unwrap();
            numbers.sort_unstable();
            assert!(numbers.into_iter().eq(0..many.len()));
        }
    }
}
