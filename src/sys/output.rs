//! A stream that this process writes to without ever waiting for its reader.
//!
//! Its file description is shared with others, a shell or the children of another program, so it can't be made
//! non-blocking for ourselves alone; and after poll(2) has said that a pipe takes something, somebody else may be faster.

use super::fd::above_stdio;
use super::poll;
use super::poll::Awaited;
use super::raw::{syscall, syscall_io};
use nix::fcntl::OFlag;
use nix::sys::stat::{FileStat, Mode, SFlag, fstat};
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// What a pipe that can be written takes at once, in bytes: pipe(7).
const PIPE_BUF: usize = libc::PIPE_BUF;

/// What a terminal that can be written takes at once, in bytes, as a rule.
const TERMINAL_BYTES: usize = 256;

/// A stream to be written to.
#[derive(Debug)]
pub(crate) struct Output {
    fd: Fd,
    way: Way,
    terminal: bool,
    identity: Option<(u64, u64)>,
}

#[derive(Debug)]
enum Fd {
    Stdout(io::Stdout),
    Stderr(io::Stderr),
    /// Of this process alone: a file, or a terminal that was opened once more.
    Own(OwnedFd),
}

/// How it is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// write(2): it never waits for a reader, or it was opened so.
    Plain,
    /// pwritev2(2) with RWF_NOWAIT.
    NoWait,
    /// Pieces of up to this many bytes, each when poll(2) says that the stream can be written.
    Pieces(usize),
}

impl Output {
    /// This process's stdout.
    pub(crate) fn stdout() -> Output {
        Output::new(Fd::Stdout(io::stdout()))
    }

    /// This process's stderr.
    pub(crate) fn stderr() -> Output {
        Output::new(Fd::Stderr(io::stderr()))
    }

    /// Any other file.
    #[cfg(feature = "reports")]
    pub(crate) fn of(fd: OwnedFd) -> Output {
        Output::new(Fd::Own(fd))
    }

    fn new(fd: Fd) -> Output {
        let stat = fstat(&fd).ok();
        let kind = stat.map(|stat| SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT);
        let terminal = fd.as_fd().is_terminal();
        let identity = stat.as_ref().map(identity_in);
        let (fd, way) = match kind {
            Some(SFlag::S_IFIFO | SFlag::S_IFSOCK) => (fd, Way::NoWait),
            Some(SFlag::S_IFCHR) if terminal => match reopen(fd.as_fd()) {
                Ok(own) => (Fd::Own(own), Way::Plain),
                Err(_) => (fd, Way::Pieces(TERMINAL_BYTES)),
            },
            _ => (fd, Way::Plain),
        };
        Output { fd, way, terminal, identity }
    }

    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Whether it is the file of this device and inode.
    pub(crate) fn is(&self, identity: Option<(u64, u64)>) -> bool {
        identity.is_some() && self.identity == identity
    }

    /// Whether both are one pipe, file, or terminal.
    pub(crate) fn is_same(&self, other: &Output) -> bool {
        self.is(other.identity)
    }

    /// Writes as many bytes as it takes now, and returns their number. [`io::ErrorKind::WouldBlock`]: it takes none.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            let result = match self.way {
                Way::Plain => plain(self.as_fd(), bytes),
                Way::NoWait => no_wait(self.as_fd(), bytes),
                Way::Pieces(most) => piece(self.as_fd(), &bytes[..bytes.len().min(most)]),
            };
            match result {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A kernel before 6.5, or a filter that refuses the call, by whatever error. If the stream itself fails, so
                // does the other way.
                Err(error)
                    if self.way == Way::NoWait
                        && !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::BrokenPipe) =>
                {
                    self.way = Way::Pieces(PIPE_BUF);
                }
                result => return result,
            }
        }
    }
}

impl AsFd for Output {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsFd for Fd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Fd::Stdout(stdout) => stdout.as_fd(),
            Fd::Stderr(stderr) => stderr.as_fd(),
            Fd::Own(fd) => fd.as_fd(),
        }
    }
}

/// Device and inode of an open file: fstat(2).
#[cfg(feature = "cli")]
pub(crate) fn identity(fd: impl AsFd) -> Option<(u64, u64)> {
    fstat(fd).ok().as_ref().map(identity_in)
}

fn identity_in(stat: &FileStat) -> (u64, u64) {
    (stat.st_dev, stat.st_ino)
}

/// Writes it if the stream takes it now. Needs no memory.
pub(crate) fn write_now(fd: BorrowedFd<'_>, bytes: &[u8]) {
    if let Err(error) = no_wait(fd, bytes)
        && error.kind() != io::ErrorKind::WouldBlock
    {
        let _ = piece(fd, bytes);
    }
}

fn reopen(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let flags = OFlag::O_WRONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    above_stdio(nix::fcntl::open(path.as_str(), flags, Mode::empty())?)
}

fn plain(fd: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    // SAFETY: the kernel reads `bytes`, at most its length.
    unsafe { syscall_io(libc::SYS_write, [fd.as_raw_fd() as usize, bytes.as_ptr() as usize, bytes.len()]) }
}

fn no_wait(fd: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    let slice = io::IoSlice::new(bytes);
    // -1: the stream has no position.
    let position = usize::MAX;
    // SAFETY: an IoSlice has the layout of an iovec. The kernel reads one, and the bytes it points to, which are `bytes`.
    let written = unsafe {
        syscall(
            libc::SYS_pwritev2,
            [fd.as_raw_fd() as usize, (&raw const slice) as usize, 1, position, position, libc::RWF_NOWAIT as usize],
        )
    };
    written.map_err(io::Error::from_raw_os_error)
}

fn piece(fd: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    match poll::is_ready(Awaited::Write(fd)) {
        Ok(false) => Err(io::ErrorKind::WouldBlock.into()),
        // poll(2) is refused where no descriptor may be opened (RLIMIT_NOFILE): what is to be said is said all the same.
        Ok(true) | Err(_) => plain(fd, bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, pipe};

    fn output(fd: impl Into<OwnedFd>) -> Output {
        Output::new(Fd::Own(fd.into()))
    }

    /// Writes until it takes no more: how much that was.
    fn fill(output: &mut Output) -> usize {
        let mut sum = 0;
        loop {
            match output.write(&[b'x'; 10_000]) {
                Ok(written) => sum += written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return sum,
                Err(error) => panic!("{error}"),
            }
        }
    }

    #[test]
    fn a_full_pipe_is_no_reason_to_wait_and_what_it_took_arrives() {
        for way in [Way::NoWait, Way::Pieces(PIPE_BUF)] {
            let (mut reader, writer) = pipe().unwrap();
            let mut output = output(writer);
            assert_eq!(output.way, Way::NoWait);
            output.way = way;
            let filled = fill(&mut output);
            assert!(filled >= 60_000, "{filled}");
            let mut half = vec![0; filled / 2];
            reader.read_exact(&mut half).unwrap();
            assert!(fill(&mut output) > 0, "{way:?}");
            assert!(half.iter().all(|byte| *byte == b'x'));
        }
    }

    #[test]
    fn a_reader_that_is_gone_is_an_error() {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        assert_eq!(output(writer).write(b"x").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn one_pipe_twice_is_the_same() {
        let ((_a, first), (_b, other)) = (pipe().unwrap(), pipe().unwrap());
        let (again, first, other) = (output(first.try_clone().unwrap()), output(first), output(other));
        assert!(first.is_same(&again) && !first.is_same(&other));
    }
}
