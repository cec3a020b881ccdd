//! What this process was started with beside its memory: descriptors and a working directory. Closed standard streams are
//! filled, the rest is let go of.
//!
//! All of it is for a program that is a wrapper and nothing else.

use super::fd::{FIRST_AFTER_STDIO, close_range, open};
use super::limit;
use super::raw::{syscall, syscall_io};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

/// Lets go of descriptors from 3 on but those to be kept, of stdin, of stdout unless it is written to, and of the working
/// directory; before this process opens anything of its own.
///
/// So the reader of the child's stdout sees its end when the child closes it, a file system can be unmounted, a socket is
/// closed when the child closes it. Its stderr the process keeps, for its own messages.
///
/// Record locks (fcntl(2)) that this process took before it became panicmon go with their descriptors; the child couldn't
/// have them in any case, as locks aren't inherited.
pub(crate) fn let_go(kept: &[BorrowedFd<'_>], keep_stdout: bool) -> io::Result<()> {
    let mut kept: Vec<RawFd> = kept.iter().map(|fd| fd.as_raw_fd()).filter(|fd| *fd >= FIRST_AFTER_STDIO).collect();
    kept.sort_unstable();
    let mut first = FIRST_AFTER_STDIO;
    for fd in kept {
        if first < fd {
            // SAFETY: what this process has made itself is in `kept`; what is closed was inherited, and nothing owns it.
            let _ = unsafe { close_range(first, fd - 1) };
        }
        first = fd + 1;
    }
    // SAFETY: as above.
    if let Some(highest) = unsafe { close_range(first, RawFd::MAX) } {
        tell_what_stays_open(highest);
    }
    // SAFETY: closes descriptors that nothing in this process owns, and puts others in their place; the path is a C
    // string.
    unsafe {
        let _ = syscall(libc::SYS_close, [0]);
        let null = open(c"/dev/null", libc::O_RDWR)
            // A root without /dev/null: a descriptor that can't be read or written does as well.
            .or_else(|_| open(c"/", libc::O_PATH));
        debug_assert!(matches!(null, Ok(0) | Err(_)), "the lowest free descriptor");
        if !keep_stdout && syscall(libc::SYS_dup3, [0, 1, 0]).is_err() {
            // A limit of descriptors so low that none but 0 may be new.
            let _ = syscall(libc::SYS_close, [1]);
        }
        fill_outputs();
        syscall_io(libc::SYS_chdir, [c"/".as_ptr() as usize])?;
    }
    Ok(())
}

/// Nothing tells which descriptors are open: those above this one aren't closed. Where the limit doesn't allow any, it is
/// unlikely that there are some.
#[cold]
fn tell_what_stays_open(highest: RawFd) {
    let limit = limit::most_files().unwrap_or(u64::MAX);
    if limit > highest as u64 + 1 {
        log::warn!(
            "close_range(2) and /proc/self/fd don't work: panicmon keeps inherited descriptors above {highest} open, if there are any"
        );
    }
}

/// Sees that 0, 1 and 2 are open: were one closed, the next thing opened would get what is written to it.
pub(crate) fn fill_streams() {
    fill(0);
    fill_outputs();
}

/// Sees that 1 and 2 are open.
pub(crate) fn fill_outputs() {
    fill(1);
    fill(2);
}

/// Puts /dev/null in the place of this one, if it is closed.
fn fill(fd: RawFd) {
    // SAFETY: touches no memory.
    if unsafe { syscall(libc::SYS_fcntl, [fd as usize, libc::F_GETFD as usize, 0]) } != Err(libc::EBADF) {
        return;
    }
    if let Ok(null) = open(c"/dev/null", libc::O_RDWR)
        && null != fd
    {
        // SAFETY: the calls touch no memory. `fd` was closed, so the copy takes nothing's place; `null` is ours to close.
        unsafe {
            let _ = syscall(libc::SYS_dup3, [null as usize, fd as usize, 0]);
            let _ = syscall(libc::SYS_close, [null as usize]);
        }
    }
}

/// Frees the place of stdin: for a signalfd where the limit of descriptors allows no other, or once it has been read.
pub(crate) fn free_stdin() {
    // SAFETY: touches no memory. What is there was put there by `let_go`, or has been read to its end: nothing uses it any
    // more.
    let _ = unsafe { syscall(libc::SYS_close, [0]) };
}
