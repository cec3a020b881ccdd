//! What the kernel says about a process.

use crate::Result;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// How long a process may be at work that is to sleep.
const DEADLINE: Duration = Duration::from_secs(30);

/// A process's folder in /proc.
pub struct Proc(i32);

impl Proc {
    pub fn of(pid: i32) -> Proc {
        Proc(pid)
    }

    fn folder(&self) -> PathBuf {
        format!("/proc/{}", self.0).into()
    }

    /// The CPU time of all its threads, in nanoseconds, without its children.
    pub fn cpu(&self) -> Result<u64> {
        sum(self.threads()?, |thread| {
            let text = fs::read_to_string(thread.join("schedstat"))?;
            Ok(text.split(' ').next().ok_or("schedstat is empty")?.parse()?)
        })
    }

    /// The context switches of its threads, voluntary and involuntary.
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

    /// Resident memory, and how much of it is not shared, in KiB.
    pub fn memory(&self) -> Result<(u64, u64)> {
        let rollup = fs::read_to_string(self.folder().join("smaps_rollup"))?;
        Ok((field(&rollup, "Rss:")?, field(&rollup, "Private_Clean:")? + field(&rollup, "Private_Dirty:")?))
    }

    /// The most resident memory it has had, in KiB.
    pub fn peak(&self) -> Result<u64> {
        field(&fs::read_to_string(self.folder().join("status"))?, "VmHWM:")
    }

    /// The children of its first thread, zombies included.
    pub fn children(&self) -> Result<Vec<i32>> {
        let children = fs::read_to_string(self.folder().join(format!("task/{}/children", self.0)))?;
        children.split_whitespace().map(|pid| Ok(pid.parse()?)).collect()
    }

    /// How many of its children have ended and haven't been waited for.
    pub fn zombies(&self) -> Result<u64> {
        Ok(self.children()?.iter().filter(|pid| Proc(**pid).is_in_state('Z')).count() as u64)
    }

    /// Waits until it has done all that it was to do, and sleeps.
    pub fn sleeps(&self) -> Result<()> {
        let deadline = Instant::now() + DEADLINE;
        while !self.is_in_state('S') {
            if Instant::now() > deadline {
                return Err(format!("process {} doesn't come to rest", self.0).into());
            }
            // It may have the same processor.
            thread::yield_now();
        }
        Ok(())
    }

    fn is_in_state(&self, state: char) -> bool {
        let stat = fs::read_to_string(self.folder().join("stat")).unwrap_or_default();
        // The state follows the name, which may contain any character.
        stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with(state))
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
