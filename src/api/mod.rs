//! What a Rust program builds with: the executor, the supervisor, their options.
//!
//! Builders and checks of what they are given. The values themselves are in `model`, the work is the `engine`'s.
#![forbid(unsafe_code)]

pub(crate) mod control;
pub(crate) mod environment;
pub(crate) mod executor;
pub(crate) mod options;
pub(crate) mod streams;
pub(crate) mod supervisor;
