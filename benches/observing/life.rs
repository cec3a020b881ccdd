//! What is measured of a life: the start, further starts, signals, the end, the status, the bytes of both streams.

use crate::contenders::{Contender, Patience};
use crate::processes::Running;
use crate::programs::environment;
use crate::report::Metric;
use crate::sys::{self, Process, Stdio};
use crate::traps::Traps;
use crate::{Lab, Result, speaker};
use std::io::{Read, pipe};
use std::os::fd::AsFd;
use std::thread;

/// A command receives signals, and ends when it is asked to.
pub fn obeys(lab: &Lab, contender: &Contender, traps: &Traps, mut add: impl FnMut(Metric, f64)) -> Result<()> {
    traps.set()?;
    let begin = sys::clock();
    let mut running = Running::start(lab, contender, &[c"receive"])?;
    add(Metric::Start, (running.told()? - begin) as f64 / 1e3);
    traps.spring()?;
    for _ in 0..lab.scale.signals_a_round {
        // As in real life, it sleeps when a signal comes.
        running.proc().sleeps()?;
        let sent = sys::clock();
        running.signal(libc::SIGUSR1)?;
        let latency = (running.told()? - sent) as f64 / 1e3;
        add(Metric::Median, latency);
        add(Metric::P99, latency);
    }
    let asked = sys::clock();
    running.signal(libc::SIGTERM)?;
    running.end()?;
    add(Metric::End, (sys::clock() - asked) as f64 / 1e6);
    Ok(())
}

/// A command starts and ends one time after the other: now the processor's caches hold what a start needs.
pub fn starts(lab: &Lab, contender: &Contender, mut add: impl FnMut(Metric, f64)) -> Result<()> {
    // Each end of the others would take a second.
    if contender.patience == Patience::None {
        for _ in 0..lab.scale.starts_a_round {
            let begin = sys::clock();
            let mut running = Running::start(lab, contender, &[c"clock"])?;
            add(Metric::Again, (running.told()? - begin) as f64 / 1e3);
            running.end()?;
        }
    }
    Ok(())
}

/// A command writes to both streams, and fails.
pub fn fails(lab: &Lab, contender: &Contender, traps: &Traps, mut add: impl FnMut(Metric, f64)) -> Result<()> {
    traps.set()?;
    let words = contender.command(lab, &lab.speaker, &[c"speak"]);
    let (mut stdout, writer) = pipe()?;
    let (mut stderr, error_writer) = pipe()?;
    let begin = sys::clock();
    let process =
        Process::start(&words, &environment(), Stdio(lab.null.as_fd(), writer.as_fd(), error_writer.as_fd()))?;
    drop((writer, error_writer));
    let errors = thread::spawn(move || {
        let mut text = Vec::new();
        stderr.read_to_end(&mut text).map(|_| text)
    });
    let mut output = Vec::new();
    stdout.read_to_end(&mut output)?;
    let ended = process.wait()?;
    add(Metric::Failure, (sys::clock() - begin) as f64 / 1e6);
    traps.spring()?;

    let name = contender.name;
    if ended.code != Some(speaker::CODE) {
        return Err(format!("{name}: the status is {:?}, not {}", ended.code, speaker::CODE).into());
    }
    if output != speaker::text("stdout") {
        return Err(format!("{name}: stdout isn't what the command has written").into());
    }
    let errors = errors.join().map_err(|_| "the reader of stderr panicked")??;
    let own = |line: &&[u8]| !line.starts_with(b"panicmon: ");
    if errors.split_inclusive(|byte| *byte == b'\n').filter(own).collect::<Vec<_>>().concat() != speaker::text("stderr")
    {
        return Err(format!("{name}: stderr isn't what the command has written").into());
    }
    Ok(())
}
