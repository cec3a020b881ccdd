//! Counts of what has happened, as Prometheus reads them.

use crate::model::event::{Event, ProcessExited};
use crate::model::handler::Handler;
use crate::model::signal::Signal;
use crate::model::status::ExitStatus;
use std::collections::BTreeMap;
use std::fmt::{self, Display, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// Counts what it is told of; what it displays is Prometheus' text format. A clone is the same counts.
///
/// Each metric has the label `name`: of which process it is.
///
/// | metric | what it tells |
/// |---|---|
/// | `panicmon_up` | 1 while the process runs, else 0 |
/// | `panicmon_start_time_seconds` | when it was started last, in Unix time; not before that |
/// | `panicmon_starts_total` | how often it was started |
/// | `panicmon_restarts_total` | how often it was started again, or that was tried |
/// | `panicmon_exits_total{result,code,signal}` | its ends, by [`result`](ProcessExited::result); `start-failed`: it couldn't be started; `resources`: its status is lost |
/// | `panicmon_panics_total{language}` | its ends by a panic, where [`ProcessExited::panic`] tells of one |
/// | `panicmon_signals_total{signal,outcome}` | the signals that came: `passed`, `dropped`, `delayed` or `failed` |
/// | `panicmon_oom_kills_total` | the processes of its cgroup that were killed for want of memory while it ran |
/// | `panicmon_orphans_reaped_total` | the orphans that were reaped; without a name in the library, as nobody knows whose they were |
/// | `panicmon_cpu_seconds_total{mode}` | the processor time of its ended runs, as `user` and `system` |
/// | `panicmon_max_rss_bytes` | the most memory that one of these has used |
///
/// ```
/// use panicmon::{Executor, Options, handlers::Metrics};
///
/// let metrics = Metrics::default();
/// Executor::new(Options::default().handler(metrics.clone()))?.run(["false"])?;
/// let text = metrics.to_string();
/// assert!(text.contains("panicmon_exits_total{name=\"false\",result=\"exit-code\",code=\"1\",signal=\"\"} 1\n"));
/// # Ok::<(), panicmon::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Metrics(Arc<Mutex<Counts>>);

impl Handler for Metrics {
    fn event(&mut self, event: &Event<'_>) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).count(event, event.name().unwrap_or_default(), now);
    }
}

impl Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fmt(f)
    }
}

/// The counts of all processes, by their names.
#[derive(Debug, Default)]
pub(crate) struct Counts(BTreeMap<String, Of>);

/// The counts of one.
#[derive(Debug, Default)]
struct Of {
    is_up: bool,
    /// It was to be started at least once.
    was_started: bool,
    /// In Unix time.
    started_at: Option<Duration>,
    starts: u64,
    restarts: u64,
    exits: BTreeMap<(&'static str, String, String), u64>,
    panics: BTreeMap<&'static str, u64>,
    signals: BTreeMap<(String, &'static str), u64>,
    oom_kills: u64,
    orphans: u64,
    user: Duration,
    system: Duration,
    max_rss: u64,
}

impl Counts {
    /// Those of this process are told from now on, also while they are 0.
    pub(crate) fn expect(&mut self, name: &str) {
        self.of(name);
    }

    /// Counts an event, which happened at this Unix time, and returns whether it is one that counts.
    pub(crate) fn count(&mut self, event: &Event<'_>, name: &str, at: Duration) -> bool {
        let of = self.of(name);
        match event {
            Event::Starting(_) => {
                of.restarts += u64::from(of.was_started);
                of.was_started = true;
            }
            Event::Started(_) => {
                of.starts += 1;
                (of.is_up, of.started_at) = (true, Some(at));
            }
            Event::Failed(failed) => {
                of.is_up = false;
                of.ended(failed.result(), String::new(), String::new());
            }
            Event::Exited(exited) => of.exited(exited),
            Event::Passed(event) => of.came(event.came, "passed"),
            Event::Dropped(event) => of.came(event.signal, "dropped"),
            Event::Delayed(event) => of.came(event.signal, "delayed"),
            Event::NotPassed(event) => of.came(event.signal, "failed"),
            Event::OrphanReaped(_) => of.orphans += 1,
            _ => return false,
        }
        true
    }

    fn of(&mut self, name: &str) -> &mut Of {
        if !self.0.contains_key(name) {
            self.0.insert(name.to_owned(), Of::default());
        }
        self.0.entry(name.to_owned()).or_default()
    }
}

impl Of {
    fn exited(&mut self, exited: &ProcessExited<'_>) {
        self.is_up = false;
        let (code, signal) = match exited.status {
            ExitStatus::Exited(code) => (code.to_string(), String::new()),
            ExitStatus::Signaled { signal, .. } => (String::new(), word(signal)),
        };
        self.ended(exited.result(), code, signal);
        self.oom_kills += exited.oom.as_ref().map_or(0, |oom| oom.kills);
        if let Some(panic) = &exited.panic {
            *self.panics.entry(panic.language).or_default() += 1;
        }
        self.user += exited.usage.user;
        self.system += exited.usage.system;
        self.max_rss = self.max_rss.max(exited.usage.max_rss_bytes);
    }

    fn ended(&mut self, result: &'static str, code: String, signal: String) {
        *self.exits.entry((result, code, signal)).or_default() += 1;
    }

    fn came(&mut self, signal: Signal, outcome: &'static str) {
        *self.signals.entry((word(signal), outcome)).or_default() += 1;
    }
}

/// A signal without its SIG, as events have it.
fn word(signal: Signal) -> String {
    let name = signal.to_string();
    name.strip_prefix("SIG").map(str::to_owned).unwrap_or(name)
}

impl Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Text(f);
        text.simple(self, "up", "gauge", "Whether the process runs.", |of| Some(f64::from(u8::from(of.is_up))))?;
        let started = |of: &Of| of.started_at.map(|at| at.as_secs_f64());
        text.simple(self, "start_time_seconds", "gauge", "When the process was started last, in Unix time.", started)?;
        text.simple(self, "starts_total", "counter", "How often the process was started.", |of| {
            Some(of.starts as f64)
        })?;
        let restarts = |of: &Of| Some(of.restarts as f64);
        text.simple(self, "restarts_total", "counter", "How often the process was started again.", restarts)?;
        text.head("exits_total", "counter", "The ends of the process.")?;
        for (name, of) in &self.0 {
            for ((result, code, signal), count) in &of.exits {
                let labels = [("name", name.as_str()), ("result", *result), ("code", code), ("signal", signal)];
                text.sample("exits_total", &labels, *count as f64)?;
            }
        }
        text.head("panics_total", "counter", "The ends of the process by a panic.")?;
        for (name, of) in &self.0 {
            for (language, count) in &of.panics {
                text.sample("panics_total", &[("name", name.as_str()), ("language", *language)], *count as f64)?;
            }
        }
        text.head("signals_total", "counter", "The signals that came, and what became of them.")?;
        for (name, of) in &self.0 {
            for ((signal, outcome), count) in &of.signals {
                let labels = [("name", name.as_str()), ("signal", signal), ("outcome", *outcome)];
                text.sample("signals_total", &labels, *count as f64)?;
            }
        }
        let kills = "The processes of the cgroup that were killed for want of memory while the process ran.";
        text.simple(self, "oom_kills_total", "counter", kills, |of| Some(of.oom_kills as f64))?;
        text.simple(self, "orphans_reaped_total", "counter", "The orphans that were reaped.", |of| {
            Some(of.orphans as f64)
        })?;
        text.head("cpu_seconds_total", "counter", "The processor time of the ended runs.")?;
        for (name, of) in &self.0 {
            for (mode, time) in [("user", of.user), ("system", of.system)] {
                text.sample("cpu_seconds_total", &[("name", name.as_str()), ("mode", mode)], time.as_secs_f64())?;
            }
        }
        let most = "The most memory that an ended run has used.";
        text.simple(self, "max_rss_bytes", "gauge", most, |of| Some(of.max_rss as f64))
    }
}

/// Prometheus' text format.
struct Text<'f, 'b>(&'f mut fmt::Formatter<'b>);

impl Text<'_, '_> {
    fn head(&mut self, metric: &str, kind: &str, help: &str) -> fmt::Result {
        writeln!(self.0, "# HELP panicmon_{metric} {help}\n# TYPE panicmon_{metric} {kind}")
    }

    fn sample(&mut self, metric: &str, labels: &[(&str, &str)], value: f64) -> fmt::Result {
        write!(self.0, "panicmon_{metric}")?;
        for (number, (label, value)) in labels.iter().enumerate() {
            write!(self.0, "{}{label}=\"", if number == 0 { '{' } else { ',' })?;
            for character in value.chars() {
                match character {
                    '\\' => self.0.write_str("\\\\")?,
                    '"' => self.0.write_str("\\\"")?,
                    '\n' => self.0.write_str("\\n")?,
                    other => self.0.write_char(other)?,
                }
            }
            self.0.write_char('"')?;
        }
        writeln!(self.0, "}} {value}")
    }

    /// A metric of which each process has one value at most.
    fn simple(
        &mut self,
        counts: &Counts,
        metric: &str,
        kind: &str,
        help: &str,
        value: impl Fn(&Of) -> Option<f64>,
    ) -> fmt::Result {
        self.head(metric, kind, help)?;
        for (name, of) in &counts.0 {
            if let Some(value) = value(of) {
                self.sample(metric, &[("name", name.as_str())], value)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::death::Oom;
    use crate::model::event::{OrphanReaped, ProcessStarted, ProcessStarting, SignalDropped};
    use crate::model::origin::Origin;
    use crate::model::pid::Pid;

    /// The samples, each by its name and labels.
    fn samples(counts: &Counts) -> BTreeMap<String, f64> {
        let text = counts.to_string();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines
            .filter_map(|line| line.rsplit_once(' '))
            .map(|(key, value)| (key.to_owned(), value.parse().unwrap()))
            .collect()
    }

    fn count(counts: &mut Counts, event: &Event<'_>) {
        let name = event.name().unwrap_or_default().to_owned();
        counts.count(event, &name, Duration::from_millis(1_500));
    }

    #[test]
    fn each_event_is_counted_where_it_belongs() {
        let mut counts = Counts::default();
        counts.expect("web");
        assert_eq!(samples(&counts)["panicmon_up{name=\"web\"}"], 0.0);
        let pid = Pid::new(7);
        for _ in 0..2 {
            count(&mut counts, &Event::Starting(ProcessStarting::new("web", &[])));
            count(&mut counts, &Event::Started(ProcessStarted::new("web", &[], pid)));
        }
        assert_eq!(samples(&counts)["panicmon_up{name=\"web\"}"], 1.0);
        let mut exited = ProcessExited::new("web", &[], pid, ExitStatus::Exited(3));
        exited.usage.user = Duration::from_millis(250);
        exited.usage.max_rss_bytes = 4096;
        exited.oom = Some(Oom { kills: 2, ..Oom::default() });
        count(&mut counts, &Event::Exited(exited));
        let killed = ExitStatus::Signaled { signal: Signal::KILL, core_dumped: false };
        count(&mut counts, &Event::Exited(ProcessExited::new("web", &[], pid, killed)));
        count(&mut counts, &Event::Dropped(SignalDropped::new("web", Signal::HUP, Origin::Kernel, pid)));
        count(&mut counts, &Event::OrphanReaped(OrphanReaped::new(pid, ExitStatus::Exited(0))));
        let samples = samples(&counts);
        for (sample, value) in [
            ("up{name=\"web\"}", 0.0),
            ("start_time_seconds{name=\"web\"}", 1.5),
            ("starts_total{name=\"web\"}", 2.0),
            ("restarts_total{name=\"web\"}", 1.0),
            ("exits_total{name=\"web\",result=\"exit-code\",code=\"3\",signal=\"\"}", 1.0),
            ("exits_total{name=\"web\",result=\"signal\",code=\"\",signal=\"KILL\"}", 1.0),
            ("signals_total{name=\"web\",signal=\"HUP\",outcome=\"dropped\"}", 1.0),
            ("oom_kills_total{name=\"web\"}", 2.0),
            ("orphans_reaped_total{name=\"\"}", 1.0),
            ("cpu_seconds_total{name=\"web\",mode=\"user\"}", 0.25),
            ("cpu_seconds_total{name=\"web\",mode=\"system\"}", 0.0),
            ("max_rss_bytes{name=\"web\"}", 4096.0),
        ] {
            assert_eq!(samples.get(&format!("panicmon_{sample}")), Some(&value), "{sample}: {samples:?}");
        }
    }

    #[test]
    fn a_name_cannot_break_the_format() {
        let mut counts = Counts::default();
        counts.expect("a\"b\\c\nd");
        assert!(counts.to_string().contains("panicmon_up{name=\"a\\\"b\\\\c\\nd\"} 0\n"), "{counts}");
    }
}
