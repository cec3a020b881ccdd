//! The file of `--config`: where it is, and what it is called in messages.

use crate::formats::pmux::{self, Config, ConfigError};
use crate::model::printable::printable;
use std::ffi::OsStr;
use std::io::{self, Read};

/// Whether stdin is meant.
pub(crate) fn is_stdin(path: &OsStr) -> bool {
    path == "-"
}

/// What a file is called in messages.
pub(crate) fn name(path: &OsStr) -> String {
    if is_stdin(path) { "stdin".to_owned() } else { printable(&path.to_string_lossy()) }
}

/// Reads the file; `-` is stdin.
pub(crate) fn read(path: &OsStr) -> Result<Config, ConfigError> {
    if is_stdin(path) { pmux::read_from(&name(path), Stdin) } else { pmux::read(path) }
}

/// Descriptor 0. The standard library's stdin reads a closed descriptor as an empty file.
struct Stdin;

impl Read for Stdin {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        Ok(nix::unistd::read(io::stdin(), into)?)
    }
}
