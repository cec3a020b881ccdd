//! When a process is started, and whether it is started again: decisions only.
//!
//! | | it is time | the process ended, or couldn't be started | it is to stop | it is to be started |
//! |---|---|---|---|---|
//! | due, at once or after a wait | start it | | over | due at once |
//! | running | | due after a wait, or over | over with its end | if it is to stop: due at once with its end |
//! | over | | | | due at once |

use super::backoff::Backoff;
use crate::model::event::GivenUp;
use crate::model::process_config::{NoRestartOn, ProcessConfig, Restart};
use crate::model::status::ExitStatus;
use crate::model::success::Success;
use std::time::{Duration, Instant};

/// One process, from its first start to its last end.
#[derive(Debug)]
pub(crate) struct Supervision {
    restart: Restart,
    no_restart_on: Vec<NoRestartOn>,
    /// What counts as a success beside exit code 0.
    success: Vec<Success>,
    backoff: Backoff,
    /// `None`: for ever.
    restarts_left: Option<u32>,
    state: State,
    /// What kept it from being started again when it ended last.
    given_up: Option<GivenUp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// To be started at this time. `None`: at once.
    Due(Option<Instant>),
    Running(Next),
    Over,
}

/// What follows when the process has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// What the rules say.
    ByRule,
    /// It is over.
    Over,
    /// It is started at once.
    Start,
}

impl Supervision {
    /// A process that is run once; what counts as a success beside exit code 0.
    pub(crate) fn once(success: Vec<Success>) -> Supervision {
        Supervision {
            restart: Restart::Never,
            no_restart_on: Vec::new(),
            success,
            backoff: Backoff::default(),
            restarts_left: None,
            state: State::Due(None),
            given_up: None,
        }
    }

    /// A process that is run as its configuration says.
    pub(crate) fn new(config: &ProcessConfig) -> Supervision {
        Supervision {
            restart: config.restart,
            no_restart_on: config.no_restart_on.clone(),
            success: config.success.clone(),
            backoff: Backoff::new(config.min_wait, config.max_wait),
            restarts_left: config.max_restarts,
            state: State::Due(None),
            given_up: None,
        }
    }

    /// Whether it isn't started any more, and has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// Whether it may be started more than once.
    pub(crate) fn may_restart(&self) -> bool {
        self.restart != Restart::Never && self.restarts_left != Some(0)
    }

    /// Whether it is to be started, now or later.
    pub(crate) fn is_to_start(&self) -> bool {
        matches!(self.state, State::Due(_))
    }

    /// When it is to be started, if it waits for that time.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Due(at) => at,
            State::Running(_) | State::Over => None,
        }
    }

    /// Whether it is to be started now.
    pub(crate) fn is_due(&self, now: impl FnOnce() -> Instant) -> bool {
        match self.state {
            State::Due(None) => true,
            State::Due(Some(at)) => at <= now(),
            State::Running(_) | State::Over => false,
        }
    }

    /// It is being started.
    pub(crate) fn starts(&mut self) {
        self.state = State::Running(Next::ByRule);
    }

    /// It ended with this status after this time. `None`: it couldn't be started. How long until it is started again, if it
    /// is.
    pub(crate) fn ended(&mut self, status: Option<ExitStatus>, took: Duration, now: Instant) -> Option<Duration> {
        let next = std::mem::replace(&mut self.state, State::Over);
        self.given_up = None;
        if next == State::Running(Next::Start) {
            self.state = State::Due(None);
            return Some(Duration::ZERO);
        }
        if next == State::Running(Next::Over) || !self.is_wanted_after(status) {
            return None;
        }
        if let Some(limit) = self.limit_after(status) {
            self.give_up(limit, status);
            return None;
        }
        if let Some(left) = &mut self.restarts_left {
            *left -= 1;
        }
        let wait = self.backoff.after(took);
        // A time so late that it overflows never comes.
        self.state = now.checked_add(wait).map_or(State::Over, |at| State::Due(Some(at)));
        Some(wait)
    }

    /// It is not to be started again. Whether that is the moment in which it is over.
    pub(crate) fn stop(&mut self) -> bool {
        match self.state {
            State::Running(_) => {
                self.state = State::Running(Next::Over);
                false
            }
            State::Due(_) => {
                self.state = State::Over;
                true
            }
            State::Over => false,
        }
    }

    /// It is to be started now, whatever the rules say; if it is being stopped, when it has ended.
    pub(crate) fn start_now(&mut self) {
        self.state = match self.state {
            State::Due(_) | State::Over => State::Due(None),
            State::Running(Next::Over | Next::Start) => State::Running(Next::Start),
            State::Running(Next::ByRule) => State::Running(Next::ByRule),
        };
    }

    /// What kept it from being started again when it ended last, though its rule wanted that. `None`: nothing did.
    pub(crate) fn given_up(&self) -> Option<GivenUp> {
        self.given_up
    }

    /// Whether an end with this status is a success.
    pub(crate) fn is_success(&self, status: ExitStatus) -> bool {
        Success::is_any_of(&self.success, status)
    }

    fn is_wanted_after(&self, status: Option<ExitStatus>) -> bool {
        match self.restart {
            Restart::Never => false,
            Restart::OnFailure => status.is_none_or(|status| !self.is_success(status)),
            Restart::Always => true,
        }
    }

    #[cold]
    fn give_up(&mut self, limit: GivenUp, status: Option<ExitStatus>) {
        // A success after which it isn't to be started again is what was wanted.
        let is_wanted = limit == GivenUp::NoRestartOn && status.is_some_and(|status| self.is_success(status));
        self.given_up = Some(limit).filter(|_| !is_wanted);
    }

    #[cold]
    fn limit_after(&self, status: Option<ExitStatus>) -> Option<GivenUp> {
        if self.no_restart_on.iter().any(|on| on.is(status)) {
            return Some(GivenUp::NoRestartOn);
        }
        (self.restarts_left == Some(0)).then_some(GivenUp::MaxRestarts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::signal::Signal;
    use crate::model::test_random::Random;

    const OK: Option<ExitStatus> = Some(ExitStatus::Exited(0));
    const FAILED: Option<ExitStatus> = Some(ExitStatus::Exited(3));
    const KILLED: Option<ExitStatus> = Some(ExitStatus::Signaled { signal: Signal::SEGV, core_dumped: true });
    const NOT_STARTED: Option<ExitStatus> = None;

    fn supervised(restart: Restart, no_restart_on: &[&str], max_restarts: Option<u32>) -> Supervision {
        let mut config = ProcessConfig::new("x");
        config.restart = restart;
        config.no_restart_on = no_restart_on.iter().map(|word| word.parse().unwrap()).collect();
        config.max_restarts = max_restarts;
        Supervision::new(&config)
    }

    fn ends(mut supervision: Supervision, status: Option<ExitStatus>) -> Option<Duration> {
        supervision.starts();
        let wait = supervision.ended(status, Duration::ZERO, Instant::now());
        assert_eq!(wait.is_none(), supervision.is_over());
        wait
    }

    #[test]
    fn it_is_started_again_by_its_rule_unless_the_end_is_one_of_those() {
        for (restart, no_restart_on, again) in [
            (Restart::Never, &[] as &[&str], [false, false, false, false]),
            (Restart::OnFailure, &[], [false, true, true, true]),
            (Restart::Always, &[], [true, true, true, true]),
            (Restart::Always, &["0"], [false, true, true, true]),
            (Restart::Always, &["-1"], [true, true, false, false]),
            (Restart::Always, &["SEGV", "3"], [true, false, false, true]),
            (Restart::Always, &["TERM"], [true, true, true, true]),
            (Restart::OnFailure, &["3"], [false, false, true, true]),
        ] {
            let seen = [OK, FAILED, KILLED, NOT_STARTED]
                .map(|status| ends(supervised(restart, no_restart_on, None), status).is_some());
            assert_eq!(seen, again, "{restart:?} {no_restart_on:?}");
        }
    }

    #[test]
    fn it_is_restarted_as_often_as_configured() {
        for most in [0, 1, 3] {
            let mut supervision = supervised(Restart::Always, &[], Some(most));
            let (mut starts, mut now) = (0, Instant::now());
            while supervision.is_due(|| now) {
                supervision.starts();
                starts += 1;
                supervision.ended(FAILED, Duration::ZERO, now);
                now = supervision.deadline().unwrap_or(now);
            }
            assert_eq!(starts, most + 1);
            assert!(supervision.is_over());
            assert_eq!(supervision.given_up(), Some(GivenUp::MaxRestarts));
        }
    }

    /// A rule that wants no restart gives nothing up, and neither does a stop.
    #[test]
    fn it_is_given_up_by_a_limit_only() {
        let after = |mut supervision: Supervision, status, stopped| {
            supervision.starts();
            if stopped {
                supervision.stop();
            }
            supervision.ended(status, Duration::ZERO, Instant::now());
            supervision.given_up()
        };
        let always = |no_restart_on, most| supervised(Restart::Always, no_restart_on, most);
        assert_eq!(after(always(&["3"], None), FAILED, false), Some(GivenUp::NoRestartOn));
        assert_eq!(after(always(&[], Some(0)), FAILED, false), Some(GivenUp::MaxRestarts));
        assert_eq!(after(always(&["0"], None), OK, false), None, "it ended as it was to");
        assert_eq!(after(always(&["3"], Some(0)), FAILED, true), None, "a stop");
        assert_eq!(after(always(&["3"], None), OK, false), None, "it is started again");
        assert_eq!(after(supervised(Restart::OnFailure, &["0"], Some(0)), OK, false), None, "a success");
        assert_eq!(after(supervised(Restart::Never, &["3"], Some(0)), FAILED, false), None, "never");
    }

    #[test]
    fn the_wait_is_the_backoffs_and_no_start_comes_early() {
        let mut supervision = supervised(Restart::Always, &[], None);
        let mut now = Instant::now();
        assert!(supervision.is_due(|| now));
        for seconds in [1, 2, 4, 8] {
            supervision.starts();
            assert!(!supervision.is_due(|| now) && supervision.deadline().is_none());
            assert_eq!(supervision.ended(FAILED, Duration::ZERO, now), Some(Duration::from_secs(seconds)));
            let due = now + Duration::from_secs(seconds);
            assert_eq!(supervision.deadline(), Some(due));
            assert!(!supervision.is_due(|| due - Duration::from_nanos(1)) && supervision.is_due(|| due));
            now = due;
        }
    }

    #[test]
    fn a_stop_ends_a_wait_at_once_and_a_run_with_its_end() {
        let mut supervision = supervised(Restart::Always, &[], None);
        supervision.starts();
        assert!(!supervision.stop() && !supervision.is_over());
        assert_eq!(supervision.ended(FAILED, Duration::ZERO, Instant::now()), None);
        let mut waiting = supervised(Restart::Always, &[], None);
        waiting.starts();
        waiting.ended(FAILED, Duration::ZERO, Instant::now());
        assert!(waiting.stop() && waiting.is_over());
        assert!(supervised(Restart::Always, &[], None).stop(), "before the first start");
    }

    /// In any order of events, there is no start after a stop.
    #[test]
    fn at_random_nothing_starts_after_a_stop() {
        let mut random = Random::new(7);
        for _ in 0..2_000 {
            let mut supervision = supervised(Restart::Always, &[], None);
            let (mut now, mut running, mut stopped) = (Instant::now(), false, false);
            for _ in 0..30 {
                now += Duration::from_millis(random.below(3_000));
                if supervision.is_due(|| now) {
                    assert!(!running && !stopped);
                    supervision.starts();
                    running = true;
                } else if running && random.below(2) == 0 {
                    let status = [OK, FAILED, KILLED, NOT_STARTED][random.below(4) as usize];
                    let wait = supervision.ended(status, Duration::from_millis(random.below(5_000)), now);
                    assert_eq!(wait.is_none(), stopped);
                    running = false;
                } else if random.below(10) == 0 {
                    supervision.stop();
                    stopped = true;
                }
                assert_eq!(supervision.is_over(), stopped && !running);
            }
        }
    }
}
