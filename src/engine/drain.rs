//! What ended runs have left behind: it is looked for, ended, and told.

use crate::engine::event_loop::{Asked, Left, Run, Signals, Task, Woken, remark, tell};
use crate::model::event::{DrainEnded, DrainSignaled, Event};
use crate::model::pid::Pid;
use crate::model::signal::Signal;
use crate::policy::action::End;
use crate::policy::drain::{Drain, DrainTarget, Leftovers, Scope, Seen};
use crate::policy::leftovers::{EndOfRun, Told};
use crate::report::remarks::Remark;
use crate::sys::descendants;
use crate::sys::descendants::{Blind, Descendant, Found, Group};
use crate::sys::proc_fs;
use crate::sys::terminal::ChildGroup;
use crate::sys::wait;
use crate::sys::wait::Which;
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::io;
use std::time::Instant;

/// How many processes are named in one message, or have one of their own.
const NAMED: usize = 10;

/// Time as /proc has it of processes.
type Ticks = u64;

/// What is done about what the runs of a task leave behind.
#[derive(Debug)]
pub(crate) struct Cleanup {
    pub(crate) drain: Drain,
    /// When the run that ended last was started; of no meaning before.
    since: Ticks,
    /// A run that has ended just now.
    ended: Option<Ended>,
    /// When this run was first asked to stop.
    pub(crate) asked_at: Option<Instant>,
    /// Why the last look failed, or not all could be signalled.
    trouble: Option<String>,
    /// Who was there at the last look.
    there: String,
    /// Which have been killed without being looked at, and told.
    told_killed: HashSet<Pid>,
    /// How many were there; `None` while they can't be looked for.
    remaining: Option<usize>,
    /// That has been told.
    is_told: bool,
}

#[derive(Debug)]
struct Ended {
    leader: Pid,
    started: Instant,
    end: EndOfRun,
}

impl Cleanup {
    pub(crate) fn new(leftovers: Leftovers) -> Cleanup {
        Cleanup {
            drain: Drain::new(leftovers),
            since: 0,
            ended: None,
            asked_at: None,
            trouble: None,
            there: String::new(),
            told_killed: HashSet::new(),
            remaining: None,
            is_told: false,
        }
    }

    /// A run begins.
    pub(crate) fn starts(&mut self) {
        self.asked_at = None;
        self.ended = None;
        self.is_told = false;
    }
}

impl Task<'_> {
    /// What it is called in messages.
    pub(crate) fn name(&self) -> String {
        let command = || self.spec.args.first().map(|command| command.display().to_string()).unwrap_or_default();
        self.spec.name.map_or_else(command, str::to_owned)
    }

    /// Whether certainly nobody is left of the run that this process led.
    fn is_nobody_left(&self, leader: Pid) -> bool {
        match self.cleanup.drain.leftovers() {
            Leftovers::Ignored | Leftovers::Told => true,
            // Every descendant whose parents have ended is a child of this process: with no child there is none.
            Leftovers::Ended(Scope::All, _) => !wait::is_any(Which::Any),
            Leftovers::Ended(Scope::Group, _) => {
                let has_session = matches!(self.spec.group, ChildGroup::Session(_));
                !(descendants::is_any_in_group(leader) || has_session && wait::is_any(Which::Any))
            }
            Leftovers::Ended(Scope::Run, _) => !wait::is_any(Which::Any),
        }
    }
}

impl Run<'_, '_> {
    /// The leader of a run has ended, and been reaped: what it has left is to be ended, and told.
    pub(crate) fn run_ended(&mut self, number: usize, leader: Pid, end: &End, started: Instant, left: &Left) {
        let task = &mut self.tasks[number];
        let leftovers = task.cleanup.drain.leftovers();
        if !self.reaps_all || leftovers == Leftovers::Ignored {
            return;
        }
        if let Leftovers::Ended(..) = leftovers
            && !task.is_nobody_left(leader)
        {
            let now = Instant::now();
            task.cleanup.drain.begin(leader, now, task.cleanup.asked_at);
            task.cleanup.trouble = None;
            task.cleanup.there.clear();
            task.cleanup.since = proc_fs::ticks_at_start(started.elapsed());
            task.cleanup.told_killed.clear();
            task.cleanup.remaining = None;
            if left.asked == Asked::Kill {
                task.cleanup.drain.hurry(now);
            }
        }
        let end = EndOfRun {
            succeeded: end.status.is_success(),
            took: started.elapsed(),
            asked: left.asked != Asked::Nothing || task.cleanup.asked_at.is_some(),
            whole_group: self.signals != Signals::Forwarded || task.lifecycle.signals_group() || end.die_of.is_some(),
        };
        task.cleanup.ended = Some(Ended { leader, started, end });
    }

    /// Ends what ended runs have left behind.
    pub(super) fn see_drains(&mut self, woken: &Woken) {
        if !self.tasks.iter().any(|task| task.cleanup.drain.is_on()) {
            return;
        }
        let now = Instant::now();
        // One look serves them all: nobody is reaped meanwhile.
        let mut found = None;
        for number in 0..self.tasks.len() {
            if let Some(leader) = self.tasks[number].cleanup.drain.leader() {
                self.see_drain(number, leader, now, woken.children, &mut found);
            }
        }
    }

    #[cold]
    fn see_drain(
        &mut self,
        number: usize,
        leader: Pid,
        now: Instant,
        news: bool,
        found: &mut Option<Result<Found, Blind>>,
    ) {
        let task = &mut self.tasks[number];
        if task.is_nobody_left(leader) {
            task.cleanup.remaining = Some(0);
            return self.drain_ends(number);
        }
        let Cleanup { drain, trouble, there, told_killed, .. } = &mut task.cleanup;
        if drain.is_given_up(now) {
            let (why, there) = (trouble.take(), std::mem::take(there));
            match why {
                Some(why) => log::warn!("what {} has left behind lives on: {there}{why}", task.name()),
                None => log::warn!("what {} has left behind can't be killed: {there}", task.name()),
            }
            return self.drain_ends(number);
        }
        let Some((signal, who)) = drain.look(now, news) else { return };
        // A process that forks and ends all the time is gone by the time that all have been looked at.
        let mut more = false;
        if signal == Signal::KILL && drain.leftovers().is_all() {
            let killed;
            (killed, more) = descendants::kill_children();
            for pid in killed.into_iter().filter(|pid| told_killed.insert(*pid)) {
                let event = DrainSignaled::new(task.spec.event_name(), pid, Signal::KILL);
                tell(self.handlers, &Event::DrainSignaled(event));
            }
        }
        let found = match found.get_or_insert_with(|| descendants::find(self.own)) {
            Ok(found) if drain.leftovers().is_all() && !found.shows_children() => {
                log::warn!(
                    "what {} has left behind lives on: it can't be looked for: /proc doesn't show it",
                    task.name()
                );
                return self.drain_ends(number);
            }
            Ok(found) => &*found,
            Err(Blind::Always(why)) => {
                log::warn!("what {} has left behind lives on: it can't be looked for: {why}", task.name());
                return self.drain_ends(number);
            }
            Err(blind @ Blind::Now(_)) => {
                if trouble.is_none() {
                    log::warn!(
                        "what {} has left behind can't be looked for now, it is tried again: {blind}",
                        task.name()
                    );
                }
                self.tasks[number].cleanup.remaining = None;
                self.tasks[number].cleanup.trouble = Some(format!("it can't be looked for: {blind}"));
                return;
            }
        };
        let members: Vec<_> =
            found.descendants.iter().filter(|found_one| self.is_left(number, leader, found_one, found)).collect();
        self.tasks[number].cleanup.remaining = Some(members.len());
        if signal == Signal::KILL {
            if !self.tasks[number].cleanup.drain.leftovers().is_all() {
                descendants::kill_group_of(leader);
            }
            found.groups_of(&members).into_iter().for_each(Group::kill);
        }
        let is_over = self.send(number, &members, (signal, who), more, now);
        let task = &self.tasks[number];
        // Those who fork and end all the time are missed by a look, but their group isn't empty.
        let is_nobody = members.is_empty() && signal == Signal::TERM && !descendants::is_any_in_group(leader);
        if is_over || is_nobody && !task.cleanup.drain.leftovers().is_all() {
            if !members.is_empty() {
                log::warn!("{} has left {}, which panicmon may not signal", task.name(), Processes(&members));
            }
            self.drain_ends(number);
        }
    }

    /// Sends this to those of them that it is for; `more`: there were others that are gone again. Whether nobody is left but those that are out of reach.
    #[cold]
    fn send(
        &mut self,
        number: usize,
        members: &[&Descendant],
        (signal, who): (Signal, DrainTarget),
        more: bool,
        now: Instant,
    ) -> bool {
        let task = &mut self.tasks[number];
        let name = task.name();
        let Cleanup { drain, trouble, there, .. } = &mut task.cleanup;
        let mut seen = Seen { alive: members.len(), ..Seen::default() };
        let mut sent = Vec::new();
        let mut refused = Vec::new();
        *trouble = None;
        for member in members {
            let identity = member.identity();
            if who == DrainTarget::Orphans && !member.is_child() || !drain.is_for(signal, identity, member.has_executed)
            {
                continue;
            }
            match member.send(signal) {
                Ok(true) => {
                    if drain.sent(signal, identity, member.has_executed) {
                        sent.push(*member);
                    }
                }
                // It has ended.
                Ok(false) => {}
                Err(error) if is_refused(&error) => {
                    seen.out_of_reach += 1;
                    if signal == Signal::TERM && drain.sent(signal, identity, member.has_executed) {
                        refused.push(*member);
                    }
                }
                Err(error) => {
                    seen.failed += 1;
                    *trouble = Some(format!("can't send {signal} to {member}: {error}"));
                }
            }
        }
        for member in &sent {
            let mut event = DrainSignaled::new(task.spec.event_name(), member.pid, signal);
            event.command = Some(Cow::Borrowed(&member.name));
            tell(self.handlers, &Event::DrainSignaled(event));
        }
        if !refused.is_empty() {
            log::warn!("{name} has left {}, which can't be sent {signal} now", Processes(&refused));
        }
        if signal == Signal::KILL {
            seen.killed = sent.len() + usize::from(more);
            *there = Processes(members).to_string();
        }
        if !sent.is_empty() {
            if signal == Signal::KILL && !drain.leftovers().is_all() {
                for member in sent.iter().take(NAMED) {
                    log::warn!("{name}: {member} hadn't ended, and was killed");
                }
                if sent.len() > NAMED {
                    log::warn!("{name}: and {} more", sent.len() - NAMED);
                }
            } else {
                log::info!("{name} has left {}: sent {signal}", Processes(&sent));
            }
        }
        drain.looked(now, seen)
    }

    /// Whether this one is of those that the run left behind which this process led.
    #[cold]
    fn is_left(&self, number: usize, leader: Pid, one: &Descendant, found: &Found) -> bool {
        let scope = match self.tasks[number].cleanup.drain.leftovers() {
            Leftovers::Ended(scope, _) => scope,
            Leftovers::Told => Scope::Run,
            Leftovers::Ignored => return false,
        };
        match scope {
            Scope::All => true,
            Scope::Group => is_in_group(leader, one, found),
            Scope::Run => is_in_group(leader, one, found) || self.is_of_run(number, leader, one, found),
        }
    }

    /// Whether it can be of no other run than this one, which has ended: it was started since, descends from no process
    /// that runs, is in no other run's group or session, and no other run was there to start it.
    #[cold]
    fn is_of_run(&self, number: usize, leader: Pid, one: &Descendant, found: &Found) -> bool {
        let since = self.tasks[number].cleanup.since;
        // The clock is a coarse one: numbers rise.
        let is_younger = one.started > since || one.started == since && one.pid > leader;
        is_younger
            && self.tasks.iter().enumerate().filter(|(other, _)| *other != number).all(|(_, other)| {
                let leaders = [other.pid(), other.cleanup.drain.leader()];
                let is_of_other = |leader: &Pid| [one.top, one.group, one.session].contains(leader);
                let runs_longer = |leader: Pid| found.started(leader).is_some_and(|started| started <= one.started);
                !leaders.iter().flatten().any(is_of_other) && !other.pid().is_some_and(runs_longer)
            })
    }

    /// What an ended run has left behind has said its last words.
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

    /// Tells what runs have left behind that have just ended, where somebody may be surprised.
    pub(crate) fn tell_leftovers(&mut self, left: &Left) {
        for number in 0..self.tasks.len() {
            if let Some(ended) = self.tasks[number].cleanup.ended.take() {
                self.tell_leftovers_of(number, &ended, left);
            }
        }
    }

    #[cold]
    fn tell_leftovers_of(&mut self, number: usize, ended: &Ended, left: &Left) {
        let Ended { leader, started, end } = *ended;
        let task = &self.tasks[number];
        let leftovers = task.cleanup.drain.leftovers();
        let is_cleaned = task.cleanup.drain.is_on();
        let looks = match self.signals {
            Signals::Forwarded => left.any_child,
            Signals::Shared => is_cleaned || end.looks_like_a_daemon() && self.has_orphans(),
        };
        let wants_to_know = || leftovers != Leftovers::Told && log::log_enabled!(log::Level::Info);
        let wants = is_cleaned || end.looks_like_a_daemon() || wants_to_know();
        if leftovers.is_all() || !looks || !wants {
            return;
        }
        let Ok(found) = descendants::find(self.own) else { return };
        self.tasks[number].cleanup.since = proc_fs::ticks_at_start(started.elapsed());
        let (in_group, others): (Vec<_>, Vec<_>) = found
            .descendants
            .iter()
            .filter(|one| is_in_group(leader, one, &found) || self.is_of_run(number, leader, one, &found))
            .partition(|one| is_in_group(leader, one, &found));
        let task = &mut self.tasks[number];
        let name = task.name();
        match end.tells(is_cleaned, in_group.len(), others.len()) {
            Told::Nothing => {}
            Told::Daemon => {
                task.cleanup.is_told = true;
                let all = [in_group, others].concat();
                log::warn!(
                    "{name} left {}: it has put itself into the background; start it in the foreground",
                    Processes(&all)
                );
            }
            Told::Ending => {
                let next = if task.supervision.is_over() { "" } else { " before it starts again" };
                log::warn!("{name} left {}: ending them{next}", Processes(&in_group));
            }
            Told::Others => {
                log::info!("{name} may have left {}, not of its process group: left alone", Processes(&others));
            }
        }
    }

    /// All is over: with the first process of a PID namespace all others end.
    pub(crate) fn tell_last(&self, left: &Left) {
        let is_told = |task: &Task<'_>| {
            let leftovers = task.cleanup.drain.leftovers();
            leftovers == Leftovers::Ignored || leftovers.is_all() || task.cleanup.is_told
        };
        let failed = left.first_failure.is_some();
        if !left.any_child || self.own.as_raw() != 1 || !failed && left.asked == Asked::Nothing {
            return;
        }
        if self.tasks.iter().any(is_told) {
            return;
        }
        let Ok(found) = descendants::find(self.own) else { return };
        let all: Vec<_> = found.descendants.iter().collect();
        if !all.is_empty() {
            let name =
                self.tasks.first().filter(|_| self.tasks.len() == 1).map_or("the commands".to_owned(), Task::name);
            log::warn!(
                "{name} left {}, killed with panicmon, which is PID 1: --drain ends them in order",
                Processes(&all)
            );
        }
    }

    /// Whether it has a child that leads no run.
    #[cold]
    fn has_orphans(&self) -> bool {
        let leads = |pid: &Pid| self.tasks.iter().any(|task| task.pid() == Some(*pid));
        // Where the kernel doesn't tell, it is looked for.
        descendants::children().is_none_or(|children| !children.iter().all(leads))
    }
}

/// Whether it is in the process group or the session of the run that this process led. If there is a process of that number
/// now, the group was empty meanwhile, and the number is another's.
fn is_in_group(leader: Pid, one: &Descendant, found: &Found) -> bool {
    (one.group == leader || one.session == leader) && !found.has(leader)
}

/// Whether it will be the next time, too: it belongs to another user, or a filter forbids to signal it.
fn is_refused(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EPERM | libc::ENOSYS | libc::EINVAL))
}

impl fmt::Display for Descendant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pid {} ({})", self.pid, self.name)
    }
}

/// How many, and their names.
struct Processes<'a>(&'a [&'a Descendant]);

impl fmt::Display for Processes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        write!(f, "{count} process{} (", if count == 1 { "" } else { "es" })?;
        for (at, process) in self.0.iter().take(NAMED).enumerate() {
            write!(f, "{}{}", if at > 0 { ", " } else { "" }, process.name)?;
        }
        if count > NAMED {
            write!(f, ", …")?;
        }
        f.write_str(")")
    }
}
