//! Passing on a message that brings descriptors, so that none is ever closed by this process.
//!
//! Closing one may wait for ever, and not even SIGKILL ends a process that waits in close(2) for a FUSE server. On
//! the other hand the manager listens to the main process alone, by the pid that the kernel tells it: only this process can
//! send. So two do it together, in a table of descriptors of their own:
//!
//! 1. a thread of this process, the *courier*, takes a copy of the table (unshare(2)) and starts
//! 2. a process, the *keeper*, which shares that copy (CLONE_FILES), and receives the message;
//! 3. the courier sends it to the manager, and ends, which closes nothing: the keeper has the table still;
//! 4. the keeper is killed by that (PR_SET_PDEATHSIG), and closes the descriptors as it ends. If that takes for ever, it is
//!    the keeper that waits.
//!
//! Where a filter of system calls refuses unshare(2), as Docker's does, the keeper has a copy of the table to itself. Then
//! the message goes on without its descriptors, which are closed all the same.
//!
//! A keeper is no ordinary child: it sends no SIGCHLD, and only a wait that asks for such children (`__WALL`) finds it. So it
//! isn't taken for the command's orphan.

use super::message::is_barrier;
use super::receive::{Came, Control, came_along, header};
use super::socket::connected;
use super::thread::Thread;
use super::trust::Verdict;
use crate::model::pid::Pid;
use crate::sys::bell::{Bell, ring};
use crate::sys::fork::fork;
use crate::sys::poll::Awaited;
use crate::sys::raw::syscall;
use crate::sys::shared_memory::Shared;
use crate::sys::{fd, keepers, limit, pidfd, poll, process, wait};
use nix::errno::Errno;
use nix::sys::socket::{ControlMessage, MsgFlags, UnixAddr, sendmsg};
use std::cell::UnsafeCell;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

const COURIER_STACK_BYTES: usize = 128 * 1024;

/// How often a message for which the kernel has no memory is sent again, and after what time.
pub(super) const MOST_SENDS: u32 = 10;
const SEND_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// What is done with a message.
#[derive(Debug)]
pub(super) struct Errand {
    /// The socket it is in.
    pub(super) from: RawFd,
    /// The manager's.
    pub(super) to: RawFd,
    pub(super) address: UnixAddr,
    /// What is passed on; `None`: the message is taken and dropped.
    pub(super) bytes: Option<Vec<u8>>,
    /// Of its sender; `None`: the message isn't passed on in any case.
    pub(super) verdict: Option<Verdict>,
    /// The bell that is rung in the end.
    pub(super) done: RawFd,
}

/// How it went.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It was taken, and passed on if it was to be.
    Done {
        /// Why some of its descriptors are lost, if they are.
        lost: Option<Lost>,
    },
    /// The sender had ended, and its number had been another's.
    NotTrusted,
    /// It couldn't be passed on.
    Lost(Errno),
    /// It couldn't be taken, and is where it was.
    NotTaken(io::Error),
}

/// Why descriptors are lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    NoRoom,
    /// unshare(2) is refused.
    NoTable(Errno),
}

/// A thread on an errand.
#[derive(Debug)]
pub(super) struct Courier(Thread<(Outcome, Option<Pid>)>);

/// A process that holds descriptors until it ends.
#[derive(Debug)]
pub(super) struct Keeper {
    pid: Pid,
    /// Readable once it has ended.
    pidfd: Option<OwnedFd>,
}

impl Courier {
    /// Sends one. The descriptors of its errand must stay open until it returns.
    pub(super) fn send(errand: Errand) -> io::Result<Courier> {
        let run = move || {
            let mut keeper = None;
            let outcome = errand.run(&mut keeper);
            ring(errand.done);
            (outcome, keeper)
        };
        Thread::start(COURIER_STACK_BYTES, run).map(Courier)
    }

    /// How it went, once it has said that it is done: nothing it does after that can wait.
    pub(super) fn returns(self) -> (Outcome, Option<Keeper>) {
        let (outcome, keeper) = self.0.join().unwrap_or((Outcome::Lost(Errno::EIO), None));
        (outcome, keeper.map(Keeper::new))
    }
}

impl Keeper {
    fn new(pid: Pid) -> Keeper {
        // It is this process's child, so the number is its own until it is waited for.
        Keeper { pid, pidfd: pidfd::open(pid.as_raw()).ok() }
    }

    /// Readable once it has ended.
    pub(super) fn pidfd(&self) -> Option<BorrowedFd<'_>> {
        self.pidfd.as_ref().map(AsFd::as_fd)
    }

    /// Whether it has ended; then it is reaped.
    pub(super) fn has_ended(&self) -> bool {
        let ended = wait::has_clone_ended(self.pid);
        if ended {
            keepers::ended(self.pid);
        }
        ended
    }
}

/// Starts a keeper that keeps a socket with what is in it open until this process has ended.
pub(super) fn leave_to_keeper(socket: BorrowedFd<'_>) -> io::Result<()> {
    start_keeper(0, &Shared::new(Envelope::default())?, &[socket.as_raw_fd()], None).map(drop)
}

/// Starts a keeper, which keeps these descriptors; if there is anything to take, it receives a message from that socket, and
/// rings that bell. It is killed when this thread ends.
fn start_keeper(
    flags: i32,
    envelope: &Shared<Envelope>,
    kept: &[RawFd],
    takes: Option<(RawFd, RawFd)>,
) -> io::Result<Pid> {
    let parent = process::id().as_raw() as usize;
    keepers::start(|| {
        // SAFETY: the kernel writes an int where the pidfd is to be. The new process keeps to raw system calls and never
        // returns.
        let pid = unsafe { fork(flags | libc::CLONE_PIDFD, envelope.pidfd.as_ptr()) }?;
        if pid == 0 {
            keep(parent, envelope, kept, takes);
        }
        Ok(Pid::new(pid))
    })
}

/// What a keeper does: this is a process with all signals blocked, in which another thread's locks may be held for ever.
/// So: nothing but raw system calls, no allocation, no lock, no panic.
fn keep(parent: usize, envelope: &Envelope, kept: &[RawFd], takes: Option<(RawFd, RawFd)>) -> ! {
    // SAFETY: the calls touch no memory. What is closed are this new process's copies, or its share of a table that nothing
    // else uses but the courier, whose descriptors are in `kept`.
    unsafe {
        let set = syscall(libc::SYS_prctl, [libc::PR_SET_PDEATHSIG as usize, libc::SIGKILL as usize, 0, 0, 0]);
        if set.is_err() || syscall(libc::SYS_getppid, []) != Ok(parent) {
            process::end(1);
        }
        fd::close_all_but(kept, envelope.pidfd.load(Ordering::Relaxed));
        if let Some((socket, bell)) = takes {
            // Room for all that comes: the kernel would close what finds none before we hear of the message.
            limit::raise_own_files();
            envelope.fill(socket);
            ring(bell);
        }
    }
    poll::for_ever()
}

/// What came with a message, in memory shared with the keeper.
#[derive(Default)]
struct Envelope {
    /// The keeper's.
    pidfd: AtomicI32,
    /// What recvmsg(2) returned, and has left in its header.
    error: AtomicI32,
    flags: AtomicI32,
    length: AtomicUsize,
    control: UnsafeCell<Room>,
}

struct Room(#[allow(dead_code, reason = "the keeper writes it by its address")] Control);

impl Default for Room {
    fn default() -> Self {
        Room([0; _])
    }
}

// SAFETY: what is no atomic is written by the keeper alone, before it rings; the courier reads it after it has heard that.
unsafe impl Sync for Envelope {}

impl Envelope {
    /// Receives the next message. Async-signal-safe.
    fn fill(&self, socket: RawFd) {
        let mut byte = 0u8;
        let mut buffer = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
        let mut header = header(&mut buffer, self.control.get().cast(), size_of::<Control>());
        let flags = libc::MSG_CMSG_CLOEXEC as usize;
        // SAFETY: the kernel writes into the buffers, at most their lengths, and into the header.
        let received = unsafe { syscall(libc::SYS_recvmsg, [socket as usize, (&raw mut header) as usize, flags]) };
        self.error.store(received.err().unwrap_or(0), Ordering::Relaxed);
        self.flags.store(header.msg_flags, Ordering::Relaxed);
        self.length.store(header.msg_controllen as usize, Ordering::Release);
    }

    /// What came, and whether some of it was lost.
    fn open(&self) -> io::Result<(Came, bool)> {
        let length = self.length.load(Ordering::Acquire);
        match self.error.load(Ordering::Relaxed) {
            0 => {}
            errno => return Err(io::Error::from_raw_os_error(errno)),
        }
        let header = header(std::ptr::null_mut(), self.control.get().cast(), length);
        // SAFETY: recvmsg(2) has left the control buffer with this length, and it lives as long as `self`.
        let came = unsafe { came_along(&header) };
        Ok((came, self.flags.load(Ordering::Relaxed) & libc::MSG_CTRUNC != 0))
    }
}

/// Until there is a keeper, nothing is taken; and what that can't take, it says.
impl From<io::Error> for Outcome {
    fn from(error: io::Error) -> Outcome {
        Outcome::NotTaken(error)
    }
}

impl Errand {
    fn run(&self, keeper: &mut Option<Pid>) -> Outcome {
        match self.receive(keeper) {
            Ok((came, lost)) => {
                if self.verdict.is_some_and(|verdict| !verdict.is_trusted(came.has_sender_ended())) {
                    return Outcome::NotTrusted;
                }
                match &self.bytes {
                    // All it says is that its descriptor is closed in the end.
                    Some(bytes) if lost.is_some() && is_barrier(bytes) => Outcome::Done { lost: None },
                    Some(bytes) => {
                        self.pass(bytes, &came.descriptors).map_or_else(Outcome::Lost, |()| Outcome::Done { lost })
                    }
                    None => Outcome::Done { lost: None },
                }
            }
            Err(outcome) => outcome,
        }
    }

    /// Has a keeper take the message.
    fn receive(&self, keeper: &mut Option<Pid>) -> Result<(Came, Option<Lost>), Outcome> {
        // SAFETY: touches no memory. From here on each number that this thread uses means a copy of the descriptor, and it
        // owns none of them.
        let own_table = unsafe { syscall(libc::SYS_unshare, [libc::CLONE_FILES as usize]) };
        let flags = if own_table.is_ok() { libc::CLONE_FILES } else { 0 };
        let envelope = Shared::new(Envelope::default())?;
        let taken = Bell::new()?;
        let kept = [self.from, self.to, self.done, taken.as_fd().as_raw_fd()];
        let takes = Some((self.from, taken.as_fd().as_raw_fd()));
        *keeper = Some(start_keeper(flags, &envelope, &kept, takes)?);
        // SAFETY: the kernel has put the descriptor there for this thread, and nothing else owns it in this table.
        let pidfd = unsafe { OwnedFd::from_raw_fd(envelope.pidfd.load(Ordering::Relaxed)) };
        // It says that it has taken the message, or it has been killed.
        // Where that can't be waited for, it may have been.
        poll::is_any_ready([Awaited::Read(taken.as_fd()), Awaited::Read(pidfd.as_fd())], None)
            .map_err(Outcome::Lost)?;
        if !taken.has_rung() {
            return Err(Outcome::NotTaken(io::ErrorKind::Interrupted.into()));
        }
        let (came, has_lost) = envelope.open()?;
        match own_table {
            Ok(_) => Ok((came, has_lost.then_some(Lost::NoRoom))),
            // Their numbers mean nothing here.
            Err(errno) => Ok((Came::default(), Some(Lost::NoTable(Errno::from_raw(errno))))),
        }
    }

    /// Sends it to the manager, as soon as that has room.
    fn pass(&self, bytes: &[u8], descriptors: &[RawFd]) -> Result<(), Errno> {
        let rights = [ControlMessage::ScmRights(descriptors)];
        let rights = if descriptors.is_empty() { &[] } else { &rights[..] };
        let send =
            |to: RawFd| sendmsg::<()>(to, &[IoSlice::new(bytes)], rights, MsgFlags::MSG_NOSIGNAL, None).map(drop);
        let mut another = None;
        let mut sends = 0;
        loop {
            sends += 1;
            // SAFETY: the sender of the courier keeps the descriptor open until it returns, and a copy of the table has it, too.
            let to = another.as_ref().map_or(unsafe { BorrowedFd::borrow_raw(self.to) }, OwnedFd::as_fd);
            match send(to.as_raw_fd()) {
                Err(Errno::EAGAIN) => {
                    poll::is_any_ready([Awaited::Write(to)], None)?;
                }
                // The socket can be written all the same.
                Err(Errno::ENOBUFS | Errno::ENOMEM) if sends < MOST_SENDS => thread::sleep(SEND_AGAIN_AFTER),
                Err(Errno::EINTR) => {}
                // Another socket may be in its place since.
                Err(Errno::ECONNREFUSED | Errno::ENOTCONN | Errno::EPIPE) if another.is_none() => {
                    let manager = connected(&self.address);
                    another =
                        Some(manager.map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO)))?);
                }
                sent => return sent,
            }
        }
    }
}
