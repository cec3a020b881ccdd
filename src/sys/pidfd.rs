//! A descriptor of a process: as long as it is open, it means that process, whatever becomes of its number.

use super::raw::syscall_io;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

/// pidfd_open(2).
pub(super) fn open(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: touches no memory.
    let fd = unsafe { syscall_io(libc::SYS_pidfd_open, [pid as usize, 0]) }?;
    // SAFETY: the kernel just made it, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}
