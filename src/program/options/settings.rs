//! What the command line and the environment say.

use crate::formats::timestamp::TimeFormat;
use crate::model::error::Error;
use crate::model::process_config::{NoRestartOn, Restart};
use crate::model::signal::{Signal, SignalSet};
use crate::program::exit::ExitFrom;
use crate::program::logger::Verbosity;
use crate::program::options::flags::FLAGS;
use crate::program::options::values::UserName;
use crate::program::options::variables::Slip;
use std::ffi::OsString;
use std::time::Duration;

/// What the command line and the environment say.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Settings {
    /// Where the command is started.
    pub(crate) dir: Option<OsString>,
    /// The command has no variables but those that follow.
    pub(crate) clear_env: bool,
    /// It doesn't have these.
    pub(crate) unset_env: Vec<OsString>,
    /// It has these.
    pub(crate) env: Vec<(OsString, OsString)>,
    /// Who runs it.
    pub(crate) user: Option<UserName>,
    /// Listen to these only.
    pub(crate) signals: Option<SignalSet>,
    /// What is forwarded instead; `None`: nothing.
    pub(crate) rewrites: Vec<(Signal, Option<Signal>)>,
    /// What the command would die of unasked isn't forwarded.
    pub(crate) drop_uncaught: bool,
    /// How much later.
    pub(crate) delays: Vec<(Signal, Duration)>,
    /// To the whole group.
    pub(crate) group: bool,
    pub(crate) session: bool,
    pub(crate) parent_death_signal: Option<Signal>,
    /// Which signals are a stop; `None`: TERM and INT.
    pub(crate) stop_signals: Option<SignalSet>,
    /// How long after a stop the command is killed.
    pub(crate) kill_after: Option<Duration>,
    /// How long what is left of it may take to end.
    pub(crate) drain: Option<Duration>,
    pub(crate) exit: Vec<(ExitFrom, u8)>,
    /// When it is started again, if at all.
    pub(crate) restart: Option<Restart>,
    pub(crate) min_wait: Option<Duration>,
    pub(crate) max_wait: Option<Duration>,
    pub(crate) no_restart_on: Vec<NoRestartOn>,
    pub(crate) max_restarts: Option<u32>,
    /// What stands in front of each line.
    pub(crate) label: Option<String>,
    /// And before that.
    pub(crate) timestamps: Option<TimeFormat>,
    /// The file whose processes are run.
    pub(crate) config: Option<OsString>,
    /// Or only looked at.
    pub(crate) check: bool,
    /// Only tell what is so here.
    pub(crate) doctor: bool,
    /// How much is logged.
    pub(crate) verbosity: Verbosity,
    /// The variables that were applied as options.
    pub(crate) variables: Vec<&'static str>,
    /// Variables that are nearly those of an option, and which.
    pub(crate) slips: Vec<Slip>,
}

impl Settings {
    /// When the command is started again.
    pub(crate) fn restart(&self) -> Restart {
        self.restart.unwrap_or(Restart::Never)
    }

    /// The variable that asked for what couldn't be done. Of an option the command line tells.
    pub(crate) fn variable_behind(&self, error: &Error) -> Option<&'static str> {
        let variable = match error {
            Error::Dir { .. } => "PANICMON_DIR",
            Error::User { .. } => "PANICMON_USER",
            _ => return None,
        };
        self.variables.contains(&variable).then_some(variable)
    }

    /// What an option was given by: its own name, or that of its variable.
    pub(crate) fn name_of(&self, long: &str) -> String {
        let flag = FLAGS.iter().find(|flag| flag.long == long);
        match flag.filter(|flag| self.variables.contains(&flag.variable)) {
            Some(flag) => flag.variable.to_owned(),
            None => format!("--{long}"),
        }
    }
}
