//! The loop: waits, asks the lifecycle what to do, and does it.

use crate::command::Command;
use crate::lifecycle::job_control::Foreground;
use crate::lifecycle::{Action, Actions, End, Lifecycle, To};
use crate::sys::poll::Source;
use crate::sys::process;
use crate::sys::signals::{self, Received, own};
use crate::sys::spawn::{self, Child, Setup};
use crate::sys::terminal::{self, ChildGroup, Terminal};
use crate::sys::wait::{self, Ended, Next, Which};
use crate::{
    Error, Event, Handler, Pid, ProcessContinued, ProcessExited, ProcessFailed, ProcessStarted, ProcessStopped,
    SignalFailed, SignalPassed, SignalReceived,
};
use std::ffi::OsString;
use std::io;
use std::time::Instant;

/// One run of one command.
pub(crate) struct Run<'r, 'o> {
    pub(crate) args: &'r [OsString],
    pub(crate) source: &'r mut Source,
    pub(crate) group: &'r ChildGroup,
    pub(crate) handlers: &'r mut [Box<dyn Handler + Send + 'o>],
    /// Whether every child of this process is waited for, or the one only.
    pub(crate) reaps_all: bool,
    /// Without a child yet.
    pub(crate) lifecycle: Lifecycle,
}

impl Run<'_, '_> {
    /// Starts the command and stays with it to its end. `when_started` is called once the child exists.
    pub(crate) fn run(
        mut self,
        command: Command,
        setup: Setup<'_>,
        when_started: impl FnOnce(&mut Source, &ChildGroup) -> Result<(), Error>,
    ) -> Result<End, Error> {
        self.tell(&Event::Started(ProcessStarted { args: self.args }));
        let begin = Instant::now();
        let result = spawn::spawn(command, &setup, self.source).and_then(|mut child| {
            // What is the child's alone: while it is open here too, nobody sees the child close it.
            drop(setup);
            if self.group.terminal().is_some() {
                terminal::set_child_group(child.pid());
            }
            when_started(self.source, self.group)?;
            let (end, ended) = self.watch(&mut child)?;
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
                    Ok(end)
                }
            }
        });
        if let Err(error) = &result {
            self.tell(&Event::Failed(ProcessFailed { args: self.args, error }));
        }
        result
    }

    /// Passes signals on until the child has ended.
    fn watch(&mut self, child: &mut Child) -> Result<(End, Ended), Error> {
        self.lifecycle.started(child.pid());
        let mut turn = Turn { actions: Actions::new(), ended: None, finished: None };
        let mut signals = Vec::new();
        loop {
            let children = self
                .source
                .wait(child.pidfd(), self.lifecycle.deadline(), &mut signals)
                .map_err(|source| Error::Wait { source })?;
            // Each signal is dealt with before the next is looked at: the order of queued ones depends on it.
            for received in signals.drain(..) {
                let foreground = foreground(self.group, child.pid());
                self.lifecycle.signal(received, foreground, &mut turn.actions);
                self.act(&mut turn, child);
            }
            if children {
                self.see_children(&mut turn, child)?;
            }
            if self.lifecycle.deadline().is_some() {
                self.lifecycle.time_is_up(Instant::now(), &mut turn.actions);
                self.act(&mut turn, child);
            }
            if let (Some(end), Some(ended)) = (turn.finished, turn.ended) {
                return Ok((end, ended));
            }
        }
    }

    /// Reaps until no child is left that has ended, or has anything else to tell: their SIGCHLDs coalesce.
    fn see_children(&mut self, turn: &mut Turn, child: &mut Child) -> Result<(), Error> {
        loop {
            let which = if self.reaps_all { Which::Any } else { child.pidfd().map_or(Which::Any, Which::Only) };
            match wait::next(which).map_err(|source| Error::Wait { source })? {
                Next::Ended(ended) => {
                    if ended.pid == child.pid() {
                        child.set_ended();
                        turn.ended = Some(ended);
                    }
                    let foreground = foreground(self.group, child.pid());
                    self.lifecycle.ended(ended.pid, ended.status, foreground, &mut turn.actions);
                    self.act(turn, child);
                    if !self.reaps_all {
                        return Ok(());
                    }
                }
                Next::Stopped(pid, signal) => {
                    let foreground = foreground(self.group, child.pid());
                    self.lifecycle.stopped(pid, signal, foreground, &mut turn.actions);
                    self.act(turn, child);
                }
                Next::Continued(pid) => {
                    self.lifecycle.continued(pid, &mut turn.actions);
                    self.act(turn, child);
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
    fn act(&mut self, turn: &mut Turn, child: &Child) {
        let pid = child.pid();
        while let Some(action) = turn.actions.pop_front() {
            match action {
                Action::SeeFate(signal) => {
                    if process::takes_default(pid, signal) {
                        self.lifecycle.doomed(signal);
                    }
                }
                Action::SeeFateAgain(signal) => {
                    if !process::takes_default(pid, signal) {
                        self.lifecycle.spared();
                    }
                }
                Action::TakeCourse(signal) => try_to("take a signal", own::take_course(signal)),
                Action::Pass(received, to) => {
                    let result = match to {
                        To::Child => signals::pass(child.target(), received),
                        To::Group => signals::pass_to_group(child.target(), received),
                    };
                    self.lifecycle.passed(received, result, Instant::now, &mut turn.actions);
                }
                Action::ReserveQueue => try_to("keep room for signals", self.source.reserve_queue()),
                Action::LeaveRealtime(leave) => {
                    try_to("leave signals in the queue", self.source.leave_realtime(leave));
                }
                Action::HandOver { asked } => {
                    if self.at_terminal(|terminal| terminal.hand_over(pid)).is_err() {
                        self.lifecycle.not_handed_over(asked, &mut turn.actions);
                    }
                }
                // A terminal that has hung up is nobody's any more.
                Action::TakeBack => drop(self.at_terminal(Terminal::take_back)),
                Action::SaveModes => drop(self.at_terminal(Terminal::save_modes)),
                Action::RestoreModes => drop(self.at_terminal(Terminal::restore_modes)),
                Action::Continue => try_to("continue the command", signals::continue_group(child.target())),
                Action::StopSelf { signal, whole_group } => {
                    if let Ok(false) = own::stop(signal, whole_group) {
                        let foreground = foreground(self.group, pid)();
                        self.lifecycle.not_stopped(signal, foreground, &mut turn.actions);
                    }
                }
                Action::StopBeside(signal) => {
                    if self.source.is_stopped_by(signal) {
                        let _ = own::stop(signal, false);
                    }
                }
                Action::SignalOwnGroup(signal) => {
                    try_to("signal the process group", own::send_to_others_of_group(signal));
                }
                Action::TellReceived(Received { signal, origin }) => {
                    self.tell(&Event::Received(SignalReceived { signal, origin, child: pid }));
                }
                Action::TellPassed(Received { signal, origin }) => {
                    self.tell(&Event::Passed(SignalPassed { signal, origin, child: pid }));
                }
                Action::TellNotPassed(Received { signal, origin }, error) => {
                    self.tell(&Event::NotPassed(SignalFailed { signal, origin, child: pid, error: &error }));
                }
                Action::TellStopped(signal) => self.tell(&Event::Stopped(ProcessStopped { pid, signal })),
                Action::TellContinued => self.tell(&Event::Continued(ProcessContinued { pid })),
                Action::Finish(end) => turn.finished = Some(end),
            }
        }
    }

    fn at_terminal(&self, act: impl FnOnce(&Terminal) -> io::Result<()>) -> io::Result<()> {
        self.group.terminal().map_or(Ok(()), act)
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
    finished: Option<End>,
}

/// Which process group has the terminal, to be asked where it matters.
fn foreground(group: &ChildGroup, child: Pid) -> impl FnOnce() -> Foreground {
    move || group.terminal().map_or(Foreground::Other, |terminal| terminal.foreground(Some(child)))
}

/// Does what the run can go on without; that is no reason to give the child up.
fn try_to(what: &str, result: io::Result<()>) {
    if let Err(error) = result {
        log::warn!("can't {what}: {error}");
    }
}
