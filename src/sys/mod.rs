//! Every system call that the standard library doesn't make, and all `unsafe`, behind safe functions: one concern, one file.
//!
//! A function here does one thing to the system and says how it went. What is done when, and to which process, is decided
//! above: nothing here reads options, keeps a plan, or prints but to the log. Values that other floors speak of are in
//! `model`.
//!
//! | file | what it wraps |
//! |---|---|
//! | `bell` | what one thread or process says to another: eventfd(2) |
//! | `capability` | what this process is allowed: capget(2) |
//! | `cgroup` | the cgroup this process is in, and what it counts |
//! | `clock` | clocks: clock_gettime(2) |
//! | `container` | the number of the container this process is in |
//! | `core_file` | where the kernel has put a core |
//! | `default_action`, `awaited` | whether another process leaves a signal to its default action; or fetches it itself |
//! | `descendants` | the processes that descend from this one, and signals to them alone |
//! | `directory` | the names in a directory |
//! | `entry`, `allocator` | the C `main` of the program, and its memory; no part of the library |
//! | `fd` | opening and closing descriptors by their numbers |
//! | `file_tail` | the last bytes of a file that the child writes to |
//! | `fork` | a process with a copy of this one's memory |
//! | `fuzzing` | its readers, for the targets in fuzz/ |
//! | `inherited` | letting go of what this process was started with |
//! | `keepers` | children of this process that have nothing to do with the command |
//! | `kernel_text` | texts of /proc and of cgroups |
//! | `last_kill` | killing what descends from this process where that must end at once |
//! | `limit` | limits changed, and given back to children: prlimit(2) |
//! | `memory_file` | a file in memory for a child to read: memfd_create(2) |
//! | `notify` | the notification socket of a service manager |
//! | `orders` | orders from other threads |
//! | `outbox` | lines to be written, kept until they are taken |
//! | `output` | writing without waiting for a reader |
//! | `own_file` | files of ours where others may write |
//! | `pidfd` | a descriptor of a process |
//! | `pipe` | pipes from children |
//! | `poll` | waiting until descriptors are ready: ppoll(2) |
//! | `ready` | the kernel keeps track of many of them: epoll(7) |
//! | `private_fds` | descriptors that children don't get a copy of |
//! | `proc_fs` | reading /proc: processes and mounts |
//! | `process` | this process: its number, its parent's death, its orphans |
//! | `processor_time` | whether a process was killed at the limit of its processor time |
//! | `raw` | a system call that touches no `errno` |
//! | `regular_file` | reading a file that may be anything |
//! | `screen` | the terminal that a text is shown on |
//! | `shared_memory` | memory shared with a child that has none of ours: mmap(2) |
//! | `signals` | masks, dispositions, passing signals on, the sources they come from, those sent to oneself |
//! | `spawn` | clone(2), and what the child does between clone and exec |
//! | `terminal` | the controlling terminal, its foreground process group, its modes |
//! | `trial` | trying what a command's life depends on |
//! | `user` | which user and groups a process has |
//! | `wait` | waitid(2) with resource usage |
#![allow(unsafe_code)]

mod awaited;
pub(crate) mod bell;
#[cfg(feature = "cli")]
pub(crate) mod capability;
pub(crate) mod cgroup;
pub(crate) mod clock;
#[cfg(feature = "reports")]
pub(crate) mod container;
#[cfg(feature = "reports")]
pub(crate) mod core_file;
pub(crate) mod default_action;
pub(crate) mod descendants;
pub(crate) mod directory;
pub(crate) mod fd;
#[cfg(feature = "reports")]
pub(crate) mod file_tail;
mod fork;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
pub(crate) mod inherited;
mod keepers;
mod kernel_text;
#[cfg(feature = "cli")]
pub(crate) mod last_kill;
pub(crate) mod limit;
pub(crate) mod memory_file;
pub(crate) mod notify;
pub(crate) mod orders;
pub(crate) mod outbox;
pub(crate) mod output;
#[cfg(feature = "reports")]
pub(crate) mod own_file;
mod pidfd;
pub(crate) mod pipe;
pub(crate) mod poll;
pub(crate) mod private_fds;
pub(crate) mod proc_fs;
pub(crate) mod process;
#[cfg(feature = "reports")]
pub(crate) mod processor_time;
pub(crate) mod raw;
pub(crate) mod ready;
#[cfg(feature = "config")]
pub(crate) mod regular_file;
#[cfg(feature = "cli")]
pub(crate) mod screen;
mod shared_memory;
pub(crate) mod signals;
pub(crate) mod spawn;
pub(crate) mod terminal;
#[cfg(test)]
pub(crate) mod test_filter;
#[cfg(feature = "cli")]
pub(crate) mod trial;
pub(crate) mod user;
pub(crate) mod wait;
