//! Handlers that write records: of all events, and of abnormal ends.

use super::recorder::Recorder;
use crate::model::event::{Event, PreviousRunLost};
use crate::model::handler::Handler;
use crate::report::records::documents::Documents;
use crate::report::records::documents::certificate::Reports;
use std::fmt;
use std::io::{self, Write};
use std::path::Path;

/// Writes each event as a JSON object on a line, as the program does for `--events`; `docs/events.schema.json` says what is in it.
///
/// A handler is waited for, and so is the writer: give it one that takes all at once, such as a file or a vector. If it fails,
/// that is logged once, and what it doesn't take is lost.
///
/// ```
/// use panicmon::{Executor, Options, handlers::Json};
///
/// let mut json = Json::new(Vec::new());
/// Executor::new(Options::default().handler(&mut json))?.run(["true"])?;
/// let text = String::from_utf8(json.into_inner()).unwrap();
/// let last = text.lines().last().unwrap();
/// assert!(last.starts_with("{\"v\":1,\"event\":\"process.exited\",") && last.contains("\"seq\":3,\"run\":1,"));
/// # Ok::<(), panicmon::Error>(())
/// ```
pub struct Json<W> {
    recorder: Recorder,
    writer: W,
    has_failed: bool,
}

impl<W: Write> Json<W> {
    /// It writes to this.
    pub fn new(writer: W) -> Json<W> {
        Json { recorder: Recorder::new(), writer, has_failed: false }
    }

    /// What it has written to.
    pub fn into_inner(self) -> W {
        self.writer
    }
}

impl<W: Write> Handler for Json<W> {
    fn event(&mut self, event: &Event<'_>) {
        let moment = self.recorder.moment(event);
        let mut line = self.recorder.line(event, moment);
        line.push(b'\n');
        if let Err(error) = self.writer.write_all(&line)
            && !std::mem::replace(&mut self.has_failed, true)
        {
            log::warn!("events can't be written: {error}");
        }
    }
}

impl<W> fmt::Debug for Json<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Json").finish_non_exhaustive()
    }
}

/// Leaves a certificate of each abnormal end in a directory, as the program does for `--report`: the record of the end (`.json`),
/// and the same for people (`.txt`). The 20 newest of each process are kept.
///
/// While a process runs, a locked file says so. If one is there without its lock when a process is started for the first time, the
/// last run has vanished without a record, together with its program; that leaves a certificate, too, and a warning in the log.
///
/// A certificate has what the event of the end has. In the library that is no
/// [`panic`](crate::model::event::ProcessExited::panic), unless the host sets it: keep the end until its last words are there,
/// ask [`recognise`](crate::report::panic::recognise), and give the end to this handler then, as the example `count_panics` does.
///
/// ```
/// use panicmon::{Executor, Options, handlers::Report};
///
/// let dir = std::env::temp_dir().join(format!("panicmon-reports-{}", std::process::id()));
/// std::fs::create_dir(&dir)?;
/// Executor::new(Options::default().handler(Report::new(&dir)?))?.run(["sh", "-c", "exit 3"])?;
/// let names: Vec<_> = std::fs::read_dir(&dir)?.map(|entry| entry.unwrap().file_name()).collect();
/// assert_eq!(names.len(), 2, "a .json and a .txt: {names:?}");
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Report {
    recorder: Recorder,
    documents: Documents,
}

impl Report {
    /// It writes to this directory, which has to be there.
    ///
    /// # Errors
    /// If it can't be opened.
    pub fn new(dir: impl AsRef<Path>) -> io::Result<Report> {
        let reports = Reports::new(dir.as_ref(), KEPT_REPORTS, "the reports".to_owned())?;
        let mut documents = Documents::default();
        documents.reports = Some(reports);
        Ok(Report { recorder: Recorder::new(), documents })
    }

    fn add(&mut self, event: &Event<'_>) {
        let moment = self.recorder.moment(event);
        let mut line = Vec::new();
        if self.documents.reads(event) {
            line = self.recorder.line(event, moment);
        }
        let name = event.name().unwrap_or(&self.recorder.name).to_owned();
        self.documents.add(event, &name, moment.time, &line);
    }

    /// The last run of a process that is started for the first time, if that has vanished.
    fn lost(&mut self, event: &Event<'_>) -> Option<PreviousRunLost<'static>> {
        match event {
            Event::Starting(event) if !self.recorder.numbering.knows(&event.name) => self.documents.expect(&event.name),
            _ => None,
        }
    }
}

impl Handler for Report {
    fn event(&mut self, event: &Event<'_>) {
        if let Some(lost) = self.lost(event) {
            self.add(&Event::PreviousRunLost(lost));
        }
        self.add(event);
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report").finish_non_exhaustive()
    }
}

/// The certificates of a process that are kept, unless told otherwise.
pub(crate) const KEPT_REPORTS: usize = 20;
