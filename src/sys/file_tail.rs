//! The last bytes of a regular file that this process was given as stdout or stderr: nothing is put between it and the child.

use super::fd::above_stdio;
use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, SFlag, fstat};
use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::FileExt;

/// The most that is read of a file.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// What a standard stream of ours is, to one who wants to listen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Closed,
    File,
    Terminal,
    /// A pipe, a socket, a device.
    Other,
}

pub(crate) fn kind(stream: BorrowedFd<'_>) -> Kind {
    match fstat(stream) {
        Err(_) => Kind::Closed,
        Ok(_) if stream.is_terminal() => Kind::Terminal,
        Ok(stat) if SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT == SFlag::S_IFREG => Kind::File,
        Ok(_) => Kind::Other,
    }
}

/// A file that the child writes to, opened for reading.
#[derive(Debug)]
pub(crate) struct FileTail {
    file: File,
    /// Its length when the child was started.
    start: u64,
}

impl FileTail {
    pub(crate) fn open(stream: BorrowedFd<'_>) -> io::Result<FileTail> {
        let path = format!("/proc/self/fd/{}", stream.as_raw_fd());
        let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let file = File::from(above_stdio(nix::fcntl::open(path.as_str(), flags, Mode::empty())?)?);
        let mut tail = FileTail { file, start: 0 };
        tail.begin();
        Ok(tail)
    }

    /// A child is started.
    pub(crate) fn begin(&mut self) {
        self.start = self.file.metadata().map_or(0, |file| file.len());
    }

    /// What the file has got since, at most its last megabytes.
    pub(crate) fn read(&self) -> Vec<u8> {
        let end = self.file.metadata().map_or(0, |file| file.len());
        // A shorter one was cut off meanwhile.
        let start = if end < self.start { 0 } else { self.start };
        let start = start.max(end.saturating_sub(MOST_BYTES));
        let mut bytes = vec![0; (end - start) as usize];
        let mut read = 0;
        while let Ok(more @ 1..) = self.file.read_at(&mut bytes[read..], start + read as u64) {
            read += more;
        }
        bytes.truncate(read);
        bytes
    }

    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
