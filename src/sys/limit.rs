//! Limits that this process has changed for itself: its children get what was inherited (getrlimit(2)).

use super::raw::{Errno, syscall};
use super::signals::process::BATCH;
use std::io;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

/// The kernel's `struct rlimit64`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limit {
    soft: u64,
    hard: u64,
}

/// What was inherited, of the limits that aren't as they were.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Changed {
    files: Option<Limit>,
    signals: Option<Limit>,
}

/// The number of places in the queue of pending signals that are kept free for the child.
const RESERVED_SIGNALS: u64 = BATCH as u64;

impl Changed {
    /// Lets this process have this many descriptors open. If the hard limit is lower, the limit is raised to that, and the
    /// answer is an error.
    pub(crate) fn raise_files(&mut self, needed: u64) -> io::Result<()> {
        let inherited = get(FILES)?;
        if inherited.soft < needed {
            set(FILES, Limit { soft: needed.min(inherited.hard), ..inherited })?;
            self.files.get_or_insert(inherited);
        }
        if inherited.hard < needed {
            return Err(io::Error::other(format!("the hard limit of open files is {}", inherited.hard)));
        }
        Ok(())
    }

    /// Keeps room for the child in the queue of pending signals (RLIMIT_SIGPENDING), which it shares with this process.
    ///
    /// The limit is that of the receiver, the count is one for all processes of the user. So with a lower limit of our
    /// own, senders to us are refused (EAGAIN, as they'd be without a wrapper) while what we pass on still finds room:
    /// else a busy sender could fill each place the moment we free it, and we'd wait for room for ever.
    pub(crate) fn reserve_signals(&mut self) -> io::Result<()> {
        if self.signals.is_some() {
            return Ok(());
        }
        let inherited = get(SIGNALS)?;
        let lowered = inherited.soft.saturating_sub(RESERVED_SIGNALS).max(inherited.soft / 2);
        set(SIGNALS, Limit { soft: lowered, ..inherited })?;
        self.signals = Some(inherited);
        Ok(())
    }

    /// Gives this process, a child before its exec, what was inherited. Async-signal-safe.
    pub(super) fn restore(&self) {
        for (resource, limit) in [(FILES, self.files), (SIGNALS, self.signals), (STACK, inherited_stack())] {
            if let Some(limit) = limit {
                // It was allowed before; and one that can't be set is no reason not to run.
                let _ = prlimit(resource, &raw const limit, ptr::null_mut());
            }
        }
    }
}

/// The soft limit of the stack that was inherited, or [`UNCHANGED`].
static INHERITED_STACK: AtomicU64 = AtomicU64::new(UNCHANGED);
/// A process has the limit that it inherited. No limit is this number: it isn't a whole page, nor RLIM_INFINITY.
const UNCHANGED: u64 = u64::MAX - 1;

/// Sees that the stack may have this many bytes, of which these are used. An error says what the hard limit is.
pub(crate) fn ensure_stack(used: u64, needed: u64) -> io::Result<()> {
    let Ok(limit) = get(STACK) else { return Ok(()) };
    if limit.soft.saturating_sub(used) >= needed {
        return Ok(());
    }
    raise_stack(limit, used.saturating_add(needed))
}

#[cold]
fn raise_stack(inherited: Limit, needed: u64) -> io::Result<()> {
    if inherited.hard < needed {
        let (hard, needed) = (inherited.hard / 1024, needed.div_ceil(1024));
        return Err(io::Error::other(format!("the hard limit of the stack is {hard} KiB; {needed} are needed")));
    }
    set(STACK, Limit { soft: needed, ..inherited })?;
    INHERITED_STACK.store(inherited.soft, Ordering::SeqCst);
    Ok(())
}

fn inherited_stack() -> Option<Limit> {
    match INHERITED_STACK.load(Ordering::SeqCst) {
        UNCHANGED => None,
        soft => get(STACK).ok().map(|now| Limit { soft, ..now }),
    }
}

/// Lets this process have as many descriptors open as it may, for good. Async-signal-safe.
pub(super) fn raise_own_files() {
    if let Ok(limit) = get(FILES) {
        let _ = set(FILES, Limit { soft: limit.hard, ..limit });
    }
}

/// How many descriptors this process may ever have open, unless it gains a capability.
#[cold]
pub(super) fn most_files() -> io::Result<u64> {
    get(FILES).map(|limit| limit.hard)
}

/// How many signals can be pending for this process's user.
pub(crate) fn pending_signals() -> io::Result<u64> {
    get(SIGNALS).map(|limit| limit.soft)
}

/// How large a core may be.
pub(crate) fn core() -> io::Result<u64> {
    get(libc::RLIMIT_CORE as Resource).map(|limit| limit.soft)
}

/// Which limit: RLIMIT_… as the kernel counts, though the C libraries' types differ.
type Resource = usize;

const FILES: Resource = libc::RLIMIT_NOFILE as Resource;
const STACK: Resource = libc::RLIMIT_STACK as Resource;
const SIGNALS: Resource = libc::RLIMIT_SIGPENDING as Resource;

fn get(resource: Resource) -> io::Result<Limit> {
    let mut limit = Limit { soft: 0, hard: 0 };
    prlimit(resource, ptr::null(), &raw mut limit).map_err(io::Error::from_raw_os_error)?;
    Ok(limit)
}

fn set(resource: Resource, limit: Limit) -> io::Result<()> {
    prlimit(resource, &raw const limit, ptr::null_mut()).map_err(io::Error::from_raw_os_error)
}

/// prlimit(2) of this process: sets and tells, each if it isn't null.
fn prlimit(resource: Resource, new: *const Limit, old: *mut Limit) -> Result<(), Errno> {
    // SAFETY: each pointer is null, or points to a struct rlimit64 of the caller's, which the kernel reads or writes.
    unsafe { syscall(libc::SYS_prlimit64, [0, resource, new as usize, old as usize]) }.map(drop)
}
