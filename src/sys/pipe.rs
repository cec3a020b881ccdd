//! Pipes from children.

use super::fd::above_stdio;
use super::private_fds::PrivateFds;
use super::raw::syscall;
use crate::model::identity::Identity;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::unistd::fchown;
use std::ffi::c_int;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// A pipe whose reading end is one to be polled: reading it never waits. The child's end is as any other. `private`: where
/// the reading end is put.
pub(crate) fn to_be_polled(private: Option<PrivateFds>) -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = io::pipe()?;
    let (reader, writer) = (above_stdio(reader.into())?, above_stdio(writer.into())?);
    let reader = match private {
        Some(private) => private.put(reader),
        None => reader,
    };
    // Both ends have a file description of their own: the child's stays as it is.
    set_nonblocking(reader.as_fd())?;
    Ok((reader, writer))
}

/// Makes the pipe of which this is an end that user's: fchown(2). It takes the capability CHOWN.
pub(crate) fn give_to(end: BorrowedFd<'_>, user: &Identity) -> io::Result<()> {
    fchown(end, Some(user.uid.into()), Some(user.gid.into()))?;
    Ok(())
}

/// Has the pipe hold this many bytes, if that is allowed: F_SETPIPE_SZ.
pub(crate) fn enlarge(end: BorrowedFd<'_>, bytes: usize) {
    let _ = fcntl(end, FcntlArg::F_SETPIPE_SZ(bytes as c_int));
}

/// Has reads or writes of this end fail instead of waiting.
pub(crate) fn set_nonblocking(end: BorrowedFd<'_>) -> io::Result<()> {
    fcntl(end, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok(())
}

/// Reads what is there, and returns the number of bytes; 0: the end, or an error. `None`: there is nothing now.
pub(crate) fn read(pipe: BorrowedFd<'_>, into: &mut [u8]) -> Option<usize> {
    loop {
        let arguments = [pipe.as_raw_fd() as usize, into.as_mut_ptr() as usize, into.len()];
        // SAFETY: the kernel writes into the slice, at most its length.
        match unsafe { syscall(libc::SYS_read, arguments) } {
            Ok(read) => return Some(read),
            // What is there may be the last, which is read once.
            Err(libc::EINTR) => {}
            Err(libc::EAGAIN) => return None,
            Err(_) => return Some(0),
        }
    }
}

/// The number of bytes in the pipe now: FIONREAD.
pub(crate) fn bytes_in(pipe: BorrowedFd<'_>) -> usize {
    let mut bytes: c_int = 0;
    // SAFETY: the kernel writes an int.
    let told = unsafe {
        syscall(libc::SYS_ioctl, [pipe.as_raw_fd() as usize, libc::FIONREAD as usize, (&raw mut bytes) as usize])
    };
    if told.is_ok() { usize::try_from(bytes).unwrap_or(0) } else { 0 }
}
