//! The one place where this process waits.

use super::signals::process::{self as process_signals, ProcessSignals};
use super::signals::shared::{self, SharedSignals};
use super::signals::{Disposition, Received, disposition};
use crate::{Signal, SignalSet};
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
    /// Waits for signals, the child's end or the deadline. Whether children may have ended is the answer; the signals
    /// are in `into`.
    pub(crate) fn wait(
        &mut self,
        child: Option<BorrowedFd<'_>>,
        deadline: Option<Instant>,
        into: &mut Vec<Received>,
    ) -> io::Result<bool> {
        let full = match self {
            Source::Process(signals) => {
                // With nothing else to wait for, the read itself waits: one system call for each wake-up.
                if deadline.is_none() || signals.fd().is_some_and(|fd| is_ready(&[fd], deadline).unwrap_or(true)) {
                    signals.read(into)?;
                }
                // Lower numbers come first: with a full batch, a SIGCHLD may have stayed behind.
                into.len() >= process_signals::BATCH
            }
            Source::Shared(signals) => {
                let fds = [Some(signals.fd()), child];
                is_ready(&fds.into_iter().flatten().collect::<Vec<_>>(), deadline)?;
                signals.read(into)?;
                // The child's descriptor says so, or nothing does; asking costs one call.
                true
            }
        };
        let before = into.len();
        into.retain(|received| received.signal != Signal::CHLD);
        Ok(full || into.len() < before)
    }

    /// Leaves real-time signals in the kernel's queue, or reads them again; where they come by handlers, nothing can.
    pub(crate) fn leave_realtime(&mut self, leave: bool) -> io::Result<()> {
        match self {
            Source::Process(signals) => signals.leave_realtime(leave),
            Source::Shared(_) => Ok(()),
        }
    }

    /// Keeps room for the child in the queue of pending signals; a limit of somebody else's program stays as it is.
    pub(crate) fn reserve_queue(&mut self) -> io::Result<()> {
        match self {
            Source::Process(_) => process_signals::reserve_queue(),
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
                let ignored = shared::ignored_by_program();
                clone(ignored.signals)
            }
        }
    }
}

/// Waits until one of them can be read, or the deadline has come, and says which.
pub(crate) fn is_ready(fds: &[BorrowedFd<'_>], deadline: Option<Instant>) -> io::Result<bool> {
    let mut fds: Vec<PollFd<'_>> = fds.iter().map(|fd| PollFd::new(*fd, PollFlags::POLLIN)).collect();
    loop {
        let timeout = deadline.map(|deadline| TimeSpec::from(deadline.saturating_duration_since(Instant::now())));
        match nix::poll::ppoll(&mut fds, timeout, None) {
            Ok(ready) => return Ok(ready > 0),
            // A handler ran: what it had to say is in the pipe, which the next turn finds.
            Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}
