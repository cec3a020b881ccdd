//! Descriptors of our own.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

/// The descriptor, or a copy that is 3 or higher.
///
/// Where a program has closed its own 0, 1 or 2, such a number comes up: what the program prints would end up there, and
/// a child's streams, put in place one after the other, would overwrite it.
pub(crate) fn above_stdio(fd: OwnedFd) -> io::Result<OwnedFd> {
    // A clone of an OwnedFd is never less than 3.
    if fd.as_raw_fd() <= 2 { fd.try_clone() } else { Ok(fd) }
}
