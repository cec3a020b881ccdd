//! How what a run has left behind is ended: when to look for it, and with which signal.
//!
//! | | the run has ended | it is time to look, or a child ended | the budget is spent, or a second stop came | nobody is left |
//! |---|---|---|---|---|
//! | off | ask | | | |
//! | asking | | TERM to the new ones, see [`DrainTarget`] | kill | off |
//! | killing | | KILL to all; at once again while any was new | give up, some time after the last progress | off |

use crate::model::pid::Pid;
use crate::model::signal::Signal;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// The time to the second look, which finds processes born since the first: nothing tells of those. It doubles each time.
const FIRST_LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// The longest time between two looks for processes that may end without this process being told.
const LONGEST_LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The longest time between two looks for processes whose end this process is told of.
const LONGEST_TOLD_LOOK_INTERVAL: Duration = Duration::from_secs(3600);

/// How long after the last progress processes that were sent KILL are given up. Progress is that there are fewer of them.
/// A busy machine takes its time to end them, and to let this process find those that they have started meanwhile.
const KILL_PATIENCE: Duration = Duration::from_secs(5);

/// After this many looks in a row that found nobody, nobody is there: processes that fork and end all the time are easily
/// missed.
const LOOKS_UNTIL_EMPTY: u32 = 3;

/// A process, and when it was started: this tells it from a later process with the same pid.
pub(crate) type Identity = (Pid, u64);

/// What is done about what a run leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leftovers {
    /// Nothing is done, and nothing said.
    Ignored,
    /// Nothing is done, but it is said where somebody may be surprised.
    Told,
    /// Its process group is sent this signal at once, and not waited for.
    Signalled(Signal),
    /// It is ended: TERM, and KILL after this time.
    Ended(Scope, Duration),
}

impl Leftovers {
    /// Whether every descendant of this process is ended.
    pub(crate) fn is_all(self) -> bool {
        matches!(self, Leftovers::Ended(Scope::All, _))
    }
}

/// Which processes are a run's leftovers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Every descendant of this process: it runs nothing else.
    All,
    /// Those in the run's own process group or session.
    Group,
    /// Those, and every other descendant of this process that can be of no other run.
    Run,
}

/// To which processes a signal is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DrainTarget {
    All,
    /// Those without a parent but this process. A process that has had its TERM may start another one that it needs to end
    /// in good order, and wait for it.
    Orphans,
}

/// What a look has found of those that are to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// How many live.
    pub(crate) alive: usize,
    /// How many of them may not be signalled.
    pub(crate) out_of_reach: usize,
    /// How many couldn't be signalled this time.
    pub(crate) failed: usize,
    /// How many were sent KILL for the first time.
    pub(crate) killed: usize,
}

/// The drains of a process that is run again and again: one after the other.
#[derive(Debug)]
pub(crate) struct Drain {
    leftovers: Leftovers,
    /// The first process of the run, which has ended: its pid is the number of its process group.
    leader: Pid,
    phase: Phase,
    // Ordered sets: a hashed one asks the kernel for a key when it is made, at each start of a process.
    /// The processes that were sent TERM, and whether they had executed a program by then.
    told: BTreeMap<Identity, bool>,
    killed: BTreeSet<Identity>,
    empty_looks: u32,
    /// The last look couldn't be taken;
    is_blind: bool,
    /// and a stop has come since the last one that could.
    is_stopped: bool,
}

#[derive(Debug)]
enum Phase {
    Off,
    Asking {
        /// `None`: for ever.
        until: Option<Instant>,
        /// From then on processes that were born meanwhile are sent TERM, too, with or without a parent.
        all_from: Option<Instant>,
        look: Look,
        has_looked: bool,
    },
    Killing {
        until: Instant,
        look: Look,
        /// The lowest number of processes that a look has found.
        least: usize,
    },
}

/// When to look.
#[derive(Debug)]
struct Look {
    at: Instant,
    /// The time from the next look to the one after it.
    wait: Duration,
    longest_wait: Duration,
}

impl Look {
    fn new(now: Instant, scope: Scope) -> Look {
        let longest_wait = match scope {
            // The last of them is a child of this process by then, and the end of a child is told.
            Scope::All => LONGEST_TOLD_LOOK_INTERVAL,
            Scope::Group | Scope::Run => LONGEST_LOOK_INTERVAL,
        };
        Look { at: now, wait: FIRST_LOOK_INTERVAL, longest_wait }
    }

    fn is_due(&mut self, now: Instant, news: bool) -> bool {
        if !news && now < self.at {
            return false;
        }
        self.at = now + self.wait;
        self.wait = self.wait.saturating_mul(2).min(self.longest_wait);
        true
    }

    fn again(&mut self, now: Instant, wait: Duration) {
        self.at = now + wait;
        self.wait = FIRST_LOOK_INTERVAL;
    }
}

impl Drain {
    pub(crate) fn new(leftovers: Leftovers) -> Drain {
        Drain {
            leftovers,
            leader: Pid::new(0),
            phase: Phase::Off,
            told: BTreeMap::new(),
            killed: BTreeSet::new(),
            empty_looks: 0,
            is_blind: false,
            is_stopped: false,
        }
    }

    pub(crate) fn leftovers(&self) -> Leftovers {
        self.leftovers
    }

    /// The first process of the run whose leftovers are being ended.
    pub(crate) fn leader(&self) -> Option<Pid> {
        self.is_on().then_some(self.leader)
    }

    /// The run that this process led has ended, and may have left something. The budget has begun when the run was asked to
    /// stop, if it was.
    #[cold]
    pub(crate) fn begin(&mut self, leader: Pid, now: Instant, asked_at: Option<Instant>) {
        let Leftovers::Ended(scope, budget) = self.leftovers else { return };
        if let Phase::Off = self.phase {
            self.leader = leader;
            self.told.clear();
            self.killed.clear();
            self.empty_looks = 0;
            (self.is_blind, self.is_stopped) = (false, false);
            let until = asked_at.unwrap_or(now).checked_add(budget);
            let left = until.map_or(budget, |until| until.saturating_duration_since(now));
            let all_from = now.checked_add(left / 2);
            self.phase = Phase::Asking { until, all_from, look: Look::new(now, scope), has_looked: false };
        }
    }

    /// A second stop came, or the budget is spent.
    pub(crate) fn hurry(&mut self, now: Instant) {
        if let Phase::Asking { .. } = self.phase
            && let Leftovers::Ended(scope, _) = self.leftovers
        {
            self.empty_looks = 0;
            // It is to try to kill, at least.
            self.is_blind = false;
            self.phase = Phase::Killing { until: now + KILL_PATIENCE, look: Look::new(now, scope), least: usize::MAX };
        }
    }

    /// A look couldn't be taken: /proc can't be read now.
    pub(crate) fn looked_in_vain(&mut self) {
        self.is_blind = true;
    }

    /// A stop came. Where they can't be looked for, they are given up as soon as they can't be killed either.
    pub(crate) fn stopped(&mut self) {
        self.is_stopped |= self.is_blind;
    }

    /// Nobody is left, or those that are left are given up.
    pub(crate) fn end(&mut self) {
        self.phase = Phase::Off;
    }

    pub(crate) fn is_on(&self) -> bool {
        !matches!(self.phase, Phase::Off)
    }

    /// Which signal is to be sent to which processes now. `None`: it is not time to look for them. `news`: some child has
    /// ended.
    #[cold]
    pub(crate) fn look(&mut self, now: Instant, news: bool) -> Option<(Signal, DrainTarget)> {
        if let Phase::Asking { until: Some(until), .. } = self.phase
            && until <= now
        {
            self.hurry(now);
        }
        match &mut self.phase {
            Phase::Off => None,
            Phase::Asking { all_from, look, has_looked, .. } => {
                let all = all_from.take_if(|at| *at <= now).is_some();
                let target = if all || !*has_looked { DrainTarget::All } else { DrainTarget::Orphans };
                look.is_due(now, news || all).then_some((Signal::TERM, target))
            }
            Phase::Killing { look, .. } => look.is_due(now, news).then_some((Signal::KILL, DrainTarget::All)),
        }
    }

    /// Whether this process is to be sent that signal now. TERM is sent once, but twice to a process that executes a program
    /// in between: the first one may have gone to the handler of the program that forked it.
    #[cold]
    pub(crate) fn is_for(&self, signal: Signal, identity: Identity, has_executed: bool) -> bool {
        let told = match signal {
            Signal::KILL => None,
            _ => self.told.get(&identity),
        };
        told.is_none_or(|had_executed| has_executed && !had_executed)
    }

    /// It was sent that signal. Whether for the first time.
    #[cold]
    pub(crate) fn sent(&mut self, signal: Signal, identity: Identity, has_executed: bool) -> bool {
        match signal {
            Signal::KILL => self.killed.insert(identity),
            _ => self.told.insert(identity, has_executed).is_none(),
        }
    }

    /// A look was taken. Whether it was the last one: nobody is left but those that may not be signalled.
    #[cold]
    pub(crate) fn looked(&mut self, now: Instant, seen: Seen) -> bool {
        (self.is_blind, self.is_stopped) = (false, false);
        match &mut self.phase {
            Phase::Off => return false,
            Phase::Asking { look, has_looked, .. } => {
                *has_looked |= seen.failed == 0;
                if seen.failed > 0 {
                    look.again(now, FIRST_LOOK_INTERVAL);
                }
                return false;
            }
            Phase::Killing { until, look, least } => {
                if seen.alive < *least {
                    *least = seen.alive;
                    *until = now + KILL_PATIENCE;
                }
                if seen.killed > 0 {
                    // What they have started since the look began is there now, without its parents.
                    look.again(now, Duration::ZERO);
                } else if seen.alive == seen.out_of_reach || seen.failed > 0 {
                    look.again(now, FIRST_LOOK_INTERVAL);
                }
            }
        }
        let is_empty = match seen.alive {
            // If every descendant counts, some child of this process lives as long as any of them does.
            0 => !self.leftovers.is_all(),
            alive => alive == seen.out_of_reach,
        };
        self.empty_looks = if is_empty { self.empty_looks + 1 } else { 0 };
        self.empty_looks >= LOOKS_UNTIL_EMPTY
    }

    /// Whether those that were sent KILL are given up.
    pub(crate) fn is_given_up(&self, now: Instant) -> bool {
        let is_in_vain = self.is_blind && self.is_stopped;
        matches!(self.phase, Phase::Killing { until, .. } if until <= now || is_in_vain)
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Off => None,
            Phase::Asking { until, all_from, look, .. } => {
                [*until, *all_from, Some(look.at)].into_iter().flatten().min()
            }
            Phase::Killing { until, look, .. } => Some((*until).min(look.at)),
        }
    }
}

#[cfg(test)]
mod tests;
