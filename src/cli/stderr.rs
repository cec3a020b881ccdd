//! Messages on stderr, which hold nobody up.
//!
//! Whoever reads stderr may be slow, or hang; a write would then wait, and with it every signal and the exit status.

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{self, Write};
use std::os::fd::AsFd;

/// What a pipe takes at once, when poll(2) says that it takes anything.
const PIPE_BUF: usize = libc::PIPE_BUF;

/// How long the last words of a run, which nothing waits for but the exit status, may take for each piece.
const PATIENCE: u16 = 1000;

/// Log messages; what finds no room is dropped.
pub(super) struct Log;

impl Write for Log {
    fn write(&mut self, message: &[u8]) -> io::Result<usize> {
        write(message, PollTimeout::ZERO)?;
        Ok(message.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A message of panicmon's own, whole. Where stderr can't take it, there is nobody to tell.
pub(super) fn say(message: &dyn std::fmt::Display) {
    let _ = write(format!("panicmon: {message}\n").as_bytes(), PollTimeout::from(PATIENCE));
}

fn write(message: &[u8], patience: PollTimeout) -> io::Result<()> {
    let stderr = io::stderr();
    for piece in message.chunks(PIPE_BUF) {
        let mut fds = [PollFd::new(stderr.as_fd(), PollFlags::POLLOUT)];
        if poll(&mut fds, patience)? == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        stderr.lock().write_all(piece)?;
    }
    Ok(())
}
