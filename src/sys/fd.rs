//! Opening and closing descriptors by their numbers.

use super::directory;
use super::raw::{Errno, syscall, syscall_io};
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::Path;

/// The lowest descriptor that isn't one of the three standard streams.
pub(super) const FIRST_AFTER_STDIO: RawFd = 3;

/// Where neither close_range(2) nor /proc tells what is open, poll(2) is asked about this many descriptors at once,
const ASKED_AT_ONCE: usize = 256;
/// and this often: all up to 2^20 are asked about, which the kernel's limit is (fs.nr_open), unless somebody has raised it.
const MOST_QUESTIONS: usize = 4096;

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

/// Closes all descriptors from `first` to `last`. `Some`: those above this one may still be open.
///
/// # Safety
/// Nothing in this process may own one of them.
pub(super) unsafe fn close_range(first: RawFd, last: RawFd) -> Option<RawFd> {
    // SAFETY: the caller vouches for the descriptors.
    match unsafe { close_range_at_once(first, last) } {
        Ok(()) => None,
        // Linux before 5.9, or a filter that doesn't know the call.
        // SAFETY: as above.
        Err(_) => unsafe { close_each(first, last) },
    }
}

/// close_range(2). Async-signal-safe.
///
/// # Safety
/// As for [`close_range`].
unsafe fn close_range_at_once(first: RawFd, last: RawFd) -> Result<(), Errno> {
    // SAFETY: the call touches no memory, and the caller vouches for the descriptors.
    unsafe { syscall(libc::SYS_close_range, [first as usize, last as usize, 0]) }.map(drop)
}

/// # Safety
/// As for [`close_range`].
#[cold]
unsafe fn close_each(first: RawFd, last: RawFd) -> Option<RawFd> {
    let Ok(open) = all_open() else {
        // SAFETY: the caller vouches for the descriptors.
        return unsafe { close_by_asking(first, last) };
    };
    for fd in open.into_iter().filter(|fd| (first..=last).contains(fd)) {
        // SAFETY: touches no memory, and the caller vouches for the descriptor.
        let _ = unsafe { syscall(libc::SYS_close, [fd as usize]) };
    }
    None
}

/// All descriptors of this process, by /proc; one of them has been closed since.
pub(super) fn all_open() -> io::Result<Vec<RawFd>> {
    match directory::numbers(Path::new("/proc/self/fd"))? {
        // At least the directory itself was open. glibc takes ENOENT for its end.
        none if none.is_empty() => Err(io::Error::from_raw_os_error(libc::ENOENT)),
        open => Ok(open),
    }
}

/// Asks poll(2) which descriptors are open, and closes them. They may be above the limit of descriptors, which has been
/// lowered since; only the number of those asked about at once is limited by it. `Some`: as for [`close_range`].
/// Async-signal-safe.
///
/// # Safety
/// As for [`close_range`].
#[cold]
unsafe fn close_by_asking(first: RawFd, last: RawFd) -> Option<RawFd> {
    let mut asked = [libc::pollfd { fd: -1, events: 0, revents: 0 }; ASKED_AT_ONCE];
    let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let (mut next, mut at_once) = (first, ASKED_AT_ONCE);
    for _ in 0..MOST_QUESTIONS {
        let count = at_once.min((last - next) as usize + 1);
        for (place, fd) in asked[..count].iter_mut().zip(next..) {
            *place = libc::pollfd { fd, events: 0, revents: 0 };
        }
        // SAFETY: the kernel reads and writes `count` structures, and reads a struct timespec.
        let told =
            unsafe { syscall(libc::SYS_ppoll, [asked.as_mut_ptr() as usize, count, (&raw const now) as usize, 0, 0]) };
        match told {
            Ok(_) => {}
            Err(libc::EINTR) => continue,
            Err(libc::EINVAL) if at_once > 1 => {
                at_once /= 2;
                continue;
            }
            // Not even one may be asked about.
            Err(_) => asked[..count].iter_mut().for_each(|place| place.revents = 0),
        }
        for place in asked[..count].iter().filter(|place| place.revents & libc::POLLNVAL == 0) {
            // SAFETY: touches no memory, and the caller vouches for the descriptor.
            let _ = unsafe { syscall(libc::SYS_close, [place.fd as usize]) };
        }
        if last - next < count as RawFd {
            return None;
        }
        next += count as RawFd;
    }
    Some(next - 1)
}

/// How inherited descriptors can be closed.
#[cfg(feature = "cli")]
#[derive(Debug)]
pub(crate) enum Closing {
    /// By close_range(2).
    AtOnce,
    /// By /proc; why not at once.
    ByProc(io::Error),
    /// By looking for them; why not at once, and why not by /proc.
    ByAsking(io::Error, io::Error),
}

#[cfg(feature = "cli")]
impl Closing {
    pub(crate) fn find() -> Closing {
        // SAFETY: no process can have that one.
        match (unsafe { close_range_at_once(RawFd::MAX, RawFd::MAX) }, all_open()) {
            (Ok(()), _) => Closing::AtOnce,
            (Err(errno), Ok(_)) => Closing::ByProc(io::Error::from_raw_os_error(errno)),
            (Err(errno), Err(error)) => Closing::ByAsking(io::Error::from_raw_os_error(errno), error),
        }
    }
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
        // SAFETY: touches no memory, and the caller vouches for the descriptors.
        if first <= last && unsafe { close_range_at_once(first, last) }.is_err() {
            // Linux before 5.9. What isn't found is closed at the end of this process in any case.
            // SAFETY: as above.
            let _ = unsafe { close_by_asking(first, last) };
        }
        match next {
            Some(fd) => first = fd + 1,
            None => return,
        }
    }
}
