//! An event as a hook has it: as JSON, and as variables, by the names that systemd gives to ExecStopPost (systemd.exec(5)).

use crate::model::event::Event;
use crate::model::status::ExitStatus;

/// What a hook is told.
#[derive(Clone, Debug)]
pub(crate) struct HookEvent {
    /// What it is: `process.exited`.
    pub(crate) kind: &'static str,
    /// Whose it is.
    pub(crate) name: String,
    /// Whether it is of that process, and not of the whole run.
    pub(crate) is_of_process: bool,
    /// The record, with a newline.
    pub(crate) line: Vec<u8>,
    /// What systemd says of an end.
    end: Vec<(&'static str, String)>,
}

/// The names of all variables that a hook may be given. It doesn't inherit one of them.
pub(crate) const VARIABLES: [&str; 5] =
    ["PANICMON_EVENT", "PANICMON_NAME", "SERVICE_RESULT", "EXIT_CODE", "EXIT_STATUS"];

impl HookEvent {
    #[cfg_attr(not(feature = "reports"), allow(dead_code, reason = "for records"))]
    pub(crate) fn new(event: &Event<'_>, name: &str, mut line: Vec<u8>) -> HookEvent {
        line.push(b'\n');
        let (is_of_process, name) = (event.name().is_some(), name.to_owned());
        HookEvent { kind: event.kind(), name, is_of_process, line, end: end(event) }
    }

    /// The variables, by name.
    pub(crate) fn variables(&self) -> Vec<(&'static str, &str)> {
        let mut variables = vec![("PANICMON_EVENT", self.kind), ("PANICMON_NAME", &*self.name)];
        for (name, value) in &self.end {
            variables.push((name, value));
        }
        variables
    }
}

fn end(event: &Event<'_>) -> Vec<(&'static str, String)> {
    let (result, status) = match event {
        Event::Exited(event) => (event.result(), Some(event.status)),
        Event::Failed(event) => (event.result(), None),
        _ => return Vec::new(),
    };
    let mut end = vec![("SERVICE_RESULT", result.to_owned())];
    if let Some(status) = status {
        let (code, status) = match status {
            ExitStatus::Exited(code) => ("exited", code.to_string()),
            ExitStatus::Signaled { signal, core_dumped } => {
                let name = signal.to_string();
                let name = name.strip_prefix("SIG").unwrap_or(&name);
                (if core_dumped { "dumped" } else { "killed" }, name.to_owned())
            }
        };
        end.extend([("EXIT_CODE", code.to_owned()), ("EXIT_STATUS", status)]);
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::error::Error;
    use crate::model::event::{OrphanReaped, ProcessExited, ProcessFailed};
    use crate::model::pid::Pid;
    use crate::model::signal::Signal;

    fn told(event: &Event<'_>) -> Vec<(&'static str, String)> {
        let event = HookEvent::new(event, "web", Vec::new());
        event.variables().into_iter().map(|(name, value)| (name, value.to_owned())).collect()
    }

    fn exited(status: ExitStatus) -> Event<'static> {
        Event::Exited(ProcessExited::new("web", vec!["x".into()], Pid::new(7), status))
    }

    #[test]
    fn an_end_is_told_as_systemd_does() {
        let killed = |core_dumped| ExitStatus::Signaled { signal: Signal::ABRT, core_dumped };
        for (status, result, code, value) in [
            (ExitStatus::Exited(0), "success", "exited", "0"),
            (ExitStatus::Exited(3), "exit-code", "exited", "3"),
            (killed(false), "signal", "killed", "ABRT"),
            (killed(true), "core-dump", "dumped", "ABRT"),
        ] {
            let expected = ["process.exited", "web", result, code, value].map(str::to_owned);
            assert_eq!(told(&exited(status)), VARIABLES.into_iter().zip(expected).collect::<Vec<_>>());
        }
        let realtime = ExitStatus::Signaled { signal: "RTMIN+3".parse().unwrap(), core_dumped: false };
        assert_eq!(told(&exited(realtime))[4].1, "RTMIN+3");
    }

    #[test]
    fn what_has_no_end_has_no_status() {
        let failed = Event::Failed(ProcessFailed::new("web", vec!["x".into()], Error::Cancelled));
        let orphan = Event::OrphanReaped(OrphanReaped::new(Pid::new(7), ExitStatus::Exited(3)));
        let names = |event| told(event).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(told(&failed)[2], ("SERVICE_RESULT", "start-failed".to_owned()));
        assert_eq!(names(&failed), VARIABLES[..3]);
        let lost = Event::Failed(ProcessFailed::new("web", vec!["x".into()], Error::StatusLost));
        assert_eq!(told(&lost)[2..], [("SERVICE_RESULT", "resources".to_owned())], "it was started");
        assert_eq!(names(&orphan), VARIABLES[..2]);
    }
}
