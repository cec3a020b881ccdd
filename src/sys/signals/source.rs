//! Where signals come from, and the wait for them and everything else.

use super::disposition::{Disposition, disposition};
use super::mask::pending;
use super::process::{BATCH, ProcessSignals};
use super::shared::ignored::ignored_by_program;
use super::shared::listen::SharedSignals;
use crate::model::origin::Received;
use crate::model::pid::Pid;
use crate::model::signal::{Signal, SignalSet};
use crate::sys::limit::Changed;
use crate::sys::poll;
use crate::sys::poll::Awaited;
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

/// Of which children there may be news.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum News {
    #[default]
    None,
    /// Of the one that a SIGCHLD names; but it may stand for others, too.
    Of(Pid),
    OfAny,
}

impl Source {
    /// Waits for signals, for one of the others, or for the deadline. Puts the signals into `into`, and which of the others
    /// are ready into `ready`. Whether children may have ended or stopped, by what the signals say.
    pub(crate) fn wait(
        &self,
        others: &[Awaited<'_>],
        deadline: Option<Instant>,
        into: &mut Vec<Received>,
        ready: &mut Vec<bool>,
    ) -> io::Result<News> {
        ready.clear();
        // With nothing else to wait for, the read itself waits: one system call for each wake-up.
        let read_waits = matches!(self, Source::Process(_)) && others.is_empty() && deadline.is_none();
        let came = match self {
            _ if read_waits => true,
            _ => {
                let own = self.fd().into_iter().map(Awaited::Read);
                poll::wait(own.chain(others.iter().copied()), deadline, ready)?;
                self.fd().is_none() || ready.remove(0)
            }
        };
        let mut named = None;
        if came {
            match self {
                Source::Process(signals) => named = signals.read(into, read_waits)?,
                Source::Shared(signals) => signals.read(into)?,
            }
        }
        // Lower numbers come first: with a full batch, a SIGCHLD may have stayed behind.
        let full = matches!(self, Source::Process(_)) && into.len() >= BATCH;
        let before = into.len();
        into.retain(|received| received.signal != Signal::CHLD);
        Ok(match named {
            Some(child) if !full => News::Of(child),
            _ if full || into.len() < before => News::OfAny,
            _ => News::None,
        })
    }

    /// Whether signals have come, SIGCHLD aside where it can be told, that [`wait`](Source::wait) would return at once.
    #[cold]
    pub(crate) fn has_signals(&self) -> bool {
        match self {
            Source::Process(_) => pending().without(Signal::CHLD) != SignalSet::EMPTY,
            Source::Shared(signals) => {
                let mut ready = Vec::new();
                let now = Some(Instant::now());
                poll::wait([Awaited::Read(signals.fd())].into_iter(), now, &mut ready).is_ok() && ready.contains(&true)
            }
        }
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
            // The handler stops the program itself.
            Source::Shared(_) => false,
        }
    }

    /// Whether this program was started to ignore this signal; in one that belongs to others, whether that ignores it.
    pub(crate) fn is_ignored(&self, signal: Signal) -> bool {
        let by_program = || matches!(self, Source::Shared(_)) && ignored_by_program().signals.contains(signal);
        disposition(signal) == Disposition::Ignored || by_program()
    }

    /// The mask the child is to have; `None`: that of the thread.
    pub(crate) fn inherited_mask(&self) -> Option<SignalSet> {
        match self {
            Source::Process(signals) => Some(signals.inherited_mask()),
            Source::Shared(_) => None,
        }
    }
}

/// Clones with what the child is to ignore though this process doesn't. `None`: a process that belongs to others, too.
pub(in crate::sys) fn with_ignored<T>(source: Option<&Source>, clone: impl FnOnce(SignalSet) -> T) -> T {
    match source {
        Some(Source::Process(signals)) => clone(signals.ignored()),
        Some(Source::Shared(_)) | None => {
            let ignored = ignored_by_program();
            clone(ignored.signals)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_that_wait_are_seen_and_an_end_of_a_child_is_none() {
        // A thread of its own: its mask stays changed.
        let seen = std::thread::spawn(|| {
            let source = Source::Process(ProcessSignals::take());
            [libc::SIGCHLD, libc::SIGUSR1].map(|signal| {
                // SAFETY: sends this thread a signal that it blocks.
                unsafe { libc::raise(signal) };
                source.has_signals()
            })
        });
        assert_eq!(seen.join().unwrap(), [false, true]);
    }
}
