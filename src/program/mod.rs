//! The program: words to options, options to a run, its end to an exit status.
//!
//! This floor alone knows the command line, the variables, the files of a service manager, our own stdout and stderr, and
//! which exit status is whose. How a format is read is in `formats`; what happens while a command runs, in the floors below.
//!
//! | file | contents |
//! |---|---|
//! | `entry` | the start: options, then one of the files below |
//! | `options` | the command line and the variables to settings |
//! | `one`, `several` | one command; the processes of a file |
//! | `check`, `doctor` | `--check`, `--doctor`: what run nothing |
//! | `texts`, `completions` | help, version, the manual; the completions of shells |
//! | `config_file` | the file of `--config` |
//! | `peers` | the command lines of other programs, by their names |
//! | `notify`, `reload`, `systemds` | what systemd expects of its services |
//! | `failure` | the exit status of our own failures |
//! | `file_options` | what a file says of reports |
//! | `records`, `hooks` | where records of events go; what is run for them |
//! | `death` | how the command ended, where it could not tell |
//! | `tails` | how the last words of a command are had |
//! | `lines` | where the lines of commands go |
//! | `logger`, `journal`, `stderr`, `stdout` | our own messages |
#![forbid(unsafe_code)]

mod check;
mod completions;
mod config_file;
mod death;
mod doctor;
mod entry;
mod failure;
mod file_options;
#[cfg(feature = "fuzzing")]
mod fuzzing;
#[cfg(test)]
mod generated;
mod hooks;
mod journal;
mod lines;
mod logger;
mod notify;
mod one;
mod options;
mod peers;
mod records;
mod reload;
mod several;
mod stderr;
mod stdout;
mod systemds;
mod tails;
mod texts;

pub use entry::{called, main};
#[cfg(feature = "fuzzing")]
pub use fuzzing::list;
pub use stderr::no_memory;
