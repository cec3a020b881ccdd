//! The run: from the start of the command to its end.

use super::prepare::Plan;
use crate::api::executor::{Executor, Whole};
use crate::model::c_string::os_string;
use crate::model::error::Error;
use crate::sys::inherited;
use crate::sys::signals::source::Source;
use crate::sys::terminal::ChildGroup;
use std::borrow::Cow;
use std::ffi::CStr;
use std::mem::ManuallyDrop;
use std::os::fd::BorrowedFd;

/// Runs the command to the end of its last run.
pub(super) fn run(plan: Plan, words: &[&'static CStr]) -> Result<Whole, Error> {
    let Plan { signals, group, options, mode, may_restart } = plan;
    let args: Vec<_> = words.iter().map(|word| os_string(word)).collect();
    let words = words.iter().map(|word| Cow::Borrowed(*word)).collect();
    // This process is about to end, which gives back all that it holds.
    let mut executor = ManuallyDrop::new(Executor::with_source(options, Source::Process(signals), group)?);
    executor.run_words(&args, Ok(words), mode, |source, group, needed, prints| {
        // The next run must find the descriptors that the first one found.
        if may_restart { listen(source) } else { let_go(source, group, needed, prints) }
    })
}

/// Once the child exists, closes what is the child's alone, and only then opens what panicmon needs itself: before, the
/// table of descriptors may be full.
fn let_go(source: &mut Source, group: &ChildGroup, needed: &[BorrowedFd<'_>], prints: bool) -> Result<(), Error> {
    let kept: Vec<_> = group.fd().into_iter().chain(needed.iter().copied()).collect();
    inherited::let_go(&kept, prints).map_err(|source| Error::start("letting go of inherited descriptors", source))?;
    listen(source).or_else(|_| {
        inherited::free_stdin();
        listen(source)
    })
}

fn listen(source: &mut Source) -> Result<(), Error> {
    match source {
        Source::Process(signals) => signals.open().map_err(|source| Error::Listen { source }),
        Source::Shared(_) => Ok(()),
    }
}
