//! A process with a copy of this one's memory: clone(2) by the raw call, as fork(2), without what a C library does in it.

use super::raw::syscall_io;
use std::ffi::c_int;
use std::io;

/// Starts it, with these flags of clone(2). The pid; 0 in the new process. With `CLONE_PIDFD` the kernel writes a pidfd to
/// `pidfd`.
///
/// # Safety
/// In the new process, where another thread's locks may be held for ever, nothing may be called but what is
/// async-signal-safe, and the function that called this must not return. `CLONE_VM` must not be among the flags. `pidfd`
/// must be null, or an int that can be written.
pub(super) unsafe fn fork(flags: c_int, pidfd: *mut c_int) -> io::Result<i32> {
    let flags = flags as usize;
    let (first, second) = if cfg!(target_arch = "s390x") { (0, flags) } else { (flags, 0) };
    // SAFETY: without CLONE_VM it is as fork(2): a copy of this memory, and of this stack. The caller vouches for the rest.
    let pid = unsafe { syscall_io(libc::SYS_clone, [first, second, pidfd as usize, 0, 0]) }?;
    Ok(pid as i32)
}
