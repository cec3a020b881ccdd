//! Tries what the life of a command depends on, with processes and signals of this process's own: `--doctor` tells the
//! results.
//!
//! This process must have one thread, and all signals blocked.

use super::fork::fork;
use super::poll;
use super::poll::Awaited;
use super::proc_fs;
use super::proc_fs::Stat;
use super::process;
use super::raw::{Errno, syscall};
use super::shared_memory::Shared;
use super::signals::process::ProcessSignals;
use super::signals::source::Source;
use super::signals::{Target, pass, send};
use super::spawn::command::Command;
use super::spawn::envp::Envp;
use super::spawn::start;
use super::spawn::start::Setup;
use super::terminal::ChildGroup;
use super::{pidfd, user, wait};
use crate::model::error::Error;
use crate::model::identity::Identity;
use crate::model::origin::{Origin, Received};
use crate::model::pid::Pid;
use crate::model::signal::{Signal, SignalSet};
use crate::model::status::ExitStatus;
use nix::unistd::{getegid, geteuid, getgroups, getuid};
use std::borrow::Cow;
use std::io::{self, PipeReader, PipeWriter, Read, pipe};
use std::os::fd::{AsFd, AsRawFd};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};
use wait::{Next, Which};

/// The time after which something that should come at once doesn't come.
const PATIENCE: Duration = Duration::from_secs(5);

/// The call that failed, and how.
pub(crate) type Refused = (&'static str, io::Error);

/// Starts a command that can't be executed, `/`, as every command is started. Whether it was started in shared memory.
pub(crate) fn start(source: &Source) -> Result<bool, Error> {
    let command = Arc::new(Command::new(vec![Cow::Borrowed(c"/")], Arc::new(Envp::new(Vec::new())))?);
    let setup = Setup::plain(&ChildGroup::Own(None));
    let mut child = start::spawn(command, setup, Some(source))?;
    let ended = status_of(child.pid()).map_err(|source| Error::start("waitid", source))?;
    child.set_ended();
    match child.failure() {
        Some(Error::NotExecutable { .. }) => Ok(child.shares_memory()),
        Some(error) => Err(error),
        None => {
            Err(Error::start("clone", io::Error::other(format!("the child has ended without a report, with {ended}"))))
        }
    }
}

/// Sends signals to this process, and reads them as those of others are read: two with values, then each that there is. Those
/// that didn't come.
pub(crate) fn signals(signals: &mut ProcessSignals) -> Result<SignalSet, Refused> {
    let unreadable = |error| ("signalfd(2)", error);
    signals.open().map_err(unreadable)?;
    let own = Target { pid: process::id(), pidfd: None };
    let Ok(realtime) = "RTMIN".parse::<Signal>() else { return Ok(SignalSet::EMPTY) };
    let queued = |value| Received::of(realtime, Origin::Queue { pid: own.pid, uid: getuid().as_raw(), value });
    // Other bytes in each half, for what passes only one of them on.
    let expected = [queued(0x0102_0304_0506_0708), queued(1)];
    for one in expected {
        pass(own, one).map_err(|error| ("rt_sigqueueinfo(2)", error))?;
    }
    let came = all_that_came(signals).map_err(unreadable)?;
    if !came.iter().filter(|one| one.signal == realtime).eq(&expected) {
        let why = format!("two queued signals came as {}, or otherwise", came.len());
        return Err(("signalfd(2)", io::Error::other(why)));
    }
    let sendable = Signal::all().filter(|signal| ![Signal::KILL, Signal::STOP].contains(signal));
    let mut lost = SignalSet::EMPTY;
    for signal in sendable {
        if !comes(signal, signals).map_err(|error| ("clone(2)", error))? {
            lost = lost.with(signal);
        }
    }
    Ok(lost)
}

/// Whether a process that sends this signal to itself can read it. One of its own does: emulators may end at a SIGSEGV.
fn comes(signal: Signal, signals: &ProcessSignals) -> io::Result<bool> {
    // SAFETY: the new process doesn't come back. This one has one thread, so no lock is held in the new one.
    let pid = unsafe { fork(libc::SIGCHLD, ptr::null_mut()) }?;
    if pid == 0 {
        // SAFETY: touches no memory. It is to leave no core.
        let _ = unsafe { syscall(libc::SYS_prctl, [libc::PR_SET_DUMPABLE as usize, 0, 0, 0, 0]) };
        let sent = send(Target { pid: process::id(), pidfd: None }, signal);
        let came = sent.and_then(|()| all_that_came(signals)).unwrap_or_default();
        process::end(u8::from(!came.iter().any(|one| one.signal == signal)));
    }
    Ok(status_of(Pid::new(pid))? == ExitStatus::Exited(0))
}

/// Blocked signals that a process sends to itself are there when the call returns.
fn all_that_came(signals: &ProcessSignals) -> io::Result<Vec<Received>> {
    let mut came = Vec::new();
    while signals.fd().is_some_and(|fd| poll::is_ready(Awaited::Read(fd)).unwrap_or(false)) {
        signals.read(&mut came, false)?;
    }
    Ok(came)
}

/// What was seen when a process that had a child was killed.
#[derive(Debug)]
pub(crate) struct Bereaved {
    /// Whether the child, which had asked for that, was killed as well.
    pub(crate) is_killed: io::Result<()>,
    /// Whether this process became its parent.
    pub(crate) is_adopted: bool,
}

/// Where a child waits to be killed: no longer than this process is there.
struct Wait {
    reader: PipeReader,
    writer: PipeWriter,
}

impl Wait {
    fn new() -> io::Result<Wait> {
        let (reader, writer) = pipe()?;
        Ok(Wait { reader, writer })
    }

    /// Nothing comes, but the end. Async-signal-safe.
    fn here(&self) -> ! {
        let mut byte = [0];
        let read = [self.reader.as_raw_fd() as usize, byte.as_mut_ptr() as usize, 1];
        // SAFETY: the descriptor is this child's own; the kernel writes one byte at most, into an array of one.
        unsafe {
            let _ = syscall(libc::SYS_close, [self.writer.as_raw_fd() as usize]);
            let _ = syscall(libc::SYS_read, read);
        }
        process::end(0)
    }
}

/// What a child tells of itself.
#[derive(Debug, Default)]
struct Told {
    pid: AtomicI32,
    /// Of prctl(2).
    errno: AtomicI32,
}

/// Starts a process that starts another, kills the first, and looks what becomes of the second.
pub(crate) fn bereave() -> io::Result<Bereaved> {
    let told = Shared::new(Told::default())?;
    let (mut reader, writer) = pipe()?;
    let wait = Wait::new()?;
    let fds = (reader.as_raw_fd(), writer.as_raw_fd());
    // SAFETY: the new process doesn't come back, and calls what is async-signal-safe.
    let first = unsafe { fork(libc::SIGCHLD, ptr::null_mut()) }?;
    if first == 0 {
        be_killed_with_child(&told, fds, &wait);
    }
    drop(writer);
    let deadline = Some(Instant::now() + PATIENCE);
    // It has a byte to say when it is there.
    let is_there = poll::is_any_ready([Awaited::Read(reader.as_fd())], deadline)? && reader.read(&mut [0])? == 1;
    let first = Pid::new(first);
    send(Target { pid: first, pidfd: None }, Signal::KILL)?;
    status_of(first)?;
    let second = Pid::new(told.pid.load(Ordering::Acquire));
    if !is_there || second.as_raw() == 0 {
        return Err(io::Error::other("the process that was started for it has started none"));
    }
    let refused = told.errno.load(Ordering::Acquire);
    // The pipe ends with the process that holds it.
    let ended = refused == 0 && poll::is_any_ready([Awaited::Read(reader.as_fd())], deadline)?;
    if !ended {
        send(Target { pid: second, pidfd: None }, Signal::KILL)?;
    }
    let is_killed = match (refused, ended) {
        (0, true) => Ok(()),
        (0, false) => Err(io::Error::other("a process has outlived its parent, though it had asked for the signal")),
        (errno, _) => Err(io::Error::from_raw_os_error(errno)),
    };
    Ok(Bereaved { is_killed, is_adopted: status_of(second).is_ok() })
}

/// What the first process does: it starts the second, and waits to be killed.
fn be_killed_with_child(told: &Told, (reader, writer): (i32, i32), wait: &Wait) -> ! {
    // SAFETY: neither process comes back, and what they call is async-signal-safe. The calls touch no memory but a byte.
    unsafe {
        let _ = syscall(libc::SYS_close, [reader as usize]);
        if fork(libc::SIGCHLD, ptr::null_mut()).is_ok_and(|pid| pid == 0) {
            let set = syscall(libc::SYS_prctl, [libc::PR_SET_PDEATHSIG as usize, libc::SIGKILL as usize, 0, 0, 0]);
            told.errno.store(set.err().unwrap_or(0), Ordering::Release);
            told.pid.store(process::id().as_raw(), Ordering::Release);
            let _ = syscall(libc::SYS_write, [writer as usize, b"x".as_ptr() as usize, 1]);
        } else {
            let _ = syscall(libc::SYS_close, [writer as usize]);
        }
    }
    wait.here()
}

/// Which processes /proc shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Those of this PID namespace.
    All,
    /// Of those, the ones of this process's own user: it was mounted with the option hidepid.
    Own,
    /// Those of another PID namespace.
    Foreign,
    /// There is no /proc.
    Missing,
}

/// The ids that are other users' as a rule.
const OTHER_USERS: [u32; 2] = [65534, 65533];

/// Looks for a process of another user: one of its own, if it may be made another user's, or else PID 1.
#[cold]
pub(crate) fn sight() -> io::Result<Sight> {
    match proc_fs::has_our_numbers() {
        Ok(true) => {}
        Ok(false) if proc_fs::is_any() => return Ok(Sight::Foreign),
        Ok(false) => return Ok(Sight::Missing),
        Err(error) => return Err(error),
    }
    let (mut reader, writer) = pipe()?;
    let wait = Wait::new()?;
    // SAFETY: the new process doesn't come back, and calls what is async-signal-safe.
    let pid = unsafe { fork(libc::SIGCHLD, ptr::null_mut()) }?;
    if pid == 0 {
        let uid = OTHER_USERS[usize::from(geteuid().as_raw() == OTHER_USERS[0])];
        let is_other = user::take(&Identity { uid, gid: uid, groups: Vec::new() }).is_ok();
        // SAFETY: the kernel reads one byte of an array.
        let _ = unsafe {
            syscall(libc::SYS_write, [writer.as_raw_fd() as usize, [u8::from(is_other)].as_ptr() as usize, 1])
        };
        wait.here();
    }
    drop(writer);
    let mut is_other = [0];
    let told = reader.read(&mut is_other);
    let seen = Stat::of(if is_other == [1] { pid } else { 1 });
    send(Target { pid: Pid::new(pid), pidfd: None }, Signal::KILL)?;
    status_of(Pid::new(pid))?;
    told?;
    Ok(if seen?.is_some() { Sight::All } else { Sight::Own })
}

/// Has a process of its own do this. The signal that ended that process, as a filter does that refuses no call, but ends who
/// makes it.
#[cold]
pub(crate) fn ends_by(act: impl FnOnce()) -> Option<Signal> {
    // SAFETY: the new process doesn't come back. This one has one thread, so no lock is held in the new one.
    let pid = unsafe { fork(libc::SIGCHLD, ptr::null_mut()) }.ok()?;
    if pid == 0 {
        // It is to leave no core. A filter that ended it for this call would have ended this process at its start.
        let none = libc::rlimit64 { rlim_cur: 0, rlim_max: 0 };
        let core = libc::RLIMIT_CORE as usize;
        // SAFETY: the kernel reads a limit.
        let _ = unsafe { syscall(libc::SYS_prlimit64, [0, core, (&raw const none) as usize, 0]) };
        act();
        process::end(0);
    }
    match status_of(Pid::new(pid)) {
        Ok(ExitStatus::Signaled { signal, .. }) => Some(signal),
        _ => None,
    }
}

/// Starts a process and signals it through its pidfd.
pub(crate) fn pidfd() -> Result<(), Refused> {
    let wait = Wait::new().map_err(|error| ("pipe2(2)", error))?;
    // SAFETY: the new process doesn't come back, and calls what is async-signal-safe.
    let pid = unsafe { fork(libc::SIGCHLD, ptr::null_mut()) }.map_err(|error| ("clone(2)", error))?;
    if pid == 0 {
        wait.here();
    }
    let pid = Pid::new(pid);
    let signalled = pidfd::open(pid.as_raw()).map_err(|error| ("pidfd_open(2)", error)).and_then(|pidfd| {
        send(Target { pid, pidfd: Some(pidfd.as_fd()) }, Signal::KILL)
            .map_err(|error| ("pidfd_send_signal(2)", error))
            .and_then(|()| match poll::is_any_ready([Awaited::Read(pidfd.as_fd())], Some(Instant::now() + PATIENCE)) {
                Ok(true) => Ok(()),
                Ok(false) => Err(("ppoll(2)", io::Error::other("the end of a process wasn't told by its pidfd"))),
                Err(error) => Err(("ppoll(2)", error.into())),
            })
    });
    if signalled.is_err() {
        let _ = send(Target { pid, pidfd: None }, Signal::KILL);
    }
    let _ = status_of(pid);
    signalled
}

/// In a process of its own, sets the user and the groups that this process has, as is done for any user.
pub(crate) fn change_of_user() -> io::Result<()> {
    let groups = getgroups()?.into_iter().map(|group| group.as_raw()).collect();
    let own = Identity { uid: geteuid().as_raw(), gid: getegid().as_raw(), groups };
    // SAFETY: the new process doesn't come back, and calls what is async-signal-safe.
    let pid = unsafe { fork(libc::SIGCHLD, ptr::null_mut()) }?;
    if pid == 0 {
        // Every errno fits.
        process::end(user::take(&own).map_or_else(|errno: Errno| errno as u8, |()| 0));
    }
    match status_of(Pid::new(pid))? {
        ExitStatus::Exited(0) => Ok(()),
        ExitStatus::Exited(errno) => Err(io::Error::from_raw_os_error(errno.into())),
        ended => Err(io::Error::other(format!("the process that tried it has ended otherwise: {ended}"))),
    }
}

/// How that child ended.
fn status_of(pid: Pid) -> io::Result<ExitStatus> {
    match wait::until_end(Which::Child(pid))? {
        Next::Ended(ended) => Ok(ended.status),
        _ => Err(io::Error::from_raw_os_error(libc::ECHILD)),
    }
}
