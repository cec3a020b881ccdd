//! Whether another process leaves a signal to its default action: proc_pid_status(5).
//!
//! Where /proc can't tell, the answer is no.

use super::awaited;
use super::proc_fs;
use super::proc_fs::{Ours, Stat, Status, StatusBuffer};
use crate::model::pid::Pid;
use crate::model::signal::{Signal, SignalSet};

/// The number of looks at a process after which it is taken for one that hasn't asked for a signal.
const LOOKS: u32 = 3;

/// What a process that has blocked all signals is shown with.
const ALL_BLOCKED: SignalSet = SignalSet::ALL.without(Signal::KILL).without(Signal::STOP);

/// What a program that blocks all signals may leave out. Seen: `sigfillset` of musl leaves three real-time signals
/// out and that of glibc two, which they use themselves; Node leaves out those that tell of a fault of its own.
const MAY_BE_UNBLOCKED: [i32; 12] = [
    libc::SIGKILL,
    libc::SIGSTOP,
    libc::SIGILL,
    libc::SIGTRAP,
    libc::SIGABRT,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGSEGV,
    libc::SIGSYS,
    32,
    33,
    34,
];

/// What a process does with signals.
struct Seen {
    /// Its signals aren't left to it: a debugger may keep them, and the first process of a PID namespace ignores what it
    /// doesn't catch.
    is_special: bool,
    /// It is stopped, or waits for what it can't be woken from: for the disk, or for a child of vfork(2).
    is_still: bool,
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
        let mut seen = Seen {
            is_special: true,
            is_still: false,
            blocked: all,
            ignored: all,
            caught: all,
            pending: SignalSet::EMPTY,
        };
        for (name, value) in status.fields() {
            let set = || proc_fs::signals(value);
            match name {
                "State" => seen.is_still = value.starts_with(['T', 'D']),
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

    /// Whether it doesn't catch or ignore this signal, but blocks it as it blocks all others.
    fn blocks_with_all(&self, signal: Signal) -> bool {
        let asked = self.ignored.union(self.caught);
        let unblocked: SignalSet = SignalSet::ALL.difference(self.blocked);
        let may_be_unblocked: SignalSet = MAY_BE_UNBLOCKED.into_iter().filter_map(Signal::new).collect();
        let blocks_all = unblocked.difference(may_be_unblocked) == SignalSet::EMPTY;
        !self.is_special && blocks_all && self.blocked.contains(signal) && !asked.contains(signal)
    }
}

/// Whether that process, alive or not yet waited for, leaves this signal to its default action: it doesn't catch, ignore,
/// block or await it.
#[cold]
pub(crate) fn applies_to(pid: Pid, signal: Signal, ours: &mut Ours) -> bool {
    Seen::of(pid, ours).is_some_and(|seen| seen.leaves(signal)) && !awaited::by_first_thread(pid, signal)
}

/// What a signal would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It would end the process, which hasn't asked for it.
    Ends,
    /// It wouldn't, or that can't be seen.
    Other,
    /// The process waits for it.
    Awaited,
    /// That will be clear in a moment. The process has all signals blocked: for ever, or for the moment in which it starts another
    /// one. Or it has just been woken by a signal, or has unblocked one that came. It doesn't catch or ignore this one.
    Unclear {
        /// It can't run now, so that it can't change that.
        is_still: bool,
    },
}

/// What this signal would do to that process, a child of this one. `was_awaited`: the process was once seen waiting for it. If it
/// has all signals blocked now, or has another one on its way, it is busy with that.
#[cold]
pub(crate) fn effect(pid: Pid, signal: Signal, was_awaited: bool, ours: &mut Ours) -> Effect {
    if !signal.ends_by_default() {
        return Effect::Other;
    }
    for _ in 0..LOOKS {
        let Some(seen) = Seen::of(pid, ours) else { return Effect::Other };
        if !seen.leaves(signal) {
            if seen.blocked == ALL_BLOCKED && has_yet_to_execute(pid) {
                return if is_ignored(pid, signal, ours) { Effect::Other } else { Effect::Ends };
            }
            if !seen.blocks_with_all(signal) {
                return Effect::Other;
            }
            let is_awaited = was_awaited || awaited::by_any(pid, signal);
            return if is_awaited { Effect::Awaited } else { Effect::Unclear { is_still: seen.is_still } };
        }
        if awaited::by_first_thread(pid, signal) {
            return Effect::Awaited;
        }
        // A process that rt_sigtimedwait(2) has woken, and that hasn't run since, is shown with what it waited for not
        // blocked, and no longer waiting: as one that never asked. It has a signal on its way, or soon shows what it does.
        match on_its_way(pid, ours) {
            Some(OnItsWay { ends: true, .. }) => return Effect::Other,
            // A server that waits for CHLD, too.
            Some(_) if was_awaited => return Effect::Awaited,
            // One that has blocked all to start another process, which has ended meanwhile, has a CHLD on its way.
            Some(OnItsWay { is_still, .. }) => return Effect::Unclear { is_still },
            None => {}
        }
    }
    Effect::Ends
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

/// What has come to a process that neither blocks nor catches it.
struct OnItsWay {
    /// The process is about to end by it, or has waited for it.
    ends: bool,
    /// As in [`Effect::Unclear`].
    is_still: bool,
}

/// What is on its way to that process. A signal that it ignores is never pending, unless it was blocked or waited for; nor is one
/// that is ignored by default.
#[cold]
fn on_its_way(pid: Pid, ours: &mut Ours) -> Option<OnItsWay> {
    let seen = Seen::of(pid, ours)?;
    let signals: SignalSet = seen.pending.difference(seen.blocked.union(seen.caught));
    if signals == SignalSet::EMPTY {
        return None;
    }
    let ends = signals.iter().any(|signal| signal.ends_by_default() && !seen.ignored.contains(signal));
    Some(OnItsWay { ends, is_still: seen.is_still })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::raw::syscall_io;
    use std::fs;
    use std::io::{BufRead, BufReader};
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};
    use std::ptr;

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
            assert_eq!(reads(|| assert_eq!(effect(pid, Signal::USR1, false, &mut ours), Effect::Other)), expected);
        }
        ours.forget();
        assert_eq!(
            reads(|| assert_eq!(effect(pid, Signal::USR1, false, &mut ours), Effect::Other)),
            2,
            "/proc may be another"
        );
        assert_eq!(effect(pid, Signal::USR2, false, &mut ours), Effect::Ends);
        assert_eq!(effect(pid, Signal::CHLD, false, &mut ours), Effect::Other);
        drop(shell.stdin.take());
        shell.wait().unwrap();
    }
    /// musl's `sigfillset` leaves three signals out.
    #[test]
    fn one_that_blocks_all_has_asked_only_if_it_was_seen_waiting() {
        for (left_out, is_all) in [(&[] as &[i32], true), (&[32, 33, 34], true), (&[libc::SIGUSR2], false)] {
            let blocked =
                left_out.iter().filter_map(|number| Signal::new(*number)).fold(SignalSet::ALL, SignalSet::without);
            let mut cat = Command::new("cat");
            cat.stdin(Stdio::piped()).stdout(Stdio::piped());
            let mask = blocked.bits();
            // SAFETY: a system call that reads a number of this closure's.
            unsafe {
                cat.pre_exec(move || {
                    let how = libc::SIG_SETMASK as usize;
                    syscall_io(libc::SYS_rt_sigprocmask, [how, (&raw const mask) as usize, 0, 8]).map(drop)
                });
            }
            let mut cat = cat.spawn().unwrap();
            let pid = Pid::new(cat.id() as i32);
            let mut ours = Ours::default();
            let by_look = effect(pid, Signal::USR1, false, &mut ours);
            let by_earlier_look = effect(pid, Signal::USR1, true, &mut ours);
            drop(cat.stdin.take());
            cat.wait().unwrap();
            assert_eq!(matches!(by_look, Effect::Unclear { .. }), is_all, "{left_out:?}: {by_look:?}");
            assert_eq!(by_earlier_look, if is_all { Effect::Awaited } else { Effect::Other }, "{left_out:?}");
        }
    }
    /// A process that unblocks all is stopped by one signal before it has the next one.
    #[test]
    fn a_signal_on_its_way_that_does_not_end_it_says_nothing_of_others() {
        for (on_its_way, was_awaited, expected) in [
            (libc::SIGWINCH, false, Effect::Unclear { is_still: true }),
            (libc::SIGWINCH, true, Effect::Awaited),
            (libc::SIGPROF, false, Effect::Other),
        ] {
            let all = SignalSet::ALL.bits();
            let change_mask = |how: i32| {
                // SAFETY: a system call that reads a number of this function's.
                let _ =
                    unsafe { syscall_io(libc::SYS_rt_sigprocmask, [how as usize, (&raw const all) as usize, 0, 8]) };
            };
            // SAFETY: the child calls only what is async-signal-safe.
            let pid = unsafe {
                let pid = libc::fork();
                if pid == 0 {
                    // TSTP stops nobody in a group whose parents are all in other sessions.
                    libc::setpgid(0, 0);
                    change_mask(libc::SIG_BLOCK);
                    libc::kill(libc::getpid(), on_its_way);
                    libc::kill(libc::getpid(), libc::SIGTSTP);
                    change_mask(libc::SIG_UNBLOCK);
                    libc::_exit(1);
                }
                pid
            };
            let mut status = 0;
            // SAFETY: the status is a variable of this function; the child is its own.
            let seen = unsafe {
                assert_eq!(libc::waitpid(pid, &raw mut status, libc::WUNTRACED), pid);
                let seen = effect(Pid::new(pid), Signal::USR1, was_awaited, &mut Ours::default());
                libc::kill(pid, libc::SIGKILL);
                libc::waitpid(pid, ptr::null_mut(), 0);
                seen
            };
            assert!(libc::WIFSTOPPED(status), "{status:#x}");
            assert_eq!(seen, expected, "{on_its_way}, {was_awaited}");
        }
    }
}
