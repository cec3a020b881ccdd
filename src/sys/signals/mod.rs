//! Masks, dispositions, and signals that come and go.
//!
//! | file | |
//! |---|---|
//! | `mask` | what a thread blocks |
//! | `disposition` | what this process does with a signal |
//! | `send` | passing signals on, to a process or to its group |
//! | `own` | signals this process sends to itself and its group |
//! | `source` | where signals come from: one of the next two |
//! | `process` | a signalfd, for a program that is a wrapper and nothing else |
//! | `shared` | handlers, for a program that has other users of signals, too |

mod disposition;
mod mask;
pub(crate) mod own;
pub(crate) mod process;
mod send;
pub(crate) mod shared;
pub(crate) mod source;

pub(crate) use disposition::{Disposition, disposition, set_disposition};
#[cfg(feature = "reports")]
pub(crate) use mask::without_signals;
pub(crate) use mask::{block_all, blocked, pending, set_mask};
pub(crate) use send::{Target, pass, pass_to_group, send, send_to_group};
