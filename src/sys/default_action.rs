//! Whether another process leaves a signal to its default action: proc_pid_status(5).
//!
//! Where /proc can't tell, the answer is no.

use super::proc_fs::{Stat, Status};
use crate::model::pid::Pid;
use crate::model::signal::{Signal, SignalSet};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;

/// The number of looks at a process after which it is taken for one that hasn't asked for a signal.
const LOOKS: u32 = 3;

/// Whether that process, alive or not yet waited for, leaves this signal to its default action: it doesn't catch, ignore,
/// block or await it.
#[cold]
pub(crate) fn applies_to(pid: Pid, signal: Signal) -> bool {
    let Some(status) = Status::of(pid) else { return false };
    let is_in = |name| status.signals(name).is_none_or(|signals| signals.contains(signal));
    // A debugger may keep it from the process, and the first process of a PID namespace ignores what it doesn't catch.
    let traced = status.field("TracerPid") != Some("0");
    let is_init = status.field("NSpid").and_then(|pids| pids.split_whitespace().last()) == Some("1");
    !(traced || is_init || is_in("SigBlk") || is_in("SigIgn") || is_in("SigCgt") || awaits(pid, signal))
}

/// Whether that process, a child of this one, would end by this signal without having asked for it.
#[cold]
pub(crate) fn would_end(pid: Pid, signal: Signal) -> bool {
    if !signal.ends_by_default() {
        return false;
    }
    // A process that rt_sigtimedwait(2) has woken, and that hasn't run since, is shown with what it waited for not blocked,
    // and no longer waiting: as one that never asked. It has a signal on its way, or soon shows what it does.
    if (0..LOOKS).all(|_| applies_to(pid, signal) && !has_signal_on_its_way(pid)) {
        return true;
    }
    // Before its exec a child of ours has all signals blocked, and no handler can be its own.
    let has_executed = Stat::of(pid.as_raw()).ok().flatten().is_none_or(|stat| stat.has_executed());
    !has_executed
        && Status::of(pid).is_some_and(|status| {
            let ignored = status.signals("SigIgn").unwrap_or(SignalSet::EMPTY);
            !ignored.contains(signal)
        })
}

/// Whether that process waits for this signal by rt_sigtimedwait(2), as sigwait(3) does: it is shown as not blocked
/// meanwhile. No, where this can't be seen: proc_pid_syscall(5) is for those who may trace it.
#[cold]
fn awaits(pid: Pid, signal: Signal) -> bool {
    let call = fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
    let mut words = call.split_ascii_whitespace();
    if words.next().and_then(|number| number.parse().ok()) != Some(libc::SYS_rt_sigtimedwait) {
        return false;
    }
    let address = words.next().and_then(|word| u64::from_str_radix(word.strip_prefix("0x")?, 16).ok());
    let mut bits = [0; 8];
    let memory = File::open(format!("/proc/{pid}/mem"));
    let read = memory.ok().zip(address).and_then(|(memory, at)| memory.read_exact_at(&mut bits, at).ok());
    read.is_some() && SignalSet::from_bits(u64::from_ne_bytes(bits)).contains(signal)
}

/// Whether a signal has come to that process that it neither blocks nor catches: it is about to end by it, or has waited for
/// it. A signal that it ignores is never pending, unless it waits for it.
#[cold]
fn has_signal_on_its_way(pid: Pid) -> bool {
    let Some(status) = Status::of(pid) else { return false };
    let set = |name| status.signals(name).unwrap_or(SignalSet::EMPTY);
    status.pending().difference(set("SigBlk").union(set("SigCgt"))) != SignalSet::EMPTY
}
