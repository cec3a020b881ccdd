//! Makes records for handlers.

use crate::model::event::Event;
use crate::model::event::process::base_name;
use crate::model::event::serialize::LookedUp;
use crate::report::records::record::{Head, Moment, Numbering, Record, Told};

/// Makes records of events.
pub(super) struct Recorder {
    head: Head,
    pub(super) numbering: Numbering,
    /// The name of those that are of no process.
    pub(super) name: String,
}

impl Recorder {
    pub(super) fn new() -> Recorder {
        let program: Vec<_> = std::env::args_os().take(1).collect();
        Recorder { head: Head::here(), numbering: Numbering::default(), name: base_name(&program).into_owned() }
    }

    /// An event happens now.
    pub(super) fn moment(&mut self, event: &Event<'_>) -> Moment {
        self.numbering.of(event.name().unwrap_or(&self.name), event)
    }

    pub(super) fn line(&self, event: &Event<'_>, moment: Moment) -> Vec<u8> {
        let (name, told) = (event.name().unwrap_or(&self.name), Told::Event(event));
        Record { head: &self.head, moment, name, told, looked_up: LookedUp::default() }.line()
    }
}
