//! Memory that a child without ours shares with us: mmap(2).

use super::raw::syscall;
use std::io;
use std::ops::Deref;
use std::ptr;
use std::ptr::NonNull;

/// A value that every process forked from this one sees in the same place.
#[derive(Debug)]
pub(super) struct Shared<T>(NonNull<T>);

// SAFETY: it owns its value, as a box does.
unsafe impl<T: Send> Send for Shared<T> {}

impl<T: Sync> Shared<T> {
    /// Puts the value there. It isn't dropped in the end.
    pub(super) fn new(value: T) -> io::Result<Shared<T>> {
        const { assert!(align_of::<T>() <= 4096, "a page is aligned for it") };
        let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
        // By the C library, as the raw call takes its arguments from memory on s390x.
        // SAFETY: new memory, at a place of the kernel's choice.
        let place = unsafe { libc::mmap(ptr::null_mut(), size_of::<T>(), protection, flags, -1, 0) };
        if place == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let place = NonNull::new(place.cast::<T>()).ok_or(io::ErrorKind::OutOfMemory)?;
        // SAFETY: the new memory is large enough for a T and aligned to a page, and nothing else points to it.
        unsafe { place.write(value) };
        Ok(Shared(place))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: `new` has put a value there, which stays until the drop.
        unsafe { self.0.as_ref() }
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: `new` has mapped it, and no borrow of the value outlives it.
        let _ = unsafe { syscall(libc::SYS_munmap, [self.0.as_ptr() as usize, size_of::<T>()]) };
    }
}
