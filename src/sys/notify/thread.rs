//! A thread by the C library alone: pthread_create(3).
//!
//! What the standard library sets up in each of its threads takes memory while that runs, and where there is none the C
//! library ends the process. Here everything is there before the thread is.

use std::ffi::c_void;
use std::io;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::ptr::NonNull;

/// A thread that runs, or has ended. One that isn't waited for goes on.
#[derive(Debug)]
pub(super) struct Thread<T> {
    id: libc::pthread_t,
    result: NonNull<Option<T>>,
}

// SAFETY: any thread may wait for that one, and the result is nobody else's from then on.
unsafe impl<T: Send> Send for Thread<T> {}

/// What it does, and where the result of that goes.
struct Job<F, T> {
    run: F,
    result: NonNull<Option<T>>,
}

impl<T: Send + 'static> Thread<T> {
    /// Starts one that runs this function, with a stack of that size.
    pub(super) fn start<F: FnOnce() -> T + Send + 'static>(stack_bytes: usize, run: F) -> io::Result<Thread<T>> {
        let result = NonNull::from(Box::leak(Box::new(None)));
        let job = Box::into_raw(Box::new(Job { run, result }));
        let mut attributes = MaybeUninit::uninit();
        let mut id = MaybeUninit::uninit();
        // SAFETY: the attributes are initialized first, and live until they are destroyed. The thread owns the job from here on,
        // if there is one.
        let error = unsafe {
            libc::pthread_attr_init(attributes.as_mut_ptr());
            libc::pthread_attr_setstacksize(attributes.as_mut_ptr(), stack_bytes);
            let error = libc::pthread_create(id.as_mut_ptr(), attributes.as_ptr(), main::<F, T>, job.cast());
            libc::pthread_attr_destroy(attributes.as_mut_ptr());
            error
        };
        if error != 0 {
            // SAFETY: no thread has them; both were boxes.
            unsafe { drop((Box::from_raw(job), Box::from_raw(result.as_ptr()))) };
            return Err(io::Error::from_raw_os_error(error));
        }
        // SAFETY: where it succeeds, pthread_create has put the number there.
        Ok(Thread { id: unsafe { id.assume_init() }, result })
    }

    /// Waits for its end, and returns what its function has returned. `None`: that has panicked.
    pub(super) fn join(self) -> Option<T> {
        // SAFETY: it is waited for this once. The result is a box that only the thread has written to, and it has ended.
        unsafe {
            let error = libc::pthread_join(self.id, ptr::null_mut());
            if error == 0 { *Box::from_raw(self.result.as_ptr()) } else { None }
        }
    }
}

extern "C" fn main<F: FnOnce() -> T, T>(job: *mut c_void) -> *mut c_void {
    // SAFETY: `start` has made it a box, and given it to this thread.
    let Job { run, result } = *unsafe { Box::from_raw(job.cast::<Job<F, T>>()) };
    let returned = catch_unwind(AssertUnwindSafe(run)).ok();
    // SAFETY: until this thread has ended, the place is its own.
    unsafe { *result.as_ptr() = returned };
    ptr::null_mut()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STACK_BYTES: usize = 128 * 1024;

    #[test]
    fn what_its_function_returns_is_what_comes_back() {
        let word = "word".to_owned();
        let thread = Thread::start(STACK_BYTES, move || (word + "s", std::thread::current().id())).unwrap();
        let (words, id) = thread.join().unwrap();
        assert_eq!(words, "words");
        assert_ne!(id, std::thread::current().id());
    }

    #[test]
    fn a_panic_brings_nothing_back() {
        let thread = Thread::start(STACK_BYTES, || -> u8 { std::panic::resume_unwind(Box::new("no hook is called")) });
        assert_eq!(thread.unwrap().join(), None);
    }
}
