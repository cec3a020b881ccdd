//! How long a signal takes to reach the child.

use crate::processes::Running;
use crate::report::{Metric, Table};
use crate::{Lab, Result, sys};
use std::thread;
use std::time::Duration;

/// The time between two signals, so that the wrapper sleeps when each comes, as it does in real life.
const PAUSE: Duration = Duration::from_micros(200);

pub fn measure(lab: &Lab, table: &mut Table) -> Result<()> {
    for (number, contender) in lab.rounds(lab.scale.forwarding_rounds) {
        let mut running = Running::start(lab, contender, &[c"receive"])?;
        running.told()?;
        for _ in 0..lab.scale.signals_a_round {
            thread::sleep(PAUSE);
            let sent = sys::clock();
            running.signal(libc::SIGUSR1)?;
            let latency = (running.told()? - sent) as f64 / 1e3;
            table.add(Metric::ForwardingMedian, number, latency);
            table.add(Metric::ForwardingP99, number, latency);
        }
        running.signal(libc::SIGTERM)?;
        running.end()?;
    }
    Ok(())
}
