//! How many lines a contender relays, and what that costs.

use crate::contenders::Contender;
use crate::processes::Running;
use crate::producer::Lines;
use crate::report::{Metric, Table};
use crate::{Lab, Result, samples, sys};

/// The first try, in bytes.
const LEAST: usize = 1024 * 1024;

pub fn measure(lab: &Lab, length: usize, table: &mut Table) -> Result<()> {
    let mut amounts = Vec::new();
    for contender in &lab.contenders {
        amounts.push(amount(lab, contender, length)?);
    }
    for number in samples::rounds(lab.scale.rounds, lab.contenders.len()) {
        let lines = amounts[number];
        let run = relay(lab, &lab.contenders[number], lines)?;
        let mut add = |metric, sample| table.add(length, metric, number, sample);
        add(Metric::Megabytes, lines.bytes() as f64 / run.seconds / 1e6);
        add(Metric::Lines, lines.count as f64 / run.seconds);
        add(Metric::Cpu, run.cpu as f64 / lines.count as f64);
        add(Metric::Peak, run.peak as f64);
        add(Metric::Added, run.added as f64);
    }
    Ok(())
}

/// How many lines this contender relays in about the time of a round. With the same number for all, a fast one would end
/// before a slow one has begun.
fn amount(lab: &Lab, contender: &Contender, length: usize) -> Result<Lines> {
    let goal = lab.scale.time.as_secs_f64();
    let mut lines = Lines { length, count: LEAST / length };
    loop {
        let seconds = relay(lab, contender, lines)?.seconds;
        if seconds > goal / 4.0 {
            let count = (lines.count as f64 * goal / seconds).ceil() as usize;
            return Ok(Lines { length, count });
        }
        lines.count *= 3;
    }
}

struct Run {
    seconds: f64,
    /// The contender's own, in nanoseconds.
    cpu: u64,
    /// The most memory it had, in KiB.
    peak: u64,
    /// How much of it came while it relayed.
    added: u64,
}

fn relay(lab: &Lab, contender: &Contender, lines: Lines) -> Result<Run> {
    let mut running = Running::start(lab, contender, lines.words())?;
    let proc = running.proc();
    let at_start = proc.peak()?;
    let mut bytes = 0;
    let cpu = proc.cpu()?;
    let begin = sys::clock();
    running.go()?;
    running.read_to_end_line(|arrived| bytes += arrived.len())?;
    let seconds = (sys::clock() - begin) as f64 / 1e9;
    let peak = proc.peak()?;
    let run = Run { seconds, cpu: proc.cpu()? - cpu, peak, added: peak - at_start };
    running.end()?;

    let expected = contender.way.bytes(lines);
    if bytes < expected || (bytes > expected && !contender.way.divides(lines.length)) {
        return Err(format!("{}: {bytes} bytes arrived, not {expected}", contender.name).into());
    }
    Ok(run)
}
