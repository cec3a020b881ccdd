//! How long a line is on its way.

use crate::contenders::Contender;
use crate::processes::Running;
use crate::producer::{self, TELL_TIME};
use crate::report::{Metric, Table};
use crate::{Lab, Result, samples, sys};
use std::ffi::CString;

/// The column of the table.
pub const TIMED: usize = 100;

pub fn measure(lab: &Lab, table: &mut Table) -> Result<()> {
    for number in samples::rounds(lab.scale.rounds, lab.contenders.len()) {
        let contender = &lab.contenders[number];
        for delay in delays(lab, contender)? {
            table.add(TIMED, Metric::Delay, number, delay);
        }
    }
    Ok(())
}

/// From the moment before the producer writes a line until it is read, in microseconds.
fn delays(lab: &Lab, contender: &Contender) -> Result<Vec<f64>> {
    let mut running = Running::start(lab, contender, [CString::new(TELL_TIME)?])?;
    let mut delays = Vec::new();
    for _ in 0..lab.scale.timed_lines {
        // As in real life, it sleeps when a line comes.
        running.proc().sleeps()?;
        running.go()?;
        let line = running.read_line()?;
        let arrived = sys::clock();
        let line = line.strip_prefix(contender.way.label()).ok_or("a line has no label")?;
        delays.push((arrived - producer::time(line)?) as f64 / 1e3);
    }
    running.end()?;
    Ok(delays)
}
