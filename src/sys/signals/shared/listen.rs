//! An executor's signals, in a program that has other users for them, too.

#[cfg(feature = "signal-hook")]
use super::listeners::BY_REGISTRY;
use super::listeners::{BY_HANDLER, Listener, Record, Wanted};
#[cfg(feature = "signal-hook")]
use super::registry;
use super::table::{Claim, Table, table};
use crate::model::error::Error;
use crate::model::origin::Received;
use crate::model::signal::{Signal, SignalSet};
use crate::model::signal_source::SignalSource;
use crate::sys::fd;
use crate::sys::raw::syscall;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// How many records one read(2) fetches at most.
const RECORDS_PER_READ: usize = 128;

/// The size asked for the queue's pipe, which then holds 40,000 records. A pipe that may not be that large holds fewer.
const PIPE_BYTES: i32 = 1 << 20;

/// Signals that no library can listen to. A handler on ILL, FPE or SEGV returns into the fault that raised it, and the
/// C library keeps 32 and 33 for itself.
fn refused() -> SignalSet {
    let c_library = (32..libc::SIGRTMIN()).filter_map(Signal::new);
    [Signal::KILL, Signal::STOP, Signal::CHLD, Signal::ILL, Signal::FPE, Signal::SEGV]
        .into_iter()
        .chain(c_library)
        .collect()
}

/// The signals that one executor listens to, from its construction to its drop.
#[derive(Debug)]
pub(crate) struct SharedSignals {
    reader: OwnedFd,
    /// Kept open for the handler, which has the number of the descriptor.
    _writer: OwnedFd,
    listener: &'static Listener,
    claimed: Vec<Claimed>,
}

/// A signal that has to be given back.
#[derive(Clone, Copy, Debug)]
enum Claimed {
    ByHandler(Signal),
    #[cfg(feature = "signal-hook")]
    ByRegistry(Signal),
}

impl SharedSignals {
    /// Listens to these signals; `None`: to all. An init and job control need SIGCHLD as well.
    pub(crate) fn listen(
        signals: Option<SignalSet>,
        init: bool,
        job_control: bool,
        source: SignalSource,
    ) -> Result<SharedSignals, Error> {
        let failed = |source: io::Error| Error::Listen { source };
        if let Some(refused) = signals.and_then(|signals| signals.iter().find(|signal| refused().contains(*signal))) {
            let why = format!("{refused} is none that a library can listen to");
            return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, why)));
        }
        let signals = signals.unwrap_or(SignalSet::ALL.difference(refused()));
        let to_children = init || job_control;
        let signals = if to_children { signals.with(Signal::CHLD) } else { signals };
        let (reader, writer) = queue().map_err(failed)?;

        // Signals are claimed for all executors or for none at a time.
        let mut table = table();
        let listeners = match source {
            SignalSource::Own => &BY_HANDLER,
            #[cfg(feature = "signal-hook")]
            SignalSource::SignalHook => &BY_REGISTRY,
        };
        let listener = listeners.add(writer.as_fd(), &Wanted { signals, job_control });
        let mut listening = SharedSignals { reader, _writer: writer, listener, claimed: Vec::new() };
        let result = listening.claim(&mut table, signals, to_children, source);
        // If that failed, the drop of `listening` gives back what is claimed; it needs the table.
        drop(table);
        result.map(|()| listening).map_err(failed)
    }

    fn claim(
        &mut self,
        table: &mut Table,
        signals: SignalSet,
        to_children: bool,
        source: SignalSource,
    ) -> io::Result<()> {
        for signal in signals.iter() {
            match source {
                SignalSource::Own => {
                    table.claim(signal, Claim::Listen)?;
                    self.claimed.push(Claimed::ByHandler(signal));
                }
                #[cfg(feature = "signal-hook")]
                SignalSource::SignalHook => {
                    if registry::register(table, signal)? {
                        self.claimed.push(Claimed::ByRegistry(signal));
                    }
                }
            }
        }
        if !to_children {
            table.claim(Signal::CHLD, Claim::Keep)?;
            self.claimed.push(Claimed::ByHandler(Signal::CHLD));
        }
        Ok(())
    }

    /// Readable when a signal came.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }

    /// Reads what came, without waiting.
    pub(crate) fn read(&self, into: &mut Vec<Received>) -> io::Result<()> {
        while into.len() < RECORDS_PER_READ {
            let mut records = [const { MaybeUninit::<Record>::uninit() }; RECORDS_PER_READ];
            // SAFETY: the kernel writes into the array, at most its size.
            let read = unsafe {
                syscall(
                    libc::SYS_read,
                    [self.reader.as_raw_fd() as usize, records.as_mut_ptr() as usize, size_of_val(&records)],
                )
            };
            let bytes = match read {
                Ok(bytes) => bytes,
                Err(libc::EAGAIN) => break,
                Err(libc::EINTR) => continue,
                Err(errno) => return Err(io::Error::from_raw_os_error(errno)),
            };
            for record in &records[..bytes / size_of::<Record>()] {
                // SAFETY: the handler writes whole records, atomically as they are shorter than PIPE_BUF, and any bytes
                // are a value of one.
                let record = unsafe { record.assume_init_ref() };
                into.extend(Received::new(record.number, record.code, record.pid, record.uid, record.value));
            }
        }
        // Who sent those isn't known any more: they are passed on as if from outside of this PID namespace.
        let overflow = self.listener.take_overflow();
        into.extend(overflow.iter().filter_map(|signal| Received::new(signal.number(), libc::SI_USER, 0, 0, 0)));
        Ok(())
    }
}

impl Drop for SharedSignals {
    fn drop(&mut self) {
        let mut table = table();
        // Dispositions first: a signal that comes now does what it does in the program without us.
        for claimed in self.claimed.drain(..) {
            match claimed {
                Claimed::ByHandler(signal) => table.release(signal),
                #[cfg(feature = "signal-hook")]
                Claimed::ByRegistry(signal) => registry::release(signal),
            }
        }
        self.listener.stop();
    }
}

/// A pipe that never blocks.
fn queue() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
    let (reader, writer) = (fd::above_stdio(reader)?, fd::above_stdio(writer)?);
    // If the kernel refuses, the pipe stays as large as it is.
    let _ = fcntl(&writer, FcntlArg::F_SETPIPE_SZ(PIPE_BYTES));
    Ok((reader, writer))
}
