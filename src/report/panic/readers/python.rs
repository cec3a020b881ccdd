//! Python's tracebacks.
//!
//! The same text is printed for an exception that ends the process, for one that ends a thread, for one that is ignored, and
//! for one that is caught and logged. They differ in the line before, and in the first frame: what nothing has caught comes from
//! the module that was started.

use super::super::language::{Found, Sure};
use super::super::pattern::{Pattern, group};
use super::super::text::Lines;
use crate::model::status::ExitStatus;

const HEADER: &str = "Traceback (most recent call last):";
const GROUP_HEADER: &str = "  + Exception Group Traceback (most recent call last):";
/// Between the exceptions of a chain.
const LINKS: [&str; 2] = ["The above exception was the direct cause", "During handling of the above exception"];
/// What stands before the traceback of an exception that doesn't end the process.
const NOT_FATAL: [&str; 10] = [
    "Exception ignored ",
    "Exception in thread ",
    "Exception in callback ",
    "Task exception was never retrieved",
    "future: <",
    "handle: <",
    "Error in sys.excepthook:",
    "Process ",
    "--- Logging error ---",
    "Unhandled exception in thread started by ",
];
/// The most frames of one traceback. Python leaves out those that repeat, but mutual recursion has a thousand.
const MOST_LINES: usize = 20_000;
/// The most lines of a message.
const MESSAGE_LINES: usize = 10;

pub(in super::super) fn read(lines: &Lines<'_>, _: ExitStatus) -> Option<Found> {
    traceback(lines).or_else(|| syntax(lines))
}

/// The last traceback that nothing has caught.
fn traceback(lines: &Lines<'_>) -> Option<Found> {
    let headers = lines.with("Traceback", "").into_iter().filter(|at| lines.get(*at).trim_end() == HEADER);
    let mut starts: Vec<usize> = headers.chain(lines.with(GROUP_HEADER, "")).collect();
    starts.sort_unstable();
    let mut best = None;
    // Whether the last traceback was refuted, and where it ended: the next one may be of the same chain.
    let mut before: Option<(usize, bool)> = None;
    for start in starts {
        let Some(block) = Block::new(lines, start) else { continue };
        let is_linked =
            |end: usize| (end + 1..start).any(|at| LINKS.iter().any(|link| lines.get(at).starts_with(link)));
        let is_refuted = match before {
            Some((end, is_refuted)) if start - end < 16 && is_linked(end) => is_refuted,
            _ => is_not_fatal(lines, start),
        };
        before = Some((block.cause, is_refuted));
        if !is_refuted && block.is_from_module {
            best = block.found(lines);
        }
    }
    best
}

fn is_not_fatal(lines: &Lines<'_>, start: usize) -> bool {
    let line = lines.before(start);
    NOT_FATAL.iter().any(|not| line.starts_with(not)) || is_logged(line)
}

/// Whether a line looks like one of a log with the level of an error: the traceback below was caught.
fn is_logged(line: &str) -> bool {
    ["ERROR", "CRITICAL", "WARNING"].iter().any(|level| {
        line.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == *level)
            && (line.starts_with(level) || line.starts_with(|c: char| c.is_ascii_digit() || c == '['))
    })
}

/// A traceback.
struct Block {
    /// The line that names the exception.
    cause: usize,
    is_from_module: bool,
    frames: Vec<String>,
    /// What stands before each line of a group.
    margin: &'static str,
}

impl Block {
    fn new(lines: &Lines<'_>, start: usize) -> Option<Block> {
        let margin = if lines.get(start).starts_with("  +") { "  | " } else { "" };
        let pattern = Pattern::new(r#"^  File "(?<p>.*)", line (?<n>\d+)(?:, in (?<f>.+))?$"#)?;
        let (mut frames, mut is_from_module) = (Vec::new(), None);
        for at in (start + 1..lines.len()).take(MOST_LINES) {
            let line = lines.get(at).strip_prefix(margin)?;
            if !line.starts_with(' ') && !line.is_empty() {
                frames.reverse();
                frames.truncate(super::super::frames::MOST);
                return Some(Block { cause: at, is_from_module: is_from_module.unwrap_or(true), frames, margin });
            }
            if !line.starts_with("  File ") {
                continue;
            }
            if let Some(captures) = pattern.captures(line) {
                let function = group(&captures, "f").unwrap_or("<module>");
                let place = format!("{}:{}", group(&captures, "p")?, group(&captures, "n")?);
                is_from_module.get_or_insert(function == "<module>" || place.contains("runpy"));
                frames.push(format!("{function} ({place})"));
            }
        }
        None
    }

    fn found(&self, lines: &Lines<'_>) -> Option<Found> {
        let pattern = Pattern::new(r"^(?<kind>[\w.]+)(?:: (?<message>.*))?$")?;
        let line = lines.get(self.cause).strip_prefix(self.margin)?;
        let captures = pattern.captures(line)?;
        let further = lines
            .below(self.cause, MESSAGE_LINES)
            .take_while(|line| self.margin.is_empty() && is_of_message(line) && !is_logged(line));
        let message: Vec<&str> =
            std::iter::once(group(&captures, "message").unwrap_or_default()).chain(further).collect();
        Some(Found {
            kind: group(&captures, "kind")?.to_owned(),
            message: message.join("\n"),
            thread: None,
            place: None,
            at: self.cause,
            sure: Sure::Certain,
            frames: self.frames.clone(),
        })
    }
}

/// Whether the line may belong to the message above it: notes do, too.
fn is_of_message(line: &str) -> bool {
    !line.is_empty() && !line.starts_with("Exception ignored ") && !line.starts_with("Traceback ")
}

/// A program that can't be compiled has no traceback.
fn syntax(lines: &Lines<'_>) -> Option<Found> {
    let pattern = Pattern::new(r"^(?<kind>SyntaxError|IndentationError|TabError): (?<message>.*)$")?;
    let place = Pattern::new(r#"^  File "(?<p>.*)", line (?<n>\d+)$"#)?;
    let at = ["SyntaxError: ", "IndentationError: ", "TabError: "].iter().filter_map(|kind| lines.with(kind, "").pop());
    let at = at.max()?;
    let captures = pattern.captures(lines.get(at))?;
    let above = (at.saturating_sub(4)..at).rev().find_map(|at| place.captures(lines.get(at)))?;
    Some(Found {
        kind: group(&captures, "kind")?.to_owned(),
        message: group(&captures, "message").unwrap_or_default().to_owned(),
        thread: None,
        place: super::super::marks::place_of(&above),
        at,
        sure: Sure::Certain,
        frames: Vec::new(),
    })
}
