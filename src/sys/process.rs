//! This process: its number, its kernel, the death of its parent, and the orphans it takes.

use super::raw::{syscall, syscall_io};
use crate::model::pid::Pid;
use crate::model::signal::Signal;
use crate::model::status::StatusCode;
use std::cell::RefCell;
use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::sync::{Mutex, PoisonError};

/// getpid(2).
pub(crate) fn id() -> Pid {
    // SAFETY: touches no memory. It can't fail.
    Pid::new(unsafe { syscall(libc::SYS_getpid, []) }.unwrap_or(0) as i32)
}

/// Ends this process at once: exit_group(2).
pub(crate) fn exit_now(status: StatusCode) -> ! {
    loop {
        // SAFETY: touches no memory, and doesn't return.
        let _ = unsafe { syscall(libc::SYS_exit_group, [usize::from(status.get())]) };
    }
}

/// The process group of this process.
#[cold]
pub(crate) fn group() -> Pid {
    Pid::new(nix::unistd::getpgrp().as_raw())
}

/// The process group of a process, which may have ended if it hasn't been waited for.
#[cold]
pub(crate) fn group_of(pid: Pid) -> Option<Pid> {
    let group = nix::unistd::getpgid(Some(nix::unistd::Pid::from_raw(pid.as_raw()))).ok()?;
    Some(Pid::new(group.as_raw()))
}

/// The kernel's release: uname(2).
pub(crate) fn kernel_release() -> String {
    let mut name = MaybeUninit::<libc::utsname>::zeroed();
    // SAFETY: `name` is room for the struct utsname that the kernel writes; all zeroes are one, too, so it is a value even if
    // the call fails. Each of its fields ends with a NUL.
    unsafe {
        let _ = syscall(libc::SYS_uname, [name.as_mut_ptr() as usize]);
        CStr::from_ptr(name.assume_init_ref().release.as_ptr()).to_string_lossy().into_owned()
    }
}

/// Has the kernel send this signal to this process when its parent dies: PR_SET_PDEATHSIG (prctl(2)). If the parent dies
/// during this call, this process sends the signal to itself.
pub(crate) fn die_with_parent(signal: Signal) -> io::Result<()> {
    // SAFETY: these calls touch no memory.
    unsafe {
        let parent = syscall_io(libc::SYS_getppid, [])?;
        syscall_io(libc::SYS_prctl, [libc::PR_SET_PDEATHSIG as usize, signal.number() as usize, 0, 0, 0])?;
        if syscall_io(libc::SYS_getppid, [])? != parent {
            syscall_io(libc::SYS_kill, [id().as_raw() as usize, signal.number() as usize])?;
        }
    }
    Ok(())
}

/// A claim on being a child subreaper (prctl(2)); the last to go puts back what was before the first.
#[derive(Debug)]
pub(crate) struct Subreaper(());

static CLAIMS: Mutex<Claims> = Mutex::new(Claims { count: 0, was_subreaper: false });

/// The claims of this whole process, which is a subreaper as long as there is any.
struct Claims {
    count: usize,
    /// Whether it was one before the first of them.
    was_subreaper: bool,
}

impl Subreaper {
    pub(crate) fn claim() -> io::Result<Subreaper> {
        let mut claims = CLAIMS.lock().unwrap_or_else(PoisonError::into_inner);
        if claims.count == 0 {
            claims.was_subreaper = set_subreaper(true)?;
        }
        claims.count += 1;
        Ok(Subreaper(()))
    }
}

impl Drop for Subreaper {
    fn drop(&mut self) {
        let mut claims = CLAIMS.lock().unwrap_or_else(PoisonError::into_inner);
        claims.count -= 1;
        if claims.count == 0 {
            let _ = set_subreaper(claims.was_subreaper);
        }
    }
}

/// As long as it lives, this process gets a signal when its parent dies: that of the newest claim of its thread. The last
/// to go puts back what was before the first.
#[derive(Debug)]
pub(crate) struct ParentDeathSignal {
    /// The thread for which it is set.
    thread: usize,
    /// Its number among the claims of that thread.
    number: u64,
}

thread_local! {
    static DEATH_CLAIMS: RefCell<DeathClaims> = const { RefCell::new(DeathClaims { before: 0, made: 0, claims: Vec::new() }) };
}

/// The claims of a thread.
struct DeathClaims {
    /// What was set before the first of them; 0: nothing.
    before: libc::c_int,
    /// How many were ever made.
    made: u64,
    /// The number and the signal of each, the newest at the end.
    claims: Vec<(u64, Signal)>,
}

impl ParentDeathSignal {
    pub(crate) fn claim(signal: Signal) -> io::Result<ParentDeathSignal> {
        DEATH_CLAIMS.with_borrow_mut(|claims| {
            if claims.claims.is_empty() {
                // SAFETY: the call writes an int, for which `before` is the room.
                unsafe {
                    let before = (&raw mut claims.before) as usize;
                    syscall_io(libc::SYS_prctl, [libc::PR_GET_PDEATHSIG as usize, before, 0, 0, 0])?;
                }
            }
            die_with_parent(signal)?;
            claims.made += 1;
            claims.claims.push((claims.made, signal));
            Ok(ParentDeathSignal { thread: thread_id(), number: claims.made })
        })
    }
}

impl Drop for ParentDeathSignal {
    fn drop(&mut self) {
        if self.thread != thread_id() {
            return;
        }
        // At the end of the thread there may be no claims any more; nor is there a thread, then.
        let _ = DEATH_CLAIMS.try_with(|claims| {
            let mut claims = claims.borrow_mut();
            claims.claims.retain(|(number, _)| *number != self.number);
            let signal = claims.claims.last().map_or(claims.before, |(_, signal)| signal.number());
            // SAFETY: the call touches no memory.
            let _ = unsafe { syscall(libc::SYS_prctl, [libc::PR_SET_PDEATHSIG as usize, signal as usize, 0, 0, 0]) };
        });
    }
}

fn thread_id() -> usize {
    // SAFETY: touches no memory, can't fail.
    unsafe { syscall(libc::SYS_gettid, []) }.unwrap_or(0)
}

/// Makes this process a child subreaper, or an ordinary process. Whether it was a subreaper before.
fn set_subreaper(subreaper: bool) -> io::Result<bool> {
    let mut before: libc::c_int = 0;
    // SAFETY: the first call writes an int, for which `before` is the room; the second touches no memory.
    unsafe {
        syscall_io(libc::SYS_prctl, [libc::PR_GET_CHILD_SUBREAPER as usize, (&raw mut before) as usize, 0, 0, 0])?;
        syscall_io(libc::SYS_prctl, [libc::PR_SET_CHILD_SUBREAPER as usize, usize::from(subreaper), 0, 0, 0])?;
    }
    Ok(before != 0)
}

/// Ends this process at once. Async-signal-safe.
pub(super) fn end(code: u8) -> ! {
    loop {
        // SAFETY: touches no memory.
        let _ = unsafe { syscall(libc::SYS_exit_group, [code.into()]) };
    }
}
