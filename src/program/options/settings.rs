//! What the command line and the environment say, as values.

use super::values::{TailSize, UserName};
use crate::formats::timestamp::TimeFormat;
use crate::model::exit_from::ExitFrom;
use crate::model::process_config::{NoRestartOn, Restart};
use crate::model::signal::{Signal, SignalSet};
use crate::model::status::StatusCode;
use crate::model::success::Success;
use crate::program::logger::Verbosity;
use crate::program::peers::run::InPlace;
use crate::report::records::sink::SinkName;
use std::ffi::{CString, OsString};
use std::time::Duration;

/// What the command line and the environment say: a field for each option.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Settings {
    /// The working directory of the command.
    pub(crate) dir: Option<OsString>,
    /// The command inherits no variables.
    pub(crate) clear_env: bool,
    /// Variables that the command doesn't inherit.
    pub(crate) unset_env: Vec<OsString>,
    /// Variables set for the command.
    pub(crate) env: Vec<(OsString, OsString)>,
    /// The user that runs the command.
    pub(crate) user: Option<UserName>,
    /// The only signals that are listened to; `None`: all.
    pub(crate) signals: Option<SignalSet>,
    /// What is forwarded instead of a signal; `None`: nothing.
    pub(crate) rewrites: Vec<(Signal, Option<Signal>)>,
    /// Signals are dropped that the command would die of because it has no handler.
    pub(crate) drop_uncaught: bool,
    /// How much later a signal is forwarded.
    pub(crate) delays: Vec<(Signal, Duration)>,
    /// Signals go to the command's whole process group.
    pub(crate) group: bool,
    /// The command has a session of its own.
    pub(crate) session: bool,
    /// The signal panicmon gets when its parent dies.
    pub(crate) parent_death_signal: Option<Signal>,
    /// The signals that are a stop; `None`: TERM and INT.
    pub(crate) stop_signals: Option<SignalSet>,
    /// The time from a stop to KILL.
    pub(crate) kill_after: Option<Duration>,
    /// The time in which the remaining descendants must end.
    pub(crate) drain: Option<Duration>,
    /// Exit statuses for ends of the command.
    pub(crate) exit: Vec<(ExitFrom, StatusCode)>,
    /// What counts as a success beside exit code 0.
    pub(crate) success: Vec<Success>,
    /// After which ends the command is started again; `None`: never.
    pub(crate) restart: Option<Restart>,
    pub(crate) min_wait: Option<Duration>,
    pub(crate) max_wait: Option<Duration>,
    pub(crate) no_restart_on: Vec<NoRestartOn>,
    /// How often it is started again; `None`: without limit.
    pub(crate) max_restarts: Option<u32>,
    /// What the command is called in reports.
    pub(crate) name: Option<String>,
    /// Where records of events go.
    pub(crate) events: Vec<SinkName>,
    /// The words of each command that is run for events.
    pub(crate) hooks: Vec<Vec<CString>>,
    /// For which; empty: for the end of a process, and one that couldn't be started.
    pub(crate) hook_on: Vec<&'static str>,
    /// How long such a command may run.
    pub(crate) hook_timeout: Option<Duration>,
    /// The directory of certificates of abnormal ends.
    pub(crate) report: Option<OsString>,
    /// How many of them are kept; `None`: 20.
    pub(crate) report_keep: Option<usize>,
    /// The file that says why a run failed.
    pub(crate) termination_log: Option<OsString>,
    /// The file of counts for Prometheus.
    pub(crate) metrics: Option<OsString>,
    /// Arguments are in records, too.
    pub(crate) report_args: bool,
    /// What is taken out of what the command has written, as patterns.
    pub(crate) redact: Vec<String>,
    /// How much is kept of the last words on stderr, and on stdout.
    pub(crate) stderr_tail: Option<TailSize>,
    pub(crate) stdout_tail: Option<TailSize>,
    /// The name in front of each line of output.
    pub(crate) label: Option<String>,
    /// The format of the time in front of each line of output.
    pub(crate) timestamps: Option<TimeFormat>,
    /// The file whose processes are run.
    pub(crate) config: Option<OsString>,
    /// Check that file, and run nothing.
    pub(crate) check: bool,
    /// Describe the environment, and run nothing.
    pub(crate) doctor: bool,
    /// How much is logged.
    pub(crate) verbosity: Verbosity,
    /// The options that the command line gives, where a file may give some, too.
    pub(crate) words: Vec<&'static str>,
    /// The options that a file gives, and what they are called in messages.
    pub(crate) keys: Vec<(&'static str, String)>,
    /// The variables that were applied as options.
    pub(crate) variables: Vec<&'static str>,
    /// Variables whose names are nearly those of an option.
    pub(crate) slips: Vec<Slip>,
    /// The program whose command line the words are.
    pub(crate) called: Option<OsString>,
    /// The run is in the place of another program.
    pub(crate) in_place: Option<Box<InPlace>>,
}

impl Settings {
    /// The exit status of a failure of our own.
    #[cold]
    pub(crate) fn own_failure(&self) -> StatusCode {
        self.in_place.as_ref().map_or(StatusCode::OWN_FAILURE, |place| place.statuses.failure())
    }

    /// After which ends the command is started again.
    pub(crate) fn restart(&self) -> Restart {
        self.restart.unwrap_or(Restart::Never)
    }
}

/// A variable of no option, and the one with nearly the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slip {
    pub(super) written: String,
    pub(super) meant: String,
}
