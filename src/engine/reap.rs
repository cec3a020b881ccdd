//! Children that ended, stopped or were continued; and what follows from the end of a run.

use super::run::{Run, Signals, Wakeup, remark, tell};
use super::task::{Started, foreground};
use crate::model::death::PassedOn;
use crate::model::error::Error;
use crate::model::event::{
    DrainStarted, Event, GivenUp, OrphanReaped, ProcessExited, ProcessFailed, RestartGivenUp, RestartScheduled,
};
use crate::model::pid::Pid;
use crate::model::signal::Signal;
use crate::policy::action::End;
use crate::report::remarks::Remark;
use crate::sys::wait;
use crate::sys::wait::{Ended, Next, Which};
use std::time::{Duration, Instant};

/// With more tasks than this, not each SIGCHLD is followed by a look at all children.
const MANY: usize = 64;

impl Run<'_, '_> {
    /// Reaps until nothing is new of any child: one SIGCHLD may stand for several.
    pub(super) fn reap(&mut self, wakeup: &Wakeup) -> Result<(), Error> {
        if self.progress.looks.deadline().is_some() {
            return self.reap_some_of_many(wakeup);
        }
        if !wakeup.children && wakeup.children_of.is_empty() {
            return Ok(());
        }
        if self.reaps_all {
            return if self.tasks.len() > MANY { self.reap_some_of_many(wakeup) } else { self.reap_all_of(None) };
        }
        let some = wakeup.children_of.iter().copied();
        let all = if wakeup.children { self.tasks.numbers() } else { 0..0 };
        for number in some.filter(|_| !wakeup.children).chain(all) {
            if self.tasks[number].started.is_some() {
                self.reap_all_of(Some(number))?;
            }
        }
        Ok(())
    }

    /// Reaps every child, or the one of this task only.
    pub(super) fn reap_all_of(&mut self, only: Option<usize>) -> Result<(), Error> {
        while let Some(ended) = self.reap_next_of(only)? {
            self.child_was_reaped(ended);
            if only.is_some() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The next child that has ended, of all or of this task, which is reaped; what is to be done for it is the caller's.
    /// `None`: nothing is new of any.
    pub(super) fn reap_next_of(&mut self, only: Option<usize>) -> Result<Option<Ended>, Error> {
        loop {
            let next = if self.is_plain() { wait::next(self.which(only)) } else { self.next_looked_at(only) };
            match next.map_err(|source| Error::Wait { source })? {
                Next::Running => {
                    self.progress.has_child = true;
                    return Ok(None);
                }
                Next::NoChild => {
                    self.progress.has_child = false;
                    return self.no_child(only).map(|()| None);
                }
                Next::Ended(ended) => return Ok(Some(ended)),
                Next::Stopped(pid, signal) => self.child_stopped(pid, signal),
                Next::Continued(pid) => self.child_continued(pid),
            }
        }
    }

    /// Reaps this child, if it has ended. Whether it has.
    #[cold]
    pub(super) fn reap_by_number(&mut self, child: Pid) -> Result<bool, Error> {
        let next = if self.is_plain() { wait::next(Which::Child(child)) } else { self.next_of_named(child) };
        match next.map_err(|source| Error::Wait { source })? {
            Next::Ended(ended) => {
                self.child_was_reaped(ended);
                return Ok(true);
            }
            Next::Stopped(pid, signal) => self.child_stopped(pid, signal),
            Next::Continued(pid) => self.child_continued(pid),
            Next::Running | Next::NoChild => {}
        }
        Ok(false)
    }

    /// All children, or that of this task.
    pub(super) fn which(&self, only: Option<usize>) -> Which<'_> {
        let started = only.and_then(|number| self.tasks[number].started.as_ref());
        started.and_then(|started| started.child.pidfd()).map_or(Which::Any, Which::Only)
    }

    /// Whether nobody asks for more than the status of a child.
    fn is_plain(&self) -> bool {
        self.oom.is_none() && self.hooks.is_none()
    }

    /// The task of which this is the child. `None`: it is an orphan.
    fn task_of(&mut self, child: Pid) -> Option<usize> {
        self.tasks.with_child(child)
    }

    pub(super) fn child_was_reaped(&mut self, ended: Ended) {
        let Some(number) = self.task_of(ended.pid) else {
            if self.progress.of_hook.take_if(|pid| *pid == ended.pid).is_some() {
                self.hook_was_reaped(ended);
                return;
            }
            let mut reaped = OrphanReaped::new(ended.pid, ended.status);
            let orphan = self.progress.orphan.take_if(|(pid, _)| *pid == ended.pid);
            reaped.command = orphan.map(|(_, command)| command);
            tell(self.handlers, &Event::OrphanReaped(reaped));
            return;
        };
        let task = &mut self.tasks[number];
        task.tell_of_refused_terminal();
        if let Some(started) = &mut task.started {
            started.child.set_ended();
            started.ended = Some(ended);
        }
        let group = task.spec.group;
        task.lifecycle.ended(ended.status, || foreground(group, Some(ended.pid)), &mut task.actions);
        self.act(number);
    }

    #[cold]
    fn child_stopped(&mut self, pid: Pid, signal: Signal) {
        let Some(number) = self.task_of(pid) else { return };
        let by_terminal = matches!(signal, Signal::TTIN | Signal::TTOU);
        if by_terminal && self.signals == Signals::Shared {
            remark(&mut self.relay, Some(number), Remark::WantsTerminal(signal));
        }
        let task = &mut self.tasks[number];
        let group = task.spec.group;
        task.lifecycle.stopped(signal, || foreground(group, Some(pid)), &mut task.actions);
        self.act(number);
    }

    #[cold]
    fn child_continued(&mut self, pid: Pid) {
        let Some(number) = self.task_of(pid) else { return };
        let task = &mut self.tasks[number];
        task.lifecycle.continued(&mut task.actions);
        self.act(number);
    }

    /// The kernel knows of no such child: none must be taken for alive.
    fn no_child(&mut self, only: Option<usize>) -> Result<(), Error> {
        let mut is_lost = false;
        for number in self.tasks.numbers() {
            if let Some(started) = &mut self.tasks[number].started
                && only.is_none_or(|only| only == number)
            {
                started.child.set_ended();
                is_lost = true;
            }
        }
        if is_lost { Err(Error::StatusLost) } else { Ok(()) }
    }

    /// The child of a task has ended, and was reaped.
    pub(super) fn child_ended(&mut self, number: usize, mut end: End) {
        let Some(Started { child, at, passed, ended: Some(ended), observed, .. }) = self.tasks.take_ended(number)
        else {
            return;
        };
        let took = at.elapsed();
        self.run_ended(number, ended.pid, &end, at);
        let words = if self.records.is_none() { None } else { self.last_words(number) };
        let task = &self.tasks[number];
        // If its leftovers are being ended, they may write something before they end.
        if let Some(relay) = self.relay.as_mut().filter(|_| !task.cleanup.drain.is_on()) {
            relay.ended(number);
        }
        let result = match child.failure() {
            Some(error) => Err(error),
            None => {
                let (name, args) = (task.spec.event_name(), task.spec.args);
                let mut exited = ProcessExited::new(name, args, ended.pid, ended.status);
                exited.success = task.supervision.is_success(ended.status);
                (exited.requested, exited.stop_requested) = (end.requested, end.stop_requested);
                exited.requested_by = end.request;
                exited.killed_by = end.killed_by;
                exited.passed_on = passed
                    .filter(|(received, _)| Some(received.signal) == ended.status.signal())
                    .map(|(received, at)| PassedOn::new(received.origin, at.elapsed()));
                (exited.duration, exited.usage) = (took, ended.usage);
                if let Some(observed) = observed {
                    end.oom = observed.tell(&mut exited, self.oom.as_mut(), self.records.as_ref(), words);
                }
                tell(self.handlers, &Event::Exited(exited));
                Ok(end)
            }
        };
        if task.cleanup.drain.is_on() {
            tell(self.handlers, &Event::DrainStarted(DrainStarted::new(task.spec.event_name(), ended.pid)));
        }
        self.conclude(number, result, took);
    }

    /// A run of a task has ended, or couldn't be started: says so, and whether there is another one.
    pub(super) fn conclude(&mut self, number: usize, result: Result<End, Error>, took: Duration) {
        let task = &mut self.tasks[number];
        let result = task.result.insert(result);
        let status = result.as_ref().ok().map(|end| end.status);
        let again = task.supervision.ended(status, took, Instant::now());
        let given_up = task.supervision.given_up();
        match result {
            Ok(end) => {
                let (status, success) = (end.status, task.supervision.is_success(end.status));
                remark(&mut self.relay, Some(number), Remark::Ended { status, success });
            }
            Err(_) => self.tell_failure(number, again.is_some()),
        }
        match again {
            Some(delay) => self.tell_restart(number, delay),
            None => {
                if let Some(reason) = given_up {
                    self.tell_given_up(number, reason);
                }
                if status.is_none_or(|status| !self.tasks[number].supervision.is_success(status)) {
                    self.progress.first_failure.get_or_insert(number);
                }
                self.tell_if_over(number);
            }
        }
    }

    #[cold]
    fn tell_failure(&mut self, number: usize, again: bool) {
        let task = &self.tasks[number];
        if let Some(Err(error)) = &task.result {
            let failed = ProcessFailed::new(task.spec.event_name(), task.spec.args, error);
            tell(self.handlers, &Event::Failed(failed));
            remark(&mut self.relay, Some(number), Remark::NotStarted { why: error, again });
        }
    }

    #[cold]
    fn tell_restart(&mut self, number: usize, delay: Duration) {
        let task = &self.tasks[number];
        let (name, args) = (task.spec.event_name(), task.spec.args);
        let scheduled = match &task.result {
            Some(Ok(end)) => {
                let mut scheduled = RestartScheduled::new(name, args, end.status, delay);
                scheduled.success = task.supervision.is_success(end.status);
                scheduled
            }
            Some(Err(error)) => RestartScheduled::not_started(name, args, error, delay),
            None => return,
        };
        tell(self.handlers, &Event::RestartScheduled(scheduled));
        remark(&mut self.relay, Some(number), Remark::RestartIn(delay));
    }

    #[cold]
    fn tell_given_up(&mut self, number: usize, reason: GivenUp) {
        let name = self.tasks[number].spec.event_name();
        tell(self.handlers, &Event::RestartGivenUp(RestartGivenUp::new(name, reason)));
    }

    /// A task isn't started any more. While its leftovers are being ended, it isn't over: the end of that says so.
    pub(super) fn tell_if_over(&mut self, number: usize) {
        if !self.tasks[number].cleanup.drain.is_on() {
            remark(&mut self.relay, Some(number), Remark::Over);
        }
    }
}
