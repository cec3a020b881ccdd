//! The processes that descend from this one, by proc_pid_stat(5), and signals to them and to nobody else.
//!
//! A number that was read may be another process's by the time a signal is sent to it. Only this process can free the
//! number of a child of its own, by waiting for it. Any other descendant is held by a pidfd, and *then* is looked at: it
//! is the one that was found if it was started at the same time, and a descendant if its parent is one, and both are still
//! there after that.

use crate::model::pid::Pid;
use crate::model::signal::Signal;
use crate::sys::notify::is_keeper;
use crate::sys::raw::{syscall, syscall_io};
use crate::sys::signals;
use crate::sys::signals::Target;
use crate::sys::wait;
use crate::sys::wait::Which;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, FromRawFd, OwnedFd};

/// A living process that descends from this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Descendant {
    pub(crate) pid: Pid,
    /// When it was started, in ticks since the machine was: with the pid, what tells it from any other process.
    pub(crate) started: u64,
    pub(crate) group: Pid,
    pub(crate) session: Pid,
    /// The child of this process that it is, or descends from.
    pub(crate) top: Pid,
    /// It has executed something since it was forked.
    pub(crate) has_executed: bool,
    /// What it executes: at most 15 bytes, which it can set.
    pub(crate) name: String,
    is_stopped: bool,
    /// Its parent; `None`: this process.
    parent: Option<(i32, u64)>,
}

/// What a look has found.
#[derive(Debug)]
pub(crate) struct Found {
    /// Each after its parent.
    pub(crate) descendants: Vec<Descendant>,
    /// All processes of this PID namespace.
    all: HashMap<i32, Stat>,
    own: i32,
}

/// A process group of descendants only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group(i32);

impl Group {
    /// Kills all of its members at once, also those that are being born: the kernel finishes no fork of a process that has
    /// been sent a signal. Nobody may have waited for a child of this process since it was found.
    pub(crate) fn kill(self) {
        // SAFETY: touches no memory. Who may not be signalled is told when that is tried with each.
        let _ = unsafe { syscall(libc::SYS_kill, [-self.0 as usize, libc::SIGKILL as usize]) };
    }
}

/// Why descendants couldn't be looked for.
#[derive(Debug)]
pub(crate) enum Blind {
    /// There is no /proc, or it is another PID namespace's, or it hides other users' processes: that stays so.
    Always(&'static str),
    /// This time.
    Now(io::Error),
}

impl fmt::Display for Blind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Blind::Always(why) => f.write_str(why),
            Blind::Now(error) => write!(f, "/proc can't be read: {error}"),
        }
    }
}

/// The kernel's PF_FORKNOEXEC.
const FORKED_WITHOUT_EXEC: u64 = 0x40;

/// How often a process is looked at whose parent ends each time.
const TRIES: usize = 5;

/// What /proc says of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stat {
    pid: i32,
    name: String,
    state: u8,
    parent: i32,
    group: i32,
    session: i32,
    flags: u64,
    threads: u64,
    started: u64,
}

impl Stat {
    /// One whose first thread has ended looks like a zombie, and isn't.
    fn is_alive(&self) -> bool {
        self.state != b'Z' && self.state != b'X' || self.threads > 1
    }
}

impl Found {
    /// Whether there is a process of this number, descendant or not.
    pub(crate) fn has(&self, pid: Pid) -> bool {
        self.all.contains_key(&pid.as_raw())
    }

    /// When that process was started, if there is one.
    pub(crate) fn started(&self, pid: Pid) -> Option<u64> {
        self.all.get(&pid.as_raw()).map(|stat| stat.started)
    }

    /// The process groups that these are all the living members of, and a child of this process is one of them: until that
    /// has been waited for, the number is no other group's.
    pub(crate) fn groups_of(&self, members: &[&Descendant]) -> Vec<Group> {
        let mut missing: HashMap<i32, usize> = HashMap::new();
        for stat in self.all.values().filter(|stat| stat.is_alive()) {
            *missing.entry(stat.group).or_default() += 1;
        }
        for member in members {
            missing.entry(member.group.as_raw()).and_modify(|count| *count = count.saturating_sub(1));
        }
        let mut groups: Vec<_> = members.iter().filter(|one| one.is_child()).map(|one| one.group.as_raw()).collect();
        groups.sort_unstable();
        groups.dedup();
        let own_group = self.all.get(&self.own).map(|stat| stat.group);
        groups.retain(|group| *group > 1 && Some(*group) != own_group && missing.get(group) == Some(&0));
        groups.into_iter().map(Group).collect()
    }

    /// Whether it shows any child of this process, alive or not yet waited for.
    pub(crate) fn shows_children(&self) -> bool {
        self.all.values().any(|stat| stat.parent == self.own)
    }
}

/// Finds every living descendant of this process. One that is born, or whose parent ends, meanwhile may be missed: it is
/// there the next time.
pub(crate) fn find(own: Pid) -> Result<Found, Blind> {
    match crate::sys::process::proc_has_our_numbers() {
        Ok(true) => {}
        Ok(false) => return Err(Blind::Always("/proc isn't there, or is another PID namespace's")),
        Err(error) => return Err(Blind::Now(error)),
    }
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir("/proc").map_err(Blind::Now)? {
        numbers.extend(entry.map_err(Blind::Now)?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()));
    }
    let mut all = HashMap::with_capacity(numbers.len());
    for number in numbers {
        if let Some(stat) = stat(number).map_err(Blind::Now)?.filter(|stat| !is_keeper(Pid::new(stat.pid))) {
            all.insert(number, stat);
        }
    }
    let own = own.as_raw();
    Ok(Found { descendants: below(own, &all), all, own })
}

/// Those that descend from this process, if it is as these say. No recursion: a chain of descendants may be longer than a
/// stack is deep.
fn below(own: i32, all: &HashMap<i32, Stat>) -> Vec<Descendant> {
    let mut children: HashMap<i32, Vec<&Stat>> = HashMap::new();
    for stat in all.values() {
        children.entry(stat.parent).or_default().push(stat);
    }
    let mut descendants = Vec::new();
    let mut parents = vec![(own, None)];
    while let Some((parent, top)) = parents.pop() {
        // Taken away, so that nobody is met twice, whatever changed while it was read.
        for child in children.remove(&parent).into_iter().flatten() {
            let top = top.unwrap_or(child.pid);
            parents.push((child.pid, Some(top)));
            if child.is_alive() {
                let parent = (parent != own).then(|| (parent, all.get(&parent).map_or(0, |parent| parent.started)));
                descendants.push(Descendant::new(child, top, parent));
            }
        }
    }
    descendants
}

/// How a process is sure to be the one that was found.
enum Hold {
    /// It is a child of this process, which hasn't waited for it.
    Child,
    Pidfd(OwnedFd),
}

impl Descendant {
    fn new(stat: &Stat, top: i32, parent: Option<(i32, u64)>) -> Descendant {
        Descendant {
            pid: Pid::new(stat.pid),
            started: stat.started,
            group: Pid::new(stat.group),
            session: Pid::new(stat.session),
            top: Pid::new(top),
            has_executed: stat.flags & FORKED_WITHOUT_EXEC == 0,
            name: stat.name.clone(),
            is_stopped: stat.state == b'T',
            parent,
        }
    }

    /// What tells it from any other process, whenever that is.
    pub(crate) fn identity(&self) -> (Pid, u64) {
        (self.pid, self.started)
    }

    /// Whether it was a child of this process when it was found.
    pub(crate) fn is_child(&self) -> bool {
        self.parent.is_none()
    }

    /// Sends it a signal; one that is stopped is continued, or it couldn't act on it. Whether it was sent: not if it has
    /// ended, nor if nobody can tell any more whether it is a descendant.
    ///
    /// Nobody may have waited for a child of this process since it was found.
    pub(crate) fn send(&self, signal: Signal) -> io::Result<bool> {
        let Some(hold) = self.hold()? else { return Ok(false) };
        let sent = self.send_to(&hold, signal).and_then(|()| {
            let goes_on = self.is_stopped && signal != Signal::KILL;
            if goes_on { self.send_to(&hold, Signal::CONT) } else { Ok(()) }
        });
        match sent {
            Ok(()) => Ok(true),
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn send_to(&self, hold: &Hold, signal: Signal) -> io::Result<()> {
        let pidfd = match hold {
            Hold::Child => None,
            Hold::Pidfd(fd) => Some(fd.as_fd()),
        };
        signals::send(Target { pid: self.pid, pidfd }, signal)
    }

    /// Makes sure of it. `None`: it has ended, or isn't known to be a descendant now.
    fn hold(&self) -> io::Result<Option<Hold>> {
        let Some((parent, parent_started)) = self.parent else { return Ok(Some(Hold::Child)) };
        let own = crate::sys::process::id().as_raw();
        let mut pidfd = open(self.pid.as_raw());
        for _ in 0..TRIES {
            let Some(now) = stat(self.pid.as_raw())?.filter(|now| now.started == self.started) else {
                return Ok(None);
            };
            if now.parent == own {
                // It has become one since.
                return Ok(Some(Hold::Child));
            }
            if now.parent != parent {
                return Ok(None);
            }
            if stat(parent)?.is_some_and(|parent| parent.started == parent_started) {
                pidfd = pidfd.or_else(|_| open(self.pid.as_raw()));
                return pidfd.map(|fd| Some(Hold::Pidfd(fd)));
            }
            // The parent has ended since: it has another by now.
        }
        Ok(None)
    }
}

/// How often children are listed at once: one that ends as soon as it has a child of its own is another each time.
const ROUNDS: usize = 32;

/// Kills the children of this process without looking at them, and those that become its children with that, as fast as can
/// be. Whether any became one meanwhile. Nobody may wait for a child until it returns.
pub(crate) fn kill_children() -> bool {
    let mut killed = HashSet::new();
    for round in 0..ROUNDS {
        let before = killed.len();
        for pid in children().into_iter().flatten() {
            if killed.insert(pid) {
                // One that may not be signalled is told of where all are looked at.
                let _ = signals::send(Target { pid, pidfd: None }, Signal::KILL);
            }
        }
        if killed.len() == before {
            return round > 1;
        }
    }
    true
}

/// Kills the process group that this process led, which has been waited for, as far as that is certainly the same group
/// still: a child of this process is in it, and no new process has that number.
pub(crate) fn kill_group_of(leader: Pid) {
    let is_same = wait::is_any(Which::Group(leader)) && !is_there(leader);
    if is_same {
        Group(leader.as_raw()).kill();
    }
}

/// Whether there is a process of that number.
fn is_there(pid: Pid) -> bool {
    // SAFETY: touches no memory; signal 0 isn't one.
    !matches!(unsafe { syscall(libc::SYS_kill, [pid.as_raw() as usize, 0]) }, Err(libc::ESRCH))
}

/// The children of this process, alive or not yet waited for; `None`: this kernel, or this /proc, doesn't tell.
pub(crate) fn children() -> Option<Vec<Pid>> {
    let own = crate::sys::process::id();
    let list = std::fs::read_to_string(format!("/proc/self/task/{own}/children")).ok()?;
    let pids = list.split_ascii_whitespace().filter_map(|word| word.parse().ok()).map(Pid::new);
    Some(pids.filter(|pid| !is_keeper(*pid)).collect())
}

/// Whether a pidfd can be had, with which a descendant's number is sure to be its own.
pub(crate) fn can_hold() -> io::Result<()> {
    open(crate::sys::process::id().as_raw()).map(drop)
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
    let own = crate::sys::process::id().as_raw();
    if !crate::sys::process::proc_is_ours() {
        return Kin::Unknown;
    }
    'look: for _ in 0..LOOKS {
        let Ok(Some(mut at)) = stat(pid.as_raw()) else { return Kin::Unknown };
        // Nobody's parent is 0 but the first process's, or one's outside this PID namespace.
        while at.parent > 0 {
            if at.parent == own {
                return Kin::Descendant;
            }
            match stat(at.parent) {
                Ok(Some(parent)) => at = parent,
                Ok(None) | Err(_) => continue 'look,
            }
        }
        return Kin::Stranger;
    }
    Kin::Unknown
}

/// Whether that process has executed anything since it was forked; without /proc nobody can tell: it has.
pub(crate) fn has_executed(pid: Pid) -> bool {
    stat(pid.as_raw()).ok().flatten().is_none_or(|stat| stat.flags & FORKED_WITHOUT_EXEC == 0)
}

pub(super) fn open(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: touches no memory.
    let fd = unsafe { syscall_io(libc::SYS_pidfd_open, [pid as usize, 0]) }?;
    // SAFETY: the kernel just made it, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// What /proc says of that process; `None`: there is none.
fn stat(pid: i32) -> io::Result<Option<Stat>> {
    let mut line = [0; 1024];
    let read = File::open(format!("/proc/{pid}/stat")).and_then(|mut file| {
        loop {
            match file.read(&mut line) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    });
    match read {
        Ok(read) => Ok(parse(&line[..read])),
        // Hidden from us, or gone.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => Ok(None),
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads the fields; the name may hold anything, blanks and parentheses too.
fn parse(line: &[u8]) -> Option<Stat> {
    let name = line.iter().position(|byte| *byte == b'(')? + 1;
    let end_of_name = line.iter().rposition(|byte| *byte == b')').filter(|end| *end >= name)?;
    let pid = std::str::from_utf8(line.split(|byte| *byte == b' ').next()?).ok()?.parse().ok()?;
    let mut fields = std::str::from_utf8(&line[end_of_name + 1..]).ok()?.split_ascii_whitespace();
    // The state is the third field; then come parent, group and session. The flags are the ninth, the threads the 20th,
    // the start is the 22nd.
    let state = *fields.next()?.as_bytes().first()?;
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    let session = fields.next()?.parse().ok()?;
    let flags = fields.nth(2)?.parse().ok()?;
    let threads = fields.nth(10)?.parse().ok()?;
    let started = fields.nth(1)?.parse().ok()?;
    let name = String::from_utf8_lossy(&line[name..end_of_name]).escape_debug().to_string();
    Some(Stat { pid, name, state, parent, group, session, flags, threads, started })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    fn stat_of(pid: i32, parent: i32) -> Stat {
        Stat {
            pid,
            name: String::new(),
            state: b'S',
            parent,
            group: pid,
            session: pid,
            flags: 0,
            threads: 1,
            started: 1,
        }
    }

    #[test]
    fn a_name_may_hold_anything() {
        let line = b"7 (a) R 1 (\n) S 5 6 4 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 4242 9 9 9\n";
        let expected = Stat {
            name: "a) R 1 (\\n".to_owned(),
            group: 6,
            session: 4,
            flags: 4_194_304,
            started: 4242,
            ..stat_of(7, 5)
        };
        assert_eq!(parse(line), Some(expected));
        for bad in [b"7 (a".as_slice(), b"7 (a) S 5", b"7 )a(", b""] {
            assert_eq!(parse(bad), None);
        }
    }

    #[test]
    fn children_and_theirs_are_found_and_nobody_else() {
        // The shell's own child must be gone before the shell is: nothing else would end it.
        let script = "sleep 1000 & echo $!; read _; kill $!";
        let mut shell = Command::new("sh");
        let mut shell = shell.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        io::BufRead::read_line(&mut io::BufReader::new(shell.stdout.take().unwrap()), &mut line).unwrap();
        let grandchild: i32 = line.trim().parse().unwrap();
        let found = find(super::super::process::id()).unwrap();
        let child = shell.id() as i32;
        let of = |pid| found.descendants.iter().position(|found| found.pid.as_raw() == pid);
        assert!(of(child).is_some_and(|child| Some(child) < of(grandchild)), "{child} and {grandchild}: {found:?}");
        let seen = &found.descendants[of(grandchild).unwrap()];
        assert_eq!((seen.top.as_raw(), seen.is_child()), (child, false));
        let parent = std::os::unix::process::parent_id() as i32;
        let kins = [child, grandchild, parent, i32::MAX].map(|pid| kin(Pid::new(pid)));
        assert_eq!(kins, [Kin::Descendant, Kin::Descendant, Kin::Stranger, Kin::Unknown]);
        assert!(of(parent).is_none() && of(super::super::process::id().as_raw()).is_none());
        assert!(found.has(Pid::new(parent)) && found.shows_children());
        drop(shell.stdin.take());
        shell.wait().unwrap();
    }

    /// Each as deep as it likes, and a ring, which a number that is reused while /proc is read may seem to make.
    #[test]
    fn a_long_chain_takes_no_stack_and_a_ring_has_an_end() {
        let chain = (2..100_000).map(|pid| (pid, stat_of(pid, pid - 1)));
        let all = chain.chain([(200_001, stat_of(200_001, 200_002)), (200_002, stat_of(200_002, 200_001))]).collect();
        let found = below(1, &all);
        assert_eq!(found.len(), 99_998);
        assert!(found.windows(2).all(|pair| pair[0].pid < pair[1].pid && pair[1].top.as_raw() == 2));
    }

    /// By the time a signal is sent, a number may be somebody else's.
    #[test]
    fn who_is_not_the_one_that_was_found_is_sent_nothing() {
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        let own = super::super::process::id().as_raw();
        let stranger = std::os::unix::process::parent_id() as i32;
        let now = |pid| stat(pid).unwrap().unwrap();
        let as_child_of = |pid: i32, started: u64, parent: (i32, u64)| Descendant {
            pid: Pid::new(pid),
            started,
            group: Pid::new(pid),
            session: Pid::new(pid),
            top: Pid::new(parent.0),
            has_executed: true,
            name: String::new(),
            is_stopped: false,
            parent: Some(parent),
        };
        let pid = child.id() as i32;
        let started = now(pid).started;
        for (pid, started, parent) in [
            // Nobody; another of that number; one with another parent; whose parent is another of that number.
            (i32::MAX, 1, (own, 1)),
            (pid, started + 1, (own, now(own).started)),
            (stranger, now(stranger).started, (pid, started)),
            (stranger, now(stranger).started, (now(stranger).parent, u64::MAX)),
        ] {
            assert!(!as_child_of(pid, started, parent).send(Signal::KILL).unwrap(), "{pid}");
        }
        // It has become a child of this process meanwhile.
        assert!(as_child_of(pid, started, (i32::MAX, 1)).send(Signal::KILL).unwrap());
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&child.wait().unwrap()), Some(libc::SIGKILL));
    }
}
