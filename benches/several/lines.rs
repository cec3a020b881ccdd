//! What it costs to pass on a line, by the number of processes that the lines come from.

use crate::children::{Children, LINES_A_SECOND, What};
use crate::contenders::Contender;
use crate::fleet::Fleet;
use crate::report::{Metric, Table};
use crate::{Lab, Result, sys};
use std::thread;
use std::time::Duration;

pub fn measure(lab: &Lab, table: &mut Table) -> Result<()> {
    for turn in lab.rounds(lab.scale.writers).filter(|turn| turn.contender.relays() && turn.contender.takes(turn.count))
    {
        turn.take(table, |table, turn| {
            let cpu = cpu_a_line(lab, turn.contender, turn.count)?;
            table.add(Metric::Line, turn.count, turn.number, cpu);
            Ok(())
        })?;
    }
    Ok(())
}

/// In microseconds.
fn cpu_a_line(lab: &Lab, contender: &Contender, count: usize) -> Result<f64> {
    let children = Children { count, what: What::Lines };
    let fleet = Fleet::start(lab, contender, &children)?;
    // Each process has written a line, and a whole number of lines is counted.
    let period = Duration::from_micros(children.period() as u64);
    thread::sleep(period.max(Duration::from_secs(1)));
    let begin = sys::clock();
    let before = fleet.proc().cpu()?;
    thread::sleep(lab.scale.lines.max(period));
    let cpu = fleet.proc().cpu()? - before;
    let seconds = (sys::clock() - begin) as f64 / 1e9;
    fleet.stop()?;
    Ok(cpu as f64 / 1e3 / (seconds * LINES_A_SECOND as f64))
}
