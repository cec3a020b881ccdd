//! Messages on stderr, which hold nobody up.
//!
//! Whoever reads stderr may be slow, or hang; a write would then wait, and with it every signal and the exit status.

use crate::program::journal::Message;
use log::Level;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a pipe takes at once, when poll(2) says that it takes anything.
const PIPE_BUF: usize = libc::PIPE_BUF;

/// How long the last words of a run, which nothing waits for but the exit status, may take for each piece.
const PATIENCE: u16 = 1000;

/// How much waits for a relay at most.
const ROOM: usize = 64 * 1024;

/// Log messages, while a relay writes to stderr, too: it takes them, lest they come within a line of its own.
static FOR_RELAY: Mutex<Option<Vec<u8>>> = Mutex::new(None);

fn for_relay() -> MutexGuard<'static, Option<Vec<u8>>> {
    FOR_RELAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on log messages are for a relay to [`take`].
pub(crate) fn leave_to_relay() {
    *for_relay() = Some(Vec::new());
}

/// Those that came since it was last asked.
pub(crate) fn take() -> Vec<u8> {
    for_relay().as_mut().map(std::mem::take).unwrap_or_default()
}

/// There is no relay any more: what it didn't take is written, if that can be without waiting; it has waited.
pub(crate) fn leave_no_more() {
    if let Some(rest) = for_relay().take() {
        let _ = write(&rest, PollTimeout::ZERO);
    }
}

/// Log messages; what finds no room is dropped.
pub(crate) struct Log;

impl Write for Log {
    fn write(&mut self, message: &[u8]) -> io::Result<usize> {
        match &mut *for_relay() {
            Some(waiting) if waiting.len() < ROOM => waiting.extend_from_slice(message),
            Some(_) => {}
            None => write(message, PollTimeout::ZERO)?,
        }
        Ok(message.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A message of panicmon's own, whole. Where stderr can't take it, there is nobody to tell.
pub(crate) fn say(message: &dyn std::fmt::Display) {
    let message = Message { level: Level::Error, tells_level: false, text: message };
    let _ = write(message.to_string().as_bytes(), PollTimeout::from(PATIENCE));
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
