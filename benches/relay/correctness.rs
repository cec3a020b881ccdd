//! Checks that every byte that is relayed arrives.

use crate::contenders::{Contender, Way};
use crate::processes::Running;
use crate::producer::{END, Lines};
use crate::{LENGTHS, Lab, Result};

/// How many bytes are checked for each length of line.
const BYTES: usize = 4 * 1024 * 1024;

pub fn check(lab: &Lab) -> Result<()> {
    for contender in &lab.contenders {
        for length in LENGTHS {
            let lines = Lines { length, count: BYTES / length };
            let mut arrived = Vec::new();
            let mut running = Running::start(lab, contender, lines)?;
            running.go()?;
            running.read_to_end_line(|bytes| arrived.extend(bytes))?;
            running.end()?;
            let mut written = Vec::new();
            lines.write(&mut written)?;
            written.extend(END);
            if !is_right(contender, length, &written, &arrived) {
                return Err(format!("{} doesn't relay lines of {length} bytes as it should", contender.name).into());
            }
        }
    }
    Ok(())
}

fn is_right(contender: &Contender, length: usize, written: &[u8], arrived: &[u8]) -> bool {
    if contender.way == Way::Copies {
        return arrived == written;
    }
    let mut left = written;
    for line in arrived.split_inclusive(|byte| *byte == b'\n') {
        let Some(line) = line.strip_prefix(contender.way.label()) else { return false };
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        left = match left.strip_prefix(line) {
            Some(rest) => rest,
            // A part of a line; its newline was added.
            None if contender.way.divides(length) && left.starts_with(text) => &left[text.len()..],
            None => return false,
        };
    }
    left.is_empty()
}
