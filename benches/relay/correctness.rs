//! Checks that every byte that is relayed arrives, and that a tail has the last of them.

use crate::contenders::{Contender, TAIL, TAIL_KIB, Way, keeping};
use crate::processes::Running;
use crate::producer::{END, Lines};
use crate::{LENGTHS, Lab, Result};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// How many bytes are checked for each length of line.
const BYTES: usize = 4 * 1024 * 1024;

pub fn check(lab: &Lab) -> Result<()> {
    for contender in &lab.contenders {
        for length in LENGTHS {
            let lines = Lines { length, count: BYTES / length };
            let mut arrived = Vec::new();
            let mut running = Running::start(lab, contender, lines.words())?;
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

/// A tail of output that comes byte by byte: all arrives, and the tail is its end.
pub fn check_tail(lab: &Lab, panicmon: &Contender, events: &Path) -> Result<()> {
    let program = panicmon.prefix.first().ok_or("panicmon has no program")?;
    let contender = Contender { name: TAIL, prefix: keeping(program.clone(), events)?, way: Way::Keeps };
    let lines = Lines { length: 10, count: lab.scale.single_bytes / 10 };
    let mut arrived = END.to_vec();
    let mut running = Running::start(lab, &contender, lines.words_byte_by_byte())?;
    running.go()?;
    running.read_to_end_line(|bytes| arrived.extend(bytes))?;
    running.end()?;
    let mut written = END.to_vec();
    lines.write(&mut written)?;
    written.extend(END);
    if arrived != written {
        return Err("a panicmon that keeps a tail doesn't relay single bytes as it should".into());
    }
    let told = fs::read_to_string(events)?;
    let exited: Value = serde_json::from_str(told.lines().last().ok_or("there is no event")?)?;
    let tail = exited["stdout_tail"].as_str().unwrap_or_default().as_bytes();
    // It begins with a whole line.
    let least = (TAIL_KIB * 1024).min(written.len()) - lines.length;
    if !written.ends_with(tail) || !(least..=TAIL_KIB * 1024).contains(&tail.len()) {
        return Err(format!("{} single bytes: the tail isn't their end", lab.scale.single_bytes).into());
    }
    Ok(())
}

fn is_right(contender: &Contender, length: usize, written: &[u8], arrived: &[u8]) -> bool {
    if matches!(contender.way, Way::Copies | Way::Keeps) {
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
