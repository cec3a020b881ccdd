//! The one loop: it waits, asks `policy` what to do, and does it.
//!
//! One child, run once, is the same as many, run again and again. Only the order of things is decided here, and in `finish`
//! how long the end of a run may take.
//!
//! | file | contents |
//! |---|---|
//! | `run` | what a run consists of, and how it stands |
//! | `task` | one of its processes, from the first start to the last end |
//! | `tasks`, `ends` | all of them, and which there is something to do for; whose children have ended |
//! | `outcome` | how the run ended |
//! | `event_loop` | wait and dispatch |
//! | `start` | starts what is due |
//! | `incoming` | a signal came, or an order from another thread |
//! | `act` | does what a lifecycle wants |
//! | `reap` | children that ended, stopped or were continued |
//! | `reap_many` | the same where they are many |
//! | `observe`, `observed` | a child is looked at before it is reaped; what was seen |
//! | `notify` | what a command tells its service manager |
//! | `drain`, `leftovers`, `cleanup` | what runs leave behind is ended; is told; and the state of both |
//! | `abandon` | the run is given up by an error |
//! | `hooks` | commands that are run for events, among what else the loop does |
//! | `processes` | how those processes are named in messages |
//! | `finish` | the end: the last is written, and passed on, or given up |
//!
//! Types are in files of their own; the other files are `impl Run` blocks, which use the types and not each other.
#![forbid(unsafe_code)]

mod abandon;
mod act;
mod cleanup;
mod drain;
mod ends;
mod event_loop;
mod finish;
mod hooks;
mod incoming;
mod leftovers;
mod notify;
mod observe;
mod observed;
pub(crate) mod outcome;
mod processes;
mod reap;
mod reap_many;
pub(crate) mod run;
mod start;
pub(crate) mod task;
pub(crate) mod tasks;
