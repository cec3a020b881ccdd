//! An event as a serde map: what records of events are made of.

use super::Event;
use super::process::{PreviousRunLost, ProcessExited, RestartScheduled};
use crate::model::error::{Error, NotExecutable};
use crate::model::origin::Origin;
use crate::model::pid::Pid;
use crate::model::signal::Signal;
use crate::model::status::ExitStatus;
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::error::Error as _;
use std::ffi::OsString;
use std::io;
use std::time::Duration;

impl Serialize for Event<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("event", self.kind())?;
        if let Some(name) = self.name() {
            map.serialize_entry("name", name)?;
        }
        fields(self, LookedUp::default(), &mut map)?;
        map.end()
    }
}

/// What an event doesn't know of itself.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LookedUp<'a> {
    /// What the sender of the signal is called.
    pub(crate) command: Option<&'a str>,
}

/// The fields of one event.
pub(crate) fn fields<M: SerializeMap>(event: &Event<'_>, looked_up: LookedUp<'_>, map: &mut M) -> Result<(), M::Error> {
    let signal = |signal: Signal, origin: Origin, child: Pid, map: &mut M| {
        signal_fields(signal, origin, child, looked_up.command, map)
    };
    match event {
        Event::Starting(event) => executable(&event.args, map),
        Event::Started(event) => {
            executable(&event.args, map)?;
            map.serialize_entry("pid", &event.pid)?;
            map.serialize_entry("pgid", &event.pgid)
        }
        Event::Failed(event) => {
            executable(&event.args, map)?;
            map.serialize_entry("stage", event.error.stage())?;
            why(&event.error, map)?;
            map.serialize_entry("summary", &event.summary())
        }
        Event::Exited(event) => exited(event, looked_up.command, map),
        Event::Stopped(event) => with_pid(event.pid, "signal", &event.signal, map),
        Event::Continued(event) => map.serialize_entry("pid", &event.pid),
        Event::RestartScheduled(event) => restart(event, map),
        Event::Ready(event) => map.serialize_entry("pid", &event.pid),
        Event::Status(event) => with_pid(event.pid, "status", &event.status, map),
        Event::RestartGivenUp(event) => map.serialize_entry("reason", event.reason.as_str()),
        Event::PreviousRunLost(event) => previous_run(event, map),
        Event::Received(event) => signal(event.signal, event.origin, event.child, map),
        Event::Passed(event) => {
            signal(event.came, event.origin, event.child, map)?;
            map.serialize_entry("as", &event.signal)?;
            map.serialize_entry("target", if event.to_group { "group" } else { "child" })
        }
        Event::Dropped(event) => signal(event.signal, event.origin, event.child, map),
        Event::Delayed(event) => {
            signal(event.signal, event.origin, event.child, map)?;
            map.serialize_entry("delay_ms", &milliseconds(event.delay))
        }
        Event::NotPassed(event) => {
            signal(event.signal, event.origin, event.child, map)?;
            errno(&event.error, map)?;
            map.serialize_entry("error", &event.error.to_string())
        }
        Event::OrphanReaped(event) => {
            map.serialize_entry("pid", &event.pid)?;
            if let Some(command) = &event.command {
                map.serialize_entry("command", command)?;
            }
            map.serialize_entry("status", &event.status.code())
        }
        Event::DrainStarted(event) => map.serialize_entry("pid", &event.pid),
        Event::DrainSignaled(event) => {
            map.serialize_entry("pid", &event.pid)?;
            map.serialize_entry("command", &event.command)?;
            map.serialize_entry("signal", &event.signal)
        }
        Event::DrainEnded(event) => map.serialize_entry("remaining", &event.remaining),
    }
}

fn with_pid<M: SerializeMap>(pid: Pid, name: &str, value: &impl Serialize, map: &mut M) -> Result<(), M::Error> {
    map.serialize_entry("pid", &pid)?;
    map.serialize_entry(name, value)
}

/// The first word only: arguments may hold secrets.
fn executable<M: SerializeMap>(args: &[OsString], map: &mut M) -> Result<(), M::Error> {
    map.serialize_entry("executable", &args.first().map(|word| word.to_string_lossy()))
}

fn restart<M: SerializeMap>(event: &RestartScheduled<'_>, map: &mut M) -> Result<(), M::Error> {
    let reason = event.status.map(|status| status.to_string());
    let reason = reason.or_else(|| event.error.as_ref().map(|error| error.brief().to_string()));
    map.serialize_entry("delay_ms", &milliseconds(event.delay))?;
    map.serialize_entry("reason", &reason)
}

/// What is known of it.
fn previous_run<M: SerializeMap>(event: &PreviousRunLost<'_>, map: &mut M) -> Result<(), M::Error> {
    for (field, pid) in [("pid", event.pid), ("panicmon_pid", event.panicmon_pid)] {
        if let Some(pid) = pid {
            map.serialize_entry(field, &pid)?;
        }
    }
    if let Some(started) = &event.started {
        map.serialize_entry("started", started)?;
    }
    if let Some(rebooted) = event.rebooted {
        map.serialize_entry("rebooted", &rebooted)?;
    }
    map.serialize_entry("summary", &event.summary())
}

fn exited<M: SerializeMap>(event: &ProcessExited<'_>, command: Option<&str>, map: &mut M) -> Result<(), M::Error> {
    executable(&event.args, map)?;
    map.serialize_entry("pid", &event.pid)?;
    map.serialize_entry("result", event.result())?;
    match event.status {
        ExitStatus::Exited(code) => map.serialize_entry("code", &code)?,
        ExitStatus::Signaled { signal, core_dumped } => {
            map.serialize_entry("signal", &signal)?;
            map.serialize_entry("core_dumped", &core_dumped)?;
        }
    }
    map.serialize_entry("stop_requested", &event.stop_requested)?;
    map.serialize_entry("requested", &event.requested)?;
    if let Some(by) = event.requested_by {
        let sender = by.origin.sender_and_user().map(|(pid, uid)| Sender { pid, uid, command });
        map.serialize_entry("requested_by", &Request { signal: by.signal, sender })?;
    }
    match event.killed_by {
        Some(by) => map.serialize_entry("killed_by_panicmon", by.as_str())?,
        None => map.serialize_entry("killed_by_panicmon", &false)?,
    }
    map.serialize_entry("duration_ms", &milliseconds(event.duration))?;
    map.serialize_entry("usage", &event.usage)?;
    if let Some(oom) = &event.oom {
        map.serialize_entry("oom", oom)?;
    }
    if let Some(core) = &event.core {
        map.serialize_entry("core", core)?;
    }
    if let Some(panic) = &event.panic {
        map.serialize_entry("panic", panic)?;
    }
    for (name, tail) in [("stderr_tail", &event.stderr_tail), ("stdout_tail", &event.stdout_tail)] {
        if let Some(tail) = tail {
            map.serialize_entry(name, &String::from_utf8_lossy(tail))?;
        }
    }
    if event.stderr_tail.is_some() || event.stdout_tail.is_some() {
        map.serialize_entry("tail_truncated", &event.tail_truncated)?;
    }
    map.serialize_entry("summary", &event.summary())
}

/// Who asked a process to end.
#[derive(serde::Serialize)]
struct Request<'a> {
    signal: Signal,
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<Sender<'a>>,
}

fn signal_fields<M: SerializeMap>(
    signal: Signal,
    origin: Origin,
    child: Pid,
    command: Option<&str>,
    map: &mut M,
) -> Result<(), M::Error> {
    map.serialize_entry("pid", &child)?;
    map.serialize_entry("signal", &signal)?;
    map.serialize_entry("number", &signal.number())?;
    let (code, sender, value) = match origin {
        Origin::Kernel => ("kernel", None, None),
        Origin::Process { pid, uid } => ("user", Some((pid, uid)), None),
        Origin::Thread { pid, uid } => ("tkill", Some((pid, uid)), None),
        Origin::Queue { pid, uid, value } => ("queue", Some((pid, uid)), Some(value)),
        Origin::Other { pid, uid, value, .. } => ("other", Some((pid, uid)), Some(value)),
    };
    map.serialize_entry("code", code)?;
    if let Some((pid, uid)) = sender {
        map.serialize_entry("sender", &Sender { pid, uid, command })?;
    }
    value.map_or(Ok(()), |value| map.serialize_entry("value", &value))
}

#[derive(serde::Serialize)]
struct Sender<'a> {
    pid: Pid,
    uid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<&'a str>,
}

/// Its number by name, if the system has said one, and what it says.
fn why<M: SerializeMap>(error: &Error, map: &mut M) -> Result<(), M::Error> {
    match error {
        // What execve(2) has said, or would say; the error tells more.
        Error::NotFound { .. } | Error::NotExecutable { reason: NotExecutable::InterpreterMissing(_), .. } => {
            map.serialize_entry("errno", "ENOENT")?;
        }
        Error::NotExecutable { reason: NotExecutable::Binary(_), .. } => map.serialize_entry("errno", "ENOEXEC")?,
        _ => {
            if let Some(source) = error.source().and_then(|source| source.downcast_ref()) {
                errno(source, map)?;
            }
        }
    }
    map.serialize_entry("error", &error.to_string())
}

fn errno<M: SerializeMap>(error: &io::Error, map: &mut M) -> Result<(), M::Error> {
    match error.raw_os_error() {
        Some(number) => map.serialize_entry("errno", &format!("{:?}", nix::errno::Errno::from_raw(number))),
        None => Ok(()),
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
