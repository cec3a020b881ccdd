//! A contender at work, and what the kernel says about it.

use crate::contenders::Contender;
use crate::sys::{self, Ended, Process, Stdio};
use crate::{Lab, Result};
use std::ffi::{CStr, CString};
use std::fs;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Whoever says nothing for so long hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// The same small environment for all. The variables that cargo and this program's user have set would make the dynamic
/// linker search elsewhere and panicmon look at options.
fn environment() -> [CString; 1] {
    [c"PATH=/usr/local/bin:/usr/bin:/bin".into()]
}

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

    /// The time that the child tells next.
    pub fn told(&mut self) -> Result<u64> {
        if !self.tells_within(PATIENCE)? {
            return Err(format!("{}: the child says nothing", self.name).into());
        }
        let mut time = [0; 8];
        self.stdout.read_exact(&mut time).map_err(|error| format!("{}: the child is gone: {error}", self.name))?;
        Ok(u64::from_ne_bytes(time))
    }

    /// Whether the child tells a time soon.
    pub fn tells_within(&self, time: Duration) -> Result<bool> {
        Ok(sys::is_readable(self.stdout.as_fd(), time)?)
    }

    /// Has the child begin.
    pub fn go(&mut self) -> Result<()> {
        Ok(self.stdin.write_all(b"!")?)
    }

    pub fn signal(&self, signal: i32) -> Result<()> {
        Ok(self.process.signal(signal)?)
    }

    /// What the kernel says about the contender.
    pub fn proc(&self) -> Proc {
        Proc(self.process.pid())
    }

    /// Ends the child, if it hasn't ended yet, by closing its stdin, and waits for both.
    pub fn end(self) -> Result<Ended> {
        drop(self.stdin);
        succeeded(self.name, self.process.wait()?)
    }
}

/// Runs a contender with a child that says nothing, from start to end.
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

fn succeeded(name: &str, ended: Ended) -> Result<Ended> {
    match ended.code {
        Some(0) => Ok(ended),
        Some(code) => Err(format!("{name} exited with {code}").into()),
        None => Err(format!("{name} was killed").into()),
    }
}

/// A process's folder in /proc.
pub struct Proc(i32);

impl Proc {
    fn folder(&self) -> PathBuf {
        format!("/proc/{}", self.0).into()
    }

    /// What all its threads have had of the processor, in nanoseconds, without its children.
    pub fn cpu(&self) -> Result<u64> {
        sum(self.threads()?, |thread| {
            let text = fs::read_to_string(thread.join("schedstat"))?;
            Ok(text.split(' ').next().ok_or("schedstat is empty")?.parse()?)
        })
    }

    /// How often its threads have been switched away from, of their own will or not.
    pub fn switches(&self) -> Result<u64> {
        sum(self.threads()?, |thread| {
            let status = fs::read_to_string(thread.join("status"))?;
            Ok(field(&status, "voluntary_ctxt_switches:")? + field(&status, "nonvoluntary_ctxt_switches:")?)
        })
    }

    pub fn threads(&self) -> Result<Vec<PathBuf>> {
        list(&self.folder().join("task"))
    }

    pub fn descriptors(&self) -> Result<usize> {
        Ok(list(&self.folder().join("fd"))?.len())
    }

    /// Resident memory, and how much of it nobody else has, in KiB.
    pub fn memory(&self) -> Result<(u64, u64)> {
        let rollup = fs::read_to_string(self.folder().join("smaps_rollup"))?;
        Ok((field(&rollup, "Rss:")?, field(&rollup, "Private_Clean:")? + field(&rollup, "Private_Dirty:")?))
    }

    /// How many of its children have ended and haven't been waited for.
    pub fn zombies(&self) -> Result<u64> {
        let children = fs::read_to_string(self.folder().join(format!("task/{}/children", self.0)))?;
        let is_zombie = |pid: &&str| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            // The state follows the name, which may hold anything.
            stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z'))
        };
        Ok(children.split_whitespace().filter(is_zombie).count() as u64)
    }
}

fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

fn sum(threads: Vec<PathBuf>, of: impl Fn(PathBuf) -> Result<u64>) -> Result<u64> {
    threads.into_iter().map(of).sum()
}

/// The number behind this word at the beginning of a line.
fn field(text: &str, name: &str) -> Result<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    let number = value.and_then(|value| value.split_whitespace().next());
    Ok(number.ok_or_else(|| format!("the kernel doesn't say '{name}'"))?.parse()?)
}
