//! Opens what `--events`, `--report`, `--termination-log` and `--metrics` name, and says what hooks are to have.

use super::hooks;
use super::options::settings::Settings;
use super::stderr;
use super::tails::Tails;
use crate::report::json::KEPT_REPORTS;
use crate::report::records::Records;
use crate::report::records::documents::Documents;
use crate::report::records::documents::certificate::Reports;
use crate::report::records::documents::metrics_file::MetricsFile;
use crate::report::records::documents::termination::TerminationLog;
use crate::report::records::record::Head;
use crate::report::records::sink::{Sink, SinkName};
use crate::report::redaction::Redaction;
use crate::sys::own_file;
use std::ffi::OsString;
use std::fmt::Display;
use std::io;
use std::path::Path;

/// What processes are called in records.
pub(crate) struct Called {
    /// Whose those are that are no process's.
    pub(crate) own: String,
    pub(crate) processes: Vec<String>,
}

/// The records that are asked for. A sink that can't be opened gets none, which is a warning. `relayed`: what is written to
/// stderr goes through a relay.
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
    let mut sinks = Vec::new();
    for sink in &settings.events {
        match open_sink(sink, relayed) {
            Ok(open) => sinks.push(open),
            Err(error) => log::warn!("{}: {sink}: {error}: it gets no events", settings.name_of("events")),
        }
    }
    let documents = open_documents(settings);
    if sinks.is_empty() && documents.is_empty() && settings.hooks.is_empty() && tails.is_none() {
        return None;
    }
    let records = Records::new(Head::here(), sinks, documents, tails.unwrap_or_default().files, names.own);
    records.keep_for_hooks(hooks::kinds(settings));
    if settings.report_args {
        records.tell_arguments();
    }
    // Each pattern was tried when the options were read.
    records.redact(Redaction::new(&settings.redact).unwrap_or_default());
    records.expect(&names.processes);
    Some(records)
}

fn open_documents(settings: &Settings) -> Documents {
    let keep = settings.report_keep.unwrap_or(KEPT_REPORTS);
    let mut documents = Documents::default();
    documents.reports = opened(settings, &settings.report, "report", |path, by| Reports::new(path, keep, by));
    documents.termination = opened(settings, &settings.termination_log, "termination-log", TerminationLog::new);
    documents.metrics = opened(settings, &settings.metrics, "metrics", MetricsFile::new);
    documents
}

fn opened<T>(
    settings: &Settings,
    path: &Option<OsString>,
    option: &str,
    open: impl FnOnce(&Path, String) -> io::Result<T>,
) -> Option<T> {
    let path = Path::new(path.as_ref()?);
    let name = settings.name_of(option);
    let warn = |error: &dyn Display| log::warn!("{name}: {}: {error}: nothing is written there", path.display());
    open(path, name.clone()).inspect_err(|error| warn(error)).ok()
}

fn open_sink(sink: &SinkName, relayed: bool) -> io::Result<Sink> {
    match sink {
        SinkName::Stderr if relayed => Ok(Sink::given(stderr::add_line)),
        SinkName::Stderr => Ok(Sink::stderr()),
        SinkName::File(path) => Sink::file(path),
        SinkName::Fd(number) => own_file::take(*number).map(Sink::fd),
        SinkName::Unix(path) => Sink::unix(path),
    }
}
