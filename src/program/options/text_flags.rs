//! The options that print a text, and run nothing. They have no variables: an image that only printed would be of no use.

use super::completes::{Completes, Words};
use super::flag::{Flag, OPTION};
use super::flags::FLAGS;

/// A text that is asked for instead of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Text {
    /// `-h`: one screen.
    Screen,
    /// `--help`.
    Help,
    Version,
    /// The man page, in the language of troff.
    Manual,
    /// The completions of a shell.
    Completions(Shell),
}

/// A shell that completes words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    /// Reads the value of `--completions`.
    pub(super) fn read(word: &str) -> Result<Shell, String> {
        match word {
            "bash" => Ok(Shell::Bash),
            "zsh" => Ok(Shell::Zsh),
            "fish" => Ok(Shell::Fish),
            _ => Err(format!("'{word}' is none of bash, zsh and fish")),
        }
    }
}

pub(super) const HELP: &str = "help";
pub(super) const VERSION: &str = "version";
pub(super) const MAN: &str = "man";
pub(super) const COMPLETIONS: &str = "completions";

/// Every option, these among them.
pub(crate) fn all_flags() -> impl Iterator<Item = &'static Flag> {
    [FLAGS, TEXT_FLAGS].into_iter().flatten()
}

/// Every such option.
const TEXT_FLAGS: &[Flag] = &[
    Flag {
        long: COMPLETIONS,
        value: Some("SHELL"),
        completes: Completes::One(Words::These(&["bash", "zsh", "fish"])),
        help: "Print the completions of a shell: bash, zsh, fish",
        ..OPTION
    },
    Flag { long: MAN, help: "Print the man page: panicmon --man | man -l -", ..OPTION },
    Flag { long: HELP, short: Some('h'), help: "Print all options; -h prints the most used", ..OPTION },
    Flag { long: VERSION, short: Some('V'), help: "Print the version", ..OPTION },
];
