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
//!
//! # The map
//!
//! Each folder uses only those below it:
//!
//! | folder | contents |
//! |---|---|
//! | `program` | the command line |
//! | `formats` | words to values: the pmux file, timestamps, durations |
//! | `api` | what a Rust program builds with: executor, supervisor, options |
//! | `engine` | the one loop: it waits, asks `policy`, and acts |
//! | `relay` | lines from the pipes of children to our own streams |
//! | `report` | what users are told |
//! | `policy` | pure decisions: the life of a child, restarts, drains, job control |
//! | `sys` | every system call and every `unsafe` |
//! | `model` | plain values for all floors: signal, status, event, error, handler |
//!
//! `docs/code.md` follows one start and one signal through them.

#![cfg_attr(not(feature = "cli"), allow(dead_code, reason = "what only a process of its own needs, the program"))]

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
compile_error!(
    "panicmon is for 64-bit Linux: it uses Linux's own system calls (clone, signalfd, pidfd, prctl), and structures as the \
     64-bit kernels have them (siginfo_t, sigset_t in one word)"
);

mod api;
mod engine;
#[cfg(feature = "config")]
mod formats;
mod model;
mod policy;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod program;
mod relay;
mod report;
mod sys;

/// Its examples are tested. That with tokio is not: it needs more of tokio than the tests.
#[cfg(doctest)]
#[doc = include_str!("../docs/library.md")]
mod library_page {}

pub use api::control::{Canceller, Control, ControlError};
pub use api::executor::Executor;
pub use api::options::Options;
pub use api::streams::{Input, Output};
pub use api::supervisor::Supervisor;
pub use model::death::{Core, KilledBy, Oom, OomVerdict, Panic, PassedOn, Source, StopRequest};
pub use model::error::{Error, NotExecutable};
pub use model::event::{
    DrainEnded, DrainSignaled, DrainStarted, Event, GivenUp, OrphanReaped, PreviousRunLost, ProcessContinued,
    ProcessExited, ProcessFailed, ProcessReady, ProcessStarted, ProcessStarting, ProcessStatus, ProcessStopped,
    RestartGivenUp, RestartScheduled, SignalDelayed, SignalDropped, SignalFailed, SignalPassed, SignalReceived,
};
pub use model::exit_from::{ExitFrom, ParseExitFromError};
pub use model::handler::Handler;
pub use model::identity::Identity;
pub use model::origin::Origin;
pub use model::pid::Pid;
pub use model::process_config::{NoRestartOn, ParseNoRestartOnError, ParseRestartError, ProcessConfig, Restart};
pub use model::signal::{ParseSignalError, Signal, SignalSet};
pub use model::signal_source::SignalSource;
pub use model::status::{ExitStatus, ResourceUsage, StatusCode};
pub use model::success::{ParseSuccessError, Success};
pub use policy::backoff::Backoff;
pub use relay::stream::{Line, Stream};
#[cfg(feature = "reports")]
pub use report::panic::recognise;

/// Handlers that come with panicmon.
pub mod handlers {
    pub use crate::report::background::{Background, BackgroundRest};
    #[cfg(feature = "reports")]
    pub use crate::report::hook::Hook;
    #[cfg(feature = "reports")]
    pub use crate::report::json::{Json, Report};
    pub use crate::report::log::Log;
    #[cfg(feature = "reports")]
    pub use crate::report::metrics::Metrics;
}

/// Files in pmux's format, as the program reads them (feature `config`).
///
/// ```
/// let file = panicmon::config::parse(b"processes: [{ cmd: myserver, maxWait: 30s }]")?;
/// assert_eq!(file.processes[0].name, "myserver");
///
/// let error = panicmon::config::parse(b"processes: [{ command: myserver }]").unwrap_err();
/// assert_eq!(error.to_string(), "1:15: unknown key 'command': it is called 'cmd' here");
/// # Ok::<(), panicmon::config::ConfigError>(())
/// ```
#[cfg(feature = "config")]
pub mod config {
    pub use crate::formats::pmux::{Config, ConfigError, ReportOption, parse, read};
    pub use crate::formats::timestamp::{ParseTimeFormatError, TimeFormat};
}

/// The private readers of what comes from outside, for the targets in fuzz/.
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::formats::fuzzing::{account, duration, service_of_cgroup, service_reload, timestamp};
    pub use crate::program::list;
    pub use crate::report::fuzzing::{Kept, kept};
    pub use crate::sys::fuzzing::{OneSocket, is_barrier, memory_files, mount, passed_on, says_ready, stat, status};
}
