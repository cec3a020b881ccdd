//! The library, in a program of its own: this one. Each file is one kind of behaviour.
//!
//! Signals go to the whole program and so to every executor in it, and dispositions are the program's: the tests take
//! turns.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod alone;
mod chaining;
mod children;
mod dispositions;
mod forks;
mod hooks;
mod host;
mod host_signals;
mod listening;
mod many;
mod options;
mod orders;
mod output;
mod program;
mod registered;
mod registrations;
mod registry;
mod reports;
mod several;
mod signals;
mod sources;
mod supervisor;
#[path = "../suite/support.rs"]
mod support;
#[path = "../suite/sys.rs"]
mod sys;
mod told;

use program::{in_blocking_thread, send_to_self, turn};
