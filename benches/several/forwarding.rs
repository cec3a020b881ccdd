//! What it costs to forward a signal to each process.

use crate::children::Children;
use crate::contenders::Contender;
use crate::fleet::Fleet;
use crate::report::{Metric, Table};
use crate::{FEW, Lab, Result};

pub fn measure(lab: &Lab, table: &mut Table) -> Result<()> {
    for turn in lab.rounds(&[FEW, lab.scale.many]).filter(|turn| turn.contender.forwards()) {
        turn.take(table, |table, turn| {
            let cpu = cpu_a_process(lab, turn.contender, turn.count)?;
            table.add(Metric::Signal, turn.count, turn.number, cpu);
            Ok(())
        })?;
    }
    Ok(())
}

/// In microseconds.
fn cpu_a_process(lab: &Lab, contender: &Contender, count: usize) -> Result<f64> {
    let mut fleet = Fleet::start(lab, contender, &Children::waiting(count))?;
    // The first signal touches what is touched only once.
    fleet.signal(libc::SIGUSR1)?;
    fleet.told(count)?;
    let signals = lab.scale.signalled.div_ceil(count);
    let before = fleet.proc().cpu()?;
    for _ in 0..signals {
        fleet.signal(libc::SIGUSR1)?;
        fleet.told(count)?;
    }
    let cpu = fleet.proc().cpu()? - before;
    fleet.stop()?;
    Ok(cpu as f64 / 1e3 / (signals * count) as f64)
}
