//! Whether another process fetches a signal itself: by rt_sigtimedwait(2), or by a signalfd(2).
//!
//! No, where this can't be seen: it is for those who may trace that process.

use super::directory;
use super::proc_fs;
use crate::model::pid::Pid;
use crate::model::signal::{Signal, SignalSet};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The number of threads that are looked at, and of descriptors: those for signals are among the first.
const MOST: usize = 64;

/// What a descriptor of signalfd(2) is a link to.
const SIGNALFD: &str = "anon_inode:[signalfd]";

/// Whether the first thread of that process waits for this signal by rt_sigtimedwait(2), as sigwait(3) does: it is shown as
/// not blocked meanwhile.
#[cold]
pub(super) fn by_first_thread(pid: Pid, signal: Signal) -> bool {
    by_thread(&format!("/proc/{pid}"), signal)
}

/// Whether any thread of that process waits for this signal so, or a descriptor does.
#[cold]
pub(super) fn by_any(pid: Pid, signal: Signal) -> bool {
    let numbers = |folder: &str| {
        let path = format!("/proc/{pid}/{folder}");
        directory::first_numbers(Path::new(&path), MOST).unwrap_or_default()
    };
    let by_descriptor = |fd: i32| {
        let is_signalfd = fs::read_link(format!("/proc/{pid}/fd/{fd}")).is_ok_and(|to| to.as_os_str() == SIGNALFD);
        is_signalfd && reads(pid, fd, signal)
    };
    numbers("task").into_iter().any(|thread| by_thread(&format!("/proc/{pid}/task/{thread}"), signal))
        || numbers("fd").into_iter().any(by_descriptor)
}

fn by_thread(folder: &str, signal: Signal) -> bool {
    let call = fs::read_to_string(format!("{folder}/syscall")).unwrap_or_default();
    let mut words = call.split_ascii_whitespace();
    if words.next().and_then(|number| number.parse().ok()) != Some(libc::SYS_rt_sigtimedwait) {
        return false;
    }
    let address = words.next().and_then(|word| u64::from_str_radix(word.strip_prefix("0x")?, 16).ok());
    let mut bits = [0; 8];
    let memory = File::open(format!("{folder}/mem"));
    let read = memory.ok().zip(address).and_then(|(memory, at)| memory.read_exact_at(&mut bits, at).ok());
    read.is_some() && SignalSet::from_bits(u64::from_ne_bytes(bits)).contains(signal)
}

/// Whether this descriptor of signalfd(2) is for that signal.
fn reads(pid: Pid, fd: i32, signal: Signal) -> bool {
    let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).unwrap_or_default();
    let set = info.lines().find_map(|line| line.strip_prefix("sigmask:")).and_then(|set| proc_fs::signals(set.trim()));
    set.is_some_and(|set| set.contains(signal))
}
