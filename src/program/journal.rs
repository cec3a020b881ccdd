//! The journal: systemd-journald takes `<N>` at the start of a line for its priority (sd-daemon(3)).

use crate::sys::output;
use log::Level;
use std::fmt::{self, Display};
use std::io;
use std::sync::OnceLock;

/// The variable by which systemd tells its services the stream that goes to the journal: systemd.exec(5).
const STREAM: &str = "JOURNAL_STREAM";

/// The device and inode of the stream that goes to the journal, if there is one.
pub(crate) fn stream() -> Option<(u64, u64)> {
    parse(std::env::var_os(STREAM)?.to_str()?)
}

fn parse(value: &str) -> Option<(u64, u64)> {
    let (device, inode) = value.split_once(':')?;
    Some((device.parse().ok()?, inode.parse().ok()?))
}

/// Whether our stderr goes to the journal. The variable alone doesn't say so: processes inherit it whose streams go
/// elsewhere.
fn is_stderr() -> bool {
    static IS_STDERR: OnceLock<bool> = OnceLock::new();
    *IS_STDERR.get_or_init(|| stream().is_some_and(|stream| output::identity(io::stderr()) == Some(stream)))
}

/// A message of ours as it goes to stderr: to the journal with its priority, which the journal shows; elsewhere with its
/// level, if that is wanted.
pub(crate) struct Message<'m> {
    pub(crate) level: Level,
    pub(crate) shows_level: bool,
    pub(crate) text: &'m dyn Display,
}

impl Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_stderr() {
            return f.write_str(&with_priority(self.level, &self.text.to_string()));
        }
        match self.shows_level {
            true => writeln!(f, "panicmon: {}: {}", self.level.as_str().to_lowercase(), self.text),
            false => writeln!(f, "panicmon: {}", self.text),
        }
    }
}

/// Each line of a text with its priority: the journal makes an entry of each.
fn with_priority(level: Level, text: &str) -> String {
    let priority = match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    };
    let mut lines = text.lines();
    let first = format!("<{priority}>panicmon: {}\n", lines.next().unwrap_or_default());
    lines.fold(first, |all, line| format!("{all}<{priority}>{line}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_a_device_and_an_inode() {
        assert_eq!(parse("8:12345"), Some((8, 12345)));
        for wrong in ["", ":", "8", "8:", ":1", "8:1:2", "8:-1", "x:1"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_line_has_its_priority_and_the_first_our_name() {
        assert_eq!(with_priority(Level::Warn, "a\nb"), "<4>panicmon: a\n<4>b\n");
        assert_eq!(with_priority(Level::Error, ""), "<3>panicmon: \n");
    }
}
