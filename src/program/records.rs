//! Opens what `--events`, `--report`, `--termination-log` and `--metrics` name, and says what hooks are to have.

use super::hooks;
use super::options::settings::Settings;
use super::stderr;
use super::tails::Tails;
use crate::report::json::KEPT_REPORTS;
use crate::report::records::documents::Documents;
use crate::report::records::documents::certificate::Reports;
use crate::report::records::documents::metrics_file::MetricsFile;
use crate::report::records::documents::termination::TerminationLog;
use crate::report::records::record::Head;
use crate::report::records::sink::{Sink, SinkName};
use crate::report::records::{Opened, Records, Unopened};
use crate::report::redaction::Redaction;
use crate::sys::own_file;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// What processes are called in records.
pub(crate) struct Called {
    /// Whose those are that are no process's.
    pub(crate) own: String,
    pub(crate) processes: Vec<String>,
}

/// The records that are asked for. What can't be opened gets none, which is a warning. `relayed`: what is written to stderr goes
/// through a relay.
pub(crate) fn open(
    settings: &Settings,
    relayed: bool,
    tails: Option<Tails>,
    names: impl FnOnce() -> Called,
) -> Option<Records> {
    asked_by(settings).and_then(|_| open_all(settings, relayed, tails, names()))
}

/// The first of the options that ask for records, if there is any.
#[inline]
pub(crate) fn asked_by(settings: &Settings) -> Option<&'static str> {
    // In most runs there is none: the names of the options aren't touched.
    is_any_given(settings).then(|| first_given(settings))
}

fn is_any_given(settings: &Settings) -> bool {
    !settings.events.is_empty()
        || !settings.hooks.is_empty()
        || settings.report.is_some()
        || settings.termination_log.is_some()
        || settings.metrics.is_some()
        || settings.stderr_tail.is_some()
        || settings.stdout_tail.is_some()
}

#[cold]
fn first_given(settings: &Settings) -> &'static str {
    match settings {
        Settings { hooks, .. } if !hooks.is_empty() => "hook",
        Settings { report: Some(_), .. } => "report",
        Settings { termination_log: Some(_), .. } => "termination-log",
        Settings { metrics: Some(_), .. } => "metrics",
        Settings { stderr_tail: Some(_), .. } => "stderr-tail",
        Settings { stdout_tail: Some(_), .. } => "stdout-tail",
        _ => "events",
    }
}

#[cold]
fn open_all(settings: &Settings, relayed: bool, tails: Option<Tails>, names: Called) -> Option<Records> {
    let to_open = ToOpen::new(settings, relayed);
    if to_open.is_nothing() && settings.hooks.is_empty() && tails.is_none() {
        return None;
    }
    let unopened = Unopened { names: names.processes, open: Box::new(|| to_open.open()) };
    let records = Records::new(unopened, tails.unwrap_or_default().files, names.own);
    records.keep_for_hooks(hooks::kinds(settings));
    Some(records)
}

/// What is opened when the first process has been started; and what had to be opened before that.
struct ToOpen {
    /// Descriptors that this process was started with: no child is to have them.
    given: Vec<Sink>,
    /// Each with the name of its option, as below.
    sinks: Vec<(SinkName, String)>,
    /// Stderr goes through a relay.
    relayed: bool,
    /// It is promised to be open before the start.
    termination: Option<TerminationLog>,
    reports: Option<(PathBuf, String)>,
    keep: usize,
    metrics: Option<(PathBuf, String)>,
    redact: Vec<String>,
    tells_arguments: bool,
}

impl ToOpen {
    fn new(settings: &Settings, relayed: bool) -> ToOpen {
        let named = |path: &Option<OsString>, option| Some((PathBuf::from(path.as_ref()?), settings.name_of(option)));
        let mut to_open = ToOpen {
            given: Vec::new(),
            sinks: Vec::new(),
            relayed,
            termination: named(&settings.termination_log, "termination-log")
                .and_then(|log| opened(log, TerminationLog::new)),
            reports: named(&settings.report, "report"),
            keep: settings.report_keep.unwrap_or(KEPT_REPORTS),
            metrics: named(&settings.metrics, "metrics"),
            redact: settings.redact.clone(),
            tells_arguments: settings.report_args,
        };
        for sink in &settings.events {
            let named = (sink.clone(), settings.name_of("events"));
            match sink {
                SinkName::Fd(_) => to_open.given.extend(open_sink(&named, relayed)),
                _ => to_open.sinks.push(named),
            }
        }
        to_open
    }

    fn is_nothing(&self) -> bool {
        let ToOpen { given, sinks, termination, reports, metrics, .. } = self;
        given.is_empty() && sinks.is_empty() && termination.is_none() && reports.is_none() && metrics.is_none()
    }

    fn open(self) -> Opened {
        let ToOpen { given: mut sinks, relayed, termination, keep, .. } = self;
        sinks.extend(self.sinks.iter().filter_map(|named| open_sink(named, relayed)));
        let mut documents = Documents::default();
        documents.termination = termination;
        documents.reports = self.reports.and_then(|dir| opened(dir, |path, by| Reports::new(path, keep, by)));
        documents.metrics = self.metrics.and_then(|file| opened(file, MetricsFile::new));
        // Each pattern was tried when the options were read.
        let redaction = Redaction::new(&self.redact).unwrap_or_default();
        Opened { head: Head { tells_arguments: self.tells_arguments, ..Head::here() }, sinks, documents, redaction }
    }
}

fn opened<T>((path, option): (PathBuf, String), open: impl FnOnce(&Path, String) -> io::Result<T>) -> Option<T> {
    let warn = |error: &io::Error| log::warn!("{option}: {}: {error}: nothing is written there", path.display());
    open(&path, option.clone()).inspect_err(warn).ok()
}

fn open_sink((sink, option): &(SinkName, String), relayed: bool) -> Option<Sink> {
    let open = match sink {
        SinkName::Stderr if relayed => Ok(Sink::given(stderr::add_line)),
        SinkName::Stderr => Ok(Sink::stderr()),
        SinkName::File(path) => Sink::file(path),
        SinkName::Fd(number) => own_file::take(*number).map(Sink::fd),
        SinkName::Unix(path) => Sink::unix(path),
    };
    open.inspect_err(|error| log::warn!("{option}: {sink}: {error}: it gets no events")).ok()
}
