//! What a file says.

use super::yaml::Node;
use crate::formats::timestamp::TimeFormat;
use crate::model::process_config::ProcessConfig;
use std::fmt;

/// The processes of a file, and how their lines are stamped.
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// The format of the timestamps; `None`: no timestamps.
    pub time_format: Option<TimeFormat>,
    /// The processes, in the order of the file: at least one, each with a name of its own.
    ///
    /// A wait of 0 in the file is the default, as in pmux.
    pub processes: Vec<ProcessConfig>,
    /// What is to be reported of the processes, and where. The program heeds it; a program of your own may.
    pub reports: Vec<ReportOption>,
    /// For each process, where its command and directory are written.
    pub(crate) places: Vec<Places>,
}

/// An option of the program that a file gives for all its processes, with what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReportOption {
    /// Its name, as the file has it: `hookOn` is `--hook-on`.
    pub key: &'static str,
    /// Its values; `true` is that of a switch that is on. None: it isn't given.
    pub values: Vec<String>,
    /// Where each is written.
    pub(crate) places: Vec<Place>,
}

/// Where the values of a process are written that are looked up when it is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) cmd: Place,
    pub(crate) dir: Place,
}

/// A line and a column, counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    line: u64,
    column: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl Place {
    pub(super) fn of(node: &Node<'_>) -> Place {
        Place { line: node.defined.line(), column: node.defined.column() }
    }
}
