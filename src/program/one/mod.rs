//! One command, in three steps: prepare, run, end.
//!
//! Everything that may fail or take time before the command exists is in `prepare`; `run` hands over to the library's
//! executor; `end` says what its end means for our own exit status.

mod end;
mod environment;
mod prepare;
mod run;

use super::options::settings::Settings;
use crate::model::status::StatusCode;
use crate::sys::signals::process::ProcessSignals;
use std::ffi::CStr;

/// Runs a command, once or again and again, and returns the exit status.
pub(crate) fn run(
    signals: ProcessSignals,
    mut settings: Box<Settings>,
    words: &[&'static CStr],
    env: &[&'static CStr],
) -> StatusCode {
    match prepare::prepare(signals, &mut settings, words, env) {
        Ok((plan, watches)) => {
            let records = plan.mode.records.clone();
            let result = run::run(plan, words);
            if let Some(records) = records {
                records.finish();
            }
            end::status(result, &settings, watches, words, env)
        }
        Err(status) => status,
    }
}
