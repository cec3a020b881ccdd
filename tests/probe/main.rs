//! The helper of the tests, as they find it in the repository: cargo builds it for them, with the feature `probe`.
//!
//! It has the C `main` of the program under test, so that nothing is changed before it looks.
#![no_main]

#[path = "../../src/sys/entry.rs"]
mod entry;
mod notify;
mod probe;
mod sys;

use probe::{called, run};
