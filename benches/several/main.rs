//! What it costs to keep many processes, beside pmux's stand-in in Go, supervisord, foreman and s6, and posix_spawn(3).
//!
//! `cargo bench --bench several` builds and runs it, which takes half an hour; rows can be named (`-- lines`), and with
//! `-- --quick` it measures little, to see that it works. `-- --picture FILE` draws the CPU a line as an SVG. It says what
//! things cost and judges by the project's goals, but fails only if it can't measure, or if what is relayed is wrong.
//! `PANICMON_BENCH_BINARY` names a panicmon to measure instead of the one that packaging/build-static makes, and
//! `PANICMON_BENCH_BEFORE` another, to be compared with it.

mod arguments;
mod children;
mod contenders;
mod correctness;
mod fleet;
mod forwarding;
mod lines;
mod lives;
mod orphans;
mod picture;
mod report;

// Shared with the other benches, which use more of them.
#[allow(dead_code)]
#[path = "../compare/proc.rs"]
mod proc;
#[allow(dead_code)]
#[path = "../compare/programs.rs"]
mod programs;
#[allow(dead_code)]
#[path = "../compare/samples.rs"]
mod samples;
#[allow(dead_code)]
#[path = "../compare/sys.rs"]
mod sys;
#[allow(dead_code)]
#[path = "../compare/workshop.rs"]
mod workshop;

use arguments::{Arguments, Row};
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
    rounds: usize,
    /// How many processes the lines come from.
    writers: &'static [usize],
    /// The least time in which lines are counted.
    lines: Duration,
    /// How many processes all other rows compare with a few.
    many: usize,
    idle: Duration,
    /// How many processes are signalled in all.
    signalled: usize,
    orphans: usize,
}

/// How many are a few.
const FEW: usize = 10;

const WHOLE: Scale = Scale {
    rounds: 5,
    writers: &[FEW, 100, 1000, 5000],
    lines: Duration::from_secs(4),
    many: 1000,
    idle: Duration::from_secs(10),
    signalled: 10_000,
    orphans: 20_000,
};

const QUICK: Scale = Scale {
    rounds: 1,
    writers: &[FEW, 100],
    lines: Duration::from_millis(500),
    many: 100,
    idle: Duration::from_secs(1),
    signalled: 200,
    orphans: 1_000,
};

/// What all measurements need.
struct Lab {
    contenders: Vec<Contender>,
    workshop: Workshop,
    /// The program that the contenders run.
    child: CString,
    null: File,
    scale: Scale,
}

impl Lab {
    /// Each contender's turns with each of these numbers of processes, in an order that is another one in each round.
    fn rounds<'a>(&'a self, counts: &'a [usize]) -> impl Iterator<Item = Turn<'a>> {
        let turns = self.contenders.len() * counts.len();
        let turn = move |(at, turn): (usize, usize)| {
            let (round, number) = (at / turns, turn % self.contenders.len());
            let (contender, count) = (&self.contenders[number], counts[turn / self.contenders.len()]);
            Turn { round, number, contender, count }
        };
        let all = samples::rounds(self.scale.rounds, turns).enumerate().map(turn);
        all.filter(|turn| turn.round == 0 || !turn.contender.is_slow())
    }
}

/// A contender is measured.
struct Turn<'a> {
    round: usize,
    /// The contender's.
    number: usize,
    contender: &'a Contender,
    /// How many processes it has.
    count: usize,
}

impl Turn<'_> {
    /// Measures, unless that has failed with this number of processes before. If it fails with panicmon, that is an error.
    fn take(&self, table: &mut Table, measure: impl FnOnce(&mut Table, &Turn<'_>) -> Result<()>) -> Result<()> {
        if table.has_failed(self.number, self.count) {
            return Ok(());
        }
        eprintln!("  {}: {} with {}", self.round + 1, self.contender.name, self.count);
        match measure(table, self) {
            Err(error) if !self.contender.is_ours() => {
                table.fail(self.number, self.count, &*error);
                Ok(())
            }
            result => result,
        }
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("several: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments = Arguments::parse()?;
    let scale = if arguments.is_quick { QUICK } else { WHOLE };
    sys::keep_descriptors()?;
    sys::allow_descriptors()?;
    let workshop = Workshop::new()?;
    let child = workshop.compile("child")?;
    let contenders = contenders::gather(&workshop)?;
    let null = File::options().read(true).write(true).open("/dev/null")?;
    let lab = Lab { contenders, workshop, child, null, scale };
    println!("{}; all pinned to one processor; {} rounds", workshop::machine(), lab.scale.rounds);
    correctness::check(&lab)?;

    Processors::allowed()?.last().use_only()?;
    let mut table = Table::new(&lab.contenders);
    for row in arguments.rows {
        eprintln!("{}", row.name());
        match row {
            Row::Lines => lines::measure(&lab, &mut table)?,
            Row::Lives => lives::measure(&lab, &mut table)?,
            Row::Signals => forwarding::measure(&lab, &mut table)?,
            Row::Orphans => orphans::measure(&lab, &mut table)?,
        }
    }
    table.print();
    table.print_goals(lab.scale.many);
    if let Some(file) = arguments.picture {
        picture::draw(&file, &table.lines())?;
    }
    Ok(())
}
