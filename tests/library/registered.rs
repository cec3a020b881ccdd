//! Handlers of other libraries, which register theirs with one sigaction(2) and call what they found.
#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

type Hook = Box<dyn FnMut(usize)>;

thread_local! {
    /// How many calls of `sigaction` for this signal this thread has made since it was told to count.
    static CALLS: Cell<(c_int, usize)> = const { Cell::new((0, 0)) };
    static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
}

unsafe extern "C" {
    /// The C library's own, by its other name.
    fn __sigaction(signal: c_int, new: *const libc::sigaction, old: *mut libc::sigaction) -> c_int;
}

/// In place of the C library's, for all of this program: what another thread could do between two calls is done before
/// one of them.
#[unsafe(no_mangle)]
extern "C" fn sigaction(signal: c_int, new: *const libc::sigaction, old: *mut libc::sigaction) -> c_int {
    let (counted, calls) = CALLS.get();
    if counted == signal {
        CALLS.set((counted, calls + 1));
        HOOK.with_borrow_mut(|hook| hook.as_mut().map(|hook| hook(calls)));
    }
    // SAFETY: the caller's own pointers.
    unsafe { __sigaction(signal, new, old) }
}

/// Calls the hook before each call of `sigaction` for this signal, with the number of calls before it. Returns how
/// many there were.
pub fn before_each_call(signal: c_int, hook: impl FnMut(usize) + 'static, act: impl FnOnce()) -> usize {
    HOOK.set(Some(Box::new(hook)));
    CALLS.set((signal, 0));
    act();
    HOOK.set(None);
    CALLS.replace((0, 0)).1
}

/// How many libraries there can be.
pub const LIBRARIES: usize = 4;

static COUNTS: [AtomicUsize; LIBRARIES] = [const { AtomicUsize::new(0) }; LIBRARIES];
/// What each has found, for its handler; and whole, to be put back.
static FOUND: [AtomicUsize; LIBRARIES] = [const { AtomicUsize::new(0) }; LIBRARIES];
static FOUND_WHOLE: Mutex<[Option<libc::sigaction>; LIBRARIES]> = Mutex::new([None; LIBRARIES]);

extern "C" fn handler<const LIBRARY: usize>(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    COUNTS[LIBRARY].fetch_add(1, Ordering::SeqCst);
    let found = FOUND[LIBRARY].load(Ordering::SeqCst);
    if found > libc::SIG_IGN {
        // SAFETY: all handlers here are of this kind.
        let found: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) = unsafe { std::mem::transmute(found) };
        found(signal, info, context);
    }
}

/// Its handler is in place when this returns, over what was there.
pub fn register(library: usize, signal: c_int) {
    let handlers = [handler::<0>, handler::<1>, handler::<2>, handler::<3>];
    // SAFETY: all zeroes are a sigaction; the handler touches atomics only. The signal is blocked, so that the handler
    // isn't called before it knows what was found.
    unsafe {
        let mut found: libc::sigaction = std::mem::zeroed();
        let mut new: libc::sigaction = std::mem::zeroed();
        new.sa_sigaction = handlers[library] as *const () as usize;
        // Each other one lets system calls go on.
        new.sa_flags = libc::SA_SIGINFO | if library.is_multiple_of(2) { libc::SA_RESTART } else { 0 };
        assert_eq!(__sigaction(signal, &raw const new, &raw mut found), 0);
        FOUND[library].store(found.sa_sigaction, Ordering::SeqCst);
        FOUND_WHOLE.lock().unwrap_or_else(PoisonError::into_inner)[library] = Some(found);
    }
}

/// Puts back what it found, whatever is there.
pub fn unregister(library: usize, signal: c_int) {
    let found = FOUND_WHOLE.lock().unwrap_or_else(PoisonError::into_inner)[library].take();
    if let Some(found) = found {
        // SAFETY: it was in place before.
        unsafe { __sigaction(signal, &raw const found, ptr::null_mut()) };
    }
}

/// How often each handler is called when this process sends itself the signal.
pub fn calls(signal: c_int) -> [usize; LIBRARIES] {
    let before = COUNTS.each_ref().map(|count| count.load(Ordering::SeqCst));
    // SAFETY: to this thread, which hasn't blocked it: the handlers have run when it returns.
    unsafe { libc::raise(signal) };
    std::array::from_fn(|library| COUNTS[library].load(Ordering::SeqCst) - before[library])
}
