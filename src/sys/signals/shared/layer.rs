//! What each of our handlers lies over.
//!
//! A library that registers a handler over ours keeps the address of ours and calls it for every signal from then on,
//! after the executor has gone and others have come. It expects that this calls what was beneath ours then. So there are
//! several handlers of ours, and each of them always lies over the same action of the program: a *layer* is one of these
//! handlers. An executor that finds another library's handler in place puts an unused layer over that. All are called,
//! from the newest to the oldest.

use crate::model::signal::Signal;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many layers there are: more than libraries that register a handler for one signal.
pub(super) const LAYERS: usize = 8;

/// A handler as sigaction(2) has it with SA_SIGINFO.
pub(super) type Handler = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

/// The action that each layer lies over, for each signal: the address of a handler, SIG_DFL or SIG_IGN, and in bits that
/// no address in user space has, the flags that are needed to call it. One word, which a handler reads as a whole.
static BENEATH: [[AtomicUsize; 65]; LAYERS] = [const { [const { AtomicUsize::new(libc::SIG_DFL) }; 65] }; LAYERS];
const TAKES_SIGINFO: usize = 1 << 63;
const ENDS_ONLY: usize = 1 << 62;
const ONLY_ONCE: usize = 1 << 61;
const FLAGS: usize = TAKES_SIGINFO | ENDS_ONLY | ONLY_ONCE;

/// One of our handlers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layer(usize);

impl Layer {
    pub(super) const fn new(number: usize) -> Layer {
        Layer(number % LAYERS)
    }

    pub(super) fn number(self) -> usize {
        self.0
    }

    /// Has it lie over this action from now on.
    pub(super) fn put_over(self, signal: Signal, program: &libc::sigaction) {
        let bit = |flag: c_int, bit: usize| if program.sa_flags & flag != 0 { bit } else { 0 };
        let bits = bit(libc::SA_SIGINFO, TAKES_SIGINFO)
            | bit(libc::SA_NOCLDSTOP, ENDS_ONLY)
            | bit(libc::SA_RESETHAND, ONLY_ONCE);
        self.beneath(signal).store(program.sa_sigaction | bits, Ordering::SeqCst);
    }

    fn beneath(self, signal: Signal) -> &'static AtomicUsize {
        &BENEATH[self.0][signal.number() as usize]
    }

    fn handler_beneath(self, signal: Signal) -> usize {
        self.beneath(signal).load(Ordering::SeqCst) & !FLAGS
    }

    /// This action of the program that it lies over, as it is by now: a handler with SA_RESETHAND may have been called.
    pub(super) fn by_now(self, signal: Signal, mut program: libc::sigaction) -> libc::sigaction {
        program.sa_sigaction = self.handler_beneath(signal);
        program
    }

    /// Whether the program lets this signal take its default action.
    pub(super) fn is_over_default(self, signal: Signal) -> bool {
        self.handler_beneath(signal) == libc::SIG_DFL
    }

    /// Whether it lies over a handler that gets the signal's number only, no siginfo_t.
    pub(super) fn passes_number_only(self, signal: Signal) -> bool {
        let beneath = self.beneath(signal).load(Ordering::SeqCst);
        beneath & TAKES_SIGINFO == 0 && is_handler(beneath & !FLAGS)
    }

    /// Whether the program's action for SIGCHLD isn't called for children that stop (SA_NOCLDSTOP).
    pub(super) fn program_hears_ends_only(self) -> bool {
        self.beneath(Signal::CHLD).load(Ordering::SeqCst) & ENDS_ONLY != 0
    }

    /// Calls the program's handler that it lies over, and says whether there is one. With SA_RESETHAND there is one for
    /// the first signal only.
    pub(super) fn call_program(self, signal: Signal, info: *mut libc::siginfo_t, context: *mut c_void) -> bool {
        let word = self.beneath(signal);
        let found = word.load(Ordering::SeqCst);
        let handler = found & !FLAGS;
        if !is_handler(handler) {
            return false;
        }
        let reset = found & ENDS_ONLY | libc::SIG_DFL;
        // If it fails, another thread has just called it, or has put something else there.
        if found & ONLY_ONCE != 0 && word.compare_exchange(found, reset, Ordering::SeqCst, Ordering::SeqCst).is_err() {
            return false;
        }
        // SAFETY: the program has installed the address as a handler of this kind.
        unsafe {
            if found & TAKES_SIGINFO != 0 {
                std::mem::transmute::<usize, Handler>(handler)(signal.number(), info, context);
            } else {
                std::mem::transmute::<usize, extern "C" fn(c_int)>(handler)(signal.number());
            }
        }
        true
    }
}

fn is_handler(address: usize) -> bool {
    !matches!(address, libc::SIG_DFL | libc::SIG_IGN)
}
