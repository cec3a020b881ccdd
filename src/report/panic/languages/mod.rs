//! The tables of languages.
//!
//! | file | contents |
//! |---|---|
//! | `ends` | the ends that several languages have |
//! | `machine` | languages that are compiled to the machine's code, close to it |
//! | `compiled` | other compiled ones |
//! | `hosted` | those of JavaScript engines, the JVM, .NET and BEAM |
//! | `scripts` | scripting languages |
//! | `lisps` | Lisps, Prolog, Forth |

mod compiled;
mod ends;
mod hosted;
mod lisps;
mod machine;
mod scripts;

use super::language::Language;

/// Every language. Of two that find the same line, the first one counts.
pub(super) fn all() -> impl Iterator<Item = &'static Language> {
    [machine::LANGUAGES, compiled::LANGUAGES, hosted::LANGUAGES, scripts::LANGUAGES, lisps::LANGUAGES]
        .into_iter()
        .flatten()
}
