//! What ended runs have left behind is looked for, and ended.

use super::cleanup::{Cleanup, EndedRun};
use super::outcome::Asked;
use super::processes::{MOST_NAMED, Processes};
use super::run::{Run, Signals, Wakeup, remark, tell};
use super::task::Task;
use crate::model::event::{DrainEnded, DrainSignaled, Event};
use crate::model::handler::Handler;
use crate::model::pid::Pid;
use crate::model::signal::Signal;
use crate::policy::action::End;
use crate::policy::drain::{DrainTarget, Leftovers, Scope, Seen};
use crate::policy::leftovers::EndOfRun;
use crate::report::hooks::Hooks;
use crate::report::records::Records;
use crate::report::remarks::Remark;
use crate::sys::descendants;
use crate::sys::descendants::{Blind, Descendant, Found, Group};
use crate::sys::proc_fs;
use crate::sys::terminal::ChildGroup;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io;
use std::time::Instant;

/// A look for descendants, which serves all drains.
type Look = Result<Found, Blind>;

/// Whether a drain goes on after a look.
enum Sight<'f> {
    Found(&'f Found),
    /// They can't be looked for now.
    Later,
    /// They can never be looked for.
    Never,
}

impl Task<'_> {
    /// Whether certainly nobody is left of the run that this process led.
    #[cold]
    fn is_nobody_left(&self, leader: Pid, own: Pid, hooks: &[Pid]) -> bool {
        match self.cleanup.drain.leftovers() {
            Leftovers::Ignored | Leftovers::Told | Leftovers::Signalled(_) => true,
            // Every descendant whose parents have ended is a child of this process: with no child there is none.
            Leftovers::Ended(Scope::All | Scope::Run, _) => !descendants::is_any_child(own, hooks),
            Leftovers::Ended(Scope::Group, _) => {
                let has_session = matches!(self.spec.group, ChildGroup::Session(_));
                !(descendants::is_any_in_group(leader) || has_session && descendants::is_any_child(own, hooks))
            }
        }
    }

    /// What this look means for the drain.
    #[cold]
    fn judge<'f>(&mut self, look: &'f Look) -> Sight<'f> {
        let name = self.spec.name();
        let Cleanup { drain, trouble, remaining, .. } = &mut self.cleanup;
        match look {
            Ok(found) if drain.leftovers().is_all() && !found.shows_children() => {
                log::warn!("what {name} has left behind lives on: it can't be looked for: /proc doesn't show it");
                Sight::Never
            }
            Ok(found) => Sight::Found(found),
            Err(Blind::Always(why)) => {
                log::warn!("what {name} has left behind lives on: it can't be looked for: {why}");
                Sight::Never
            }
            Err(blind @ Blind::Now(_)) => {
                if trouble.is_none() {
                    log::warn!("what {name} has left behind can't be looked for now, it is tried again: {blind}");
                }
                drain.looked_in_vain();
                *remaining = None;
                *trouble = Some(format!("it can't be looked for: {blind}"));
                Sight::Later
            }
        }
    }

    /// Tells of children that were killed without being looked at; but not again of one that a look has found since, since it
    /// takes a moment to end.
    #[cold]
    fn tell_unseen(
        &mut self,
        killed: &BTreeSet<Pid>,
        records: Option<&Records>,
        handlers: &mut [Box<dyn Handler + Send + '_>],
    ) {
        for pid in killed.iter().filter(|pid| self.cleanup.told_killed.insert(**pid)) {
            let mut signaled = DrainSignaled::new(self.spec.event_name(), *pid, Signal::KILL);
            // It isn't reaped yet, so it still has its name.
            signaled.command = records.and_then(|records| records.command_of(*pid)).map(Cow::Owned);
            tell(handlers, &Event::DrainSignaled(signaled));
        }
    }

    /// Sends the signal to those of the members that it is for. `kills_unseen`: others were killed that are gone by now.
    /// Whether nobody is left but those that may not be signalled.
    #[cold]
    fn send(
        &mut self,
        members: &[&Descendant],
        (signal, target): (Signal, DrainTarget),
        kills_unseen: bool,
        now: Instant,
        handlers: &mut [Box<dyn Handler + Send + '_>],
    ) -> bool {
        let Cleanup { drain, trouble, seen_last, .. } = &mut self.cleanup;
        let mut seen = Seen { alive: members.len(), ..Seen::default() };
        let (mut sent, mut refused) = (Vec::new(), Vec::new());
        *trouble = None;
        for member in members {
            let (identity, has_executed) = (member.identity(), member.has_executed);
            let is_target = target == DrainTarget::All || member.is_child();
            if !is_target || !drain.is_for(signal, identity, has_executed) {
                continue;
            }
            match member.send(signal) {
                Ok(true) => {
                    if drain.sent(signal, identity, has_executed) {
                        sent.push(*member);
                    }
                }
                // It has ended.
                Ok(false) => {}
                Err(error) if is_refused(&error) => {
                    seen.out_of_reach += 1;
                    if signal == Signal::TERM && drain.sent(signal, identity, has_executed) {
                        refused.push(*member);
                    }
                }
                Err(error) => {
                    seen.failed += 1;
                    *trouble = Some(format!("can't send {signal} to {member}: {error}"));
                }
            }
        }
        if signal == Signal::KILL {
            seen.killed = sent.len() + usize::from(kills_unseen);
            *seen_last = Processes(members).to_string();
        }
        let is_over = drain.looked(now, seen);
        let told_killed = &mut self.cleanup.told_killed;
        for member in sent.iter().filter(|member| signal != Signal::KILL || told_killed.insert(member.pid)) {
            let mut signaled = DrainSignaled::new(self.spec.event_name(), member.pid, signal);
            signaled.command = Some(Cow::Borrowed(&member.name));
            tell(handlers, &Event::DrainSignaled(signaled));
        }
        self.tell_sent(signal, &sent, &refused);
        is_over
    }

    /// Says to which processes the signal was sent, and to which it can't be.
    #[cold]
    fn tell_sent(&self, signal: Signal, sent: &[&Descendant], refused: &[&Descendant]) {
        let name = self.spec.name();
        if !refused.is_empty() {
            log::warn!("{name} has left {}, which can't be sent {signal} now", Processes(refused));
        }
        if sent.is_empty() {
            return;
        }
        if signal != Signal::KILL || self.cleanup.drain.leftovers().is_all() {
            log::info!("{name} has left {}: sent {signal}", Processes(sent));
            return;
        }
        for member in sent.iter().take(MOST_NAMED) {
            log::warn!("{name}: {member} hadn't ended, and was killed");
        }
        if sent.len() > MOST_NAMED {
            log::warn!("{name}: and {} more", sent.len() - MOST_NAMED);
        }
    }
}

impl Run<'_, '_> {
    /// The leader of a run has ended, and was reaped: what it has left is to be ended, and told.
    pub(super) fn run_ended(&mut self, number: usize, leader: Pid, end: &End, started: Instant) {
        let task = &mut self.tasks[number];
        let leftovers = task.cleanup.drain.leftovers();
        if !self.reaps_all || leftovers == Leftovers::Ignored {
            return;
        }
        if let Leftovers::Signalled(signal) = leftovers {
            return descendants::signal_group_of(leader, signal);
        }
        self.begin_drain(number, leader, started);
        let task = &mut self.tasks[number];
        let end = EndOfRun {
            succeeded: end.status.is_success(),
            took: started.elapsed(),
            asked: self.progress.asked != Asked::Nothing || task.cleanup.asked_at.is_some(),
            whole_group: self.signals != Signals::Forwarded || task.lifecycle.signals_group() || end.die_of.is_some(),
        };
        task.cleanup.ended = Some(EndedRun { leader, started, end });
    }

    /// Begins to end what the run has left behind that this process led, if that is to be done and anybody may be left.
    pub(super) fn begin_drain(&mut self, number: usize, leader: Pid, started: Instant) {
        let task = &mut self.tasks[number];
        if !matches!(task.cleanup.drain.leftovers(), Leftovers::Ended(..))
            || task.is_nobody_left(leader, self.own, Hooks::groups(&self.hooks))
        {
            return;
        }
        let now = Instant::now();
        // In a file one time is for all of a stop. A drain of one command has its own, which begins with its end.
        let asked_at = task.cleanup.asked_at.filter(|_| self.signals == Signals::Shared);
        task.cleanup.drain.begin(leader, now, asked_at);
        task.cleanup.trouble = None;
        task.cleanup.seen_last.clear();
        task.cleanup.told_killed.clear();
        task.cleanup.remaining = None;
        task.cleanup.since = proc_fs::ticks_at_start(started.elapsed());
        if self.progress.asked == Asked::Kill {
            task.cleanup.drain.hurry(now);
        }
    }

    /// Ends what ended runs have left behind.
    pub(super) fn drain(&mut self, wakeup: &Wakeup) {
        if self.tasks.draining().any(|number| self.tasks[number].cleanup.drain.is_on()) {
            self.drain_all(wakeup.children);
        }
    }

    /// `news`: some child has ended.
    #[cold]
    pub(super) fn drain_all(&mut self, news: bool) {
        let now = Instant::now();
        // One look serves all: no child is reaped meanwhile.
        let mut look = None;
        for number in self.tasks.draining() {
            if let Some(leader) = self.tasks[number].cleanup.drain.leader()
                && self.is_drained(number, leader, now, news, &mut look)
            {
                self.drain_ends(number);
            }
        }
    }

    /// Takes the next step in ending what this run has left behind. Whether it was the last one.
    #[cold]
    fn is_drained(&mut self, number: usize, leader: Pid, now: Instant, news: bool, look: &mut Option<Look>) -> bool {
        let (own, hooks) = (self.own, Hooks::groups(&self.hooks));
        let task = &mut self.tasks[number];
        if task.is_nobody_left(leader, own, hooks) {
            task.cleanup.remaining = Some(0);
            return true;
        }
        let Cleanup { drain, trouble, seen_last, .. } = &mut task.cleanup;
        if drain.is_given_up(now) {
            let name = task.spec.name();
            match trouble.take() {
                Some(why) => log::warn!("what {name} has left behind lives on: {seen_last}{why}"),
                None => log::warn!("what {name} has left behind can't be killed: {seen_last}"),
            }
            return true;
        }
        let Some((signal, target)) = drain.look(now, news) else { return false };
        let is_all = drain.leftovers().is_all();
        // A process that forks and ends all the time is gone by the time that all are looked at.
        let (killed, kills_unseen) =
            if signal == Signal::KILL && is_all { descendants::kill_children(hooks) } else { (BTreeSet::new(), false) };
        let look = look.get_or_insert_with(|| descendants::find(own, hooks));
        let found = match task.judge(look) {
            Sight::Found(found) => found,
            blind => {
                // Without a look, what is left of its group is found by the number.
                if signal == Signal::KILL {
                    descendants::kill_group_of(leader);
                }
                task.tell_unseen(&killed, self.records.as_ref(), self.handlers);
                return matches!(blind, Sight::Never);
            }
        };
        let members: Vec<_> = found.descendants.iter().filter(|one| self.is_left(number, leader, one, found)).collect();
        self.tasks[number].cleanup.remaining = Some(members.len());
        if signal == Signal::KILL {
            if !is_all {
                descendants::kill_group_of(leader);
            }
            found.groups_of(&members).into_iter().for_each(Group::kill);
        }
        let task = &mut self.tasks[number];
        let is_over = task.send(&members, (signal, target), kills_unseen, now, self.handlers);
        task.tell_unseen(&killed, self.records.as_ref(), self.handlers);
        // Processes that fork and end all the time are missed by a look, but their group isn't empty.
        let is_nobody = members.is_empty() && signal == Signal::TERM && !descendants::is_any_in_group(leader);
        let is_over = is_over || is_nobody && !is_all;
        if is_over && !members.is_empty() {
            log::warn!("{} has left {}, which panicmon may not signal", task.spec.name(), Processes(&members));
        }
        is_over
    }

    /// Whether this process is one of those that the run has left behind which that leader led.
    #[cold]
    fn is_left(&self, number: usize, leader: Pid, one: &Descendant, found: &Found) -> bool {
        let scope = match self.tasks[number].cleanup.drain.leftovers() {
            Leftovers::Ended(scope, _) => scope,
            Leftovers::Told => Scope::Run,
            Leftovers::Ignored | Leftovers::Signalled(_) => return false,
        };
        match scope {
            Scope::All => true,
            Scope::Group => found.is_in_group_of(leader, one),
            Scope::Run => found.is_in_group_of(leader, one) || self.is_of_run(number, leader, one, found),
        }
    }

    /// Whether this process can be of no other run than this one, which has ended: it was started since then, descends from
    /// no process that runs, is in no other run's group or session, and no other run was there to start it.
    #[cold]
    pub(super) fn is_of_run(&self, number: usize, leader: Pid, one: &Descendant, found: &Found) -> bool {
        let since = self.tasks[number].cleanup.since;
        // The clock is coarse; pids rise.
        let is_younger = one.started > since || one.started == since && one.pid > leader;
        is_younger
            && self.tasks.iter().enumerate().filter(|(other, _)| *other != number).all(|(_, other)| {
                let leaders = [other.pid(), other.cleanup.drain.leader()];
                let is_of_other = |leader: &Pid| [one.top, one.group, one.session].contains(leader);
                let runs_longer = |leader: Pid| found.started(leader).is_some_and(|started| started <= one.started);
                !leaders.iter().flatten().any(is_of_other) && !other.pid().is_some_and(runs_longer)
            })
    }

    /// What an ended run has left behind writes nothing more.
    #[cold]
    fn drain_ends(&mut self, number: usize) {
        let task = &mut self.tasks[number];
        task.cleanup.drain.end();
        let is_over = task.is_over();
        let mut ended = DrainEnded::new(task.spec.event_name());
        ended.remaining = task.cleanup.remaining;
        tell(self.handlers, &Event::DrainEnded(ended));
        if let Some(relay) = &mut self.relay {
            relay.ended(number);
        }
        if is_over {
            remark(&mut self.relay, Some(number), Remark::Over);
        }
    }
}

impl Found {
    /// Whether a process is in the process group or the session of the run which that leader led. If a process has the pid
    /// of the leader now, the group was empty in between, and the number is another group's.
    pub(super) fn is_in_group_of(&self, leader: Pid, one: &Descendant) -> bool {
        (one.group == leader || one.session == leader) && !self.has(leader)
    }
}

/// Whether the next try will fail, too: the process is another user's, or a filter forbids to signal it.
fn is_refused(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    // EPERM, ENOSYS, EINVAL.
    matches!(error.kind(), PermissionDenied | Unsupported | InvalidInput)
}
