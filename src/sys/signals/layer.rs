//! Handlers of ours, each over one action of the program.
//!
//! A library that registers a handler over ours keeps the address of ours and calls it for every signal from then on,
//! long after the executors have gone, and after others have come. It expects that what was beneath ours then is called
//! then. So that one address always means the same, there are several: a *layer* is a handler function that passes on
//! to one action of the program. An executor that finds such a library's handler takes another layer over that, and all
//! are called, from the newest to the oldest.

use crate::model::signal::Signal;
use crate::sys::signals::shared;
use std::ffi::{c_int, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many actions of the program a signal's handlers can lie over: more than libraries that a program registers.
pub(super) const LAYERS: usize = 8;

type Handler = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

/// Never the same function, as each has another number in it.
static HANDLERS: [Handler; LAYERS] =
    [handler::<0>, handler::<1>, handler::<2>, handler::<3>, handler::<4>, handler::<5>, handler::<6>, handler::<7>];

extern "C" fn handler<const LAYER: usize>(number: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    shared::on_signal(Layer(LAYER), number, info, context);
}

/// What each layer of each signal lies over: the address of a handler, SIG_DFL or SIG_IGN, and in the bits that no
/// address in user space has, what must be known to call it. One word, so that a handler sees all of it or nothing.
static BENEATH: [[AtomicUsize; 65]; LAYERS] = [const { [const { AtomicUsize::new(libc::SIG_DFL) }; 65] }; LAYERS];
const TAKES_SIGINFO: usize = 1 << 63;
const ENDS_ONLY: usize = 1 << 62;

/// One of our handlers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layer(usize);

/// Whether a layer has been called for this signal already.
pub(super) enum Visit {
    /// None has.
    First,
    /// Another one has, and this is beneath it.
    Further,
    /// This one has: two handlers call each other.
    Again,
}

impl Layer {
    pub(super) fn new(number: usize) -> Layer {
        Layer(number % LAYERS)
    }

    pub(super) fn number(self) -> usize {
        self.0
    }

    /// The layer whose handler this action calls.
    pub(super) fn of(action: &libc::sigaction) -> Option<Layer> {
        HANDLERS.iter().position(|handler| *handler as usize == action.sa_sigaction).map(Layer)
    }

    /// Has it lie over this from now on.
    pub(super) fn put_over(self, signal: Signal, program: &libc::sigaction) {
        let bit = |flag: c_int, bit: usize| if program.sa_flags & flag != 0 { bit } else { 0 };
        let bits = bit(libc::SA_SIGINFO, TAKES_SIGINFO) | bit(libc::SA_NOCLDSTOP, ENDS_ONLY);
        self.beneath(signal).store(program.sa_sigaction | bits, Ordering::SeqCst);
    }

    fn beneath(self, signal: Signal) -> &'static AtomicUsize {
        &BENEATH[self.0][signal.number() as usize]
    }

    fn handler_beneath(self, signal: Signal) -> usize {
        self.beneath(signal).load(Ordering::SeqCst) & !(TAKES_SIGINFO | ENDS_ONLY)
    }

    /// Whether the program lets this signal take its default course.
    pub(super) fn is_over_default(self, signal: Signal) -> bool {
        self.handler_beneath(signal) == libc::SIG_DFL
    }

    /// Whether the program's action for SIGCHLD isn't to hear of children that stop (SA_NOCLDSTOP).
    pub(super) fn program_hears_ends_only(self) -> bool {
        self.beneath(Signal::CHLD).load(Ordering::SeqCst) & ENDS_ONLY != 0
    }

    /// Notes in the signal itself that this layer has been called for it.
    pub(super) fn visit(self, info: *mut libc::siginfo_t) -> Visit {
        // SAFETY: the end of the kernel's siginfo_t, which no code uses and which it fills with zeroes.
        let words = unsafe { &mut *info.cast::<[usize; 128 / size_of::<usize>()]>() };
        let [.., visited, mark] = words;
        let ours = HANDLERS[0] as usize;
        let bit = 1 << self.0;
        if *mark != ours {
            (*visited, *mark) = (bit, ours);
            return Visit::First;
        }
        if *visited & bit != 0 {
            return Visit::Again;
        }
        *visited |= bit;
        Visit::Further
    }

    /// Calls what the program has beneath, and says whether there was a handler.
    pub(super) fn call_program(self, signal: Signal, info: *mut libc::siginfo_t, context: *mut c_void) -> bool {
        let takes_siginfo = self.beneath(signal).load(Ordering::SeqCst) & TAKES_SIGINFO != 0;
        let handler = self.handler_beneath(signal);
        if matches!(handler, libc::SIG_DFL | libc::SIG_IGN) {
            return false;
        }
        // SAFETY: the program has installed the address as a handler of this kind.
        unsafe {
            if takes_siginfo {
                std::mem::transmute::<usize, Handler>(handler)(signal.number(), info, context);
            } else {
                std::mem::transmute::<usize, extern "C" fn(c_int)>(handler)(signal.number());
            }
        }
        true
    }

    /// The action for it: one signal at a time, but for those by which a fault in the program's own handler is told.
    /// Where the program has a handler, whether system calls go on afterwards and which stack it runs on is as it wants
    /// it. Of children that stop we hear in any case, whether the program wants to or not.
    pub(super) fn action(self, program: &libc::sigaction) -> libc::sigaction {
        // SAFETY: all zeroes are a sigaction.
        let mut ours: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
        ours.sa_sigaction = HANDLERS[self.0] as usize;
        ours.sa_flags = libc::SA_SIGINFO | flags_for(program);
        // SAFETY: fills the set in, and takes members away.
        unsafe {
            libc::sigfillset(&raw mut ours.sa_mask);
            for fault in [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP, libc::SIGSYS] {
                libc::sigdelset(&raw mut ours.sa_mask, fault);
            }
        }
        ours
    }
}

/// The flags of ours that depend on the program's action.
pub(super) fn flags_for(program: &libc::sigaction) -> c_int {
    let both = libc::SA_RESTART | libc::SA_ONSTACK;
    if is_handler(program) { program.sa_flags & both } else { both }
}

/// Whether it calls a function.
pub(super) fn is_handler(action: &libc::sigaction) -> bool {
    !matches!(action.sa_sigaction, libc::SIG_DFL | libc::SIG_IGN)
}

/// Whether they do the same.
pub(super) fn same(a: &libc::sigaction, b: &libc::sigaction) -> bool {
    /// Of the C library, which the kernel shows with some actions; crate libc has no name for it.
    const SA_RESTORER: c_int = 0x0400_0000;
    a.sa_sigaction == b.sa_sigaction && (a.sa_flags ^ b.sa_flags) & !SA_RESTORER == 0
}

/// What is in place, for a guess: another thread may change it at any time.
pub(super) fn action(signal: Signal) -> io::Result<libc::sigaction> {
    let mut action = MaybeUninit::zeroed();
    // SAFETY: writes a sigaction; all zeroes are one, too.
    let result = unsafe { libc::sigaction(signal.number(), ptr::null(), action.as_mut_ptr()) };
    // SAFETY: see above.
    if result == 0 { Ok(unsafe { action.assume_init() }) } else { Err(io::Error::last_os_error()) }
}

/// Puts this in place, and returns what it has replaced.
pub(super) fn swap(signal: Signal, new: &libc::sigaction) -> io::Result<libc::sigaction> {
    let mut before = MaybeUninit::zeroed();
    // SAFETY: the action is ours, whose handler is async-signal-safe, or was read from the kernel, perhaps with SIG_DFL
    // put in; see above for the other.
    let result = unsafe { libc::sigaction(signal.number(), new, before.as_mut_ptr()) };
    // SAFETY: see above.
    if result == 0 { Ok(unsafe { before.assume_init() }) } else { Err(io::Error::last_os_error()) }
}
