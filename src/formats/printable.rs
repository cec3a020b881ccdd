//! Words of a file or a command line, as they are shown in a message.

/// The longest word that is shown whole, in characters.
const SHOWN_CHARACTERS: usize = 60;

/// A word on one line, cut if it is long.
pub(crate) fn shown(word: &str) -> String {
    let mut shown = String::new();
    for (count, character) in word.chars().enumerate() {
        if count == SHOWN_CHARACTERS {
            shown.push('…');
            break;
        }
        push(&mut shown, character);
    }
    shown
}

/// A text on one line, whole.
pub(crate) fn printable(text: &str) -> String {
    text.chars().fold(String::new(), |mut shown, character| {
        push(&mut shown, character);
        shown
    })
}

/// Whether a character would break or garble a line.
pub(crate) fn is_unprintable(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

fn push(shown: &mut String, character: char) {
    if is_unprintable(character) {
        shown.extend(character.escape_default());
    } else {
        shown.push(character);
    }
}
