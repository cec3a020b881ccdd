//! What was looked at, what it means, and what is to be done about it; and the report of all that.

use crate::model::printable::OneLine;
use crate::program::stdout;
use std::fmt::Write;

/// Something that was looked at, and what it means.
pub(super) struct Finding {
    /// Whether a promise holds; `None`: no promise depends on it.
    holds: Option<bool>,
    seen: String,
    means: String,
    /// What is to be done.
    to_do: Option<String>,
}

impl Finding {
    /// With what is to be done about it.
    pub(super) fn do_this(self, what: impl Into<String>) -> Finding {
        Finding { to_do: Some(what.into()), ..self }
    }
}

pub(super) fn finding(holds: Option<bool>, seen: impl Into<String>, means: impl Into<String>) -> Finding {
    Finding { holds, seen: seen.into(), means: means.into(), to_do: None }
}

/// The text, as it grows.
pub(super) struct Report {
    text: String,
    to_do: String,
    holds: bool,
}

impl Report {
    pub(super) fn new(title: &str) -> Report {
        Report { text: format!("{title}\n"), to_do: String::new(), holds: true }
    }

    pub(super) fn add(&mut self, Finding { holds, seen, means, to_do }: Finding) {
        let mark = match holds {
            Some(true) => "ok",
            Some(false) => "NO",
            None => "--",
        };
        self.holds &= holds != Some(false);
        let _ = writeln!(self.text, "{mark}  {}\n      {}", OneLine(&seen), OneLine(&means));
        if let Some(what) = to_do {
            let line = format!("  - {}\n", OneLine(&what));
            // Several things may have one cause.
            if !self.to_do.contains(&line) {
                self.to_do += &line;
            }
        }
    }

    /// Prints what there is so far. If that fails, so does the rest, which tells it.
    pub(super) fn print(&mut self) {
        if stdout::write(&self.text).is_ok() {
            self.text.clear();
        }
    }

    /// The rest of it, and whether every promise holds.
    pub(super) fn end(self) -> (String, bool) {
        let Report { text, to_do, holds } = self;
        let verdict = if holds { "Every promise holds here." } else { "What is marked NO doesn't hold here." };
        let what = if to_do.is_empty() { "There is nothing to do." } else { "What to do:" };
        (format!("{text}{verdict}\n{what}\n{to_do}"), holds)
    }
}
