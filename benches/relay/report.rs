//! Prints the tables, and which of its goals panicmon meets.

use crate::LENGTHS;
use crate::contenders::{CAT, Contender, GO, PANICMON, TAIL, TAIL_KIB};
use crate::delay::TIMED;
use crate::samples::{median, number};
use std::collections::BTreeMap;

/// What is measured, in the order of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    Megabytes,
    Lines,
    Cpu,
    Peak,
    Added,
    Delay,
}

impl Metric {
    const ALL: [Metric; 6] =
        [Metric::Megabytes, Metric::Lines, Metric::Cpu, Metric::Peak, Metric::Added, Metric::Delay];

    fn label(self) -> &'static str {
        match self {
            Metric::Megabytes => "MB/s, without labels",
            Metric::Lines => "lines/s",
            Metric::Cpu => "CPU a line, ns",
            Metric::Peak => "Rss at most, KiB",
            Metric::Added => "Rss added by relaying, KiB",
            Metric::Delay => "delay of a line, p50, µs",
        }
    }

    /// The one number that stands for all samples.
    fn summary(self, samples: &[f64]) -> Option<f64> {
        match self {
            Metric::Peak | Metric::Added => samples.iter().copied().max_by(f64::total_cmp),
            _ => median(samples),
        }
    }
}

/// All samples of one way of measuring.
pub struct Table {
    how: &'static str,
    names: Vec<&'static str>,
    samples: BTreeMap<(usize, Metric, usize), Vec<f64>>,
}

impl Table {
    pub fn new(how: &'static str, contenders: &[Contender]) -> Table {
        let names = contenders.iter().map(|contender| contender.name).collect();
        Table { how, names, samples: BTreeMap::new() }
    }

    pub fn add(&mut self, length: usize, metric: Metric, contender: usize, sample: f64) {
        self.samples.entry((length, metric, contender)).or_default().push(sample);
    }

    fn value(&self, length: usize, metric: Metric, name: &str) -> Option<f64> {
        let contender = self.names.iter().position(|other| *other == name)?;
        metric.summary(self.samples.get(&(length, metric, contender))?)
    }

    fn ratio(&self, length: usize, metric: Metric, name: &str, reference: &str) -> Option<f64> {
        let reference = self.value(length, metric, reference).filter(|value| *value > 0.0)?;
        Some(self.value(length, metric, name)? / reference)
    }

    pub fn print(&self) {
        println!("\n{}; in brackets, times {CAT}'s", self.how);
        for length in LENGTHS {
            print!("{:28}", format!("lines of {length} bytes"));
            for name in &self.names {
                print!("{name:>22}");
            }
            println!();
            for metric in Metric::ALL {
                // Only lines of one length are timed.
                if self.value(length, metric, CAT).is_none() {
                    continue;
                }
                print!("  {:26}", metric.label());
                for name in &self.names {
                    let value = self.value(length, metric, name).map_or("-".into(), number);
                    let ratio = self.ratio(length, metric, name, CAT).filter(|_| *name != CAT);
                    let ratio = ratio.map_or(String::new(), |ratio| format!(" ({ratio:.3})"));
                    print!("{:>22}", value + &ratio);
                }
                println!();
            }
        }
    }

    pub fn print_goals(&self) {
        println!("\n{PANICMON} and its goals, {}", self.how);
        println!("  lines/s of 10 bytes   {}", self.speed_verdict(10, Metric::Lines, GO, 10.0));
        println!("  MB/s of 100 bytes     {}", self.speed_verdict(100, Metric::Megabytes, CAT, 0.65));
        println!("  Rss at most, KiB      {}", self.memory_verdict(16 * 1024));
        println!("{TAIL} of {TAIL_KIB} KiB, and its goals, {}", self.how);
        println!("  MB/s of 100 bytes     {}", self.tail_speed_verdict(0.8));
        let added = LENGTHS.iter().filter_map(|length| self.value(*length, Metric::Added, TAIL));
        println!("  Rss added, KiB        {}", below(added.max_by(f64::total_cmp), (2 * TAIL_KIB + 2048) as f64));
        println!("  delay of a line, µs   {}", below(self.value(TIMED, Metric::Delay, TAIL), 50.0));
    }

    fn tail_speed_verdict(&self, least: f64) -> String {
        let Some(ratio) = self.ratio(100, Metric::Megabytes, TAIL, PANICMON) else { return "not measured".into() };
        format!("{:8} {ratio:.2} of the labels', at least {least}", met(ratio >= least))
    }

    fn speed_verdict(&self, length: usize, metric: Metric, reference: &str, least: f64) -> String {
        let Some(value) = self.value(length, metric, PANICMON).map(number) else { return "not measured".into() };
        let Some(ratio) = self.ratio(length, metric, PANICMON, reference) else {
            return format!("{value}; can't be judged without {reference}");
        };
        let other = self.value(length, metric, reference).map_or("-".into(), number);
        format!("{:8} {value} to {reference}'s {other}: {ratio:.2}, at least {least}", met(ratio >= least))
    }

    fn memory_verdict(&self, below: u32) -> String {
        let peaks = LENGTHS.iter().filter_map(|length| self.value(*length, Metric::Peak, PANICMON));
        let Some(peak) = peaks.max_by(f64::total_cmp) else { return "not measured".into() };
        format!("{:8} {}, below {below}", met(peak < f64::from(below)), number(peak))
    }
}

fn below(value: Option<f64>, most: f64) -> String {
    value.map_or("not measured".into(), |value| format!("{:8} {}, at most {most}", met(value <= most), number(value)))
}

fn met(is_met: bool) -> &'static str {
    if is_met { "met" } else { "NOT met" }
}
