//! The end of what a run of a command has left behind: when to look for it, and with which signal.
//!
//! | | begins | it is time to look, or a child ended | the budget is spent, or somebody is impatient | nobody is left |
//! |---|---|---|---|---|
//! | off | ask | | | |
//! | asking | | TERM to those that are new, see [`Who`] | kill | off |
//! | killing | | KILL to all, at once again while any was new | give up, a while after the last progress | off |

use crate::model::pid::Pid;
use crate::model::signal::Signal;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// How soon to look again for those born meanwhile, of whom nothing tells; then after twice as long, and so on.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// And at least this often where some may end without this process being told.
const LOOK_AT_LEAST: Duration = Duration::from_secs(1);

/// How long those that were killed have to end, and those to be found that they have born meanwhile, since there were fewer
/// of them the last time; on a busy machine that takes its time.
const PATIENCE: Duration = Duration::from_secs(5);

/// After how many looks that found nobody nobody is there: one who forks and ends all the time is easily missed.
const EMPTY_LOOKS: u32 = 3;

/// A process, and when it was started: what tells it from a later one of its number.
pub(crate) type Identity = (Pid, u64);

/// What is done about what a run leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leftovers {
    /// Nothing, and nothing is said.
    Ignored,
    /// Nothing, but it is said where somebody may be surprised.
    Told,
    /// It is ended: TERM, and KILL so much later.
    Ended(Scope, Duration),
}

impl Leftovers {
    /// Whether every descendant of this process is ended.
    pub(crate) fn is_all(self) -> bool {
        matches!(self, Leftovers::Ended(Scope::All, _))
    }
}

/// Whom a run may leave behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Every descendant of this process: it runs nothing else.
    All,
    /// Who is still in the run's own process group or session.
    Group,
    /// These, and every other descendant of this process that can be of no other run.
    Run,
}

/// Who is to be sent something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    All,
    /// Those that nobody else looks after. What somebody who has had his TERM starts, and waits for, may be what he needs
    /// to end in good order.
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

/// One run after the other may leave something behind.
#[derive(Debug)]
pub(crate) struct Drain {
    leftovers: Leftovers,
    /// The first process of the run, which has ended: its number is that of its process group.
    leader: Pid,
    phase: Phase,
    // Ordered sets: a hashed one asks the kernel for a key when it is made, which each start would pay for.
    /// Those that have had their TERM, and whether they had executed anything by then.
    told: BTreeMap<Identity, bool>,
    killed: BTreeSet<Identity>,
    empty_looks: u32,
}

#[derive(Debug)]
enum Phase {
    Off,
    Asking {
        /// `None`: never.
        until: Option<Instant>,
        /// From when on those that were born meanwhile are sent TERM, too, whoever looks after them.
        all_from: Option<Instant>,
        look: Look,
        has_looked: bool,
    },
    Killing {
        until: Instant,
        look: Look,
        /// How few there were at a look.
        least: usize,
    },
}

#[derive(Debug)]
struct Look {
    at: Instant,
    wait: Duration,
    longest: Duration,
}

impl Look {
    fn new(now: Instant, scope: Scope) -> Look {
        let longest = match scope {
            // Each of them becomes a child of this process before it is the last, and a child's end is told.
            Scope::All => Duration::from_secs(3600),
            Scope::Group | Scope::Run => LOOK_AT_LEAST,
        };
        Look { at: now, wait: LOOK_AGAIN, longest }
    }

    fn is_due(&mut self, now: Instant, news: bool) -> bool {
        if !news && now < self.at {
            return false;
        }
        self.at = now + self.wait;
        self.wait = self.wait.saturating_mul(2).min(self.longest);
        true
    }

    fn again(&mut self, now: Instant, wait: Duration) {
        self.at = now + wait;
        self.wait = LOOK_AGAIN;
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
        }
    }

    pub(crate) fn leftovers(&self) -> Leftovers {
        self.leftovers
    }

    /// The first process of the run whose leftovers are being ended.
    pub(crate) fn leader(&self) -> Option<Pid> {
        self.is_on().then_some(self.leader)
    }

    /// The run that this process led has ended, and may have left something; it was asked to stop at that time.
    #[cold]
    pub(crate) fn begin(&mut self, leader: Pid, now: Instant, asked_at: Option<Instant>) {
        let Leftovers::Ended(scope, budget) = self.leftovers else { return };
        if let Phase::Off = self.phase {
            self.leader = leader;
            self.told.clear();
            self.killed.clear();
            self.empty_looks = 0;
            let until = asked_at.unwrap_or(now).checked_add(budget);
            let left = until.map_or(budget, |until| until.saturating_duration_since(now));
            let all_from = now.checked_add(left / 2);
            self.phase = Phase::Asking { until, all_from, look: Look::new(now, scope), has_looked: false };
        }
    }

    /// Somebody is impatient, or the budget is spent.
    pub(crate) fn hurry(&mut self, now: Instant) {
        if let Phase::Asking { .. } = self.phase
            && let Leftovers::Ended(scope, _) = self.leftovers
        {
            self.empty_looks = 0;
            self.phase = Phase::Killing { until: now + PATIENCE, look: Look::new(now, scope), least: usize::MAX };
        }
    }

    /// Nobody is left, or who is left is given up.
    pub(crate) fn end(&mut self) {
        self.phase = Phase::Off;
    }

    pub(crate) fn is_on(&self) -> bool {
        !matches!(self.phase, Phase::Off)
    }

    /// What is to be sent now, and to whom of those that are there, if they are to be looked for; `news` says that some
    /// child has ended.
    #[cold]
    pub(crate) fn look(&mut self, now: Instant, news: bool) -> Option<(Signal, Who)> {
        if let Phase::Asking { until: Some(until), .. } = self.phase
            && until <= now
        {
            self.hurry(now);
        }
        match &mut self.phase {
            Phase::Off => None,
            Phase::Asking { all_from, look, has_looked, .. } => {
                let all = all_from.take_if(|at| *at <= now).is_some();
                let who = if all || !*has_looked { Who::All } else { Who::Orphans };
                look.is_due(now, news || all).then_some((Signal::TERM, who))
            }
            Phase::Killing { look, .. } => look.is_due(now, news).then_some((Signal::KILL, Who::All)),
        }
    }

    /// Whether this one is to be sent that now. TERM comes once, but for one that was just forked, and then executes
    /// something: its parent's handler may have had it.
    #[cold]
    pub(crate) fn is_for(&self, signal: Signal, identity: Identity, has_executed: bool) -> bool {
        let told = match signal {
            Signal::KILL => None,
            _ => self.told.get(&identity),
        };
        told.is_none_or(|had_executed| has_executed && !had_executed)
    }

    /// It was sent that. Whether it was for the first time.
    #[cold]
    pub(crate) fn sent(&mut self, signal: Signal, identity: Identity, has_executed: bool) -> bool {
        match signal {
            Signal::KILL => self.killed.insert(identity),
            _ => self.told.insert(identity, has_executed).is_none(),
        }
    }

    /// A look was taken. Whether that was the last: nobody is left but those that are out of reach.
    #[cold]
    pub(crate) fn looked(&mut self, now: Instant, seen: Seen) -> bool {
        match &mut self.phase {
            Phase::Off => return false,
            Phase::Asking { look, has_looked, .. } => {
                *has_looked |= seen.failed == 0;
                if seen.failed > 0 {
                    look.again(now, LOOK_AGAIN);
                }
                return false;
            }
            Phase::Killing { until, look, least } => {
                if seen.alive < *least {
                    *least = seen.alive;
                    *until = now + PATIENCE;
                }
                if seen.killed > 0 {
                    // Those that they have born since the look began are there now, without their parents.
                    look.again(now, Duration::ZERO);
                } else if seen.alive == seen.out_of_reach || seen.failed > 0 {
                    look.again(now, LOOK_AGAIN);
                }
            }
        }
        let is_empty = match seen.alive {
            // Where every descendant counts, a child of this process lives as long as any of them does.
            0 => !self.leftovers.is_all(),
            alive => alive == seen.out_of_reach,
        };
        self.empty_looks = if is_empty { self.empty_looks + 1 } else { 0 };
        self.empty_looks >= EMPTY_LOOKS
    }

    /// Whether they can't be ended.
    pub(crate) fn is_given_up(&self, now: Instant) -> bool {
        matches!(self.phase, Phase::Killing { until, .. } if until <= now)
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
mod tests {
    use super::*;

    const BUDGET: Duration = Duration::from_secs(10);
    const LEADER: Pid = Pid::new(7);

    fn drain(scope: Scope, budget: Duration) -> Drain {
        Drain::new(Leftovers::Ended(scope, budget))
    }

    fn begun(now: Instant) -> Drain {
        let mut drain = drain(Scope::All, BUDGET);
        drain.begin(LEADER, now, None);
        drain
    }

    /// This many live, and none of them is new.
    fn seen(alive: usize) -> Seen {
        Seen { alive, ..Seen::default() }
    }

    #[test]
    fn term_comes_at_once_and_kill_when_the_budget_is_spent() {
        let now = Instant::now();
        let mut drain = begun(now);
        assert_eq!(drain.leader(), Some(LEADER));
        assert_eq!(drain.look(now, false), Some((Signal::TERM, Who::All)));
        assert_eq!(drain.look(now + BUDGET, false), Some((Signal::KILL, Who::All)));
        assert!(!drain.is_given_up(now + BUDGET));
        assert!(drain.is_given_up(now + BUDGET + PATIENCE));
        drain.end();
        assert_eq!((drain.look(now, true), drain.deadline(), drain.is_on()), (None, None, false));
    }

    #[test]
    fn the_budget_of_a_run_that_was_asked_to_stop_has_begun_with_that() {
        let now = Instant::now();
        for (took, signal) in [(BUDGET / 2, Signal::TERM), (BUDGET, Signal::KILL), (BUDGET * 2, Signal::KILL)] {
            let mut drain = drain(Scope::Group, BUDGET);
            drain.begin(LEADER, now + took, Some(now));
            assert_eq!(drain.look(now + took, false), Some((signal, Who::All)), "{took:?}");
            assert_eq!(drain.look(now + took.max(BUDGET), true), Some((Signal::KILL, Who::All)));
        }
    }

    #[test]
    fn nothing_is_begun_where_nothing_is_to_be_ended() {
        for leftovers in [Leftovers::Ignored, Leftovers::Told] {
            let mut drain = Drain::new(leftovers);
            drain.begin(LEADER, Instant::now(), None);
            assert!(!drain.is_on());
        }
    }

    #[test]
    fn who_is_born_meanwhile_is_told_when_orphaned_or_when_half_of_the_time_is_over() {
        let now = Instant::now();
        let mut drain = begun(now);
        drain.look(now, false);
        drain.looked(now, seen(1));
        let half = now + BUDGET / 2;
        assert_eq!(drain.look(half - LOOK_AGAIN, true), Some((Signal::TERM, Who::Orphans)));
        assert!(drain.deadline() <= Some(half));
        assert_eq!(drain.look(half, false), Some((Signal::TERM, Who::All)));
        assert_eq!(drain.look(half + LOOK_AGAIN, true), Some((Signal::TERM, Who::Orphans)));
    }

    #[test]
    fn a_look_that_failed_or_reached_not_all_is_taken_again() {
        let now = Instant::now();
        let mut drain = begun(now);
        drain.look(now, false);
        // It was never said what it found.
        let mut at = now + LOOK_AGAIN;
        assert_eq!(drain.look(at, false), Some((Signal::TERM, Who::All)));
        drain.looked(at, Seen { alive: 2, failed: 1, ..Seen::default() });
        at += LOOK_AGAIN;
        assert_eq!(drain.look(at, false), Some((Signal::TERM, Who::All)));
        drain.looked(at, seen(2));
        assert_eq!(drain.look(at, true), Some((Signal::TERM, Who::Orphans)));
    }

    #[test]
    fn it_looks_more_and_more_rarely_but_whenever_a_child_ends() {
        for (scope, most) in [(Scope::All, 20), (Scope::Group, 620)] {
            let now = Instant::now();
            let mut drain = drain(scope, Duration::MAX);
            drain.begin(LEADER, now, None);
            let mut looks = 0;
            let end = now + Duration::from_secs(600);
            while let Some(at) = drain.deadline().filter(|at| *at < end) {
                assert!(matches!(drain.look(at, false), Some((Signal::TERM, _))));
                drain.looked(at, seen(1));
                looks += 1;
            }
            assert!((10..most).contains(&looks), "{looks} looks in ten minutes");
            let at = drain.deadline().unwrap() - LOOK_AGAIN;
            assert_eq!(drain.look(at, false), None);
            assert_eq!(drain.look(at, true), Some((Signal::TERM, Who::Orphans)));
        }
    }

    #[test]
    fn each_is_told_once_and_killed_until_it_ends() {
        let now = Instant::now();
        let mut drain = begun(now);
        let one = (Pid::new(7), 70);
        assert!(drain.is_for(Signal::TERM, one, true));
        assert!(drain.is_for(Signal::TERM, one, true), "it couldn't be sent");
        assert!(drain.sent(Signal::TERM, one, true));
        assert!(!drain.is_for(Signal::TERM, one, true));
        assert!(drain.is_for(Signal::TERM, (Pid::new(7), 71), true), "another of that number");
        assert!(drain.is_for(Signal::KILL, one, true) && drain.sent(Signal::KILL, one, true));
        assert!(drain.is_for(Signal::KILL, one, true) && !drain.sent(Signal::KILL, one, true));
        drain.end();
        drain.begin(LEADER, now, None);
        assert!(drain.is_for(Signal::TERM, one, true), "what one child has left was told, and not what the next has");
    }

    #[test]
    fn who_was_told_between_fork_and_exec_is_told_again() {
        let mut drain = begun(Instant::now());
        let one = (Pid::new(7), 70);
        for has_executed in [false, true] {
            assert!(drain.is_for(Signal::TERM, one, has_executed));
            drain.sent(Signal::TERM, one, has_executed);
            assert!(!drain.is_for(Signal::TERM, one, has_executed));
        }
    }

    #[test]
    fn impatience_kills_at_once() {
        let now = Instant::now();
        let mut drain = drain(Scope::All, BUDGET);
        drain.hurry(now);
        assert!(!drain.is_on());
        drain.begin(LEADER, now, None);
        drain.hurry(now);
        assert_eq!(drain.look(now, false), Some((Signal::KILL, Who::All)));
    }

    #[test]
    fn it_kills_at_once_again_while_any_was_new_and_waits_while_their_number_falls() {
        let start = Instant::now();
        let mut drain = begun(start);
        drain.hurry(start);
        let mut now = start;
        for killed in [5, 3, 1] {
            assert_eq!(drain.look(now, false), Some((Signal::KILL, Who::All)));
            assert!(!drain.looked(now, Seen { alive: 9, killed, ..Seen::default() }));
            assert_eq!(drain.deadline(), Some(now));
        }
        for alive in (1..9).rev() {
            now += PATIENCE - LOOK_AGAIN;
            assert!(!drain.is_given_up(now), "{alive}");
            drain.look(now, true);
            assert!(!drain.looked(now, seen(alive)));
            assert!(drain.deadline() > Some(now));
        }
        drain.looked(now + LOOK_AGAIN, seen(5));
        assert!(drain.is_given_up(now + PATIENCE), "there are no fewer than before");
    }

    #[test]
    fn it_is_over_when_looks_find_nobody_but_those_out_of_reach() {
        let out_of_reach = |alive, out_of_reach| Seen { alive, out_of_reach, ..Seen::default() };
        for (scope, kill, found, over) in [
            // It may have been missed, and may need its time.
            (Scope::Group, false, seen(0), false),
            (Scope::Group, true, seen(0), true),
            (Scope::Run, true, seen(0), true),
            (Scope::Group, false, out_of_reach(1, 1), false),
            (Scope::Group, true, out_of_reach(1, 1), true),
            (Scope::All, true, out_of_reach(2, 2), true),
            (Scope::All, true, out_of_reach(2, 1), false),
            // As long as there is any, there is a child.
            (Scope::All, true, seen(0), false),
        ] {
            let now = Instant::now();
            let mut drain = drain(scope, BUDGET);
            drain.begin(LEADER, now, None);
            if kill {
                drain.hurry(now);
            }
            let looks: Vec<_> = (0..EMPTY_LOOKS).map(|_| drain.looked(now, found)).collect();
            assert_eq!(looks, [false, false, over], "{scope:?} {kill} {found:?}");
            drain.looked(now, seen(5));
            assert!(!drain.looked(now, found), "one was found meanwhile");
        }
    }
}
