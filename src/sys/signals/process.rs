//! The signals of a program that is a wrapper and nothing else: all blocked, and read from a signalfd(2).

use super::disposition::{Disposition, disposition, set_disposition};
use super::mask::{SIGSET_BYTES, block_all, set_mask};
use crate::model::origin::Received;
use crate::model::pid::Pid;
use crate::model::signal::{Signal, SignalSet};
use crate::sys::raw::{syscall, syscall_io};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use std::cell::{Cell, RefCell};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// The most signals that one read fetches.
pub(crate) const BATCH: usize = 64;

/// What was inherited, and what is listened to from now on.
///
/// From [`take`](ProcessSignals::take) on no signal is lost: they are pending until [`open`](ProcessSignals::open),
/// and then read in the kernel's order, each with its origin. A fault of this program's own still kills it, since the
/// kernel lifts the mask for those.
#[derive(Debug)]
pub(crate) struct ProcessSignals {
    inherited_mask: SignalSet,
    inherited_chld: Disposition,
    listened: SignalSet,
    fd: Option<OwnedFd>,
    /// Whether a read of it waits.
    read_waits: Cell<bool>,
    /// What is read from it.
    records: RefCell<Box<[Record]>>,
}

/// The kernel writes the first ones only: the pages of the others don't exist.
type Record = MaybeUninit<libc::signalfd_siginfo>;

impl ProcessSignals {
    /// Blocks every signal of this thread, which must be the only one.
    pub(crate) fn take() -> ProcessSignals {
        let inherited_mask = block_all();
        // Were it ignored, the kernel would reap our children for us, and their status would be gone.
        let inherited_chld = disposition(Signal::CHLD);
        if inherited_chld == Disposition::Ignored {
            set_disposition(Signal::CHLD, false);
        }
        ProcessSignals {
            inherited_mask,
            inherited_chld,
            listened: SignalSet::ALL,
            fd: None,
            read_waits: Cell::new(true),
            records: RefCell::default(),
        }
    }

    /// Listens to these only; the others get back the mask they had.
    ///
    /// PIPE and XFSZ stay blocked: a message to a stderr that is gone or full raises them, and they would end this process,
    /// and the child with it.
    pub(crate) fn limit(&mut self, signals: SignalSet) {
        self.listened = signals.with(Signal::CHLD);
        set_mask(self.inherited_mask.union(self.listened).with(Signal::PIPE).with(Signal::XFSZ));
    }

    /// The mask this program was started with.
    pub(crate) fn inherited_mask(&self) -> SignalSet {
        self.inherited_mask
    }

    /// What was ignored when this program was started and isn't now.
    pub(crate) fn ignored(&self) -> SignalSet {
        match self.inherited_chld {
            Disposition::Ignored => SignalSet::EMPTY.with(Signal::CHLD),
            Disposition::Default | Disposition::Caught => SignalSet::EMPTY,
        }
    }

    /// Makes the signalfd; until then signals wait in the kernel.
    pub(crate) fn open(&mut self) -> io::Result<()> {
        let flags = libc::SFD_CLOEXEC as usize;
        self.records = RefCell::new(Box::new_uninit_slice(BATCH));
        let fd = signalfd(-1, self.listened, flags)?;
        // SAFETY: the kernel just made it, and nobody else has it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        // In the place of a stream that was closed it would get what is written to that, if there is any other place.
        self.fd = Some(match fd.as_raw_fd() {
            0..=2 => fd.try_clone().unwrap_or(fd),
            _ => fd,
        });
        Ok(())
    }

    /// Does something before there is any child; a signal that comes meanwhile does what it does to any program.
    pub(crate) fn at_ease<T>(&self, act: impl FnOnce() -> T) -> T {
        let before = set_mask(self.inherited_mask);
        let result = act();
        set_mask(before);
        result
    }

    /// The signalfd.
    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.fd.as_ref().map(AsFd::as_fd)
    }

    /// Leaves real-time signals in the kernel's queue, or reads them again.
    pub(crate) fn leave_realtime(&mut self, leave: bool) -> io::Result<()> {
        let set = if leave { self.listened.difference(SignalSet::REALTIME) } else { self.listened };
        match &self.fd {
            Some(fd) => signalfd(fd.as_raw_fd(), set, 0).map(drop),
            None => Ok(()),
        }
    }

    /// Rare: with nothing but signals to wait for, each read waits, and otherwise none does.
    #[cold]
    fn change_waiting(&self, fd: &OwnedFd, wait: bool) -> io::Result<()> {
        let flags = if wait { OFlag::empty() } else { OFlag::O_NONBLOCK };
        fcntl(fd, FcntlArg::F_SETFL(flags))?;
        self.read_waits.set(wait);
        Ok(())
    }

    /// Reads up to [`BATCH`] of them; with `wait`, waits until there is one.
    ///
    /// After poll(2) a read mustn't wait: a signal that was there may be gone, as a TSTP is when a CONT comes. The child that
    /// a SIGCHLD names, if one has come.
    pub(crate) fn read(&self, into: &mut Vec<Received>, wait: bool) -> io::Result<Option<Pid>> {
        let Some(fd) = &self.fd else { return Ok(None) };
        if self.read_waits.get() != wait {
            self.change_waiting(fd, wait)?;
        }
        let mut records = self.records.borrow_mut();
        // SAFETY: the kernel writes whole records into the slice, at most its size.
        let read = unsafe {
            syscall(libc::SYS_read, [fd.as_raw_fd() as usize, records.as_mut_ptr() as usize, size_of_val(&**records)])
        };
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(libc::EINTR | libc::EAGAIN) => 0,
            Err(errno) => return Err(io::Error::from_raw_os_error(errno)),
        };
        let mut child = None;
        for record in &records[..bytes / size_of::<libc::signalfd_siginfo>()] {
            // SAFETY: the kernel has written this record.
            let record = unsafe { record.assume_init_ref() };
            // Anybody may send one by kill(2), which names its sender.
            if record.ssi_signo as i32 == libc::SIGCHLD && record.ssi_code > 0 {
                child = Some(Pid::new(record.ssi_pid as i32));
            }
            into.extend(Received::new(
                record.ssi_signo as i32,
                record.ssi_code,
                record.ssi_pid as i32,
                record.ssi_uid,
                record.ssi_ptr as usize,
            ));
        }
        Ok(child)
    }
}

fn signalfd(fd: RawFd, set: SignalSet, flags: usize) -> io::Result<RawFd> {
    let bits = set.bits();
    // SAFETY: `bits` is the set, of the size that is told; the kernel copies it.
    let fd = unsafe { syscall_io(libc::SYS_signalfd4, [fd as usize, (&raw const bits) as usize, SIGSET_BYTES, flags]) };
    fd.map(|fd| fd as RawFd)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    /// As a TSTP goes when a CONT comes, between poll(2) and the read.
    #[test]
    fn a_signal_that_is_gone_is_not_waited_for() {
        let (sender, read) = mpsc::channel();
        // A thread of its own: its mask stays changed.
        std::thread::spawn(move || {
            let mut signals = ProcessSignals::take();
            signals.open().unwrap();
            let mut came = Vec::new();
            signals.read(&mut came, false).unwrap();
            sender.send(came.len()).unwrap();
            // SAFETY: sends this thread a signal that it blocks.
            unsafe { libc::raise(libc::SIGUSR1) };
            signals.read(&mut came, true).unwrap();
            sender.send(came.len()).unwrap();
        });
        let patience = Duration::from_secs(60);
        assert_eq!([read.recv_timeout(patience), read.recv_timeout(patience)], [Ok(0), Ok(1)]);
    }
}
