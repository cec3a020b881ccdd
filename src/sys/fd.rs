//! Opening and closing descriptors by their numbers.

use super::raw::{syscall, syscall_io};
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

/// The lowest descriptor that isn't one of the three standard streams.
pub(super) const FIRST_AFTER_STDIO: RawFd = 3;

/// Where neither close_range(2) nor /proc is there, descriptors above this aren't looked for.
const HIGHEST_GUESSED: RawFd = 1 << 20;

/// The same for a keeper, which would close the rest at its end in any case.
const HIGHEST_GUESSED_BY_KEEPER: RawFd = 1 << 12;

/// The descriptor, or a copy that is 3 or higher.
///
/// Where a program has closed its own 0, 1 or 2, such a number comes up: what the program prints would end up there, and
/// a child's streams, put in place one after the other, would overwrite it.
pub(crate) fn above_stdio(fd: OwnedFd) -> io::Result<OwnedFd> {
    // A clone of an OwnedFd is never less than 3.
    if fd.as_raw_fd() < FIRST_AFTER_STDIO { fd.try_clone() } else { Ok(fd) }
}

/// openat(2): a new descriptor, which nobody owns yet.
pub(super) fn open(path: &CStr, flags: i32) -> io::Result<RawFd> {
    let arguments = [libc::AT_FDCWD as usize, path.as_ptr() as usize, flags as usize, 0];
    // SAFETY: the kernel reads the path, which is a C string.
    unsafe { syscall_io(libc::SYS_openat, arguments) }.map(|fd| fd as RawFd)
}

/// Closes all descriptors from `first` to `last`.
///
/// # Safety
/// Nothing in this process may own one of them.
pub(super) unsafe fn close_range(first: RawFd, last: RawFd) -> io::Result<()> {
    // SAFETY: the call touches no memory, and the caller vouches for the descriptors.
    match unsafe { syscall(libc::SYS_close_range, [first as usize, last as usize, 0]) } {
        Ok(_) => Ok(()),
        // Linux before 5.9, or a filter that doesn't know the call.
        // SAFETY: as above.
        Err(_) => unsafe { close_each(first, last) },
    }
}

/// # Safety
/// As for [`close_range`].
#[cold]
unsafe fn close_each(first: RawFd, last: RawFd) -> io::Result<()> {
    let highest = match std::fs::read_dir("/proc/self/fd") {
        Ok(entries) => {
            entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).max().unwrap_or(0)
        }
        // Without /proc: everything the limit allows.
        Err(_) => {
            let (_, limit) = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE)?;
            limit.min(HIGHEST_GUESSED as u64) as RawFd
        }
    };
    for fd in first..=highest.min(last) {
        // SAFETY: touches no memory, and the caller vouches for the descriptor.
        let _ = unsafe { syscall(libc::SYS_close, [fd as usize]) };
    }
    Ok(())
}

/// Closes all descriptors but these. Async-signal-safe.
///
/// # Safety
/// It must be a process forked from this one, which uses none of the others.
pub(super) unsafe fn close_all_but(kept: &[RawFd], and: RawFd) {
    let mut first = 0;
    loop {
        let next = kept.iter().copied().chain([and]).filter(|fd| *fd >= first).min();
        let last = next.map_or(RawFd::MAX, |fd| fd - 1);
        if first <= last {
            // SAFETY: touches no memory, and the caller vouches for the descriptors.
            let closed = unsafe { syscall(libc::SYS_close_range, [first as usize, last as usize, 0]) };
            if closed.is_err() {
                // Linux before 5.9: those that are likely.
                for fd in first..=last.min(HIGHEST_GUESSED_BY_KEEPER) {
                    // SAFETY: as above.
                    let _ = unsafe { syscall(libc::SYS_close, [fd as usize]) };
                }
            }
        }
        match next {
            Some(fd) => first = fd + 1,
            None => return,
        }
    }
}
