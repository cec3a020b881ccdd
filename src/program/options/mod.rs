//! The options: from words and variables to [`Settings`](settings::Settings).
//!
//! Everything that is known of an option is in its entry of `flags`; no other file has a list of options. Reading them
//! touches nothing: looking up users, opening files and warning is for the run.
//!
//! | file | contents |
//! |---|---|
//! | `flags`, `report_flags`, `flag` | the table, its entries for reports, and what an entry is |
//! | `text_flags`, `help` | the options that print a text; `-h` and `--help` |
//! | `completes` | what shells complete values with |
//! | `settings` | what comes out: a field for each option |
//! | `parse` | words and variables to settings; `words`: the part of clap, `refused`: what it refuses |
//! | `values` | the value of an option to what it means |
//! | `variables` | the variables `PANICMON_...`, and misspelt ones |
//! | `together` | options that don't go together |
//! | `name_of` | what an option was given by |

pub(crate) mod completes;
pub(crate) mod flag;
pub(crate) mod flags;
pub(crate) mod help;
mod name_of;
pub(crate) mod parse;
mod refused;
mod report_flags;
pub(crate) mod settings;
#[cfg(test)]
mod tests;
pub(crate) mod text_flags;
mod together;
pub(crate) mod values;
pub(crate) mod variables;
pub(crate) mod words;
