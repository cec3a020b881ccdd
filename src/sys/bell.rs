//! What one thread or process says to another without memory: eventfd(2). A write to a pipe takes a page, which the kernel
//! may not have, and is a SIGPIPE where nobody reads.

use crate::sys::fd::above_stdio;
use crate::sys::raw::syscall;
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

/// Readable once it has been rung.
#[derive(Debug)]
pub(crate) struct Bell(OwnedFd);

impl Bell {
    pub(crate) fn new() -> io::Result<Bell> {
        let fd = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        Ok(Bell(above_stdio(fd.into())?))
    }

    /// Rings it.
    #[cfg_attr(not(feature = "reports"), allow(dead_code, reason = "for handlers"))]
    pub(crate) fn ring(&self) {
        ring(self.0.as_raw_fd());
    }

    /// Whether it has been rung since this was last asked.
    pub(crate) fn has_rung(&self) -> bool {
        let mut count = 0u64;
        let into = (&raw mut count) as usize;
        // SAFETY: the kernel writes eight bytes.
        unsafe { syscall(libc::SYS_read, [self.0.as_raw_fd() as usize, into, size_of::<u64>()]) }.is_ok()
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Rings the one with this number. Async-signal-safe.
pub(super) fn ring(bell: RawFd) {
    let once = 1u64;
    // SAFETY: the kernel reads eight bytes.
    let _ = unsafe { syscall(libc::SYS_write, [bell as usize, (&raw const once) as usize, size_of::<u64>()]) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_rung_once_however_often_it_was_rung() {
        let bell = Bell::new().unwrap();
        assert!(!bell.has_rung());
        bell.ring();
        ring(bell.as_fd().as_raw_fd());
        assert!(bell.has_rung() && !bell.has_rung());
    }
}
