//! Log messages go to stderr, if they pass.

use super::journal::Message;
use super::stderr;
use crate::model::env;
use crate::model::printable::OneLine;
use crate::sys::user;
use crate::sys::user::Differing;
use env_filter::{Builder, Filter, ParseError};
use log::{LevelFilter, Log, Metadata, Record};
use std::ffi::CStr;
use std::sync::OnceLock;

/// The variable that filters messages, as env_logger does with `RUST_LOG`.
pub(crate) const FILTER: &str = "PANICMON_LOG";

/// How much is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Verbosity {
    /// Nothing.
    Quiet,
    /// What the filter in the environment says; without one, warnings and errors.
    #[default]
    Default,
    /// This level, whatever the environment says.
    Level(LevelFilter),
}

impl Verbosity {
    /// `-v`, `-vv`, `-vvv`.
    pub(crate) fn from_count(count: u8) -> Verbosity {
        match count {
            0 => Verbosity::Default,
            1 => Verbosity::Level(LevelFilter::Info),
            2 => Verbosity::Level(LevelFilter::Debug),
            _ => Verbosity::Level(LevelFilter::Trace),
        }
    }
}

/// Warns if the kernel will take the parent-death signal from what is started; but a change of user makes the ids the same.
pub(crate) fn warn_if_it_outlives() {
    if let Some(ids) = user::differing() {
        warn_of(ids);
    }
}

#[cold]
fn warn_of(Differing { what, real, effective }: Differing) {
    log::warn!(
        "the real {what} is {real} and the effective {what} {effective}: with these the command gets no parent-death signal, \
         and outlives a panicmon that is killed (--user makes them the same)"
    );
}

/// What the filter in the environment lets pass, if there is one.
///
/// env_logger writes by way of a variable of the thread. Where there is no memory to note that, the standard library ends the
/// program by words of its own.
struct Logger(OnceLock<Filter>);

static LOGGER: Logger = Logger(OnceLock::new());

/// Sends messages of this level and above to stderr.
pub(crate) fn install(verbosity: Verbosity, env: &[&CStr]) {
    let mut wrong = None;
    let level = match verbosity {
        Verbosity::Quiet => LevelFilter::Off,
        Verbosity::Level(level) => level,
        Verbosity::Default => match env::get(env, FILTER) {
            None => LevelFilter::Warn,
            Some(filter) => filtered(&filter.to_string_lossy(), &mut wrong),
        },
    };
    log::set_max_level(level);
    // It fails only if a logger is set already.
    let _ = log::set_logger(&LOGGER);
    if let Some(error) = wrong {
        log::warn!("{FILTER}: {error}: it is ignored");
    }
}

/// Has the logger use this filter, and returns the highest level that passes it; that of warnings, if it is wrong.
#[cold]
fn filtered(filter: &str, wrong: &mut Option<ParseError>) -> LevelFilter {
    match Builder::new().try_parse(filter) {
        Ok(builder) => {
            let filter = builder.build();
            let level = filter.filter();
            let _ = LOGGER.0.set(filter);
            level
        }
        Err(error) => {
            *wrong = Some(error);
            LevelFilter::Warn
        }
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        match self.0.get() {
            Some(filter) => filter.enabled(metadata),
            None => metadata.level() <= log::max_level(),
        }
    }

    fn log(&self, record: &Record<'_>) {
        let passes = match self.0.get() {
            Some(filter) => filter.matches(record),
            None => record.level() <= log::max_level(),
        };
        if passes {
            let text = OneLine(record.args());
            let message = Message { level: record.level(), shows_level: true, text: &text };
            stderr::log(message.to_string().as_bytes());
        }
    }

    fn flush(&self) {}
}
