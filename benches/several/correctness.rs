//! Checks that what the processes write arrives, from each of them.

use crate::children::{Children, What};
use crate::fleet::Fleet;
use crate::{FEW, Lab, Result, sys};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, pipe};
use std::os::fd::AsFd;
use std::time::Duration;

const LINE: &str = "a line of some forty bytes, as they are";

/// A contender that passes nothing on for this long hangs.
const PATIENCE: Duration = Duration::from_secs(20);

pub fn check(lab: &Lab) -> Result<()> {
    let children = Children { count: FEW, what: What::Lines };
    for contender in lab.contenders.iter().filter(|contender| contender.relays()) {
        let (reader, stdout) = pipe()?;
        let fleet = Fleet::start_writing_to(lab, contender, &children, stdout.as_fd())?;
        drop(stdout);
        let mut lines = BufReader::new(reader);
        let mut seen = BTreeSet::new();
        let mut count = 0;
        while count < 10 * FEW || (contender.labels() && seen.len() < FEW) {
            if lines.buffer().is_empty() && !sys::is_readable(lines.get_ref().as_fd(), PATIENCE)? {
                return Err(format!("{} passes nothing on", contender.name).into());
            }
            let mut line = String::new();
            lines.read_line(&mut line)?;
            let Some(label) = line.strip_suffix('\n').and_then(|line| line.strip_suffix(LINE)) else {
                // foreman speaks of its own processes in between.
                if contender.is_ours() {
                    return Err(format!("{} relays '{line}'", contender.name).into());
                }
                continue;
            };
            count += 1;
            if contender.labels() {
                seen.extend(label.split_whitespace().find(|word| word.starts_with('p')).map(String::from));
            }
        }
        drop(fleet);
    }
    Ok(())
}
