//! The program: words to options, options to a run, its end to an exit status.

mod flags;
mod logger;
mod stderr;

use crate::error::os_string;
use crate::executor::Manner;
use crate::handlers::LogHandler;
use crate::options::Environment;
use crate::sys::poll::Source;
use crate::sys::process;
use crate::sys::signals::own;
use crate::sys::signals::process::ProcessSignals;
use crate::sys::terminal::{ChildGroup, Terminal};
use crate::{Error, Executor, ExitStatus, Options, SignalSet, StatusCode};
use std::borrow::Cow;
use std::ffi::CStr;
use std::io::{self, Write};
use std::os::fd::BorrowedFd;
use stderr::say;

/// What the command line and the environment say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Listen to these only.
    pub(crate) signals: Option<SignalSet>,
    /// How much is logged.
    pub(crate) verbosity: logger::Verbosity,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Run the command that begins at this word.
    Run(Settings, usize),
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
        Ok(Request::Run(settings, command)) => run(signals, &settings, &args[command..], env).get(),
        Ok(Request::Print(text)) => print(&text).get(),
        Err(message) => {
            say(&message);
            StatusCode::OWN_FAILURE.get()
        }
    }
}

fn run(mut signals: ProcessSignals, settings: &Settings, words: &[&'static CStr], env: &[&'static CStr]) -> StatusCode {
    logger::install(settings.verbosity);
    let group = ChildGroup::find(signals.inherited_mask(), true);
    if let Some(listened) = settings.signals {
        signals.limit(listened.union(group.needs()).union(group.sends()));
    }
    let mut options = Options::default().handler(LogHandler).init(true);
    options.signals = settings.signals;
    options.environment = Environment::entries(env);
    let args: Vec<_> = words.iter().map(|word| os_string(word)).collect();
    let words = words.iter().map(|word| Cow::Borrowed(*word)).collect();
    let result = Executor::with_source(options, Source::Process(signals), group)
        .and_then(|mut executor| executor.run_words(&args, Ok(words), Manner::once(), settle));
    match result {
        Ok(end) => {
            let systemds = match end.status {
                ExitStatus::Signaled { signal, .. } if is_systemds_own(env) => Some(signal),
                ExitStatus::Signaled { .. } | ExitStatus::Exited(_) => None,
            };
            if let Some(signal) = end.die_of.or(systemds) {
                own::die(signal);
            }
            end.status.code()
        }
        Err(error) => {
            say(&error);
            error.status_code()
        }
    }
}

/// Once the child exists: lets go of what is the child's now, and only then opens what panicmon needs itself, which a
/// full table of descriptors would have had no room for.
fn settle(source: &mut Source, group: &ChildGroup, needed: &[BorrowedFd<'_>]) -> Result<(), Error> {
    let kept: Vec<_> = group.terminal().map(Terminal::fd).into_iter().chain(needed.iter().copied()).collect();
    process::let_go(&kept, !needed.is_empty())
        .map_err(|source| Error::start("letting go of inherited descriptors", source))?;
    match source {
        Source::Process(signals) => signals
            .open()
            .or_else(|_| {
                process::free_stdin();
                signals.open()
            })
            .map_err(|source| Error::Listen { source }),
        Source::Shared(_) => Ok(()),
    }
}

/// Whether systemd started this very process: systemd.exec(5). It calls a stop a success only if the process died of it.
fn is_systemds_own(env: &[&CStr]) -> bool {
    let variable = env.iter().find_map(|entry| entry.to_bytes().strip_prefix(b"SYSTEMD_EXEC_PID="));
    variable.is_some_and(|pid| pid == process::id().to_string().as_bytes())
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
