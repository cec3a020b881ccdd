//! Why clap refuses a command line, in our words.

use super::flag::Flag;
use super::flags::FLAGS;
use super::text_flags::TEXT_FLAGS;
use crate::formats::nearest::nearest;
use crate::model::printable::printable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::ffi::OsString;

/// The message. No word of it advises to put `--` before an option: that would make the option the command.
#[cold]
pub(super) fn refused(error: &clap::Error, words: &[OsString]) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(printable(text)),
        _ => None,
    };
    let argument = context(ContextKind::InvalidArg).unwrap_or_default();
    // With `=`, or with the name of its value.
    let option = argument.split([' ', '=']).next().unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument => format!("there is no option {option}{}", advice(option, words)),
        ErrorKind::InvalidValue => {
            let value = argument.split(['<', '>']).nth(1).unwrap_or("value");
            format!("{option}: its {value} is missing; --help tells more")
        }
        ErrorKind::ArgumentConflict => format!("{option}: it is given twice: keep one"),
        ErrorKind::TooManyValues => {
            let value = context(ContextKind::InvalidValue).unwrap_or_default();
            format!("{option}: '{value}' is too much: it takes no value")
        }
        _ => error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    }
}

/// What was meant by an option that isn't there.
fn advice(option: &str, words: &[OsString]) -> String {
    let known: Vec<_> = FLAGS.iter().chain(TEXT_FLAGS).map(|flag: &Flag| flag.long).collect();
    let long = match option.strip_prefix("--") {
        Some(long) => long.to_owned(),
        // As in --drain -5s.
        None if option.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit()) => {
            return format!(": a value that begins with a hyphen goes after '=': --option={option}");
        }
        // clap names the letter alone that it doesn't know, of -doctor.
        None => match words.iter().filter_map(|word| word.to_str()).find(|word| word.starts_with(option)) {
            Some(word) => word[1..].split('=').next().unwrap_or_default().to_owned(),
            None => String::new(),
        },
    };
    let beginning: Vec<_> = known.iter().filter(|known| long.len() > 2 && known.starts_with(&long)).collect();
    let meant = match beginning[..] {
        [one] => Some(*one),
        _ if long.len() > 1 => nearest(&long, &known),
        _ => None,
    };
    match meant {
        Some(meant) => format!(": did you mean --{meant}?"),
        None if beginning.is_empty() => "; --help lists all".to_owned(),
        None => {
            format!(": did you mean one of --{}?", beginning.iter().map(|long| **long).collect::<Vec<_>>().join(", --"))
        }
    }
}
