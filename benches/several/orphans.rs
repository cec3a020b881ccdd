//! What it costs to reap orphans, beside few processes and beside many.

use crate::children::{Children, What};
use crate::contenders::Contender;
use crate::fleet::Fleet;
use crate::report::{Metric, Table};
use crate::{Lab, Result, sys};
use std::fs;
use std::thread;
use std::time::Duration;

/// How often processes are counted, and how long it may take until the last orphan is reaped.
const INTERVAL: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_secs(5);

pub fn measure(lab: &Lab, table: &mut Table) -> Result<()> {
    for turn in lab.rounds(&[1, lab.scale.many]).filter(|turn| turn.contender.reaps()) {
        turn.take(table, |table, turn| {
            let cpu = cpu_an_orphan(lab, turn.contender, turn.count)?;
            table.add(Metric::Orphan, turn.count, turn.number, cpu);
            Ok(())
        })?;
    }
    Ok(())
}

/// In microseconds.
fn cpu_an_orphan(lab: &Lab, contender: &Contender, count: usize) -> Result<f64> {
    let orphans = lab.scale.orphans;
    let mut fleet = Fleet::start(lab, contender, &Children { count, what: What::Beget(orphans) })?;
    let is_parent = |pid: &&i32| {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        words.split(|byte| *byte == 0).any(|word| word == b"beget")
    };
    let parent = *fleet.pids().iter().find(is_parent).ok_or("no process makes orphans")?;
    let before = fleet.proc().cpu()?;
    sys::signal(parent, libc::SIGUSR1)?;
    fleet.told(1)?;
    let deadline = sys::clock() + PATIENCE.as_nanos() as u64;
    while fleet.proc().children()?.len() > count {
        if sys::clock() > deadline {
            return Err(format!("{} doesn't reap all orphans", contender.name).into());
        }
        thread::sleep(INTERVAL);
    }
    let cpu = fleet.proc().cpu()? - before;
    fleet.stop()?;
    Ok(cpu as f64 / 1e3 / orphans as f64)
}
