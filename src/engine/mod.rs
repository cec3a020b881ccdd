//! The one loop: it waits, asks `policy` what to do, and does it.
//!
//! One child, run once, is the same as many, run again and again. What is decided here is only the order of things.
#![forbid(unsafe_code)]

pub(crate) mod drain;
pub(crate) mod event_loop;
