//! Why a file can't be used.

use super::fault::Fault;
use std::fmt;
use std::io;

/// Why a file can't be used: it couldn't be read, or something in it is wrong.
///
/// Displayed, it is addressed to the author of the file, `FILE:LINE:COLUMN: what is wrong, and what to write`, in one line.
#[derive(Debug)]
pub struct ConfigError {
    /// The file's name, if it has one.
    file: Option<String>,
    /// The line and the column, if it could be read.
    place: Option<(u64, u64)>,
    message: String,
    source: Option<io::Error>,
}

impl ConfigError {
    /// The line that is wrong, counted from 1; `None` if the file couldn't be read.
    pub fn line(&self) -> Option<u64> {
        self.place.map(|(line, _)| line)
    }

    /// The character in the line, counted from 1; `None` if the file couldn't be read.
    pub fn column(&self) -> Option<u64> {
        self.place.map(|(_, column)| column)
    }

    /// What is wrong, and what to write, without the file's name and the line.
    pub fn message(&self) -> &str {
        &self.message
    }

    pub(super) fn wrong(file: Option<&str>, fault: Fault) -> ConfigError {
        let Fault { line, column, message } = fault;
        ConfigError { file: file.map(str::to_owned), place: Some((line, column)), message, source: None }
    }

    pub(super) fn unreadable(file: &str, message: String, source: Option<io::Error>) -> ConfigError {
        ConfigError { file: Some(file.to_owned()), place: None, message, source }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}:")?;
        }
        if let Some((line, column)) = self.place {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {}", self.message)
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|error| error as _)
    }
}
