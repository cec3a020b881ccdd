//! The texts that are asked for instead of a run.

use super::completions;
use super::options::help::{self, Page};
use super::options::text_flags::Text;
use super::options::words::BUILD;
use super::stdout::print;
use crate::model::env;
use crate::model::status::StatusCode;
use crate::sys::screen;
use std::ffi::{CStr, OsStr};

/// The columns of a text that is on no terminal.
const COLUMNS: usize = 80;

/// Prints a text, and returns the exit status.
#[cold]
pub(crate) fn show(text: Text, env: &[&CStr]) -> StatusCode {
    let page = || Page::new(screen::columns().unwrap_or(COLUMNS), is_coloured(env));
    match text {
        Text::Screen => print(&help::screen(page())),
        Text::Help => print(&help::full(page())),
        Text::Version => print(&format!("panicmon {BUILD}\n")),
        Text::Manual => print(include_str!("../../packaging/man/panicmon.1")),
        Text::Completions(shell) => print(&completions::script(shell)),
    }
}

/// Colours are for a terminal that has them and a user who hasn't switched them off: no-color.org.
fn is_coloured(env: &[&CStr]) -> bool {
    let is_set = |name| env::get(env, name).is_some_and(|value| !value.is_empty());
    let has_colours = is_set("TERM") && env::get(env, "TERM") != Some(OsStr::new("dumb"));
    has_colours && !is_set("NO_COLOR") && screen::is_there()
}
