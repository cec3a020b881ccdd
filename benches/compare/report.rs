//! Prints the tables, and which of its goals panicmon meets.

use crate::contenders::{ALONE, Contender, PANICMON, REFERENCE};
use crate::samples::{median, number};
use crate::{Lab, workshop};
use std::collections::BTreeMap;

/// What is measured, in the order of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    Startup,
    FirstInstruction,
    Faults,
    ForwardingMedian,
    ForwardingP99,
    IdleSwitches,
    IdleCpu,
    Resident,
    Private,
    Threads,
    Descriptors,
    Size,
    OrphanCpu,
    Zombies,
}

impl Metric {
    fn label(self) -> &'static str {
        match self {
            Metric::Startup => "start-up around a no-op, added, µs",
            Metric::FirstInstruction => "to the child's first instruction, µs",
            Metric::Faults => "page faults, added",
            Metric::ForwardingMedian => "forwarding a signal, p50, µs",
            Metric::ForwardingP99 => "forwarding a signal, p99, µs",
            Metric::IdleSwitches => "context switches while idle",
            Metric::IdleCpu => "CPU while idle, µs",
            Metric::Resident => "Rss, KiB",
            Metric::Private => "private memory, KiB",
            Metric::Threads => "threads",
            Metric::Descriptors => "descriptors",
            Metric::Size => "binary, KiB",
            Metric::OrphanCpu => "CPU per orphan, µs",
            Metric::Zombies => "zombies at once, at most",
        }
    }

    /// Whether the child's own part is subtracted.
    fn is_added_to_child(self) -> bool {
        matches!(self, Metric::Startup | Metric::Faults)
    }

    /// The one number that stands for all samples.
    fn summary(self, samples: &[f64]) -> Option<f64> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        Some(match self {
            Metric::ForwardingP99 => sorted[last * 99 / 100],
            Metric::Zombies => sorted[last],
            _ => median(samples)?,
        })
    }
}

/// All samples of one way of measuring.
pub struct Table {
    names: Vec<&'static str>,
    samples: BTreeMap<(Metric, usize), Vec<f64>>,
}

impl Table {
    pub fn new(contenders: &[Contender]) -> Table {
        Table { names: contenders.iter().map(|contender| contender.name).collect(), samples: BTreeMap::new() }
    }

    pub fn add(&mut self, metric: Metric, contender: usize, sample: f64) {
        self.samples.entry((metric, contender)).or_default().push(sample);
    }

    fn summary(&self, metric: Metric, name: &str) -> Option<f64> {
        let contender = self.names.iter().position(|other| *other == name)?;
        metric.summary(self.samples.get(&(metric, contender))?)
    }

    /// What is printed for a contender.
    fn value(&self, metric: Metric, name: &str) -> Option<f64> {
        let value = self.summary(metric, name)?;
        let own = if metric.is_added_to_child() && name != ALONE { self.summary(metric, ALONE)? } else { 0.0 };
        Some(value - own)
    }

    fn ratio(&self, metric: Metric, name: &str) -> Option<f64> {
        let reference = self.value(metric, REFERENCE).filter(|value| *value > 0.0)?;
        Some(self.value(metric, name)? / reference)
    }

    pub fn print(&self, how: &str) {
        println!("\n{how}; in brackets, times {REFERENCE}'s");
        print!("{:37}", "");
        for name in &self.names {
            print!("{name:>15}");
        }
        println!();
        let mut metrics: Vec<Metric> = self.samples.keys().map(|(metric, _)| *metric).collect();
        metrics.dedup();
        for metric in metrics {
            print!("{:37}", metric.label());
            for name in &self.names {
                let value = self.value(metric, name).map_or("-".into(), number);
                // The child alone is no contender: there is no wrapper whose cost could be added.
                let ratio = if *name == ALONE { None } else { self.ratio(metric, name) };
                let ratio = ratio.map_or(String::new(), |ratio| format!(" ({ratio:.2})"));
                print!("{:>15}", value + &ratio);
            }
            println!();
        }
    }

    pub fn print_goals(&self) {
        println!("\n{PANICMON} and its goals, pinned to one processor");
        for (metric, limit) in [
            (Metric::Startup, 0.6),
            (Metric::ForwardingMedian, 1.0),
            (Metric::IdleSwitches, 0.0),
            (Metric::Resident, 0.9),
            (Metric::OrphanCpu, 1.0),
        ] {
            println!("  {:37}{}", metric.label(), self.verdict(metric, limit));
        }
    }

    /// Compares a value with its goal: a multiple of the reference's value, or zero.
    fn verdict(&self, metric: Metric, limit: f64) -> String {
        let met = |is_met| if is_met { "met" } else { "NOT met" };
        let Some(value) = self.value(metric, PANICMON) else { return "not measured".into() };
        let told = number(value);
        if limit == 0.0 {
            return format!("{:8} {told}, at most 0", met(value <= 0.0));
        }
        let (Some(ratio), Some(reference)) = (self.ratio(metric, PANICMON), self.value(metric, REFERENCE)) else {
            return format!("{told}; can't be judged without {REFERENCE}");
        };
        let reference = number(reference);
        format!("{:8} {told} to {REFERENCE}'s {reference}: {ratio:.3}, at most {limit}", met(ratio <= limit))
    }
}

pub fn print_header(lab: &Lab) {
    let scale = &lab.scale;
    println!("{}", workshop::machine());
    println!(
        "start-up: {} rounds; forwarding: {} rounds of {} signals; idle: {} s; orphans: {} rounds of {}",
        scale.startup_rounds,
        scale.forwarding_rounds,
        scale.signals_a_round,
        scale.idle.as_secs(),
        scale.orphan_rounds,
        scale.orphans
    );
}
