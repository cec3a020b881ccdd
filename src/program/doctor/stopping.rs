//! How long a stop takes, and how long others wait for it.

use super::finding::{Finding, finding};
use super::given::File;
use super::surroundings::Place;
use crate::formats::pmux::Config;
use crate::model::duration::Exact;
use crate::model::process_config::Restart;
use crate::policy::kill::DEFAULT_GRACE_PERIOD;
use crate::policy::stop::Stops;
use crate::program::options::settings::Settings;
use crate::report::hooks::HOOK_TIME;
use std::fmt::Write;
use std::time::Duration;

/// Who stops a process, and kills it if it is still there after a time.
struct Stopper {
    who: &'static str,
    /// The time, if none is set.
    seconds: u64,
    /// Where it is set.
    set_by: &'static str,
    /// What to write, but for the number.
    advice: &'static str,
}

const STOPPERS: [Stopper; 4] = [
    Stopper {
        who: "docker stop and podman stop",
        seconds: 10,
        set_by: "their -t, --stop-timeout of run and create, stop_grace_period of Compose",
        advice: "docker stop -t ",
    },
    Stopper { who: "supervisord", seconds: 10, set_by: "stopwaitsecs of the program", advice: "stopwaitsecs=" },
    Stopper {
        who: "Kubernetes",
        seconds: 30,
        set_by: "terminationGracePeriodSeconds of the pod",
        advice: "terminationGracePeriodSeconds: ",
    },
    Stopper {
        who: "systemd",
        seconds: 90,
        set_by: "TimeoutStopSec of the unit, DefaultTimeoutStopSec of system.conf",
        advice: "TimeoutStopSec=",
    },
];

/// The times that a stop takes at most.
struct Times {
    sum: Duration,
    /// The command itself has all the time it likes.
    is_open: bool,
    /// Each with the option that gives it.
    parts: String,
}

impl Times {
    const NONE: Times = Times { sum: Duration::ZERO, is_open: false, parts: String::new() };

    fn add(&mut self, time: Duration, what: &str) {
        self.sum = self.sum.saturating_add(time);
        let between = if self.parts.is_empty() { "" } else { ", " };
        let _ = write!(self.parts, "{between}{what}");
    }
}

/// Whether the sum of all times is within what others wait.
pub(super) fn stopping(settings: &Settings, file: &File, place: Place) -> Option<Finding> {
    let times = match file {
        File::Stdin | File::Refused(_) => return None,
        File::Read(config) => of_file(config)?,
        File::NotGiven => of_options(settings),
    };
    let mut means =
        "others kill after a time of their own. What is set can't be seen from here; these are the defaults:"
            .to_owned();
    let mut short = String::new();
    for Stopper { who, seconds, set_by, advice } in &STOPPERS {
        let time = Duration::from_secs(*seconds);
        let _ = write!(means, " {who} {} ({set_by}),", Exact(time));
        if is_meant(place, who) && times.sum >= time {
            let between = if short.is_empty() { "" } else { ", " };
            let _ = write!(short, "{between}{advice}{}", times.sum.as_secs() + 1);
        }
    }
    means.pop();
    let Times { sum, is_open, parts } = times;
    let sum = Exact(sum);
    if is_open {
        let and = if parts.is_empty() { "" } else { ", and besides: " };
        let seen = format!("a stop takes as long as the command does: there is no --kill-after{and}{parts}");
        return Some(finding(None, seen, means));
    }
    let found = finding(None, format!("a stop takes {sum} at most: {parts}"), means);
    if short.is_empty() {
        return Some(found);
    }
    Some(found.do_this(format!("have panicmon given more than {sum} to stop: {short}")))
}

/// Whether this one stops panicmon, as far as is known.
fn is_meant(place: Place, who: &str) -> bool {
    match place {
        Place::Kubernetes => who == "Kubernetes",
        Place::Container => who.starts_with("docker"),
        Place::Systemd => who == "systemd",
        Place::Supervisord => who == "supervisord",
        Place::Unknown => true,
    }
}

fn of_options(settings: &Settings) -> Times {
    let mut times = Times::NONE;
    let stops = settings.stop_signals.unwrap_or(Stops::DEFAULT);
    let delayed = settings.delays.iter().filter(|(signal, _)| stops.contains(*signal));
    if let Some((signal, delay)) = delayed.max_by_key(|(_, delay)| *delay) {
        times.add(*delay, &format!("{} {signal}={}", settings.name_of("delay"), Exact(*delay)));
    }
    match settings.kill_after {
        Some(grace) => times.add(grace, &format!("{} {}", settings.name_of("kill-after"), Exact(grace))),
        None => times.is_open = true,
    }
    match settings.drain {
        Some(drain) => times.add(drain, &format!("{} {}", settings.name_of("drain"), Exact(drain))),
        None if settings.restart() != Restart::Never => {
            times.add(
                DEFAULT_GRACE_PERIOD,
                &format!("{} for what a run leaves in its group", Exact(DEFAULT_GRACE_PERIOD)),
            );
        }
        None => {}
    }
    if !settings.hooks.is_empty() {
        let timeout = settings.hook_timeout.unwrap_or(HOOK_TIME);
        times.add(timeout, &format!("{} {}", settings.name_of("hook-timeout"), Exact(timeout)));
    }
    times
}

/// The processes of a file are stopped together. `None`: it has none.
fn of_file(config: &Config) -> Option<Times> {
    let longest = config.processes.iter().max_by_key(|process| process.sig_kill_wait)?;
    let mut times = Times::NONE;
    times.add(longest.sig_kill_wait, &format!("sigKillWait {} of {}", Exact(longest.sig_kill_wait), longest.name));
    Some(times)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::signal::Signal;

    fn told(settings: &Settings, place: Place) -> String {
        let mut report = super::super::finding::Report::new("");
        report.add(stopping(settings, &File::NotGiven, place).unwrap());
        report.end().0
    }

    #[test]
    fn a_sum_is_short_of_what_its_place_waits_or_there_is_something_to_do() {
        let seconds = |n| Some(Duration::from_secs(n));
        for (sum, place, to_do) in [
            (9, Place::Container, ""),
            (10, Place::Container, "docker stop -t 11"),
            (10, Place::Supervisord, "stopwaitsecs=11"),
            (29, Place::Kubernetes, ""),
            (30, Place::Kubernetes, "terminationGracePeriodSeconds: 31"),
            (89, Place::Systemd, ""),
            (90, Place::Systemd, "TimeoutStopSec=91"),
            (9, Place::Unknown, ""),
            (30, Place::Unknown, "docker stop -t 31, stopwaitsecs=31, terminationGracePeriodSeconds: 31"),
        ] {
            let text = told(&Settings { kill_after: seconds(sum), ..Settings::default() }, place);
            let end =
                if to_do.is_empty() { "There is nothing to do.\n".to_owned() } else { format!("to stop: {to_do}\n") };
            assert!(text.ends_with(&end), "{sum} {place:?}: {text}");
        }
    }

    #[test]
    fn all_that_takes_time_is_in_the_sum() {
        let seconds = Duration::from_secs;
        let mut settings = Settings {
            // A reload is no stop, and of two stops one is enough.
            delays: vec![(Signal::HUP, seconds(100)), (Signal::TERM, seconds(2)), (Signal::INT, seconds(3))],
            drain: Some(seconds(4)),
            hooks: vec![vec![c"hook".into()]],
            ..Settings::default()
        };
        let besides = "there is no --kill-after, and besides: --delay SIGINT=3s, --drain 4s, --hook-timeout 10s\n";
        assert!(told(&settings, Place::Systemd).contains(besides), "{}", told(&settings, Place::Systemd));
        settings.kill_after = Some(seconds(1));
        assert!(told(&settings, Place::Systemd).contains("a stop takes 18s at most: "));
        assert!(told(&settings, Place::Systemd).contains(", systemd 1m30s (TimeoutStopSec of the unit, "));
        (settings.drain, settings.restart) = (None, Some(Restart::Always));
        assert!(told(&settings, Place::Systemd).contains("a stop takes 24s at most: "));
    }
}
