//! Whether it costs a command nothing that its life is told: by sinks and hooks that work, and by those that hang, fail, or are
//! somebody's trap.
//!
//! `cargo bench --bench observing` builds and runs it; with `-- --quick` it measures little. All are measured in turns, beside
//! a panicmon that tells nothing: the start, the signals, the end. It fails on a wrong status, on wrong bytes, and on a cost that
//! is far beyond what a busy machine makes of none. `PANICMON_BENCH_BINARY` names a panicmon to measure instead of the one that
//! packaging/build-static makes.

mod contenders;
mod life;
mod report;
mod speaker;
mod traps;

// Shared with the other benches, which use more of them.
#[allow(dead_code)]
#[path = "../compare/proc.rs"]
mod proc;
#[allow(dead_code)]
#[path = "../compare/processes.rs"]
mod processes;
#[allow(dead_code)]
#[path = "../compare/programs.rs"]
mod programs;
#[path = "../compare/samples.rs"]
mod samples;
#[allow(dead_code)]
#[path = "../compare/sys.rs"]
mod sys;
#[allow(dead_code)]
#[path = "../compare/workshop.rs"]
mod workshop;

use report::Table;
use std::env;
use std::ffi::CString;
use std::fs::File;
use std::process::ExitCode;
use traps::Traps;
use workshop::Workshop;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// How much is measured.
struct Scale {
    rounds: usize,
    signals_a_round: usize,
    starts_a_round: usize,
}

const WHOLE: Scale = Scale { rounds: 20, signals_a_round: 100, starts_a_round: 15 };

const QUICK: Scale = Scale { rounds: 3, signals_a_round: 50, starts_a_round: 5 };

/// What all measurements need.
struct Lab {
    panicmon: CString,
    /// The command that receives signals.
    child: CString,
    /// The command that writes to both streams and fails.
    speaker: CString,
    null: File,
    scale: Scale,
}

fn main() -> ExitCode {
    let result = match env::args().nth(1).as_deref() {
        Some(speaker::SPEAK) => return speaker::speak(),
        _ if env::var_os(traps::MOUNTED).is_some() => run(true),
        _ => traps::in_own_mounts().unwrap_or_else(|| run(false)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("observing: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `mounts`: whether what is mounted is mounted for this process alone.
fn run(mounts: bool) -> Result<()> {
    let scale = if samples::is_quick()? { QUICK } else { WHOLE };
    sys::keep_descriptors()?;
    let workshop = Workshop::new()?;
    let lab = Lab {
        panicmon: workshop.copy(&programs::panicmon()?, "panicmon")?,
        child: workshop.compile("child")?,
        speaker: workshop.copy(&env::current_exe()?, "speaker")?,
        null: File::options().read(true).write(true).open("/dev/null")?,
        scale,
    };
    let traps = Traps::new(&workshop, mounts)?;
    let contenders = contenders::all(&traps)?;
    println!("{}", workshop::machine());
    println!("{} rounds of {} signals", lab.scale.rounds, lab.scale.signals_a_round);

    let mut table = Table::new(&contenders);
    for number in samples::rounds(lab.scale.rounds, contenders.len()) {
        let contender = &contenders[number];
        life::obeys(&lab, contender, &traps, |metric, sample| table.add(metric, number, sample))?;
        life::starts(&lab, contender, |metric, sample| table.add(metric, number, sample))?;
        life::fails(&lab, contender, &traps, |metric, sample| table.add(metric, number, sample))?;
        traps.check().map_err(|error| format!("{}: {error}", contender.name))?;
    }
    table.print();
    table.judge()
}
