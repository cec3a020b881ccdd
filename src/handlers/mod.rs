//! Handlers that come with panicmon.

mod log;

pub use log::LogHandler;
