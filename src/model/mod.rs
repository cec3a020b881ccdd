//! Plain words for all floors: what a signal, an origin, a status, an event is.
//!
//! Values and their small questions only. No system call, no decision, nothing that is kept open.
#![forbid(unsafe_code)]

pub(crate) mod c_string;
pub(crate) mod child_group;
pub(crate) mod death;
pub(crate) mod duration;
pub(crate) mod env;
pub(crate) mod error;
pub(crate) mod event;
pub(crate) mod exit_from;
pub(crate) mod handler;
pub(crate) mod identity;
pub(crate) mod origin;
pub(crate) mod pid;
pub(crate) mod printable;
pub(crate) mod process_config;
#[cfg(feature = "serde")]
pub(crate) mod serialize;
pub(crate) mod signal;
pub(crate) mod signal_source;
pub(crate) mod standing;
pub(crate) mod status;
pub(crate) mod success;
#[cfg(test)]
pub(crate) mod test_random;
