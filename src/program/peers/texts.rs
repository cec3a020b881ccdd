//! What all of them print in the same way: licence, version, name.

use crate::program::options::words::BUILD;
use std::ffi::OsStr;
use std::fmt::Display;
use std::os::unix::ffi::OsStrExt;

/// One of the two licences, which a user may choose from.
const MIT: &str = include_str!("../../../LICENSE-MIT");

#[cold]
pub(super) fn licence() -> String {
    format!("panicmon {BUILD} is licensed under MIT or Apache-2.0, as you choose. The former:\n\n{MIT}")
}

/// A version as that program tells its own: first the one whose command line this is, then panicmon's. dockerd and podman
/// read it.
#[cold]
pub(super) fn version(theirs: &str) -> String {
    format!("{theirs}+panicmon.{BUILD}\n")
}

/// The name that a program was called by, without folders.
pub(super) fn base(name: &OsStr) -> impl Display + '_ {
    let base = name.as_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    OsStr::from_bytes(base).display()
}
