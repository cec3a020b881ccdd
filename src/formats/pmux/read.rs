//! A file or bytes to a [`Config`].

use super::config::Config;
use super::error::ConfigError;
use super::fault::Fault;
use super::nodes::Reader;
use super::{marks, yaml};
use crate::model::printable::printable;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// The largest file that is read, in bytes: more than twenty thousand lines.
pub(super) const MAX_FILE_BYTES: usize = 1024 * 1024;

/// Reads a file in pmux's format.
///
/// Anything that can be read is taken, a FIFO or a device as well, up to 1 MiB.
///
/// # Errors
/// If the file can't be read, or something in it is wrong.
pub fn read(path: impl AsRef<Path>) -> Result<Config, ConfigError> {
    let path = path.as_ref();
    let name = printable(&path.to_string_lossy());
    match File::open(path) {
        Ok(file) => read_from(&name, file),
        Err(error) => Err(unreadable(&name, error)),
    }
}

/// Reads the text of a file in pmux's format.
///
/// # Errors
/// If something in it is wrong.
pub fn parse(text: &[u8]) -> Result<Config, ConfigError> {
    config(text).map_err(|fault| ConfigError::wrong(None, fault))
}

/// Reads a file that is open; `name` is what it is called in messages.
pub(crate) fn read_from(name: &str, file: impl Read) -> Result<Config, ConfigError> {
    let mut bytes = Vec::new();
    // One byte more than is allowed shows that there is more; /dev/zero has no end.
    file.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(|error| unreadable(name, error))?;
    if bytes.len() > MAX_FILE_BYTES {
        let message = format!("more than {} MiB: this is no file of processes", MAX_FILE_BYTES / 1024 / 1024);
        return Err(ConfigError::unreadable(name, message, None));
    }
    config(&bytes).map_err(|fault| ConfigError::wrong(Some(name), fault))
}

fn unreadable(name: &str, error: io::Error) -> ConfigError {
    let message = match error.kind() {
        _ if error.raw_os_error() == Some(libc::EBADF) => "it is closed".to_owned(),
        ErrorKind::NotFound => "there is no such file: check the path".to_owned(),
        ErrorKind::IsADirectory => "this is a directory: name a file in it".to_owned(),
        ErrorKind::PermissionDenied => "this file may not be read: check its permissions and owner".to_owned(),
        _ => format!("this file can't be read: {error}"),
    };
    ConfigError::unreadable(name, message, Some(error))
}

pub(super) fn config(bytes: &[u8]) -> Result<Config, Fault> {
    let text = text(bytes)?;
    let root = yaml::parse(text)?;
    if let Some(fault) = marks::misread(text) {
        return Err(fault);
    }
    Reader { text }.config(&root)
}

/// The text of a file; the byte order mark that some editors put before it is not part of it.
fn text(bytes: &[u8]) -> Result<&str, Fault> {
    let bytes = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(bytes);
    let text = str::from_utf8(bytes).map_err(|error| {
        let (before, rest) = bytes.split_at(error.valid_up_to());
        let byte = rest.first().copied().unwrap_or_default();
        Fault::after(
            &String::from_utf8_lossy(before),
            format!("the byte 0x{byte:02X} is not UTF-8: save the file in that encoding"),
        )
    })?;
    match text.split_once('\0') {
        Some((before, _)) => Err(Fault::after(before, "a NUL byte: this is no text file".to_owned())),
        None => Ok(text),
    }
}
