//! Words as execve(2) takes them, C strings, and as Rust has them.

use crate::model::error::Error;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// A word as a C string. The error is that it has a NUL byte.
pub(crate) fn c_string(word: OsString) -> Result<CString, Error> {
    CString::new(word.into_vec()).map_err(|error| Error::Nul { word: OsString::from_vec(error.into_vec()) })
}

/// A C string as a word.
pub(crate) fn os_string(text: &CStr) -> OsString {
    OsStr::from_bytes(text.to_bytes()).to_owned()
}
