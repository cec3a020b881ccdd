//! Patterns of lines.

use regex_lite::{Captures, Regex};

#[cfg(test)]
thread_local!(
    /// How many bytes patterns have looked at.
    pub(super) static LOOKED_AT: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
);

/// A pattern of the tables, compiled.
#[derive(Debug)]
pub(super) struct Pattern(Regex);

impl Pattern {
    /// `None` if it can't be compiled: tests see that all can.
    pub(super) fn new(pattern: &str) -> Option<Pattern> {
        Regex::new(pattern).ok().map(Pattern)
    }

    /// What the pattern finds in a line.
    pub(super) fn captures<'a>(&self, line: &'a str) -> Option<Captures<'a>> {
        #[cfg(test)]
        LOOKED_AT.set(LOOKED_AT.get() + line.len());
        self.0.captures(line)
    }

    pub(super) fn is_match(&self, line: &str) -> bool {
        self.captures(line).is_some()
    }

    /// All that the pattern finds in a line.
    pub(super) fn all<'a>(&self, line: &'a str) -> impl Iterator<Item = Captures<'a>> {
        #[cfg(test)]
        LOOKED_AT.set(LOOKED_AT.get() + line.len());
        self.0.captures_iter(line)
    }
}

/// A group of a match, if it took part in it and isn't empty.
pub(super) fn group<'a>(captures: &Captures<'a>, name: &str) -> Option<&'a str> {
    captures.name(name).map(|found| found.as_str()).filter(|text| !text.is_empty())
}
