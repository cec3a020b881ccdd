//! What a supervised process is: pmux's `ProcessConfig`.

use crate::model::identity::Identity;
use crate::model::signal::{Signal, SignalSet};
use crate::model::status::ExitStatus;
use crate::model::success::Success;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// A process to be run by a [`Supervisor`](crate::api::supervisor::Supervisor): what, where, and when again.
///
/// Fields and defaults are those of pmux, and three more: [`restart`](ProcessConfig::restart),
/// [`max_restarts`](ProcessConfig::max_restarts) and [`stop_signal`](ProcessConfig::stop_signal).
///
/// ```
/// use panicmon::ProcessConfig;
/// use std::time::Duration;
///
/// let mut web = ProcessConfig::new("myserver");
/// web.name = "web".to_owned();
/// web.args = vec!["--port".into(), "8080".into()];
/// web.env = vec![("TZ".into(), "UTC".into())];
/// assert_eq!(web.max_wait, Duration::from_secs(64));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessConfig {
    /// The label of its lines where several run.
    pub name: String,
    /// The program; looked up in `PATH`, the process's own if [`env`](ProcessConfig::env) sets one, unless there is a
    /// slash in it (execvp(3)).
    pub cmd: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Variables added to, and overriding, the inherited environment.
    pub env: Vec<(OsString, OsString)>,
    /// Inherited variables that it doesn't have.
    pub env_remove: Vec<OsString>,
    /// It inherits no variables, and has those of `env` only.
    pub env_clear: bool,
    /// Its working directory; `None`: this program's.
    pub dir: Option<PathBuf>,
    /// As whom it runs; `None`: as this program does. It takes root, or the capabilities SETUID, SETGID and KILL. The pipes
    /// of its output are that user's.
    pub user: Option<Identity>,
    /// It has a session of its own (setsid(2)), and not only a process group of its own.
    pub session: bool,
    /// Its stdin is that of this program, and not /dev/null. One process at most should have it. At a terminal it is in the
    /// background, and is stopped by TTIN if it reads.
    pub inherit_stdin: bool,
    /// The least time between its end and its next start.
    pub min_wait: Duration,
    /// The most; see [`Backoff`](crate::policy::backoff::Backoff).
    pub max_wait: Duration,
    /// What stops it: sent to its process group.
    pub stop_signal: Signal,
    /// From that to the KILL, if it hasn't ended.
    pub sig_kill_wait: Duration,
    /// When it is started again.
    pub restart: Restart,
    /// Ends after which it is not started again, whatever `restart` says.
    pub no_restart_on: Vec<NoRestartOn>,
    /// Ends that count as a success, beside exit code 0: for [`Restart::OnFailure`], and for what is told of them.
    pub success: Vec<Success>,
    /// How often it is started again at most; `None`: without limit.
    pub max_restarts: Option<u32>,
    /// Which of the signals that come to panicmon are passed on to it; none: those it catches, ignores or blocks. A key of
    /// files only: a [`Supervisor`](crate::api::supervisor::Supervisor) of the library passes nothing on.
    pub(crate) signals: Option<SignalSet>,
    /// Every descendant is ended after each run, wherever it has gone; the program only, which owns its orphans.
    pub(crate) drain: bool,
}

impl ProcessConfig {
    /// This program, without arguments, with pmux's defaults: between 1 s and 64 s to the next start, 10 s from INT to
    /// KILL, started again whatever its end.
    pub fn new(cmd: impl Into<OsString>) -> ProcessConfig {
        ProcessConfig {
            name: String::new(),
            cmd: cmd.into(),
            args: Vec::new(),
            env: Vec::new(),
            env_remove: Vec::new(),
            env_clear: false,
            dir: None,
            user: None,
            session: false,
            inherit_stdin: false,
            min_wait: Duration::from_secs(1),
            max_wait: Duration::from_secs(64),
            stop_signal: Signal::INT,
            sig_kill_wait: Duration::from_secs(10),
            restart: Restart::Always,
            no_restart_on: Vec::new(),
            success: Vec::new(),
            max_restarts: None,
            signals: None,
            drain: false,
        }
    }
}

/// When a process that ended is started again.
///
/// ```
/// use panicmon::Restart;
///
/// assert_eq!("on-failure".parse(), Ok(Restart::OnFailure));
/// assert_eq!(Restart::OnFailure.to_string(), "on-failure");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Restart {
    /// Not at all.
    Never,
    /// After any end but a [success](ProcessConfig::success), and when it couldn't be started.
    OnFailure,
    /// After any end, as pmux does.
    #[default]
    Always,
}

impl fmt::Display for Restart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Restart::Never => "never",
            Restart::OnFailure => "on-failure",
            Restart::Always => "always",
        })
    }
}

/// A word that isn't `never`, `on-failure` or `always`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseRestartError {
    word: String,
}

impl fmt::Display for ParseRestartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' is none of never, on-failure and always", self.word)
    }
}

impl std::error::Error for ParseRestartError {}

impl FromStr for Restart {
    type Err = ParseRestartError;

    /// Understands `never`, `on-failure` and `always`.
    fn from_str(word: &str) -> Result<Restart, ParseRestartError> {
        match word {
            "never" => Ok(Restart::Never),
            "on-failure" => Ok(Restart::OnFailure),
            "always" => Ok(Restart::Always),
            _ => Err(ParseRestartError { word: word.to_owned() }),
        }
    }
}

/// An end after which a process isn't started again.
///
/// ```
/// use panicmon::{NoRestartOn, Signal};
///
/// assert_eq!("3".parse(), Ok(NoRestartOn::Code(3)));
/// assert_eq!("SIGTERM".parse(), Ok(NoRestartOn::Signal(Signal::TERM)));
/// assert_eq!("-1".parse(), Ok(NoRestartOn::NoCode));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NoRestartOn {
    /// It exited with this code.
    Code(u8),
    /// This signal ended it.
    Signal(Signal),
    /// Any signal ended it, or it couldn't be started: pmux's -1.
    NoCode,
}

impl NoRestartOn {
    /// Whether this end is meant; `None`: it couldn't be started.
    pub(crate) fn is(self, status: Option<ExitStatus>) -> bool {
        match (self, status) {
            (NoRestartOn::Code(code), Some(ExitStatus::Exited(exited))) => code == exited,
            (NoRestartOn::Signal(signal), Some(ExitStatus::Signaled { signal: by, .. })) => signal == by,
            (NoRestartOn::NoCode, status) => !matches!(status, Some(ExitStatus::Exited(_))),
            _ => false,
        }
    }
}

/// A word that is neither an exit code nor a signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseNoRestartOnError {
    word: String,
}

impl fmt::Display for ParseNoRestartOnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "'{}' is neither an exit code (0 to 255), a signal (TERM, SIGTERM), nor -1 (killed by a signal, or not started)",
            self.word
        )
    }
}

impl std::error::Error for ParseNoRestartOnError {}

impl FromStr for NoRestartOn {
    type Err = ParseNoRestartOnError;

    /// Understands exit codes, names of signals, and -1. A number is always a code. Blanks around them don't count.
    fn from_str(word: &str) -> Result<NoRestartOn, ParseNoRestartOnError> {
        match word.parse::<Success>() {
            _ if word.trim() == "-1" => Ok(NoRestartOn::NoCode),
            Ok(Success::Code(code)) => Ok(NoRestartOn::Code(code)),
            Ok(Success::Signal(signal)) => Ok(NoRestartOn::Signal(signal)),
            Err(_) => Err(ParseNoRestartOnError { word: word.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_pmux() {
        let config = ProcessConfig::new("x");
        assert_eq!([config.min_wait, config.max_wait, config.sig_kill_wait].map(|wait| wait.as_secs()), [1, 64, 10]);
        assert_eq!((config.restart, config.max_restarts, config.dir), (Restart::Always, None, None));
    }

    #[test]
    fn an_end_is_meant_by_its_code_its_signal_or_pmuxs_word() {
        let killed = Some(ExitStatus::Signaled { signal: Signal::TERM, core_dumped: false });
        let exited = |code| Some(ExitStatus::Exited(code));
        for (word, meant, not) in [
            ("3", vec![exited(3)], vec![exited(0), killed, None]),
            // What it exits with isn't what ended it.
            ("143", vec![exited(143)], vec![killed]),
            ("TERM", vec![killed], vec![exited(143), exited(15), None]),
            ("INT", vec![], vec![killed]),
            ("-1", vec![killed, None], vec![exited(0), exited(255)]),
            // As in `0, 3` and `0, -1`.
            (" 3", vec![exited(3)], vec![killed, None]),
            (" -1", vec![killed, None], vec![exited(255)]),
        ] {
            let on: NoRestartOn = word.parse().unwrap();
            assert!(meant.iter().all(|end| on.is(*end)), "{word}");
            assert!(!not.iter().any(|end| on.is(*end)), "{word}");
        }
    }

    #[test]
    fn what_is_none_is_told() {
        for word in ["256", "-2", "", "TREM", "+3", "1.5", "99999999999999999999"] {
            let error = word.parse::<NoRestartOn>().unwrap_err();
            assert!(error.to_string().starts_with(&format!("'{word}' is neither")), "{error}");
        }
    }
}
