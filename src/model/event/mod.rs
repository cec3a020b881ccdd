//! What handlers are told.
//!
//! | file | the events |
//! |---|---|
//! | `process` | a process starts, ends, stops, goes on, is started again |
//! | `signal` | a signal came, and what became of it |
//! | `drain` | what ended processes have left behind |
//! | `keep` | an event with nothing borrowed |
//! | `summary` | the end of a run in a sentence |
//! | `serialize` | an event as a serde map (feature `serde`) |

pub(crate) mod drain;
mod keep;
pub(crate) mod process;
#[cfg(feature = "serde")]
pub(crate) mod serialize;
pub(crate) mod signal;
pub(crate) mod summary;

pub use drain::{DrainEnded, DrainSignaled, DrainStarted, OrphanReaped};
pub use process::{
    GivenUp, PreviousRunLost, ProcessContinued, ProcessExited, ProcessFailed, ProcessReady, ProcessStarted,
    ProcessStarting, ProcessStatus, ProcessStopped, RestartGivenUp, RestartScheduled,
};
pub use signal::{SignalDelayed, SignalDropped, SignalFailed, SignalPassed, SignalReceived};

use crate::model::signal::Signal;

/// Any of the events.
///
/// A handler borrows the event it is told of. To keep it, or to send it to another thread, take
/// [`to_owned`](Event::to_owned):
///
/// ```
/// use panicmon::{Event, Executor, Handler, Options};
/// use std::sync::mpsc;
///
/// struct Forward(mpsc::Sender<Event<'static>>);
///
/// impl Handler for Forward {
///     fn event(&mut self, event: &Event<'_>) {
///         let _ = self.0.send(event.to_owned());
///     }
/// }
///
/// let (sender, events) = mpsc::channel();
/// Executor::new(Options::default().handler(Forward(sender)))?.run(["true"])?;
/// let kinds: Vec<_> = events.iter().map(|event| event.kind()).collect();
/// assert_eq!(kinds, ["process.starting", "process.started", "process.exited"]);
/// # Ok::<(), panicmon::Error>(())
/// ```
///
/// Each event can be built, for a test of a handler: by the `new` of its type, which takes what every such event has.
/// What `new` doesn't take can be assigned afterwards.
///
/// ```
/// use panicmon::{Event, ExitStatus, Pid, ProcessExited};
/// use std::time::Duration;
///
/// let mut exited = ProcessExited::new("web", vec!["myserver".into()], Pid::new(7), ExitStatus::Exited(3));
/// exited.duration = Duration::from_secs(60);
/// let event = Event::Exited(exited);
/// assert_eq!(event.name(), Some("web"));
/// ```
///
/// With the feature `serde` an event can be written, as a map: [`event`](Event::kind), `name`, and the fields of its type,
/// under the same names. But:
///
/// - Durations are in milliseconds (`delay_ms`, `duration_ms`), and signals have their names without `SIG`.
/// - `executable` is the first word of `args`. The others are left out, since they may hold secrets.
/// - An end has `code`, or `signal` and `core_dumped`, in place of the status. Its `result` is `exit-code`, `signal` or
///   `core-dump`; `timeout` if the kill after a stop ended it; `success` if the code is 0, or if the end was requested: also
///   by a signal.
/// - A process that couldn't be started has `stage`, `errno`, `error` and `summary`.
/// - A signal has a `number`, and its origin as `code` (`kernel`, `user`, `queue`, `other`), `sender` and `value`.
///
/// ```json
/// {"event":"process.exited","name":"web","executable":"myserver","pid":679,"result":"success","signal":"TERM",
///  "core_dumped":false,"requested":true,"duration_ms":301,"usage":{"user_ms":0,"system_ms":0,"max_rss_bytes":7151616,
///  "minor_faults":78,"major_faults":0,"voluntary_switches":2,"involuntary_switches":0}}
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
#[expect(clippy::large_enum_variant, reason = "an event is lent to handlers, and hardly ever moved")]
pub enum Event<'a> {
    /// The process is about to be started.
    Starting(ProcessStarting<'a>),
    /// There is a child.
    Started(ProcessStarted<'a>),
    /// It couldn't be started.
    Failed(ProcessFailed<'a>),
    /// It ended.
    Exited(ProcessExited<'a>),
    /// It was stopped by a signal.
    Stopped(ProcessStopped<'a>),
    /// It was continued.
    Continued(ProcessContinued<'a>),
    /// It will be started again.
    RestartScheduled(RestartScheduled<'a>),
    /// It would be started again, but a limit is reached.
    RestartGivenUp(RestartGivenUp<'a>),
    /// It has said that it is ready.
    Ready(ProcessReady<'a>),
    /// It has said how it is.
    Status(ProcessStatus<'a>),
    /// The last run has vanished without a record.
    PreviousRunLost(PreviousRunLost<'a>),
    /// A signal came.
    Received(SignalReceived<'a>),
    /// It was passed on.
    Passed(SignalPassed<'a>),
    /// It isn't passed on.
    Dropped(SignalDropped<'a>),
    /// It will be passed on later.
    Delayed(SignalDelayed<'a>),
    /// It couldn't be passed on.
    NotPassed(SignalFailed<'a>),
    /// An orphan that this program was given has ended.
    OrphanReaped(OrphanReaped),
    /// What an ended run has left behind is being ended.
    DrainStarted(DrainStarted<'a>),
    /// One of those processes was sent a signal.
    DrainSignaled(DrainSignaled<'a>),
    /// That is over.
    DrainEnded(DrainEnded<'a>),
}

/// What [`Event::kind`] can be.
#[cfg(feature = "cli")]
pub(crate) const KINDS: [&str; 21] = [
    "process.starting",
    "process.started",
    "process.failed",
    "process.exited",
    "process.stopped",
    "process.continued",
    "process.ready",
    "process.status",
    "restart.scheduled",
    "restart.given_up",
    "previous_run.lost",
    "signal.received",
    "signal.passed",
    "signal.dropped",
    "signal.delayed",
    "signal.failed",
    "orphan.reaped",
    "drain.started",
    "drain.killed",
    "drain.signaled",
    "drain.ended",
];

impl Event<'_> {
    /// What it is, as records of events call it: `process.exited`, `signal.received`, `drain.killed`, …
    pub fn kind(&self) -> &'static str {
        match self {
            Event::Starting(_) => "process.starting",
            Event::Started(_) => "process.started",
            Event::Failed(_) => "process.failed",
            Event::Exited(_) => "process.exited",
            Event::Stopped(_) => "process.stopped",
            Event::Continued(_) => "process.continued",
            Event::RestartScheduled(_) => "restart.scheduled",
            Event::RestartGivenUp(_) => "restart.given_up",
            Event::Ready(_) => "process.ready",
            Event::Status(_) => "process.status",
            Event::PreviousRunLost(_) => "previous_run.lost",
            Event::Received(_) => "signal.received",
            Event::Passed(_) => "signal.passed",
            Event::Dropped(_) => "signal.dropped",
            Event::Delayed(_) => "signal.delayed",
            Event::NotPassed(_) => "signal.failed",
            Event::OrphanReaped(_) => "orphan.reaped",
            Event::DrainStarted(_) => "drain.started",
            Event::DrainSignaled(event) if event.signal == Signal::KILL => "drain.killed",
            Event::DrainSignaled(_) => "drain.signaled",
            Event::DrainEnded(_) => "drain.ended",
        }
    }

    /// Which process it is of: its [name](crate::model::process_config::ProcessConfig::name), or the base name of its command.
    /// `None` for an orphan: the kernel doesn't tell whose it was.
    pub fn name(&self) -> Option<&str> {
        Some(match self {
            Event::Starting(event) => &event.name,
            Event::Started(event) => &event.name,
            Event::Failed(event) => &event.name,
            Event::Exited(event) => &event.name,
            Event::Stopped(event) => &event.name,
            Event::Continued(event) => &event.name,
            Event::RestartScheduled(event) => &event.name,
            Event::RestartGivenUp(event) => &event.name,
            Event::Ready(event) => &event.name,
            Event::Status(event) => &event.name,
            Event::PreviousRunLost(event) => &event.name,
            Event::Received(event) => &event.name,
            Event::Passed(event) => &event.name,
            Event::Dropped(event) => &event.name,
            Event::Delayed(event) => &event.name,
            Event::NotPassed(event) => &event.name,
            Event::OrphanReaped(_) => return None,
            Event::DrainStarted(event) => &event.name,
            Event::DrainSignaled(event) => &event.name,
            Event::DrainEnded(event) => &event.name,
        })
    }

    /// The same event with nothing borrowed, to be kept or sent to another thread.
    #[must_use]
    pub fn to_owned(&self) -> Event<'static> {
        match self {
            Event::Starting(event) => Event::Starting(event.to_owned()),
            Event::Started(event) => Event::Started(event.to_owned()),
            Event::Failed(event) => Event::Failed(event.to_owned()),
            Event::Exited(event) => Event::Exited(event.to_owned()),
            Event::Stopped(event) => Event::Stopped(event.to_owned()),
            Event::Continued(event) => Event::Continued(event.to_owned()),
            Event::RestartScheduled(event) => Event::RestartScheduled(event.to_owned()),
            Event::RestartGivenUp(event) => Event::RestartGivenUp(event.to_owned()),
            Event::Ready(event) => Event::Ready(event.to_owned()),
            Event::Status(event) => Event::Status(event.to_owned()),
            Event::PreviousRunLost(event) => Event::PreviousRunLost(event.to_owned()),
            Event::Received(event) => Event::Received(event.to_owned()),
            Event::Passed(event) => Event::Passed(event.to_owned()),
            Event::Dropped(event) => Event::Dropped(event.to_owned()),
            Event::Delayed(event) => Event::Delayed(event.to_owned()),
            Event::NotPassed(event) => Event::NotPassed(event.to_owned()),
            Event::OrphanReaped(event) => Event::OrphanReaped(event.clone()),
            Event::DrainStarted(event) => Event::DrainStarted(event.to_owned()),
            Event::DrainSignaled(event) => Event::DrainSignaled(event.to_owned()),
            Event::DrainEnded(event) => Event::DrainEnded(event.to_owned()),
        }
    }
}

#[cfg(all(test, feature = "cli"))]
mod tests {
    use super::KINDS;

    #[test]
    fn every_kind_but_that_of_a_sink_is_listed() {
        let schema: serde_json::Value = serde_json::from_str(include_str!("../../../docs/events.schema.json")).unwrap();
        let mut kinds: Vec<_> = schema["oneOf"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|event| {
                let event = &event["properties"]["event"];
                event["enum"].as_array().cloned().unwrap_or_else(|| vec![event["const"].clone()])
            })
            .filter(|kind| kind != "sink.dropped")
            .collect();
        let mut listed = KINDS.map(serde_json::Value::from);
        kinds.sort_by_key(|kind| kind.to_string());
        listed.sort_by_key(|kind| kind.to_string());
        assert_eq!(kinds, listed);
    }
}
