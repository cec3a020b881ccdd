//! `--doctor`: what panicmon sees here, what that means, which of its promises hold, and what is to be done. What it says of
//! system calls, it has tried: a version or a file may promise what a filter or an emulator refuses.
//!
//! | file | contents |
//! |---|---|
//! | `finding` | one thing that was looked at |
//! | `given` | what options and variables name |
//! | `processes` | processes and signals |
//! | `surroundings` | what this process was started in |
//! | `stopping` | how long a stop takes, and who waits for it how long |

mod finding;
mod given;
mod processes;
mod stopping;
mod surroundings;

use super::options::settings::Settings;
use crate::sys::signals::process::ProcessSignals;
use finding::Report;
use std::ffi::CStr;

/// Looks at everything, and returns a text and whether every promise holds. What may be the last line, it prints at once.
#[cold]
pub(crate) fn report(signals: ProcessSignals, env: &[&'static CStr], settings: &mut Settings) -> (String, bool) {
    let place = surroundings::place(env);
    let mut report = Report::new(&format!("panicmon {} in {}", env!("CARGO_PKG_VERSION"), place.name()));
    // Reading a pipe may block. Meanwhile signals take effect on panicmon.
    let file = signals.at_ease(|| given::read(settings));
    report.add(surroundings::kernel());
    if let Some(filter) = surroundings::filter() {
        report.add(filter);
        report.print();
    }
    processes::all(signals, settings, &mut report);
    surroundings::all(env, settings, &mut report);
    given::all(env, settings, &file, &mut report);
    if let Some(stopping) = stopping::stopping(settings, &file, place) {
        report.add(stopping);
    }
    report.end()
}
