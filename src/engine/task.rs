//! One process of a run, from its first start to its last end.

use super::cleanup::Cleanup;
use super::observed::Observed;
use crate::model::error::Error;
use crate::model::event::process::base_name;
use crate::model::origin::Received;
use crate::model::pid::Pid;
use crate::model::signal::{Signal, SignalSet};
use crate::model::standing::Foreground;
use crate::policy::action::{Actions, End};
use crate::policy::child::Lifecycle;
use crate::policy::drain::Leftovers;
use crate::policy::restart::Supervision;
use crate::sys::spawn::command::Command;
use crate::sys::spawn::start::Child;
use crate::sys::terminal::ChildGroup;
use crate::sys::wait::Ended;
use std::borrow::Cow;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Instant;

/// A process that is run once, or again and again.
pub(crate) struct Task<'r> {
    pub(super) spec: Spec<'r>,
    pub(super) supervision: Supervision,
    pub(super) lifecycle: Lifecycle,
    pub(super) actions: Actions,
    /// Its child, if one runs.
    pub(super) started: Option<Started>,
    /// How its last run ended.
    pub(super) result: Option<Result<End, Error>>,
    pub(super) cleanup: Cleanup,
    /// Another thread has ordered to stop it.
    pub(super) is_cancelled: bool,
}

/// What is started for a task.
pub(crate) struct Spec<'r> {
    /// What it is called. `None`: by its command.
    pub(crate) name: Option<&'r str>,
    pub(crate) args: &'r [OsString],
    pub(crate) command: Arc<Command>,
    pub(crate) group: &'r ChildGroup,
    pub(crate) streams: Streams,
    /// The signals that it doesn't ignore though this process was started to ignore them.
    pub(crate) heeded: SignalSet,
    /// What it is sent when all tasks are to stop.
    pub(crate) stop_signal: Signal,
}

/// What a child is given as its descriptors 0, 1 and 2.
pub(crate) enum Streams {
    /// These. `None`: this process's own. The first child gets them; the next ones inherit.
    Given([Option<OwnedFd>; 3]),
    /// The relay's pipes.
    Relayed {
        /// /dev/null instead of this process's own stdin.
        null_stdin: bool,
    },
}

/// A child that runs.
pub(super) struct Started {
    pub(super) child: Child,
    pub(super) at: Instant,
    /// The signal that was passed on to it last, but for CONT, and when.
    pub(super) passed: Option<(Received, Instant)>,
    /// It has ended, and is reaped.
    pub(super) ended: Option<Ended>,
    /// What is observed of it, where it is reported how processes end.
    pub(super) observed: Option<Box<Observed>>,
    pub(super) membership: Membership,
}

/// Whether a child is in this process's group, and gets what is sent to that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Membership {
    /// It may be.
    Maybe,
    /// It has left, and what it had received before is among the signals that come now.
    Left,
    /// It has left, and all that it had received before has been dealt with.
    Past,
}

impl<'r> Task<'r> {
    pub(crate) fn new(
        spec: Spec<'r>,
        supervision: Supervision,
        lifecycle: Lifecycle,
        leftovers: Leftovers,
    ) -> Task<'r> {
        let cleanup = Cleanup::new(leftovers);
        let (actions, is_cancelled) = (Actions::new(), false);
        Task { spec, supervision, lifecycle, actions, started: None, result: None, cleanup, is_cancelled }
    }

    /// The pid of its child.
    pub(super) fn pid(&self) -> Option<Pid> {
        self.started.as_ref().map(|started| started.child.pid())
    }

    /// Whether its child may have received itself what comes now.
    pub(super) fn may_have_received(&self) -> bool {
        self.started.as_ref().is_some_and(|started| started.membership != Membership::Past)
    }

    /// Says, once, that its session didn't get the terminal; the child says so when it has tried.
    pub(super) fn tell_of_refused_terminal(&self) {
        if let (ChildGroup::Session(Some(_)), Some(started)) = (self.spec.group, &self.started)
            && let Some(error) = started.child.take_terminal_refused()
        {
            self.warn_of_refused_terminal(&error);
        }
    }

    #[cold]
    fn warn_of_refused_terminal(&self, error: &io::Error) {
        log::warn!("the session of {} has no terminal: ioctl(TIOCSCTTY): {error}", self.spec.name());
    }

    /// Whether it isn't started any more, and has ended with all that it has left.
    pub(super) fn is_over(&self) -> bool {
        self.supervision.is_over() && self.started.is_none() && !self.cleanup.drain.is_on()
    }

    /// When there is something to do for it. `may_start`: readers keep up.
    pub(super) fn deadline(&self, may_start: bool) -> Option<Instant> {
        let drain = self.cleanup.drain.deadline();
        // A start may wait for readers, or for the leftovers of the last run, and not only for its time.
        let start = self.supervision.deadline().filter(|_| may_start && drain.is_none());
        self.lifecycle.deadline().into_iter().chain(drain).chain(start).min()
    }
}

impl Spec<'_> {
    /// What it is called in events: its name, or the base name of its command.
    pub(super) fn event_name(&self) -> Cow<'_, str> {
        self.name.map_or_else(|| base_name(self.args), Cow::Borrowed)
    }

    /// What it is called in messages.
    pub(super) fn name(&self) -> String {
        let command = || self.args.first().map(|command| command.display().to_string()).unwrap_or_default();
        self.name.map_or_else(command, str::to_owned)
    }
}

/// Which process group has the terminal, if there is one, and if that child runs.
pub(super) fn foreground(group: &ChildGroup, child: Option<Pid>) -> Foreground {
    match (group.terminal(), child) {
        (Some(terminal), Some(_)) => terminal.foreground(child),
        _ => Foreground::Other,
    }
}
