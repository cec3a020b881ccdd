//! Prints the table, and which of its goals panicmon meets.

use crate::FEW;
use crate::contenders::{BEFORE, Contender, PANICMON, PMUX};
use crate::samples::{median, number};
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

/// What is measured, in the order of the table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    Line,
    Signal,
    Memory,
    Start,
    Stop,
    Orphan,
    Wakeups,
}

impl Metric {
    fn label(self, count: usize) -> String {
        match self {
            Metric::Line => format!("CPU a line, one of {count}, µs"),
            Metric::Signal => format!("CPU a forwarded signal, one of {count}, µs"),
            Metric::Memory => format!("private memory a process, {count}, KiB"),
            Metric::Start => format!("start of {count}, ms"),
            Metric::Stop => format!("stop of {count}, ms"),
            Metric::Orphan => format!("CPU an orphan beside {count}, µs"),
            Metric::Wakeups => format!("context switches while idle, {count}"),
        }
    }
}

/// The names of the loops that start processes by posix_spawn(3) alone.
const SPAWNED: [&str; 2] = ["spawn", "spawn+pipes"];

/// All samples.
pub struct Table {
    names: Vec<&'static str>,
    samples: BTreeMap<(Metric, usize, usize), Vec<f64>>,
    failed: BTreeSet<(usize, usize)>,
}

impl Table {
    pub fn new(contenders: &[Contender]) -> Table {
        let names = contenders.iter().map(|contender| contender.name).chain(SPAWNED).collect();
        Table { names, samples: BTreeMap::new(), failed: BTreeSet::new() }
    }

    pub fn add(&mut self, metric: Metric, count: usize, contender: usize, sample: f64) {
        self.samples.entry((metric, count, contender)).or_default().push(sample);
    }

    pub fn add_spawned(&mut self, metric: Metric, count: usize, has_pipes: bool, sample: f64) {
        let contender = self.names.len() - SPAWNED.len() + usize::from(has_pipes);
        self.add(metric, count, contender, sample);
    }

    /// Leaves a contender out with this number of processes from now on.
    pub fn fail(&mut self, contender: usize, count: usize, error: &dyn Error) {
        println!("{} with {count} processes is left out: {error}", self.names[contender]);
        self.failed.insert((contender, count));
    }

    pub fn has_failed(&self, contender: usize, count: usize) -> bool {
        self.failed.contains(&(contender, count))
    }

    fn value(&self, metric: Metric, count: usize, name: &str) -> Option<f64> {
        let contender = self.names.iter().position(|other| *other == name)?;
        median(self.samples.get(&(metric, count, contender))?)
    }

    /// Each contender's CPU a line by the number of processes.
    pub fn lines(&self) -> Vec<(&'static str, Vec<(usize, f64)>)> {
        let curve = |(contender, name): (usize, &&'static str)| {
            let of_this =
                self.samples.iter().filter(|((metric, _, other), _)| (*metric, *other) == (Metric::Line, contender));
            let points: Vec<_> =
                of_this.filter_map(|((_, count, _), samples)| Some((*count, median(samples)?))).collect();
            (*name, points)
        };
        self.names.iter().enumerate().map(curve).filter(|(_, points)| !points.is_empty()).collect()
    }

    pub fn print(&self) {
        print!("\n{:44}", "medians");
        for name in &self.names {
            print!("{name:>12}");
        }
        println!();
        let rows: BTreeSet<_> = self.samples.keys().map(|(metric, count, _)| (*metric, *count)).collect();
        for (metric, count) in rows {
            print!("{:44}", metric.label(count));
            for name in &self.names {
                print!("{:>12}", self.value(metric, count, name).map_or("-".into(), number));
            }
            println!();
        }
    }

    pub fn print_goals(&self, many: usize) {
        use Metric::{Line, Memory, Orphan, Signal, Start, Stop, Wakeups};
        println!("\n{PANICMON} and its goals");
        let own = |metric, count| self.value(metric, count, PANICMON);
        let goals = [
            ("a line, one of many to one of few", Goal::ratio(own(Line, many), own(Line, FEW), 1.2)),
            ("a line, one of many, to pmux's", Goal::ratio(own(Line, many), self.value(Line, many, PMUX), 0.4)),
            ("a line, one of 5000 to one of few", Goal::ratio(own(Line, 5000), own(Line, FEW), 1.4)),
            ("a signal, one of many to one of few", Goal::ratio(own(Signal, many), own(Signal, FEW), 1.2)),
            ("memory a process, KiB", Goal::limit(own(Memory, many), 6.0)),
            ("start, to posix_spawn(3)'s", Goal::ratio(own(Start, many), self.value(Start, many, SPAWNED[0]), 1.4)),
            (
                "start, to its with two pipes each",
                Goal::ratio(own(Start, many), self.value(Start, many, SPAWNED[1]), 1.4),
            ),
            ("stop, ms", Goal::limit(own(Stop, many), 150.0)),
            ("an orphan, beside many to beside one", Goal::ratio(own(Orphan, many), own(Orphan, 1), 1.1)),
            ("context switches while idle", Goal::limit(own(Wakeups, many), 0.0)),
        ];
        for (what, goal) in goals {
            println!("  {what:40}{}", goal.verdict());
        }
        self.print_before();
    }

    /// Each row's ratio to the panicmon of before.
    fn print_before(&self) {
        let rows: BTreeSet<_> = self.samples.keys().map(|(metric, count, _)| (*metric, *count)).collect();
        let ratio = |(metric, count)| {
            let before = self.value(metric, count, BEFORE).filter(|value| *value > 0.0)?;
            Some((metric.label(count), self.value(metric, count, PANICMON)? / before))
        };
        let ratios: Vec<_> = rows.into_iter().filter_map(ratio).collect();
        if !ratios.is_empty() {
            println!("\n{PANICMON}, times the one of before");
        }
        for (label, ratio) in ratios {
            println!("  {label:44}{ratio:.2}");
        }
    }
}

/// What a value is to be at most.
struct Goal {
    value: Option<f64>,
    limit: f64,
}

impl Goal {
    fn limit(value: Option<f64>, limit: f64) -> Goal {
        Goal { value, limit }
    }

    fn ratio(value: Option<f64>, reference: Option<f64>, limit: f64) -> Goal {
        let ratio =
            value.zip(reference.filter(|reference| *reference > 0.0)).map(|(value, reference)| value / reference);
        Goal { value: ratio, limit }
    }

    fn verdict(&self) -> String {
        let Some(value) = self.value else { return "not measured".into() };
        let met = if value <= self.limit { "met" } else { "NOT met" };
        format!("{met:8} {}, at most {}", number(value), self.limit)
    }
}
