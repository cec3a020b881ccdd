//! One child, once: the first seed.

use crate::command::Command;
use crate::event_loop::Run;
use crate::sys::poll::Source;
use crate::sys::process;
use crate::sys::signals::shared::SharedSignals;
use crate::sys::spawn::Setup;
use crate::{Error, Event, Options, Output, ProcessFailed, StatusCode, relay};
use std::borrow::Cow;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::fs::File;
use std::io::{self, PipeReader, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::thread;

/// Runs commands, one at a time, and forwards this program's signals to them.
///
/// It listens from its construction on: a signal that comes before the child exists is forwarded once it does. Several
/// executors may be at work in one program, each from a thread of its own: each sees every signal, and waits for its
/// own child only.
///
/// The child is killed (`PR_SET_PDEATHSIG`, prctl(2)) when this program ends, however it ends. It inherits the calling
/// thread's signal mask and the dispositions the program had before there were executors.
///
/// Dropping the executor gives each signal its disposition back, unless the program has set another one meanwhile.
/// Linux 5.4 or later.
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
    /// Whether this process was a subreaper before; none, if that wasn't changed.
    was_subreaper: Option<bool>,
}

impl<'a> Executor<'a> {
    /// Starts listening to signals.
    ///
    /// # Errors
    /// [`Error::Listen`], if a signal that is asked for can't be listened to (KILL, STOP, CHLD; ILL, FPE and SEGV, whose
    /// handlers would return into the fault), or the system refuses.
    pub fn new(options: Options<'a>) -> Result<Executor<'a>, Error> {
        let source = Source::Shared(SharedSignals::listen(options.signals, options.init)?);
        Executor::with_source(options, source)
    }

    /// An executor that takes its signals from elsewhere.
    pub(crate) fn with_source(options: Options<'a>, source: Source) -> Result<Executor<'a>, Error> {
        let subreaper = |source| Error::start("prctl(PR_SET_CHILD_SUBREAPER)", source);
        let was_subreaper = match options.init {
            // PID 1 is given all orphans anyway.
            true if process::id().as_raw() != 1 => Some(process::set_subreaper(true).map_err(subreaper)?),
            _ => None,
        };
        Ok(Executor { options, source, was_subreaper })
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
        self.run_words(&args, words, |_| Ok(()))
    }

    /// The same with words that are ready, and a last thing to do once the child exists.
    pub(crate) fn run_words(
        &mut self,
        args: &[OsString],
        words: Result<Vec<Cow<'static, CStr>>, Error>,
        when_started: impl FnOnce(&mut Source) -> Result<(), Error>,
    ) -> Result<StatusCode, Error> {
        let ready = words.and_then(|words| {
            let env = self.options.environment.resolve().map_err(|entry| Error::Nul { word: entry })?;
            let command = Command::new(words, env)?;
            let stdout = Stream::open(&mut self.options.stdout)?;
            let stderr = Stream::open(&mut self.options.stderr)?;
            Ok((command, stdout, stderr))
        });
        let (command, stdout, stderr) = match ready {
            Ok(ready) => ready,
            Err(error) => {
                let failed = Event::Failed(ProcessFailed { args, error: &error });
                self.options.handlers.iter_mut().for_each(|handler| handler.event(&failed));
                return Err(error);
            }
        };
        let run =
            Run { args, source: &mut self.source, handlers: &mut self.options.handlers, reaps_all: self.options.init };
        let setup = Setup {
            stdio: [None, stdout.childs, stderr.childs],
            mask: run.source.inherited_mask(),
            ignored: run.source.ignored(),
            shared: matches!(run.source, Source::Shared(_)),
        };
        let relayed: Vec<_> = stdout.relayed.into_iter().chain(stderr.relayed).collect();
        if relayed.is_empty() {
            return run.run(command, setup, when_started);
        }
        let (ended, child_lives) = io::pipe().map_err(|source| Error::start("pipe", source))?;
        let ended = &ended;
        thread::scope(|scope| {
            for (pipe, writer) in relayed {
                thread::Builder::new()
                    .name("panicmon relay".to_owned())
                    .spawn_scoped(scope, move || relay::copy(pipe, ended, writer))
                    .map_err(|source| Error::start("thread", source))?;
            }
            let result = run.run(command, setup, when_started);
            drop(child_lives);
            result
        })
    }
}

/// One of the child's output streams.
struct Stream<'w> {
    /// What the child is given, if not this process's own.
    childs: Option<OwnedFd>,
    /// What is to be copied where.
    relayed: Option<(PipeReader, &'w mut (dyn Write + Send))>,
}

impl<'w> Stream<'w> {
    fn open(output: &'w mut Output<'_>) -> Result<Stream<'w>, Error> {
        Ok(match output {
            Output::Inherit => Stream { childs: None, relayed: None },
            Output::Null => {
                let null = File::options().write(true).open("/dev/null");
                let null = null.and_then(|null| above_stdio(null.into()));
                Stream { childs: Some(null.map_err(|source| Error::start("open /dev/null", source))?), relayed: None }
            }
            Output::Writer(writer) => {
                let pipe = io::pipe().and_then(|(reader, writer)| Ok((reader, above_stdio(writer.into())?)));
                let (reader, childs) = pipe.map_err(|source| Error::start("pipe", source))?;
                Stream { childs: Some(childs), relayed: Some((reader, &mut **writer)) }
            }
        })
    }
}

/// The descriptor, or a copy that is 3 or higher: the child's own 0, 1 and 2 are put in place one after the other, and
/// must not overwrite one that is still needed. Where this program has closed its own, such a number comes up.
fn above_stdio(fd: OwnedFd) -> io::Result<OwnedFd> {
    // OwnedFd::try_clone never returns less than 3.
    if fd.as_raw_fd() <= 2 { fd.try_clone() } else { Ok(fd) }
}

impl Drop for Executor<'_> {
    fn drop(&mut self) {
        if let Some(was_subreaper) = self.was_subreaper {
            let _ = process::set_subreaper(was_subreaper);
        }
    }
}

fn c_string(word: OsString) -> Result<CString, Error> {
    CString::new(word.into_vec()).map_err(|error| Error::Nul { word: OsString::from_vec(error.into_vec()) })
}
