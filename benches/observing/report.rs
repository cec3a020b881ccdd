//! Prints the table, and judges it.

use crate::Result;
use crate::contenders::{Contender, Patience, UNTOLD};
use crate::samples::{median, number};
use std::collections::BTreeMap;

/// What is measured, in the order of the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    Start,
    Again,
    Median,
    P99,
    End,
    Failure,
}

impl Metric {
    const ALL: [Metric; 6] = [Metric::Start, Metric::Again, Metric::Median, Metric::P99, Metric::End, Metric::Failure];

    fn label(self) -> &'static str {
        match self {
            Metric::Start => "start, µs",
            Metric::Again => "again, µs",
            Metric::Median => "signal, p50, µs",
            Metric::P99 => "signal, p99, µs",
            Metric::End => "end, ms",
            Metric::Failure => "a failed run, ms",
        }
    }

    fn summary(self, samples: &[f64]) -> Option<f64> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        match self {
            Metric::P99 => Some(sorted[last * 99 / 100]),
            _ => median(samples),
        }
    }

    /// The most that it may be, given what it is when nothing is told. This machine may be busy: with a cost of its own a
    /// sink or a hook would be far beyond, since what hangs here hangs for a second and more.
    fn bound(self, untold: f64, patience: Patience) -> f64 {
        let waits = if patience == Patience::Second { 1000.0 } else { 0.0 };
        match self {
            Metric::Start | Metric::Again | Metric::P99 => untold * 3.0 + 10_000.0,
            Metric::Median => untold * 1.5 + 50.0,
            Metric::End | Metric::Failure => untold + waits + 500.0,
        }
    }
}

/// All samples.
pub struct Table {
    contenders: Vec<(&'static str, Patience)>,
    samples: BTreeMap<(usize, Metric), Vec<f64>>,
}

impl Table {
    pub fn new(contenders: &[Contender]) -> Table {
        let contenders = contenders.iter().map(|contender| (contender.name, contender.patience)).collect();
        Table { contenders, samples: BTreeMap::new() }
    }

    pub fn add(&mut self, metric: Metric, contender: usize, sample: f64) {
        self.samples.entry((contender, metric)).or_default().push(sample);
    }

    fn value(&self, metric: Metric, contender: usize) -> Option<f64> {
        metric.summary(self.samples.get(&(contender, metric))?)
    }

    fn untold(&self, metric: Metric) -> Option<f64> {
        self.value(metric, self.contenders.iter().position(|(name, _)| *name == UNTOLD)?)
    }

    pub fn print(&self) {
        println!("\nin brackets, times that of '{UNTOLD}'");
        print!("{:26}", "");
        for metric in Metric::ALL {
            print!("{:>20}", metric.label());
        }
        println!();
        for (contender, (name, _)) in self.contenders.iter().enumerate() {
            print!("{name:26}");
            for metric in Metric::ALL {
                let value = self.value(metric, contender);
                let ratio = value.zip(self.untold(metric)).filter(|_| *name != UNTOLD);
                let ratio = ratio.map_or(String::new(), |(value, untold)| format!(" ({:.2})", value / untold));
                print!("{:>20}", value.map_or("-".into(), number) + &ratio);
            }
            println!();
        }
    }

    /// An error names what costs far too much.
    pub fn judge(&self) -> Result<()> {
        let mut wrong = Vec::new();
        for (contender, (name, patience)) in self.contenders.iter().enumerate() {
            for metric in Metric::ALL {
                let (Some(value), Some(untold)) = (self.value(metric, contender), self.untold(metric)) else {
                    continue;
                };
                let bound = metric.bound(untold, *patience);
                if value > bound {
                    wrong.push(format!("{name}: {}: {}, at most {}", metric.label(), number(value), number(bound)));
                }
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n           ").into()) }
    }
}
