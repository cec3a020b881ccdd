//! Compares panicmon with its peers, and with the least a wrapper can cost.
//!
//! `cargo bench` builds and runs it; `cargo bench -- --quick` measures little, to see that it works. It says how fast
//! things are and judges by the project's goals, but fails only if it can't measure. `PANICMON_BENCH_BINARY` names a
//! panicmon to measure instead of the one that packaging/build-static makes.

mod contenders;
mod forwarding;
mod idle;
mod orphans;
// Shared with the other benches, which use more of it.
#[allow(dead_code)]
mod proc;
mod processes;
mod programs;
mod report;
mod samples;
mod startup;
#[allow(dead_code)]
mod sys;
mod workshop;

use contenders::Contender;
use report::Table;
use std::ffi::CString;
use std::fs::File;
use std::process::ExitCode;
use std::time::Duration;
use sys::Processors;
use workshop::Workshop;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// How much is measured.
struct Scale {
    startup_rounds: usize,
    forwarding_rounds: usize,
    signals_a_round: usize,
    idle: Duration,
    orphan_rounds: usize,
    orphans: usize,
}

const WHOLE: Scale = Scale {
    startup_rounds: 1000,
    forwarding_rounds: 50,
    signals_a_round: 100,
    idle: Duration::from_secs(10),
    orphan_rounds: 11,
    orphans: 20_000,
};

const QUICK: Scale = Scale {
    startup_rounds: 20,
    forwarding_rounds: 2,
    signals_a_round: 20,
    idle: Duration::from_secs(1),
    orphan_rounds: 1,
    orphans: 2_000,
};

/// What all measurements need.
struct Lab {
    contenders: Vec<Contender>,
    /// The program that the contenders wrap.
    child: CString,
    null: File,
    scale: Scale,
}

impl Lab {
    fn rounds(&self, count: usize) -> impl Iterator<Item = (usize, &Contender)> {
        samples::rounds(count, self.contenders.len()).map(|number| (number, &self.contenders[number]))
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compare: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let scale = if samples::is_quick()? { QUICK } else { WHOLE };
    sys::keep_descriptors()?;
    let workshop = Workshop::new()?;
    let child = workshop.compile("child")?;
    let contenders = contenders::gather(&workshop)?;
    let lab = Lab { contenders, child, null: File::options().read(true).write(true).open("/dev/null")?, scale };
    report::print_header(&lab);

    let all = Processors::allowed()?;
    all.last().use_only()?;
    let pinned = measure(&lab, "pinned to one processor")?;
    all.use_only()?;
    let unpinned = measure(&lab, "not pinned")?;

    pinned.print("pinned to one processor");
    unpinned.print("not pinned");
    pinned.print_goals();
    Ok(())
}

fn measure(lab: &Lab, how: &str) -> Result<Table> {
    let mut table = Table::new(&lab.contenders);
    eprintln!("{how}: start-up");
    startup::measure(lab, &mut table)?;
    eprintln!("{how}: forwarding");
    forwarding::measure(lab, &mut table)?;
    eprintln!("{how}: idle");
    idle::measure(lab, &mut table)?;
    eprintln!("{how}: orphans");
    orphans::measure(lab, &mut table)?;
    Ok(table)
}
