//! The loop: start what is due, write what can be written, wait, and dispatch what has come.

use super::finish::{Output, Rest, Step};
use super::outcome::Outcome;
use super::run::{Run, Signals, Unstarted, Wakeup, remark};
use super::task::Task;
use crate::model::error::Error;
use crate::policy::held::MANY_HELD;
use crate::relay::pipe_set::ToRead;
use crate::relay::pipes::Relay;
use crate::report::hooks::Hooks;
use crate::report::oom::OomWatch;
use crate::report::records::{self, Records};
use crate::report::remarks::Remark;
use crate::sys::notify::Notify;
use crate::sys::poll::Awaited;
use crate::sys::signals::process::BATCH;
use crate::sys::signals::source::{News, Source};
use std::io;
use std::os::fd::BorrowedFd;
use std::time::Instant;

// `MANY_HELD` says why.
const _: () = assert!(MANY_HELD >= 2 * BATCH);

impl Run<'_, '_> {
    /// Starts what is due, and stays with it until all is over. `settle` is called once, when the first child exists, and
    /// before the first wait: with the descriptors that are still needed, and whether stdout is.
    pub(crate) fn run(
        mut self,
        settle: impl FnOnce(&mut Source, &[BorrowedFd<'_>], bool) -> Result<(), Error>,
    ) -> Result<Outcome, Error> {
        match self.turn_until_over(settle) {
            Ok(()) => Ok(self.outcome()),
            Err(error) => {
                self.abandon();
                Err(error)
            }
        }
    }

    fn turn_until_over(
        &mut self,
        settle: impl FnOnce(&mut Source, &[BorrowedFd<'_>], bool) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut settle = Some(settle);
        let mut wakeup = Wakeup::default();
        // Orders that were given before the run.
        self.take_orders(&mut wakeup);
        loop {
            self.drain(&wakeup);
            let unstarted = self.start_due();
            if settle.is_some() && (self.records.is_some() || self.oom.is_some()) {
                self.let_children_execute();
            }
            self.write();
            if self.tasks.are_over() && self.is_finished() {
                self.tell_last();
                return Ok(());
            }
            if let Some(settle) = settle.take() {
                if let Some(oom) = &mut self.oom {
                    oom.listen();
                }
                let records = self.records.as_ref().map(Records::lock);
                let mut needed = Vec::new();
                if let Some(relay) = &self.relay {
                    needed.extend(relay.fds());
                }
                if let Some(notify) = &self.notify {
                    needed.extend(notify.fds());
                }
                if let Some(records) = &records {
                    needed_by(records, self.hooks.as_deref(), &mut needed);
                }
                if let Some(oom) = &self.oom {
                    needed_to_watch(oom, &mut needed);
                }
                settle(self.source, &needed, self.relay.as_deref().is_some_and(Relay::uses_stdout))?;
            }
            if self.hooks.is_some() && self.run_hooks() {
                continue;
            }
            self.wait(&mut wakeup, unstarted).map_err(|source| Error::Wait { source })?;
            self.dispatch(&mut wakeup)?;
        }
    }

    /// Waits for the next thing to do. If there are more children to start now, only sees what has come.
    fn wait(&mut self, wakeup: &mut Wakeup, unstarted: Unstarted) -> io::Result<()> {
        let deadline = if unstarted.for_now { Some(Instant::now()) } else { self.deadline() };
        // In this order: orders, memory, children, notifications, the relay's pipes, our own streams, sinks.
        let mut others = Vec::new();
        others.extend(self.orders.map(|orders| Awaited::Read(orders.fd())));
        let memory = others.len();
        if let Some(oom) = &self.oom {
            await_memory(oom, &mut others);
        }
        let children = others.len();
        self.tasks.wait_for_ends(&mut others);
        let notifications = others.len();
        if let Some(notify) = &self.notify {
            others.extend(notify.waits_for());
        }
        let pipes = others.len();
        wakeup.pipes.clear();
        if let Some(relay) = &self.relay {
            await_relay(relay, unstarted, &mut wakeup.pipes, &mut others);
        }
        let records = self.records.as_ref().map(Records::lock);
        if let Some(records) = &records {
            await_sinks(records, &mut others);
        }
        let news = self.source.wait(&others, deadline, &mut wakeup.signals, &mut wakeup.ready)?;
        wakeup.children = news != News::None;
        wakeup.named_child = if let News::Of(child) = news { Some(child) } else { None };
        // If signals are all there is to wait for, nothing is known of the others.
        let ready = |at: usize| wakeup.ready.get(at).copied().unwrap_or(false);
        wakeup.orders = self.orders.is_some() && ready(0);
        wakeup.oom = (memory..children).any(ready);
        let any_ended = (children..notifications).any(ready);
        wakeup.notified = (notifications..pipes).any(ready);
        let mut at = pipes;
        wakeup.pipes.retain(|_| {
            at += 1;
            ready(at - 1)
        });
        wakeup.children_of.clear();
        if any_ended {
            match self.tasks.ended() {
                Some(numbers) => wakeup.children_of = numbers,
                None => wakeup.children = true,
            }
        }
        Ok(())
    }

    /// When there is something to do though nothing has come.
    fn deadline(&mut self) -> Option<Instant> {
        let mut soonest = self.tasks.deadline(self.readers_keep_up());
        for other in [
            self.notify.as_deref().and_then(Notify::deadline),
            self.records.as_ref().and_then(Records::deadline),
            self.hooks.as_deref().and_then(Hooks::deadline),
            self.progress.finish.deadline(),
            self.progress.looks.deadline(),
            self.oom.as_ref().and_then(OomWatch::deadline),
            if self.progress.lenders.is_empty() { None } else { self.take_back() },
        ] {
            if other.is_some() && soonest.is_none_or(|soonest| other < Some(soonest)) {
                soonest = other;
            }
        }
        soonest
    }

    fn dispatch(&mut self, wakeup: &mut Wakeup) -> Result<(), Error> {
        self.progress.proc_is_ours.forget();
        self.note_already_received(wakeup);
        self.continue_stopped(wakeup);
        // Where SIGCHLD isn't taken, nothing tells of a child that is stopped. One that is to end now, by a signal or an order,
        // has to be continued.
        wakeup.children |= self.signals == Signals::Shared && !wakeup.signals.is_empty();
        // Each signal is dealt with before the next one: queued ones keep their order by that.
        for received in wakeup.signals.drain(..) {
            self.signal(received);
        }
        if wakeup.orders {
            self.take_orders(wakeup);
        }
        self.pass_notifications(wakeup);
        if let Some(oom) = &mut self.oom
            && wakeup.oom
        {
            oom.note(Instant::now());
        }
        self.reap(wakeup)?;
        self.look_at_memory();
        self.tell_leftovers();
        if let Some(relay) = &mut self.relay {
            relay.read(&wakeup.pipes);
        }
        for number in self.tasks.timed() {
            if self.tasks[number].lifecycle.deadline().is_some() {
                self.time_is_up(number);
            }
        }
        Ok(())
    }

    #[cold]
    fn time_is_up(&mut self, number: usize) {
        let task = &mut self.tasks[number];
        task.lifecycle.time_is_up(Instant::now(), &mut task.actions);
        self.act(number);
    }

    /// Writes what can be written without waiting.
    fn write(&mut self) {
        match self.relay.as_deref_mut().map(Relay::flush) {
            Some(Ok(true)) => self.progress.finish.output_taken(),
            Some(Err(gone)) => {
                log::error!("{gone}: stopping");
                self.progress.reader_gone = true;
                self.stop_tasks();
            }
            Some(Ok(false)) | None => {}
        }
        if let Some(records) = &self.records {
            records.flush();
        }
        if self.hooks.is_some() {
            self.keep_for_hooks();
        }
    }

    /// All tasks are over. Whether all that is left is done, too, or given up.
    fn is_finished(&mut self) -> bool {
        self.relay.is_none() && self.notify.is_none() && self.hooks.is_none() || self.finish()
    }

    #[cold]
    fn finish(&mut self) -> bool {
        loop {
            let rest = self.rest();
            if rest.hooks.is_some() {
                self.progress.asked_before_hooks.get_or_insert(rest.asked);
            }
            match self.progress.finish.next(rest, Instant::now) {
                Step::Wait => {
                    self.listen_to_keys();
                    return false;
                }
                Step::GiveUpHooks { is_late } => self.give_up_hooks(is_late),
                Step::GiveUpManager => {
                    if let Some(notify) = &mut self.notify {
                        notify.give_up();
                    }
                }
                Step::SayGoodbye => {
                    remark(&mut self.relay, None, Remark::Bye);
                    self.write();
                }
                Step::SayWhatWasLost => {
                    if let Some(relay) = &mut self.relay {
                        relay.finish();
                    }
                }
                Step::GiveUpReaders => {
                    log::warn!("the last of the output is lost: nobody takes it");
                    return true;
                }
                Step::End => return true,
            }
        }
    }

    /// The leader of a session leaves the terminal to its child's group. If all of that have ended, a ^C is for this process.
    fn listen_to_keys(&self) {
        for terminal in self.tasks.iter().filter_map(|task| task.spec.group.terminal()) {
            if let Err(error) = terminal.take_if_nobodys() {
                log::debug!("can't take the terminal back: {error}");
            }
        }
    }

    #[cold]
    fn rest(&mut self) -> Rest {
        let notifications = self.notify.as_mut().is_some_and(|notify| {
            // A process that sends without end must not keep this one from ending.
            notify.close();
            !(notify.pass() && notify.is_alone())
        });
        let output = match &self.relay {
            None => Output::Inherited,
            Some(relay) if relay.is_idle() => Output::Written,
            Some(_) => Output::Waiting,
        };
        let progress = &self.progress;
        let hooks = self.hooks.as_deref().and_then(Hooks::patience);
        let (asked, stops, reader_gone) = (progress.asked, progress.stops, progress.reader_gone);
        Rest { asked, stops, reader_gone, hooks, notifications, output }
    }

    fn outcome(self) -> Outcome {
        let result = |task: Task<'_>| task.result.unwrap_or(Err(Error::Cancelled));
        Outcome {
            results: self.tasks.into_all().into_iter().map(result).collect(),
            first_failure: self.progress.first_failure,
            // A stop that finds nothing but hooks changes no status.
            asked: self.progress.asked_before_hooks.unwrap_or(self.progress.asked),
            reader_gone: self.progress.reader_gone,
        }
    }
}

/// Adds what records are written to, and what hooks write to.
#[cold]
fn needed_by<'r>(records: &'r records::Inner, hooks: Option<&'r Hooks>, needed: &mut Vec<BorrowedFd<'r>>) {
    needed.extend(records.fds());
    needed.extend(hooks.into_iter().flat_map(|hooks| hooks.fds()));
}

/// Adds what memory is watched by.
#[cold]
fn needed_to_watch<'o>(oom: &'o OomWatch, needed: &mut Vec<BorrowedFd<'o>>) {
    needed.extend(oom.fds());
}

#[cold]
fn await_memory<'o>(oom: &'o OomWatch, others: &mut Vec<Awaited<'o>>) {
    others.extend(oom.to_wait());
}

/// Adds the sinks that have room for none of what waits.
#[cold]
fn await_sinks<'r>(records: &'r records::Inner, others: &mut Vec<Awaited<'r>>) {
    others.extend(records.to_write().map(Awaited::Write));
}

/// Adds the pipes that are to be read, with their numbers, and our streams that are to be written.
#[cold]
fn await_relay<'r>(relay: &'r Relay<'_>, unstarted: Unstarted, pipes: &mut Vec<ToRead>, others: &mut Vec<Awaited<'r>>) {
    // A start may wait for room in our streams: meanwhile the children that run must not fill it.
    for (pipe, fd) in relay.to_read(unstarted.for_readers) {
        pipes.push(pipe);
        others.push(Awaited::Read(fd));
    }
    others.extend(relay.to_write().map(Awaited::Write));
}
