//! The processes of a pmux file.

use super::options::settings::Settings;
use super::options::variables;
use super::records::Called;
use super::stderr::{self, say};
use super::{check, config_file, file_options, hooks, lines, logger, records, tails};
use crate::api::environment::Environment;
use crate::api::executor::adopt_orphans;
use crate::api::supervisor::Supervisor;
use crate::engine::outcome::{Asked, Outcome};
use crate::formats::pmux::Config;
use crate::model::error::Error;
use crate::model::event::process::base_name;
use crate::model::process_config::ProcessConfig;
use crate::model::signal::{Signal, SignalSet};
use crate::model::status::StatusCode;
use crate::policy::restart::Supervision;
use crate::policy::stop::Stops;
use crate::relay::printed::Names;
use crate::report::log::Log;
use crate::sys::inherited;
use crate::sys::limit::Changed;
use crate::sys::signals::process::ProcessSignals;
use crate::sys::signals::source::Source;
use crate::sys::signals::{Disposition, disposition};
use crate::sys::terminal;
use std::ffi::CStr;

/// The name of records that aren't of any of the processes.
const OWN_NAME: &str = "panicmon";

/// Descriptors for each process: its two pipes.
const DESCRIPTORS_EACH: u64 = 2;
/// Descriptors for everything else, among them the child's ends of the pipes while a process is started.
const DESCRIPTORS_BESIDE: u64 = 64;

/// Runs them to their end, and returns the exit status.
#[cold]
pub(crate) fn run(signals: ProcessSignals, mut settings: Box<Settings>, env: &[&'static CStr]) -> StatusCode {
    logger::install(settings.verbosity, env);
    variables::warn_of(&settings.slips);
    let path = settings.config.clone().unwrap_or_default();
    // Reading a pipe may block. There is no child yet: meanwhile signals take effect on panicmon.
    let config = match signals.at_ease(|| config_file::read(&path)) {
        Ok(config) => config,
        Err(error) => {
            say(&error);
            return StatusCode::OWN_FAILURE;
        }
    };
    if let Err(message) = file_options::add(&mut settings, &config, &config_file::name(&path)) {
        say(&message);
        return StatusCode::OWN_FAILURE;
    }
    if settings.check {
        return check::report(&path, &config, env);
    }
    if config_file::is_stdin(&path) {
        // It has been read to its end; its writer must not wait for panicmon to close it.
        inherited::free_stdin();
    }
    logger::warn_if_it_outlives();
    let outcome = run_all(signals, &settings, config, env);
    stderr::relay_has_ended();
    match outcome {
        Ok(outcome) => status(&outcome),
        Err(error) => {
            say(&error);
            error.status_code()
        }
    }
}

fn run_all(
    mut signals: ProcessSignals,
    settings: &Settings,
    config: Config,
    env: &[&'static CStr],
) -> Result<Outcome, Error> {
    inherited::fill_streams();
    // Signals that were ignored from the start are listened to all the same, as in pmux; but for HUP, which nohup(1) ignores.
    let stop_on = settings.stop_signals.unwrap_or(Stops::DEFAULT);
    let stops = Stops::new(stop_on, disposition(Signal::HUP) != Disposition::Ignored);
    let listened = settings.signals.map_or(SignalSet::ALL, |listened| listened.union(stop_on));
    if settings.signals.is_some() {
        // A hang-up is a stop in any case; any other HUP keeps its disposition.
        signals.limit(listened.with(Signal::HUP));
    }
    let had_terminal = terminal::is_there();
    signals.open().map_err(|source| Error::Listen { source })?;
    let mut limits = Changed::default();
    let descriptors = DESCRIPTORS_EACH * config.processes.len() as u64 + DESCRIPTORS_BESIDE;
    if let Err(error) = limits.raise_files(descriptors) {
        log::warn!("can't open the {descriptors} descriptors that the processes need: {error}");
    }
    let _subreaper = adopt_orphans()?;

    let names: Vec<_> = config.processes.iter().map(|process| process.name.clone()).collect();
    let relay = lines::relay(&names, Names::Several, config.time_format);
    let processes = config.processes.iter().map(|process| (process, Supervision::new(process))).collect();
    let mut supervisor = Supervisor::with_source(Source::Process(signals), stops, listened, had_terminal)?;
    // Its warnings say what the remarks say, too.
    if log::log_enabled!(log::Level::Info) {
        supervisor = supervisor.handler(Log);
    }
    let environment = Environment::entries(env).without(&settings.variables);
    let (relay, tails) = tails::listen(settings, Some(Box::new(relay)));
    let records = records::open(settings, true, tails, || event_names(&config.processes));
    if let Some(records) = &records {
        supervisor = supervisor.handler(records.clone());
    }
    let hooks = hooks::hooks(settings, true, || environment.resolve().ok());
    let observers = (records.clone(), hooks);
    let outcome = supervisor.run_processes(processes, relay, &environment, limits, observers);
    records.as_ref().inspect(|records| records.finish());
    outcome
}

/// What the processes are called in records.
fn event_names(processes: &[ProcessConfig]) -> Called {
    let name = |process: &ProcessConfig| match process.name.as_str() {
        "" => base_name(std::slice::from_ref(&process.cmd)).into_owned(),
        name => name.to_owned(),
    };
    Called { own: OWN_NAME.to_owned(), processes: processes.iter().map(name).collect() }
}

/// The exit status: 0 after a stop, else that of the first process that failed.
fn status(outcome: &Outcome) -> StatusCode {
    match outcome.asked {
        Asked::Kill => StatusCode::new(1),
        _ if outcome.reader_gone => StatusCode::OWN_FAILURE,
        Asked::Stop => StatusCode::SUCCESS,
        Asked::Nothing => match outcome.first_failure.and_then(|number| outcome.results.get(number)) {
            Some(Ok(end)) => end.status.code(),
            Some(Err(error)) => error.status_code(),
            None => StatusCode::SUCCESS,
        },
    }
}
