//! A child is looked at between its end and its being reaped: until then, /proc tells of it.

use super::run::Run;
use super::task::Task;
use crate::model::event::summary::Bytes;
use crate::model::pid::Pid;
use crate::report::last_words::LastWords;
use crate::report::oom::OomWatch;
use crate::sys::wait;
use crate::sys::wait::{Ended, Next, Which};
use std::io;
use std::time::{Duration, Instant};

/// As long as the execution of a command takes on a busy machine.
const LONGEST_EXEC: Duration = Duration::from_millis(5);

/// How long a signal that comes meanwhile waits at most.
const LOOK_FOR_SIGNALS: Duration = Duration::from_micros(200);

impl Run<'_, '_> {
    /// The first children were started. They execute before what is told of them is opened and read: on the same processors,
    /// that would delay them. A signal ends the wait.
    #[cold]
    pub(super) fn let_children_execute(&self) {
        let until = Instant::now() + LONGEST_EXEC;
        for started in self.tasks.iter().filter_map(|task| task.started.as_ref()) {
            while !started.child.wait_for_exec(until.min(Instant::now() + LOOK_FOR_SIGNALS)) {
                if Instant::now() >= until || self.source.has_signals() {
                    return;
                }
            }
        }
        // With one processor, this process is woken in the middle of the execution.
        std::thread::yield_now();
    }

    /// The last words of the child of this task, which has ended, if they passed the relay.
    #[cold]
    pub(super) fn last_words(&mut self, number: usize) -> Option<[LastWords; 2]> {
        self.relay.as_mut()?.take_words(number)
    }

    /// What is new of this child, which isn't reaped before it was looked at.
    #[cold]
    pub(super) fn next_of_named(&mut self, child: Pid) -> io::Result<Next> {
        match wait::ended(Which::Child(child))? {
            Some(ended) => self.look_at_ended(ended),
            None => return wait::next_alive(Which::Child(child)),
        }
        wait::next(Which::Child(child))
    }

    /// The next one; of those that have ended, none is reaped that wasn't looked at.
    #[cold]
    pub(super) fn next_looked_at(&mut self, only: Option<usize>) -> io::Result<Next> {
        loop {
            if let Some(ended) = wait::ended(self.which(only))? {
                self.look_at_ended(ended);
                return wait::next(Which::Child(ended.pid));
            }
            match wait::next_alive(self.which(only))? {
                // One has ended meanwhile.
                Next::NoChild if wait::is_any(self.which(only)) => {}
                next => return Ok(next),
            }
        }
    }

    /// Looks at a child that has ended and isn't reaped.
    #[cold]
    fn look_at_ended(&mut self, ended: Ended) {
        let Some(number) = self.tasks.with_child(ended.pid) else {
            if self.is_of_hook(ended.pid) {
                self.progress.of_hook = Some(ended.pid);
                return;
            }
            let command = self.records.as_ref().and_then(|records| records.command_of(ended.pid));
            self.progress.orphan = command.map(|command| (ended.pid, command));
            return;
        };
        let is_only = self.tasks.len() == 1;
        let Task { spec, started: Some(started), .. } = &mut self.tasks[number] else { return };
        let Some(observed) = &mut started.observed else { return };
        if let Some(oom) = &mut self.oom {
            observed.at_end = Some(oom.at_end(ended.pid, observed.at_start, is_only));
        }
        if let Some(records) = &self.records {
            observed.processor_limit = records.processor_limit_of(ended.pid, ended.status);
            observed.core = records.core_of(ended.pid, ended.status, spec.command.dir.as_deref(), started.at.elapsed());
        }
    }

    /// Tells of what was killed because memory ran out while the commands run on. What the end of the only command finds first is
    /// told with that.
    pub(super) fn look_at_memory(&mut self) {
        if let Some(oom) = &mut self.oom {
            look_when_due(oom);
        }
    }
}

#[cold]
fn look_when_due(oom: &mut OomWatch) {
    if oom.deadline().is_some_and(|at| at <= Instant::now()) && oom.look() > 0 {
        let limit = oom.limit().map(|limit| format!(" (limit {})", Bytes(limit))).unwrap_or_default();
        log::warn!("memory ran out: the kernel has killed another process of this cgroup{limit}");
    }
}
