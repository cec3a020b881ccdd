//! The program: words to options, options to a run, its end to an exit status.
#![forbid(unsafe_code)]

mod check;
mod config_file;
mod doctor;
mod exit;
#[cfg(test)]
mod generated;
mod journal;
mod logger;
mod one;
mod options;
mod reload;
mod several;
mod stderr;
mod systemds;

use crate::formats::timestamp::TimeFormat;
use crate::model::signal::Signal;
use crate::model::status::StatusCode;
use crate::sys::process;
use crate::sys::signals::process::ProcessSignals;
use crate::sys::signals::{Disposition, disposition};
use options::parse;
use options::settings::Settings;
use std::ffi::CStr;
use std::io;
use std::time::SystemTime;
use stderr::say;

/// The status of `--doctor`, if some promise doesn't hold.
const DOES_NOT_HOLD: u8 = 1;

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
    let request = parse::parse(args, env);
    if let Ok(Request::Run(settings, _) | Request::RunFile(settings)) = &request
        && let Some(signal) = settings.parent_death_signal
        && let Err(error) = process::die_with_parent(signal)
    {
        say(&format_args!("{}: {error}", settings.name_of("parent-death-signal")));
        return StatusCode::OWN_FAILURE.get();
    }
    match request {
        Ok(Request::Run(settings, _) | Request::RunFile(settings)) if settings.doctor => {
            let (text, holds) = doctor::report(signals.inherited_mask(), env, settings.config.is_some());
            let printed = print(&text);
            if holds || !printed.is_success() { printed.get() } else { DOES_NOT_HOLD }
        }
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
    let mut rest = text.as_bytes();
    // Not by the standard library, to which a closed stdout is as good as any.
    let written = loop {
        match nix::unistd::write(io::stdout(), rest) {
            Ok(written) if written == rest.len() => break Ok(()),
            Ok(written) => rest = &rest[written..],
            Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => break Err(errno),
        }
    };
    match written {
        Ok(()) => StatusCode::SUCCESS,
        Err(error) => {
            say(&format_args!("can't write to stdout: {error}"));
            StatusCode::OWN_FAILURE
        }
    }
}

/// Writes the time in this format.
fn stamp(format: TimeFormat) -> crate::relay::printed::Stamp {
    let write = format.writer();
    Box::new(move |into| write(SystemTime::now(), into))
}

/// Whether nobody reading our output is no reason to stop: so it is to a program that was started to ignore SIGPIPE, as by
/// systemd.
fn outlives_readers() -> bool {
    disposition(Signal::PIPE) == Disposition::Ignored
}

/// Whether colours are welcome where there is a terminal: no-color.org.
fn colours() -> bool {
    let no = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !no && std::env::var_os("TERM").is_some_and(|term| term != "dumb")
}
