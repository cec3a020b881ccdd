//! Clocks that the standard library doesn't tell the time of: clock_gettime(2).

use super::raw::syscall;
#[cfg(feature = "reports")]
use crate::model::pid::Pid;
use std::time::Duration;

/// Since some time in the past: it never goes back, and stands still while the machine sleeps.
pub(crate) fn monotonic() -> Duration {
    read(libc::CLOCK_MONOTONIC)
}

/// Since the machine was started, the time in which it slept among it.
pub(super) fn since_boot() -> Duration {
    read(libc::CLOCK_BOOTTIME)
}

/// The processor time of a process that isn't reaped yet, as the kernel compares it with its limit (RLIMIT_CPU): in ticks. What
/// wait4(2) and /proc tell is measured otherwise, and may be a fifth less on a busy machine. Nothing, if it can't be read.
#[cfg(feature = "reports")]
pub(super) fn processor_time(pid: Pid) -> Duration {
    /// The kernel's CPUCLOCK_PROF.
    const USER_AND_SYSTEM: i32 = 0;
    read(!pid.as_raw() << 3 | USER_AND_SYSTEM)
}

fn read(clock: libc::clockid_t) -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes a struct timespec, for which `now` is the room.
    let _ = unsafe { syscall(libc::SYS_clock_gettime, [clock as usize, (&raw mut now) as usize]) };
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}
