//! System calls made directly, not through the C library.
//!
//! The child shares its parent's memory until it execs, the parent's thread-local `errno` included, and both run at
//! the same time: a C library's wrapper in the child could overwrite what the parent is about to read. And the
//! wrappers of signal calls leave out 32 and 33.

use std::io;

/// An error number, as the kernel returned it.
pub(super) type Errno = i32;

/// The kernel returns -4095 to -1 for errors, and anything else for success.
const HIGHEST_ERRNO: usize = 4095;

/// Makes a system call.
///
/// # Safety
/// As for the call itself: pointers must be what it expects, for as long as it needs them.
pub(super) unsafe fn syscall<const N: usize>(number: libc::c_long, args: [usize; N]) -> Result<usize, Errno> {
    const { assert!(N <= 6, "a system call has at most six arguments") };
    let mut all = [0; 6];
    all[..N].copy_from_slice(&args);
    let [a, b, c, d, e, f] = all;
    // SAFETY: the caller vouches for the call; arguments beyond its own are ignored by the kernel.
    let result = unsafe { syscalls::raw::syscall6(number as usize, a, b, c, d, e, f) };
    if result > usize::MAX - HIGHEST_ERRNO { Err(result.wrapping_neg() as Errno) } else { Ok(result) }
}

/// The same for code that wants an `io::Error`.
///
/// # Safety
/// As for [`syscall`].
pub(super) unsafe fn syscall_io<const N: usize>(number: libc::c_long, args: [usize; N]) -> io::Result<usize> {
    // SAFETY: passed on to the caller.
    unsafe { syscall(number, args) }.map_err(io::Error::from_raw_os_error)
}
