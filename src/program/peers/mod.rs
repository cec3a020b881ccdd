//! Other programs' command lines: panicmon takes their place when it is called by their names, or by `--as NAME`.
//!
//! Each reads the words and the variables of its program, and says what they mean as options of panicmon. Nothing is run
//! or looked up here. The variables `PANICMON_...` work under every name, and win.
//!
//! | file | contents |
//! |---|---|
//! | `table` | the names |
//! | `peer` | what a program is here, and what its command line asks for |
//! | `getopt` | words to options as getopt_long(3) of the GNU C library reads them |
//! | `tini`, `dumb_init`, `catatonit` | the command lines |
//! | `wishes` | what a command line asks for, added to the settings |
//! | `run` | what a run under such a name has besides: its exit statuses, its words for orphans |
//! | `pause` | `catatonit -P`: no command, it only reaps |
//! | `texts` | licence, version, name |
//!
//! What differs from those programs on purpose is listed in `tests/suite/peers`, with the reason.

mod catatonit;
mod dumb_init;
mod getopt;
pub(crate) mod pause;
pub(crate) mod peer;
pub(crate) mod run;
pub(crate) mod table;
#[cfg(test)]
mod tests;
mod texts;
mod tini;
pub(crate) mod wishes;
