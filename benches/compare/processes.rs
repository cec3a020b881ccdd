//! A running contender.

use crate::contenders::Contender;
use crate::proc::Proc;
use crate::programs::{environment, succeeded};
use crate::sys::{self, Ended, Process, Stdio};
use crate::{Lab, Result};
use std::ffi::CStr;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::os::fd::AsFd;
use std::time::Duration;

/// A process that writes nothing for this long hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A contender with a child, to which we have two pipes.
pub struct Running {
    name: &'static str,
    process: Process,
    stdin: PipeWriter,
    stdout: PipeReader,
}

impl Running {
    pub fn start(lab: &Lab, contender: &Contender, child: &[&CStr]) -> Result<Running> {
        let (stdin, writer) = pipe()?;
        let (reader, stdout) = pipe()?;
        let stdio = Stdio(stdin.as_fd(), stdout.as_fd(), lab.null.as_fd());
        let process = Process::start(&contender.words(lab, child), &environment(), stdio)?;
        Ok(Running { name: contender.name, process, stdin: writer, stdout: reader })
    }

    /// The time that the child writes next.
    pub fn told(&mut self) -> Result<u64> {
        if !self.tells_within(PATIENCE)? {
            return Err(format!("{}: the child says nothing", self.name).into());
        }
        let mut time = [0; 8];
        self.stdout.read_exact(&mut time).map_err(|error| format!("{}: the child is gone: {error}", self.name))?;
        Ok(u64::from_ne_bytes(time))
    }

    /// Whether the child writes a time soon.
    pub fn tells_within(&self, time: Duration) -> Result<bool> {
        Ok(sys::is_readable(self.stdout.as_fd(), time)?)
    }

    /// Tells the child to begin.
    pub fn go(&mut self) -> Result<()> {
        Ok(self.stdin.write_all(b"!")?)
    }

    pub fn signal(&self, signal: i32) -> Result<()> {
        Ok(self.process.signal(signal)?)
    }

    /// What the kernel says about the contender.
    pub fn proc(&self) -> Proc {
        Proc::of(self.process.pid())
    }

    /// Ends the child, if it hasn't ended yet, by closing its stdin, and waits for both.
    pub fn end(self) -> Result<Ended> {
        drop(self.stdin);
        succeeded(self.name, self.process.wait()?)
    }
}

/// Runs a contender with a child that writes nothing, from start to end.
pub fn run(lab: &Lab, contender: &Contender, child: &[&CStr]) -> Result<Run> {
    let words = contender.words(lab, child);
    let environment = environment();
    let stdio = Stdio(lab.null.as_fd(), lab.null.as_fd(), lab.null.as_fd());
    let begin = sys::clock();
    let ended = Process::start(&words, &environment, stdio)?.wait()?;
    let nanoseconds = sys::clock() - begin;
    Ok(Run { nanoseconds, ended: succeeded(contender.name, ended)? })
}

/// What a whole run took.
pub struct Run {
    pub nanoseconds: u64,
    pub ended: Ended,
}
