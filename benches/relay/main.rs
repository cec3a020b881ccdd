//! What it costs to relay a command's output line by line, beside `cat`, which only copies, and a relay written in Go.
//!
//! `cargo bench --bench relay` builds and runs it; with `-- --quick` it measures little, to see that it works. It says how
//! fast things are and judges by the project's goals, but fails only if it can't measure, or if what arrives is wrong.
//! `PANICMON_BENCH_BINARY` names a panicmon to measure instead of the one that packaging/build-static makes.

mod contenders;
mod correctness;
mod delay;
mod processes;
mod producer;
mod report;
mod throughput;

// Shared with the other bench, which uses more of them.
#[allow(dead_code)]
#[path = "../compare/proc.rs"]
mod proc;
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

use contenders::Contender;
use report::Table;
use std::env;
use std::ffi::CString;
use std::process::ExitCode;
use std::time::Duration;
use sys::Processors;
use workshop::Workshop;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The lengths of the lines in bytes, newline included.
const LENGTHS: [usize; 3] = [10, 100, 1024 * 1024];

/// How much is measured.
struct Scale {
    rounds: usize,
    /// About how long a round takes.
    time: Duration,
    /// How many lines' delays are measured in a round.
    timed_lines: usize,
    /// How many bytes are written one by one, to see what a tail keeps of them.
    single_bytes: usize,
}

const WHOLE: Scale = Scale { rounds: 15, time: Duration::from_millis(200), timed_lines: 200, single_bytes: 1_000_000 };

const QUICK: Scale = Scale { rounds: 3, time: Duration::from_millis(20), timed_lines: 50, single_bytes: 100_000 };

/// What all measurements need.
struct Lab {
    contenders: Vec<Contender>,
    /// The program whose lines are relayed.
    producer: CString,
    scale: Scale,
}

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    match producer::role(&words).unwrap_or_else(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("relay: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let scale = if samples::is_quick()? { QUICK } else { WHOLE };
    sys::keep_descriptors()?;
    let workshop = Workshop::new()?;
    let producer = workshop.copy(&env::current_exe()?, "producer")?;
    let contenders = contenders::gather(&workshop)?;
    let lab = Lab { contenders, producer, scale };
    println!("{}", workshop::machine());
    println!("{} rounds of about {} ms", lab.scale.rounds, lab.scale.time.as_millis());

    eprintln!("whether what arrives is right");
    correctness::check(&lab)?;
    if let Some(panicmon) = lab.contenders.iter().find(|contender| contender.name == contenders::PANICMON) {
        correctness::check_tail(&lab, panicmon, &workshop.path("events"))?;
    }
    let all = Processors::allowed()?;
    let unpinned = measure(&lab, "not pinned")?;
    all.last().use_only()?;
    let pinned = measure(&lab, "pinned to one processor")?;

    unpinned.print();
    pinned.print();
    unpinned.print_goals();
    pinned.print_goals();
    Ok(())
}

fn measure(lab: &Lab, how: &'static str) -> Result<Table> {
    let mut table = Table::new(how, &lab.contenders);
    for length in LENGTHS {
        eprintln!("{how}: lines of {length} bytes");
        throughput::measure(lab, length, &mut table)?;
    }
    eprintln!("{how}: the delay of a line");
    delay::measure(lab, &mut table)?;
    Ok(table)
}
