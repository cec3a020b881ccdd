//! All system calls, and all `unsafe`, behind safe functions.
//!
//! | file | what it wraps |
//! |---|---|
//! | `raw` | a system call that touches no `errno` |
//! | `spawn` | clone(2); what the child does between clone and exec |
//! | `capability` | what this process is allowed |
//! | `cgroup` | the cgroup this process is in, and what it counts |
//! | `descendants` | the processes that descend from this one |
//! | `fd` | descriptors of our own |
//! | `terminal` | the controlling terminal, its foreground process group, its modes |
//! | `signals` | masks, dispositions, passing signals on, the two sources they come from, and those sent to oneself |
//! | `limit` | limits changed, and given back to children |
//! | `notify` | the notification socket of a service manager |
//! | `orders` | orders from other threads |
//! | `output` | writing without waiting for a reader |
//! | `pipe` | pipes from children |
//! | `poll` | ppoll(2): the one place where this process waits |
//! | `shared_memory` | memory shared with a child that has none of ours |
//! | `user` | who a process is: user and groups |
//! | `wait` | waitid(2) with resource usage |
//! | `process` | getpid(2), prctl(2), and letting go of what was inherited |
//! | `entry` | the C `main` of the programs; no part of the library |
#![allow(unsafe_code)]

#[cfg(feature = "cli")]
pub(crate) mod capability;
#[cfg(feature = "cli")]
pub(crate) mod cgroup;
pub(crate) mod default_action;
pub(crate) mod descendants;
pub(crate) mod fd;
pub(crate) mod inherited;
mod keepers;
pub(crate) mod limit;
pub(crate) mod notify;
pub(crate) mod orders;
pub(crate) mod output;
mod pidfd;
pub(crate) mod pipe;
pub(crate) mod poll;
pub(crate) mod proc_fs;
pub(crate) mod process;
pub(crate) mod raw;
#[cfg(feature = "config")]
pub(crate) mod regular_file;
mod shared_memory;
pub(crate) mod signals;
pub(crate) mod spawn;
pub(crate) mod terminal;
pub(crate) mod user;
pub(crate) mod wait;
