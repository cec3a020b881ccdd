//! How many samples are taken, in which order, and one number for many.

use crate::Result;

/// Whether only little is measured, to see that it works.
pub fn is_quick() -> Result<bool> {
    let mut is_quick = false;
    for word in std::env::args().skip(1) {
        match word.as_str() {
            "--quick" => is_quick = true,
            // cargo passes this one.
            "--bench" => {}
            _ => return Err(format!("unknown argument '{word}': there is --quick only").into()),
        }
    }
    Ok(is_quick)
}

/// The order of the turns. In each round every contender has one turn, and another one is first in each round, so that
/// changes on the machine affect all in the same way.
pub fn rounds(count: usize, everybody: usize) -> impl Iterator<Item = usize> {
    (0..count * everybody).map(move |turn| (turn + turn / everybody) % everybody)
}

pub fn median(samples: &[f64]) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    Some((sorted[last / 2] + sorted[last.div_ceil(2)]) / 2.0)
}

/// Prints the significant digits only.
pub fn number(value: f64) -> String {
    let digits = match value.abs() {
        value if value == value.round() || value >= 100.0 => 0,
        value if value >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$}")
}
