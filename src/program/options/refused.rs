//! Why clap refuses a command line, in our words.

use super::text_flags::all_flags;
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
    let name = argument.trim_start_matches('-');
    let hyphens = argument.len() - name.len();
    // Of -= it is the name.
    let end = name.char_indices().skip(1).find(|(_, c)| matches!(c, ' ' | '=')).map_or(name.len(), |(at, _)| at);
    let option = &argument[..hyphens + end];
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
    // As in --drain -5s.
    if option.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit()) {
        return format!(": a value that begins with a hyphen goes after '=': --option={option}");
    }
    // clap names the letter alone that it doesn't know, of -doctor.
    let long = option.strip_prefix("--").map_or_else(|| word_with(option, words), str::to_owned);
    let is_beginning = |of: &str| !long.is_empty() && of.starts_with(&long);
    // Of a few letters it is told what they begin, if that is one option; behind one hyphen they may be letters of their own.
    let is_short = long.len() <= 2;
    let is_told = if is_short { option.starts_with("--") && is_alone(&is_beginning) } else { true };
    let mut known = Vec::new();
    let mut beginning = String::new();
    let mut count = 0;
    for flag in all_flags() {
        known.push(flag.long);
        if is_told && is_beginning(flag.long) {
            let between = if count == 0 { "" } else { ", " };
            beginning += &format!("{between}--{}", flag.long);
            count += 1;
        }
    }
    match (count, nearest(&long, &known).filter(|_| long.len() > 1)) {
        (1, _) => format!(": did you mean {beginning}?"),
        (_, Some(meant)) => format!(": did you mean --{meant}?"),
        (0, None) => "; --help lists all".to_owned(),
        (_, None) => format!(": did you mean one of {beginning}?"),
    }
}

/// Whether it holds for one option.
fn is_alone(holds: &dyn Fn(&str) -> bool) -> bool {
    all_flags().filter(|flag| holds(flag.long)).count() == 1
}

/// The word that this letter is the beginning of, without hyphen and value.
fn word_with(letter: &str, words: &[OsString]) -> String {
    for word in words {
        if let Some(rest) = word.to_str().filter(|word| word.starts_with(letter)) {
            return rest[1..].split('=').next().unwrap_or_default().to_owned();
        }
    }
    String::new()
}
