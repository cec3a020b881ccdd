//! Tells this process from its forks.
//!
//! The pid alone doesn't: if PID 1 of a PID namespace forks into a new one, the fork is PID 1 as well. So there is a page
//! that the kernel wipes in every fork (MADV_WIPEONFORK, madvise(2)), with a number that isn't zero in this process. The
//! page alone doesn't either: a child of vfork(2) shares it until it execs.

use crate::sys::process;
use crate::sys::raw::syscall;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

/// The wiped page; null before the first executor, and where the kernel has no such page: then the pid must do.
static PAGE: AtomicPtr<AtomicU32> = AtomicPtr::new(ptr::null_mut());

/// The last number that this process or one that it was forked from had in the page.
static LAST: AtomicU32 = AtomicU32::new(0);

/// The size asked for; the kernel rounds up to whole pages.
const PAGE_BYTES: usize = 4096;

/// A process: its pid and its number in the page.
pub(super) type Process = u64;

/// This process. Async-signal-safe.
pub(super) fn this_process() -> Process {
    let number = page().map_or(0, |page| page.load(Ordering::SeqCst));
    u64::from(number) << 32 | process::id().as_raw() as u64
}

/// The same, after which forks of it are known as such. Not for two threads at once.
pub(super) fn mark_this_process() -> Process {
    if page().is_none() {
        PAGE.store(wiped_page().unwrap_or(ptr::null_mut()), Ordering::SeqCst);
    }
    if let Some(page) = page()
        && page.load(Ordering::SeqCst) == 0
    {
        page.store(LAST.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
    }
    this_process()
}

fn page() -> Option<&'static AtomicU32> {
    // SAFETY: null, or a page of our own, which is never unmapped and begins with a number that is used atomically only.
    unsafe { PAGE.load(Ordering::SeqCst).as_ref() }
}

/// A page of zeroes that is one of zeroes in every fork. `None`: the kernel refuses.
fn wiped_page() -> Option<*mut AtomicU32> {
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // By the C library, as the raw call takes its arguments from memory on s390x.
    // SAFETY: new memory, at a place of the kernel's choice.
    let page = unsafe { libc::mmap(ptr::null_mut(), PAGE_BYTES, protection, flags, -1, 0) };
    if page == libc::MAP_FAILED {
        return None;
    }
    let arguments = [page as usize, PAGE_BYTES, libc::MADV_WIPEONFORK as usize];
    // SAFETY: it concerns this page only.
    if unsafe { syscall(libc::SYS_madvise, arguments) }.is_err() {
        // SAFETY: nobody else knows of the page.
        let _ = unsafe { syscall(libc::SYS_munmap, [page as usize, PAGE_BYTES]) };
        return None;
    }
    Some(page.cast())
}
