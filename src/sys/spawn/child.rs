//! What the child does between clone and exec.
//!
//! It runs in its parent's memory, at the same time as its parent, with all signals blocked. So: nothing but raw system
//! calls, no allocation, no lock, no panic, no thread-local (`errno` is one). All it needs is in its [`Plan`].

use super::elf::{FORMAT_BYTES, Format};
use super::report::{Failure, Report, Step};
use crate::model::child_group::ChildGroup;
use crate::model::identity::Identity;
use crate::model::signal::{Signal, SignalSet};
use crate::sys::limit::Changed;
use crate::sys::private_fds;
use crate::sys::raw::{Errno, syscall};
use crate::sys::signals::{Disposition, disposition, set_disposition, set_mask};
use crate::sys::user;
use std::ffi::{c_char, c_int, c_void};
use std::os::fd::RawFd;

/// What the child is to do. Everything it points to lives until the child has been waited for.
#[derive(Debug)]
pub(super) struct Plan {
    /// The process that must be the parent still when PR_SET_PDEATHSIG is set.
    pub(super) parent: i32,
    /// The process group it is in, and the terminal whose foreground group that becomes, or that becomes its session's.
    pub(super) group: ChildGroup<Option<RawFd>>,
    /// The user it becomes; null: it keeps this process's.
    pub(super) user: *const Identity,
    /// Its working directory, a C string; null: this process's.
    pub(super) dir: *const c_char,
    /// What becomes descriptors 0, 1 and 2, where they aren't inherited; each is 3 or higher.
    pub(super) stdio: [Option<RawFd>; 3],
    /// Its table of descriptors is its parent's, of which it makes itself a copy of what is below this one; 0: it has a copy.
    pub(super) private_from: RawFd,
    /// Whether all other descriptors close on exec.
    pub(super) only_stdio: bool,
    /// Signals to be ignored, though this process listens to them.
    pub(super) ignored: SignalSet,
    /// Signals not to be ignored, though they were when this process was started.
    pub(super) heeded: SignalSet,
    /// The limits it gets back.
    pub(super) limits: Changed,
    /// Whether this process has handlers, which must not run in the child.
    pub(super) reset_caught: bool,
    /// The mask to execute with.
    pub(super) mask: SignalSet,
    /// The files to try, ended by a null pointer.
    pub(super) candidates: *const *const c_char,
    /// A place for the name of the shell, then argv, ended by a null pointer.
    pub(super) shell_argv: *mut *const c_char,
    /// envp, ended by a null pointer.
    pub(super) envp: *const *const c_char,
    /// Where in it the child puts its pid: room for [`PID_DIGITS`], and a NUL behind; null: nowhere.
    pub(super) pid_places: [*mut u8; 3],
    /// Where the child says what failed.
    pub(super) report: *const Report,
    /// What the kernel clears when the child doesn't need its stack any more; null: nothing.
    pub(super) stack_user: *mut i32,
}

/// The digits of the longest pid.
pub(super) const PID_DIGITS: usize = 10;

/// The child's first function; returns to nobody.
pub(super) extern "C" fn main(plan: *mut c_void) -> c_int {
    // SAFETY: spawn passes its plan, which outlives the child; what both write in it is atomic.
    let plan = unsafe { &*plan.cast::<Plan>().cast_const() };
    let failure = become_command(plan);
    // SAFETY: the report lives as long as the plan.
    unsafe { &*plan.report }.store(failure);
    // The parent learns of it by the report; nothing reads this code.
    exit(127)
}

fn become_command(plan: &Plan) -> Failure {
    if plan.private_from > 0
        && let Err(errno) = have_own_table(plan)
    {
        return Failure::before_exec(Step::Table, errno);
    }
    if !plan.stack_user.is_null() {
        // SAFETY: the kernel writes a word of a stack, which stays for ever.
        let _ = unsafe { syscall(libc::SYS_set_tid_address, [plan.stack_user as usize]) };
    }
    // SAFETY: it is null, or what the plan's owner keeps.
    if let Some(user) = unsafe { plan.user.as_ref() }
        && let Err(errno) = user::take(user)
    {
        return Failure::before_exec(Step::User, errno);
    }
    // After the change of user, with which the kernel takes it back.
    if let Err(errno) = be_killed_with_parent(plan.parent) {
        return Failure::before_exec(Step::ParentDeathSignal, errno);
    }
    match plan.group {
        ChildGroup::Shared => {}
        ChildGroup::Own(terminal) => {
            if let Err(errno) = lead_group(terminal) {
                return Failure::before_exec(Step::Group, errno);
            }
        }
        ChildGroup::Session(terminal) => {
            // SAFETY: the report lives as long as the plan.
            if let Err(errno) = lead_session(terminal, unsafe { &*plan.report }) {
                return Failure::before_exec(Step::Session, errno);
            }
        }
    }
    // SAFETY: the report lives as long as the plan.
    unsafe { &*plan.report }.store_already_received();
    if !plan.dir.is_null()
        // SAFETY: the kernel reads a C string that the plan's owner keeps.
        && let Err(errno) = unsafe { syscall(libc::SYS_chdir, [plan.dir as usize]) }
    {
        return Failure::before_exec(Step::Dir, errno);
    }
    if let Err(errno) = put_in_place(&plan.stdio) {
        return Failure::before_exec(Step::Stdio, errno);
    }
    if plan.only_stdio {
        let close_on_exec = libc::CLOSE_RANGE_CLOEXEC as usize;
        // SAFETY: touches no memory. Before Linux 5.11 the call is refused, and they are inherited.
        let _ = unsafe { syscall(libc::SYS_close_range, [3, u32::MAX as usize, close_on_exec]) };
    }
    plan.limits.restore();
    say_pid(&plan.pid_places);
    restore_signals(plan);
    execute(plan)
}

/// Makes a copy of that part of the parent's table of descriptors which it needs, and says that it has it.
#[cold]
fn have_own_table(plan: &Plan) -> Result<(), Errno> {
    private_fds::copy_part(plan.private_from)?;
    // SAFETY: the report lives as long as the plan.
    unsafe { &*plan.report }.store_has_own_table();
    Ok(())
}

/// Has the kernel kill this process when its parent ends.
///
/// The parent may have ended before: clone, kill -9, prctl, and the kernel would never send the signal. Then this process
/// has another parent by now: if it was reparented, it exits.
fn be_killed_with_parent(parent: i32) -> Result<(), Errno> {
    // SAFETY: these calls touch no memory.
    unsafe {
        syscall(libc::SYS_prctl, [libc::PR_SET_PDEATHSIG as usize, libc::SIGKILL as usize, 0, 0, 0])?;
        // Zero: the parent is outside this child's PID namespace (unshare(2)). A process that was reparented never sees a
        // zero: its new parent is inside.
        let now = syscall(libc::SYS_getppid, []);
        if now != Ok(parent as usize) && now != Ok(0) {
            exit(128 + libc::SIGKILL);
        }
    }
    Ok(())
}

/// Puts this process into a process group of its own, and that into the foreground of the terminal.
fn lead_group(terminal: Option<RawFd>) -> Result<(), Errno> {
    // SAFETY: the first two calls touch no memory, the third reads an int.
    unsafe {
        syscall(libc::SYS_setpgid, [0, 0])?;
        if let Some(terminal) = terminal {
            // Signals are blocked: from the background SIGTTOU would stop this process. If the terminal has hung up
            // meanwhile, the command finds out for itself.
            let group = syscall(libc::SYS_getpid, [])? as c_int;
            let _ =
                syscall(libc::SYS_ioctl, [terminal as usize, libc::TIOCSPGRP as usize, (&raw const group) as usize]);
        }
    }
    Ok(())
}

/// Puts this process into a session of its own, whose terminal that becomes.
fn lead_session(terminal: Option<RawFd>, report: &Report) -> Result<(), Errno> {
    // SAFETY: the calls touch no memory.
    unsafe {
        syscall(libc::SYS_setsid, [])?;
        if let Some(terminal) = terminal
            && let Err(errno) = syscall(libc::SYS_ioctl, [terminal as usize, libc::TIOCSCTTY as usize, 0])
        {
            // As above: one that has hung up is no reason not to run.
            report.store_terminal_refused(errno);
        }
    }
    Ok(())
}

/// Makes these its descriptors 0, 1 and 2.
fn put_in_place(stdio: &[Option<RawFd>; 3]) -> Result<(), Errno> {
    for (target, source) in stdio.iter().enumerate() {
        if let Some(source) = *source {
            // dup3 leaves the new descriptor open across exec; the old one closes itself.
            // SAFETY: the call touches no memory.
            unsafe { syscall(libc::SYS_dup3, [source as usize, target, 0]) }?;
        }
    }
    Ok(())
}

/// Puts this process's pid into its environment.
fn say_pid(places: &[*mut u8]) {
    if places.iter().all(|place| place.is_null()) {
        return;
    }
    // SAFETY: touches no memory.
    let Ok(mut rest) = (unsafe { syscall(libc::SYS_getpid, []) }) else { return };
    let mut digits = [0; PID_DIGITS];
    let mut first = PID_DIGITS;
    while first > 0 && (rest > 0 || first == PID_DIGITS) {
        first -= 1;
        digits[first] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    for place in places.iter().filter(|place| !place.is_null()) {
        for (at, digit) in digits[first..].iter().enumerate() {
            // SAFETY: each place has room for PID_DIGITS bytes, and the parent doesn't read or write them.
            unsafe { place.add(at).write(*digit) };
        }
    }
}

/// Dispositions first, then the mask: a signal that was waiting takes its course by the child's own dispositions.
fn restore_signals(plan: &Plan) {
    if plan.reset_caught {
        for signal in Signal::all() {
            if disposition(signal) == Disposition::Caught {
                set_disposition(signal, false);
            }
        }
    }
    for signal in plan.heeded.iter() {
        set_disposition(signal, false);
    }
    for signal in plan.ignored.iter() {
        set_disposition(signal, true);
    }
    set_mask(plan.mask);
}

/// Tries the candidates in order, as execvp(3) does.
///
/// execvp itself is not for a child like this: it copies argv to the stack when it turns to the shell.
fn execute(plan: &Plan) -> Failure {
    let failure = Failure::of_candidate;
    let mut remembered = None;
    let mut last = failure(Step::Exec, 0, libc::ENOENT);
    let mut index = 0;
    loop {
        // SAFETY: the list ends with a null pointer, and the loop with it.
        let file = unsafe { *plan.candidates.add(index) };
        if file.is_null() {
            return remembered.unwrap_or(last);
        }
        // SAFETY: the plan's strings and lists are as execve wants them; argv begins behind the shell's place.
        let mut errno = unsafe { execve(file, plan.shell_argv.add(1), plan.envp) };
        let mut step = Step::Exec;
        if errno == libc::ENOEXEC {
            match format(file) {
                Ok(Format::Text) => {}
                Ok(Format::Binary) => return failure(Step::Binary, index, errno),
                Ok(Format::Elf(header)) => return Failure { header, ..failure(Step::Elf, index, errno) },
                // The shell couldn't read it either.
                Err(libc::EACCES) => return failure(step, index, errno),
                // The shell may fare better, or say why not.
                Err(_) => {}
            }
            step = Step::Shell;
            // SAFETY: the list has room for the shell before argv; nobody else reads it while the child is here.
            errno = unsafe {
                let command = *plan.shell_argv.add(1);
                *plan.shell_argv = c"/bin/sh".as_ptr();
                *plan.shell_argv.add(1) = file;
                let errno = execve(c"/bin/sh".as_ptr(), plan.shell_argv, plan.envp);
                *plan.shell_argv.add(1) = command;
                errno
            };
        } else if errno == libc::ENOENT && exists(file) {
            step = Step::Interpreter;
        }
        match errno {
            // Another entry may have the command; if none has, this is what's reported.
            libc::EACCES => remembered = remembered.or(Some(failure(step, index, errno))),
            libc::ENOENT if step != Step::Exec => {
                remembered = remembered.or(Some(failure(step, index, errno)));
            }
            libc::ENOENT | libc::ESTALE | libc::ENOTDIR | libc::ENODEV | libc::ETIMEDOUT => {
                last = failure(step, index, errno);
            }
            _ => return failure(step, index, errno),
        }
        index += 1;
    }
}

/// execve(2), which returns only to say why it failed.
///
/// # Safety
/// `file` must be a C string, the lists pointers to C strings ended by a null pointer.
unsafe fn execve(file: *const c_char, argv: *const *const c_char, envp: *const *const c_char) -> Errno {
    // SAFETY: as the caller vouches.
    match unsafe { syscall(libc::SYS_execve, [file as usize, argv as usize, envp as usize]) } {
        Ok(_) => 0,
        Err(errno) => errno,
    }
}

/// What a file is that the kernel can't execute.
fn format(file: *const c_char) -> Result<Format, Errno> {
    let mut start = [0_u8; FORMAT_BYTES];
    let flags = libc::O_RDONLY | libc::O_CLOEXEC;
    // SAFETY: `file` comes from the plan's list of C strings, and `start` has room for what is read.
    let read = unsafe {
        let fd = syscall(libc::SYS_openat, [libc::AT_FDCWD as usize, file as usize, flags as usize])?;
        let read = syscall(libc::SYS_read, [fd, start.as_mut_ptr() as usize, start.len()]);
        let _ = syscall(libc::SYS_close, [fd]);
        read?
    };
    Ok(Format::of(start.get(..read).unwrap_or_default()))
}

fn exists(file: *const c_char) -> bool {
    // SAFETY: `file` comes from the plan's list of C strings.
    unsafe { syscall(libc::SYS_faccessat, [libc::AT_FDCWD as usize, file as usize, libc::F_OK as usize]) }.is_ok()
}

fn exit(code: i32) -> ! {
    loop {
        // SAFETY: ends this process; no destructor of the parent's may run here.
        let _ = unsafe { syscall(libc::SYS_exit_group, [code as usize]) };
    }
}
