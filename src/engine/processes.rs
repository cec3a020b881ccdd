//! How processes that a run has left behind are named in messages.

use crate::sys::descendants::Descendant;
use std::fmt;

/// How many processes are named in one message, or have a message of their own.
pub(super) const MOST_NAMED: usize = 10;

impl fmt::Display for Descendant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pid {} ({})", self.pid, self.name)
    }
}

/// Their number, and their names.
pub(super) struct Processes<'a>(pub(super) &'a [&'a Descendant]);

impl fmt::Display for Processes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        write!(f, "{count} process{} (", if count == 1 { "" } else { "es" })?;
        for (at, process) in self.0.iter().take(MOST_NAMED).enumerate() {
            write!(f, "{}{}", if at > 0 { ", " } else { "" }, process.name)?;
        }
        if count > MOST_NAMED {
            write!(f, ", …")?;
        }
        f.write_str(")")
    }
}
