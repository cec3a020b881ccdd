//! Clocks that the standard library doesn't tell the time of: clock_gettime(2).

use super::raw::syscall;
use std::time::Duration;

/// Since some time in the past: it never goes back, and stands still while the machine sleeps.
pub(crate) fn monotonic() -> Duration {
    read(libc::CLOCK_MONOTONIC)
}

/// Since the machine was started, the time in which it slept among it.
pub(super) fn since_boot() -> Duration {
    read(libc::CLOCK_BOOTTIME)
}

fn read(clock: libc::clockid_t) -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes a struct timespec, for which `now` is the room.
    let _ = unsafe { syscall(libc::SYS_clock_gettime, [clock as usize, (&raw mut now) as usize]) };
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}
