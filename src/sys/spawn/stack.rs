//! The stacks on which children run until they execute their command.
//!
//! A child in shared memory needs its stack until it executes or ends. It has the kernel clear a word then
//! (set_tid_address(2)), so that a few stacks serve any number of children.

use crate::sys::raw::syscall;
use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// A child uses a few hundred bytes, an unoptimised build a few thousand.
const BYTES: usize = 64 * 1024;

/// All stacks there are, as many as there ever were children at once that hadn't executed. They stay.
static ALL: Mutex<Vec<&Stack>> = Mutex::new(Vec::new());

#[derive(Debug)]
struct Stack {
    /// Not initialised, and the child's alone while it is in use.
    memory: *mut u8,
    /// Who uses it, a number of its own for each child; 0: nobody.
    user: AtomicI32,
    /// The number that the next child has.
    next: AtomicI32,
}

impl Stack {
    const fn new(memory: *mut u8) -> Stack {
        Stack { memory, user: AtomicI32::new(0), next: AtomicI32::new(1) }
    }

    #[cold]
    fn leaked() -> &'static Stack {
        Box::leak(Box::new(Stack::new(ManuallyDrop::new(Vec::with_capacity(BYTES)).as_mut_ptr())))
    }
}

/// The first one needs no mapping: of the program's uninitialised data, only the pages that the child touches exist.
static FIRST: Stack = Stack::new(FIRST_MEMORY.0.get().cast());

#[repr(align(16))]
struct Memory(UnsafeCell<[u8; BYTES]>);

// SAFETY: see `Stack`.
unsafe impl Sync for Memory {}

static FIRST_MEMORY: Memory = Memory(UnsafeCell::new([0; BYTES]));

// SAFETY: nothing but a child, one at a time, uses the memory, which is never freed; the words are atomic.
unsafe impl Sync for Stack {}
// SAFETY: as above.
unsafe impl Send for Stack {}

/// A stack, from before its child is made until that needs it no more.
#[derive(Debug)]
pub(super) struct Use {
    stack: &'static Stack,
    number: i32,
}

impl Use {
    /// Of a stack that nobody uses.
    pub(super) fn begin() -> Use {
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        let free = all.iter().copied().find(|stack| stack.user.load(Ordering::SeqCst) == 0);
        let stack = free.unwrap_or_else(|| {
            let stack = if all.is_empty() { &FIRST } else { Stack::leaked() };
            all.push(stack);
            stack
        });
        let number = stack.next.load(Ordering::SeqCst);
        // The lock is held: nobody else takes it.
        stack.next.store(number.checked_add(1).unwrap_or(1), Ordering::SeqCst);
        stack.user.store(number, Ordering::SeqCst);
        Use { stack, number }
    }

    /// Ends it, if it hasn't ended: the child has ended, or has a copy of the memory, or wasn't made.
    pub(super) fn end(&self) {
        let _ = self.stack.user.compare_exchange(self.number, 0, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// Whether the child may still need it.
    #[cfg(test)]
    pub(super) fn is_on(&self) -> bool {
        self.stack.user.load(Ordering::SeqCst) == self.number
    }

    /// Waits until the child needs it no more, if the kernel was to clear the [word](Use::word); no longer than this. Whether
    /// it was that.
    #[cold]
    pub(super) fn wait_for_end(&self, until: Instant) -> bool {
        while self.stack.user.load(Ordering::SeqCst) == self.number {
            let left = until.saturating_duration_since(Instant::now());
            let time = libc::timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
            let arguments =
                [self.word() as usize, libc::FUTEX_WAIT as usize, self.number as usize, (&raw const time) as usize];
            // SAFETY: the kernel reads a word that stays for ever, and a struct timespec.
            match unsafe { syscall(libc::SYS_futex, arguments) } {
                Ok(_) | Err(libc::EAGAIN | libc::EINTR) if !left.is_zero() => {}
                _ => return false,
            }
        }
        true
    }

    /// The end of the stack: it grows down.
    pub(super) fn top(&self) -> *mut c_void {
        let top = self.stack.memory.wrapping_add(BYTES);
        top.wrapping_sub(top as usize % 16).cast()
    }

    /// What the kernel is to clear when the child has executed or ended.
    pub(super) fn word(&self) -> *mut i32 {
        self.stack.user.as_ptr()
    }
}

/// How many there are.
#[cfg(test)]
pub(super) fn count() -> usize {
    ALL.lock().unwrap_or_else(PoisonError::into_inner).len()
}
