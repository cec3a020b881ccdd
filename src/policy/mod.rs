//! Pure decisions: what to do next, given what happened.
//!
//! State machines: they are told what happened, and say what is to be done. They make no system call, have no clock of
//! their own and print nothing, so tables and random sequences can test them.
//!
//! | file | what it decides |
//! |---|---|
//! | `child` | what is done next with a child; with `action`, the list of what can be done |
//! | `own`, `stop` | whose signal it is; whether it is a stop |
//! | `forwarding`, `delays`, `held` | what is sent instead; when; and what waits for room |
//! | `undecided`, `kept` | what waits until it is known whether the child would die of it; and what waits for the next child |
//! | `group`, `job_control`, `stopped` | who gets the terminal's signals; who has the terminal; who is stopped, as by ^Z |
//! | `kill`, `requests` | when the child is killed; whether its end was asked for |
//! | `restart`, `backoff` | when a process is started, and how long that waits |
//! | `drain`, `leftovers` | how what a run leaves behind is ended; what is told of it |
//! | `exit` | which exit status an end is mapped to (`--exit`) |
//! | `reload` | what a reload by the service manager means for the command |
//! | `turns` | whose turn it is, where only a few may run at once: hooks |
#![forbid(unsafe_code)]

pub(crate) mod action;
pub(crate) mod backoff;
pub(crate) mod child;
pub(crate) mod delays;
pub(crate) mod drain;
pub(crate) mod exit;
pub(crate) mod forwarding;
pub(crate) mod group;
pub(crate) mod held;
pub(crate) mod job_control;
pub(crate) mod kept;
pub(crate) mod kill;
pub(crate) mod leftovers;
pub(crate) mod looks;
pub(crate) mod oom;
pub(crate) mod own;
pub(crate) mod reload;
pub(crate) mod requests;
pub(crate) mod restart;
pub(crate) mod stop;
pub(crate) mod stopped;
pub(crate) mod turns;
pub(crate) mod undecided;
