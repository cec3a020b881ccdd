//! Signals this process sends to itself and its process group: to stop beside its child, and to die as it died.

use super::disposition::with_disposition;
use super::mask::{SIGSET_BYTES, pending, set_mask};
use crate::model::signal::{Signal, SignalSet};
use crate::sys::process;
use crate::sys::raw::{syscall, syscall_io};
use std::io;
use std::mem::MaybeUninit;

/// Sends it to every other process of this process's group: kill(2) with 0. A process that has it blocked all the same
/// finds it pending, sent by itself.
pub(crate) fn send_to_others_of_group(signal: Signal) -> io::Result<()> {
    with_disposition(signal, libc::SIG_IGN, || send_to_group(signal))
}

/// Lets a signal that this thread has blocked, and that came, do what it would have done.
pub(crate) fn take_course(signal: Signal) -> io::Result<()> {
    send_to_self(signal)?;
    take_now(signal);
    Ok(())
}

fn send_to_group(signal: Signal) -> io::Result<()> {
    // SAFETY: the call touches no memory.
    unsafe { syscall_io(libc::SYS_kill, [0, signal.number() as usize]) }.map(drop)
}

/// Stops this process, or its whole group, by this signal, until it is continued. Whether it did stop: in an orphaned
/// process group the kernel ignores all of these signals but STOP.
///
/// A blocked signal stops nobody: this thread, which must have it blocked, unblocks it for the moment.
///
/// A process that was stopped needn't find the SIGCONT that has continued it: the next stop signal discards it, and may
/// come before anything is read (another process of the job, continued first, wants to read the terminal).
#[cold]
pub(crate) fn stop(signal: Signal, whole_group: bool) -> io::Result<bool> {
    // It must not be lost: its sender counts on its effect.
    if pending().contains(Signal::CONT) {
        return Ok(true);
    }
    with_disposition(signal, libc::SIG_DFL, || {
        let before = voluntary_switches();
        if whole_group { send_to_group(signal) } else { send_to_self(signal) }?;
        // Sending it has discarded any SIGCONT that was pending. SIGCONT discards this one if it comes before the next step:
        // then there is one pending, though nothing has stopped. A stop itself is a context switch.
        take_now(signal);
        Ok(voluntary_switches() != before || pending().contains(Signal::CONT))
    })
}

/// Ends this process by this signal, without a core of its own. It returns if that can't be, as for PID 1.
pub(crate) fn die(signal: Signal) {
    // A limit of zero would not do: where cores are piped to a program, that is called all the same.
    // SAFETY: the call touches no memory.
    let _ = unsafe { syscall(libc::SYS_prctl, [libc::PR_SET_DUMPABLE as usize, 0, 0, 0, 0]) };
    let _ = with_disposition(signal, libc::SIG_DFL, || take_course(signal));
}

fn send_to_self(signal: Signal) -> io::Result<()> {
    // SAFETY: the call touches no memory.
    unsafe { syscall_io(libc::SYS_kill, [process::id().as_raw() as usize, signal.number() as usize]) }.map(drop)
}

/// Takes back a blocked signal that this process has sent to itself just now. One that somebody else sent stays pending.
pub(crate) fn forget(signal: Signal) {
    let set = SignalSet::EMPTY.with(signal).bits();
    let (mut info, now) = (MaybeUninit::<libc::siginfo_t>::zeroed(), [0i64; 2]);
    let (set, info_at, now) = (&raw const set, info.as_mut_ptr(), &raw const now);
    // SAFETY: the kernel reads 64 bits and a struct timespec, of zero, and writes a siginfo_t.
    let taken =
        unsafe { syscall(libc::SYS_rt_sigtimedwait, [set as usize, info_at as usize, now as usize, SIGSET_BYTES]) };
    match taken {
        Ok(_) => {}
        // None is pending.
        Err(libc::EAGAIN) => return,
        // A filter refuses the call. Ignoring a signal discards it while it is pending, from any sender.
        Err(_) => return with_disposition(signal, libc::SIG_IGN, || {}),
    }
    // SAFETY: zeroes are a value of it, and the kernel has written another; of SI_USER it has a pid.
    let by_self = unsafe {
        let info = info.assume_init_ref();
        info.si_code == libc::SI_USER && info.si_pid() == process::id().as_raw()
    };
    if !by_self {
        let number = signal.number() as usize;
        // SAFETY: the kernel reads a siginfo_t, which may be any to oneself.
        let _ =
            unsafe { syscall(libc::SYS_rt_sigqueueinfo, [process::id().as_raw() as usize, number, info_at as usize]) };
    }
}

/// How often this thread has waited for something, a stop among them: getrusage(2).
fn voluntary_switches() -> i64 {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the kernel writes a struct rusage, of which all zeroes are a value.
    unsafe {
        let _ = syscall(libc::SYS_getrusage, [libc::RUSAGE_THREAD as usize, usage.as_mut_ptr() as usize]);
        usage.assume_init_ref().ru_nvcsw
    }
}

/// Lets a pending signal take its course.
fn take_now(signal: Signal) {
    let before = set_mask(SignalSet::ALL);
    set_mask(before.without(signal));
    set_mask(before);
}
