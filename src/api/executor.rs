//! One child, run once: what the Go package panicmon does.

use super::control::Canceller;
use super::options::Options;
use super::streams::{Streams, relayed};
use crate::engine::outcome::Outcome;
use crate::engine::run::{Progress, Run, Signals};
use crate::engine::task;
use crate::engine::task::{Spec, Task};
use crate::engine::tasks::Tasks;
use crate::model::c_string::c_string;
use crate::model::error::Error;
use crate::model::event::process::base_name;
use crate::model::event::{Event, ProcessFailed};
use crate::model::exit_from::ExitFrom;
use crate::model::handler::Handler;
use crate::model::signal::{Signal, SignalSet};
use crate::model::status::StatusCode;
use crate::model::success::Success;
use crate::policy::action::End;
use crate::policy::child::Lifecycle;
use crate::policy::drain::Leftovers;
use crate::policy::exit;
use crate::policy::own::Own;
use crate::policy::reload::Reload;
use crate::policy::restart::Supervision;
use crate::policy::stop::Stops;
use crate::relay::pipes::Relay;
use crate::report::hooks::Hooks;
use crate::report::oom::OomWatch;
use crate::report::records::Records;
use crate::sys::limit::Changed;
use crate::sys::notify::Notify;
use crate::sys::orders;
use crate::sys::orders::{Orders, Sender};
use crate::sys::process;
use crate::sys::process::{ParentDeathSignal, Subreaper};
use crate::sys::signals;
use crate::sys::signals::shared::listen::SharedSignals;
use crate::sys::signals::source::Source;
use crate::sys::terminal::ChildGroup;
use std::borrow::Cow;
use std::ffi::{CStr, OsStr, OsString};
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

/// Runs commands, one at a time, and forwards this program's signals to them.
///
/// It listens from its construction on: a signal that comes before the child exists is forwarded once it does. Several
/// executors may be at work in one program, each from a thread of its own: each sees every signal, and waits for its
/// own child only.
///
/// The child is killed (`PR_SET_PDEATHSIG`, prctl(2)) when this program ends, however and whenever it ends. The kernel takes
/// that back from a program that is set-user-id, or that changes its user by itself; and from any, if this program's real
/// user or group isn't its effective one.
///
/// The child inherits the calling thread's signal mask, and the dispositions the program had before there were executors.
/// An executor listens by handlers, which are put beside the program's own; while there is one, what the program starts
/// otherwise sees a signal it ignored as one with the default disposition. Dropping the executor gives each signal its
/// disposition back, unless the program has set another one meanwhile.
///
/// A signal that the terminal sends to the whole process group (Ctrl-C) has reached the child, which is in this
/// program's group, and isn't sent twice. Of real-time signals 40,000 are queued for each executor (fewer where pipes may
/// not be that large); of more, one for each number. Linux 5.4 or later.
///
/// A [`Canceller`] stops what it runs from another thread.
///
/// It prints nothing by itself: what is to be said of trouble goes to the `log` crate.
///
/// ```
/// use panicmon::{Executor, Options};
///
/// let status = Executor::new(Options::default())?.run(["sh", "-c", "exit 3"])?;
/// assert_eq!(status.get(), 3);
/// # Ok::<(), panicmon::Error>(())
/// ```
#[derive(Debug)]
pub struct Executor<'a> {
    options: Options<'a>,
    source: Source,
    group: ChildGroup,
    /// From other threads. `None` in the program, which has no other.
    orders: Option<(Orders, Sender)>,
    /// Held while this process is to be a subreaper.
    _subreaper: Option<Subreaper>,
    /// Held while this process is to get a signal when its parent dies.
    _parent_death_signal: Option<ParentDeathSignal>,
}

/// Makes this process the parent of its descendants' orphans as long as the claim is held; PID 1 is that anyway.
///
/// Where it is not known, the command runs all the same: qemu-user 7 answers EINVAL.
pub(crate) fn adopt_orphans() -> Result<Option<Subreaper>, Error> {
    if process::id().as_raw() == 1 {
        return Ok(None);
    }
    match Subreaper::claim() {
        Ok(claimed) => Ok(Some(claimed)),
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            log::warn!(
                "can't be a child subreaper: {error}; orphans of the command go to another process, and --drain can't find them"
            );
            Ok(None)
        }
        Err(source) => Err(Error::start("prctl(PR_SET_CHILD_SUBREAPER)", source)),
    }
}

impl<'a> Executor<'a> {
    /// Starts listening to signals.
    ///
    /// # Errors
    /// [`Error::Listen`], if a signal that is asked for can't be listened to (KILL, STOP, CHLD; ILL, FPE and SEGV, whose
    /// handlers would return into the fault), or the system refuses. [`Error::Start`], if the system refuses something else.
    pub fn new(options: Options<'a>) -> Result<Executor<'a>, Error> {
        let group = match (options.session, options.job_control) {
            (true, _) => ChildGroup::session(),
            (false, true) => ChildGroup::find(signals::blocked(), false),
            (false, false) => ChildGroup::Shared,
        };
        let signals = options.signals.map(|signals| signals.union(group.needs()));
        let job_control = group.terminal().is_some();
        let source = Source::Shared(SharedSignals::listen(signals, options.init, job_control, options.signals_by)?);
        let claim = |source| Error::start("prctl(PR_SET_PDEATHSIG)", source);
        let claimed = options.parent_death_signal.map(ParentDeathSignal::claim).transpose().map_err(claim)?;
        let orders = orders::orders().map_err(|source| Error::start("pipe", source))?;
        let executor = Executor::with_source(options, source, group)?;
        Ok(Executor { orders: Some(orders), _parent_death_signal: claimed, ..executor })
    }

    /// An executor that takes its signals from elsewhere.
    pub(crate) fn with_source(options: Options<'a>, source: Source, group: ChildGroup) -> Result<Executor<'a>, Error> {
        let claimed = if options.init { adopt_orphans()? } else { None };
        Ok(Executor { options, source, group, orders: None, _subreaper: claimed, _parent_death_signal: None })
    }

    /// What stops the command from another thread.
    pub fn canceller(&self) -> Canceller {
        Canceller::new(self.orders.as_ref().map(|(_, sender)| sender.clone()))
    }

    /// Runs a command to its end and returns how it ended: its exit code, or 128+N if signal N ended it; or what
    /// [`Options::exit`] has for that end.
    ///
    /// The command is searched in the child's `PATH`, as execvp(3) does. It may be called again: what came in between
    /// goes to the next child.
    ///
    /// # Errors
    /// If the command couldn't be executed, or was cancelled before it was started ([`Error::Cancelled`]), or its status can't
    /// be told; [`Error::status_code`] is what a wrapper exits with.
    pub fn run<I>(&mut self, args: I) -> Result<StatusCode, Error>
    where
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        let args: Vec<OsString> = args.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
        let words = args.iter().cloned().map(|arg| c_string(arg).map(Cow::Owned)).collect::<Result<Vec<_>, _>>();
        let mut mode = RunMode::once(self.options.cancel_signal(), self.options.success.clone());
        if self.options.exit.iter().any(|(from, _)| *from == ExitFrom::Oom) {
            mode.oom = Some(OomWatch::new("Options::exit".to_owned()));
        }
        let end = self.run_words(&args, words, mode, |_, _, _, _| Ok(()))?.end;
        Ok(exit::mapped(&self.options.exit, &end).unwrap_or(end.status.code()))
    }

    /// The same with words that are ready, in some mode, and a last thing to do once the child exists. Its status isn't
    /// mapped.
    pub(crate) fn run_words(
        &mut self,
        args: &[OsString],
        words: Result<Vec<Cow<'static, CStr>>, Error>,
        mode: RunMode,
        settle: impl FnOnce(&mut Source, &ChildGroup, &[BorrowedFd<'_>], bool) -> Result<(), Error>,
    ) -> Result<Whole, Error> {
        let command = words.and_then(|words| self.options.command(words));
        let lifecycle = self.lifecycle();
        let leftovers = self.options.leftovers(mode.leftovers);
        let Executor { options, source, group, orders, .. } = self;
        let Options { name, handlers, stdin, stdout, stderr, init, stop_signals, .. } = options;
        let (name, group) = (name.as_deref(), &*group);
        let ready = command.and_then(|command| {
            let streams = Streams::open(stdin, stdout, stderr, command.user.as_ref())?;
            Ok((command, streams))
        });
        let (command, streams) = match ready {
            Ok(ready) => ready,
            Err(error) => return Err(failed(handlers, name, args, error)),
        };
        let RunMode { supervision, relay, notify, records, hooks, oom, reload, had_terminal, stop_signal, .. } = mode;
        let childs = match relay {
            Some(_) => task::Streams::Relayed { null_stdin: false },
            None => task::Streams::Given(streams.childs),
        };
        let (command, heeded) = (Arc::new(command), SignalSet::EMPTY);
        let spec = Spec { name, args, command, group, streams: childs, heeded, stop_signal };
        let run = Run {
            own: process::id(),
            source,
            tasks: Tasks::new(vec![Task::new(spec, supervision, lifecycle, leftovers)]),
            handlers: &mut *handlers,
            reaps_all: *init,
            relay,
            signals: Signals::Forwarded,
            stops: Stops::new(stop_signals.unwrap_or(Stops::DEFAULT), true),
            had_terminal,
            orders: orders.as_ref().map(|(orders, _)| orders),
            limits: Changed::default(),
            notify,
            reload,
            records,
            hooks,
            oom,
            private: None,
            progress: Progress::default(),
        };
        let run = || run.run(|source, needed, prints| settle(source, group, needed, prints));
        let outcome = match streams.ended {
            None => run(),
            Some((ended, child_lives)) => relayed(streams.relayed, &ended, child_lives, run),
        };
        outcome.map_err(|error| failed(handlers, name, args, error)).and_then(Whole::of)
    }

    /// The rules for one child.
    fn lifecycle(&self) -> Lifecycle {
        let Options { signals, kill_after, .. } = &self.options;
        // Besides, nothing comes in a program that isn't a wrapper only.
        let listened = signals.map_or(SignalSet::ALL, |signals| signals.union(self.group.needs()));
        let own = Own { pid: process::id(), is_wrapper: matches!(self.source, Source::Process(_)) };
        Lifecycle::new(own, listened, self.options.forwarding(), *kill_after)
    }
}

/// How a command's last run ended, and whether it was stopped because nobody read its output any more.
pub(crate) struct Whole {
    pub(crate) end: End,
    pub(crate) reader_gone: bool,
}

impl Whole {
    fn of(outcome: Outcome) -> Result<Whole, Error> {
        let end = outcome.results.into_iter().next().unwrap_or(Err(Error::Cancelled))?;
        Ok(Whole { end, reader_gone: outcome.reader_gone })
    }
}

/// How a command is run: how often, where its output goes, and what is done beside it.
pub(crate) struct RunMode {
    pub(crate) supervision: Supervision,
    pub(crate) relay: Option<Box<Relay<'static>>>,
    /// What it tells its service manager goes by this process.
    pub(crate) notify: Option<Box<Notify>>,
    /// What is told is recorded, too.
    pub(crate) records: Option<Records>,
    /// Commands that are run for what is recorded.
    pub(crate) hooks: Option<Box<Hooks>>,
    /// Whether memory runs out is watched.
    pub(crate) oom: Option<OomWatch>,
    /// What comes to the command of a reload by its service manager.
    pub(crate) reload: Reload,
    /// This process was started with a controlling terminal, which isn't held open.
    pub(crate) had_terminal: bool,
    /// What is done about what it leaves behind, unless there is a [drain](Options::drain).
    pub(crate) leftovers: Leftovers,
    /// What it is sent when this process stops it on its own account.
    pub(crate) stop_signal: Signal,
}

impl RunMode {
    /// Once, with the output where the options say.
    /// `success`: what counts as a success beside exit code 0.
    pub(crate) fn once(stop_signal: Signal, success: Vec<Success>) -> Self {
        RunMode {
            supervision: Supervision::once(success),
            relay: None,
            notify: None,
            records: None,
            hooks: None,
            oom: None,
            reload: Reload::Unknown,
            had_terminal: false,
            leftovers: Leftovers::Ignored,
            stop_signal,
        }
    }
}

/// Tells the handlers, and hands the error on.
fn failed(handlers: &mut [Box<dyn Handler + Send + '_>], name: Option<&str>, args: &[OsString], error: Error) -> Error {
    let name = name.map_or_else(|| base_name(args), Cow::Borrowed);
    let failed = Event::Failed(ProcessFailed::new(name, args, &error));
    handlers.iter_mut().for_each(|handler| handler.event(&failed));
    error
}
