//! Perl's last message: `boom at app.pl line 1.`, or an object that has no text.

use super::super::language::{Found, Sure};
use super::super::marks::place_of;
use super::super::pattern::{Pattern, group};
use super::super::text::Lines;
use crate::model::status::ExitStatus;
use std::io;

/// What perl says below a message, when a module can't be loaded or a program not be compiled.
const FOLLOWS: [&str; 3] = ["BEGIN failed--", "Compilation failed ", "Execution of "];

/// The last line that isn't indented. Warnings have the same form, so it has to be the last, and the status has to be 255, or
/// the number of the error that the message names: `die` exits with errno.
pub(in super::super) fn read(lines: &Lines<'_>, status: ExitStatus) -> Option<Found> {
    let pattern =
        Pattern::new(r"^(?<message>.*) at (?<p>\S*[./]\S*|-e|-) line (?<n>\d+)(?:, <\S*> (?:line|chunk) \d+)?\.$")?;
    let mut last = (0..lines.len()).rev().filter(|at| {
        let line = lines.get(*at);
        !line.trim().is_empty() && !line.starts_with('\t')
    });
    let mut at = last.next()?;
    let mut is_compiling = false;
    while FOLLOWS.iter().any(|follows| lines.get(at).starts_with(follows)) {
        is_compiling = true;
        at = last.next()?;
    }
    if let Some(object) = object(lines, at) {
        return Some(object);
    }
    let captures = pattern.captures(lines.get(at))?;
    let message = group(&captures, "message").unwrap_or_default();
    let is_told = match status {
        ExitStatus::Exited(255) => true,
        ExitStatus::Exited(code) => is_compiling || names_error(message, code),
        ExitStatus::Signaled { .. } => message.starts_with("panic: "),
    };
    let frame = Pattern::new(r"^\t(?<f>[\w:]+)\(.*\) called at (?<p>\S+) line (?<n>\d+)$")?;
    let frames = lines.below(at, super::super::frames::MOST).map_while(|line| {
        let captures = frame.captures(line)?;
        Some(format!("{} ({})", group(&captures, "f")?, place_of(&captures)?))
    });
    is_told.then(|| Found {
        kind: "die".to_owned(),
        message: message.to_owned(),
        thread: None,
        place: place_of(&captures),
        at,
        sure: Sure::Guess,
        frames: frames.collect(),
    })
}

/// `MyError=HASH(0x55d0c8a2e4b8)`, or `HASH(…)` alone: what was thrown is an object, or a reference.
fn object(lines: &Lines<'_>, at: usize) -> Option<Found> {
    let pattern =
        Pattern::new(r"^(?:(?<kind>[A-Za-z_][\w:]*)=)?(?:HASH|ARRAY|SCALAR|CODE|REF|GLOB|Regexp)\(0x[0-9a-f]+\)$")?;
    let captures = pattern.captures(lines.get(at))?;
    Some(Found {
        kind: group(&captures, "kind").unwrap_or("die").to_owned(),
        message: lines.get(at).to_owned(),
        thread: None,
        place: None,
        at,
        sure: Sure::Guess,
        frames: Vec::new(),
    })
}

/// Whether the message names the error of this number, as `$!` does.
fn names_error(message: &str, code: u8) -> bool {
    let text = io::Error::from_raw_os_error(i32::from(code)).to_string();
    text.split_once(" (os error").is_some_and(|(text, _)| message.contains(text))
}
