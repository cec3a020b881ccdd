//! Errors of Node and Bun that nothing has caught: a place, an excerpt of the source with a mark below it, the error.
//!
//! `console.error` prints the same from the error on. What the runtime itself prints has its version as the last line.

use super::super::language::{Found, Sure};
use super::super::marks::place_of;
use super::super::pattern::{Pattern, group};
use super::super::text::Lines;
use crate::model::status::ExitStatus;

/// How far above its end a text begins at most: an error may show many properties.
const MOST_LINES: usize = 400;
/// The most lines of a message.
const MESSAGE_LINES: usize = 32;
/// The most lines of source code between a place and the mark below the code.
const EXCERPT_LINES: usize = 3;

/// Node: `FILE:LINE`, the excerpt, an empty line, the error, `Node.js v20.1.2`. Up to version 16 there is no last line.
pub(in super::super) fn node(lines: &Lines<'_>, _: ExitStatus) -> Option<Found> {
    let place = Pattern::new(r"^(?<p>\S.*):(?<n>\d+)$")?;
    let version = lines.with("Node.js v", "").pop();
    let end = version.unwrap_or(lines.len());
    // The last one: an error that a worker's error causes has its own excerpt above. Where the source ends too early, there is
    // nothing to mark: the line is empty.
    let (above, caret) = (end.saturating_sub(MOST_LINES)..end).rev().find_map(|at| {
        let is_caret = is_caret(lines.get(at)) || lines.get(at + 1).starts_with("SyntaxError: ");
        let mut excerpt = (at.saturating_sub(EXCERPT_LINES)..at.saturating_sub(1)).rev();
        is_caret.then(|| excerpt.find_map(|at| place.captures(lines.get(at)))).flatten().map(|place| (place, at))
    })?;
    let first = (caret + 1..end).find(|at| !lines.get(*at).is_empty())?;
    let has_frames = lines.is_near_below(first.saturating_sub(1), MESSAGE_LINES, &["    at "]);
    if version.is_none() && !has_frames {
        return None;
    }
    let mut found = error(lines, first, has_frames, &["    at ", "(Use `node ", "Node.js v", "Emitted "])?;
    found.place = place_of(&above);
    Some(found)
}

/// Bun: `1 | ` and the source, the mark, the error, `Bun v1.2.3 (Linux x64)`.
pub(in super::super) fn bun(lines: &Lines<'_>, _: ExitStatus) -> Option<Found> {
    let version = lines.with("Bun v", " (").pop()?;
    let from = version.saturating_sub(MOST_LINES);
    let texts = (from..version).map(|at| (at, lines.get(at)));
    // The first one: the errors below are its causes.
    let first = texts.clone().find(|(at, line)| is_caret(line) && is_excerpt(lines.before(*at))).map(|(at, _)| at + 1);
    let first = first.or_else(|| texts.clone().find(|(_, line)| line.starts_with("error: ")).map(|(at, _)| at))?;
    error(lines, first, true, &["      at ", "    at ", "    path: ", "Bun v", ""])
}

/// A line of nothing but the mark below source code.
fn is_caret(line: &str) -> bool {
    line.trim_start().starts_with('^') && line.trim().bytes().all(|byte| byte == b'^')
}

/// `12 | code`
fn is_excerpt(line: &str) -> bool {
    line.trim_start().split_once(" |").is_some_and(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The error whose text begins in this line. Anything can be thrown: a text, an object.
fn error(lines: &Lines<'_>, at: usize, has_frames: bool, stops: &[&str]) -> Option<Found> {
    let pattern = Pattern::new(r"^(?:Uncaught )?(?<kind>[A-Za-z_$][\w$.]*)(?: \[\w+\])?(?:: (?<message>.*))?$")?;
    let line = lines.get(at).trim_end_matches(" {");
    let captures = pattern.captures(line).filter(|_| has_frames);
    let (kind, here) = match &captures {
        Some(captures) => (group(captures, "kind")?, group(captures, "message").unwrap_or_default()),
        None => ("uncaught", line),
    };
    let is_stop =
        |line: &&str| stops.iter().any(|stop| if stop.is_empty() { line.is_empty() } else { line.starts_with(stop) });
    let further = lines.below(at, MESSAGE_LINES).take_while(|line| !is_stop(line));
    let message: Vec<&str> = std::iter::once(here).chain(further).collect();
    Some(Found {
        kind: kind.to_owned(),
        message: message.join("\n").trim().to_owned(),
        thread: None,
        place: None,
        at,
        sure: Sure::Certain,
        frames: Vec::new(),
    })
}
