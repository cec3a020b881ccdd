//! Raw calls of the tests.
#![allow(dead_code, reason = "shared by two test programs, which use different parts of it")]
#![allow(unsafe_code)]

use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::Linger;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// kill(2) with any number; nix's doesn't know real-time signals.
pub fn kill(pid: u32, signal: i32) -> io::Result<()> {
    // SAFETY: touches no memory.
    if unsafe { libc::kill(pid as i32, signal) } == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// sigqueue(3); whether there was room.
pub fn queue(pid: u32, signal: i32, value: usize) -> io::Result<()> {
    let value = libc::sigval { sival_ptr: value as *mut libc::c_void };
    // SAFETY: passes numbers only.
    if unsafe { libc::sigqueue(pid as i32, signal, value) } == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Sets how many descriptors a process may have open, within its hard limit.
pub fn limit_files(pid: u32, files: u64) {
    limit(pid, libc::RLIMIT_NOFILE, files);
}

/// Lets a process that runs already have no more memory.
pub fn limit_memory(pid: u32) {
    limit(pid, libc::RLIMIT_AS, 1);
}

fn limit(pid: u32, resource: libc::__rlimit_resource_t, value: u64) {
    let mut limit = libc::rlimit64 { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the first call writes a limit, the second reads it.
    let set = unsafe {
        libc::prlimit64(pid as i32, resource, std::ptr::null(), &raw mut limit);
        limit.rlim_cur = value;
        libc::prlimit64(pid as i32, resource, &raw const limit, std::ptr::null_mut())
    };
    assert_eq!(set, 0, "{}", io::Error::last_os_error());
}

/// A descriptor that was received.
pub fn own(fd: RawFd) -> OwnedFd {
    // SAFETY: the kernel has made it for this process, and nobody else has it.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// A descriptor that somebody in this process keeps open.
pub fn borrow(fd: RawFd) -> BorrowedFd<'static> {
    // SAFETY: tests keep it as long as they use it.
    unsafe { BorrowedFd::borrow_raw(fd) }
}

/// What this process does with a signal: 0 default, 1 ignore, else a handler's address.
pub fn disposition(signal: i32) -> usize {
    // SAFETY: all zeroes are a sigaction, and the call fills it in.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &raw mut action);
        action.sa_sigaction
    }
}

/// Sets it to the default (0) or to be ignored (1).
pub fn set_disposition(signal: i32, disposition: usize) {
    assert!(disposition <= 1);
    // SAFETY: no handler is installed.
    unsafe { libc::signal(signal, disposition) };
}

/// Blocks a signal for this thread.
pub fn block(signal: i32) {
    // SAFETY: the set lives on this stack.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigaddset(&raw mut set, signal);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
    }
}

/// Installs a handler.
pub fn handle(signal: i32, handler: extern "C" fn(i32)) {
    // SAFETY: the tests' handlers touch atomics only.
    unsafe { libc::signal(signal, handler as *const () as usize) };
}

/// A copy of this process that does nothing but wait for signals.
pub fn fork_that_pauses() -> u32 {
    // SAFETY: the child makes one async-signal-safe call, again and again.
    unsafe {
        let pid = libc::fork();
        if pid == 0 {
            loop {
                libc::pause();
            }
        }
        pid as u32
    }
}

/// Has the command lead a session without a controlling terminal, or with its stdin as that.
pub fn lead_session(command: &mut std::process::Command, with_terminal: bool) {
    use std::os::unix::process::CommandExt;
    // SAFETY: two async-signal-safe calls.
    unsafe {
        command.pre_exec(move || {
            if libc::setsid() < 0 || with_terminal && libc::ioctl(0, libc::TIOCSCTTY, 0) < 0 {
                return Err(io::Error::last_os_error());
            }
            Ok(())
        });
    }
}

/// The foreground process group of the terminal whose master this is.
pub fn foreground(master: &impl AsRawFd) -> u32 {
    let mut group = 0;
    // SAFETY: writes one int.
    unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCGPGRP, &raw mut group) };
    group as u32
}

/// Sets the size of the terminal whose master this is.
pub fn resize(master: &impl AsRawFd, rows: u16, columns: u16) {
    let size = libc::winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: reads one winsize.
    assert!(unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) } == 0);
}

/// What a process stopped by PTRACE_SYSCALL is about to call: the number and its arguments; none at the way back.
pub fn system_call(pid: u32) -> Option<(i64, [u64; 6])> {
    #[repr(C)]
    struct Info {
        op: u8,
        pad: [u8; 3],
        arch: u32,
        ip: u64,
        sp: u64,
        number: u64,
        args: [u64; 6],
        rest: [u64; 4],
    }
    const PTRACE_GET_SYSCALL_INFO: u32 = 0x420e;
    const ENTRY: u8 = 1;
    // SAFETY: the kernel writes at most the size that is told; all zeroes are a value.
    let info = unsafe {
        let mut info: Info = std::mem::zeroed();
        libc::ptrace(PTRACE_GET_SYSCALL_INFO as _, pid as libc::pid_t, size_of::<Info>(), &raw mut info);
        info
    };
    (info.op == ENTRY).then_some((info.number as i64, info.args))
}

/// What this process does with a signal, to be put back by [`restore`].
pub fn save(signal: i32) -> libc::sigaction {
    // SAFETY: all zeroes are a sigaction, and the call fills it in.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &raw mut action);
        action
    }
}

/// Puts back what was saved.
pub fn restore(signal: i32, action: &libc::sigaction) {
    // SAFETY: the action was in place before.
    unsafe { libc::sigaction(signal, action, std::ptr::null_mut()) };
}

/// What [`chain`] found, and how often its handler was called.
static CHAINED: Mutex<Option<libc::sigaction>> = Mutex::new(None);
pub static CHAIN_CALLS: AtomicUsize = AtomicUsize::new(0);

extern "C" fn call_next(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    CHAIN_CALLS.fetch_add(1, Ordering::SeqCst);
    // The lock is held for the moment of `chain` only, when nobody sends.
    let next = CHAINED.lock().ok().and_then(|next| *next);
    if let Some(next) = next.filter(|next| next.sa_flags & libc::SA_SIGINFO != 0) {
        // SAFETY: the address was a handler of this kind.
        let next: extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void) =
            unsafe { std::mem::transmute(next.sa_sigaction) };
        next(signal, info, context);
    }
}

/// Installs a handler that calls what it found, as libraries do that share signals.
pub fn chain(signal: i32) {
    *CHAINED.lock().unwrap() = Some(save(signal));
    // SAFETY: all zeroes are a sigaction; the handler is for tests.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = call_next as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
        libc::sigaction(signal, &raw const action, std::ptr::null_mut());
    }
}

/// Sends a signal to this process after that much of its own time, again and again.
pub fn set_timer(microseconds: i64) {
    let time = libc::timeval { tv_sec: 0, tv_usec: microseconds };
    let timer = libc::itimerval { it_interval: time, it_value: time };
    // SAFETY: reads one itimerval.
    unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut()) };
}

/// Runs it in a copy of this process and returns how that ended.
pub fn in_fork(act: impl FnOnce() -> i32) -> std::process::ExitStatus {
    use std::os::unix::process::ExitStatusExt;
    // SAFETY: the copy does what a test asks, and ends without coming back.
    unsafe {
        let pid = libc::fork();
        if pid == 0 {
            libc::_exit(act());
        }
        let mut status = 0;
        libc::waitpid(pid, &raw mut status, 0);
        std::process::ExitStatus::from_raw(status)
    }
}

/// Sees that closing this socket doesn't wait for what is to be sent.
pub fn close_at_once(socket: &OwnedFd) {
    let _ = setsockopt(socket, Linger, &libc::linger { l_onoff: 0, l_linger: 0 });
}
