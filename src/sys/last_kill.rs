//! Where this process must end at once, what it would have ended is killed: without memory, and whatever locks are held.

use super::raw::syscall;
use super::{fd, poll, process};
use std::ffi::CStr;
use std::io::Write;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often children are listed, and the time between: a killed one takes a moment to end, and leaves its own ones to this
/// process. A second in all.
const MOST_ROUNDS: u32 = 100;
const ROUND: Duration = Duration::from_millis(10);

static IS_WANTED: AtomicBool = AtomicBool::new(false);

/// Whatever descends from this process is to be ended with it.
pub(crate) fn want() {
    IS_WANTED.store(true, Ordering::Relaxed);
}

/// Kills what descends from this process, if that is wanted and /proc shows it. No allocation, no lock, no panic.
#[cold]
pub(crate) fn kill_if_wanted() {
    if !IS_WANTED.load(Ordering::Relaxed) {
        return;
    }
    for _ in 0..MOST_ROUNDS {
        let mut is_any = false;
        each_child(|child| {
            is_any = true;
            // SAFETY: touches no memory. A child that hasn't been waited for has its number to itself.
            let _ = unsafe { syscall(libc::SYS_kill, [child, libc::SIGKILL as usize]) };
        });
        if !is_any {
            return;
        }
        reap();
        poll::for_some_time(ROUND);
    }
}

/// Calls it with each child of this process's first thread, which is the parent of all orphans.
fn each_child(mut call: impl FnMut(usize)) {
    let mut path = [0; 64];
    let written = write!(&mut path[..63], "/proc/self/task/{}/children", process::id());
    let (Ok(()), Ok(path)) = (written, CStr::from_bytes_until_nul(&path)) else { return };
    let Ok(file) = fd::open(path, libc::O_RDONLY | libc::O_CLOEXEC) else { return };
    let mut bytes = [0u8; 512];
    let mut number = 0usize;
    loop {
        // SAFETY: the kernel writes into the array, at most its size.
        let read = unsafe { syscall(libc::SYS_read, [file as usize, bytes.as_mut_ptr() as usize, bytes.len()]) };
        let Ok(read @ 1..) = read else { break };
        for byte in bytes.iter().take(read) {
            match byte {
                b'0'..=b'9' => number = number.wrapping_mul(10).wrapping_add(usize::from(byte - b'0')),
                _ => {
                    if number > 0 {
                        call(number);
                    }
                    number = 0;
                }
            }
        }
    }
    // SAFETY: nobody else has the descriptor.
    let _ = unsafe { syscall(libc::SYS_close, [file as usize]) };
}

/// Waits for all that have ended, keepers too.
fn reap() {
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    let options = (libc::WEXITED | libc::WNOHANG | libc::__WALL) as usize;
    loop {
        // SAFETY: the kernel writes one siginfo_t, of which all zeroes are a value; its pid is 0 if no child has ended.
        let ended = unsafe {
            let waited = syscall(libc::SYS_waitid, [libc::P_ALL as usize, 0, info.as_mut_ptr() as usize, options, 0]);
            waited.is_ok() && info.assume_init_ref().si_pid() != 0
        };
        if !ended {
            return;
        }
        info = MaybeUninit::zeroed();
    }
}
