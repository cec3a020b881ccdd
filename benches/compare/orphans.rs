//! What it costs to reap orphans as PID 1.

use crate::contenders::Contender;
use crate::processes::Running;
use crate::report::{Metric, Table};
use crate::{Lab, Result, sys};
use std::ffi::CString;
use std::time::Duration;

/// How often zombies are counted.
const INTERVAL: Duration = Duration::from_millis(5);

/// How long a wrapper may take to reap the last ones.
const PATIENCE: Duration = Duration::from_secs(5);

pub fn measure(lab: &Lab, table: &mut Table) -> Result<()> {
    if let Err(error) = sys::in_new_pid_namespace(|| Ok(())) {
        eprintln!("orphans are skipped: to be PID 1 of a namespace takes root: {error}");
        return Ok(());
    }
    for (number, contender) in lab.rounds(lab.scale.orphan_rounds) {
        if contender.is_wrapper() {
            let (cpu, zombies) = reap(lab, contender)?;
            table.add(Metric::OrphanCpu, number, cpu as f64 / lab.scale.orphans as f64 / 1e3);
            table.add(Metric::Zombies, number, zombies as f64);
        }
    }
    Ok(())
}

/// The wrapper's own nanoseconds from the first orphan to the last, and the most zombies seen.
fn reap(lab: &Lab, contender: &Contender) -> Result<(u64, u64)> {
    let count = CString::new(lab.scale.orphans.to_string())?;
    let mut running = sys::in_new_pid_namespace(|| Running::start(lab, contender, &[c"orphans", &count]))?;
    running.told()?;
    let wrapper = running.proc();
    let before = wrapper.cpu()?;
    let mut most = 0;
    running.go()?;
    while !running.tells_within(INTERVAL)? {
        most = most.max(wrapper.zombies()?);
    }
    running.told()?;
    let deadline = sys::clock() + PATIENCE.as_nanos() as u64;
    loop {
        let zombies = wrapper.zombies()?;
        most = most.max(zombies);
        if zombies == 0 {
            break;
        }
        if sys::clock() > deadline {
            return Err(format!("{}: {zombies} zombies stay", contender.name).into());
        }
        // The child writes nothing more: this waits.
        running.tells_within(INTERVAL)?;
    }
    let cpu = wrapper.cpu()? - before;
    running.end()?;
    Ok((cpu, most))
}
