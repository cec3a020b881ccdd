//! stub
#![no_main]
#[path = "../../src/sys/entry.rs"]
mod entry;
use std::ffi::CStr;
fn run(_args: &[&'static CStr], _env: &[&'static CStr]) -> u8 {
    0
}
