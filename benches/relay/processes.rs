//! A running contender.

use crate::contenders::{Contender, Way};
use crate::proc::Proc;
use crate::producer::END;
use crate::programs::{environment, succeeded};
use crate::sys::{self, Process, Stdio};
use crate::{Lab, Result};
use std::ffi::CString;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe, stderr};
use std::os::fd::AsFd;
use std::time::Duration;

/// A contender that passes nothing on for this long hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// More than a pipe holds.
const BUFFER: usize = 1024 * 1024;

/// A contender and a producer; we have the latter's stdin and the former's stdout.
pub struct Running {
    name: &'static str,
    contender: Process,
    /// The producer, if the contender didn't start it.
    producer: Option<Process>,
    stdin: PipeWriter,
    stdout: PipeReader,
    buffer: Vec<u8>,
}

impl Running {
    /// Starts both, the producer with these words, and waits until it is ready.
    pub fn start(lab: &Lab, contender: &Contender, words: impl IntoIterator<Item = CString>) -> Result<Running> {
        let producer = [lab.producer.clone()].into_iter().chain(words);
        let environment = environment();
        let stderr = stderr();
        let (stdin, writer) = pipe()?;
        let (reader, stdout) = pipe()?;
        let start =
            |words: &[_], stdin, stdout| Process::start(words, &environment, Stdio(stdin, stdout, stderr.as_fd()));
        let (contender_process, producer) = if contender.way == Way::Copies {
            let (between, end) = pipe()?;
            let producer = start(&producer.collect::<Vec<_>>(), stdin.as_fd(), end.as_fd())?;
            (start(&contender.prefix, between.as_fd(), stdout.as_fd())?, Some(producer))
        } else {
            let words: Vec<_> = contender.prefix.iter().cloned().chain(producer).collect();
            (start(&words, stdin.as_fd(), stdout.as_fd())?, None)
        };
        // We see the end only when no process has these open.
        drop((stdin, stdout));
        let name = contender.name;
        let buffer = vec![0; BUFFER];
        let mut running =
            Running { name, contender: contender_process, producer, stdin: writer, stdout: reader, buffer };
        running.read_to_end_line(|_| ())?;
        Ok(running)
    }

    /// Tells the producer to write its lines.
    pub fn go(&mut self) -> Result<()> {
        Ok(self.stdin.write_all(b"!")?)
    }

    /// Reads until the producer has written everything and it has arrived, the line that says so included.
    pub fn read_to_end_line(&mut self, mut take: impl FnMut(&[u8])) -> Result<()> {
        let mut tail: Vec<u8> = Vec::new();
        while tail != END {
            if !sys::is_readable(self.stdout.as_fd(), PATIENCE)? {
                return Err(format!("{} passes nothing on any more", self.name).into());
            }
            let read = self.stdout.read(&mut self.buffer)?;
            if read == 0 {
                return Err(format!("{} closed its stdout too early", self.name).into());
            }
            let arrived = &self.buffer[..read];
            take(arrived);
            tail.extend_from_slice(&arrived[read.saturating_sub(END.len())..]);
            tail.drain(..tail.len().saturating_sub(END.len()));
        }
        Ok(())
    }

    /// Reads one line, which is all there is, label and newline included.
    pub fn read_line(&mut self) -> Result<&[u8]> {
        let mut length = 0;
        while !self.buffer[..length].ends_with(b"\n") {
            if !sys::is_readable(self.stdout.as_fd(), PATIENCE)? {
                return Err(format!("{} passes nothing on any more", self.name).into());
            }
            match self.stdout.read(&mut self.buffer[length..])? {
                0 => return Err(format!("{} closed its stdout too early", self.name).into()),
                read => length += read,
            }
        }
        Ok(&self.buffer[..length])
    }

    /// What the kernel says about the contender.
    pub fn proc(&self) -> Proc {
        Proc::of(self.contender.pid())
    }

    /// Ends the producer by closing its stdin, and waits for both.
    pub fn end(self) -> Result<()> {
        drop(self.stdin);
        if let Some(producer) = self.producer {
            succeeded("the producer", producer.wait()?)?;
        }
        succeeded(self.name, self.contender.wait()?)?;
        Ok(())
    }
}
