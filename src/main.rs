//! The program; what it does is in the library's `program`.
#![no_main]

#[path = "sys/entry.rs"]
mod entry;

use std::ffi::CStr;

fn run(args: &[&'static CStr], env: &[&'static CStr]) -> u8 {
    panicmon::program::main(args, env)
}
