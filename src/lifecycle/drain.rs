//! The end of what a child has left behind: when to look for it, and with which signal.
//!
//! | | begins | it is time to look, or a child ended | the budget is spent, or somebody is impatient | nobody is left |
//! |---|---|---|---|---|
//! | off | ask | | | |
//! | asking | | TERM to those that are new, see [`Who`] | kill | off |
//! | killing | | KILL to all | give up, after a while | off |

use crate::{Pid, Signal};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How soon to look again for those born meanwhile, of whom nothing tells; then after twice as long, and so on.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// How long those that were killed have to end, and those to be found that they have born meanwhile; on a busy machine that
/// takes its time.
const PATIENCE: Duration = Duration::from_secs(5);

/// A process, and when it was started: what tells it from a later one of its number.
pub(crate) type Identity = (Pid, u64);

/// Who is to be sent something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    All,
    /// Those that nobody else looks after. What somebody who has had his TERM starts, and waits for, may be what he needs
    /// to end in good order.
    Orphans,
}

/// One child after the other may leave something behind.
#[derive(Debug)]
pub(crate) struct Drain {
    budget: Duration,
    phase: Phase,
    /// Those that have had their TERM, and whether they had executed anything by then.
    told: HashMap<Identity, bool>,
}

#[derive(Debug)]
enum Phase {
    Off,
    Asking {
        /// None: a time that never comes.
        until: Option<Instant>,
        /// From when on those that were born meanwhile are sent TERM, too, whoever looks after them.
        all_from: Option<Instant>,
        look: Look,
        has_looked: bool,
    },
    Killing {
        until: Instant,
        look: Look,
    },
}

#[derive(Debug)]
struct Look {
    at: Instant,
    wait: Duration,
}

impl Look {
    fn new(now: Instant) -> Look {
        Look { at: now, wait: LOOK_AGAIN }
    }

    fn is_due(&mut self, now: Instant, news: bool) -> bool {
        if !news && now < self.at {
            return false;
        }
        self.at = now + self.wait;
        self.wait = self.wait.saturating_mul(2).min(Duration::from_secs(3600));
        true
    }
}

impl Drain {
    pub(crate) fn new(budget: Duration) -> Drain {
        Drain { budget, phase: Phase::Off, told: HashMap::new() }
    }

    /// A child has ended.
    pub(crate) fn begin(&mut self, now: Instant) {
        if let Phase::Off = self.phase {
            self.told.clear();
            let (until, all_from) = (now.checked_add(self.budget), now.checked_add(self.budget / 2));
            self.phase = Phase::Asking { until, all_from, look: Look::new(now), has_looked: false };
        }
    }

    /// Somebody is impatient.
    pub(crate) fn hurry(&mut self, now: Instant) {
        if let Phase::Asking { .. } = self.phase {
            self.phase = Phase::Killing { until: now + PATIENCE, look: Look::new(now) };
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
                let is_first = !std::mem::replace(has_looked, true);
                let who = if all || is_first { Who::All } else { Who::Orphans };
                look.is_due(now, news || all).then_some((Signal::TERM, who))
            }
            Phase::Killing { look, .. } => look.is_due(now, news).then_some((Signal::KILL, Who::All)),
        }
    }

    /// Whether this one is to be sent that now. TERM comes once, but for one that was just forked, and then executes
    /// something: its parent's handler may have had it.
    pub(crate) fn is_for(&mut self, signal: Signal, identity: Identity, has_executed: bool) -> bool {
        let told = match signal {
            Signal::KILL => None,
            _ => self.told.insert(identity, has_executed),
        };
        told.is_none_or(|had_executed| has_executed && !had_executed)
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
            Phase::Killing { until, look } => Some((*until).min(look.at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: Duration = Duration::from_secs(10);

    fn begun(now: Instant) -> Drain {
        let mut drain = Drain::new(BUDGET);
        drain.begin(now);
        drain
    }

    #[test]
    fn term_comes_at_once_and_kill_when_the_budget_is_spent() {
        let now = Instant::now();
        let mut drain = begun(now);
        assert_eq!(drain.look(now, false), Some((Signal::TERM, Who::All)));
        assert_eq!(drain.look(now + BUDGET, false), Some((Signal::KILL, Who::All)));
        assert!(!drain.is_given_up(now + BUDGET));
        assert!(drain.is_given_up(now + BUDGET + PATIENCE));
        drain.end();
        assert_eq!((drain.look(now, true), drain.deadline(), drain.is_on()), (None, None, false));
    }

    #[test]
    fn who_is_born_meanwhile_is_told_when_orphaned_or_when_half_of_the_time_is_over() {
        let now = Instant::now();
        let mut drain = begun(now);
        drain.look(now, false);
        let half = now + BUDGET / 2;
        assert_eq!(drain.look(half - LOOK_AGAIN, true), Some((Signal::TERM, Who::Orphans)));
        assert!(drain.deadline() <= Some(half));
        assert_eq!(drain.look(half, false), Some((Signal::TERM, Who::All)));
        assert_eq!(drain.look(half + LOOK_AGAIN, true), Some((Signal::TERM, Who::Orphans)));
    }

    #[test]
    fn it_looks_more_and_more_rarely_but_whenever_a_child_ends() {
        let now = Instant::now();
        let mut drain = Drain::new(Duration::MAX);
        drain.begin(now);
        let mut looks = 0;
        let end = now + Duration::from_secs(600);
        while let Some(at) = drain.deadline().filter(|at| *at < end) {
            assert!(matches!(drain.look(at, false), Some((Signal::TERM, _))));
            looks += 1;
        }
        assert!((10..20).contains(&looks), "{looks} looks in ten minutes");
        let at = drain.deadline().unwrap() - LOOK_AGAIN;
        assert_eq!(drain.look(at, false), None);
        assert_eq!(drain.look(at, true), Some((Signal::TERM, Who::Orphans)));
    }

    #[test]
    fn each_is_told_once_and_killed_until_it_ends() {
        let now = Instant::now();
        let mut drain = begun(now);
        let one = (Pid::new(7), 70);
        assert!(drain.is_for(Signal::TERM, one, true));
        assert!(!drain.is_for(Signal::TERM, one, true));
        assert!(drain.is_for(Signal::TERM, (Pid::new(7), 71), true), "another of that number");
        assert!(drain.is_for(Signal::KILL, one, true) && drain.is_for(Signal::KILL, one, true));
        drain.end();
        drain.begin(now);
        assert!(drain.is_for(Signal::TERM, one, true), "what one child has left was told, and not what the next has");
    }

    #[test]
    fn who_was_told_between_fork_and_exec_is_told_again() {
        let mut drain = begun(Instant::now());
        let one = (Pid::new(7), 70);
        assert!(drain.is_for(Signal::TERM, one, false));
        assert!(!drain.is_for(Signal::TERM, one, false));
        assert!(drain.is_for(Signal::TERM, one, true));
        assert!(!drain.is_for(Signal::TERM, one, true));
    }

    #[test]
    fn impatience_kills_at_once() {
        let now = Instant::now();
        let mut drain = Drain::new(BUDGET);
        drain.hurry(now);
        assert!(!drain.is_on());
        drain.begin(now);
        drain.hurry(now);
        assert_eq!(drain.look(now, false), Some((Signal::KILL, Who::All)));
    }
}
