//! `--doctor`: what panicmon sees here, what that means, which of its promises hold, and what is to be done. What it says of
//! system calls, it has tried: a version or a file may promise what a filter or an emulator refuses.
//!
//! | file | contents |
//! |---|---|
//! | `finding` | one thing that was looked at |
//! | `processes` | processes and signals |
//! | `surroundings` | what this process was started in |
//! | `stopping` | how long a stop takes, and who waits for it how long |

mod finding;
mod processes;
mod stopping;
mod surroundings;

use super::options::settings::Settings;
use crate::sys::signals::process::ProcessSignals;
use finding::Report;
use std::ffi::CStr;

/// Looks at everything, and returns a text and whether every promise holds.
#[cold]
pub(crate) fn report(signals: ProcessSignals, env: &[&'static CStr], settings: &Settings) -> (String, bool) {
    let place = surroundings::place(env);
    let mut report = Report::new(&format!("panicmon {} in {}", env!("CARGO_PKG_VERSION"), place.name()));
    // Reading a pipe may block. Meanwhile signals take effect on panicmon.
    let stopping = signals.at_ease(|| stopping::stopping(settings, place));
    report.add(surroundings::kernel());
    processes::all(signals, settings, &mut report);
    surroundings::all(env, settings, &mut report);
    if let Some(stopping) = stopping {
        report.add(stopping);
    }
    report.end()
}
