//! How the command ended, where it could not tell by itself: a sentence on stderr, without being asked.

use super::stderr::say;
use crate::model::duration::Exact;
use crate::model::event::summary::Bytes;
use crate::model::event::{Event, ProcessExited};
use crate::model::handler::Handler;
use crate::model::signal::Signal;
use crate::report::log::Log;
use crate::sys::cgroup::MemoryGroup;
use std::fmt::{self, Display};
use std::sync::{Arc, Mutex, PoisonError};

/// The sentence about the last run, until it is said.
#[derive(Clone, Debug, Default)]
pub(crate) struct LastDeath(Arc<Mutex<Option<String>>>);

impl LastDeath {
    pub(crate) fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, sentence: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = sentence;
    }
}

/// Logs every event, and keeps the sentence about a death. If the command starts again, that is one line with it.
pub(crate) struct DeathHandler(pub(crate) LastDeath);

impl Handler for DeathHandler {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Exited(exited) => self.0.set(is_to_be_said(exited).then(|| sentence(exited))),
            Event::RestartScheduled(scheduled) => {
                if let Some(sentence) = self.0.take() {
                    log::warn!("{sentence}; it starts again in {}", Exact(scheduled.delay));
                    return;
                }
            }
            _ => {}
        }
        Log.event(event);
    }
}

/// Says it, unless nothing is to be said.
#[cold]
pub(crate) fn say_it(sentence: &str) {
    if log::log_enabled!(log::Level::Error) {
        say(&sentence);
    }
}

/// Whether the command can't have told by itself: it was killed by SIGKILL, or by what a fault ends with. Not if that was
/// asked for, or counts as a success, and not if panicmon has killed it, which was said then.
fn is_to_be_said(exited: &ProcessExited<'_>) -> bool {
    let Some(signal) = exited.status.signal() else { return false };
    let is_silent = matches!(
        signal,
        Signal::KILL
            | Signal::ABRT
            | Signal::SEGV
            | Signal::BUS
            | Signal::ILL
            | Signal::FPE
            | Signal::SYS
            | Signal::TRAP
    );
    is_silent && !exited.success && !exited.requested && exited.killed_by.is_none()
}

#[cold]
fn sentence(exited: &ProcessExited<'_>) -> String {
    let by_kill = exited.status.signal() == Some(Signal::KILL);
    // Nothing was watched: it is said what the count is now, and no more.
    let counted = if by_kill && exited.oom.is_none() { Counted::read() } else { None };
    match counted {
        Some(counted) => format!("{}; {counted}", exited.summary()),
        None => exited.summary(),
    }
}

/// What the cgroup has counted, the command's life or not.
struct Counted {
    kills: u64,
    limit: Option<u64>,
}

impl Counted {
    /// `None`: no kill, or nobody counts.
    fn read() -> Option<Counted> {
        let (group, kills) = MemoryGroup::own().ok().filter(|(_, kills)| *kills > 0)?;
        Some(Counted { kills, limit: group.limit() })
    }
}

impl Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = if self.kills == 1 { "" } else { "s" };
        write!(f, "its cgroup has counted {} kill{s} for want of memory", self.kills)?;
        self.limit.map_or(Ok(()), |limit| write!(f, " (limit {})", Bytes(limit)))
    }
}
