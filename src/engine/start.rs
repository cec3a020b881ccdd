//! Starts what is due.

use super::observed::observed_at_start;
use super::run::{Run, Signals, Unstarted, remark, tell};
use super::task::{Membership, Spec, Started, Streams, foreground};
use crate::model::error::Error;
use crate::model::event::{Event, ProcessStarted, ProcessStarting};
use crate::policy::job_control::JobControl;
use crate::relay::pipes::Relay;
use crate::report::remarks::Remark;
use crate::sys::fd::above_stdio;
use crate::sys::private_fds::PrivateFds;
use crate::sys::process;
use crate::sys::signals::source::Source;
use crate::sys::spawn::start;
use crate::sys::spawn::start::{Child, Setup};
use crate::sys::terminal;
use crate::sys::terminal::ChildGroup;
use std::borrow::Cow;
use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// After this many starts, what has come meanwhile is dealt with.
const STARTS_PER_WAKEUP: usize = 16;

/// After this time it is seen whether a child has copied what it needs: as a rule that takes it some twenty microseconds.
const TAKE_BACK_AFTER: Duration = Duration::from_millis(1);

/// The longest time between two looks, where a child is stopped before it has.
const LONGEST_LOOK: Duration = Duration::from_secs(1);

impl Run<'_, '_> {
    /// Starts the children that are due. A child is started again only while readers keep up with what the children write,
    /// and with what is said of them.
    pub(super) fn start_due(&mut self) -> Unstarted {
        let mut starts = 0;
        let mut unstarted = Unstarted::default();
        for number in self.tasks.due() {
            let task = &self.tasks[number];
            if task.cleanup.drain.is_on() || !task.supervision.is_due(Instant::now) {
                continue;
            }
            // What its last run wrote comes before what the next run writes.
            let is_behind = || self.relay.as_ref().is_some_and(|relay| relay.is_behind(number));
            if task.result.is_some() && (!self.readers_keep_up() || is_behind()) {
                unstarted.for_readers = true;
            } else if starts == STARTS_PER_WAKEUP {
                unstarted.for_now = true;
            } else {
                starts += 1;
                if !self.progress.lenders.is_empty() {
                    self.take_back();
                }
                self.start(number);
            }
        }
        unstarted
    }

    /// Whether the readers of our streams keep up.
    pub(super) fn readers_keep_up(&self) -> bool {
        self.relay.as_deref().is_none_or(Relay::keeps_up)
    }

    fn start(&mut self, number: usize) {
        let task = &mut self.tasks[number];
        if task.result.is_none() {
            remark(&mut self.relay, Some(number), Remark::Starting);
        }
        task.supervision.starts();
        task.cleanup.starts();
        task.is_cancelled = false;
        let name = task.spec.event_name();
        let mut starting = ProcessStarting::new(name, task.spec.args);
        starting.dir = task.spec.command.dir.as_deref().map(|dir| Cow::Borrowed(OsStr::from_bytes(dir.to_bytes())));
        tell(self.handlers, &Event::Starting(starting));
        let observed = self.oom.as_mut().map(observed_at_start);
        let at = Instant::now();
        let job = task.spec.group.terminal().map(|terminal| {
            let (standing, foreground) = terminal.before_start(task.supervision.may_restart());
            JobControl::new(standing, foreground)
        });
        let child = self.spawn(number, job.as_ref().is_some_and(JobControl::hands_over_at_start));
        let task = &mut self.tasks[number];
        match child {
            Ok(child) => {
                let (pid, group) = (child.pid(), task.spec.group);
                if let ChildGroup::Own(_) = group {
                    terminal::set_child_group(pid);
                }
                let mut event = ProcessStarted::new(task.spec.event_name(), task.spec.args, pid);
                if !group.is_own() {
                    event.pgid = process::group();
                }
                event.user = task.spec.command.user.as_ref().map(Cow::Borrowed);
                tell(self.handlers, &Event::Started(event));
                let membership = Membership::Maybe;
                let started = Started { child, at, passed: None, ended: None, observed, membership };
                self.tasks.child_started(number, started);
                let task = &mut self.tasks[number];
                let policys_group = group.as_ref().map(|_| job, |_| ());
                task.lifecycle.started(pid, policys_group, || foreground(group, Some(pid)), &mut task.actions);
                self.act(number);
            }
            Err(error) => {
                if let Some(relay) = &mut self.relay {
                    relay.ended(number);
                }
                self.conclude(number, Err(error), at.elapsed());
            }
        }
    }

    fn spawn(&mut self, number: usize, hand_over: bool) -> Result<Child, Error> {
        let has_siblings = self.tasks.len() > 1;
        let private = self.private;
        let spec = &mut self.tasks[number].spec;
        let setup = Setup {
            parent: self.own,
            stdio: stdio(spec, number, self.relay.as_deref_mut(), private)?,
            heeded: spec.heeded,
            limits: self.limits,
            group: spec.group,
            hand_over,
            pid_variables: self.signals == Signals::Forwarded && matches!(self.source, Source::Process(_)),
            only_stdio: false,
            private,
            mask: self.source.inherited_mask(),
            has_siblings,
            exec_is_awaited: self.records.is_some() || self.oom.is_some(),
            shared: matches!(self.source, Source::Shared(_)),
        };
        // The descriptors in the setup are the child's alone: while they are open here, too, nobody sees the child close them.
        let child = start::spawn(Arc::clone(&spec.command), setup, Some(self.source))?;
        if private.is_some() && child.is_lent() {
            self.progress.lenders.push(number);
            self.progress.lent_since = None;
        }
        Ok(child)
    }

    /// Takes back what children have copied. When to look again, if some haven't.
    #[cold]
    pub(super) fn take_back(&mut self) -> Option<Instant> {
        let tasks = &mut self.tasks;
        let mut has_copied = |number| tasks[number].started.as_mut().is_none_or(|started| started.child.take_back());
        self.progress.lenders.retain(|number| !has_copied(*number));
        if self.progress.lenders.is_empty() {
            self.progress.lent_since = None;
            return None;
        }
        let now = Instant::now();
        let since = *self.progress.lent_since.get_or_insert(now);
        now.checked_add(until_look(now.saturating_duration_since(since)))
    }
}

/// How long to wait for the next look, after children have been waited for that long: they may be stopped for good.
fn until_look(waited: Duration) -> Duration {
    waited.clamp(TAKE_BACK_AFTER, LONGEST_LOOK)
}

/// What a child that is to be started is given as its descriptors 0, 1 and 2.
fn stdio(
    spec: &mut Spec<'_>,
    number: usize,
    relay: Option<&mut Relay<'_>>,
    private: Option<PrivateFds>,
) -> Result<[Option<OwnedFd>; 3], Error> {
    let null_stdin = match &mut spec.streams {
        Streams::Given(given) => return Ok(std::mem::take(given)),
        Streams::Relayed { null_stdin } => *null_stdin,
    };
    let stdin = null_stdin.then(|| File::open("/dev/null").and_then(|null| above_stdio(null.into())));
    let stdin = stdin.transpose().map_err(|source| Error::start("open /dev/null", source))?;
    let pipes = relay.map(|relay| relay.open(number, spec.command.user.as_ref(), private)).transpose();
    let pipes = pipes.map_err(|source| Error::start("pipe", source))?;
    let [stdout, stderr] = pipes.unwrap_or([None, None]);
    Ok([stdin, stdout, stderr])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One that is stopped for good wakes nobody a thousand times a second.
    #[test]
    fn looks_become_seldom() {
        let mut waited = Duration::ZERO;
        let mut looks = 0;
        while waited < Duration::from_secs(60) {
            waited += until_look(waited);
            looks += 1;
        }
        assert!(looks < 80, "{looks}");
        assert_eq!(until_look(Duration::ZERO), TAKE_BACK_AFTER);
    }
}
