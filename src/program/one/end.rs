//! After the last run: what its end means for our own exit status.

use super::prepare::{STOP_SIGNAL, Watches};
use crate::api::executor::Whole;
use crate::model::error::Error;
use crate::model::signal::Signal;
use crate::model::status::{ExitStatus, StatusCode};
use crate::policy::action::End;
use crate::policy::exit;
use crate::program::death;
use crate::program::options::settings::Settings;
use crate::program::stderr::{self, say};
use crate::program::systemds;
use crate::sys::signals::own;
use std::ffi::CStr;

/// The exit status. Where a signal is expected in its place, this process ends here by that signal.
pub(super) fn status(
    result: Result<Whole, Error>,
    settings: &Settings,
    watches: Watches,
    words: &[&CStr],
    env: &[&CStr],
) -> StatusCode {
    stderr::relay_has_ended();
    match result {
        Ok(Whole { end, reader_gone }) => {
            // 130, or a death by INT, would look like the user's Ctrl-C.
            if reader_gone && matches!(end.status, ExitStatus::Signaled { signal: STOP_SIGNAL, .. }) {
                return settings.own_failure();
            }
            let code = code(&end, settings, watches, env);
            // It was stopped because the reader of its output had gone: that isn't success.
            if reader_gone && code.is_success() { settings.own_failure() } else { code }
        }
        Err(error) => report(&error, settings, words),
    }
}

#[cold]
fn report(error: &Error, settings: &Settings, words: &[&CStr]) -> StatusCode {
    match settings.variable_behind(error) {
        Some(variable) => say(&format_args!("{variable}: {error}")),
        None => say(error),
    }
    if let Some(place) = &settings.in_place {
        return place.statuses.of(error);
    }
    if let Some(meant) = meant(words).filter(|_| matches!(error, Error::NotFound { .. })) {
        say(&format_args!("did you mean panicmon {meant}?"));
    }
    error.status_code()
}

/// The option that was meant by a command, as programs with subcommands are called.
fn meant(words: &[&CStr]) -> Option<String> {
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    match words.iter().map(AsRef::as_ref).collect::<Vec<_>>()[..] {
        [word @ ("help" | "version" | "man"), ..] => Some(format!("--{word}")),
        ["doctor", ref rest @ ..] => Some(["--doctor"].iter().chain(rest).copied().collect::<Vec<_>>().join(" ")),
        ["completions"] => Some("--completions SHELL".to_owned()),
        ["completions", shell, ..] => Some(format!("--completions {shell}")),
        ["check"] => Some("--check --config FILE".to_owned()),
        ["check", "-c" | "--config", file, ..] | ["check", file, ..] => Some(format!("--check --config {file}")),
        _ => None,
    }
}

fn code(end: &End, settings: &Settings, watches: Watches, env: &[&CStr]) -> StatusCode {
    // The shell that panicmon is a job of says it.
    if let Some(sentence) = watches.death.take().filter(|_| end.die_of.is_none()) {
        death::say_it(&sentence);
    }
    if let Some(code) = exit::mapped(&settings.exit, end) {
        return code;
    }
    if let Some(signal) = end.die_of.or_else(|| systemds_signal(end.status, env)) {
        own::die(signal);
    }
    let stop = watches.stops.and_then(|passed| passed.code(end.status));
    stop.filter(|_| systemds::is_own_init(env)).unwrap_or_else(|| end.status.code())
}

/// The signal that ended the command, if systemd started this process: it judges a stop by the signal.
fn systemds_signal(status: ExitStatus, env: &[&CStr]) -> Option<Signal> {
    match status {
        ExitStatus::Signaled { signal, .. } if systemds::is_own(env) => Some(signal),
        ExitStatus::Signaled { .. } | ExitStatus::Exited(_) => None,
    }
}
