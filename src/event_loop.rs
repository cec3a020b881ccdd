//! The loop: waits, asks the lifecycle what to do, and does it.

use crate::command::Command;
use crate::lifecycle::{Action, Actions, Lifecycle};
use crate::sys::poll::Source;
use crate::sys::process;
use crate::sys::signals::{self, Received};
use crate::sys::spawn::{self, Child, Setup};
use crate::sys::wait::{self, Ended, Next, Which};
use crate::{
    Error, Event, Handler, ProcessExited, ProcessFailed, ProcessStarted, SignalFailed, SignalPassed, SignalReceived,
    StatusCode,
};
use std::ffi::OsString;
use std::io;
use std::time::Instant;

/// One run of one command.
pub(crate) struct Run<'r, 'o> {
    pub(crate) args: &'r [OsString],
    pub(crate) source: &'r mut Source,
    pub(crate) handlers: &'r mut [Box<dyn Handler + Send + 'o>],
    /// Whether every child of this process is waited for, or the one only.
    pub(crate) reaps_all: bool,
}

impl Run<'_, '_> {
    /// Starts the command and stays with it to its end. `when_started` is called once the child exists.
    pub(crate) fn run(
        mut self,
        command: Command,
        setup: Setup,
        when_started: impl FnOnce(&mut Source) -> Result<(), Error>,
    ) -> Result<StatusCode, Error> {
        self.tell(&Event::Started(ProcessStarted { args: self.args }));
        let begin = Instant::now();
        let result = spawn::spawn(command, &setup, self.source).and_then(|mut child| {
            // What is the child's alone: while it is open here too, nobody sees the child close it.
            drop(setup);
            when_started(self.source)?;
            let (code, ended) = self.watch(&mut child)?;
            match child.failure() {
                Some(error) => Err(error),
                None => {
                    self.tell(&Event::Exited(ProcessExited {
                        args: self.args,
                        pid: ended.pid,
                        status: ended.status,
                        duration: begin.elapsed(),
                        usage: ended.usage,
                    }));
                    Ok(code)
                }
            }
        });
        if let Err(error) = &result {
            self.tell(&Event::Failed(ProcessFailed { args: self.args, error }));
        }
        result
    }

    /// Passes signals on until the child has ended.
    fn watch(&mut self, child: &mut Child) -> Result<(StatusCode, Ended), Error> {
        let mut lifecycle = Lifecycle::new(process::id());
        lifecycle.started(child.pid());
        let mut turn = Turn { actions: Actions::new(), ended: None, finished: None };
        let mut signals = Vec::new();
        loop {
            let children = self
                .source
                .wait(child.pidfd(), lifecycle.deadline(), &mut signals)
                .map_err(|source| Error::Wait { source })?;
            // Each signal is dealt with before the next is looked at: the order of queued ones depends on it.
            for received in signals.drain(..) {
                lifecycle.signal(received, &mut turn.actions);
                self.act(&mut turn, &mut lifecycle, child);
            }
            if children {
                self.reap(&mut turn, &mut lifecycle, child)?;
            }
            if lifecycle.deadline().is_some() {
                lifecycle.time_is_up(Instant::now(), &mut turn.actions);
                self.act(&mut turn, &mut lifecycle, child);
            }
            if let (Some(code), Some(ended)) = (turn.finished, turn.ended) {
                return Ok((code, ended));
            }
        }
    }

    /// Reaps until no child is left that has ended: their SIGCHLDs coalesce.
    fn reap(&mut self, turn: &mut Turn, lifecycle: &mut Lifecycle, child: &mut Child) -> Result<(), Error> {
        loop {
            let which = if self.reaps_all { Which::Any } else { child.pidfd().map_or(Which::Any, Which::Only) };
            match wait::next(which).map_err(|source| Error::Wait { source })? {
                Next::Ended(ended) => {
                    if ended.pid == child.pid() {
                        child.set_ended();
                        turn.ended = Some(ended);
                    }
                    lifecycle.ended(ended.pid, ended.status, &mut turn.actions);
                    self.act(turn, lifecycle, child);
                    if !self.reaps_all {
                        return Ok(());
                    }
                }
                Next::Running => return Ok(()),
                Next::NoChild if turn.ended.is_some() => return Ok(()),
                Next::NoChild => {
                    child.set_ended();
                    return Err(Error::StatusLost);
                }
            }
        }
    }

    /// Does what the lifecycle wants.
    fn act(&mut self, turn: &mut Turn, lifecycle: &mut Lifecycle, child: &Child) {
        // Without it, signals wait for room a little longer; that is no reason to give the child up.
        let try_to = |what: &str, result: io::Result<()>| {
            if let Err(error) = result {
                log::warn!("can't {what}: {error}");
            }
        };
        while let Some(action) = turn.actions.pop_front() {
            match action {
                Action::Pass(received) => {
                    let result = signals::pass(child.target(), received);
                    lifecycle.passed(received, result, Instant::now, &mut turn.actions);
                }
                Action::ReserveQueue => try_to("keep room for signals", self.source.reserve_queue()),
                Action::LeaveRealtime(leave) => {
                    try_to("leave signals in the queue", self.source.leave_realtime(leave));
                }
                Action::TellReceived(Received { signal, origin }) => {
                    self.tell(&Event::Received(SignalReceived { signal, origin, child: child.pid() }));
                }
                Action::TellPassed(Received { signal, origin }) => {
                    self.tell(&Event::Passed(SignalPassed { signal, origin, child: child.pid() }));
                }
                Action::TellNotPassed(Received { signal, origin }, error) => {
                    self.tell(&Event::NotPassed(SignalFailed { signal, origin, child: child.pid(), error: &error }));
                }
                Action::Finish(code) => turn.finished = Some(code),
            }
        }
    }

    fn tell(&mut self, event: &Event<'_>) {
        for handler in self.handlers.iter_mut() {
            handler.event(event);
        }
    }
}

/// What is still to be done, and what is known of the end.
struct Turn {
    actions: Actions,
    ended: Option<Ended>,
    finished: Option<StatusCode>,
}
