//! Ruby's exceptions: the cause of one is printed below it, in the same form.

use super::super::language::{Found, Sure};
use super::super::pattern::{Pattern, group};
use super::super::text::Lines;
use crate::model::status::ExitStatus;

/// The most lines of a message.
const MESSAGE_LINES: usize = 16;
/// A thread's exception, which may end the process or not.
const OF_THREAD: &str = "#<Thread:";

/// The first exception after what threads have reported; below it are its causes. An exception of `at_exit` is printed before,
/// and then the last one twice.
pub(in super::super) fn read(lines: &Lines<'_>, _: ExitStatus) -> Option<Found> {
    let pattern = Pattern::new(
        r"^(?<p>\S.*?):(?<n>\d+):in [`'](?<f>.*?)': (?:(?<message>.*) \((?<kind>[A-Z][\w:]*)\)|(?<none>unhandled exception))$",
    )?;
    // With a message of several lines the class is at the end of the first one; Ruby 3.4 indents what follows.
    let mut candidates = lines.with("", ":in ");
    candidates.retain(|at| !lines.get(*at).starts_with(['\t', ' ']));
    let reported = lines.with(OF_THREAD, "terminated with exception").pop();
    let mut last = candidates.iter().rev().copied().filter(|at| pattern.is_match(lines.get(*at)));
    let (last, before) = (last.next()?, last.next());
    let at = match (reported, before) {
        (_, Some(before)) if lines.get(before) == lines.get(last) && reported.is_none() => last,
        // The thread's own report, and then perhaps that of the main thread.
        (Some(reported), _) => {
            candidates.iter().copied().filter(|at| *at > reported + 1).find(|at| pattern.is_match(lines.get(*at)))?
        }
        _ => candidates.iter().copied().find(|at| pattern.is_match(lines.get(*at)))?,
    };
    let captures = pattern.captures(lines.get(at))?;
    let further = lines
        .below(at, MESSAGE_LINES)
        .take_while(|line| !line.starts_with("\tfrom ") && !line.trim().is_empty() && !pattern.is_match(line));
    let message: Vec<&str> = std::iter::once(group(&captures, "message").unwrap_or_default()).chain(further).collect();
    let frame = format!("{} ({}:{})", group(&captures, "f")?, group(&captures, "p")?, group(&captures, "n")?);
    let mut found = Found {
        kind: group(&captures, "kind").unwrap_or("RuntimeError").to_owned(),
        message: message.join("\n").trim().to_owned(),
        thread: None,
        place: None,
        at,
        sure: Sure::Certain,
        frames: vec![frame],
    };
    let from = Pattern::new(r"^\tfrom (?<p>\S.*?):(?<n>\d+):in [`'](?<f>.*)'$")?;
    let frames = lines.below(at + message.len() - 1, super::super::frames::MOST);
    found.frames.extend(frames.map_while(|line| {
        let captures = from.captures(line)?;
        Some(format!("{} ({}:{})", group(&captures, "f")?, group(&captures, "p")?, group(&captures, "n")?))
    }));
    Some(found)
}
