//! Processes that only wait: what it takes to start them, to keep them and to stop them.

use crate::children::Children;
use crate::fleet::{Fleet, Told};
use crate::programs::environment;
use crate::report::{Metric, Table};
use crate::sys::{self, Process, Stdio};
use crate::{FEW, Lab, Result, Turn};
use std::ffi::CString;
use std::io::{PipeReader, pipe};
use std::os::fd::AsFd;
use std::thread;
use std::time::Duration;

/// The time for the work that follows a start.
const SETTLING: Duration = Duration::from_secs(1);

pub fn measure(lab: &Lab, table: &mut Table) -> Result<()> {
    let many = lab.scale.many;
    let mut last_round = None;
    for turn in lab.rounds(&[many]) {
        if last_round.replace(turn.round) != Some(turn.round) {
            for has_pipes in [false, true] {
                let (start, stop) = spawn(lab, has_pipes)?;
                table.add_spawned(Metric::Start, many, has_pipes, start as f64 / 1e6);
                table.add_spawned(Metric::Stop, many, has_pipes, stop as f64 / 1e6);
            }
        }
        turn.take(table, |table, turn| live(lab, table, turn))?;
    }
    Ok(())
}

fn live(lab: &Lab, table: &mut Table, turn: &Turn<'_>) -> Result<()> {
    let (contender, many) = (turn.contender, turn.count);
    let mut add = |metric, value| table.add(metric, many, turn.number, value);
    let few = Fleet::start(lab, contender, &Children::waiting(FEW))?;
    thread::sleep(SETTLING);
    let least = few.memory()?;
    few.stop()?;
    let fleet = Fleet::start(lab, contender, &Children::waiting(many))?;
    add(Metric::Start, fleet.start as f64 / 1e6);
    thread::sleep(SETTLING);
    add(Metric::Memory, (fleet.memory()? as f64 - least as f64) / (many - FEW) as f64);
    if turn.round == 0 {
        let switches = fleet.proc().switches()?;
        thread::sleep(lab.scale.idle);
        add(Metric::Wakeups, (fleet.proc().switches()? - switches) as f64);
    }
    add(Metric::Stop, fleet.stop()? as f64 / 1e6);
    Ok(())
}

/// The least there can be: a loop that starts the processes by posix_spawn(3), and another that ends and reaps them. With
/// pipes, each process's stdout and stderr are new ones. Both times are in nanoseconds.
fn spawn(lab: &Lab, has_pipes: bool) -> Result<(u64, u64)> {
    let children = Children::waiting(lab.scale.many);
    let path = lab.workshop.path("told");
    let mut told = Told::new(&path)?;
    let fifo = path.to_str().ok_or("the temporary folder's name is no UTF-8")?;
    let mut words = vec![lab.child.clone()];
    for word in children.words(0, fifo) {
        words.push(CString::new(word)?);
    }
    let environment = environment();
    let null = lab.null.as_fd();
    let mut processes = Vec::new();
    let mut readers: Vec<PipeReader> = Vec::new();
    let begin = sys::clock();
    for _ in 0..children.count {
        let process = if has_pipes {
            let ((reader, stdout), (other, stderr)) = (pipe()?, pipe()?);
            readers.extend([reader, other]);
            Process::start(&words, &environment, Stdio(null, stdout.as_fd(), stderr.as_fd()))?
        } else {
            Process::start(&words, &environment, Stdio(null, null, null))?
        };
        processes.push(process);
    }
    told.next(children.count)?;
    let start = sys::clock() - begin;

    let begin = sys::clock();
    for process in &processes {
        process.signal(libc::SIGTERM)?;
    }
    for process in processes {
        process.wait()?;
    }
    Ok((start, sys::clock() - begin))
}
