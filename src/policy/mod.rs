//! Pure decisions: what to do next, given what happened.
//!
//! State machines that are told what happened and say what is to be done. No system call, no clock of their own, no output:
//! tables and random sequences test them.
#![forbid(unsafe_code)]

pub(crate) mod backoff;
pub(crate) mod child;
pub(crate) mod drain;
pub(crate) mod forwarding;
pub(crate) mod job_control;
pub(crate) mod leftovers;
pub(crate) mod reload;
pub(crate) mod restart;
pub(crate) mod stop;
