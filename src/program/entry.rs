//! The start of the program: reads options, runs what they ask for, and returns the exit status.

use super::options::parse::{Request, parse};
use super::options::settings::Settings;
use super::peers::pause::pause;
use super::peers::table::{asked_for, by_name};
use super::stderr::{say, say_as_it_is, say_lines, tell_panics};
use super::stdout::print;
use super::{doctor, failure, one, several, texts};
use crate::model::signal::Signal;
use crate::model::status::StatusCode;
use crate::sys::signals::process::ProcessSignals;
use crate::sys::{limit, process};
use std::ffi::CStr;

/// The exit status of `--doctor` if a promise doesn't hold.
const DOES_NOT_HOLD: StatusCode = StatusCode::new(1);

/// How much of the stack is needed. Beyond its limit it can't grow, and the kernel ends this process by SIGSEGV.
const STACK_BYTES: u64 = 96 * 1024;

/// Tells the name that the program was called by, before anything that takes memory: failures of its own have the status of the
/// program of that name.
pub fn called(name: &'static CStr) {
    if let Some(peer) = by_name(name) {
        failure::set_status(peer.statuses.failure());
    }
}

/// Runs the program and returns its exit status.
///
/// `args` and `env` are this process's own. The process must be panicmon's alone, with one thread: its signals are blocked,
/// its descriptors closed.
pub fn main(args: &[&'static CStr], env: &[&'static CStr]) -> u8 {
    let here = 0_u8;
    // The strings are at the beginning of the stack, the variables before the arguments.
    let last = env.last().or(args.last()).map_or(0, |string| string.as_ptr() as u64);
    if let Err(error) = limit::ensure_stack(last.saturating_sub(&raw const here as u64), STACK_BYTES) {
        say(&error);
        return failure_of(args, env).get();
    }
    tell_panics();
    // Blocked before anything else, a signal is neither lost nor ends this process before the child can have it.
    let signals = ProcessSignals::take();
    let status = parse(args.first().and_then(|name| by_name(name)), args, env).map_err(|message| {
        say_lines(&message);
        failure_of(args, env)
    });
    let status = status.and_then(|request| {
        die_with_parent(&request)?;
        Ok(run(request, signals, args, env))
    });
    status.unwrap_or_else(|failure| failure).get()
}

/// The exit status of a failure before it is known what the words mean.
#[cold]
fn failure_of(args: &[&'static CStr], env: &[&'static CStr]) -> StatusCode {
    asked_for(args, env).map_or(StatusCode::OWN_FAILURE, |peer| peer.statuses.failure())
}

fn run(request: Request, signals: ProcessSignals, args: &[&'static CStr], env: &[&'static CStr]) -> StatusCode {
    match request {
        Request::Run(settings, command) if !settings.doctor => {
            let words = match &settings.in_place {
                Some(place) => {
                    failure::set_status(place.statuses.failure());
                    place.words
                }
                None => &args[command..],
            };
            one::run(signals, settings, words, env)
        }
        other => run_other(other, signals, env),
    }
}

/// Does what isn't the run of one command.
#[cold]
fn run_other(request: Request, signals: ProcessSignals, env: &[&'static CStr]) -> StatusCode {
    match request {
        Request::Run(settings, _) => diagnose(*settings, signals, env),
        Request::RunFile(settings) if settings.doctor => diagnose(*settings, signals, env),
        Request::RunFile(settings) => several::run(signals, settings, env),
        Request::Pause(failure) => {
            failure::set_status(failure);
            pause(signals, failure)
        }
        Request::Print(text) => texts::show(text, env),
        Request::Show(text, failure) => {
            failure::set_status(failure);
            print(&text)
        }
        Request::Tell(text, status) => {
            say_as_it_is(&text);
            status
        }
    }
}

/// Asks for the signal of `--parent-death-signal`. An error has been told, and is an exit status.
fn die_with_parent(request: &Request) -> Result<(), StatusCode> {
    let settings = match request {
        Request::Run(settings, _) | Request::RunFile(settings) => settings,
        Request::Pause(_) | Request::Print(_) | Request::Show(..) | Request::Tell(..) => return Ok(()),
    };
    settings.parent_death_signal.map_or(Ok(()), |signal| ask_for(signal, settings))
}

#[cold]
fn ask_for(signal: Signal, settings: &Settings) -> Result<(), StatusCode> {
    process::die_with_parent(signal).map_err(|error| {
        say(&format_args!("{}: {error}", settings.name_of("parent-death-signal")));
        settings.own_failure()
    })
}

#[cold]
fn diagnose(mut settings: Settings, signals: ProcessSignals, env: &[&'static CStr]) -> StatusCode {
    let (text, holds) = doctor::report(signals, env, &mut settings);
    let printed = print(&text);
    if holds || !printed.is_success() { printed } else { DOES_NOT_HOLD }
}
