//! Messages on stderr, written without waiting for its reader.
//!
//! A reader may be slow, or hang: a write that waits for it would hold up every signal and the exit status.

use super::failure;
use super::journal::Message;
use crate::model::printable::OneLine;
use crate::sys::output::Output;
use crate::sys::poll::Awaited;
use crate::sys::{last_kill, output, poll, process};
use log::Level;
use std::fmt::Display;
use std::io;
use std::os::fd::AsFd;
use std::panic;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many bytes a pipe takes as a whole: pipe(7).
const PIPE_BUF: usize = libc::PIPE_BUF;

/// How long an error message waits for room, for each piece of it: only the exit status comes after it.
const PIECE_TIMEOUT: Duration = Duration::from_secs(1);

/// How many bytes of log messages wait for a relay; further ones are dropped.
const MAX_WAITING_BYTES: usize = 64 * 1024;

/// Log messages while a relay writes to stderr. The relay takes them, so that they don't come within a line of its own.
static FOR_RELAY: Mutex<Option<Vec<u8>>> = Mutex::new(None);

fn for_relay() -> MutexGuard<'static, Option<Vec<u8>>> {
    FOR_RELAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From here on log messages wait for a relay to [`take`] them.
pub(crate) fn leave_to_relay() {
    *for_relay() = Some(Vec::new());
}

/// Takes the log messages that wait for the relay.
pub(crate) fn take() -> Vec<u8> {
    for_relay().as_mut().map(std::mem::take).unwrap_or_default()
}

/// Adds a line to those that wait for the relay, if there is room for the first byte of it; and says whether there was.
pub(crate) fn add_line(line: &[u8]) -> bool {
    match &mut *for_relay() {
        Some(waiting) if waiting.len() < MAX_WAITING_BYTES => {
            waiting.extend_from_slice(line);
            waiting.push(b'\n');
            true
        }
        Some(_) => false,
        None => write(&[line, b"\n"].concat(), Duration::ZERO).is_ok(),
    }
}

/// The relay has ended: writes the log messages it didn't take, as far as stderr has room.
pub(crate) fn relay_has_ended() {
    if let Some(rest) = for_relay().take() {
        let _ = write(&rest, Duration::ZERO);
    }
}

/// Writes a log message; one that finds no room is dropped.
pub(crate) fn log(message: &[u8]) {
    match &mut *for_relay() {
        Some(waiting) if waiting.len() < MAX_WAITING_BYTES => waiting.extend_from_slice(message),
        Some(_) => {}
        None => drop(write(message, Duration::ZERO)),
    }
}

/// Writes an error message on one line. If stderr takes it neither now nor soon, it is lost.
pub(crate) fn say(message: &dyn Display) {
    say_text(&OneLine(message));
}

/// The same for one that has several lines.
pub(crate) fn say_lines(message: &str) {
    let lines: Vec<_> = message.split('\n').map(|line| OneLine(&line).to_string()).collect();
    say_text(&lines.join("\n"));
}

/// The same for a text that is written as it is.
#[cold]
pub(crate) fn say_as_it_is(text: &str) {
    let _ = write(text.as_bytes(), PIECE_TIMEOUT);
}

fn say_text(message: &dyn Display) {
    let message = Message { level: Level::Error, shows_level: false, text: message };
    let _ = write(message.to_string().as_bytes(), PIECE_TIMEOUT);
}

/// There is no memory: says so and ends this process. The kernel kills its children: they have a parent-death signal.
/// With `--drain`, this process kills what descends from it.
#[cold]
pub fn no_memory() -> ! {
    const MESSAGE: &str = "panicmon: out of memory: a limit (ulimit -v, ulimit -d) or the machine has no more; what was \
                           started is killed\n";
    output::write_now(io::stderr().as_fd(), MESSAGE.as_bytes());
    last_kill::kill_if_wanted();
    process::exit_now(failure::status())
}

/// A panic is told in a sentence, and ends this process with the status of a failure of its own: the end by SIGABRT would look
/// like the command's. The readers of YAML and of regular expressions panic where they get no random numbers, as the standard
/// library does for a `HashMap`.
pub(crate) fn tell_panics() {
    panic::set_hook(Box::new(|panicked| {
        let payload = panicked.payload();
        let why = payload.downcast_ref::<String>().map(String::as_str);
        let why = why.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no reason was given");
        match panicked.location() {
            Some(place) => say(&format_args!("internal error: {why} ({place}); what was started is killed")),
            None => say(&format_args!("internal error: {why}; what was started is killed")),
        }
        last_kill::kill_if_wanted();
        process::exit_now(failure::status())
    }));
}

/// A pipe takes a piece as a whole, or not at all.
fn write(message: &[u8], longest_wait: Duration) -> io::Result<()> {
    let mut stderr = Output::stderr();
    for mut piece in message.chunks(PIPE_BUF) {
        let deadline = Instant::now() + longest_wait;
        while !piece.is_empty() {
            match stderr.write(piece) {
                Ok(written) => piece = &piece[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let is_ready = poll::is_any_ready([Awaited::Write(stderr.as_fd())], Some(deadline))?;
                    if !is_ready || Instant::now() >= deadline {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}
