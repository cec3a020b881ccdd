//! The signals of a program that belongs to others too: a handler beside theirs.
//!
//! Each executor has a pipe, into which the handler writes a record a signal; so every executor sees every signal, and
//! real-time ones are queued by the ten thousand, with value and sender. A signal that finds the pipe full is still
//! noted once, as the kernel does with standard signals.
//!
//! What the program had in place before is called first, if it was a handler, and is put back by the last executor to
//! go, unless the program has put something else there meanwhile: [`claims`](crate::sys::signals::claims). Libraries that share
//! handlers, signal-hook among them, can't do that: they believe theirs in place for good.

use crate::model::error::Error;
use crate::model::origin::Received;
use crate::model::signal::{Signal, SignalSet};
use crate::sys::fd;
use crate::sys::process;
use crate::sys::raw::syscall;
use crate::sys::signals::claims::{Claim, Table, table};
use crate::sys::signals::layer::{Layer, Visit, action, swap};
use crate::sys::signals::set_disposition;
use crate::sys::wait;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use std::ffi::{c_int, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU64, AtomicUsize, Ordering};

/// What the handler writes for a signal.
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
    /// Kept open for the handler, which has its number.
    _writer: OwnedFd,
    listener: &'static Listener,
    claimed: Vec<Signal>,
    job_control: bool,
}

impl SharedSignals {
    /// Listens to these signals, or to all; and to SIGCHLD too, for an init and for job control.
    pub(crate) fn listen(signals: Option<SignalSet>, init: bool, job_control: bool) -> Result<SharedSignals, Error> {
        let listen = |source: io::Error| Error::Listen { source };
        if let Some(refused) = signals.and_then(|signals| signals.iter().find(|signal| forbidden().contains(*signal))) {
            let why = format!("{refused} is none that a library can listen to");
            return Err(listen(io::Error::new(io::ErrorKind::InvalidInput, why)));
        }
        let signals = signals.unwrap_or(SignalSet::ALL.difference(forbidden()));
        let to_children = init || job_control;
        let signals = if to_children { signals.with(Signal::CHLD) } else { signals };
        let (reader, writer) =
            nix::unistd::pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).map_err(|errno| listen(errno.into()))?;
        let reader = fd::above_stdio(reader).map_err(listen)?;
        let writer = fd::above_stdio(writer).map_err(listen)?;
        // Without it the pipe is as large as it is.
        let _ = fcntl(&writer, FcntlArg::F_SETPIPE_SZ(PIPE_BYTES));

        let mut table = table();
        let listener = Listener::start(&table, &writer, signals);
        let mut listening = SharedSignals { reader, _writer: writer, listener, claimed: Vec::new(), job_control };
        JOB_CONTROL.fetch_add(usize::from(job_control), Ordering::SeqCst);
        let mut result = Ok(());
        for signal in signals.iter() {
            result = result.and_then(|()| table.claim(signal, Claim::Listen));
            if result.is_ok() {
                listening.claimed.push(signal);
            }
        }
        if !to_children {
            result = result.and_then(|()| table.claim(Signal::CHLD, Claim::Keep));
            if result.is_ok() {
                listening.claimed.push(Signal::CHLD);
            }
        }
        // The drop of a listening that failed gives back what it has; it needs the table.
        drop(table);
        result.map(|()| listening).map_err(listen)
    }

    /// Readable when a signal came.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }

    /// What came, without waiting.
    pub(crate) fn read(&self, into: &mut Vec<Received>) -> io::Result<()> {
        while into.len() < BATCH {
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
                // SAFETY: the handler writes whole records, atomically as they are shorter than PIPE_BUF; any bytes are one.
                let record = unsafe { record.assume_init_ref() };
                into.extend(Received::new(record.number, record.code, record.pid, record.uid, record.value));
            }
        }
        // Who sent those isn't known any more: as if from outside.
        let overflow = SignalSet::from_bits(self.listener.overflow.swap(0, Ordering::AcqRel));
        into.extend(overflow.iter().filter_map(|signal| Received::new(signal.number(), libc::SI_USER, 0, 0, 0)));
        Ok(())
    }
}

impl Drop for SharedSignals {
    fn drop(&mut self) {
        let mut table = table();
        // Dispositions first: a signal that comes now takes the program's own course.
        for signal in self.claimed.drain(..) {
            table.release(signal);
        }
        self.listener.stop();
        JOB_CONTROL.fetch_sub(usize::from(self.job_control), Ordering::SeqCst);
    }
}

/// How many listeners stop the program themselves when the terminal stops it.
static JOB_CONTROL: AtomicUsize = AtomicUsize::new(0);

/// An executor that listens, as the handler sees it. Never freed, but used again by a later one.
#[derive(Debug)]
struct Listener {
    /// What it listens to; none: it is free.
    signals: AtomicU64,
    writer: AtomicI32,
    /// The process that listens; a fork of it has the same pipe, but its signals aren't ours.
    process: AtomicI32,
    /// Signals that found the pipe full.
    overflow: AtomicU64,
    /// How many handlers look at this now.
    visitors: AtomicUsize,
    next: Option<&'static Listener>,
}

/// The first of all listeners.
static LISTENERS: AtomicPtr<Listener> = AtomicPtr::new(ptr::null_mut());

fn listeners() -> impl Iterator<Item = &'static Listener> {
    // SAFETY: null, or a listener that is never freed.
    let first = unsafe { LISTENERS.load(Ordering::SeqCst).as_ref() };
    std::iter::successors(first, |listener| listener.next)
}

impl Listener {
    /// The table's lock keeps two from taking the same.
    fn start(_table: &Table, writer: &OwnedFd, signals: SignalSet) -> &'static Listener {
        let free = listeners().find(|listener| listener.signals.load(Ordering::SeqCst) == 0);
        let listener = free.unwrap_or_else(|| {
            let listener = Box::leak(Box::new(Listener {
                signals: AtomicU64::new(0),
                writer: AtomicI32::new(-1),
                process: AtomicI32::new(0),
                overflow: AtomicU64::new(0),
                visitors: AtomicUsize::new(0),
                next: listeners().next(),
            }));
            LISTENERS.store(listener, Ordering::SeqCst);
            listener
        });
        // In a fork these may be of handlers that were at work in the parent.
        if listener.process.load(Ordering::SeqCst) != process::id().as_raw() {
            listener.visitors.store(0, Ordering::SeqCst);
        }
        listener.writer.store(writer.as_raw_fd(), Ordering::SeqCst);
        listener.process.store(process::id().as_raw(), Ordering::SeqCst);
        listener.overflow.store(0, Ordering::SeqCst);
        listener.signals.store(signals.bits(), Ordering::SeqCst);
        listener
    }

    /// When this returns no handler has the pipe in its hands: its number may be somebody else's soon.
    fn stop(&self) {
        self.signals.store(0, Ordering::SeqCst);
        // In a fork that inherited this, no handler looks at it.
        let own = process::id().as_raw();
        while self.process.load(Ordering::SeqCst) == own && self.visitors.load(Ordering::SeqCst) != 0 {
            std::thread::yield_now();
        }
    }

    /// In the handler: notes the signal, if it is for this one.
    fn tell(&self, bit: u64, record: &Record) -> bool {
        // In this order: `stop` takes the signals away first, and then waits for visitors.
        self.visitors.fetch_add(1, Ordering::SeqCst);
        let listens = self.signals.load(Ordering::SeqCst) & bit != 0;
        if listens && self.write(record).is_err() {
            self.overflow.fetch_or(bit, Ordering::SeqCst);
            // The reader may have emptied the pipe, and looked at `overflow`, in between: a record of no signal wakes it.
            let _ = self.write(&Record { number: 0, ..*record });
        }
        self.visitors.fetch_sub(1, Ordering::SeqCst);
        listens
    }

    fn write(&self, record: &Record) -> Result<usize, i32> {
        // SAFETY: writes the bytes of a record without padding; the pipe is open until `stop` returns.
        unsafe {
            syscall(
                libc::SYS_write,
                [self.writer.load(Ordering::SeqCst) as usize, ptr::from_ref(record) as usize, size_of::<Record>()],
            )
        }
    }
}

/// What the handler of a layer does: [`layer`](crate::sys::signals::layer). Only raw system calls and atomics; `errno` stays as it is.
pub(super) fn on_signal(layer: Layer, number: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let Some(signal) = Signal::new(number) else { return };
    match layer.visit(info) {
        Visit::First => {}
        // A handler of the program that lies over an older layer has called that: what is beneath it is next.
        Visit::Further => {
            if !is_nothing_to_program(layer, signal, info) {
                layer.call_program(signal, info, context);
            }
            return;
        }
        Visit::Again => return,
    }
    let fault = matches!(signal, Signal::BUS | Signal::TRAP | Signal::SYS);
    let in_place = if fault { action(signal).ok() } else { None };
    let caught = !is_nothing_to_program(layer, signal, info) && layer.call_program(signal, info, context);
    // SAFETY: with SA_SIGINFO the kernel passes a siginfo_t. Pid, uid and value lie at the same place for every code that
    // has them; where they mean something else, they are plain numbers all the same.
    let (code, pid, uid, value) = unsafe {
        let info = &*info;
        (info.si_code, info.si_pid(), info.si_uid(), info.si_value().sival_ptr as usize)
    };
    if fault {
        if code > 0 {
            // A fault of this program's own. Its handler, if it has one, has been called by now.
            if !caught {
                die(signal);
            }
            return;
        }
        if let Some(in_place) = in_place {
            undo_reset(signal, &in_place);
        }
    }
    let bit = SignalSet::EMPTY.with(signal).bits();
    let own = process::id().as_raw();
    let record = Record { number, code, pid, uid, value };
    let mut told = false;
    for listener in listeners() {
        if listener.process.load(Ordering::SeqCst) == own {
            told |= listener.tell(bit, &record);
        }
    }
    // The terminal stops the whole process group, the child in it, and whoever uses the terminal from the background:
    // going on would be to do so again, for ever. With a job control of its own an executor stops the program itself.
    if told
        && code > 0
        && default_stops(layer, signal)
        && !(signal == Signal::TSTP && JOB_CONTROL.load(Ordering::SeqCst) > 0)
    {
        raise(Signal::STOP);
    }
    // Nobody listens: a fork, or an executor that just went. Where the program's own handler called us, it is its affair.
    if !told
        && layer.is_over_default(signal)
        && action(signal).is_ok_and(|now| Layer::of(&now).is_some() || now.sa_sigaction == libc::SIG_DFL)
    {
        default_course(signal);
    }
}

/// The handler Rust programs start with, on SIGBUS, sets the default for what it takes for a fault: what was in place
/// before is put back, unless somebody has put something else there.
fn undo_reset(signal: Signal, in_place: &libc::sigaction) {
    let is_default = |action: &libc::sigaction| action.sa_sigaction == libc::SIG_DFL;
    if is_default(in_place) || !action(signal).is_ok_and(|now| is_default(&now)) {
        return;
    }
    if let Ok(before) = swap(signal, in_place)
        && !is_default(&before)
    {
        let _ = swap(signal, &before);
    }
}

/// Whether the program lets this signal stop it.
fn default_stops(layer: Layer, signal: Signal) -> bool {
    matches!(signal, Signal::TSTP | Signal::TTIN | Signal::TTOU) && layer.is_over_default(signal)
}

/// Whether the program has asked not to hear of this: a child that stops or goes on. Where one has ended as well, the two
/// signals may have come as one.
fn is_nothing_to_program(layer: Layer, signal: Signal, info: *const libc::siginfo_t) -> bool {
    // SAFETY: with SA_SIGINFO the kernel passes a siginfo_t.
    let code = unsafe { (*info).si_code };
    signal == Signal::CHLD
        && matches!(code, libc::CLD_STOPPED | libc::CLD_TRAPPED | libc::CLD_CONTINUED)
        && layer.program_hears_ends_only()
        && !wait::has_any_ended()
}

/// In a fork of the program, which nobody listens for: what would have happened without a handler.
fn default_course(signal: Signal) {
    match signal {
        Signal::CHLD | Signal::CONT | Signal::URG | Signal::WINCH => {}
        Signal::TSTP | Signal::TTIN | Signal::TTOU => raise(Signal::STOP),
        signal => die(signal),
    }
}

/// Ends this program by the signal, which it gets when the handler returns.
fn die(signal: Signal) {
    set_disposition(signal, false);
    raise(signal);
}

fn raise(signal: Signal) {
    // SAFETY: sends a signal to this thread.
    let _ = unsafe {
        let thread = syscall(libc::SYS_gettid, []).unwrap_or(0);
        syscall(libc::SYS_tgkill, [process::id().as_raw() as usize, thread, signal.number() as usize])
    };
}
