//! What is left of a run for those who come later: `--report`, `--termination-log`, `--metrics`.
//!
//! Files are written when records are, after all that had to be done at once. What can't be written is warned of once: the
//! command doesn't notice.
//!
//! | file | contents |
//! |---|---|
//! | `certificate` | a file for each abnormal end, and one while the process runs |
//! | `termination` | why the last run failed, for Kubernetes |
//! | `metrics_file` | counts, for Prometheus |
//! | `people` | an end as people read it |

pub(crate) mod certificate;
pub(crate) mod metrics_file;
mod people;
pub(crate) mod termination;

use crate::model::event::{Event, PreviousRunLost};
use crate::model::handler::Handler;
use crate::model::pid::Pid;
use crate::report::log::Log;
use certificate::Reports;
use jiff::Timestamp;
use metrics_file::MetricsFile;
use serde_json::Value;
use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;
use std::time::Instant;
use termination::TerminationLog;

/// The files that are asked for.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    pub(crate) metrics: Option<MetricsFile>,
    pub(crate) termination: Option<TerminationLog>,
    pub(crate) reports: Option<Reports>,
    /// The last child of each process, until it has ended.
    children: BTreeMap<String, Pid>,
}

impl Documents {
    /// There is to be a process of this name, and nothing of it was told yet. Its last run, if that has vanished, which is
    /// logged: no other handler is told of it.
    pub(crate) fn expect(&mut self, name: &str) -> Option<PreviousRunLost<'static>> {
        if let Some(metrics) = &mut self.metrics {
            metrics.expect(name);
        }
        let lost = self.reports.as_mut().and_then(|reports| reports.previous(name));
        lost.inspect(|lost| Log.previous_run_lost(lost))
    }

    /// Whether it has to be given this event as a record.
    pub(crate) fn reads(&self, event: &Event<'_>) -> bool {
        let (for_report, for_termination) = (self.reports.is_some(), self.termination.is_some());
        match event {
            Event::Exited(exited) => exited.result() != "success" && (for_report || for_termination),
            Event::Failed(_) => for_report || for_termination,
            Event::Started(_) | Event::PreviousRunLost(_) => for_report,
            _ => false,
        }
    }

    /// An event of this name at this time. `line`: its record, if that is [read](Documents::reads).
    pub(crate) fn add(&mut self, event: &Event<'_>, name: &str, time: Timestamp, line: &[u8]) {
        if let Some(metrics) = &mut self.metrics {
            metrics.count(event, name, time);
        }
        match event {
            Event::Started(started) => {
                self.children.insert(name.to_owned(), started.pid);
                if let Some(reports) = &mut self.reports {
                    reports.started(name, line);
                }
            }
            Event::Exited(exited) => {
                let child = self.children.remove(name).unwrap_or(exited.pid);
                if exited.result() == "success" {
                    self.succeeded(name);
                } else {
                    self.ended_abnormally(name, time, child, line);
                }
            }
            Event::Failed(_) => {
                let child = self.children.remove(name).unwrap_or(Pid::new(0));
                self.ended_abnormally(name, time, child, line);
            }
            Event::PreviousRunLost(lost) => {
                if let Some(reports) = &mut self.reports {
                    reports.write(name, time, lost.pid.unwrap_or(Pid::new(0)), line);
                }
            }
            _ => {}
        }
    }

    fn succeeded(&mut self, name: &str) {
        if let Some(termination) = &mut self.termination {
            termination.succeeded(name);
        }
        if let Some(reports) = &mut self.reports {
            reports.ended(name);
        }
    }

    fn ended_abnormally(&mut self, name: &str, time: Timestamp, child: Pid, line: &[u8]) {
        if let Some(termination) = &mut self.termination {
            let record: Value = serde_json::from_slice(line).unwrap_or_default();
            termination.failed(name, &record);
        }
        if let Some(reports) = &mut self.reports {
            reports.write(name, time, child, line);
            reports.ended(name);
        }
    }

    /// Writes what is due.
    pub(crate) fn write(&mut self) {
        if let Some(metrics) = &mut self.metrics {
            metrics.write_if_due();
        }
    }

    /// When something is due, if nothing happens until then.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.metrics.as_ref().and_then(MetricsFile::deadline)
    }

    /// Nothing more comes.
    pub(crate) fn finish(&mut self) {
        if let Some(metrics) = &mut self.metrics {
            metrics.write();
        }
        if let Some(reports) = &mut self.reports {
            reports.end_all();
        }
    }

    /// All descriptors it holds.
    pub(crate) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let metrics = self.metrics.iter().map(MetricsFile::fd);
        let termination = self.termination.iter().map(TerminationLog::fd);
        metrics.chain(termination).chain(self.reports.iter().flat_map(Reports::fds))
    }
}
