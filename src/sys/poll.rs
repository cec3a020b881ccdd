//! The one place where this process waits.

use crate::model::origin::Received;
use crate::model::signal::{Signal, SignalSet};
use crate::sys::limit::Changed;
use crate::sys::signals::claims;
use crate::sys::signals::process as process_signals;
use crate::sys::signals::process::ProcessSignals;
use crate::sys::signals::shared::SharedSignals;
use crate::sys::signals::{Disposition, disposition};
use nix::poll::{PollFd, PollFlags};
use nix::sys::time::TimeSpec;
use std::io;
use std::os::fd::BorrowedFd;
use std::time::Instant;

/// Where signals come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// The process is a wrapper and nothing else.
    Process(ProcessSignals),
    /// It belongs to others too.
    Shared(SharedSignals),
}

impl Source {
    /// Waits for signals, for one of the others, or for the deadline. Whether children may have ended or stopped, by what
    /// the signals say, is the answer; the signals are in `into`, and which of the others are ready in `ready`.
    pub(crate) fn wait(
        &self,
        others: &[Other<'_>],
        deadline: Option<Instant>,
        into: &mut Vec<Received>,
        ready: &mut Vec<bool>,
    ) -> io::Result<bool> {
        ready.clear();
        let came = match self {
            // With nothing else to wait for, the read itself waits: one system call for each wake-up.
            Source::Process(_) if others.is_empty() && deadline.is_none() => true,
            _ => {
                let own = self.fd().into_iter().map(Other::Read);
                let mut fds: Vec<_> = own.chain(others.iter().copied()).map(Other::poll_fd).collect();
                poll(&mut fds, deadline)?;
                let answers = fds.iter().map(|fd| fd.any().unwrap_or(true));
                ready.extend(answers);
                self.fd().is_none() || ready.remove(0)
            }
        };
        if came {
            match self {
                Source::Process(signals) => signals.read(into)?,
                Source::Shared(signals) => signals.read(into)?,
            }
        }
        // Lower numbers come first: with a full batch, a SIGCHLD may have stayed behind.
        let full = matches!(self, Source::Process(_)) && into.len() >= process_signals::BATCH;
        let before = into.len();
        into.retain(|received| received.signal != Signal::CHLD);
        Ok(full || into.len() < before)
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Source::Process(signals) => signals.fd(),
            Source::Shared(signals) => Some(signals.fd()),
        }
    }

    /// Leaves real-time signals in the kernel's queue, or reads them again; where they come by handlers, nothing can.
    pub(crate) fn leave_realtime(&mut self, leave: bool) -> io::Result<()> {
        match self {
            Source::Process(signals) => signals.leave_realtime(leave),
            Source::Shared(_) => Ok(()),
        }
    }

    /// Keeps room for the child in the queue of pending signals; a limit of somebody else's program stays as it is.
    pub(crate) fn reserve_queue(&self, limits: &mut Changed) -> io::Result<()> {
        match self {
            Source::Process(_) => limits.reserve_signals(),
            Source::Shared(_) => Ok(()),
        }
    }

    /// Whether this process would have been stopped by this signal if it didn't listen to it, and isn't yet.
    pub(crate) fn is_stopped_by(&self, signal: Signal) -> bool {
        match self {
            Source::Process(_) => disposition(signal) == Disposition::Default,
            // The handler has seen to it.
            Source::Shared(_) => false,
        }
    }

    /// Whether this program was started to ignore this signal; in one that belongs to others, whether that ignores it.
    pub(crate) fn is_ignored(&self, signal: Signal) -> bool {
        let by_program = || matches!(self, Source::Shared(_)) && claims::ignored_by_program().signals.contains(signal);
        disposition(signal) == Disposition::Ignored || by_program()
    }

    /// The mask the child is to have; none: that of the thread.
    pub(crate) fn inherited_mask(&self) -> Option<SignalSet> {
        match self {
            Source::Process(signals) => Some(signals.inherited_mask()),
            Source::Shared(_) => None,
        }
    }

    /// Clones with what the child is to ignore though this process doesn't.
    pub(super) fn with_ignored<T>(&self, clone: impl FnOnce(SignalSet) -> T) -> T {
        match self {
            Source::Process(signals) => clone(signals.ignored()),
            Source::Shared(_) => {
                let ignored = claims::ignored_by_program();
                clone(ignored.signals)
            }
        }
    }
}

/// What is waited for beside signals.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Other<'f> {
    /// Until it can be read, or is closed at its other end.
    Read(BorrowedFd<'f>),
    /// Until it can be written.
    Write(BorrowedFd<'f>),
}

impl<'f> Other<'f> {
    fn poll_fd(self) -> PollFd<'f> {
        match self {
            Other::Read(fd) => PollFd::new(fd, PollFlags::POLLIN),
            Other::Write(fd) => PollFd::new(fd, PollFlags::POLLOUT),
        }
    }
}

/// Waits until one of them can be read, or the deadline has come, and says which.
pub(crate) fn is_ready(fds: &[BorrowedFd<'_>], deadline: Option<Instant>) -> io::Result<bool> {
    poll(&mut fds.iter().map(|fd| Other::Read(*fd).poll_fd()).collect::<Vec<_>>(), deadline)
}

fn poll(fds: &mut [PollFd<'_>], deadline: Option<Instant>) -> io::Result<bool> {
    loop {
        let timeout = deadline.map(|deadline| TimeSpec::from(deadline.saturating_duration_since(Instant::now())));
        match nix::poll::ppoll(fds, timeout, None) {
            Ok(ready) => return Ok(ready > 0),
            // A handler ran: what it had to say is in the pipe, which the next turn finds.
            Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}
