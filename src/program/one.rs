//! One command.

use crate::api::executor::Executor;
use crate::api::executor::{Manner, Whole};
use crate::api::options::Environment;
use crate::api::options::Options;
use crate::formats::accounts;
use crate::formats::accounts::Account;
use crate::model::c_string::os_string;
use crate::model::env;
use crate::model::error::Error;
use crate::model::process_config::ProcessConfig;
use crate::model::signal::{Signal, SignalSet};
use crate::model::status::{ExitStatus, StatusCode};
use crate::policy::child::GRACE;
use crate::policy::drain::{Leftovers, Scope};
use crate::policy::forwarding::Forwarding;
use crate::policy::reload::Reload;
use crate::policy::restart::Supervision;
use crate::policy::stop::Stops;
use crate::program::exit;
use crate::program::exit::{Ending, ExitFrom};
use crate::program::options::variables;
use crate::program::stderr;
use crate::program::stderr::say;
use crate::program::{Settings, colours, journal, logger, outlives_readers, reload, stamp, systemds};
use crate::relay::printed::{Names, Printed};
use crate::relay::{Relay, Sink};
use crate::report::log::LogHandler;
use crate::report::oom;
use crate::sys::capability;
use crate::sys::capability::Capability;
use crate::sys::inherited;
use crate::sys::notify::{Directories, Notify};
use crate::sys::output::Output;
use crate::sys::signals::own;
use crate::sys::signals::process::ProcessSignals;
use crate::sys::signals::source::Source;
use crate::sys::terminal;
use crate::sys::terminal::ChildGroup;
use std::borrow::Cow;
use std::ffi::{CStr, OsStr, OsString};
use std::os::fd::BorrowedFd;

/// Where a service manager listens: sd_notify(3).
const NOTIFY_SOCKET: &str = "NOTIFY_SOCKET";

/// Runs it, once or again and again, and returns the exit status.
pub(crate) fn run(
    mut signals: ProcessSignals,
    mut settings: Settings,
    words: &[&'static CStr],
    env: &[&'static CStr],
) -> StatusCode {
    logger::install(settings.verbosity, env);
    variables::warn_of(&settings.slips);
    let (dir, user) = (settings.dir.clone(), settings.user.as_ref());
    let account = match user.map(|name| accounts::find(&name.user, name.group.as_deref())).transpose() {
        Ok(account) => account,
        Err(message) => {
            say(&format_args!("{}: {message}", settings.name_of("user")));
            return StatusCode::OWN_FAILURE;
        }
    };
    if let Some(identity) = account.as_ref().map(|account| &account.identity)
        && identity.uid != nix::unistd::geteuid().as_raw()
        && !capability::is_effective(Capability::Kill)
    {
        log::warn!(
            "{}: without the capability KILL the command can't be signalled, and outlives panicmon",
            settings.name_of("user")
        );
    }
    let group = if settings.session { ChildGroup::session() } else { ChildGroup::find(signals.inherited_mask(), true) };
    if settings.group && !group.is_own() {
        log::warn!(
            "{}: the command is in panicmon's own process group (SIGTTIN is ignored or blocked): it is signalled alone",
            settings.name_of("group")
        );
    }
    if let Some(listened) = settings.signals {
        signals.limit(listened.union(group.needs()).union(group.sends()));
    }
    let mut options = Options::default().handler(LogHandler).init(true);
    options.signals = settings.signals;
    options.kill_after = settings.kill_after;
    options.stop_signals = settings.stop_signals;
    options.forwarding = forwarding(&settings);
    options.dir = dir;
    options.drain = settings.drain;
    let notify = notify(&settings, env, account.as_ref());
    let reload = if notify.is_some() { reload(env).forwarded(&options.forwarding) } else { Reload::Unknown };
    options.environment = environment(&settings, env, account.as_ref(), notify.as_ref());
    options.user = account.map(|account| account.identity);
    let exit = std::mem::take(&mut settings.exit);
    let mut oom = None;
    if exit.iter().any(|(from, _)| *from == ExitFrom::Oom) {
        let (watch, verdict) = oom::watch(settings.name_of("exit"));
        options = options.handler(watch);
        oom = Some(verdict);
    }
    let mut stops = None;
    if systemds::may_be_own_init(env) {
        let (watch, passed) = systemds::watch();
        options = options.handler(watch);
        stops = Some(passed);
    }
    let args: Vec<_> = words.iter().map(|word| os_string(word)).collect();
    let words = words.iter().map(|word| Cow::Borrowed(*word)).collect();
    // Else the group has it open.
    let had_terminal = match &group {
        ChildGroup::Shared | ChildGroup::Session(None) => terminal::is_there(),
        ChildGroup::Own(_) | ChildGroup::Session(Some(_)) => false,
    };
    let (supervision, relay) = (supervision(&settings), relay(&mut settings));
    let again = supervision.may_restart();
    let leftovers = if again { Leftovers::Ended(Scope::Group, GRACE) } else { Leftovers::Told };
    let manner = Manner { supervision, relay, notify, reload, had_terminal, leftovers };
    let result = Executor::with_source(options, Source::Process(signals), group).and_then(|mut executor| {
        executor.run_words(&args, Ok(words), manner, |source, group, needed, prints| {
            // The next child is to have what the first had.
            if again { listen(source) } else { settle(source, group, needed, prints) }
        })
    });
    stderr::leave_no_more();
    match result {
        Ok(Whole { end, reader_gone }) => {
            let oom = !end.killed && oom.is_some_and(|verdict| verdict.is_oom());
            let ending = Ending { status: end.status, requested: end.requested, timed_out: end.timed_out, oom };
            let code = match exit::mapped(&exit, ending) {
                Some(code) => StatusCode::new(code),
                None => {
                    let systemds = match end.status {
                        ExitStatus::Signaled { signal, .. } if systemds::is_own(env) => Some(signal),
                        ExitStatus::Signaled { .. } | ExitStatus::Exited(_) => None,
                    };
                    if let Some(signal) = end.die_of.or(systemds) {
                        own::die(signal);
                    }
                    let stop = stops.and_then(|passed| passed.code(end.status));
                    stop.filter(|_| systemds::is_own_init(env)).unwrap_or_else(|| end.status.code())
                }
            };
            // It was our stop, and nobody asked for it.
            if reader_gone && code.is_success() { StatusCode::OWN_FAILURE } else { code }
        }
        Err(error) => {
            match settings.variable_behind(&error) {
                Some(variable) => say(&format_args!("{variable}: {error}")),
                None => say(&error),
            }
            error.status_code()
        }
    }
}

/// What becomes of signals on their way.
fn forwarding(settings: &Settings) -> Forwarding {
    Forwarding {
        rewrites: settings.rewrites.clone(),
        delays: settings.delays.clone(),
        to_group: settings.group,
        only: None,
        unless_uncaught: if settings.drop_uncaught { all_but_stops(settings) } else { SignalSet::EMPTY },
    }
}

/// What is dropped if the command would die of it unasked.
#[cold]
fn all_but_stops(settings: &Settings) -> SignalSet {
    let asked_for: SignalSet =
        [Signal::TERM, Signal::INT, Signal::QUIT, Signal::HUP, Signal::KILL].into_iter().collect();
    let stops = settings.stop_signals.unwrap_or(Stops::DEFAULT);
    // A stop is passed on whatever it becomes: who is to end may die of it.
    let become_of_stops = settings.rewrites.iter().filter(|(from, _)| stops.contains(*from)).filter_map(|(_, to)| *to);
    let apart = become_of_stops.fold(asked_for.union(stops), SignalSet::with);
    SignalSet::ALL.difference(apart)
}

/// The variables of the command: those inherited, if they are wanted, and what was asked for.
fn environment(
    settings: &Settings,
    env: &[&'static CStr],
    account: Option<&Account>,
    notify: Option<&Notify>,
) -> Environment {
    let inherited = if settings.clear_env { &[] } else { env };
    // What this panicmon has applied, another below would do once more.
    let mut environment = Environment::entries(inherited).without(&settings.variables).without(&settings.unset_env);
    for (key, value) in account.iter().flat_map(|account| &account.variables) {
        environment.set(OsStr::new(key), OsStr::new(value));
    }
    if let Some(notify) = notify {
        environment.set(OsStr::new(NOTIFY_SOCKET), notify.name());
    }
    environment.with(&settings.env)
}

/// Passes on what the command tells its service manager, if it has one that the command will know of.
fn notify(settings: &Settings, env: &[&CStr], account: Option<&Account>) -> Option<Notify> {
    env::get(env, NOTIFY_SOCKET).and_then(|manager| notify_by(manager, settings, env, account))
}

#[cold]
fn notify_by(manager: &OsStr, settings: &Settings, env: &[&CStr], account: Option<&Account>) -> Option<Notify> {
    let is_it = |name: &OsString| name == NOTIFY_SOCKET;
    if settings.clear_env || settings.unset_env.iter().any(is_it) || settings.env.iter().any(|(name, _)| is_it(name)) {
        return None;
    }
    let user = account.map(|account| &account.identity);
    Notify::relay(manager, user, directories(env)).unwrap_or_else(|error| {
        log::warn!("can't pass notifications on to NOTIFY_SOCKET={}: {error}", manager.display());
        None
    })
}

/// What a reload by the service manager sends to this process. Read now, when no child waits for anything.
#[cold]
fn reload(env: &[&CStr]) -> Reload {
    // Nobody else's reload is ours. All systemds that know notify-reload say whom they have started.
    if systemds::is_own(env) || systemds::is_own_init(env) { reload::reload() } else { Reload::Unknown }
}

/// Where the command's notification socket can be.
pub(crate) fn directories<'e>(env: &[&'e CStr]) -> Directories<'e> {
    Directories { runtime: env::get(env, "RUNTIME_DIRECTORY"), temporary: env::get(env, "TMPDIR") }
}

/// Once the child exists: lets go of what is the child's now, and only then opens what panicmon needs itself, which a
/// full table of descriptors would have had no room for.
fn settle(source: &mut Source, group: &ChildGroup, needed: &[BorrowedFd<'_>], prints: bool) -> Result<(), Error> {
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

/// When the command is started again.
fn supervision(settings: &Settings) -> Supervision {
    let defaults = ProcessConfig::new("");
    // One alone moves the other's default, if need be.
    let most = settings.max_wait.unwrap_or(defaults.max_wait);
    let min_wait = settings.min_wait.unwrap_or(defaults.min_wait.min(most));
    let max_wait = settings.max_wait.unwrap_or(defaults.max_wait.max(min_wait));
    Supervision::new(&ProcessConfig {
        min_wait,
        max_wait,
        restart: settings.restart(),
        no_restart_on: settings.no_restart_on.clone(),
        max_restarts: settings.max_restarts,
        ..defaults
    })
}

/// Where its lines go, if they are to be labelled.
fn relay(settings: &mut Settings) -> Option<Relay<'static>> {
    if settings.label.is_none() && settings.timestamps.is_none() {
        return None;
    }
    Some(relay_lines(settings))
}

#[cold]
fn relay_lines(settings: &mut Settings) -> Relay<'static> {
    let which = if settings.label.is_some() { Names::One } else { Names::No };
    let names = [settings.label.take().unwrap_or_default()];
    inherited::fill_outputs();
    let (out, err) = (Output::stdout(), Output::stderr());
    let printed = Printed::new(out, err, &names, which, settings.timestamps.take().map(stamp), colours());
    stderr::leave_to_relay();
    let printed = printed.beside(stderr::take).outlives_readers(outlives_readers()).journal(journal::stream());
    Relay::new(Sink::Printed(printed))
}
