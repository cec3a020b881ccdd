//! What is wrong with a text, and where.

use serde_saphyr::Location;

/// What is wrong, and where: line and column count from 1, the column in characters.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: u64,
    pub(super) column: u64,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(location: Location, message: impl Into<String>) -> Fault {
        // An error without a location is about the whole file.
        Fault { line: location.line().max(1), column: location.column().max(1), message: message.into() }
    }

    /// A fault at the end of this part of the text.
    pub(super) fn after(before: &str, message: impl Into<String>) -> Fault {
        let line = before.matches('\n').count() as u64 + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() as u64 + 1;
        Fault { line, column, message: message.into() }
    }
}
