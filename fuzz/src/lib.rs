//! The memory and the time that one input takes: libFuzzer's own limits have its corpus and its tables in them, and what else
//! the machine does.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The most that one input may take at any moment.
const MOST_BYTES: usize = 50 * 1024 * 1024;
/// The most time of a processor. The YAML target keeps to it without a sanitizer only.
const MOST_TIME: Duration = Duration::from_secs(1);

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

impl Counting {
    fn took(bytes: usize) {
        let now = NOW.fetch_add(bytes, Ordering::Relaxed) + bytes;
        PEAK.fetch_max(now, Ordering::Relaxed);
    }
}

// SAFETY: all is done by the system's allocator; this only counts.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Counting::took(layout.size());
        // SAFETY: the caller's promise is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

/// Does this, and panics if it takes more memory or time than any input may.
pub fn within_limits<T>(act: impl FnOnce() -> T) -> T {
    let (before, start) = (NOW.load(Ordering::Relaxed), time());
    PEAK.store(before, Ordering::Relaxed);
    let result = act();
    let (most, took) = (PEAK.load(Ordering::Relaxed) - before, time() - start);
    assert!(most < MOST_BYTES, "it takes {most} bytes");
    assert!(took < MOST_TIME, "it takes {took:?}");
    result
}

/// The time of a processor that this thread has had.
fn time() -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes a struct timespec, for which `now` is the room.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut now) };
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}
