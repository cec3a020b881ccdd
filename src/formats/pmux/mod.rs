//! Files in pmux's format: YAML text to the configurations of processes. The public reader of the feature `config`.
//!
//! An error is addressed to the author of the file: where it is, which word, and what to write. Nothing is guessed: a word
//! is taken letter for letter, whatever YAML would make of `yes`, `0755` or `1.10`. Nothing is looked up either: a
//! program or a directory need not exist before the process is started.
//!
//! | file | contents |
//! |---|---|
//! | `read` | the entry: a file or bytes to a [`Config`] |
//! | `config`, `error` | what comes out |
//! | `top`, `process`, `reports` | the keys of the file, of one process, and of reports |
//! | `keys`, `synonyms` | their names, and what is said about an unknown one |
//! | `nodes` | words, lists and maps out of the tree |
//! | `yaml`, `marks`, `fault` | text to the tree, and what is wrong with it |

mod config;
mod error;
mod fault;
mod keys;
mod marks;
mod nodes;
mod process;
mod read;
mod reports;
mod synonyms;
#[cfg(test)]
mod tests;
mod top;
mod yaml;

pub use config::{Config, ReportOption};
pub use error::ConfigError;
#[cfg(feature = "cli")]
pub(crate) use read::read_from;
pub use read::{parse, read};
