//! One child, once: the first seed.

use crate::api::options::{Options, Output};
use crate::engine::run::{Progress, Run, Signals};
use crate::engine::task;
use crate::engine::task::{Spec, Task};
use crate::model::c_string::c_string;
use crate::model::error::Error;
use crate::model::event::process::base_name;
use crate::model::event::{Event, ProcessFailed};
use crate::model::handler::Handler;
use crate::model::identity::Identity;
use crate::model::signal::{Signal, SignalSet};
use crate::model::status::StatusCode;
use crate::policy::action::End;
use crate::policy::child::Lifecycle;
use crate::policy::drain::{Leftovers, Scope};
use crate::policy::own::Own;
use crate::policy::reload::Reload;
use crate::policy::restart::Supervision;
use crate::policy::stop::Stops;
use crate::relay::copy::copy;
use crate::relay::pipes;
use crate::relay::pipes::Relay;
use crate::sys::fd::above_stdio;
use crate::sys::limit::Changed;
use crate::sys::notify::Notify;
use crate::sys::process;
use crate::sys::process::Subreaper;
use crate::sys::signals;
use crate::sys::signals::shared::listen::SharedSignals;
use crate::sys::signals::source::Source;
use crate::sys::spawn::command::Command;
use crate::sys::terminal::ChildGroup;
use crate::sys::user;
use std::borrow::Cow;
use std::ffi::{CStr, OsStr, OsString};
use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::thread;

/// Runs commands, one at a time, and forwards this program's signals to them.
///
/// It listens from its construction on: a signal that comes before the child exists is forwarded once it does. Several
/// executors may be at work in one program, each from a thread of its own: each sees every signal, and waits for its
/// own child only.
///
/// The child is killed (`PR_SET_PDEATHSIG`, prctl(2)) when this program ends, however it ends, and whoever is in the middle
/// of what. The kernel takes that back from a program that is set-user-id, or that changes its user by itself.
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
    /// Held while this process is to be a subreaper.
    _subreaper: Option<Subreaper>,
}

impl<'a> Executor<'a> {
    /// Starts listening to signals.
    ///
    /// # Errors
    /// [`Error::Listen`], if a signal that is asked for can't be listened to (KILL, STOP, CHLD; ILL, FPE and SEGV, whose
    /// handlers would return into the fault), or the system refuses.
    pub fn new(options: Options<'a>) -> Result<Executor<'a>, Error> {
        let group = if options.job_control { ChildGroup::find(signals::blocked(), false) } else { ChildGroup::Shared };
        let signals = options.signals.map(|signals| signals.union(group.needs()));
        let job_control = group.terminal().is_some();
        let source = Source::Shared(SharedSignals::listen(signals, options.init, job_control, options.signals_by)?);
        Executor::with_source(options, source, group)
    }

    /// An executor that takes its signals from elsewhere.
    pub(crate) fn with_source(options: Options<'a>, source: Source, group: ChildGroup) -> Result<Executor<'a>, Error> {
        let subreaper = |source| Error::start("prctl(PR_SET_CHILD_SUBREAPER)", source);
        // PID 1 is given all orphans anyway.
        let claimed = options.init && process::id().as_raw() != 1;
        let claimed = claimed.then(Subreaper::claim).transpose().map_err(subreaper)?;
        Ok(Executor { options, source, group, _subreaper: claimed })
    }

    /// Runs a command to its end and returns how it ended: its exit code, or 128+N if signal N ended it.
    ///
    /// The command is searched in the child's `PATH`, as execvp(3) does. It may be called again: what came in between
    /// goes to the next child.
    ///
    /// # Errors
    /// If the command couldn't be executed, or its status be told; [`Error::status_code`] is what a wrapper exits with.
    pub fn run<I>(&mut self, args: I) -> Result<StatusCode, Error>
    where
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        let args: Vec<OsString> = args.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
        let words = args.iter().cloned().map(|arg| c_string(arg).map(Cow::Owned)).collect::<Result<Vec<_>, _>>();
        self.run_words(&args, words, RunMode::once(), |_, _, _, _| Ok(())).map(|whole| whole.end.status.code())
    }

    /// The same with words that are ready, in some mode, and a last thing to do once the child exists.
    pub(crate) fn run_words(
        &mut self,
        args: &[OsString],
        words: Result<Vec<Cow<'static, CStr>>, Error>,
        mode: RunMode,
        settle: impl FnOnce(&mut Source, &ChildGroup, &[BorrowedFd<'_>], bool) -> Result<(), Error>,
    ) -> Result<Whole, Error> {
        let Executor { options, source, group, .. } = self;
        let group = &*group;
        let Options {
            name,
            handlers,
            stdout,
            stderr,
            environment,
            init,
            signals,
            kill_after,
            stop_signals,
            forwarding,
            dir,
            user,
            drain,
            ..
        } = options;
        let name = name.as_deref();
        let ready = words.and_then(|words| {
            let env = environment.resolve()?;
            let mut command = Command::new(words, env)?;
            command.dir = dir.clone().map(c_string).transpose()?;
            // As whoever this process is already, it needs no right to become that.
            command.user = user.clone().filter(|user| !user::is_own(user));
            let streams = Streams::open(stdout, stderr, command.user.as_ref())?;
            Ok((Arc::new(command), streams))
        });
        let (command, streams) = match ready {
            Ok(ready) => ready,
            Err(error) => return Err(failed(handlers, name, args, error)),
        };
        let own = process::id();
        // In a program that isn't a wrapper only nothing else comes.
        let listened = signals.map_or(SignalSet::ALL, |signals| signals.union(group.needs()));
        let timers_are_childs = matches!(source, Source::Process(_));
        let lifecycle = Lifecycle::new(Own { pid: own, timers_are_childs }, listened, forwarding.clone(), *kill_after);
        let RunMode { supervision, relay, notify, reload, had_terminal, leftovers } = mode;
        let stops = Stops::new(stop_signals.unwrap_or(Stops::DEFAULT), true);
        let reaps_all = *init;
        let leftovers = match *drain {
            Some(budget) if !reaps_all || budget.is_zero() => Leftovers::Ignored,
            Some(budget) => Leftovers::Ended(Scope::All, budget),
            None => leftovers,
        };
        let run = |handlers: &mut [Box<dyn Handler + Send + 'a>], childs| {
            let streams = match relay {
                Some(_) => task::Streams::Relayed { null_stdin: false },
                None => task::Streams::Given(childs),
            };
            let (heeded, stop_signal) = (SignalSet::EMPTY, Signal::INT);
            let spec = Spec { name, args, command, group, streams, heeded, stop_signal };
            let (tasks, limits) = (vec![Task::new(spec, supervision, lifecycle, leftovers)], Changed::default());
            let signals = Signals::Forwarded;
            let run = Run {
                own,
                source,
                tasks,
                handlers,
                reaps_all,
                relay,
                signals,
                stops,
                had_terminal,
                orders: None,
                limits,
                notify,
                reload,
                progress: Progress::default(),
            };
            run.run(|source, needed, prints| settle(source, group, needed, prints))
        };
        let outcome = match streams.ended {
            None => run(handlers, streams.childs),
            Some((ended, child_lives)) => {
                relayed(streams.relayed, &ended, child_lives, || run(handlers, streams.childs))
            }
        };
        match outcome {
            Ok(outcome) => {
                let end = outcome.results.into_iter().next().unwrap_or(Err(Error::Cancelled))?;
                Ok(Whole { end, reader_gone: outcome.reader_gone })
            }
            Err(error) => Err(failed(handlers, name, args, error)),
        }
    }
}

/// How a command's last run ended, and whether it was stopped because nobody read its output any more.
pub(crate) struct Whole {
    pub(crate) end: End,
    pub(crate) reader_gone: bool,
}

/// How a command is run: how often, where its output goes, and what is done beside it.
pub(crate) struct RunMode {
    pub(crate) supervision: Supervision,
    pub(crate) relay: Option<Relay<'static>>,
    /// What it tells its service manager goes by this process.
    pub(crate) notify: Option<Notify>,
    /// What comes to the command of a reload by its service manager.
    pub(crate) reload: Reload,
    /// This process was started with a controlling terminal, which isn't held open.
    pub(crate) had_terminal: bool,
    /// What is done about what it leaves behind, unless there is a [drain](Options::drain).
    pub(crate) leftovers: Leftovers,
}

impl RunMode {
    /// Once, with the output where the options say.
    pub(crate) fn once() -> Self {
        RunMode {
            supervision: Supervision::once(),
            relay: None,
            notify: None,
            reload: Reload::Unknown,
            had_terminal: false,
            leftovers: Leftovers::Ignored,
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

/// Runs with a thread for each stream that goes to a writer.
fn relayed<T>(
    streams: Vec<Relayed<'_>>,
    ended: &PipeReader,
    child_lives: PipeWriter,
    run: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    thread::scope(|scope| {
        let relays = streams.into_iter().map(|(pipe, writer)| {
            let thread = thread::Builder::new().name("panicmon relay".to_owned());
            thread.spawn_scoped(scope, move || copy(pipe, ended, writer))
        });
        let relays = relays.collect::<Result<Vec<_>, _>>().map_err(|source| Error::start("thread", source))?;
        let result = run();
        drop(child_lives);
        for relay in relays {
            if relay.join().is_err() {
                log::warn!("the command's output is incomplete: its writer panicked");
            }
        }
        result
    })
}

/// The child's output streams.
struct Streams<'w> {
    /// What the child is given as its 0, 1 and 2, where that isn't this process's own.
    childs: [Option<OwnedFd>; 3],
    /// What is to be copied where.
    relayed: Vec<Relayed<'w>>,
    /// If anything is: a pipe that is closed at the child's end.
    ended: Option<(PipeReader, PipeWriter)>,
}

/// The pipe the child writes to, and where its bytes go.
type Relayed<'w> = (PipeReader, &'w mut (dyn Write + Send));

impl<'w> Streams<'w> {
    fn open(
        stdout: &'w mut Output<'_>,
        stderr: &'w mut Output<'_>,
        user: Option<&Identity>,
    ) -> Result<Streams<'w>, Error> {
        let (childs_stdout, stdout) = open_stream(stdout, user)?;
        let (childs_stderr, stderr) = open_stream(stderr, user)?;
        let relayed: Vec<_> = stdout.into_iter().chain(stderr).collect();
        let ended = if relayed.is_empty() { None } else { Some(pipe()?) };
        Ok(Streams { childs: [None, childs_stdout, childs_stderr], relayed, ended })
    }
}

fn open_stream<'w>(
    output: &'w mut Output<'_>,
    user: Option<&Identity>,
) -> Result<(Option<OwnedFd>, Option<Relayed<'w>>), Error> {
    Ok(match output {
        Output::Inherit => (None, None),
        Output::Null => {
            let null = File::options().write(true).open("/dev/null").and_then(|null| above_stdio(null.into()));
            (Some(null.map_err(|source| Error::start("open /dev/null", source))?), None)
        }
        Output::Writer(writer) => {
            let (reader, childs) = pipe()?;
            pipes::give_to(user, reader.as_fd());
            (Some(childs.into()), Some((reader, &mut **writer)))
        }
    })
}

fn pipe() -> Result<(PipeReader, PipeWriter), Error> {
    let pipe = io::pipe()
        .and_then(|(reader, writer)| Ok((above_stdio(reader.into())?.into(), above_stdio(writer.into())?.into())));
    pipe.map_err(|source| Error::start("pipe", source))
}
