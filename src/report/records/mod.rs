//! Records of events, for machines: `--events`; and for hooks: `--hook`.
//!
//! An event is kept with its time when it is told, and written when the loop writes: a signal has been passed on by then, and
//! whatever else was to be done at once is done. Nothing here waits for a reader.
//!
//! What records go to is opened when the first child was started: no start waits for a disk, or for /proc.
//!
//! | file | contents |
//! |---|---|
//! | `record` | an event as a JSON object |
//! | `documents` | files for those who come later: reports, metrics |
//! | `sink` | where records go, with a queue each |

pub(crate) mod documents;
pub(crate) mod record;
pub(crate) mod sink;

use crate::model::death::Core;
use crate::model::event::serialize::LookedUp;
use crate::model::event::{Event, ProcessExited};
use crate::model::handler::Handler;
use crate::model::pid::Pid;
use crate::model::signal::Signal;
use crate::model::status::ExitStatus;
use crate::report::hook_event::HookEvent;
use crate::report::last_words::LastWords;
use crate::report::panic::recognise;
use crate::report::redaction::Redaction;
use crate::sys::clock;
use crate::sys::core_file;
use crate::sys::file_tail::FileTail;
use crate::sys::poll::{self, Awaited};
use crate::sys::proc_fs;
use crate::sys::processor_time;
use documents::Documents;
use record::{Head, Moment, Numbering, Record, Told};
use sink::Sink;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::ffi::{CStr, OsStr};
use std::fmt;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many senders are remembered,
const MOST_SENDERS: usize = 16;
/// and how long.
const SENDER_LASTS: Duration = Duration::from_secs(60);

/// Room for this many events stays when they are written.
const MOST_KEPT_ROOM: usize = 16;

/// How long all sinks together may take for the last records.
const LAST_PATIENCE: Duration = Duration::from_secs(1);

/// The records of a run. A clone is the same records.
#[derive(Clone, Debug)]
pub(crate) struct Records(Arc<Mutex<Inner>>);

#[derive(Debug)]
pub(crate) struct Inner {
    /// `None`: it is still to be opened.
    opened: Option<Opened>,
    /// What opens it.
    unopened: Option<Unopened>,
    hooks: ForHooks,
    /// What was told and isn't written yet.
    told: Vec<(Event<'static>, Moment)>,
    numbering: Numbering,
    senders: Senders,
    /// Files that children write to as stdout and stderr, and how much of their last words is kept.
    files: [Option<(FileTail, usize)>; 2],
    /// The name of records that aren't of any process.
    name: String,
}

/// What records go to, and what they have in common.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) head: Head,
    pub(crate) sinks: Vec<Sink>,
    pub(crate) documents: Documents,
    /// What is taken out of what processes have written.
    pub(crate) redaction: Redaction,
}

/// What is still to be opened.
pub(crate) struct Unopened {
    /// What the processes are called.
    pub(crate) names: Vec<String>,
    pub(crate) open: Box<dyn FnOnce() -> Opened + Send>,
}

impl fmt::Debug for Unopened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unopened").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Records {
    /// `name`: whose those are that are no process's.
    pub(crate) fn new(unopened: Unopened, files: [Option<(FileTail, usize)>; 2], name: String) -> Records {
        let hooks = ForHooks::default();
        let (told, numbering, senders) = (Vec::new(), Numbering::default(), Senders::default());
        let (opened, unopened) = (None, Some(unopened));
        Records(Arc::new(Mutex::new(Inner { opened, unopened, hooks, told, numbering, senders, files, name })))
    }

    /// Looked at while nothing is told.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what the sinks take without waiting.
    #[cold]
    pub(crate) fn flush(&self) {
        self.lock().flush();
    }

    /// When something is to be written though nothing happens until then.
    #[cold]
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.lock().opened.as_ref().and_then(|opened| opened.documents.deadline())
    }

    /// Keeps events of these kinds for hooks.
    pub(crate) fn keep_for_hooks(&self, kinds: Vec<&'static str>) {
        self.lock().hooks.kinds = kinds;
    }

    /// What has come for hooks.
    pub(crate) fn take_for_hooks(&self) -> Vec<HookEvent> {
        std::mem::take(&mut self.lock().hooks.events)
    }

    /// What a process is called that has ended and isn't reaped yet.
    pub(crate) fn command_of(&self, pid: Pid) -> Option<String> {
        proc_fs::command_of(pid)
    }

    /// What became of the core of a process that has ended so, isn't reaped yet, and was started this long ago in this directory.
    pub(crate) fn core_of(&self, pid: Pid, status: ExitStatus, dir: Option<&CStr>, ran: Duration) -> Option<Core> {
        let ExitStatus::Signaled { signal, core_dumped } = status else { return None };
        let own = self.lock().opened.as_ref().map(|opened| opened.head.dir.clone()).unwrap_or_default();
        let dir = dir.map_or_else(|| own.clone(), |dir| own.join(OsStr::from_bytes(dir.to_bytes())));
        signal.dumps_core().then(|| core_file::find(pid, signal, core_dumped, &dir, ran))
    }

    /// The hard limit of processor time at which a process was killed that has ended so and isn't reaped yet.
    pub(crate) fn processor_limit_of(&self, pid: Pid, status: ExitStatus) -> Option<Duration> {
        let by_kill = status.signal() == Some(Signal::KILL);
        by_kill.then(|| processor_time::limit_used_up(pid)).flatten()
    }

    /// Adds the last words of a process that has ended: those that were kept while they passed, of stdout and of stderr, or those
    /// in files.
    pub(crate) fn add_words(&self, exited: &mut ProcessExited<'_>, passed: Option<[LastWords; 2]>) {
        let inner = self.lock();
        let Some(redaction) = inner.opened.as_ref().map(|opened| &opened.redaction) else { return };
        let mut passed = passed.map_or([None, None], |passed| passed.map(Some));
        let [stdout, stderr] = [0, 1]
            .map(|at| inner.files[at].as_ref().map(|(file, size)| in_file(file, *size)).or_else(|| passed[at].take()));
        let text = |words: &Option<LastWords>| {
            words.as_ref().map(|words| String::from_utf8_lossy(&words.text().bytes).into_owned()).unwrap_or_default()
        };
        // A program that ends with 0, or as it may, died of nothing.
        if !exited.success {
            exited.panic = recognise(&text(&stderr), &text(&stdout), exited.status);
        }
        if let Some(panic) = &mut exited.panic {
            redaction.panic(panic);
        }
        let mut is_truncated = false;
        let mut tail = |words: Option<LastWords>| {
            let tail = words.filter(LastWords::is_kept)?.tail();
            is_truncated |= tail.is_truncated;
            Some(Cow::Owned(redaction.bytes(tail.bytes)))
        };
        (exited.stdout_tail, exited.stderr_tail) = (tail(stdout), tail(stderr));
        exited.tail_truncated = is_truncated;
    }

    /// The last call: writes what the sinks take within the time they have together.
    #[cold]
    pub(crate) fn finish(&self) {
        let mut inner = self.lock();
        let until = Instant::now() + LAST_PATIENCE;
        inner.flush();
        inner.opened.iter_mut().for_each(|opened| opened.documents.finish());
        loop {
            inner.flush();
            let mut waits = inner.to_write().map(Awaited::Write).peekable();
            if waits.peek().is_none() || Instant::now() >= until {
                return;
            }
            if poll::wait(waits, Some(until), &mut Vec::new()).is_err() {
                return;
            }
        }
    }
}

/// It keeps what it is told of.
impl Handler for Records {
    fn event(&mut self, event: &Event<'_>) {
        self.lock().keep(event);
    }
}

impl Inner {
    fn keep(&mut self, event: &Event<'_>) {
        if matches!(event, Event::Starting(_)) {
            self.files.iter_mut().flatten().for_each(|(file, _)| file.begin());
        }
        let moment = self.numbering.of(event.name().unwrap_or(&self.name), event);
        self.told.push((event.to_owned(), moment));
    }

    fn flush(&mut self) {
        self.open();
        let Some(opened) = &mut self.opened else { return };
        let mut events = std::mem::take(&mut self.told);
        for (event, moment) in events.drain(..) {
            let command = sender(&event).and_then(|sender| self.senders.command_of(sender));
            let looked_up = LookedUp { command: command.as_deref() };
            let (name, told) = (event.name().unwrap_or(&self.name), Told::Event(&event));
            let mut line = Vec::new();
            let is_for_hooks = self.hooks.kinds.contains(&event.kind());
            if !opened.sinks.is_empty() || is_for_hooks || opened.documents.reads(&event) {
                line = Record { head: &opened.head, moment, name, told, looked_up }.line();
            }
            opened.sinks.iter_mut().for_each(|sink| sink.add(&line));
            opened.documents.add(&event, name, moment.time, &line);
            if is_for_hooks {
                self.hooks.events.push(HookEvent::new(&event, name, line));
            }
        }
        // The next event is told before a signal is passed on: it finds room without asking for memory.
        events.shrink_to(MOST_KEPT_ROOM);
        self.told = events;
        opened.documents.write();
        for number in 0..opened.sinks.len() {
            opened.sinks[number].flush();
            if let Some((count, why)) = opened.sinks[number].take_dropped() {
                let moment = self.numbering.of_run(&self.name);
                let (name, told) = (&self.name, Told::Dropped { count, why: &why });
                let record = Record { head: &opened.head, moment, name, told, looked_up: LookedUp::default() };
                opened.sinks[number].add(&record.line());
                opened.sinks[number].flush();
            }
        }
    }

    /// Opens what records go to, the first time. Runs that have vanished are told before all that was told since.
    fn open(&mut self) {
        let Some(Unopened { names, open }) = self.unopened.take() else { return };
        let opened = self.opened.insert(open());
        let lost: Vec<_> = names.iter().filter_map(|name| opened.documents.expect(name)).collect();
        let moments = self.numbering.before(&mut self.told, lost.len());
        let lost = lost.into_iter().map(Event::PreviousRunLost).zip(moments);
        self.told.splice(0..0, lost);
    }

    /// The sinks that something waits for room in.
    pub(crate) fn to_write(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.opened.iter().flat_map(|opened| &opened.sinks).filter_map(Sink::to_write)
    }

    /// All descriptors it holds, those of standard streams among them.
    pub(crate) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let files = self.files.iter().flatten().map(|(file, _)| file.as_fd());
        let opened = self.opened.iter();
        opened.flat_map(|opened| opened.sinks.iter().filter_map(Sink::as_fd).chain(opened.documents.fds())).chain(files)
    }
}

fn in_file(file: &FileTail, size: usize) -> LastWords {
    let mut words = LastWords::new(size);
    words.push(&file.read(), clock::monotonic());
    words
}

/// What hooks are to have.
#[derive(Debug, Default)]
struct ForHooks {
    kinds: Vec<&'static str>,
    /// What they haven't got yet.
    events: Vec<HookEvent>,
}

/// What senders of signals are called. They may be gone when the end that they asked for is told.
#[derive(Debug, Default)]
struct Senders(VecDeque<(Pid, Instant, Option<String>)>);

impl Senders {
    /// It is looked up again after a while: the number may be another's.
    fn command_of(&mut self, pid: Pid) -> Option<String> {
        self.0.retain(|(_, at, _)| at.elapsed() < SENDER_LASTS);
        if let Some((.., command)) = self.0.iter().find(|(sender, ..)| *sender == pid) {
            return command.clone();
        }
        let command = proc_fs::command_of(pid);
        self.0.truncate(MOST_SENDERS - 1);
        self.0.push_front((pid, Instant::now(), command.clone()));
        command
    }
}

/// Who sent the signal of an event that tells of one that came.
fn sender(event: &Event<'_>) -> Option<Pid> {
    match event {
        Event::Received(event) => event.origin.sender(),
        Event::Passed(event) => event.origin.sender(),
        Event::Dropped(event) => event.origin.sender(),
        Event::Delayed(event) => event.origin.sender(),
        Event::NotPassed(event) => event.origin.sender(),
        Event::Exited(event) => event.requested_by.and_then(|by| by.origin.sender()),
        _ => None,
    }
}
