//! Raw calls of the tests.
#![allow(dead_code, reason = "shared by two test programs, which use different parts of it")]
#![allow(unsafe_code)]

use std::io;

/// kill(2) with any number; nix's doesn't know real-time signals.
pub fn kill(pid: u32, signal: i32) -> io::Result<()> {
    // SAFETY: touches no memory.
    if unsafe { libc::kill(pid as i32, signal) } == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
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
