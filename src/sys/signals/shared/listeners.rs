//! The executors' queues, as handlers see them.
//!
//! A queue is a pipe, since a handler can write to one. A standard signal that finds the pipe full is noted once, as the
//! kernel does; and so is a real-time signal.

use super::cause::{Cause, Info};
use super::fork;
use crate::model::signal::{Signal, SignalSet};
use crate::sys::raw::syscall;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// What is written into the queue for a signal.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Record {
    /// 0: this record says only that there is something in [`Listener::overflow`].
    pub(super) number: i32,
    pub(super) code: i32,
    pub(super) pid: i32,
    pub(super) uid: u32,
    pub(super) value: usize,
}

/// What an executor listens to.
pub(super) struct Wanted {
    pub(super) signals: SignalSet,
    /// Whether the executor stops this program itself when the terminal sends SIGTSTP.
    pub(super) job_control: bool,
}

/// The executors whose signals come from the same handler.
pub(super) struct Listeners {
    first: AtomicPtr<Listener>,
    /// Held while one is added.
    adding: Mutex<()>,
}

/// Those that are told by our own handler.
pub(super) static BY_HANDLER: Listeners = Listeners::new();

/// Those that are told by an action in signal-hook's registry.
#[cfg(feature = "signal-hook")]
pub(super) static BY_REGISTRY: Listeners = Listeners::new();

/// One executor. Never freed, but used again for a later one.
#[derive(Debug)]
pub(super) struct Listener {
    /// What it listens to. 0: it is unused.
    signals: AtomicU64,
    /// The end of the pipe that is written to.
    queue: AtomicI32,
    /// The process that listens. A fork of it has the same pipe, but a signal that is sent to the fork isn't for the pipe.
    process: AtomicU64,
    job_control: AtomicBool,
    /// Signals that found the pipe full.
    overflow: AtomicU64,
    /// How many handlers are looking at this now.
    visitors: AtomicUsize,
    next: Option<&'static Listener>,
}

impl Listeners {
    const fn new() -> Listeners {
        Listeners { first: AtomicPtr::new(ptr::null_mut()), adding: Mutex::new(()) }
    }

    /// From now on signals are written into this queue, which stays open until [`Listener::stop`] returns.
    pub(super) fn add(&self, queue: BorrowedFd<'_>, wanted: &Wanted) -> &'static Listener {
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let process = fork::mark_this_process();
        let unused = self.iter().find(|listener| listener.signals.load(Ordering::SeqCst) == 0);
        let listener = unused.unwrap_or_else(|| {
            let listener = Box::leak(Box::new(Listener::unused(self.iter().next())));
            self.first.store(listener, Ordering::SeqCst);
            listener
        });
        // In a fork, those that are counted may be handlers that were at work in the parent.
        if listener.process.load(Ordering::SeqCst) != process {
            listener.visitors.store(0, Ordering::SeqCst);
        }
        listener.queue.store(queue.as_raw_fd(), Ordering::SeqCst);
        listener.process.store(process, Ordering::SeqCst);
        listener.job_control.store(wanted.job_control, Ordering::SeqCst);
        listener.overflow.store(0, Ordering::SeqCst);
        listener.signals.store(wanted.signals.bits(), Ordering::SeqCst);
        listener
    }

    fn iter(&self) -> impl Iterator<Item = &'static Listener> {
        // SAFETY: null, or a listener, which is never freed.
        let first = unsafe { self.first.load(Ordering::SeqCst).as_ref() };
        std::iter::successors(first, |listener| listener.next)
    }

    fn of_this_process(&self) -> impl Iterator<Item = &'static Listener> {
        let this = fork::this_process();
        self.iter().filter(move |listener| listener.process.load(Ordering::SeqCst) == this)
    }

    /// In a handler: tells those that listen to the signal, and says whether there are any. What is of this program isn't
    /// told.
    pub(super) fn tell(&self, signal: Signal, cause: &Cause) -> bool {
        let Info { code, pid, uid, value } = cause.info.unwrap_or(Info::UNKNOWN);
        let record = Record { number: signal.number(), code, pid, uid, value };
        let record = (!cause.is_of_this_program(signal)).then_some(&record);
        let mut any = false;
        for listener in self.of_this_process() {
            any |= listener.tell(signal, record);
        }
        any
    }

    fn has_job_control(&self) -> bool {
        self.of_this_process()
            .any(|listener| listener.signals.load(Ordering::SeqCst) != 0 && listener.job_control.load(Ordering::SeqCst))
    }
}

/// Whether there is an executor that stops this program itself when the terminal sends SIGTSTP.
pub(super) fn is_job_control_under_way() -> bool {
    #[cfg(feature = "signal-hook")]
    if BY_REGISTRY.has_job_control() {
        return true;
    }
    BY_HANDLER.has_job_control()
}

impl Listener {
    fn unused(next: Option<&'static Listener>) -> Listener {
        Listener {
            signals: AtomicU64::new(0),
            queue: AtomicI32::new(-1),
            process: AtomicU64::new(0),
            job_control: AtomicBool::new(false),
            overflow: AtomicU64::new(0),
            visitors: AtomicUsize::new(0),
            next,
        }
    }

    /// When this returns, no handler uses the queue any more: the number of its descriptor may soon be another's.
    pub(super) fn stop(&self) {
        self.signals.store(0, Ordering::SeqCst);
        // In a fork that has inherited this, no handler looks at it.
        let this = fork::this_process();
        while self.process.load(Ordering::SeqCst) == this && self.visitors.load(Ordering::SeqCst) != 0 {
            std::thread::yield_now();
        }
    }

    /// The signals that found the pipe full since this was last called.
    pub(super) fn take_overflow(&self) -> SignalSet {
        SignalSet::from_bits(self.overflow.swap(0, Ordering::AcqRel))
    }

    /// In a handler: writes the record if the signal is listened to, and says whether it is.
    fn tell(&self, signal: Signal, record: Option<&Record>) -> bool {
        let bit = SignalSet::EMPTY.with(signal).bits();
        // In this order: `stop` takes the signals away first, and then waits for visitors.
        self.visitors.fetch_add(1, Ordering::SeqCst);
        let listens = self.signals.load(Ordering::SeqCst) & bit != 0;
        if let Some(record) = record
            && listens
            && self.write(record).is_err()
        {
            self.overflow.fetch_or(bit, Ordering::SeqCst);
            // The reader may have emptied the pipe and looked at `overflow` in between: this wakes it.
            let _ = self.write(&Record { number: 0, ..*record });
        }
        self.visitors.fetch_sub(1, Ordering::SeqCst);
        listens
    }

    fn write(&self, record: &Record) -> Result<usize, i32> {
        // SAFETY: writes the bytes of a record, which has no padding; the pipe is open until `stop` returns.
        unsafe {
            syscall(
                libc::SYS_write,
                [self.queue.load(Ordering::SeqCst) as usize, ptr::from_ref(record) as usize, size_of::<Record>()],
            )
        }
    }
}
