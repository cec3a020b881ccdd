//! The program; what it does is in the library's `program`.
#![no_main]

#[path = "sys/allocator.rs"]
mod allocator;
#[path = "sys/entry.rs"]
mod entry;

use std::ffi::CStr;

/// Comes before anything that takes memory.
fn called(name: &'static CStr) {
    panicmon::program::called(name);
}

fn run(args: &[&'static CStr], env: &[&'static CStr]) -> u8 {
    panicmon::program::main(args, env)
}

#[cold]
fn no_memory() -> ! {
    panicmon::program::no_memory()
}
