//! What a wrapper uses while nothing happens.

use crate::processes::Running;
use crate::report::{Metric, Table};
use crate::{Lab, Result};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::thread;
use std::time::Duration;

/// The time for the work that wrappers do after the child's start.
const SETTLING: Duration = Duration::from_millis(300);

pub fn measure(lab: &Lab, table: &mut Table) -> Result<()> {
    let mut all = Vec::new();
    for (number, contender) in lab.contenders.iter().enumerate().filter(|(_, contender)| contender.is_wrapper()) {
        let mut running = Running::start(lab, contender, &[c"sleep"])?;
        running.told()?;
        all.push((number, running));
    }
    thread::sleep(SETTLING);
    let mut before = Vec::new();
    for (_, running) in &all {
        before.push((running.proc().switches()?, running.proc().cpu()?));
    }
    thread::sleep(lab.scale.idle);
    for ((number, running), (switches, cpu)) in all.iter().zip(before) {
        table.add(Metric::IdleSwitches, *number, (running.proc().switches()? - switches) as f64);
        table.add(Metric::IdleCpu, *number, (running.proc().cpu()? - cpu) as f64 / 1e3);
    }
    for (number, running) in all {
        let (resident, private) = running.proc().memory()?;
        table.add(Metric::Resident, number, resident as f64);
        table.add(Metric::Private, number, private as f64);
        table.add(Metric::Threads, number, running.proc().threads()?.len() as f64);
        table.add(Metric::Descriptors, number, running.proc().descriptors()? as f64);
        let program = OsStr::from_bytes(lab.contenders[number].prefix[0].as_bytes());
        table.add(Metric::Size, number, fs::metadata(program)?.len() as f64 / 1024.0);
        running.end()?;
    }
    Ok(())
}
