//! dumb-init.

use super::getopt::{Item, Syntax, read};
use super::peer::{Asked, Line, Peer};
use super::run::Statuses;
use super::texts::{base, version};
use super::wishes::Wishes;
use crate::model::env;
use crate::model::signal::Signal;
use crate::model::status::StatusCode;
use crate::program::logger::Verbosity;
use log::LevelFilter;
use std::ffi::OsStr;

pub(super) const DUMB_INIT: Peer = Peer { names: &["dumb-init"], statuses: &STATUSES, read: read_line };

/// It is the child that fails to execute the command, and then has this status.
const NOT_EXECUTED: StatusCode = StatusCode::new(2);

static STATUSES: Statuses = Statuses {
    not_found: NOT_EXECUTED,
    not_executable: NOT_EXECUTED,
    refused_otherwise: NOT_EXECUTED,
    failure: StatusCode::new(1),
};

const VERSION: &str = "dumb-init v1.2.5";

const SYNTAX: Syntax = Syntax {
    short: "chr:vV",
    long: &[("help", 'h'), ("single-child", 'c'), ("rewrite", 'r'), ("verbose", 'v'), ("version", 'V')],
    permutes: false,
};

/// The highest signal it knows.
const HIGHEST: i32 = 31;

/// These stop it as well as its command.
const STOPS: [Signal; 3] = [Signal::TSTP, Signal::TTIN, Signal::TTOU];

fn read_line(line: &Line<'_>) -> Asked {
    let given = read(&SYNTAX, line.name, line.words);
    let mut wishes = Wishes::new(&STATUSES);
    let mut is_single = false;
    let mut verbose = false;
    for item in given.items {
        match item {
            Item::Option('h', _) => return Asked::Tell(usage(line.name)),
            Item::Option('V', _) => return Asked::Tell(version(VERSION)),
            Item::Option('c', _) => is_single = true,
            Item::Option('v', _) => verbose = true,
            Item::Option('r', Some(word)) => match rewrite(word) {
                Some(rewrite) => wishes.rewrites.push(rewrite),
                None => return Asked::Refuse(RANGE.to_owned()),
            },
            Item::Option(..) => {}
            Item::Wrong(why) => return Asked::Refuse(format!("{why}\n")),
        }
    }
    if given.operands.is_empty() {
        return Asked::Refuse(short_usage(line.name));
    }
    let is = |name: &str, value: &str| env::get(line.env, name).is_some_and(|given| given == value);
    if !is_single && !is("DUMB_INIT_SETSID", "0") {
        in_session(&mut wishes);
    }
    if verbose || is("DUMB_INIT_DEBUG", "1") {
        wishes.verbosity = Some(Verbosity::Level(LevelFilter::Debug));
    }
    wishes.in_place.stops_too = STOPS.into_iter().collect();
    wishes.in_place.words = given.operands.leak();
    Asked::Run(wishes)
}

/// A session of its own, and signals to the whole group, also at the end. A process group that no shell controls can't be
/// stopped but by STOP.
fn in_session(wishes: &mut Wishes) {
    wishes.session = true;
    wishes.group = true;
    // The last for a signal counts.
    wishes.rewrites.splice(0..0, STOPS.map(|signal| (signal, Some(Signal::STOP))));
    let last = wishes.rewrites.iter().rev().find(|(from, _)| *from == Signal::TERM);
    wishes.in_place.at_end = last.map_or(Some(Signal::TERM), |(_, to)| *to);
}

const RANGE: &str = "Usage: -r option takes <signum>:<signum>, where <signum> is between 1 and 31.\n";

/// As sscanf(3) reads two numbers; what is behind them doesn't matter. The second may be 0: the signal is dropped.
fn rewrite(word: &OsStr) -> Option<(Signal, Option<Signal>)> {
    let (from, rest) = number(word.to_str()?)?;
    let (to, _) = number(rest.strip_prefix(':')?)?;
    let is_known = (1..=HIGHEST).contains(&from) && (0..=HIGHEST).contains(&to);
    is_known.then(|| Signal::new(from).map(|from| (from, Signal::new(to))))?
}

/// A number at the beginning of a text, and what is behind it.
fn number(text: &str) -> Option<(i32, &str)> {
    let text = text.trim_start();
    let sign = usize::from(text.starts_with(['-', '+']));
    let digits = text[sign..].bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(sign + digits);
    Some((number.parse().ok()?, rest))
}

#[cold]
fn short_usage(name: &OsStr) -> String {
    let name = base(name);
    format!("Usage: {name} [option] program [args]\n{name} --help tells more.\n")
}

#[cold]
fn usage(name: &OsStr) -> String {
    let name = base(name);
    format!(
        "{name} is panicmon in the place of {}: {name} [OPTION]... COMMAND [ARG]...

  -c, --single-child     no session of its own, and signals for the command alone (also: DUMB_INIT_SETSID=0)
  -r, --rewrite FROM:TO  send TO instead of FROM, both by number; 0: nothing; may be given several times
  -v, --verbose          log what is done (also: DUMB_INIT_DEBUG=1)
  -h, --help
  -V, --version

The variables PANICMON_... of panicmon --help work as well.
",
        version(VERSION).trim_end()
    )
}
