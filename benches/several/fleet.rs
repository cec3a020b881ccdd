//! A contender that runs, with its processes.

use crate::children::Children;
use crate::contenders::{Contender, Orders};
use crate::proc::Proc;
use crate::programs::environment;
use crate::sys::{self, Process, Stdio};
use crate::{Lab, Result};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// A contender that does nothing for this long hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// As long as nothing is told. What is told at last is seen so much later at most, by all contenders alike.
const LOOK: Duration = Duration::from_micros(500);

/// Dropped, the contender is killed, and processes that it leaves end by themselves.
pub struct Fleet {
    name: &'static str,
    process: Process,
    told: Told,
    pids: Vec<i32>,
    /// From its start until all processes had begun, in nanoseconds.
    pub start: u64,
}

impl Fleet {
    /// Starts it, and waits until all processes have begun.
    pub fn start(lab: &Lab, contender: &Contender, children: &Children) -> Result<Fleet> {
        Fleet::start_writing_to(lab, contender, children, lab.null.as_fd())
    }

    pub fn start_writing_to(
        lab: &Lab,
        contender: &Contender,
        children: &Children,
        stdout: BorrowedFd<'_>,
    ) -> Result<Fleet> {
        let folder = lab.workshop.path("fleet");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir(&folder)?;
        let fifo = lab.workshop.path("told");
        let mut told = Told::new(&fifo)?;
        let fifo = fifo.to_str().ok_or("the temporary folder's name is no UTF-8")?;
        let orders = Orders { children, child: lab.child.to_str()?, fifo, folder: &folder };
        let words = contender.prepare(&orders)?;
        let begin = sys::clock();
        let process = Process::start(&words, &environment(), Stdio(lab.null.as_fd(), stdout, lab.null.as_fd()))?;
        let pids = told.next(children.count)?;
        Ok(Fleet { name: contender.name, process, told, pids, start: sys::clock() - begin })
    }

    /// What the kernel says about the contender.
    pub fn proc(&self) -> Proc {
        Proc::of(self.process.pid())
    }

    pub fn pids(&self) -> &[i32] {
        &self.pids
    }

    /// Signals the contender.
    pub fn signal(&self, signal: i32) -> Result<()> {
        Ok(self.process.signal(signal)?)
    }

    /// Waits until this number of processes have told something again.
    pub fn told(&mut self, count: usize) -> Result<()> {
        self.told.next(count)?;
        Ok(())
    }

    /// The private memory of the contender and all processes it has for itself, in KiB.
    pub fn memory(&self) -> Result<u64> {
        let kept: BTreeSet<i32> = self.pids.iter().copied().collect();
        let mut left = vec![self.process.pid()];
        let mut memory = 0;
        while let Some(pid) = left.pop() {
            if !kept.contains(&pid) {
                memory += Proc::of(pid).memory()?.1;
                left.extend(Proc::of(pid).children()?);
            }
        }
        Ok(memory)
    }

    /// Stops it, and waits until all are gone: that time in nanoseconds.
    pub fn stop(mut self) -> Result<u64> {
        let begin = sys::clock();
        self.process.signal(libc::SIGTERM)?;
        if !self.process.ends_within(PATIENCE)? {
            return Err(format!("{} doesn't stop", self.name).into());
        }
        self.process.wait()?;
        let time = sys::clock() - begin;
        if !self.told.is_at_end()? {
            return Err(format!("{} left a process behind", self.name).into());
        }
        Ok(time)
    }
}

/// The FIFO by which processes tell that they have begun.
pub struct Told(File);

impl Told {
    /// Makes it, in the place of another one.
    pub fn new(path: &Path) -> Result<Told> {
        if path.exists() {
            fs::remove_file(path)?;
        }
        sys::make_fifo(path)?;
        Ok(Told(File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path)?))
    }

    /// The next pids that are told. To be woken for each of them would take the processors' time from those that are measured,
    /// and not from a loop that starts them all before it reads: this looks from time to time.
    pub fn next(&mut self, count: usize) -> Result<Vec<i32>> {
        let mut bytes = vec![0; count * 8];
        let mut read = 0;
        let mut last = Instant::now();
        while read < bytes.len() {
            match self.0.read(&mut bytes[read..]) {
                Ok(more @ 1..) => (read, last) = (read + more, Instant::now()),
                Ok(_) if read > 0 => return Err("all processes are gone".into()),
                // Nobody has opened it yet.
                Ok(_) => thread::sleep(LOOK),
                Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(LOOK),
                Err(error) => return Err(error.into()),
            }
            if last.elapsed() > PATIENCE {
                return Err(format!("of {count} processes, {} have told something", read / 8).into());
            }
        }
        let (numbers, _) = bytes.as_chunks::<8>();
        Ok(numbers.iter().map(|bytes| u64::from_ne_bytes(*bytes) as i32).collect())
    }

    /// Whether no process is left that could tell anything.
    pub fn is_at_end(&mut self) -> Result<bool> {
        loop {
            match self.0.read(&mut [0; 4096]) {
                Ok(0) => return Ok(true),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
    }
}
