//! A death is found by the marks of a language.

use super::language::{Found, Mark, Message, Sure, Which};
use super::pattern::{Pattern, group};
use super::text::Lines;
use crate::model::status::ExitStatus;
use regex_lite::Captures;

/// How far below a mark is looked for what proves it.
const NEAR: usize = 64;
/// The most lines of a message.
const MESSAGE_LINES: usize = 32;
/// How many lines may follow what is said at the end.
const LAST_LINES: usize = 3;

/// The surest death that one of the marks finds.
pub(super) fn find(marks: &[Mark], lines: &Lines<'_>, status: ExitStatus) -> Option<Found> {
    let mut best: Option<Found> = None;
    for mark in marks.iter().filter(|mark| mark.ends.is_none_or(|ends| ends.has(status))) {
        if best.as_ref().is_none_or(|best| mark.sure > best.sure)
            && let Some(found) = find_one(mark, lines)
        {
            best = Some(found);
        }
        if best.as_ref().is_some_and(|best| best.sure == Sure::Certain) {
            break;
        }
    }
    best
}

fn find_one(mark: &Mark, lines: &Lines<'_>) -> Option<Found> {
    let mut candidates = lines.with(mark.start, mark.has);
    if mark.at_end {
        let end = lines.near_end(LAST_LINES);
        candidates.retain(|at| *at >= end);
    }
    if candidates.is_empty() {
        return None;
    }
    let pattern = Pattern::new(mark.pattern)?;
    let first = match mark.message {
        Message::From(first) => Some(Pattern::new(first)?),
        _ => None,
    };
    let mut accepted = |at: usize| accept(mark, &pattern, first.as_ref(), lines, at);
    match mark.which {
        Which::First => candidates.into_iter().find_map(&mut accepted),
        Which::Last => candidates.into_iter().rev().find_map(&mut accepted),
    }
}

fn accept(mark: &Mark, pattern: &Pattern, first: Option<&Pattern>, lines: &Lines<'_>, at: usize) -> Option<Found> {
    let before = lines.before(at);
    if !before.starts_with(mark.after)
        || mark.not_after.iter().any(|not| before.contains(not))
        || !mark.not_below.is_empty() && lines.is_near_below(at, 4, mark.not_below)
    {
        return None;
    }
    let captures = pattern.captures(lines.get(at))?;
    if !mark.below.is_empty() && !lines.is_near_below(at, NEAR, mark.below) {
        return None;
    }
    let mut found = found(mark, &captures, at);
    match mark.message {
        Message::Above => {
            found.at =
                above(lines, at).find(|at| !lines.get(*at).is_empty() && !lines.get(*at).starts_with([' ', '\t']))?;
            lines.get(found.at).clone_into(&mut found.message);
        }
        Message::From(_) => {
            let first = first?;
            let (start, captures) = above(lines, at).find_map(|at| Some((at, first.captures(lines.get(at))?)))?;
            let further = lines.below(start, at - start - 1).collect();
            found = self::found(mark, &captures, at);
            found.message = joined(&found.message, further);
        }
        _ => found.message = message(mark, &found.message, pattern, lines, at),
    }
    Some(refined(found, mark))
}

/// What the line says.
fn found(mark: &Mark, captures: &Captures<'_>, at: usize) -> Found {
    Found {
        kind: group(captures, "kind").unwrap_or(mark.kind).to_owned(),
        message: group(captures, "message").unwrap_or_default().to_owned(),
        thread: group(captures, "thread").map(str::to_owned),
        place: place_of(captures),
        at,
        sure: mark.sure,
        frames: Vec::new(),
    }
}

/// The numbers of the lines above that may belong to the message, the nearest first.
fn above(lines: &Lines<'_>, at: usize) -> impl Iterator<Item = usize> {
    (at.saturating_sub(MESSAGE_LINES)..at.min(lines.len())).rev()
}

/// With what the message holds beside the message itself.
fn refined(mut found: Found, mark: &Mark) -> Found {
    let message = std::mem::take(&mut found.message);
    let mut rest = message.as_str();
    if !mark.cut.is_empty()
        && let Some(end) = Pattern::new(mark.cut).as_ref().and_then(|cut| cut.captures(rest))
    {
        found.place = found.place.or_else(|| place_of(&end));
        found.kind = group(&end, "kind").map_or(found.kind, str::to_owned);
        rest = &message[..end.get(0).map_or(0, |whole| whole.start())];
    }
    if !mark.inner.is_empty()
        && let Some(inner) = Pattern::new(mark.inner).as_ref().and_then(|inner| inner.captures(rest))
    {
        found.place = found.place.or_else(|| place_of(&inner));
        found.kind = group(&inner, "kind").map_or(found.kind, str::to_owned);
        rest = group(&inner, "message").unwrap_or_default();
    }
    found.message = rest.to_owned();
    found
}

/// `FILE:LINE`, by the groups `p` and `n`.
pub(super) fn place_of(captures: &Captures<'_>) -> Option<String> {
    let file = group(captures, "p")?;
    Some(group(captures, "n").map_or_else(|| file.to_owned(), |line| format!("{file}:{line}")))
}

fn message(mark: &Mark, here: &str, pattern: &Pattern, lines: &Lines<'_>, at: usize) -> String {
    match mark.message {
        Message::Line | Message::Above | Message::From(_) => here.to_owned(),
        Message::Until(stops) => {
            // Where the message would have no end, the line is all that is known.
            let further = up_to(lines, at, |line| is_stop(line, stops) || pattern.is_match(line));
            joined(here, further.unwrap_or_default())
        }
        Message::ToEnd => {
            let further = lines.below(at, MESSAGE_LINES).take_while(|line| !line.is_empty() && !pattern.is_match(line));
            joined(here, further.collect())
        }
        Message::Below(stops) => {
            let further = up_to(lines, at, |line| is_stop(line, stops));
            joined(here, further.unwrap_or_else(|| lines.below(at, 1).collect()))
        }
    }
}

/// The lines below, up to one that ends them.
fn up_to<'a>(lines: &Lines<'a>, at: usize, mut ends: impl FnMut(&str) -> bool) -> Option<Vec<&'a str>> {
    let end = lines.below(at, MESSAGE_LINES).position(&mut ends)?;
    Some(lines.below(at, end).collect())
}

fn is_stop(line: &str, stops: &[&str]) -> bool {
    stops.iter().any(|stop| if stop.is_empty() { line.trim().is_empty() } else { line.starts_with(stop) })
}

fn joined(here: &str, further: Vec<&str>) -> String {
    let all: Vec<&str> = std::iter::once(here).chain(further.into_iter().map(str::trim_end)).collect();
    all.join("\n").trim().to_owned()
}
