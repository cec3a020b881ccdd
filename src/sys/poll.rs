//! Waiting until descriptors are ready: ppoll(2). Everything in this process that waits with it does so here.

use super::raw::syscall;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use std::io;
use std::os::fd::BorrowedFd;
use std::thread;
use std::time::{Duration, Instant};

/// How often a wait for which the kernel has no memory is tried again, and after what time: half a second in all.
const TRIES: u32 = 50;
const RETRY_AFTER: Duration = Duration::from_millis(10);

/// What is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Awaited<'f> {
    /// That it can be read, or is closed at its other end.
    Read(BorrowedFd<'f>),
    /// That it can be written.
    Write(BorrowedFd<'f>),
    /// That it has urgent data; a file of a cgroup has some when it has changed.
    Urgent(BorrowedFd<'f>),
}

impl<'f> Awaited<'f> {
    fn poll_fd(self) -> PollFd<'f> {
        match self {
            Awaited::Read(fd) => PollFd::new(fd, PollFlags::POLLIN),
            Awaited::Write(fd) => PollFd::new(fd, PollFlags::POLLOUT),
            Awaited::Urgent(fd) => PollFd::new(fd, PollFlags::POLLPRI),
        }
    }
}

/// Waits until one of them is ready, or the deadline has come. Adds to `ready` whether each is.
pub(crate) fn wait<'f>(
    awaited: impl Iterator<Item = Awaited<'f>>,
    deadline: Option<Instant>,
    ready: &mut Vec<bool>,
) -> io::Result<()> {
    let mut fds: Vec<_> = awaited.map(Awaited::poll_fd).collect();
    poll(&mut fds, deadline, TRIES)?;
    ready.extend(fds.iter().map(|fd| fd.any().unwrap_or(true)));
    Ok(())
}

/// Waits until one of them is ready, or the deadline has come. Whether one is.
pub(crate) fn is_any_ready<const N: usize>(
    awaited: [Awaited<'_>; N],
    deadline: Option<Instant>,
) -> Result<bool, Errno> {
    poll(&mut awaited.map(Awaited::poll_fd), deadline, TRIES)
}

/// Whether it is ready now.
pub(crate) fn is_ready(awaited: Awaited<'_>) -> Result<bool, Errno> {
    poll(&mut [awaited.poll_fd()], Some(Instant::now()), 0)
}

/// Waits for this long, or until a signal ends this process. Async-signal-safe.
#[cfg(feature = "cli")]
pub(super) fn for_some_time(time: Duration) {
    let time = TimeSpec::from(time);
    let time: *const libc::timespec = time.as_ref();
    // SAFETY: no descriptors, no mask: the kernel reads the time.
    let _ = unsafe { syscall(libc::SYS_ppoll, [0, 0, time as usize, 0, 0]) };
}

/// Waits until a signal ends this process. Async-signal-safe.
pub(super) fn for_ever() -> ! {
    loop {
        // SAFETY: no descriptors, no time, no mask: the kernel reads nothing.
        let _ = unsafe { syscall(libc::SYS_ppoll, [0, 0, 0, 0, 0]) };
    }
}

fn poll(fds: &mut [PollFd<'_>], deadline: Option<Instant>, mut tries: u32) -> Result<bool, Errno> {
    loop {
        let timeout = deadline.map(|deadline| TimeSpec::from(deadline.saturating_duration_since(Instant::now())));
        match ppoll(fds, timeout, None) {
            Ok(ready) => return Ok(ready > 0),
            // A handler ran: what it had to say is in its pipe, which the next turn finds ready.
            Err(Errno::EINTR) => {}
            // EAGAIN: a system that says so in this way, poll(2).
            Err(Errno::ENOMEM | Errno::EAGAIN) if tries > 0 => {
                tries -= 1;
                thread::sleep(RETRY_AFTER);
            }
            Err(errno) => return Err(errno),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Write, pipe};
    use std::os::fd::AsFd;

    #[test]
    fn each_descriptor_has_its_own_answer() {
        let ((reader, mut writer), (empty, _open)) = (pipe().unwrap(), pipe().unwrap());
        writer.write_all(b"x").unwrap();
        let mut ready = vec![];
        let awaited = [Awaited::Read(empty.as_fd()), Awaited::Read(reader.as_fd()), Awaited::Write(writer.as_fd())];
        wait(awaited.into_iter(), None, &mut ready).unwrap();
        assert_eq!(ready, [false, true, true]);
        assert!(is_any_ready(awaited, None).unwrap());
        assert!(!is_ready(awaited[0]).unwrap() && is_ready(awaited[1]).unwrap());
    }

    #[test]
    fn a_pipe_that_is_closed_at_the_other_end_is_ready() {
        let (reader, writer) = pipe().unwrap();
        drop(writer);
        assert!(is_ready(Awaited::Read(reader.as_fd())).unwrap());
    }
}
