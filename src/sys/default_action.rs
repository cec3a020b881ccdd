//! Whether another process leaves a signal to its default action: proc_pid_status(5).
//!
//! Where /proc can't tell, the answer is no.

use super::proc_fs;
use super::proc_fs::{Ours, Stat, Status, StatusBuffer};
use crate::model::pid::Pid;
use crate::model::signal::{Signal, SignalSet};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;

/// The number of looks at a process after which it is taken for one that hasn't asked for a signal.
const LOOKS: u32 = 3;

/// What a process that has blocked all signals is shown with.
const ALL_BLOCKED: SignalSet = SignalSet::ALL.without(Signal::KILL).without(Signal::STOP);

/// What a process does with signals.
struct Seen {
    /// Its signals aren't left to it: a debugger may keep them, and the first process of a PID namespace ignores what it
    /// doesn't catch.
    is_special: bool,
    blocked: SignalSet,
    ignored: SignalSet,
    caught: SignalSet,
    pending: SignalSet,
}

impl Seen {
    fn of(pid: Pid, ours: &mut Ours) -> Option<Seen> {
        let mut buffer = StatusBuffer::new();
        Status::of(pid, ours, &mut buffer).map(|status| Seen::in_status(&status))
    }

    /// What a status doesn't say is taken so that nothing is left to its default action.
    fn in_status(status: &Status<'_>) -> Seen {
        let all = SignalSet::ALL;
        let (mut is_traced, mut is_init) = (true, false);
        let mut seen = Seen { is_special: true, blocked: all, ignored: all, caught: all, pending: SignalSet::EMPTY };
        for (name, value) in status.fields() {
            let set = || proc_fs::signals(value);
            match name {
                "TracerPid" => is_traced = value != "0",
                "NSpid" => is_init = value.split_whitespace().last() == Some("1"),
                "SigPnd" | "ShdPnd" => seen.pending = seen.pending.union(set().unwrap_or(SignalSet::EMPTY)),
                "SigBlk" => seen.blocked = set().unwrap_or(all),
                "SigIgn" => seen.ignored = set().unwrap_or(all),
                "SigCgt" => seen.caught = set().unwrap_or(all),
                _ => {}
            }
        }
        seen.is_special = is_traced || is_init;
        seen
    }

    /// Whether it doesn't catch, ignore or block this signal.
    fn leaves(&self, signal: Signal) -> bool {
        let asked = self.blocked.union(self.ignored).union(self.caught);
        !self.is_special && !asked.contains(signal)
    }
}

/// Whether that process, alive or not yet waited for, leaves this signal to its default action: it doesn't catch, ignore,
/// block or await it.
#[cold]
pub(crate) fn applies_to(pid: Pid, signal: Signal, ours: &mut Ours) -> bool {
    Seen::of(pid, ours).is_some_and(|seen| seen.leaves(signal)) && !awaits(pid, signal)
}

/// Whether that process, a child of this one, would end by this signal without having asked for it.
#[cold]
pub(crate) fn would_end(pid: Pid, signal: Signal, ours: &mut Ours) -> bool {
    if !signal.ends_by_default() {
        return false;
    }
    for _ in 0..LOOKS {
        let Some(seen) = Seen::of(pid, ours) else { return false };
        // A process that rt_sigtimedwait(2) has woken, and that hasn't run since, is shown with what it waited for not
        // blocked, and no longer waiting: as one that never asked. It has a signal on its way, or soon shows what it does.
        if !seen.leaves(signal) || awaits(pid, signal) || has_signal_on_its_way(pid, ours) {
            return seen.blocked == ALL_BLOCKED && has_yet_to_execute(pid) && !is_ignored(pid, signal, ours);
        }
    }
    true
}

/// Whether that process, a child of ours with all signals blocked, is still on its way to its exec. Until it gives up that
/// mask, what it ignores and catches may not be its own.
#[cold]
fn has_yet_to_execute(pid: Pid) -> bool {
    Stat::of(pid.as_raw()).ok().flatten().is_some_and(|stat| !stat.has_executed())
}

#[cold]
fn is_ignored(pid: Pid, signal: Signal, ours: &mut Ours) -> bool {
    Seen::of(pid, ours).is_none_or(|seen| seen.ignored.contains(signal))
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
fn has_signal_on_its_way(pid: Pid, ours: &mut Ours) -> bool {
    Seen::of(pid, ours).is_some_and(|seen| seen.pending.difference(seen.blocked.union(seen.caught)) != SignalSet::EMPTY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    /// How often this thread reads while it does this.
    fn reads(mut work: impl FnMut()) -> u64 {
        let so_far = || -> u64 {
            let io = fs::read("/proc/thread-self/io").unwrap();
            let line = io.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"syscr: "));
            std::str::from_utf8(line.unwrap()).unwrap().parse().unwrap()
        };
        let (first, second) = (so_far(), so_far());
        work();
        so_far() - second - (second - first)
    }

    /// A thousand processes are looked at for one signal.
    #[test]
    fn a_process_with_a_handler_is_read_about_once() {
        let script = "trap : USR1; echo ready; read _";
        let mut shell = Command::new("sh");
        let mut shell = shell.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        BufReader::new(shell.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
        let pid = Pid::new(shell.id() as i32);
        let mut ours = Ours::default();
        for expected in [2, 1, 1] {
            assert_eq!(reads(|| assert!(!would_end(pid, Signal::USR1, &mut ours))), expected);
        }
        ours.forget();
        assert_eq!(reads(|| assert!(!would_end(pid, Signal::USR1, &mut ours))), 2, "/proc may be another");
        assert!(would_end(pid, Signal::USR2, &mut ours) && !would_end(pid, Signal::CHLD, &mut ours));
        drop(shell.stdin.take());
        shell.wait().unwrap();
    }
}
