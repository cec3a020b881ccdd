//! The frames of a death, the innermost first.

use super::language::{Frames, Order};
use super::marks::place_of;
use super::pattern::{Pattern, group};
use super::text::Lines;

/// The most frames that are kept.
pub(super) const MOST: usize = 10;
/// How far from the mark frames begin at most: a message may be between.
const BEGIN_WITHIN: usize = 40;
/// How many other lines may be between frames: lines of code, marks below them.
const GAP: usize = 3;
/// How many frames are looked at where the innermost is the last one.
const LOOKED_AT: usize = 5000;

/// The frames that belong to the mark in this line.
pub(super) fn read(frames: &Frames, lines: &Lines<'_>, at: usize) -> Vec<String> {
    if frames.pattern.is_empty() {
        return Vec::new();
    }
    let (Some(pattern), Some(place)) = (Pattern::new(frames.pattern), Pattern::new(frames.place)) else {
        return Vec::new();
    };
    let reading = Reading { frames, pattern, place, lines };
    match frames.order {
        Order::Below => reading.walk((at + 1..lines.len()).take(LOOKED_AT), MOST),
        Order::BelowOutermostFirst => {
            let mut all = reading.walk((at + 1..lines.len()).take(LOOKED_AT), LOOKED_AT);
            all.reverse();
            all.truncate(MOST);
            all
        }
        Order::Above => reading.walk((0..at).rev().take(LOOKED_AT), MOST),
        Order::InLine => reading.in_line(at),
    }
}

struct Reading<'a> {
    frames: &'a Frames,
    pattern: Pattern,
    place: Pattern,
    lines: &'a Lines<'a>,
}

impl Reading<'_> {
    fn walk(&self, numbers: impl Iterator<Item = usize>, most: usize) -> Vec<String> {
        let (mut found, mut others) = (Vec::new(), 0);
        for at in numbers {
            let line = self.lines.get(at);
            match self.frame(line, at) {
                Some((frame, is_skipped)) => {
                    others = 0;
                    if !is_skipped {
                        found.push(frame);
                    }
                }
                None => {
                    let has_begun = !found.is_empty();
                    others += 1;
                    let is_any_of = |starts: &[&str]| {
                        starts
                            .iter()
                            .any(|start| if start.is_empty() { line.is_empty() } else { line.starts_with(start) })
                    };
                    let is_stop = has_begun && is_any_of(self.frames.stop) || is_any_of(self.frames.bounds);
                    if is_stop || others > if has_begun { GAP } else { BEGIN_WITHIN } {
                        break;
                    }
                }
            }
            if found.len() >= most {
                break;
            }
        }
        found
    }

    /// The frame of a line, and whether it is one of the runtime's own.
    fn frame(&self, line: &str, at: usize) -> Option<(String, bool)> {
        let captures = self.pattern.captures(line)?;
        let mut place = place_of(&captures);
        if place.is_none() && !self.frames.place.is_empty() {
            place = self.place.captures(self.lines.get(at + 1)).and_then(|captures| place_of(&captures));
        }
        let function = group(&captures, "f").map(str::trim);
        let is_skipped =
            function.is_some_and(|function| self.frames.skipped.iter().any(|own| function.starts_with(own)));
        let frame = match (function, place) {
            (Some(function), Some(place)) => format!("{function} ({place})"),
            (Some(function), None) => function.to_owned(),
            (None, place) => place?,
        };
        Some((frame, is_skipped))
    }

    fn in_line(&self, at: usize) -> Vec<String> {
        let frames = self.pattern.all(self.lines.get(at)).filter_map(|captures| {
            let function = group(&captures, "f")?;
            (!self.frames.skipped.iter().any(|own| function.starts_with(own))).then(|| function.to_owned())
        });
        frames.take(MOST).collect()
    }
}
