//! The C `main` of a program, in place of Rust's own.
//!
//! Rust's start-up ignores SIGPIPE and opens /dev/null in place of closed descriptors 0 to 2; what was inherited can't
//! be told, or handed on, afterwards. It takes time, too.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int};

/// Called by the C library's start-up.
// SAFETY: no other function of the program has this name.
#[unsafe(no_mangle)]
extern "C" fn main(_argc: c_int, argv: *const *const c_char, envp: *const *const c_char) -> c_int {
    // SAFETY: the list has at least the null pointer that ends it; a string of it is a C string, and stays there.
    unsafe {
        if !(*argv).is_null() {
            super::called(CStr::from_ptr(*argv));
        }
    }
    // SAFETY: both lists are what execve(2) left on the stack, and stay there unchanged as long as the process lives:
    // this program changes no variable.
    let (args, env) = unsafe { (list(argv), list(envp)) };
    let status = c_int::from(super::run(&args, &env));
    // SAFETY: nothing is left to be done at the end: what is written to the standard streams isn't kept back.
    unsafe { libc::_exit(status) }
}

/// The strings of a list ended by a null pointer.
///
/// # Safety
/// It must be such a list, of C strings that live and don't change for ever.
unsafe fn list(first: *const *const c_char) -> Vec<&'static CStr> {
    let mut strings = Vec::new();
    // SAFETY: the null pointer that ends the list ends the loop.
    unsafe {
        let mut at = first;
        while !(*at).is_null() {
            strings.push(CStr::from_ptr(*at));
            at = at.add(1);
        }
    }
    strings
}
