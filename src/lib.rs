//! A signal-forwarding init wrapper: runs one child, forwards every signal to it, reaps what is orphaned, and ends as
//! the child did.
//!
//! The program `panicmon` is this library with a command line on top. A program of your own uses the [`Executor`] to
//! run a command under its eyes, and a [`Handler`] to be told of what happens:
//!
//! ```
//! use panicmon::{Executor, Handler, Options, ProcessExited};
//!
//! struct Report;
//!
//! impl Handler for Report {
//!     fn process_exited(&mut self, event: &ProcessExited<'_>) {
//!         println!("pid {}: {} after {:?}", event.pid, event.status, event.duration);
//!     }
//! }
//!
//! let status = Executor::new(Options::default().handler(Report))?.run(["sh", "-c", "kill -TERM $$"])?;
//! assert_eq!(status.get(), 128 + 15);
//! # Ok::<(), panicmon::Error>(())
//! ```
//!
//! A [`Supervisor`] keeps one or several commands running, each as its [`ProcessConfig`] says.
//!
//! Linux only. The feature `cli`, on by default, is for the program; a library user can leave it out.

#![cfg_attr(not(feature = "cli"), allow(dead_code, reason = "what only a process of its own needs, the program"))]

#[cfg(feature = "cli")]
mod accounts;
mod backoff;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
mod command;
#[cfg(feature = "cli")]
mod config;
#[cfg(feature = "cli")]
mod duration;
mod elf;
mod error;
mod event;
mod event_loop;
mod executor;
mod handler;
pub mod handlers;
mod lifecycle;
mod options;
mod process_config;
#[cfg(feature = "cli")]
mod regular_file;
mod relay;
mod remarks;
mod signal;
mod status;
mod supervisor;
mod sys;
#[cfg(test)]
mod test_random;
#[cfg(feature = "cli")]
mod timestamp;

pub use backoff::Backoff;
pub use error::{Error, NotExecutable};
pub use event::{
    Event, Origin, Pid, ProcessContinued, ProcessExited, ProcessFailed, ProcessStarted, ProcessStopped,
    RestartScheduled, SignalDelayed, SignalDropped, SignalFailed, SignalPassed, SignalReceived,
};
pub use executor::Executor;
pub use handler::Handler;
pub use options::{Options, Output};
pub use process_config::{NoRestartOn, ParseNoRestartOnError, ProcessConfig, Restart};
pub use relay::{Line, Stream};
pub use signal::{ParseSignalError, Signal, SignalSet};
pub use status::{ExitStatus, ResourceUsage, StatusCode};
pub use supervisor::{Canceller, Supervisor};
