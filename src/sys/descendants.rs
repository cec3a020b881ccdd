//! The processes that descend from this one, by proc_pid_stat(5), and signals to them and to nobody else.
//!
//! A number that was read may be another process's by the time a signal is sent to it. Nobody but this process can take
//! the number away from a child of its own: it must be waited for. Any other descendant is held by a pidfd, and *then* is
//! looked at: it is one if its parent is a descendant, and both are still there after that.

use super::raw::syscall;
use super::signals::{self, Target};
use crate::{Pid, Signal};
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// A process that descends from this one.
#[derive(Debug)]
pub(crate) struct Descendant<'a> {
    pub(crate) pid: Pid,
    /// When it was started, in ticks since the machine was.
    pub(crate) started: u64,
    /// It is a child of this process.
    pub(crate) is_child: bool,
    /// It has executed something since it was forked.
    pub(crate) has_executed: bool,
    is_stopped: bool,
    pidfd: Option<BorrowedFd<'a>>,
}

impl Descendant<'_> {
    /// Sends it a signal; one that is stopped is continued, or it couldn't act on it.
    pub(crate) fn send(&self, signal: Signal) -> io::Result<()> {
        let target = Target { pid: self.pid, pidfd: self.pidfd };
        signals::send(target, signal)?;
        if self.is_stopped { signals::send(target, Signal::CONT) } else { Ok(()) }
    }
}

/// The kernel's PF_FORKNOEXEC.
const FORKED_WITHOUT_EXEC: u64 = 0x40;

/// What /proc says of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    pid: i32,
    state: u8,
    parent: i32,
    flags: u64,
    threads: u64,
    started: u64,
}

/// Visits every living descendant of this process, each after its parent. One that is born, or whose parent ends,
/// meanwhile may be missed: it is there the next time. The answer is whether any child of this process is to be seen.
///
/// # Errors
/// There is no /proc, or it is another PID namespace's.
pub(crate) fn visit(own: Pid, mut visit: impl FnMut(&Descendant<'_>)) -> io::Result<bool> {
    if !super::process::proc_is_ours() {
        return Err(io::Error::other("/proc isn't there, or is another PID namespace's"));
    }
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for entry in std::fs::read_dir("/proc")? {
        let number = entry?.file_name().to_str().and_then(|name| name.parse().ok());
        if let Some(stat) = number.and_then(stat).filter(|stat| !super::notify::is_keeper(Pid::new(stat.pid))) {
            children.entry(stat.parent).or_default().push(stat.pid);
        }
    }
    visit_children(own.as_raw(), None, &children, &mut visit);
    Ok(children.contains_key(&own.as_raw()))
}

/// Whether a pidfd can be had, with which a descendant's number is sure to be its own.
pub(crate) fn can_hold() -> io::Result<()> {
    open(super::process::id().as_raw()).map(drop)
}

/// How a process is related to this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kin {
    Descendant,
    Stranger,
    /// It has ended, or can't be seen: there is no /proc of this PID namespace, or it hides other users' processes.
    Unknown,
}

/// How often an ancestor may end while we look, which gives its children to another.
const LOOKS: usize = 16;

/// How the process with that number is related to this one.
pub(crate) fn kin(pid: Pid) -> Kin {
    let own = super::process::id().as_raw();
    if !super::process::proc_is_ours() {
        return Kin::Unknown;
    }
    'look: for _ in 0..LOOKS {
        let Some(mut at) = stat(pid.as_raw()) else { return Kin::Unknown };
        // Nobody's parent is 0 but the first process's, or one's outside this PID namespace.
        while at.parent > 0 {
            if at.parent == own {
                return Kin::Descendant;
            }
            match stat(at.parent) {
                Some(parent) => at = parent,
                None => continue 'look,
            }
        }
        return Kin::Stranger;
    }
    Kin::Unknown
}

/// Whether that process has executed anything since it was forked; without /proc nobody can tell: it has.
pub(crate) fn has_executed(pid: Pid) -> bool {
    stat(pid.as_raw()).is_none_or(|stat| stat.flags & FORKED_WITHOUT_EXEC == 0)
}

/// Visits what descends from a process that is this one, or a descendant held by that pidfd.
fn visit_children(
    parent: i32,
    parent_fd: Option<BorrowedFd<'_>>,
    children: &HashMap<i32, Vec<i32>>,
    visit: &mut dyn FnMut(&Descendant<'_>),
) {
    for child in children.get(&parent).into_iter().flatten().copied() {
        let pidfd = open(child);
        let Some(stat) = stat(child).filter(|stat| stat.parent == parent) else { continue };
        // A child of this process stays until it is waited for.
        let is_own = parent_fd.is_none();
        let is_there = |fd: BorrowedFd<'_>| !matches!(send_nothing(fd), Err(libc::ESRCH));
        let held = pidfd.as_ref().is_ok_and(|fd| is_there(fd.as_fd())) && parent_fd.is_none_or(is_there);
        if !is_own && !held {
            continue;
        }
        let fd = pidfd.as_ref().ok().map(AsFd::as_fd);
        // One whose first thread has ended looks like a zombie, and isn't.
        if stat.state != b'Z' || stat.threads > 1 {
            let is_stopped = stat.state == b'T';
            let has_executed = stat.flags & FORKED_WITHOUT_EXEC == 0;
            visit(&Descendant {
                pid: Pid::new(child),
                started: stat.started,
                is_child: is_own,
                has_executed,
                is_stopped,
                pidfd: fd,
            });
        }
        if let Some(fd) = fd {
            visit_children(child, Some(fd), children, visit);
        }
    }
}

pub(super) fn open(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: touches no memory.
    let fd = unsafe { super::raw::syscall_io(libc::SYS_pidfd_open, [pid as usize, 0]) }?;
    // SAFETY: the kernel just made it, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// Whether it could be signalled; ESRCH, if it has ended and been waited for.
fn send_nothing(pidfd: BorrowedFd<'_>) -> Result<usize, i32> {
    // SAFETY: touches no memory.
    unsafe { syscall(libc::SYS_pidfd_send_signal, [pidfd.as_raw_fd() as usize, 0, 0, 0]) }
}

fn stat(pid: i32) -> Option<Stat> {
    parse(&std::fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// Reads the fields from behind the name, which may hold anything, blanks and parentheses too.
fn parse(line: &[u8]) -> Option<Stat> {
    let end_of_name = line.iter().rposition(|byte| *byte == b')')?;
    let pid = std::str::from_utf8(line.split(|byte| *byte == b' ').next()?).ok()?.parse().ok()?;
    let mut fields = std::str::from_utf8(&line[end_of_name + 1..]).ok()?.split_ascii_whitespace();
    // The state is the third field, the parent the fourth, the flags are the ninth, the threads the 20th, the start is the
    // 22nd.
    let state = *fields.next()?.as_bytes().first()?;
    let parent = fields.next()?.parse().ok()?;
    let flags = fields.nth(4)?.parse().ok()?;
    let threads = fields.nth(10)?.parse().ok()?;
    let started = fields.nth(1)?.parse().ok()?;
    Some(Stat { pid, state, parent, flags, threads, started })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_name_may_hold_anything() {
        let line = b"7 (a) R 1 (b) S 5 7 7 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 4242 9 9 9\n";
        assert_eq!(
            parse(line),
            Some(Stat { pid: 7, state: b'S', parent: 5, flags: 4_194_304, threads: 1, started: 4242 })
        );
        assert_eq!(parse(b"7 (a"), None);
        assert_eq!(parse(b"7 (a) S 5"), None);
    }

    #[test]
    fn children_and_theirs_are_visited_and_nobody_else() {
        // The shell's own child must be gone before the shell is: nothing else would end it.
        let script = "sleep 1000 & echo $!; read _; kill $!";
        let mut shell = Command::new("sh");
        let mut shell = shell.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        io::BufRead::read_line(&mut io::BufReader::new(shell.stdout.take().unwrap()), &mut line).unwrap();
        let grandchild: i32 = line.trim().parse().unwrap();
        let mut seen = Vec::new();
        visit(super::super::process::id(), |descendant| seen.push(descendant.pid.as_raw())).unwrap();
        let child = shell.id() as i32;
        let of = |pid| seen.iter().position(|seen| *seen == pid);
        assert!(of(child).is_some_and(|child| Some(child) < of(grandchild)), "{child} and {grandchild}: {seen:?}");
        let parent = std::os::unix::process::parent_id() as i32;
        let kins = [child, grandchild, parent, i32::MAX].map(|pid| kin(Pid::new(pid)));
        assert_eq!(kins, [Kin::Descendant, Kin::Descendant, Kin::Stranger, Kin::Unknown]);
        assert!(of(parent).is_none() && of(super::super::process::id().as_raw()).is_none(), "{seen:?}");
        drop(shell.stdin.take());
        shell.wait().unwrap();
    }

    /// By the time it is looked at, a number may be somebody else's.
    #[test]
    fn what_was_read_before_is_looked_at_again() {
        let own = super::super::process::id().as_raw();
        let stranger = std::os::unix::process::parent_id() as i32;
        let stale = HashMap::from([(own, vec![stranger, i32::MAX]), (stranger, vec![own])]);
        let mut seen = Vec::new();
        visit_children(own, None, &stale, &mut |descendant| seen.push(descendant.pid.as_raw()));
        assert_eq!(seen, [0; 0]);
    }
}
