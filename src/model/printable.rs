//! Words of a file, a command line or the environment, as they are shown in a message.

use std::fmt::{self, Display, Write};

/// The longest word that is shown whole, in characters.
#[cfg(feature = "config")]
const SHOWN_CHARACTERS: usize = 60;

/// A word on one line, cut if it is long.
#[cfg(feature = "config")]
pub(crate) fn shown(word: &str) -> String {
    let mut shown = String::new();
    for (count, character) in word.chars().enumerate() {
        if count == SHOWN_CHARACTERS {
            shown.push('…');
            break;
        }
        let _ = write_printable(&mut shown, character);
    }
    shown
}

/// A text on one line, whole.
#[cfg(feature = "config")]
pub(crate) fn printable(text: &str) -> String {
    OneLine(&text).to_string()
}

/// Whether a character would break or garble a line.
pub(crate) fn is_unprintable(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

/// A message on one line, whatever variables, file names and files it quotes.
pub(crate) struct OneLine<'m>(pub(crate) &'m dyn Display);

impl Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

/// Passes a text on with its unprintable characters escaped.
struct Escaping<'f, 'b>(&'f mut fmt::Formatter<'b>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|character| write_printable(self.0, character))
    }
}

fn write_printable(to: &mut impl Write, character: char) -> fmt::Result {
    if is_unprintable(character) { write!(to, "{}", character.escape_default()) } else { to.write_char(character) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_stays_on_one_line() {
        let word = "a\nb\tc\u{1b}[2J\u{85}\u{2028}ä›";
        assert_eq!(OneLine(&format_args!("-- {word}")).to_string(), "-- a\\nb\\tc\\u{1b}[2J\\u{85}\\u{2028}ä›");
    }
}
