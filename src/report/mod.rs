//! What is told to whom: the log, the remarks between the lines of processes, the verdict on memory.
//!
//! It knows what happened and how to word it; not how lines reach a stream (`relay`), nor what is to be done (`policy`).
#![forbid(unsafe_code)]

pub(crate) mod log;
#[cfg(feature = "cli")]
pub(crate) mod oom;
pub(crate) mod remarks;
