//! A handler that runs a command for events.

use super::hook_event::HookEvent;
use super::hooks::{HOOK_TIME, HOOKS_ON, Hooks, Starter, Wanted};
use super::recorder::Recorder;
use crate::model::c_string::c_string;
use crate::model::env;
use crate::model::error::Error;
use crate::model::event::Event;
use crate::model::handler::Handler;
use crate::model::pid::Pid;
use crate::policy::turns::MOST_WAITING;
use crate::sys::bell::Bell;
use crate::sys::limit::Changed;
use crate::sys::poll::{self, Awaited};
use crate::sys::process;
use crate::sys::signals;
use crate::sys::spawn::command::Command;
use crate::sys::spawn::envp::Envp;
use std::borrow::Cow;
use std::ffi::{CString, OsStr};
use std::fmt;
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Runs a command for events, as the program does for `--hook`.
///
/// The command has the event on its stdin, as a JSON object (`docs/events.schema.json`), and in its environment what systemd
/// gives to `ExecStopPost`:
///
/// | variable | value |
/// |---|---|
/// | `PANICMON_EVENT` | which event it is: `process.exited` |
/// | `PANICMON_NAME` | of which process; of none: this program's name |
/// | `SERVICE_RESULT` | for an end: `success`, `exit-code`, `signal`, `core-dump`, `oom-kill`, `timeout`; `start-failed`; `resources`: its status is lost |
/// | `EXIT_CODE`, `EXIT_STATUS` | for an end: `exited` and the code; `killed` or `dumped`, and the signal (`TERM`) |
///
/// It is searched in `PATH`, and runs as this program does: as its user, in its directory, with the variables that it had at
/// [`new`](Hook::new), but for `NOTIFY_SOCKET` and those of `LISTEN_*`. It has a process group of its own, no signal blocked or
/// ignored, and no descriptor but stdin, stdout and stderr.
///
/// It is started and waited for on a thread of its own, which waits for no other child of the program: a command that hangs
/// delays nothing. No signal that is sent to the program comes to that thread. After [10 seconds](Hook::timeout) its
/// process group is killed. At most four run at once; 64 more wait, and of more events the oldest are dropped. What goes
/// wrong (there is no such command, it fails, it is killed, events are dropped) is logged as a warning.
///
/// To drop it, as the executor does with its handlers, is to wait for what runs and waits, no longer than the timeout; what is
/// left then is killed. If the program ends before that, the kernel kills what runs.
///
/// An executor with [`Options::init`](crate::api::options::Options::init) waits for all children of the program, those of a
/// `Hook` among them: how they ended may be lost, and a [drain](crate::api::options::Options::drain) kills them.
///
/// ```
/// use panicmon::{Event, Executor, Options, handlers::Hook};
/// use std::time::Duration;
///
/// let told = std::env::temp_dir().join(format!("panicmon-hook-{}", std::process::id()));
/// let script = format!("echo $EXIT_CODE $EXIT_STATUS >{}", told.display());
/// let hook = Hook::new(["sh", "-c", &script])?
///     .on(|event| matches!(event, Event::Exited(exited) if !exited.status.is_success()))
///     .timeout(Duration::from_secs(60));
/// let mut executor = Executor::new(Options::default().handler(hook))?;
/// executor.run(["sh", "-c", "kill -KILL $$"])?;
/// // Here the hook is waited for.
/// drop(executor);
/// assert_eq!(std::fs::read_to_string(&told)?, "killed KILL\n");
/// # std::fs::remove_file(&told)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Hook {
    recorder: Recorder,
    is_for: Box<dyn Fn(&Event<'_>) -> bool + Send>,
    post: Arc<Post>,
    /// It is in the process of that number, and not in one that was forked from it.
    thread: Option<(JoinHandle<()>, Pid)>,
}

/// Between the handler and its thread.
struct Post {
    inbox: Mutex<Inbox>,
    /// Rung when something has come.
    bell: Bell,
}

/// What the thread is told.
struct Inbox {
    events: Vec<HookEvent>,
    /// How many were dropped, because the thread hasn't taken them.
    dropped: u64,
    timeout: Duration,
    /// No other event comes.
    is_over: bool,
}

impl Post {
    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        // Nothing that is done under the lock leaves a half-done state.
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hook {
    /// It runs this command for [`Event::Failed`] and [`Event::Exited`].
    ///
    /// # Errors
    /// If there is no word, or one of them has a NUL byte; or if the system refuses a thread or an eventfd(2).
    pub fn new<I>(command: I) -> Result<Hook, Error>
    where
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        let words =
            command.into_iter().map(|word| c_string(word.as_ref().to_owned())).collect::<Result<Vec<_>, _>>()?;
        let hooks = Hooks::new(wanted(words)?);
        let bell = Bell::new().map_err(|source| Error::start("eventfd", source))?;
        let inbox = Inbox { events: Vec::new(), dropped: 0, timeout: HOOK_TIME, is_over: false };
        let post = Arc::new(Post { inbox: Mutex::new(inbox), bell });
        let threads = Arc::clone(&post);
        let thread = thread::Builder::new().name("panicmon-hook".to_owned());
        let thread = signals::without_signals(|| thread.spawn(move || run(hooks, &threads)));
        let thread = thread.map_err(|source| Error::start("pthread_create", source))?;
        Ok(Hook {
            recorder: Recorder::new(),
            is_for: Box::new(|event| HOOKS_ON.contains(&event.kind())),
            post,
            thread: Some((thread, process::id())),
        })
    }

    /// It runs the command for those events, and no others.
    #[must_use]
    pub fn on(mut self, is_for: impl Fn(&Event<'_>) -> bool + Send + 'static) -> Hook {
        self.is_for = Box::new(is_for);
        self
    }

    /// The command is killed if it runs longer than this (10 s).
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Hook {
        self.post.inbox().timeout = timeout;
        self
    }
}

/// A hook of these words, in the place of this program.
fn wanted(words: Vec<CString>) -> Result<Wanted, Error> {
    let env = env::inherited().map(|entry| c_string(entry).map(Cow::Owned)).collect::<Result<Vec<_>, _>>()?;
    let own = Command::new(words.iter().cloned().map(Cow::Owned).collect(), Arc::new(Envp::new(env)))?;
    Ok(Wanted {
        commands: vec![words],
        timeout: HOOK_TIME,
        option: "hook".to_owned(),
        left_out: Vec::new(),
        dir: PathBuf::new(),
        stdout: None,
        own: Some(own),
    })
}

impl Handler for Hook {
    fn event(&mut self, event: &Event<'_>) {
        let moment = self.recorder.moment(event);
        if !(self.is_for)(event) {
            return;
        }
        let name = event.name().unwrap_or(&self.recorder.name);
        let event = HookEvent::new(event, name, self.recorder.line(event, moment));
        let mut inbox = self.post.inbox();
        if inbox.events.len() == MOST_WAITING {
            inbox.events.remove(0);
            inbox.dropped += 1;
        }
        inbox.events.push(event);
        drop(inbox);
        self.post.bell.ring();
    }
}

/// Waits for the last hooks.
impl Drop for Hook {
    fn drop(&mut self) {
        let Some((thread, _)) = self.thread.take().filter(|(_, process)| *process == process::id()) else { return };
        self.post.inbox().is_over = true;
        self.post.bell.ring();
        // If it has panicked, that was said.
        let _ = thread.join();
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hook").finish_non_exhaustive()
    }
}

/// What the thread does until the handler is dropped and all hooks have ended, or have had their time.
fn run(mut hooks: Hooks, post: &Post) {
    let starter = Starter { own: process::id(), limits: Changed::default(), source: None };
    let mut until = None;
    loop {
        // First: what comes from now on rings again.
        post.bell.has_rung();
        let mut inbox = post.inbox();
        let (events, dropped) = (std::mem::take(&mut inbox.events), std::mem::take(&mut inbox.dropped));
        let (timeout, is_over) = (inbox.timeout, inbox.is_over);
        drop(inbox);
        hooks.set_timeout(timeout);
        hooks.lost(dropped);
        hooks.add(events);
        hooks.reap();
        hooks.go_on(|_| None, &starter);
        if is_over {
            let now = Instant::now();
            let until = *until.get_or_insert_with(|| now.checked_add(timeout));
            let is_late = until.is_some_and(|until| until <= now);
            if is_late {
                hooks.give_up(true);
            }
            if is_late || hooks.patience().is_none() {
                return;
            }
        }
        if let Err(error) = wait(&hooks, &post.bell, until.flatten()) {
            log::warn!("hook: those that run are killed, and no other one is run: {error}");
            return;
        }
    }
}

/// Waits until something has come, a hook has ended, or it is time for something.
fn wait(hooks: &Hooks, bell: &Bell, until: Option<Instant>) -> io::Result<()> {
    let awaited = hooks.pidfds().chain([bell.as_fd()]).map(Awaited::Read);
    let deadline = hooks.deadline().into_iter().chain(until).min();
    poll::wait(awaited, deadline, &mut Vec::new())
}
