//! What it costs to start a command through a wrapper.

use crate::processes::{self, Running};
use crate::report::{Metric, Table};
use crate::{Lab, Result, sys};

pub fn measure(lab: &Lab, table: &mut Table) -> Result<()> {
    for (number, contender) in lab.rounds(lab.scale.startup_rounds) {
        let run = processes::run(lab, contender, &[c"noop"])?;
        table.add(Metric::Startup, number, run.nanoseconds as f64 / 1e3);
        table.add(Metric::Faults, number, run.ended.minor_faults as f64);
    }
    for (number, contender) in lab.rounds(lab.scale.startup_rounds) {
        let begin = sys::clock();
        let mut running = Running::start(lab, contender, &[c"clock"])?;
        let first_instruction = running.told()?;
        table.add(Metric::FirstInstruction, number, (first_instruction - begin) as f64 / 1e3);
        running.end()?;
    }
    Ok(())
}
