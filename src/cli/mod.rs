//! The program: words to options, options to a run, its end to an exit status.

mod flags;
mod logger;
mod one;
mod several;
mod stderr;

use crate::sys::signals::process::ProcessSignals;
use crate::timestamp::Timestamp;
use crate::{NoRestartOn, Restart, SignalSet, StatusCode};
use std::ffi::{CStr, OsString};
use std::io::{self, Write};
use std::time::{Duration, SystemTime};
use stderr::say;

/// What the command line and the environment say.
#[derive(Debug, PartialEq)]
pub(crate) struct Settings {
    /// Listen to these only.
    pub(crate) signals: Option<SignalSet>,
    /// How long after a stop signal the command is killed.
    pub(crate) kill_after: Option<Duration>,
    pub(crate) restart: Restart,
    pub(crate) min_wait: Option<Duration>,
    pub(crate) max_wait: Option<Duration>,
    pub(crate) no_restart_on: Vec<NoRestartOn>,
    pub(crate) max_restarts: Option<u32>,
    /// What stands in front of each line.
    pub(crate) label: Option<String>,
    /// And before that.
    pub(crate) timestamps: Option<Timestamp>,
    /// The file whose processes are run.
    pub(crate) config: Option<OsString>,
    /// Or only looked at.
    pub(crate) check: bool,
    /// How much is logged.
    pub(crate) verbosity: logger::Verbosity,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            signals: None,
            kill_after: None,
            restart: Restart::Never,
            min_wait: None,
            max_wait: None,
            no_restart_on: Vec::new(),
            max_restarts: None,
            label: None,
            timestamps: None,
            config: None,
            check: false,
            verbosity: logger::Verbosity::Default,
        }
    }
}

/// What is to be done.
#[derive(Debug, PartialEq)]
pub(crate) enum Request {
    /// Run the command that begins at this word.
    Run(Settings, usize),
    /// Run the processes of a file.
    RunFile(Settings),
    /// Print this, and exit with 0.
    Print(String),
}

/// Runs the program and returns its exit status.
///
/// `args` and `env` are this process's own. The process must be a wrapper and nothing else, with one thread: its signals
/// are blocked, its descriptors closed.
pub fn main(args: &[&'static CStr], env: &[&'static CStr]) -> u8 {
    // First of all: from here on no signal is lost, and none ends this process before the child has it.
    let signals = ProcessSignals::take();
    match flags::parse(args, env) {
        Ok(Request::Run(settings, command)) => one::run(signals, settings, &args[command..], env).get(),
        Ok(Request::RunFile(settings)) => several::run(signals, &settings, env).get(),
        Ok(Request::Print(text)) => print(&text).get(),
        Err(message) => {
            say(&message);
            StatusCode::OWN_FAILURE.get()
        }
    }
}

fn print(text: &str) -> StatusCode {
    let mut stdout = io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => StatusCode::SUCCESS,
        Err(error) => {
            say(&format_args!("can't write to stdout: {error}"));
            StatusCode::OWN_FAILURE
        }
    }
}

/// Writes the time in this format.
fn stamp(format: Timestamp) -> crate::relay::printed::Stamp {
    Box::new(move |into| format.write(SystemTime::now(), into))
}

/// Whether colours are welcome where there is a terminal: no-color.org.
fn colours() -> bool {
    let no = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !no && std::env::var_os("TERM").is_some_and(|term| term != "dumb")
}
