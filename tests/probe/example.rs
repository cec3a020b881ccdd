//! The helper of the tests, as they find it in the published crate: as an example.
//!
//! There the feature `probe` is off, since cargo leaves a package's dependency on itself out when it packs it. A plain
//! `cargo test` builds the examples, too.
//!
//! It has the C `main` of the program under test, so that nothing is changed before it looks.
#![no_main]

#[path = "../../src/sys/entry.rs"]
mod entry;
mod notify;
mod probe;
mod sys;

use probe::{called, run};
