//! One signal on its way through the handlers of the program.
//!
//! Each layer of ours that lies in the chain of handlers is called for it, but only the first may tell the executors. So
//! the layers leave a mark in the siginfo_t that the handlers pass on.
//!
//! A handler that signal(2) has installed gets the signal's number and nothing else, and calls what it found in the same
//! way: then our argument `info` is what a register happened to hold. Such a pointer isn't followed. The layer that is
//! the first to be called without a siginfo_t makes up one. And while a layer has called a handler with the number only,
//! there is a [`Call`] from which the layers below learn that they aren't the first.

use super::cause::{Cause, Info};
use super::layer::Layer;
use crate::model::signal::Signal;
use crate::sys::raw::syscall;
use crate::sys::signals::disposition::KernelAction;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicUsize, Ordering};

/// A signal, as one layer gets it.
pub(super) struct Delivery {
    pub(super) signal: Signal,
    pub(super) visit: Visit,
    pub(super) cause: Cause,
    info: *mut libc::siginfo_t,
    /// Whether a layer that is called with the number only finds this delivery.
    has_call: bool,
    /// Ends with the delivery.
    _call: Option<CallGuard>,
}

/// Whether other layers have been called for the same signal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Visit {
    /// None has.
    First,
    /// Another one has, and this is beneath it.
    Further,
    /// This one has: two handlers call each other.
    Again,
}

impl Delivery {
    /// The layer is called with this pointer. The substitute is for a siginfo_t that is missing; it is on the stack of the
    /// layer's handler.
    pub(super) fn enter(
        signal: Signal,
        layer: Layer,
        info: *mut libc::siginfo_t,
        substitute: &mut libc::siginfo_t,
    ) -> Delivery {
        let bit = 1 << layer.number();
        if is_genuine(signal, info) {
            // SAFETY: it is the kernel's siginfo_t of this signal, or a copy: see `is_genuine`.
            let (cause, visit) = unsafe { (Cause::of(&*info), mark(info, bit)) };
            return Delivery { signal, visit, cause, info, has_call: false, _call: None };
        }
        let cause = Cause::UNKNOWN;
        if let Some(call) = Call::under_way(signal, ptr::from_ref(substitute) as usize) {
            let visited = call.visited.fetch_or(bit, Ordering::SeqCst);
            let visit = if visited & bit == 0 { Visit::Further } else { Visit::Again };
            let info = call.info.load(Ordering::SeqCst);
            return Delivery { signal, visit, cause, info, has_call: true, _call: None };
        }
        *substitute = made_up(signal);
        let info = ptr::from_mut(substitute);
        // SAFETY: it is a siginfo_t, borrowed for this function and then reached by this pointer only.
        let visit = unsafe { mark(info, bit) };
        let call = Call::begin(signal, bit, info);
        Delivery { signal, visit, cause, info, has_call: call.is_some(), _call: call }
    }

    /// Calls the program's handler that the layer lies over, and says whether there is one.
    pub(super) fn call_program(&self, layer: Layer, context: *mut c_void) -> bool {
        let needs_call = !self.has_call && layer.passes_number_only(self.signal);
        let _call = needs_call.then(|| Call::begin(self.signal, 1 << layer.number(), self.info));
        layer.call_program(self.signal, self.info, context)
    }

    /// Notes that this program has been stopped by the signal, for actions that are called after this layer.
    pub(super) fn note_stop(&self) {
        // SAFETY: the first layer has a siginfo_t of the kernel or of its own; nobody else stops.
        unsafe { marks(self.info)[VISITED] |= HAS_STOPPED };
    }
}

/// Whether a layer has stopped this program by this signal.
#[cfg(feature = "signal-hook")]
pub(super) fn has_stopped(info: &libc::siginfo_t) -> bool {
    let words = words(info);
    words[OURS] == our_mark() && words[VISITED] & HAS_STOPPED != 0
}

/// The size of a siginfo_t in words.
const WORDS: usize = size_of::<libc::siginfo_t>() / size_of::<usize>();
/// How many of these the kernel's codes use; it fills the others with zeroes.
const USED: usize = 6;
/// The place of the word with a bit for each layer that has been called, and [`HAS_STOPPED`].
const VISITED: usize = WORDS - 2;
/// The place of the word with [`our_mark`].
const OURS: usize = WORDS - 1;
const HAS_STOPPED: usize = 1 << 16;

/// A number that nothing else in this process has for a mark: an address of ours.
fn our_mark() -> usize {
    ptr::from_ref(&CALLS) as usize
}

fn words(info: &libc::siginfo_t) -> &[usize; WORDS] {
    // SAFETY: a siginfo_t is that large, and aligned for a pointer; all of it is initialised.
    unsafe { &*ptr::from_ref(info).cast() }
}

/// # Safety
/// It points to a siginfo_t that nobody else uses meanwhile.
unsafe fn marks<'a>(info: *mut libc::siginfo_t) -> &'a mut [usize; WORDS] {
    // SAFETY: a siginfo_t is that large, and aligned for a pointer; all numbers are values of it.
    unsafe { &mut *info.cast() }
}

/// Notes in the signal itself that a layer has been called for it.
///
/// # Safety
/// As for [`marks`].
unsafe fn mark(info: *mut libc::siginfo_t, bit: usize) -> Visit {
    // SAFETY: passed on to the caller.
    let words = unsafe { marks(info) };
    if words[OURS] != our_mark() {
        (words[VISITED], words[OURS]) = (bit, our_mark());
        return Visit::First;
    }
    let visited = words[VISITED];
    words[VISITED] |= bit;
    if visited & bit == 0 { Visit::Further } else { Visit::Again }
}

/// A siginfo_t for a signal of which only the number is known.
fn made_up(signal: Signal) -> libc::siginfo_t {
    // SAFETY: all zeroes are a siginfo_t, with pid and uid 0.
    let mut info: libc::siginfo_t = unsafe { MaybeUninit::zeroed().assume_init() };
    (info.si_signo, info.si_code) = (signal.number(), Info::UNKNOWN.code);
    info
}

/// Whether this points to the siginfo_t of the signal that is being handled, or to what is left of a register.
///
/// - If what is in place now was installed without SA_SIGINFO, the kernel has written no siginfo_t at all.
/// - If it was installed with SA_SIGINFO, the kernel has written one on this stack, above the frames of all handlers,
///   this one's too. A pointer that is null, below this frame, or not aligned isn't to that.
/// - Any other must be readable, have the signal's number where a siginfo_t has it, and be zero where the kernel makes it
///   zero.
///
/// A copy that a handler passes on from elsewhere than the stack is refused as well: then the sender isn't known, no more.
fn is_genuine(signal: Signal, info: *const libc::siginfo_t) -> bool {
    let frame = 0_usize;
    let (frame, start) = (&raw const frame as usize, info as usize);
    let top_flags = || KernelAction::in_place(signal).map_or(0, |top| top.flags);
    if start <= frame || !info.is_aligned() || top_flags() & libc::SA_SIGINFO as usize == 0 {
        return false;
    }
    let last_word = start.saturating_add(size_of::<libc::siginfo_t>() - size_of::<usize>());
    // SAFETY: the whole of it can be read. It is on this thread's stack, or on what is mapped above that: in the first case
    // nobody unmaps it while the thread runs here. In the second the pointer is a leftover that another thread would have to
    // unmap just now.
    is_readable(start) && is_readable(last_word) && unsafe { looks_genuine(signal, &*info) }
}

/// Whether all is as the kernel has written it, but for our marks.
fn looks_genuine(signal: Signal, info: &libc::siginfo_t) -> bool {
    let words = words(info);
    info.si_signo == signal.number()
        && words[USED..VISITED].iter().all(|word| *word == 0)
        && (words[OURS] == our_mark() || words[VISITED..] == [0, 0])
}

/// Whether a word can be read at this address, which is aligned for one.
fn is_readable(address: usize) -> bool {
    /// No `how` of rt_sigprocmask(2), which reads the new mask before it looks at this, and then changes nothing.
    const INVALID: usize = usize::MAX;
    let arguments = [INVALID, address, 0, size_of::<u64>()];
    // SAFETY: the kernel checks the address itself: EFAULT if it can't be read, EINVAL otherwise.
    unsafe { syscall(libc::SYS_rt_sigprocmask, arguments) != Err(libc::EFAULT) }
}

/// A call of a handler with the number only, on one thread.
///
/// If that handler doesn't return (siglongjmp(3)), the call stays here. It is recognised by its place on the stack: calls
/// from within a handler are below that.
struct Call {
    /// 0: unused.
    thread: AtomicI32,
    signal: AtomicI32,
    /// The layers that have been called, a bit for each.
    visited: AtomicUsize,
    /// The siginfo_t of the signal, which is on the thread's stack, above all that the handler calls.
    info: AtomicPtr<libc::siginfo_t>,
}

/// One for each thread that is in such a call, up to this number at once. If there are more, a signal may be passed on twice.
static CALLS: [Call; 64] = [const {
    Call {
        thread: AtomicI32::new(0),
        signal: AtomicI32::new(0),
        visited: AtomicUsize::new(0),
        info: AtomicPtr::new(ptr::null_mut()),
    }
}; 64];

impl Call {
    /// The call from which a layer is called whose frame is here.
    fn under_way(signal: Signal, frame: usize) -> Option<&'static Call> {
        let thread = this_thread();
        let is_this = |call: &&Call| {
            call.thread.load(Ordering::SeqCst) == thread && call.signal.load(Ordering::SeqCst) == signal.number()
        };
        CALLS.iter().filter(is_this).find(|call| {
            let is_above = call.info.load(Ordering::SeqCst) as usize > frame;
            if !is_above {
                call.thread.store(0, Ordering::SeqCst);
            }
            is_above
        })
    }

    /// Lasts until the guard is dropped. `None`: too many threads are in such calls.
    fn begin(signal: Signal, visited: usize, info: *mut libc::siginfo_t) -> Option<CallGuard> {
        let thread = this_thread();
        let take = |call: &&Call| call.thread.compare_exchange(0, -1, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        let call = CALLS.iter().find(take)?;
        call.signal.store(signal.number(), Ordering::SeqCst);
        call.visited.store(visited, Ordering::SeqCst);
        call.info.store(info, Ordering::SeqCst);
        call.thread.store(thread, Ordering::SeqCst);
        Some(CallGuard(call))
    }
}

struct CallGuard(&'static Call);

impl Drop for CallGuard {
    fn drop(&mut self) {
        self.0.thread.store(0, Ordering::SeqCst);
    }
}

/// gettid(2).
fn this_thread() -> i32 {
    // SAFETY: touches no memory, can't fail.
    unsafe { syscall(libc::SYS_gettid, []) }.unwrap_or(0) as i32
}
