//! The end of what a child has left behind: when to look for it, and with which signal.
//!
//! | | begins | it is time to look, or a child ended | the budget is spent, or somebody is impatient | nobody is left |
//! |---|---|---|---|---|
//! | off | ask | | | |
//! | asking | | TERM to those that are new | kill | off |
//! | killing | | KILL to all | give up, after a while | off |

use crate::sys::descendants::Image;
use crate::{Pid, Signal};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::{Duration, Instant};

/// How soon to look again for those born meanwhile, of whom nothing tells; then after twice as long, and so on.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// How long those that were killed have to end.
const PATIENCE: Duration = Duration::from_secs(1);

/// A process, and when it was started: what tells it from a later one of its number.
pub(crate) type Identity = (Pid, u64);

/// One child after the other may leave something behind.
#[derive(Debug)]
pub(crate) struct Drain {
    budget: Duration,
    phase: Phase,
    /// Those that have had their TERM, and as what.
    told: HashMap<Identity, Image>,
}

#[derive(Debug)]
enum Phase {
    Off,
    Asking {
        /// None: a time that never comes.
        until: Option<Instant>,
        look: Look,
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
            self.phase = Phase::Asking { until: now.checked_add(self.budget), look: Look::new(now) };
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

    /// What those that are there are to be sent now, if they are to be looked for; `news` says that some child has ended.
    pub(crate) fn look(&mut self, now: Instant, news: bool) -> Option<Signal> {
        if let Phase::Asking { until: Some(until), .. } = self.phase
            && until <= now
        {
            self.hurry(now);
        }
        match &mut self.phase {
            Phase::Off => None,
            Phase::Asking { look, .. } => look.is_due(now, news).then_some(Signal::TERM),
            Phase::Killing { look, .. } => look.is_due(now, news).then_some(Signal::KILL),
        }
    }

    /// Whether this one is to be sent that now. TERM comes once, but for one that was just forked, and then executes
    /// something: its parent's handler may have had it.
    pub(crate) fn is_for(&mut self, signal: Signal, identity: Identity, image: Image) -> bool {
        if signal == Signal::KILL {
            return true;
        }
        match self.told.entry(identity) {
            Entry::Vacant(place) => {
                place.insert(image);
                true
            }
            Entry::Occupied(mut told) => {
                let again = told.get().is_parents && !told.get().is_same(image);
                if again {
                    told.insert(image.of_its_own());
                }
                again
            }
        }
    }

    /// Whether they can't be ended.
    pub(crate) fn is_given_up(&self, now: Instant) -> bool {
        matches!(self.phase, Phase::Killing { until, .. } if until <= now)
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Off => None,
            Phase::Asking { until, look } => until.iter().copied().chain([look.at]).min(),
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
        assert_eq!(drain.look(now, false), Some(Signal::TERM));
        assert_eq!(drain.look(now + BUDGET - LOOK_AGAIN, true), Some(Signal::TERM));
        assert_eq!(drain.look(now + BUDGET, false), Some(Signal::KILL));
        assert!(!drain.is_given_up(now + BUDGET));
        assert!(drain.is_given_up(now + BUDGET + PATIENCE));
        drain.end();
        assert_eq!((drain.look(now, true), drain.deadline(), drain.is_on()), (None, None, false));
    }

    #[test]
    fn it_looks_more_and_more_rarely_but_whenever_a_child_ends() {
        let now = Instant::now();
        let mut drain = Drain::new(Duration::MAX);
        drain.begin(now);
        let mut looks = 0;
        let end = now + Duration::from_secs(600);
        while let Some(at) = drain.deadline().filter(|at| *at < end) {
            assert_eq!(drain.look(at, false), Some(Signal::TERM));
            looks += 1;
        }
        assert!((10..20).contains(&looks), "{looks} looks in ten minutes");
        let at = drain.deadline().unwrap() - LOOK_AGAIN;
        assert_eq!(drain.look(at, false), None);
        assert_eq!(drain.look(at, true), Some(Signal::TERM));
    }

    #[test]
    fn each_is_told_once_and_killed_until_it_ends() {
        let now = Instant::now();
        let mut drain = begun(now);
        let (one, image) = ((Pid::new(7), 70), Image::new(1, false));
        assert!(drain.is_for(Signal::TERM, one, image));
        assert!(!drain.is_for(Signal::TERM, one, image));
        assert!(!drain.is_for(Signal::TERM, one, Image::new(2, false)), "it executes something to end in good order");
        assert!(drain.is_for(Signal::TERM, (Pid::new(7), 71), image), "another of that number");
        assert!(drain.is_for(Signal::KILL, one, image) && drain.is_for(Signal::KILL, one, image));
        drain.end();
        drain.begin(now);
        assert!(drain.is_for(Signal::TERM, one, image), "what one child has left was told, and not what the next has");
    }

    #[test]
    fn who_was_told_between_fork_and_exec_is_told_again() {
        let mut drain = begun(Instant::now());
        let one = (Pid::new(7), 70);
        assert!(drain.is_for(Signal::TERM, one, Image::new(1, true)));
        assert!(
            !drain.is_for(Signal::TERM, one, Image::new(1, false)),
            "its parent has ended, or has executed something"
        );
        assert!(drain.is_for(Signal::TERM, one, Image::new(2, false)));
        assert!(!drain.is_for(Signal::TERM, one, Image::new(3, false)), "once");
    }

    #[test]
    fn impatience_kills_at_once() {
        let now = Instant::now();
        let mut drain = Drain::new(BUDGET);
        drain.hurry(now);
        assert!(!drain.is_on());
        drain.begin(now);
        drain.hurry(now);
        assert_eq!(drain.look(now, false), Some(Signal::KILL));
    }
}
