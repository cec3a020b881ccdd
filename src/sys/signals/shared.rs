//! The signals of a program that belongs to others too: handlers beside theirs, by way of signal-hook.
//!
//! Each executor has a pipe of its own, into which a handler writes a record a signal; so every executor sees every
//! signal, real-time ones are queued by the thousand, with value and sender (signal-hook's own iterators keep one, or
//! five), and a signal that finds the pipe full is still noted once, as the kernel would a standard signal.
//!
//! signal-hook leaves its handlers in place for good, and so takes the default course away from signals nobody listens
//! to any more. The dispositions the program had are therefore kept here, and put back by the last to go.

use super::{Received, set_disposition};
use crate::sys::process;
use crate::sys::raw::syscall;
use crate::{Error, Pid, Signal, SignalSet};
use nix::fcntl::OFlag;
use signal_hook_registry::{SigId, register_unchecked, unregister};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a handler writes for a signal.
#[repr(C)]
#[derive(Clone, Copy)]
struct Record {
    number: i32,
    code: i32,
    pid: i32,
    uid: u32,
    value: usize,
}

/// How many records one read fetches at most.
const BATCH: usize = 128;

/// The pipe's size asked for, which holds 40,000 records; one that may not be that large holds fewer.
const PIPE_BYTES: i32 = 1 << 20;

/// Signals that no program can listen to, or not in this way: a handler on one that a fault raises returns into the
/// fault, and 32 and 33 are the C library's.
fn forbidden() -> SignalSet {
    let c_library = (32..libc::SIGRTMIN()).filter_map(Signal::new);
    [Signal::KILL, Signal::STOP, Signal::CHLD, Signal::ILL, Signal::FPE, Signal::SEGV]
        .into_iter()
        .chain(c_library)
        .collect()
}

/// The signals one executor listens to.
#[derive(Debug)]
pub(crate) struct SharedSignals {
    reader: OwnedFd,
    listener: Arc<Listener>,
    listened: Vec<(Signal, SigId)>,
    /// Whether SIGCHLD was claimed only to have it not ignored.
    keeps_chld: bool,
}

/// What the handlers of one executor use.
#[derive(Debug)]
struct Listener {
    writer: OwnedFd,
    /// The process that listens; a fork of it has the same pipe, but its signals aren't ours.
    process: Pid,
    /// Signals that found the pipe full.
    overflow: AtomicU64,
}

impl SharedSignals {
    /// Listens to these signals, or to all, and for an init to SIGCHLD too.
    pub(crate) fn listen(signals: Option<SignalSet>, init: bool) -> Result<SharedSignals, Error> {
        let listen = |source: io::Error| Error::Listen { source };
        if let Some(refused) = signals.and_then(|signals| signals.iter().find(|signal| forbidden().contains(*signal))) {
            let why = format!("{refused} can't be listened to by an executor in a program of its own");
            return Err(listen(io::Error::new(io::ErrorKind::InvalidInput, why)));
        }
        let signals = signals.unwrap_or(SignalSet::ALL.difference(forbidden()));
        let (reader, writer) =
            nix::unistd::pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).map_err(|errno| listen(errno.into()))?;
        // Without it the pipe is as large as it is.
        let _ = nix::fcntl::fcntl(&writer, nix::fcntl::FcntlArg::F_SETPIPE_SZ(PIPE_BYTES));
        let listener = Arc::new(Listener { writer, process: process::id(), overflow: AtomicU64::new(0) });
        let mut listening = SharedSignals { reader, listener, listened: Vec::new(), keeps_chld: !init };
        let mut table = table();
        let signals = if init { signals.with(Signal::CHLD) } else { signals };
        for signal in signals.iter() {
            let id = table.claim(signal, &listening.listener).map_err(listen)?;
            listening.listened.push((signal, id));
        }
        if listening.keeps_chld {
            table.keep_chld();
        }
        Ok(listening)
    }

    /// Readable when a signal came.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }

    /// What came, without waiting.
    pub(crate) fn read(&self, into: &mut Vec<Received>) -> io::Result<()> {
        loop {
            let mut records = [const { MaybeUninit::<Record>::uninit() }; BATCH];
            // SAFETY: the kernel writes into the array, at most its size.
            let read = unsafe {
                syscall(
                    libc::SYS_read,
                    [self.reader.as_raw_fd() as usize, records.as_mut_ptr() as usize, size_of_val(&records)],
                )
            };
            let bytes = match read {
                Ok(bytes) => bytes,
                Err(libc::EAGAIN) => break,
                Err(libc::EINTR) => continue,
                Err(errno) => return Err(io::Error::from_raw_os_error(errno)),
            };
            for record in &records[..bytes / size_of::<Record>()] {
                // SAFETY: handlers write whole records, atomically as they are shorter than PIPE_BUF; any bytes are one.
                let record = unsafe { record.assume_init_ref() };
                into.extend(Received::new(record.number, record.code, record.pid, record.uid, record.value));
            }
        }
        let overflow = SignalSet::from_bits(self.listener.overflow.swap(0, Ordering::AcqRel));
        into.extend(overflow.iter().filter_map(|signal| Received::new(signal.number(), libc::SI_KERNEL, 0, 0, 0)));
        Ok(())
    }
}

impl Drop for SharedSignals {
    fn drop(&mut self) {
        let mut table = table();
        for (signal, id) in self.listened.drain(..) {
            // In this order: a signal that comes now takes the program's own course.
            table.release(signal);
            unregister(id);
        }
        if self.keeps_chld {
            table.release(Signal::CHLD);
        }
    }
}

/// What the program ignores beside what its dispositions say now: signals that executors have claimed.
pub(crate) fn ignored_by_program() -> SignalSet {
    let table = table();
    let ignored = |signal: &Signal| {
        let slot = &table.slots[index(*signal)];
        slot.users > 0 && slot.program.is_some_and(|action| action.sa_sigaction == libc::SIG_IGN)
    };
    Signal::all().filter(ignored).collect()
}

/// Who uses which signal, for the whole program.
struct Table {
    slots: [Slot; 65],
}

#[derive(Clone, Copy)]
struct Slot {
    users: usize,
    /// What the program had before the first of them.
    program: Option<libc::sigaction>,
    /// What was put in its place.
    ours: Option<libc::sigaction>,
}

static TABLE: Mutex<Table> = Mutex::new(Table { slots: [Slot { users: 0, program: None, ours: None }; 65] });

/// signal-hook's action for each signal, for handlers that must put it back; never freed.
static HOOKS: [AtomicPtr<libc::sigaction>; 65] = [const { AtomicPtr::new(ptr::null_mut()) }; 65];

fn table() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn index(signal: Signal) -> usize {
    signal.number() as usize
}

impl Table {
    /// Has the listener told of the signal.
    fn claim(&mut self, signal: Signal, listener: &Arc<Listener>) -> io::Result<SigId> {
        let slot = &mut self.slots[index(signal)];
        let program = action(signal)?;
        let first = slot.users == 0;
        let caught = if first { is_caught(&program) } else { slot.program.as_ref().is_some_and(is_caught) };
        let listener = Arc::clone(listener);
        // SAFETY: the closure is async-signal-safe: it makes raw system calls and touches atomics. The listener isn't
        // dropped in a handler, since signal-hook keeps the closure while one runs and drops it in `unregister`.
        let id = unsafe { register_unchecked(signal.number(), move |info| listener.tell(signal, info, caught)) }?;
        if first {
            slot.program = Some(program);
            let hook = HOOKS[index(signal)].load(Ordering::Acquire);
            if hook.is_null() {
                let installed = action(signal)?;
                HOOKS[index(signal)].store(Box::into_raw(Box::new(installed)), Ordering::Release);
                slot.ours = Some(installed);
            } else {
                // signal-hook thinks its handler is in place since the first time.
                // SAFETY: a pointer there is never freed.
                let hook = unsafe { *hook };
                set_action(signal, &hook)?;
                slot.ours = Some(hook);
            }
        }
        slot.users += 1;
        Ok(id)
    }

    /// Keeps SIGCHLD from being ignored, when the kernel would reap all children by itself.
    fn keep_chld(&mut self) {
        let slot = &mut self.slots[index(Signal::CHLD)];
        if slot.users == 0
            && let Ok(program) = action(Signal::CHLD)
        {
            slot.program = Some(program);
            slot.ours = None;
            let reaped_by_kernel = program.sa_sigaction == libc::SIG_IGN || program.sa_flags & libc::SA_NOCLDWAIT != 0;
            if reaped_by_kernel {
                let mut kept = program;
                kept.sa_flags &= !libc::SA_NOCLDWAIT;
                if kept.sa_sigaction == libc::SIG_IGN {
                    kept.sa_sigaction = libc::SIG_DFL;
                }
                slot.ours = set_action(Signal::CHLD, &kept).is_ok().then_some(kept);
            }
        }
        slot.users += 1;
    }

    /// Gives the signal back to the program once nobody uses it.
    fn release(&mut self, signal: Signal) {
        let slot = &mut self.slots[index(signal)];
        slot.users -= 1;
        if slot.users > 0 {
            return;
        }
        let (program, ours) = (slot.program.take(), slot.ours.take());
        // Where the program has put something else there meanwhile, that stays.
        if let (Some(program), Some(ours), Ok(now)) = (program, ours, action(signal))
            && now.sa_sigaction == ours.sa_sigaction
        {
            let _ = set_action(signal, &program);
        }
    }
}

impl Listener {
    /// In a handler: notes the signal. Only raw system calls and atomics.
    fn tell(&self, signal: Signal, info: &libc::siginfo_t, caught: bool) {
        if process::id() != self.process {
            return;
        }
        if matches!(signal, Signal::BUS | Signal::TRAP | Signal::SYS) {
            if info.si_code > 0 {
                // A fault of this program's own. Its handler, if it had one, has been called by now.
                if !caught {
                    die(signal);
                }
                return;
            }
            // The handler Rust programs start with, on SIGBUS, puts the default back for what it takes for a fault.
            put_back(signal);
        }
        // SAFETY: pid, uid and value lie at the same place for every code that has them; where they mean something else,
        // they are plain numbers all the same.
        let (pid, uid, value) = unsafe { (info.si_pid(), info.si_uid(), info.si_value().sival_ptr as usize) };
        let record = Record { number: info.si_signo, code: info.si_code, pid, uid, value };
        // SAFETY: writes the bytes of a record without padding; the descriptor is open as long as the listener lives.
        let written = unsafe {
            syscall(
                libc::SYS_write,
                [self.writer.as_raw_fd() as usize, (&raw const record) as usize, size_of::<Record>()],
            )
        };
        if written.is_err() {
            self.overflow.fetch_or(SignalSet::EMPTY.with(signal).bits(), Ordering::AcqRel);
        }
    }
}

/// In a handler: ends this program by the signal, as it would have ended without a handler.
fn die(signal: Signal) {
    set_disposition(signal, false);
    // SAFETY: sends the signal to this thread, which gets it when the handler returns.
    let _ = unsafe {
        let thread = syscall(libc::SYS_gettid, []).unwrap_or(0);
        syscall(libc::SYS_tgkill, [process::id().as_raw() as usize, thread, signal.number() as usize])
    };
}

/// In a handler: installs signal-hook's handler again.
fn put_back(signal: Signal) {
    let hook = HOOKS[index(signal)].load(Ordering::Acquire);
    if !hook.is_null() {
        // SAFETY: a pointer there is never freed.
        let _ = set_action(signal, unsafe { &*hook });
    }
}

fn is_caught(action: &libc::sigaction) -> bool {
    !matches!(action.sa_sigaction, libc::SIG_DFL | libc::SIG_IGN)
}

fn action(signal: Signal) -> io::Result<libc::sigaction> {
    let mut action = MaybeUninit::zeroed();
    // SAFETY: writes a sigaction; all zeroes are one, too.
    let result = unsafe { libc::sigaction(signal.number(), ptr::null(), action.as_mut_ptr()) };
    // SAFETY: see above.
    if result == 0 { Ok(unsafe { action.assume_init() }) } else { Err(io::Error::last_os_error()) }
}

fn set_action(signal: Signal, action: &libc::sigaction) -> io::Result<()> {
    // SAFETY: every action that is set here was read from the kernel, or is one of those with SIG_DFL for its handler.
    let result = unsafe { libc::sigaction(signal.number(), action, ptr::null_mut()) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
