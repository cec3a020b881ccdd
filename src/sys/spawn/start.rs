//! Starting a child: clone(2) in shared memory.
//!
//! `CLONE_VM` spares the copy of the page tables, which is most of what fork costs. Unlike vfork(2), `CLONE_VFORK` is
//! left out: it would suspend this process until the child execs, deaf to all signals if the child is stopped before
//! that, or hangs in an exec from a file system that doesn't answer. So both run side by side, the child by the rules of
//! [`child`], and what the child uses stays in place until it has been waited for.
//!
//! A child that changes its user gets a copy of the memory all the same. In shared memory that change would make this
//! process one that leaves no core and can't be looked into (PR_SET_DUMPABLE), for good. So does any child where
//! `CLONE_VM` is refused with EINVAL: qemu-user, which runs the programs of other machines, knows it for threads only.

use super::child;
use super::child::{PID_DIGITS, Plan};
use super::command::Command;
use super::envp::Envp;
use super::report::Report;
use super::stack;
use crate::model::env;
use crate::model::env::names;
use crate::model::error::Error;
use crate::model::pid::Pid;
use crate::model::signal::{Signal, SignalSet};
use crate::sys::limit::Changed;
use crate::sys::private_fds::PrivateFds;
use crate::sys::proc_fs::{Ours, Status, StatusBuffer};
#[cfg(any(test, feature = "cli"))]
use crate::sys::process;
use crate::sys::shared_memory::Shared;
use crate::sys::signals;
use crate::sys::signals::Target;
use crate::sys::signals::source;
use crate::sys::signals::source::Source;
use crate::sys::terminal::ChildGroup;
use crate::sys::wait;
use crate::sys::wait::{Next, Which};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::Arc;
use std::time::Instant;

/// What becomes descriptors 0, 1 and 2.
type Streams = [Option<OwnedFd>; 3];

/// What a child is given beside its command.
#[derive(Debug)]
pub(crate) struct Setup<'t> {
    /// This process.
    pub(crate) parent: Pid,
    /// Its descriptors 0, 1 and 2 where they aren't inherited; each must be 3 or higher, and close on exec.
    pub(crate) stdio: Streams,
    /// Signals it isn't to ignore, though this process was started so.
    pub(crate) heeded: SignalSet,
    /// The limits it gets back.
    pub(crate) limits: Changed,
    /// The process group it is in.
    pub(crate) group: &'t ChildGroup,
    /// Whether it is handed the terminal at once.
    pub(crate) hand_over: bool,
    /// Whether the variables that hold this process's pid, by which systemd means the process that it started, are to hold
    /// the child's.
    pub(crate) pid_variables: bool,
    /// Whether it inherits no descriptors but those three (Linux 5.11).
    pub(crate) only_stdio: bool,
    /// Where there are descriptors that it doesn't need a copy of.
    pub(crate) private: Option<PrivateFds>,
    /// The mask it executes with; `None`: that of this thread. In a process of our own all signals are blocked already where
    /// there is one.
    pub(crate) mask: Option<SignalSet>,
    /// Whether other children run beside it, or will: its stack is for them, too, as soon as it has executed.
    pub(crate) has_siblings: bool,
    /// Whether [`Child::wait_for_exec`] is to know when it has executed.
    pub(crate) exec_is_awaited: bool,
    /// Whether this process belongs to others too: they may have handlers, and may wait for children.
    pub(crate) shared: bool,
}

impl<'t> Setup<'t> {
    /// From where on it gets no copies; 0: it gets copies of all.
    fn private_from(&self) -> RawFd {
        self.private.map_or(0, |private| self.first_private(private))
    }

    #[cold]
    fn first_private(&self, private: PrivateFds) -> RawFd {
        let streams = self.stdio.iter().flatten().map(AsFd::as_fd);
        if streams.chain(self.group.fd()).all(|fd| private.is_copied(fd)) { private.first() } else { 0 }
    }

    /// For a command that inherits what this process has, and no signals blocked.
    #[cfg(any(test, feature = "cli"))]
    pub(crate) fn plain(group: &'t ChildGroup) -> Setup<'t> {
        Setup {
            parent: process::id(),
            stdio: [None, None, None],
            heeded: SignalSet::EMPTY,
            limits: Changed::default(),
            group,
            hand_over: false,
            pid_variables: false,
            only_stdio: false,
            private: None,
            mask: Some(SignalSet::EMPTY),
            has_siblings: false,
            exec_is_awaited: false,
            shared: false,
        }
    }
}

/// A child that hasn't been waited for.
#[derive(Debug)]
pub(crate) struct Child {
    pid: Pid,
    pidfd: Option<OwnedFd>,
    own_group: bool,
    /// What it may not have copied yet.
    lent: Option<Box<Streams>>,
    /// Freed only when the child is known to have ended: until it executes its command it reads and writes there.
    block: ManuallyDrop<Block>,
    ended: bool,
}

/// All that the child reads and writes before it execs.
#[derive(Debug)]
struct Block {
    _plan: Box<Plan>,
    report: Place,
    command: Arc<Command>,
    _words: Words,
    _env: Option<Vec<*const c_char>>,
    _pids: PidVariables,
    stack: stack::Use,
}

/// Variables that are to hold the child's pid, which it puts there itself: sd_listen_fds(3), sd_watchdog_enabled(3),
/// systemd.exec(5).
#[derive(Debug)]
struct PidVariables {
    /// Each is the name, and room for a pid and a NUL.
    buffers: [Option<(Vec<u8>, usize)>; PID_VARIABLES.len()],
}

const PID_VARIABLES: [&str; 3] = ["LISTEN_PID", "WATCHDOG_PID", "SYSTEMD_EXEC_PID"];

/// Says the same as the first of them in another way, which only the process it was meant for can find true.
const LISTEN_PIDFDID: &str = "LISTEN_PIDFDID";

impl PidVariables {
    fn new(env: &Envp, setup: &Setup<'_>) -> PidVariables {
        let holds_own = |name: &str| {
            setup.pid_variables && env::find(env.iter(), name).is_some_and(|value| *value == *setup.parent.to_string())
        };
        let buffer = |name: &str| {
            let mut buffer = format!("{name}=").into_bytes();
            let place = buffer.len();
            buffer.resize(place + PID_DIGITS + 1, 0);
            (buffer, place)
        };
        PidVariables { buffers: PID_VARIABLES.map(|name| holds_own(name).then(|| buffer(name))) }
    }

    fn are_any(&self) -> bool {
        self.buffers.iter().any(Option::is_some)
    }

    /// The list of the variables, with these.
    #[cold]
    fn env(&self, env: &Envp) -> Vec<*const c_char> {
        let mut list = Vec::with_capacity(env.len() + 1);
        list.extend(env.iter().filter_map(|entry| self.entry(entry)));
        list.push(ptr::null());
        list
    }

    /// What the child has for an entry; `None`: the child doesn't get it.
    fn entry(&self, entry: &CStr) -> Option<*const c_char> {
        if self.buffers[0].is_some() && names(entry, LISTEN_PIDFDID.as_bytes()) {
            return None;
        }
        let buffer = PID_VARIABLES
            .iter()
            .position(|name| names(entry, name.as_bytes()))
            .and_then(|at| self.buffers[at].as_ref());
        Some(buffer.map_or(entry.as_ptr(), |(buffer, _)| buffer.as_ptr().cast()))
    }

    /// Where the child writes its pid.
    fn places(&mut self) -> [*mut u8; PID_VARIABLES.len()] {
        self.buffers
            .each_mut()
            .map(|buffer| buffer.as_mut().map_or(ptr::null_mut(), |(buffer, place)| buffer[*place..].as_mut_ptr()))
    }
}

/// Where the child's report is.
#[derive(Debug)]
enum Place {
    Own(Box<Report>),
    /// For a child with memory of its own.
    Shared(Shared<Report>),
}

impl Place {
    fn shared() -> Result<Place, Error> {
        Shared::new(Report::default()).map(Place::Shared).map_err(|source| Error::start("mmap", source))
    }

    fn report(&self) -> &Report {
        match self {
            Place::Own(report) => report,
            Place::Shared(report) => report,
        }
    }
}

// SAFETY: the pointers point to heap memory that the block owns, so they stay right wherever it is moved; the child uses
// them whichever thread owns it.
unsafe impl Send for Block {}

/// Starts the command. That it couldn't be executed is told by [`Child::failure`] once it has ended. `source`: where this
/// process takes its signals from; `None`: it belongs to others, too, and may take none.
pub(crate) fn spawn(command: Arc<Command>, setup: Setup<'_>, source: Option<&Source>) -> Result<Child, Error> {
    let mut words = Words::of(&command);
    let mut pids = PidVariables::new(&command.env, &setup);
    let env = pids.are_any().then(|| pids.env(&command.env));
    let mut report = match command.user {
        None => Place::Own(Box::default()),
        Some(_) => Place::shared()?,
    };
    let stack = stack::Use::begin();

    // A process of our own has them blocked since its start.
    let before = (setup.mask.is_none() || setup.shared).then(signals::block_all);
    let mut plan = Box::new(Plan {
        parent: setup.parent.as_raw(),
        group: setup.group.as_ref().map(
            |terminal| terminal.as_ref().filter(|_| setup.hand_over).map(|terminal| terminal.fd().as_raw_fd()),
            |terminal| terminal.as_ref().map(AsRawFd::as_raw_fd),
        ),
        user: command.user.as_ref().map_or(ptr::null(), ptr::from_ref),
        dir: command.dir.as_deref().map_or(ptr::null(), CStr::as_ptr),
        stdio: setup.stdio.each_ref().map(|fd| fd.as_ref().map(|fd| fd.as_raw_fd())),
        private_from: setup.private_from(),
        only_stdio: setup.only_stdio,
        ignored: SignalSet::EMPTY,
        heeded: setup.heeded,
        limits: setup.limits,
        reset_caught: setup.shared,
        mask: setup.mask.or(before).unwrap_or_default(),
        candidates: words.candidates(),
        shell_argv: words.shell_argv(),
        envp: env.as_ref().map_or(command.env.as_ptr(), |env| env.as_ptr()),
        pid_places: pids.places(),
        report: report.report(),
        stack_user: if setup.has_siblings || setup.exec_is_awaited { stack.word() } else { ptr::null_mut() },
    });
    let cloned = source::with_ignored(source, |ignored| {
        plan.ignored = ignored.difference(setup.heeded);
        clone_for(&mut plan, &mut report, &stack, setup.shared)
    });
    before.map(signals::set_mask);
    if cloned.is_err() || matches!(report, Place::Shared(_)) {
        stack.end();
    }

    let (pid, pidfd) = cloned?;
    let lent = if plan.private_from > 0 { lent(setup.stdio) } else { None };
    let block = Block { _plan: plan, report, command, _words: words, _env: env, _pids: pids, stack };
    Ok(Child { pid, pidfd, own_group: setup.group.is_own(), lent, block: ManuallyDrop::new(block), ended: false })
}

#[cold]
fn lent(stdio: Streams) -> Option<Box<Streams>> {
    stdio.iter().any(Option::is_some).then(|| Box::new(stdio))
}

/// The words of a command and the files to try, as execve(2) takes them: two lists, each with a null pointer at its end. In
/// front is a place for the name of the shell.
#[derive(Debug)]
struct Words {
    list: Vec<*const c_char>,
    /// Where the files begin.
    files: usize,
}

impl Words {
    fn of(command: &Command) -> Words {
        let files = command.args.len() + 2;
        let mut list = Vec::with_capacity(files + command.candidate_count() + 1);
        list.push(ptr::null());
        list.extend(command.args.iter().map(|arg| arg.as_ptr()));
        list.push(ptr::null());
        list.extend(command.candidates().map(CStr::as_ptr));
        list.push(ptr::null());
        Words { list, files }
    }

    fn shell_argv(&mut self) -> *mut *const c_char {
        self.list.as_mut_ptr()
    }

    fn candidates(&mut self) -> *const *const c_char {
        self.list.as_mut_ptr().wrapping_add(self.files)
    }
}

/// The new process; and its pidfd, if asked for.
type Cloned = (Pid, Option<OwnedFd>);

/// Clones so that the child reaches its report: in shared memory, unless the report is where a copy of the memory has it too.
/// Where shared memory is refused, the report moves there.
fn clone_for(plan: &mut Plan, report: &mut Place, stack: &stack::Use, with_pidfd: bool) -> Result<Cloned, Error> {
    let clone = |plan: &mut Plan, own_memory| {
        if own_memory {
            // The table of descriptors can't be shared by itself, either: qemu-user refuses that.
            plan.private_from = 0;
        }
        clone(plan, stack, with_pidfd, own_memory)
    };
    let cloned = match report {
        Place::Shared(_) => clone(plan, true),
        Place::Own(_) => match clone(plan, false) {
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
                *report = Place::shared()?;
                plan.report = report.report();
                clone(plan, true)
            }
            cloned => cloned,
        },
    };
    cloned.map_err(|source| Error::start("clone", source))
}

fn clone(plan: &mut Plan, stack: &stack::Use, with_pidfd: bool, own_memory: bool) -> io::Result<Cloned> {
    let mut pidfd: c_int = -1;
    let flag = |flag, is_set| if is_set { flag } else { 0 };
    let table = flag(libc::CLONE_FILES, plan.private_from > 0);
    let flags = libc::SIGCHLD | flag(libc::CLONE_VM, !own_memory) | flag(libc::CLONE_PIDFD, with_pidfd) | table;
    let plan: *mut Plan = plan;
    // SAFETY: the stack grows down from its end, aligned to 16 bytes, and is nobody else's until the child has executed or
    // ended, or for ever if it isn't known to; the plan is kept by `Child` until the child has been waited for. All signals
    // are blocked, so no handler runs on this stack before the child has reset them. The child keeps to raw system calls, so
    // nothing of this thread's state is disturbed.
    let pid = unsafe { libc::clone(child::main, stack.top(), flags, plan.cast::<c_void>(), &raw mut pidfd) };
    if pid < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: with CLONE_PIDFD the kernel has put a new descriptor there, which close on exec.
    let pidfd = with_pidfd.then(|| unsafe { OwnedFd::from_raw_fd(pidfd) });
    Ok((Pid::new(pid), pidfd))
}

impl Child {
    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// Readable once the child has ended; where the process is shared with others.
    pub(crate) fn pidfd(&self) -> Option<BorrowedFd<'_>> {
        self.pidfd.as_ref().map(AsFd::as_fd)
    }

    /// Whom to send to.
    pub(crate) fn target(&self) -> Target<'_> {
        Target { pid: self.pid, pidfd: self.pidfd() }
    }

    /// Whether it was started in shared memory.
    #[cfg(feature = "cli")]
    pub(crate) fn shares_memory(&self) -> bool {
        matches!(self.block.report, Place::Own(_))
    }

    /// Closes its descriptors 0, 1 and 2 here, if it has them by now. Whether that is done.
    #[cold]
    pub(crate) fn take_back(&mut self) -> bool {
        let has_own = self.ended || self.block.report.report().has_own_table();
        if has_own {
            self.lent = None;
        }
        has_own
    }

    /// Whether descriptors are still to be taken back.
    pub(crate) fn is_lent(&self) -> bool {
        self.lent.is_some()
    }

    /// To be told once it has been waited for.
    pub(crate) fn set_ended(&mut self) {
        self.ended = true;
    }

    /// What came to it as a member of this process's group, before it left that; to be asked before anything is sent to it.
    pub(crate) fn already_received(&self) -> SignalSet {
        let report = self.block.report.report();
        report.already_received().unwrap_or_else(|| {
            // As long as it hasn't left, it has all signals blocked.
            let mut buffer = StatusBuffer::new();
            let status = Status::of(self.pid, &mut Ours::default(), &mut buffer);
            let pending = status.map_or(SignalSet::EMPTY, |status| status.pending());
            report.already_received().unwrap_or(pending)
        })
    }

    /// Whether it has left this process's group, as it says itself.
    pub(crate) fn has_left(&self) -> bool {
        self.block.report.report().already_received().is_some()
    }

    /// Why the session that it leads didn't get the terminal, the first time that this is asked.
    pub(crate) fn take_terminal_refused(&self) -> Option<io::Error> {
        self.block.report.report().take_terminal_refused().map(io::Error::from_raw_os_error)
    }

    /// Waits until it has executed its command, or has ended, if that was to be known; no longer than this. A child with a copy
    /// of the memory isn't waited for.
    #[cold]
    pub(crate) fn wait_for_exec(&self, until: Instant) -> bool {
        self.block.stack.wait_for_end(until)
    }

    /// Kills it, and the group that it leads, and forgets it without waiting for its end: this process is about to end.
    #[cold]
    pub(crate) fn abandon(self) {
        let _ = signals::send_to_group(self.target(), Signal::KILL);
        std::mem::forget(self);
    }

    /// Why it never executed its command; asked after its end.
    pub(crate) fn failure(&self) -> Option<Error> {
        let failure = self.block.report.report().load()?;
        Some(self.block.command.error(failure))
    }
}

impl Child {
    /// Kills it and waits for its end. An error says that it isn't known to have ended.
    #[cold]
    fn kill(&self) -> io::Result<()> {
        let _ = if self.own_group {
            signals::send_to_group(self.target(), Signal::KILL)
        } else {
            signals::send(self.target(), Signal::KILL)
        };
        let which = self.pidfd().map_or(Which::Any, Which::Only);
        loop {
            match wait::until_end(which)? {
                Next::Ended(ended) if ended.pid == self.pid => return Ok(()),
                Next::NoChild => return Ok(()),
                Next::Ended(_) | Next::Running | Next::Stopped(..) | Next::Continued(_) => {}
            }
        }
    }
}

/// A run that is given up, by an error or a panic of a handler, takes its child with it, and the group that it leads.
///
/// Where the wait is refused, the child may still be between clone and exec: its memory is leaked.
impl Drop for Child {
    fn drop(&mut self) {
        if self.ended || self.kill().is_ok() {
            self.block.stack.end();
            // SAFETY: the child has ended and uses nothing of the block, and nothing here uses it from now on.
            unsafe { ManuallyDrop::drop(&mut self.block) };
        }
    }
}

#[cfg(test)]
mod tests;
