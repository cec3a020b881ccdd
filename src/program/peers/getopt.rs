//! Words to options as getopt(3) and getopt_long(3) of the GNU C library read them, which these programs use.

use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;

/// The options that a program knows.
pub(super) struct Syntax {
    /// Each short option; one with a colon behind it takes a value.
    pub(super) short: &'static str,
    /// Each long option, and the short one that it stands for. Empty: the program has none, and `--x` is a bundle of `-` and
    /// `x`.
    pub(super) long: &'static [(&'static str, char)],
    /// Options may stand behind the first word that is none. The first `--` goes wherever it stands.
    pub(super) permutes: bool,
}

/// What the words say, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Option(char, Option<&'static OsStr>),
    /// It can't be read: why, in getopt's words.
    Wrong(String),
}

/// The options, up to the first that can't be read, and the words that are none.
pub(super) struct Read {
    pub(super) items: Vec<Item>,
    pub(super) operands: Vec<&'static CStr>,
}

/// Reads the words behind the program's name.
pub(super) fn read(syntax: &Syntax, name: &OsStr, words: &[&'static CStr]) -> Read {
    let mut reader = Reader { syntax, name, rest: words, items: Vec::new() };
    let mut operands = Vec::new();
    while let Some((word, rest)) = reader.rest.split_first() {
        let bytes = word.to_bytes();
        reader.rest = rest;
        match bytes {
            b"--" => break,
            [b'-', b'-', long @ ..] if !syntax.long.is_empty() => reader.long(long),
            [b'-', bundle @ ..] if !bundle.is_empty() => reader.bundle(bundle),
            _ if syntax.permutes => operands.push(*word),
            _ => {
                operands.push(*word);
                break;
            }
        }
        if let Some(Item::Wrong(_)) = reader.items.last() {
            break;
        }
    }
    operands.extend_from_slice(reader.rest);
    Read { items: reader.items, operands }
}

struct Reader<'a> {
    syntax: &'a Syntax,
    name: &'a OsStr,
    rest: &'a [&'static CStr],
    items: Vec<Item>,
}

impl Reader<'_> {
    fn wrong(&mut self, why: &str) {
        self.items.push(Item::Wrong(format!("{}: {why}", self.name.display())));
    }

    /// Whether this short option takes a value. `None`: there is no such option.
    fn takes_value(&self, option: u8) -> Option<bool> {
        let short = self.syntax.short.as_bytes();
        let at = short.iter().position(|byte| *byte == option && option != b':')?;
        Some(short.get(at + 1) == Some(&b':'))
    }

    fn next_word(&mut self) -> Option<&'static OsStr> {
        let (word, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(OsStr::from_bytes(word.to_bytes()))
    }

    /// Several short options in one word; a value is the rest of it, or the next word.
    fn bundle(&mut self, bundle: &'static [u8]) {
        for (at, option) in bundle.iter().enumerate() {
            let letter = char::from(*option);
            match self.takes_value(*option) {
                None => return self.wrong(&format!("invalid option -- '{letter}'")),
                Some(false) => self.items.push(Item::Option(letter, None)),
                Some(true) => {
                    let rest = &bundle[at + 1..];
                    let value = if rest.is_empty() { self.next_word() } else { Some(OsStr::from_bytes(rest)) };
                    match value {
                        None => self.wrong(&format!("option requires an argument -- '{letter}'")),
                        value => self.items.push(Item::Option(letter, value)),
                    }
                    return;
                }
            }
        }
    }

    /// A long option, by its name or the beginning of it.
    fn long(&mut self, word: &'static [u8]) {
        let (name, value) = match word.iter().position(|byte| *byte == b'=') {
            Some(at) => (&word[..at], Some(OsStr::from_bytes(&word[at + 1..]))),
            None => (word, None),
        };
        let shown = String::from_utf8_lossy(name);
        let all = self.syntax.long;
        let exact = all.iter().find(|(long, _)| long.as_bytes() == name);
        let near: Vec<_> = all.iter().filter(|(long, _)| long.as_bytes().starts_with(name)).collect();
        let (long, letter) = match (exact, near.as_slice()) {
            (Some(found), _) => *found,
            (None, [found]) => **found,
            (None, []) => return self.wrong(&format!("unrecognized option '--{shown}'")),
            (None, several) => {
                let names: String = several.iter().map(|(long, _)| format!(" '--{long}'")).collect();
                return self.wrong(&format!("option '--{shown}' is ambiguous; possibilities:{names}"));
            }
        };
        if !self.takes_value(letter as u8).unwrap_or(false) {
            return match value {
                Some(_) => self.wrong(&format!("option '--{long}' doesn't allow an argument")),
                None => self.items.push(Item::Option(letter, None)),
            };
        }
        match value.or_else(|| self.next_word()) {
            Some(value) => self.items.push(Item::Option(letter, Some(value))),
            None => self.wrong(&format!("option '--{long}' requires an argument")),
        }
    }
}
