//! Which children have ended, where pidfds say so: in a program that isn't a wrapper only. With many of them, the kernel
//! keeps track.

use super::task::Task;
use crate::sys::poll::Awaited;
use crate::sys::ready::Readable;
use std::os::fd::{AsFd, BorrowedFd};

/// Who tells of the ends of children.
#[derive(Debug, Default)]
pub(super) enum Ends {
    /// No pidfd: signals tell of them, or no child was started.
    #[default]
    Untold,
    /// Each pidfd is waited for.
    OneByOne,
    /// The kernel keeps track of the pidfds.
    Tracked(Readable),
}

impl Ends {
    /// A child of this task was started, one of many or of a few.
    pub(super) fn child_started(&mut self, number: usize, task: &Task<'_>, of_many: bool) {
        if let Some(pidfd) = pidfd(task) {
            self.add(number, pidfd, of_many);
        }
    }

    fn add(&mut self, number: usize, pidfd: BorrowedFd<'_>, of_many: bool) {
        if let Ends::Untold = self {
            let tracked = of_many.then(Readable::new).and_then(Result::ok);
            *self = tracked.map_or(Ends::OneByOne, Ends::Tracked);
        }
        if let Ends::Tracked(readable) = self
            && readable.add(pidfd, number).is_err()
        {
            *self = Ends::OneByOne;
        }
    }

    /// The child of this task has ended, and is about to be forgotten.
    pub(super) fn child_ended(&self, task: &Task<'_>) {
        if let Some(pidfd) = pidfd(task) {
            self.remove(pidfd);
        }
    }

    fn remove(&self, pidfd: BorrowedFd<'_>) {
        if let Ends::Tracked(readable) = self {
            readable.remove(pidfd);
        }
    }

    /// Adds what is to be waited for.
    pub(super) fn wait_for<'f>(&'f self, tasks: &'f [Task<'_>], awaited: &mut Vec<Awaited<'f>>) {
        match self {
            Ends::Untold => {}
            Ends::OneByOne => awaited.extend(tasks.iter().filter_map(pidfd).map(Awaited::Read)),
            Ends::Tracked(readable) => awaited.push(Awaited::Read(readable.as_fd())),
        }
    }

    /// Some of that is ready: the tasks whose children have ended. `None`: it may be any.
    pub(super) fn ended(&mut self) -> Option<Vec<usize>> {
        let Ends::Tracked(readable) = self else { return None };
        let mut ended = Vec::new();
        if readable.ready(&mut ended).is_err() {
            // It would stay ready, and nobody would know why.
            *self = Ends::OneByOne;
            return None;
        }
        ended.sort_unstable();
        Some(ended)
    }
}

fn pidfd<'t>(task: &'t Task<'_>) -> Option<BorrowedFd<'t>> {
    task.started.as_ref()?.child.pidfd()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Write, pipe};

    /// Pipes stand for pidfds: one is readable for good when something was written. To close its other end isn't enough: what
    /// another test starts may have a copy of it for a moment.
    #[test]
    fn a_child_that_is_forgotten_is_not_told_of_again_though_another_one_has_its_pidfd() {
        let mut ends = Ends::default();
        let (first, mut of_first) = pipe().unwrap();
        let (second, mut of_second) = pipe().unwrap();
        ends.add(7, first.as_fd(), true);
        ends.add(3, second.as_fd(), true);
        assert_eq!(ends.ended(), Some(vec![]));
        of_first.write_all(b"x").unwrap();
        of_second.write_all(b"x").unwrap();
        assert_eq!(ends.ended(), Some(vec![3, 7]));
        // A child that hasn't executed yet has what this process has.
        let _copy = first.try_clone().unwrap();
        ends.remove(first.as_fd());
        drop(first);
        assert_eq!(ends.ended(), Some(vec![3]));
    }

    #[test]
    fn of_few_each_pidfd_is_waited_for() {
        let mut ends = Ends::default();
        let (reader, _writer) = pipe().unwrap();
        ends.add(0, reader.as_fd(), false);
        assert!(matches!(ends, Ends::OneByOne));
        assert_eq!(ends.ended(), None, "it may be any");
    }
}
