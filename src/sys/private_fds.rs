//! Descriptors that children don't get a copy of.
//!
//! A child has a copy of its parent's table of descriptors, and when it executes, those that aren't for it are closed. Where
//! this process has the pipes of a thousand others, that takes longer than all else that a start does. So such descriptors
//! are put above all others. A child then begins with this process's table itself (`CLONE_FILES`, clone(2)), and makes its
//! copy of the part below before it does anything else (`CLOSE_RANGE_UNSHARE`, close_range(2)). Until it has, no descriptor
//! that it needs may be closed here.

use super::fd;
use super::process;
use super::raw::{Errno, syscall};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Linux before this one may count free descriptors of such a copy as taken: a program with a thousand at most could open 64
/// ("fix bitmap corruption on close_range() with CLOSE_RANGE_UNSHARE", 2024).
const LINUX: (u32, u32) = (6, 11);

/// The kernel keeps descriptors in words of this number: a limit between two words needs the least work.
const PART: RawFd = 64;

/// Where in the table they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PrivateFds {
    first: RawFd,
}

impl PrivateFds {
    /// Above all that is open now, with room for this number of them. `None`: this kernel can't do it as it should. For a process
    /// that is a wrapper and nothing else, with one thread.
    #[cold]
    pub(crate) fn begin(count: usize) -> Option<PrivateFds> {
        if !is_at_least(&process::kernel_release(), LINUX) || copy_part(RawFd::MAX).is_err() {
            return None;
        }
        let highest = fd::all_open().ok()?.into_iter().max()?;
        let first = (highest / PART).checked_add(1)?.checked_mul(PART)?;
        // A table that a child has, too, grows slowly: the kernel waits for all processors (synchronize_rcu).
        let last = first.checked_add(RawFd::try_from(count).ok()?)?;
        let _ = duplicate(io::stderr().as_fd(), last);
        Some(PrivateFds { first })
    }

    #[cfg(test)]
    pub(super) fn from(first: RawFd) -> PrivateFds {
        PrivateFds { first }
    }

    /// Puts it there, if there is room.
    pub(crate) fn put(self, fd: OwnedFd) -> OwnedFd {
        match duplicate(fd.as_fd(), self.first) {
            Ok(private) => private,
            Err(_) => fd,
        }
    }

    /// Whether a child gets a copy of it.
    pub(super) fn is_copied(self, fd: BorrowedFd<'_>) -> bool {
        fd.as_raw_fd() < self.first
    }

    pub(super) fn first(self) -> RawFd {
        self.first
    }
}

/// A copy that isn't below this number.
fn duplicate(fd: BorrowedFd<'_>, lowest: RawFd) -> Result<OwnedFd, Errno> {
    let arguments = [fd.as_raw_fd() as usize, libc::F_DUPFD_CLOEXEC as usize, lowest as usize];
    // SAFETY: the call touches no memory. It has made the descriptor, which nobody owns yet.
    unsafe { syscall(libc::SYS_fcntl, arguments).map(|copy| OwnedFd::from_raw_fd(copy as RawFd)) }
}

/// Gives this process a table of its own, with a copy of what is below this descriptor. Async-signal-safe.
pub(super) fn copy_part(first: RawFd) -> Result<(), Errno> {
    let unshare = libc::CLOSE_RANGE_UNSHARE as usize;
    // SAFETY: touches no memory. Of a table that only this process has, what is above is closed: of a child's, there is nothing
    // that anything in it owns.
    unsafe { syscall(libc::SYS_close_range, [first as usize, u32::MAX as usize, unshare]) }.map(drop)
}

/// Whether a kernel's release (`6.12.43+deb13-amd64`) is this version, or a later one.
fn is_at_least(release: &str, version: (u32, u32)) -> bool {
    let mut numbers = release.split(|byte: char| !byte.is_ascii_digit()).map_while(|number| number.parse().ok());
    let of_release = numbers.next().zip(numbers.next());
    of_release.is_some_and(|of_release| of_release >= version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::pipe;

    #[test]
    fn a_release_is_a_version_and_more() {
        for (release, is) in [
            ("6.11.0", true),
            ("6.12.43+deb13-amd64", true),
            ("7.0.0-rc1", true),
            ("6.11-custom", true),
            ("6.10.14-200.fc40.x86_64", false),
            ("6.1.0-40-amd64", false),
            ("5.15.0-1091-aws", false),
            ("6", false),
            ("", false),
            ("linux", false),
        ] {
            assert_eq!(is_at_least(release, LINUX), is, "{release:?}");
        }
    }

    #[test]
    fn what_is_put_there_is_above_the_first_unless_there_is_no_room() {
        let private = PrivateFds::from(640);
        let (reader, writer) = pipe().unwrap();
        let reader = private.put(reader.into());
        assert!(reader.as_raw_fd() >= 640 && !private.is_copied(reader.as_fd()));
        assert!(private.is_copied(writer.as_fd()));
        let none = PrivateFds::from(RawFd::MAX);
        let number = writer.as_raw_fd();
        assert_eq!(none.put(writer.into()).as_raw_fd(), number);
    }
}
