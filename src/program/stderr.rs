//! Messages on stderr, which hold nobody up.
//!
//! Whoever reads stderr may be slow, or hang; a write would then wait, and with it every signal and the exit status.

use super::journal::Message;
use crate::sys::poll;
use crate::sys::poll::Awaited;
use log::Level;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What a pipe takes at once, when poll(2) says that it takes anything.
const PIPE_BUF: usize = libc::PIPE_BUF;

/// The last words of a run, which nothing waits for but the exit status, may take this long for each piece.
const LONGEST_WAIT_FOR_A_PIECE: Duration = Duration::from_secs(1);

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
        let _ = write(&rest, Duration::ZERO);
    }
}

/// Log messages; what finds no room is dropped.
pub(crate) struct Log;

impl Write for Log {
    fn write(&mut self, message: &[u8]) -> io::Result<usize> {
        match &mut *for_relay() {
            Some(waiting) if waiting.len() < ROOM => waiting.extend_from_slice(message),
            Some(_) => {}
            None => write(message, Duration::ZERO)?,
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
    let _ = write(message.to_string().as_bytes(), LONGEST_WAIT_FOR_A_PIECE);
}

fn write(message: &[u8], longest_wait: Duration) -> io::Result<()> {
    let stderr = io::stderr();
    for piece in message.chunks(PIPE_BUF) {
        let deadline = Instant::now() + longest_wait;
        if !poll::is_any_ready([Awaited::Write(stderr.as_fd())], Some(deadline))? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        stderr.lock().write_all(piece)?;
    }
    Ok(())
}
