//! Does what a lifecycle wants.

use super::outcome::Asked;
use super::run::{Run, Signals, remark, tell, try_to};
use super::task::{Spec, Started, Task, foreground};
use crate::model::duration::Exact;
use crate::model::event::{
    Event, ProcessContinued, ProcessStopped, SignalDelayed, SignalDropped, SignalFailed, SignalPassed, SignalReceived,
};
use crate::model::handler::Handler;
use crate::model::origin::Received;
use crate::model::pid::Pid;
use crate::model::signal::Signal;
use crate::policy::action::{Action, Actions, ChildAction, LoopAction, Tell, To};
use crate::policy::child::Lifecycle;
use crate::policy::stop::Asks;
use crate::report::remarks::Remark;
use crate::sys::default_action;
use crate::sys::default_action::Effect;
use crate::sys::proc_fs::Ours;
use crate::sys::signals;
use crate::sys::signals::{Target, own};
use crate::sys::terminal::{ChildGroup, Terminal};
use std::io;
use std::time::{Duration, Instant};

impl Run<'_, '_> {
    /// Does what the lifecycle of a task wants.
    pub(super) fn act(&mut self, number: usize) {
        while let Some(action) = self.tasks[number].actions.take_next() {
            match action {
                Action::Loop(action) => self.act_on_run(number, action),
                Action::Child(action) => self.act_on_child(number, action),
            }
        }
    }

    /// What is done with this process, or the run as a whole.
    fn act_on_run(&mut self, number: usize, action: LoopAction) {
        match action {
            LoopAction::StopAsked { asks, unless_ignored, after } => {
                // A signal that is ignored, as after nohup(1), asks for nothing.
                if !unless_ignored.is_some_and(|signal| self.source.is_ignored(signal)) {
                    self.stop_asked(number, asks, after);
                }
            }
            LoopAction::TakeEffect(signal) => try_to("take a signal", own::take_course(signal)),
            LoopAction::StopWithChild(signal) => {
                if self.source.is_stopped_by(signal) {
                    let _ = own::stop(signal, false);
                    self.tasks[number].lifecycle.resumed();
                }
            }
            LoopAction::ReserveQueue => {
                try_to("keep room for signals", self.source.reserve_queue(&mut self.limits));
            }
            LoopAction::LeaveRealtime => {
                let leave = self.tasks.iter().any(|task| task.lifecycle.leaves_realtime());
                try_to("leave signals in the queue", self.source.leave_realtime(leave));
            }
            LoopAction::SignalOwnGroup(signal) => {
                try_to("signal the process group", own::send_to_others_of_group(signal));
            }
            LoopAction::Ended(end) => self.child_ended(number, end),
        }
    }

    /// A stop came for the child of this task, which hears of it after this time.
    fn stop_asked(&mut self, number: usize, asks: Asks, after: Duration) {
        let now = Instant::now();
        let task = &mut self.tasks[number];
        task.cleanup.drain.stopped();
        match (self.signals, self.progress.asked) {
            // One of several has ended by a QUIT: the others go on.
            (Signals::Shared, _) => {}
            (Signals::Forwarded, Asked::Nothing) => self.progress.asked = Asked::Stop,
            // A second stop. The same stop once more is none.
            (Signals::Forwarded, Asked::Stop | Asked::Kill) if asks == Asks::Stop => task.cleanup.drain.hurry(now),
            (Signals::Forwarded, Asked::Stop | Asked::Kill) => {}
        }
        task.lifecycle.stop_asked(after, now);
        if task.supervision.stop() {
            self.tell_if_over(number);
        }
    }

    /// What is done with the child of this task, if one runs.
    fn act_on_child(&mut self, number: usize, action: ChildAction) {
        let Task { spec, lifecycle, actions, started: Some(Started { child, passed, .. }), .. } =
            &mut self.tasks[number]
        else {
            return;
        };
        let (pid, target, group) = (child.pid(), child.target(), spec.group);
        let proc_is_ours = &mut self.progress.proc_is_ours;
        match action {
            ChildAction::Tell(told) => {
                // systemd sends CONT behind each signal, of which nobody dies.
                if let Tell::Passed(received, _) = told
                    && received.signal != Signal::CONT
                {
                    *passed = Some((received, Instant::now()));
                }
                tell_of_child(self.handlers, spec, pid, told);
            }
            ChildAction::Pass(received, to) => {
                pass(target, received, to, proc_is_ours, lifecycle, actions);
            }
            ChildAction::HasLooked => has_looked(lifecycle),
            ChildAction::Delay(delayed, delay) => {
                tell_delay(self.handlers, spec, pid, delayed.came, delay);
                lifecycle.delayed(delayed, Instant::now().checked_add(delay));
            }
            ChildAction::CheckDefaultAction(signal) => {
                if default_action::applies_to(pid, signal, proc_is_ours) {
                    lifecycle.will_die_of(signal);
                }
            }
            ChildAction::CheckDefaultActionAgain(signal) => {
                if !default_action::applies_to(pid, signal, proc_is_ours) {
                    lifecycle.not_fatal();
                }
            }
            ChildAction::HandOver { asked } => {
                if at_terminal(group, |terminal| terminal.hand_over(pid)).is_err() {
                    lifecycle.not_handed_over(asked, actions);
                }
            }
            // These fail if the terminal has hung up: then nobody needs it any more.
            ChildAction::TakeBack => drop(at_terminal(group, Terminal::take_back)),
            ChildAction::SaveModes => drop(at_terminal(group, Terminal::save_modes)),
            ChildAction::RestoreModes => drop(at_terminal(group, Terminal::restore_modes)),
            ChildAction::Continue => {
                try_to("continue the command", signals::send_to_group(target, Signal::CONT));
            }
            ChildAction::StopSelf { signal, whole_group } => match own::stop(signal, whole_group) {
                Ok(true) => lifecycle.resumed(),
                Ok(false) => lifecycle.not_stopped(signal, foreground(group, Some(pid)), actions),
                Err(_) => {}
            },
            ChildAction::SignalGroup(signal) => {
                remark(&mut self.relay, Some(number), Remark::Sending(signal));
                let send = if group.is_own() { signals::send_to_group } else { signals::send };
                try_to("signal a process", send(target, signal));
            }
        }
    }
}

/// Passes a signal on to the child; or drops it, if the child would die of it and that is configured.
fn pass(
    target: Target<'_>,
    received: Received,
    to: To,
    proc_is_ours: &mut Ours,
    lifecycle: &mut Lifecycle,
    actions: &mut Actions,
) {
    if lifecycle.drops_uncaught(received.signal)
        && !is_asked_for(target.pid, received, to, proc_is_ours, lifecycle, actions)
    {
        lifecycle.not_passed(received, actions);
        return;
    }
    let result = match to {
        To::Child => signals::pass(target, received),
        To::Group => signals::pass_to_group(target, received),
    };
    lifecycle.passed(received, to, result, Instant::now, actions);
}

/// Whether the child wouldn't die of it unasked. If it would, this is told. Where it can't be known yet, the signal waits.
#[cold]
fn is_asked_for(
    child: Pid,
    received: Received,
    to: To,
    proc_is_ours: &mut Ours,
    lifecycle: &mut Lifecycle,
    actions: &mut Actions,
) -> bool {
    let undecided = lifecycle.undecided.get_or_insert_default();
    if undecided.waits_behind(received, to, actions) {
        return false;
    }
    let was_awaited = undecided.was_awaited(received.signal);
    match default_action::effect(child, received.signal, was_awaited, proc_is_ours) {
        Effect::Other => true,
        Effect::Awaited => !undecided.is_awaited(received, to, Instant::now()),
        Effect::Unclear { is_still } => !undecided.all_is_blocked(received, to, is_still, Instant::now()),
        Effect::Ends => {
            actions.push(ChildAction::Tell(Tell::Dropped(received)));
            false
        }
    }
}

#[cold]
fn has_looked(lifecycle: &mut Lifecycle) {
    if let Some(undecided) = &mut lifecycle.undecided {
        undecided.has_looked(Instant::now());
    }
}

#[cold]
fn tell_delay(
    handlers: &mut [Box<dyn Handler + Send + '_>],
    spec: &Spec<'_>,
    child: Pid,
    came: Received,
    delay: Duration,
) {
    let delayed = SignalDelayed::new(spec.event_name(), came.signal, came.origin, child, delay);
    tell(handlers, &Event::Delayed(delayed));
}

/// Does something to the terminal, if there is one.
fn at_terminal(group: &ChildGroup, act: impl FnOnce(&Terminal) -> io::Result<()>) -> io::Result<()> {
    group.terminal().map_or(Ok(()), act)
}

fn tell_of_child(handlers: &mut [Box<dyn Handler + Send + '_>], spec: &Spec<'_>, child: Pid, told: Tell) {
    let name = || spec.event_name();
    match told {
        Tell::Received(Received { signal, origin, .. }) => {
            tell(handlers, &Event::Received(SignalReceived::new(name(), signal, origin, child)));
        }
        Tell::Passed(Received { signal, origin, came }, to) => {
            let mut passed = SignalPassed::new(name(), signal, origin, child);
            (passed.came, passed.to_group) = (came, to == To::Group);
            tell(handlers, &Event::Passed(passed));
        }
        Tell::Dropped(Received { origin, came, .. }) => {
            tell(handlers, &Event::Dropped(SignalDropped::new(name(), came, origin, child)));
        }
        Tell::NotPassed(Received { signal, origin, .. }, error) => {
            tell(handlers, &Event::NotPassed(SignalFailed::new(name(), signal, origin, child, error)));
        }
        Tell::Stopped(signal) => tell(handlers, &Event::Stopped(ProcessStopped::new(name(), child, signal))),
        Tell::Continued => tell(handlers, &Event::Continued(ProcessContinued::new(name(), child))),
        Tell::TimedOut(after) => {
            log::warn!("{} (pid {child}) hasn't ended within {} of the stop: it is killed", spec.name(), Exact(after));
        }
    }
}
