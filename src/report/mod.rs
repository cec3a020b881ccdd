//! What users are told about a run: the log, the remarks between the lines of processes, and whether memory ran out.
//!
//! This floor turns what happened into words. How lines reach a stream is in `relay`; what is to be done is in `policy`.
//!
//! | file | contents |
//! |---|---|
//! | `background` | a handler on a thread of its own |
//! | `log` | events as messages of the `log` crate |
//! | `remarks` | what a supervisor says about its processes |
//! | `spelled` | durations as Go prints them |
//! | `last_words` | what is kept of a stream: the head of a death's text, and the tail |
//! | `records` | events for machines; `no_records`: where the feature is off |
//! | `hooks`, `hook_event` | commands that are run for events; an event as one of them has it |
//! | `hook` | a handler that runs a command |
//! | `recorder` | makes records for handlers |
//! | `redaction` | what is taken out of what a process has written |
//! | `panic` | what a process has died of, by its last words |
//! | `json` | handlers that write records |
//! | `metrics` | counts, for Prometheus |
//! | `oom` | whether the kernel killed the command because memory ran out |
#![forbid(unsafe_code)]

pub(crate) mod background;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
#[cfg(feature = "reports")]
pub(crate) mod hook;
pub(crate) mod hook_event;
pub(crate) mod hooks;
#[cfg(feature = "reports")]
pub(crate) mod json;
pub(crate) mod last_words;
pub(crate) mod log;
#[cfg(feature = "reports")]
pub(crate) mod metrics;
pub(crate) mod oom;
#[cfg(feature = "reports")]
pub(crate) mod panic;
#[cfg(feature = "reports")]
mod recorder;
#[cfg(feature = "reports")]
pub(crate) mod records;
#[cfg(not(feature = "reports"))]
#[path = "no_records.rs"]
pub(crate) mod records;
#[cfg(feature = "reports")]
pub(crate) mod redaction;
pub(crate) mod remarks;
pub(crate) mod spelled;
