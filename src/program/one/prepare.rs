//! Before the command exists: what the settings name is looked up, and put into the options of an executor.

use super::environment::environment;
use crate::api::executor::RunMode;
use crate::api::options::Options;
use crate::formats::accounts::{self, Account};
use crate::model::c_string::os_string;
use crate::model::event::process::base_name;
use crate::model::exit_from::ExitFrom;
use crate::model::process_config::ProcessConfig;
use crate::model::signal::Signal;
use crate::model::status::StatusCode;
use crate::policy::drain::{Leftovers, Scope};
use crate::policy::forwarding::Forwarding;
use crate::policy::kill::DEFAULT_GRACE_PERIOD;
use crate::policy::reload::Reload;
use crate::policy::restart::Supervision;
use crate::policy::stop::Stops;
use crate::program::death::{DeathHandler, LastDeath};
use crate::program::hooks;
use crate::program::lines;
use crate::program::logger;
use crate::program::logger::warn_if_it_outlives;
use crate::program::notify;
use crate::program::options::settings::Settings;
use crate::program::options::values::UserName;
use crate::program::options::variables;
use crate::program::peers::run::TellOrphans;
use crate::program::records::{self, Called};
use crate::program::reload;
use crate::program::stderr::say;
use crate::program::systemds;
use crate::program::tails;
use crate::relay::pipes::Relay;
use crate::relay::printed::Names;
use crate::report::oom::OomWatch;
use crate::sys::capability;
use crate::sys::capability::Capability;
use crate::sys::inherited;
use crate::sys::last_kill;
use crate::sys::signals::process::ProcessSignals;
use crate::sys::terminal;
use crate::sys::terminal::ChildGroup;
use std::ffi::CStr;

/// What the command is sent where panicmon stops it on its own account.
pub(super) const STOP_SIGNAL: Signal = Signal::INT;

/// All that the run needs.
pub(super) struct Plan {
    pub(super) signals: ProcessSignals,
    pub(super) group: ChildGroup,
    pub(super) options: Options<'static>,
    pub(super) mode: RunMode,
    /// The command may be started again: each run must find what the first one found.
    pub(super) may_restart: bool,
}

/// What is observed during the run for its end.
pub(super) struct Watches {
    /// How the command ended, if that is to be said.
    pub(super) death: LastDeath,
    /// The stops that were passed on, if systemd expects the exit status 0 after one.
    pub(super) stops: Option<systemds::Passed>,
}

/// Makes the plan; an error has been told, and is an exit status.
pub(super) fn prepare(
    mut signals: ProcessSignals,
    settings: &mut Settings,
    words: &[&'static CStr],
    env: &[&'static CStr],
) -> Result<(Plan, Watches), StatusCode> {
    logger::install(settings.verbosity, env);
    variables::warn_of(&settings.slips);
    let account = account(settings)?;
    if account.is_none() {
        warn_if_it_outlives();
    }
    let group = if settings.session { ChildGroup::session() } else { ChildGroup::find(signals.inherited_mask(), true) };
    if settings.group && !group.is_own() {
        warn_of_own_group(settings);
    }
    if let Some(listened) = settings.signals {
        signals.limit(listened.union(group.needs()).union(group.sends()));
    }
    let notify = notify::relay(settings, env, account.as_ref());
    let forwarding = forwarding(settings);
    let reload = if notify.is_some() { reload::of_own_unit(env).forwarded(&forwarding) } else { Reload::Unknown };
    let last_death = LastDeath::default();
    let mut options = Options::default().handler(DeathHandler(last_death.clone())).init(true);
    options.environment = environment(settings, env, account.as_ref(), notify.as_deref());
    options.signals = settings.signals;
    options.kill_after = settings.kill_after;
    options.stop_signals = settings.stop_signals;
    options.forwarding = forwarding;
    options.dir = settings.dir.clone();
    options.drain = settings.drain;
    if settings.drain.is_some_and(|budget| !budget.is_zero()) {
        last_kill::want();
    }
    options.user = account.map(|account| account.identity);
    take_place(&mut options, settings);
    let watches = watch(&mut options, last_death, env);
    // A group that has the terminal holds it open.
    let had_terminal = match &group {
        ChildGroup::Shared | ChildGroup::Session(None) => terminal::is_there(),
        ChildGroup::Own(_) | ChildGroup::Session(Some(_)) => false,
    };
    options.name = settings.name.take().or_else(|| settings.label.clone().filter(|label| !label.is_empty()));
    let supervision = supervision(settings);
    let relay = relay(settings);
    let is_labelled = relay.is_some();
    let (relay, tails) = tails::listen(settings, relay);
    let may_restart = supervision.may_restart();
    let leftovers = leftovers(settings, may_restart);
    let records = records::open(settings, is_labelled, tails, || event_names(&options, words));
    if let Some(records) = &records {
        options.handlers.push(Box::new(records.clone()));
    }
    let hooks = hooks::hooks(settings, relay.as_deref().is_some_and(Relay::uses_stdout) || may_restart, || None);
    let oom = watch_memory(settings, records.is_some());
    let stop_signal = STOP_SIGNAL;
    let mode =
        RunMode { supervision, relay, notify, oom, records, hooks, reload, had_terminal, leftovers, stop_signal };
    Ok((Plan { signals, group, options, mode, may_restart }, watches))
}

/// Adds what another program does in whose place this one is.
fn take_place(options: &mut Options<'static>, settings: &Settings) {
    let Some(place) = &settings.in_place else { return };
    options.forwarding.stops_too = place.stops_too;
    if place.tells_orphans {
        options.handlers.push(Box::new(TellOrphans));
    }
}

/// What the command is called in records; orphans are taken for its own.
#[cold]
fn event_names(options: &Options<'_>, words: &[&CStr]) -> Called {
    let command = || base_name(&words.first().map(|word| os_string(word)).into_iter().collect::<Vec<_>>()).into_owned();
    let own = options.name.clone().unwrap_or_else(command);
    Called { processes: vec![own.clone()], own }
}

#[cold]
fn warn_of_own_group(settings: &Settings) {
    log::warn!(
        "{}: the command is in panicmon's own process group, as its terminal can't be handed over (-vv tells why): it is signalled alone",
        settings.name_of("group")
    );
}

/// The account of `--user`.
fn account(settings: &Settings) -> Result<Option<Account>, StatusCode> {
    settings.user.as_ref().map(|user| look_up(user, settings)).transpose()
}

#[cold]
fn look_up(user: &UserName, settings: &Settings) -> Result<Account, StatusCode> {
    let account = accounts::find(&user.user, user.group.as_deref()).map_err(|message| {
        say(&format_args!("{}: {message}", settings.name_of("user")));
        settings.own_failure()
    })?;
    let is_other = account.identity.uid != nix::unistd::geteuid().as_raw();
    if is_other && !capability::is_effective(Capability::Kill) {
        log::warn!(
            "{}: without the capability KILL the command can't be signalled, and outlives panicmon",
            settings.name_of("user")
        );
    }
    Ok(account)
}

/// Adds the handlers that observe what the exit status depends on.
fn watch(options: &mut Options<'static>, death: LastDeath, env: &[&'static CStr]) -> Watches {
    let mut watches = Watches { death, stops: None };
    if systemds::may_be_own_init(env) {
        let (handler, passed) = systemds::watch();
        options.handlers.push(Box::new(handler));
        watches.stops = Some(passed);
    }
    watches
}

/// Watches whether memory runs out, if the exit status depends on it, or records tell it.
fn watch_memory(settings: &Settings, records: bool) -> Option<OomWatch> {
    let is_mapped = settings.exit.iter().any(|(from, _)| *from == ExitFrom::Oom);
    let asked_by = if is_mapped { Some("exit") } else { records::asked_by(settings).filter(|_| records) };
    asked_by.map(|option| OomWatch::new(settings.name_of(option)))
}

/// What becomes of signals on their way to the command.
fn forwarding(settings: &Settings) -> Forwarding {
    let mut forwarding = Forwarding {
        rewrites: settings.rewrites.clone(),
        delays: settings.delays.clone(),
        to_group: settings.group,
        ..Forwarding::default()
    };
    if settings.drop_uncaught {
        forwarding.drop_uncaught(settings.stop_signals.unwrap_or(Stops::DEFAULT));
    }
    forwarding
}

/// When the command is started again.
fn supervision(settings: &Settings) -> Supervision {
    let defaults = ProcessConfig::new("");
    // If only one of the two is given, the default of the other gives way.
    let most = settings.max_wait.unwrap_or(defaults.max_wait);
    let min_wait = settings.min_wait.unwrap_or(defaults.min_wait.min(most));
    let max_wait = settings.max_wait.unwrap_or(defaults.max_wait.max(min_wait));
    Supervision::new(&ProcessConfig {
        min_wait,
        max_wait,
        restart: settings.restart(),
        no_restart_on: settings.no_restart_on.clone(),
        success: settings.success.clone(),
        max_restarts: settings.max_restarts,
        ..defaults
    })
}

/// What is done about what the command leaves behind, without --drain.
fn leftovers(settings: &Settings, may_restart: bool) -> Leftovers {
    let at_end = settings.in_place.as_ref().and_then(|place| place.at_end);
    match at_end {
        _ if may_restart => Leftovers::Ended(Scope::Group, DEFAULT_GRACE_PERIOD),
        Some(signal) => Leftovers::Signalled(signal),
        None => Leftovers::Told,
    }
}

/// Where the command's lines go, if they are labelled or stamped.
fn relay(settings: &mut Settings) -> Option<Box<Relay<'static>>> {
    if settings.label.is_none() && settings.timestamps.is_none() {
        return None;
    }
    Some(relay_lines(settings))
}

#[cold]
fn relay_lines(settings: &mut Settings) -> Box<Relay<'static>> {
    let which = if settings.label.is_some() { Names::One } else { Names::No };
    inherited::fill_outputs();
    Box::new(lines::relay(&[settings.label.take().unwrap_or_default()], which, settings.timestamps.take()))
}
