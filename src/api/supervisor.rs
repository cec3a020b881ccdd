//! Processes that are kept running, one or several: what pmux does.

use super::control::{Canceller, Control};
use super::environment::{Environment, Environments};
use crate::engine::outcome::Outcome;
use crate::engine::run::{Progress, Run, Signals};
use crate::engine::task::{Spec, Streams, Task};
use crate::engine::tasks::Tasks;
use crate::model::c_string::c_string;
use crate::model::error::Error;
use crate::model::handler::Handler;
use crate::model::process_config::ProcessConfig;
use crate::model::signal::{Signal, SignalSet};
use crate::model::signal_source::SignalSource;
use crate::model::status::StatusCode;
use crate::policy::action::End;
use crate::policy::child::Lifecycle;
use crate::policy::drain::{Leftovers, Scope};
use crate::policy::forwarding::Forwarding;
use crate::policy::own::Own;
use crate::policy::reload::Reload;
use crate::policy::restart::Supervision;
use crate::policy::stop::Stops;
use crate::relay::pipes::{Relay, Sink, Tell};
use crate::relay::stream::Line;
use crate::report::hooks::Hooks;
use crate::report::oom::OomWatch;
use crate::report::records::Records;
use crate::sys::limit::Changed;
use crate::sys::orders;
use crate::sys::orders::{Orders, Sender};
use crate::sys::private_fds::PrivateFds;
use crate::sys::process;
use crate::sys::signals::shared::listen::SharedSignals;
use crate::sys::signals::source::Source;
use crate::sys::spawn::command::Command;
use crate::sys::terminal::ChildGroup;
use crate::sys::user;
use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

/// With more processes than this, a child isn't given a copy of all their pipes.
const MANY: usize = 32;

/// Runs processes, each in a process group of its own, and starts them again when they end: what pmux and its library
/// do.
///
/// To stop them, their groups are sent INT, or their [`stop_signal`](ProcessConfig::stop_signal), and KILL if they haven't
/// ended [`sig_kill_wait`](ProcessConfig::sig_kill_wait) later. That happens when a [`Canceller`] says so, or one of the signals
/// comes that the supervisor listens to; a second one kills all groups at once. A [`Control`] stops, starts and signals single
/// processes.
///
/// Their stdin is /dev/null, unless [`inherit_stdin`](ProcessConfig::inherit_stdin) is set. Their stdout and stderr are this program's own, or come line by line to
/// [`on_line`](Supervisor::on_line). They never outlive this program (`PR_SET_PDEATHSIG`, prctl(2)), as with
/// [`Executor`](crate::api::executor::Executor); processes they start themselves may. INT has its default action in them, though this
/// program may ignore it.
///
/// ```
/// use panicmon::{ProcessConfig, Supervisor};
///
/// let mut lines = Vec::new();
/// let mut config = ProcessConfig::new("sh");
/// config.args = vec!["-c".into(), "echo hello; exit 3".into()];
/// let status = Supervisor::new([])?.on_line(|line| lines.push(line.bytes.to_vec())).run_once(&config)?;
/// assert_eq!(status.get(), 3);
/// assert!(lines.contains(&b"hello".to_vec()));
/// # Ok::<(), panicmon::Error>(())
/// ```
pub struct Supervisor<'a> {
    source: Source,
    stops: Stops,
    /// What else is listened to, or at all.
    listened: SignalSet,
    had_terminal: bool,
    /// What a process gets that asks for nothing else.
    group: ChildGroup,
    session: ChildGroup,
    orders: Orders,
    sender: Sender,
    handlers: Vec<Box<dyn Handler + Send + 'a>>,
    on_line: Option<Box<Tell<'a>>>,
}

impl<'a> Supervisor<'a> {
    /// A supervisor that stops its processes when one of these signals comes to this program, from now on; as pmux does
    /// with INT and TERM. Others it leaves alone.
    ///
    /// # Errors
    /// [`Error::Listen`], if a signal can't be listened to (as with [`Executor::new`](crate::api::executor::Executor::new)), or the system
    /// refuses.
    pub fn new(stop_on: impl IntoIterator<Item = Signal>) -> Result<Supervisor<'a>, Error> {
        let stop_on = stop_on.into_iter().collect();
        let source = Source::Shared(SharedSignals::listen(Some(stop_on), false, false, SignalSource::Own)?);
        Supervisor::with_source(source, Stops::new(stop_on, true), SignalSet::ALL, false)
    }

    /// A supervisor that takes its signals from elsewhere.
    pub(crate) fn with_source(
        source: Source,
        stops: Stops,
        listened: SignalSet,
        had_terminal: bool,
    ) -> Result<Supervisor<'a>, Error> {
        let (orders, sender) = orders::orders().map_err(|source| Error::start("pipe", source))?;
        let (group, session) = (ChildGroup::Own(None), ChildGroup::Session(None));
        Ok(Supervisor {
            source,
            stops,
            listened,
            had_terminal,
            group,
            session,
            orders,
            sender,
            handlers: Vec::new(),
            on_line: None,
        })
    }

    /// Adds a handler to those there are; they are told of every process.
    #[must_use]
    pub fn handler(mut self, handler: impl Handler + Send + 'a) -> Self {
        self.handlers.push(Box::new(handler));
        self
    }

    /// Takes what the processes write, line by line, and what the supervisor says of them; instead of the output going
    /// where this program's goes.
    ///
    /// It is called from the thread that runs the processes, which does nothing else meanwhile.
    #[must_use]
    pub fn on_line(mut self, tell: impl FnMut(&Line<'_>) + Send + 'a) -> Self {
        self.on_line = Some(Box::new(tell));
        self
    }

    /// What stops the processes from another thread.
    pub fn canceller(&self) -> Canceller {
        Canceller::new(Some(self.sender.clone()))
    }

    /// What stops, starts and signals single processes, by name, from another thread or a handler.
    pub fn control(&self) -> Control {
        Control::new(self.sender.clone())
    }

    /// Runs a process to its end, once: its exit code, or 128+N if signal N ended it.
    ///
    /// # Errors
    /// If it couldn't be started, or was cancelled before ([`Error::Cancelled`]), or its status can't be told.
    pub fn run_once(&mut self, config: &ProcessConfig) -> Result<StatusCode, Error> {
        self.run_one(config, Supervision::once(config.success.clone()))
    }

    /// Runs a process, and starts it again as its configuration says, until it is cancelled: how its last run ended.
    ///
    /// # Errors
    /// As for [`run_once`](Supervisor::run_once), of the last run.
    pub fn run(&mut self, config: &ProcessConfig) -> Result<StatusCode, Error> {
        self.run_one(config, Supervision::new(config))
    }

    /// Runs several processes side by side, each as [`run`](Supervisor::run) does, until the last is done: how the last
    /// run of each ended, in their order.
    ///
    /// # Errors
    /// If no status can be told, of any; the processes are killed then.
    pub fn run_all(&mut self, configs: &[ProcessConfig]) -> Result<Vec<Result<StatusCode, Error>>, Error> {
        let processes = configs.iter().map(|config| (config, Supervision::new(config))).collect();
        let outcome = self.run_processes(processes, None, &Environment::default(), Changed::default(), (None, None))?;
        Ok(outcome.results.into_iter().map(code).collect())
    }

    fn run_one(&mut self, config: &ProcessConfig, supervision: Supervision) -> Result<StatusCode, Error> {
        let outcome = self.run_processes(
            vec![(config, supervision)],
            None,
            &Environment::default(),
            Changed::default(),
            (None, None),
        )?;
        outcome.results.into_iter().next().map_or(Err(Error::Cancelled), code)
    }

    /// Runs these, with their lines where the relay says, or where [`on_line`](Supervisor::on_line) does.
    pub(crate) fn run_processes(
        &mut self,
        processes: Vec<(&ProcessConfig, Supervision)>,
        relay: Option<Box<Relay<'static>>>,
        environment: &Environment,
        limits: Changed,
        (records, hooks): (Option<Records>, Option<Box<Hooks>>),
    ) -> Result<Outcome, Error> {
        let own = process::id();
        let own_process = matches!(self.source, Source::Process(_));
        let words_of = |config: &ProcessConfig| [&config.cmd].into_iter().chain(&config.args).cloned().collect();
        let words: Vec<Vec<OsString>> = processes.iter().map(|(config, _)| words_of(config)).collect();
        let names = || processes.iter().map(|(config, _)| config.name.clone()).collect();
        let relay = relay.or_else(|| {
            let tell = self.on_line.as_mut()?;
            Some(Box::new(Relay::new(Sink::Told { names: names(), tell: Box::new(|line| tell(line)) })))
        });
        let mut environments = Environments::of(environment);
        let mut tasks = Vec::with_capacity(processes.len());
        for ((config, supervision), args) in processes.into_iter().zip(&words) {
            let spec = Spec {
                name: Some(&config.name).filter(|name| !name.is_empty()).map(String::as_str),
                args,
                command: Arc::new(command(config, args, &mut environments)?),
                group: if config.session { &self.session } else { &self.group },
                streams: Streams::Relayed { null_stdin: !config.inherit_stdin },
                heeded: SignalSet::EMPTY.with(Signal::INT).with(config.stop_signal),
                stop_signal: config.stop_signal,
            };
            let lifecycle = lifecycle(config, Own { pid: own, is_wrapper: own_process }, self.listened);
            tasks.push(Task::new(spec, supervision, lifecycle, leftovers(config, own_process)));
        }
        let private = if own_process && tasks.len() > MANY { PrivateFds::begin(2 * tasks.len()) } else { None };
        let run = Run {
            own,
            source: &mut self.source,
            tasks: Tasks::new(tasks),
            handlers: &mut self.handlers,
            reaps_all: own_process,
            relay,
            signals: Signals::Shared,
            stops: self.stops,
            had_terminal: self.had_terminal,
            orders: Some(&self.orders),
            limits,
            notify: None,
            reload: Reload::Unknown,
            oom: records.is_some().then(|| OomWatch::new("events".to_owned())),
            records,
            hooks,
            private,
            progress: Progress::default(),
        };
        let _running = self.orders.begin(run.names());
        run.run(|_, _, _| Ok(()))
    }
}

impl fmt::Debug for Supervisor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor")
            .field("stops", &self.stops)
            .field("handlers", &self.handlers.len())
            .finish_non_exhaustive()
    }
}

/// The rules for the children of a process.
fn lifecycle(config: &ProcessConfig, own: Own, listened: SignalSet) -> Lifecycle {
    // A signal that is meant for another process must not end this one.
    let drop_uncaught = if config.signals.is_some() { SignalSet::EMPTY } else { SignalSet::ALL };
    let forwarding = Forwarding { only: config.signals, drop_uncaught, ..Forwarding::default() };
    Lifecycle::new(own, listened, forwarding, Some(config.sig_kill_wait))
}

/// What is done about what the runs of a process leave behind. In a program that isn't a wrapper only, an orphan may be
/// anybody's.
fn leftovers(config: &ProcessConfig, own_process: bool) -> Leftovers {
    match (own_process, config.drain) {
        (false, _) => Leftovers::Ignored,
        (true, false) => Leftovers::Ended(Scope::Group, config.sig_kill_wait),
        (true, true) => Leftovers::Ended(Scope::Run, config.sig_kill_wait),
    }
}

/// What is executed for a process.
pub(crate) fn command(
    config: &ProcessConfig,
    args: &[OsString],
    environments: &mut Environments<'_>,
) -> Result<Command, Error> {
    let words = args.iter().cloned().map(|word| c_string(word).map(Cow::Owned)).collect::<Result<Vec<_>, _>>()?;
    let mut command = Command::new(words, environments.for_process(config)?)?;
    command.dir = config.dir.clone().map(|dir| c_string(dir.into_os_string())).transpose()?;
    // To become what this process is already takes no right.
    command.user = config.user.clone().filter(|user| !user::is_own(user));
    Ok(command)
}

fn code(result: Result<End, Error>) -> Result<StatusCode, Error> {
    result.map(|end| end.status.code())
}

#[cfg(test)]
mod tests;
