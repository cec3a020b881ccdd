//! What a run consists of, and how it stands.

use super::finish::Finish;
use super::outcome::Asked;
use super::tasks::Tasks;
use crate::model::event::Event;
use crate::model::handler::Handler;
use crate::model::origin::Received;
use crate::model::pid::Pid;
use crate::policy::looks::Looks;
use crate::policy::reload::Reload;
use crate::policy::stop::Stops;
use crate::relay::pipe_set::ToRead;
use crate::relay::pipes::Relay;
use crate::report::hooks::Hooks;
use crate::report::oom::OomWatch;
use crate::report::records::Records;
use crate::report::remarks::Remark;
use crate::sys::limit::Changed;
use crate::sys::notify::Notify;
use crate::sys::orders::Orders;
use crate::sys::private_fds::PrivateFds;
use crate::sys::proc_fs::Ours;
use crate::sys::signals::source::Source;
use std::io;
use std::time::Instant;

/// The processes that run side by side, and what goes with them.
pub(crate) struct Run<'r, 'o> {
    pub(crate) own: Pid,
    pub(crate) source: &'r mut Source,
    pub(crate) tasks: Tasks<'r>,
    pub(crate) handlers: &'r mut [Box<dyn Handler + Send + 'o>],
    /// Every child of this process is waited for, and not those of the tasks only.
    pub(crate) reaps_all: bool,
    /// Where the children's output goes. `None`: where this process's goes.
    pub(crate) relay: Option<Box<Relay<'r>>>,
    pub(crate) signals: Signals,
    pub(crate) stops: Stops,
    /// This process had a controlling terminal when it was started.
    pub(crate) had_terminal: bool,
    /// Orders from other threads.
    pub(crate) orders: Option<&'r Orders>,
    pub(crate) limits: Changed,
    /// The service manager's socket, and ours for the child.
    pub(crate) notify: Option<Box<Notify>>,
    /// What a reload by the service manager sends to the child.
    pub(crate) reload: Reload,
    /// What is told is also recorded: the handlers have the same.
    pub(crate) records: Option<Records>,
    /// Commands that are run for what is recorded.
    pub(crate) hooks: Option<Box<Hooks>>,
    /// Whether memory runs out is watched.
    pub(crate) oom: Option<OomWatch>,
    /// Where what children need no copy of is put.
    pub(crate) private: Option<PrivateFds>,
    /// Nothing, at first.
    pub(crate) progress: Progress,
}

impl Run<'_, '_> {
    /// What its processes are called in events, in their order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.tasks.iter().map(|task| task.spec.event_name().into_owned()).collect()
    }
}

/// What is done with signals that come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signals {
    /// All are the one child's.
    Forwarded,
    /// A stop stops all children; any other signal is passed on to each.
    Shared,
}

/// How a run stands.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(super) asked: Asked,
    /// What was asked for when all tasks were over, and hooks alone were waited for.
    pub(super) asked_before_hooks: Option<Asked>,
    /// Another thread has ordered to stop all.
    pub(super) is_cancelled: bool,
    /// The task that was the first not to end with a success.
    pub(super) first_failure: Option<usize>,
    /// Nobody reads one of our streams any more: all were stopped for that.
    pub(super) reader_gone: bool,
    /// A child was left when children were last waited for, if all are waited for.
    pub(super) has_child: bool,
    /// When all children are looked at, if they are many.
    pub(super) looks: Looks,
    pub(super) finish: Finish,
    /// Tasks whose children may not have copied yet what they need.
    pub(super) lenders: Vec<usize>,
    /// Since when there have been such.
    pub(super) lent_since: Option<Instant>,
    /// An orphan that has ended and isn't reaped yet, and what it is called.
    pub(super) orphan: Option<(Pid, String)>,
    /// A child that has ended and isn't reaped yet, and is a hook or left behind by one.
    pub(super) of_hook: Option<Pid>,
    /// Whether /proc has our numbers, once for all that a wake-up does.
    pub(super) proc_is_ours: Ours,
    /// How many stops came.
    pub(super) stops: u32,
}

/// What has come since the last wait.
#[derive(Debug, Default)]
pub(super) struct Wakeup {
    pub(super) signals: Vec<Received>,
    pub(super) orders: bool,
    /// Any child may have ended, stopped or been continued.
    pub(super) children: bool,
    /// The child that a SIGCHLD has named.
    pub(super) named_child: Option<Pid>,
    /// The children of these tasks may have.
    pub(super) children_of: Vec<usize>,
    /// Which of the relay's pipes are ready.
    pub(super) pipes: Vec<ToRead>,
    /// Which of all that was waited for is ready, but for the signals.
    pub(super) ready: Vec<bool>,
    /// The count of processes that were killed because memory ran out may have changed.
    pub(super) oom: bool,
    /// The child has sent a notification, or the service manager takes one.
    pub(super) notified: bool,
}

/// Which children are due, and weren't started.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unstarted {
    /// Because enough were started: what has come meanwhile is dealt with first.
    pub(super) for_now: bool,
    /// Because readers don't keep up.
    pub(super) for_readers: bool,
}

/// Says something of this task, or of the whole run, between the relayed lines.
pub(super) fn remark(relay: &mut Option<Box<Relay<'_>>>, number: Option<usize>, remark: Remark<'_>) {
    if let Some(relay) = relay {
        remark_by(relay, number, remark);
    }
}

#[cold]
fn remark_by(relay: &mut Relay<'_>, number: Option<usize>, remark: Remark<'_>) {
    relay.remark(number, &remark);
}

pub(super) fn tell(handlers: &mut [Box<dyn Handler + Send + '_>], event: &Event<'_>) {
    for handler in handlers {
        handler.event(event);
    }
}

/// Logs the failure of something without which the run can go on.
pub(super) fn try_to(what: &str, result: io::Result<()>) {
    if let Err(error) = result {
        warn_of(what, &error);
    }
}

#[cold]
fn warn_of(what: &str, error: &io::Error) {
    log::warn!("can't {what}: {error}");
}
