//! Children of this process that have nothing to do with the command: the keepers of [`notify`](super::notify).
//!
//! A keeper sends no SIGCHLD, so no wait for any child finds it; but /proc shows it, where `descendants` leaves it out.

use crate::model::pid::Pid;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Those that haven't been waited for.
static KEEPERS: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

fn keepers() -> MutexGuard<'static, Vec<Pid>> {
    KEEPERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether that child is one.
pub(super) fn is_keeper(pid: Pid) -> bool {
    keepers().contains(&pid)
}

/// Starts one. It is known as one before anybody can ask [`is_keeper`] about it.
///
/// `start` runs with a lock held, which a fork of this process has held for ever: the new process mustn't return from it.
pub(super) fn start<E>(start: impl FnOnce() -> Result<Pid, E>) -> Result<Pid, E> {
    let mut keepers = keepers();
    keepers.reserve(1);
    let pid = start()?;
    keepers.push(pid);
    Ok(pid)
}

/// One has been waited for.
pub(super) fn ended(pid: Pid) {
    keepers().retain(|keeper| *keeper != pid);
}
