//! What a supervisor says of its processes, in the second seed's words.

use crate::model::error::Error;
use crate::model::signal::Signal;
use crate::model::status::ExitStatus;
use std::fmt::{self, Write};
use std::time::Duration;

/// Something said about a process, or about all of them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Remark<'a> {
    /// The first of each process.
    Starting,
    /// It ended.
    Ended(ExitStatus),
    /// It couldn't be started.
    NotStarted { why: &'a Error, again: bool },
    /// When it is started again.
    RestartIn(Duration),
    /// It was stopped by this, TTIN or TTOU.
    WantsTerminal(Signal),
    /// This goes to its group.
    Sending(Signal),
    /// The last of each process.
    Over,
    /// This came, and all are to stop.
    Stopping(Signal),
    /// The same by the library.
    Cancelled,
    /// This came then, and all are killed.
    Killing(Signal),
    /// The same by the library.
    CancelledAgain,
    /// The last of all.
    Bye,
}

impl Remark<'_> {
    /// Whether something is wrong.
    pub(crate) fn is_warning(&self) -> bool {
        match self {
            Remark::Ended(status) => !status.is_success(),
            Remark::NotStarted { .. } | Remark::WantsTerminal(_) => true,
            _ => false,
        }
    }
}

impl fmt::Display for Remark<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Remark::Starting => f.write_str("starting process"),
            Remark::Ended(ExitStatus::Exited(0)) => f.write_str("exit code 0"),
            Remark::Ended(ExitStatus::Exited(code)) => {
                write!(f, "exit code {code}, process exited: exit status {code}")
            }
            Remark::Ended(ExitStatus::Signaled { signal, core_dumped }) => {
                let core = if *core_dumped { " (core dumped)" } else { "" };
                write!(f, "exit code -1, process exited: signal: {}{core}", Word(*signal))
            }
            // The list of PATH isn't for every attempt.
            Remark::NotStarted { why, again: true } => write!(f, "exit code -1, {}", why.brief()),
            Remark::NotStarted { why, again: false } => write!(f, "exit code -1, {why}"),
            Remark::RestartIn(wait) => write!(f, "will restart process in {}", Spelled(*wait)),
            Remark::WantsTerminal(signal) => {
                let what = if *signal == Signal::TTIN { "read from" } else { "write to the terminal, or change" };
                write!(
                    f,
                    "stopped by {signal}: it wants to {what} the terminal, which no process of a file has: have it do without, or run it alone"
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

const NANOS_PER_SECOND: u32 = 1_000_000_000;

/// A duration as Go prints it: `1s`, `1.5s`, `1m4s`, `1h0m0s`, `250ms`.
pub(crate) struct Spelled(pub(crate) Duration);

impl fmt::Display for Spelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanos) = (self.0.as_secs(), self.0.subsec_nanos());
        if seconds == 0 {
            return match nanos {
                0 => f.write_str("0s"),
                1..1_000 => write!(f, "{nanos}ns"),
                1_000..1_000_000 => decimal(f, u64::from(nanos), 1_000, "µs"),
                _ => decimal(f, u64::from(nanos), 1_000_000, "ms"),
            };
        }
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if seconds >= 60 {
            write!(f, "{minutes}m")?;
        }
        decimal(f, seconds % 60 * u64::from(NANOS_PER_SECOND) + u64::from(nanos), u64::from(NANOS_PER_SECOND), "s")
    }
}

/// `value / unit`, without zeroes at its end.
fn decimal(f: &mut fmt::Formatter<'_>, value: u64, unit: u64, name: &str) -> fmt::Result {
    write!(f, "{}", value / unit)?;
    let (mut rest, mut place) = (value % unit, unit / 10);
    if rest > 0 {
        f.write_char('.')?;
    }
    while rest > 0 {
        write!(f, "{}", rest / place)?;
        rest %= place;
        place /= 10;
    }
    f.write_str(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_printed_as_go_prints_them() {
        for (nanos, text) in [
            (0, "0s"),
            (1, "1ns"),
            (1_500, "1.5µs"),
            (250_000_000, "250ms"),
            (1_000_000_000, "1s"),
            (1_234_000_000, "1.234s"),
            (64_000_000_000, "1m4s"),
            (60_000_000_000, "1m0s"),
            (3_600_000_000_000, "1h0m0s"),
            (3_661_500_000_000, "1h1m1.5s"),
        ] {
            let duration = Duration::from_nanos(nanos);
            assert_eq!(Spelled(duration).to_string(), text);
        }
    }

    #[test]
    fn where_it_was_looked_for_is_said_when_it_is_over() {
        let why = Error::NotFound { command: "x".into(), path: Some("/a:/b".into()) };
        let said = |again| Remark::NotStarted { why: &why, again }.to_string();
        assert_eq!(said(true), "exit code -1, x: command not found in PATH");
        assert_eq!(said(false), "exit code -1, x: command not found in PATH=/a:/b");
    }

    #[test]
    fn the_words_are_the_seeds() {
        let killed = |signal, core_dumped| Remark::Ended(ExitStatus::Signaled { signal, core_dumped });
        for (remark, words) in [
            (Remark::Starting, "starting process"),
            (Remark::Ended(ExitStatus::Exited(0)), "exit code 0"),
            (Remark::Ended(ExitStatus::Exited(3)), "exit code 3, process exited: exit status 3"),
            (killed(Signal::INT, false), "exit code -1, process exited: signal: interrupt"),
            (killed(Signal::SEGV, true), "exit code -1, process exited: signal: segmentation fault (core dumped)"),
            (Remark::Sending(Signal::KILL), "sending killed signal"),
            (Remark::RestartIn(Duration::from_millis(1500)), "will restart process in 1.5s"),
            (
                Remark::WantsTerminal(Signal::TTIN),
                "stopped by SIGTTIN: it wants to read from the terminal, which no process of a file has: have it do without, or run it alone",
            ),
            (Remark::Over, "stopped process handler"),
            (Remark::Bye, "exited gracefully, ciao!"),
        ] {
            assert_eq!(remark.to_string(), words);
        }
    }
}
