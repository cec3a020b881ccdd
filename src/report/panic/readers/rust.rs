//! Rust's panics: caught ones and those of other threads look like the one that ends the process.

use super::super::language::{Found, Sure};
use super::super::pattern::{Pattern, group};
use super::super::text::Lines;
use crate::model::status::ExitStatus;
use regex_lite::Captures;

/// The most panics of a cascade.
const MOST: usize = 8;
/// The most lines of a message.
const MESSAGE_LINES: usize = 32;
/// What a message ends before.
const STOPS: [&str; 4] = ["note: ", "stack backtrace:", "thread '", "thread caused "];

/// The last panic. If it only tells of another one, then that one: a thread's that was waited for, or the first of those that
/// ended in a destructor.
pub(in super::super) fn read(lines: &Lines<'_>, status: ExitStatus) -> Option<Found> {
    let pattern = Pattern::new(
        r"^thread '(?<thread>.*)'(?: \(\d+\))? panicked at (?:'(?<message>.*)', )?(?<p>[^']+?):(?<n>\d+):\d+:?$",
    )?;
    let mut panics = lines.with("thread '", "' ").into_iter().rev().take(MOST).filter_map(|at| {
        let captures = pattern.captures(lines.get(at))?;
        Some((at, captures))
    });
    let (mut at, mut captures) = panics.next()?;
    for (before, earlier) in panics {
        let says = message(lines, at, &captures);
        let is_joined = says.contains("on an `Err` value: Any { .. }") || says.contains("PoisonError");
        let is_of_thread = group(&captures, "thread") == group(&earlier, "thread");
        let is_told = is_joined || is_abort(status) && is_of_thread;
        if !is_told {
            break;
        }
        (at, captures) = (before, earlier);
    }
    Some(Found {
        kind: "panic".to_owned(),
        message: message(lines, at, &captures),
        thread: group(&captures, "thread").map(str::to_owned),
        place: super::super::marks::place_of(&captures),
        at,
        sure: Sure::Certain,
        frames: Vec::new(),
    })
}

/// A panic while another unwinds, or in a function that must not unwind.
fn is_abort(status: ExitStatus) -> bool {
    status.code().get() != 101
}

/// In the lines below; up to Rust 1.72 it was in the line itself.
fn message(lines: &Lines<'_>, at: usize, captures: &Captures<'_>) -> String {
    if let Some(message) = group(captures, "message") {
        return message.to_owned();
    }
    let is_stop = |line: &&str| STOPS.iter().any(|stop| line.starts_with(stop));
    let message: Vec<&str> = lines.below(at, MESSAGE_LINES).take_while(|line| !is_stop(line)).collect();
    message.join("\n").trim().to_owned()
}
