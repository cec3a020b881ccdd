//! What panicmon promises, tried on the real thing. Each file is one kind of promise.
//!
//! `PANICMON_TEST_BINARY` names another binary to try, such as the static release.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod child;
mod cli;
mod compared;
mod deaths;
mod doctor;
mod drain;
mod events;
mod exit;
mod file_reports;
mod files;
mod forwarding;
mod hooks;
mod last_words;
mod lives;
mod machines;
mod many;
mod migrating;
mod orphans;
mod output;
mod peers;
mod picture;
mod pmux;
mod races;
mod reports;
mod restarts;
mod scarce;
mod service_manager;
mod signals;
mod soak;
mod status;
mod success;
mod support;
mod sys;
mod terminal;
mod traced;
mod transparent;
mod wrong;
