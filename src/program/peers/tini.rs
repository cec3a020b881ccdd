//! tini, and Docker's docker-init, which is the same program.

use super::getopt::{Item, Syntax, read};
use super::peer::{Asked, Line, Peer};
use super::run::Statuses;
use super::texts::{base, licence, version};
use super::wishes::Wishes;
use crate::model::env;
use crate::model::signal::Signal;
use crate::model::status::StatusCode;
use crate::program::logger::Verbosity;
use log::LevelFilter;
use std::ffi::OsStr;
use std::num::IntErrorKind;

pub(super) const TINI: Peer =
    Peer { names: &["tini", "tini-static", "docker-init"], statuses: &STATUSES, read: read_line };

static STATUSES: Statuses = Statuses {
    not_found: StatusCode::NOT_FOUND,
    not_executable: StatusCode::NOT_EXECUTABLE,
    refused_otherwise: StatusCode::new(1),
    failure: StatusCode::new(1),
};

/// The tini whose command line this is.
const VERSION: &str = "tini version 0.19.0";

const SYNTAX: Syntax = Syntax { short: "p:hvwgle:s", long: &[], permutes: true };

/// What is logged without -v: warnings.
const DEFAULT_LEVEL: i32 = 1;

fn read_line(line: &Line<'_>) -> Asked {
    if let [word] = line.words
        && word.to_bytes() == b"--version"
    {
        return Asked::Print(version(VERSION));
    }
    let syntax = Syntax { permutes: env::get(line.env, "POSIXLY_CORRECT").is_none(), ..SYNTAX };
    let given = read(&syntax, line.name, line.words);
    let mut wishes = Wishes::new(&STATUSES);
    let mut more = 0;
    for item in given.items {
        match item {
            Item::Option('h', _) => return Asked::Print(usage(line.name)),
            Item::Option('l', _) => return Asked::Print(licence()),
            Item::Option('g', _) => wishes.group = true,
            Item::Option('w', _) => wishes.in_place.tells_orphans = true,
            Item::Option('v', _) => more += 1,
            Item::Option('p', Some(word)) => match signal(word) {
                Some(signal) => wishes.parent_death_signal = Some(signal),
                None => return fatal('p', word),
            },
            Item::Option('e', Some(word)) => match status(word) {
                Some(status) => wishes.successes.push(status),
                None => return fatal('e', word),
            },
            // -s: panicmon is a subreaper in any case.
            Item::Option(..) => {}
            Item::Wrong(why) => return Asked::Refuse(format!("{why}\n{}", usage(line.name))),
        }
    }
    if given.operands.is_empty() {
        return Asked::Refuse(usage(line.name));
    }
    wishes.group |= env::get(line.env, "TINI_KILL_PROCESS_GROUP").is_some();
    wishes.verbosity = verbosity(env::get(line.env, "TINI_VERBOSITY").map_or(DEFAULT_LEVEL + more, number));
    wishes.in_place.words = given.operands.leak();
    Asked::Run(wishes)
}

fn fatal(option: char, word: &OsStr) -> Asked {
    let own = std::process::id();
    Asked::Refuse(format!("[FATAL tini ({own})] Not a valid option for -{option}: {}\n", word.display()))
}

/// tini knows the standard signals by their full names, but not the two that POSIX doesn't have, nor SIGIO.
fn signal(word: &OsStr) -> Option<Signal> {
    let word = word.to_str()?;
    let signal: Signal = word.parse().ok()?;
    let is_known = !signal.is_realtime() && !matches!(signal, Signal::STKFLT | Signal::PWR | Signal::IO);
    (is_known && signal.to_string() == word).then_some(signal)
}

/// As strtol(3) reads a number from 0 to 255; nothing is 0.
fn status(word: &OsStr) -> Option<StatusCode> {
    let text = word.to_str()?;
    let number: i64 = if text.is_empty() { 0 } else { text.trim_start().parse().ok()? };
    Some(StatusCode::new(number.try_into().ok()?))
}

/// As atoi(3) of the GNU C library reads it: of the nearest `long` the lower half.
fn number(word: &OsStr) -> i32 {
    let text = word.to_string_lossy();
    let text = text.trim_start();
    let end = text.char_indices().find(|(at, c)| !(c.is_ascii_digit() || *at == 0 && matches!(c, '-' | '+')));
    let long = text[..end.map_or(text.len(), |(at, _)| at)].parse::<i64>().unwrap_or_else(|error| match error.kind() {
        IntErrorKind::PosOverflow => i64::MAX,
        IntErrorKind::NegOverflow => i64::MIN,
        _ => 0,
    });
    long as i32
}

/// A level below 0 is, to tini, a very high one.
fn verbosity(level: i32) -> Option<Verbosity> {
    match level {
        0 => Some(Verbosity::Quiet),
        DEFAULT_LEVEL => None,
        2 => Some(Verbosity::Level(LevelFilter::Info)),
        3 => Some(Verbosity::Level(LevelFilter::Debug)),
        _ => Some(Verbosity::Level(LevelFilter::Trace)),
    }
}

#[cold]
fn usage(name: &OsStr) -> String {
    let name = base(name);
    format!(
        "{name} is panicmon in the place of tini ({}): {name} [-gsvw] [-e STATUS] [-p SIGNAL] [--] COMMAND [ARG]...

  -e STATUS  exit with 0 instead of this status; may be given several times
  -g         send signals to the command's whole process group (also: TINI_KILL_PROCESS_GROUP)
  -p SIGNAL  get this signal when the parent dies: SIGTERM
  -s         adopt orphans: done in any case (also: TINI_SUBREAPER)
  -v         log more: twice, three times for still more (or else: TINI_VERBOSITY, from 0 to 4, which wins)
  -w         tell of each orphan that is reaped
  -h, -l, --version (alone)

Options are read behind COMMAND, too, up to the first --. The variables PANICMON_... of panicmon --help work as well.
",
        version(VERSION).trim_end()
    )
}
