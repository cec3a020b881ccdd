//! What another program's command line asks for, added to the settings.

use super::run::{InPlace, Statuses};
use crate::model::env;
use crate::model::exit_from::ExitFrom;
use crate::model::signal::{Signal, SignalSet};
use crate::model::status::StatusCode;
use crate::program::logger::{FILTER, Verbosity};
use crate::program::options::settings::Settings;
use std::ffi::CStr;

/// What is asked for, as options of panicmon.
#[derive(Debug)]
pub(crate) struct Wishes {
    pub(super) group: bool,
    pub(super) session: bool,
    pub(super) parent_death_signal: Option<Signal>,
    /// As [`Settings::rewrites`]; the last for a signal counts.
    pub(super) rewrites: Vec<(Signal, Option<Signal>)>,
    /// Exit statuses that become 0.
    pub(super) successes: Vec<StatusCode>,
    /// How much is logged. `None`: as without options.
    pub(super) verbosity: Option<Verbosity>,
    pub(super) in_place: InPlace,
}

impl Wishes {
    pub(super) fn new(statuses: &'static Statuses) -> Wishes {
        let in_place =
            InPlace { statuses, words: &[], tells_orphans: false, at_end: None, stops_too: SignalSet::EMPTY };
        Wishes {
            group: false,
            session: false,
            parent_death_signal: None,
            rewrites: Vec::new(),
            successes: Vec::new(),
            verbosity: None,
            in_place,
        }
    }

    /// Adds what is asked for to settings in which it isn't given otherwise: panicmon's own options and variables win.
    #[cold]
    pub(crate) fn add_to(mut self, settings: &mut Settings, env: &[&CStr], given: &dyn Fn(&str) -> bool) {
        let is_free = |settings: &Settings, long: &str| {
            !given(long) && !settings.variables.iter().any(|variable| is_variable_of(variable, long))
        };
        settings.group |= self.group && is_free(settings, "group");
        settings.session |= self.session && is_free(settings, "session");
        settings.parent_death_signal = settings.parent_death_signal.or(self.parent_death_signal);
        // What panicmon's own options say of a signal goes for all that the program would do with it.
        for (from, to) in settings.rewrites.iter().copied() {
            self.in_place.stops_too = self.in_place.stops_too.without(from);
            if from == Signal::TERM && self.session {
                self.in_place.at_end = to;
            }
        }
        for (from, to) in self.rewrites.into_iter().rev() {
            if !settings.rewrites.iter().any(|(other, _)| *other == from) {
                settings.rewrites.push((from, to));
            }
        }
        for status in self.successes {
            let from = ExitFrom::Status(status.get());
            if !settings.exit.iter().any(|(other, _)| *other == from) {
                settings.exit.push((from, StatusCode::SUCCESS));
            }
        }
        if let Some(verbosity) = self.verbosity
            && is_free(settings, "verbose")
            && is_free(settings, "quiet")
            && env::get(env, FILTER).is_none()
        {
            settings.verbosity = verbosity;
        }
        settings.in_place = Some(Box::new(self.in_place));
    }
}

fn is_variable_of(variable: &str, long: &str) -> bool {
    let word = variable.strip_prefix("PANICMON_").unwrap_or_default();
    word.len() == long.len()
        && word
            .bytes()
            .zip(long.bytes())
            .all(|(one, other)| one.to_ascii_lowercase() == other || (one, other) == (b'_', b'-'))
}
