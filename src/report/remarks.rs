//! What a supervisor says about its processes, in the words of pmux.

use super::spelled::Spelled;
use crate::model::error::Error;
use crate::model::signal::Signal;
use crate::model::status::ExitStatus;
use std::fmt;
use std::time::Duration;

/// A remark about a process, or about all of them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Remark<'a> {
    /// The first remark about each process.
    Starting,
    /// A run ended; `success`: that counts as one.
    Ended { status: ExitStatus, success: bool },
    /// The process couldn't be started; `again`: it is tried again.
    NotStarted { why: &'a Error, again: bool },
    /// It is started again after this time.
    RestartIn(Duration),
    /// It was stopped by TTIN or TTOU.
    WantsTerminal(Signal),
    /// This signal is sent to its process group.
    Sending(Signal),
    /// The last remark about each process.
    Over,
    /// A stop signal came: all processes are stopped.
    Stopping(Signal),
    /// The library's user stops all processes.
    Cancelled,
    /// A second stop signal came: all processes are killed.
    Killing(Signal),
    /// The library's user stops them a second time.
    CancelledAgain,
    /// The last remark of all. As in pmux it says only that all processes have ended: scripts wait for it.
    Bye,
}

impl Remark<'_> {
    /// Whether the remark is a warning.
    pub(crate) fn is_warning(&self) -> bool {
        match self {
            Remark::Ended { success, .. } => !success,
            Remark::NotStarted { .. } | Remark::WantsTerminal(_) => true,
            _ => false,
        }
    }
}

impl fmt::Display for Remark<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Remark::Starting => f.write_str("starting process"),
            Remark::Ended { status: ExitStatus::Exited(0), .. } => f.write_str("exit code 0"),
            Remark::Ended { status: ExitStatus::Exited(code), .. } => {
                write!(f, "exit code {code}, process exited: exit status {code}")
            }
            Remark::Ended { status: ExitStatus::Signaled { signal, core_dumped }, .. } => {
                let core = if *core_dumped { " (core dumped)" } else { "" };
                write!(f, "exit code -1, process exited: signal: {}{core}", Word(*signal))
            }
            // The directories of PATH are shown at the last attempt only.
            Remark::NotStarted { why, again: true } => write!(f, "exit code -1, {}", why.brief()),
            Remark::NotStarted { why, again: false } => write!(f, "exit code -1, {why}"),
            Remark::RestartIn(wait) => write!(f, "will restart process in {}", Spelled(*wait)),
            Remark::WantsTerminal(signal) => {
                let what = if *signal == Signal::TTIN { "read from" } else { "write to the terminal, or change" };
                write!(
                    f,
                    "stopped by {signal}: it wants to {what} the terminal, which no process of a file has: run it alone, or without the terminal"
                )
            }
            Remark::Sending(signal) => write!(f, "sending {} signal", Word(*signal)),
            Remark::Over => f.write_str("stopped process handler"),
            Remark::Stopping(signal) => {
                write!(f, "{} signal received, waiting for child processes to exit", Word(*signal))
            }
            Remark::Cancelled => f.write_str("cancelled, waiting for child processes to exit"),
            Remark::Killing(signal) => write!(f, "{} signal received, killing all child processes", Word(*signal)),
            Remark::CancelledAgain => f.write_str("cancelled, killing all child processes"),
            Remark::Bye => f.write_str("exited gracefully, ciao!"),
        }
    }
}

/// A signal as Go spells it.
struct Word(Signal);

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Signal::HUP => "hangup",
            Signal::INT => "interrupt",
            Signal::QUIT => "quit",
            Signal::ILL => "illegal instruction",
            Signal::TRAP => "trace/breakpoint trap",
            Signal::ABRT => "aborted",
            Signal::BUS => "bus error",
            Signal::FPE => "floating point exception",
            Signal::KILL => "killed",
            Signal::USR1 => "user defined signal 1",
            Signal::SEGV => "segmentation fault",
            Signal::USR2 => "user defined signal 2",
            Signal::PIPE => "broken pipe",
            Signal::ALRM => "alarm clock",
            Signal::TERM => "terminated",
            other => return write!(f, "signal {}", other.number()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_it_was_looked_for_is_said_when_it_is_over() {
        let why = Error::NotFound { command: "x".into(), path: Some("/a:/b".into()) };
        let said = |again| Remark::NotStarted { why: &why, again }.to_string();
        assert_eq!(said(true), "exit code -1, x: command not found in PATH");
        assert_eq!(said(false), "exit code -1, x: command not found in PATH=/a:/b");
    }

    fn ended(status: ExitStatus) -> Remark<'static> {
        Remark::Ended { status, success: status.is_success() }
    }

    #[test]
    fn an_end_is_a_warning_unless_it_counts_as_a_success() {
        for (code, success) in [(0, true), (3, true), (3, false)] {
            let remark = Remark::Ended { status: ExitStatus::Exited(code), success };
            assert_eq!(remark.is_warning(), !success);
        }
    }

    #[test]
    fn the_words_are_those_of_pmux() {
        let killed = |signal, core_dumped| ended(ExitStatus::Signaled { signal, core_dumped });
        for (remark, words) in [
            (Remark::Starting, "starting process"),
            (ended(ExitStatus::Exited(0)), "exit code 0"),
            (ended(ExitStatus::Exited(3)), "exit code 3, process exited: exit status 3"),
            (killed(Signal::INT, false), "exit code -1, process exited: signal: interrupt"),
            (killed(Signal::SEGV, true), "exit code -1, process exited: signal: segmentation fault (core dumped)"),
            (Remark::Sending(Signal::KILL), "sending killed signal"),
            (Remark::RestartIn(Duration::from_millis(1500)), "will restart process in 1.5s"),
            (
                Remark::WantsTerminal(Signal::TTIN),
                "stopped by SIGTTIN: it wants to read from the terminal, which no process of a file has: run it alone, or without the terminal",
            ),
            (Remark::Over, "stopped process handler"),
            (Remark::Bye, "exited gracefully, ciao!"),
        ] {
            assert_eq!(remark.to_string(), words);
        }
    }
}
