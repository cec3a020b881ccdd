//! The processes that descend from this one, by proc_pid_stat(5), and signals to them and to nobody else.
//!
//! A number that was read may be another process's by the time a signal is sent to it. Only this process can free the
//! number of a child of its own, by waiting for it. Any other descendant is held by a pidfd, and *then* is looked at: it
//! is the one that was found if it was started at the same time, and a descendant if its parent is one, and both are still
//! there after that.

use super::keepers::is_keeper;
use super::proc_fs::Stat;
use super::raw::syscall;
use super::signals;
use super::signals::Target;
use super::wait;
use super::wait::Which;
use super::{pidfd, proc_fs, process};
use crate::model::pid::Pid;
use crate::model::signal::Signal;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

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
    all: BTreeMap<i32, Stat>,
    own: i32,
}

/// A process group of descendants only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group(i32);

impl Group {
    /// Kills all of its members at once, also those that are being born: the kernel finishes no fork of a process that has
    /// been sent a signal. Nobody may have waited for a child of this process since it was found.
    pub(crate) fn kill(self) {
        // SAFETY: touches no memory. A member that may not be signalled is reported when each is signalled by itself.
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

/// The number of looks at a process whose parent ends each time.
const HOLD_TRIES: usize = 5;

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
        let mut missing: BTreeMap<i32, usize> = BTreeMap::new();
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

/// Finds every living descendant of this process, but for the members of these process groups, which have nothing to do with
/// the command, and what they have started. One that is born, or whose parent ends, meanwhile may be missed: it is there the
/// next time.
pub(crate) fn find(own: Pid, left_out: &[Pid]) -> Result<Found, Blind> {
    match proc_fs::has_our_numbers() {
        Ok(true) => {}
        Ok(false) => return Err(Blind::Always("/proc isn't there, or is another PID namespace's")),
        Err(error) => return Err(Blind::Now(error)),
    }
    let numbers = proc_fs::all().map_err(Blind::Now)?;
    let mut all = BTreeMap::new();
    for number in numbers {
        let is_left_out = |stat: &Stat| [stat.pid, stat.group].iter().any(|pid| left_out.contains(&Pid::new(*pid)));
        let is_meant = |stat: &Stat| !is_keeper(Pid::new(stat.pid)) && !is_left_out(stat);
        if let Some(stat) = Stat::of(number).map_err(Blind::Now)?.filter(is_meant) {
            all.insert(number, stat);
        }
    }
    let own = own.as_raw();
    Ok(Found { descendants: below(own, &all), all, own })
}

/// Those that descend from this process, if it is as these say. No recursion: a chain of descendants may be longer than a
/// stack is deep.
fn below(own: i32, all: &BTreeMap<i32, Stat>) -> Vec<Descendant> {
    let mut children: BTreeMap<i32, Vec<&Stat>> = BTreeMap::new();
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
            has_executed: stat.has_executed(),
            name: stat.name.clone(),
            is_stopped: stat.is_stopped(),
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

    /// Sends it a signal. A process that is stopped is continued, too, as it couldn't act on the signal. Whether it was
    /// sent: not if the process has ended, nor if it can't be seen any more to be a descendant.
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
        let own = process::id().as_raw();
        let mut pidfd = pidfd::open(self.pid.as_raw());
        for _ in 0..HOLD_TRIES {
            let Some(now) = Stat::of(self.pid.as_raw())?.filter(|now| now.started == self.started) else {
                return Ok(None);
            };
            if now.parent == own {
                // It has become one since.
                return Ok(Some(Hold::Child));
            }
            if now.parent != parent {
                return Ok(None);
            }
            if Stat::of(parent)?.is_some_and(|parent| parent.started == parent_started) {
                pidfd = pidfd.or_else(|_| pidfd::open(self.pid.as_raw()));
                return pidfd.map(|fd| Some(Hold::Pidfd(fd)));
            }
            // The parent has ended since: it has another by now.
        }
        Ok(None)
    }
}

/// The number of times children are listed in a row: one that ends as soon as it has a child of its own is another each
/// time.
const KILL_ROUNDS: usize = 32;

/// Kills the children of this process without looking at them, and those that become its children with that, as fast as can
/// be; but for the members of these process groups. The killed ones, and whether any became a child meanwhile. Nobody may wait
/// for a child until it returns.
pub(crate) fn kill_children(left_out: &[Pid]) -> (BTreeSet<Pid>, bool) {
    let mut killed = BTreeSet::new();
    for round in 0..KILL_ROUNDS {
        let before = killed.len();
        for pid in children(left_out).into_iter().flatten() {
            // A child that may not be signalled is reported where all are looked at.
            if !killed.contains(&pid) && signals::send(Target { pid, pidfd: None }, Signal::KILL).is_ok() {
                killed.insert(pid);
            }
        }
        if killed.len() == before {
            return (killed, round > 1);
        }
    }
    (killed, true)
}

/// Kills the process group that this process led, which has been waited for, as far as that is certainly the same group
/// still: a child of this process is in it, and no new process has that number.
pub(crate) fn kill_group_of(leader: Pid) {
    let is_same = wait::is_any(Which::Group(leader)) && !is_there(leader);
    if is_same {
        Group(leader.as_raw()).kill();
    }
}

/// The same with another signal.
#[cold]
pub(crate) fn signal_group_of(leader: Pid, signal: Signal) {
    if wait::is_any(Which::Group(leader)) && !is_there(leader) {
        // SAFETY: touches no memory.
        let _ = unsafe { syscall(libc::SYS_kill, [-leader.as_raw() as usize, signal.number() as usize]) };
    }
}

/// Whether there is any process in this group.
pub(crate) fn is_any_in_group(group: Pid) -> bool {
    // SAFETY: touches no memory; signal 0 isn't one.
    !matches!(unsafe { syscall(libc::SYS_kill, [-group.as_raw() as usize, 0]) }, Err(libc::ESRCH))
}

/// Whether there is a process of that number.
fn is_there(pid: Pid) -> bool {
    // SAFETY: touches no memory; signal 0 isn't one.
    !matches!(unsafe { syscall(libc::SYS_kill, [pid.as_raw() as usize, 0]) }, Err(libc::ESRCH))
}

/// The command's descendants among [`proc_fs::children`], but for the members of these process groups.
pub(crate) fn children(left_out: &[Pid]) -> Option<Vec<Pid>> {
    let children = proc_fs::children()?;
    Some(children.into_iter().filter(|pid| !is_keeper(*pid) && !is_in_any(*pid, left_out)).collect())
}

/// Whether this process has any child, alive or not yet waited for, that isn't a member of these process groups.
pub(crate) fn is_any_child(own: Pid, left_out: &[Pid]) -> bool {
    // If they can't be looked at, there may be another one.
    let is_other = || find(own, left_out).ok().is_none_or(|found| found.shows_children());
    wait::is_any(Which::Any) && (left_out.is_empty() || is_other())
}

/// Whether a child that hasn't been waited for is a member of one of these process groups.
pub(crate) fn is_in_any(child: Pid, groups: &[Pid]) -> bool {
    let is_member = || process::group_of(child).is_some_and(|group| groups.contains(&group));
    !groups.is_empty() && (groups.contains(&child) || is_member())
}

/// How a process is related to this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kin {
    Descendant,
    Stranger,
    /// It has ended, or can't be seen: there is no /proc of this PID namespace, or it hides other users' processes.
    Unknown,
}

/// The number of looks up the line of ancestors: each is in vain if one ends meanwhile, which gives its children to another.
const KIN_TRIES: usize = 16;

/// How the process with that number is related to this one.
pub(crate) fn kin(pid: Pid) -> Kin {
    let own = process::id().as_raw();
    if !proc_fs::is_ours() {
        return Kin::Unknown;
    }
    'look: for _ in 0..KIN_TRIES {
        let Ok(Some(mut at)) = Stat::of(pid.as_raw()) else { return Kin::Unknown };
        // Nobody's parent is 0 but the first process's, or one's outside this PID namespace.
        while at.parent > 0 {
            if at.parent == own {
                return Kin::Descendant;
            }
            match Stat::of(at.parent) {
                Ok(Some(parent)) => at = parent,
                Ok(None) | Err(_) => continue 'look,
            }
        }
        return Kin::Stranger;
    }
    Kin::Unknown
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
            terminal: 0,
            flags: 0,
            threads: 1,
            started: 1,
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
        let found = find(process::id(), &[]).unwrap();
        let child = shell.id() as i32;
        let of = |pid| found.descendants.iter().position(|found| found.pid.as_raw() == pid);
        assert!(of(child).is_some_and(|child| Some(child) < of(grandchild)), "{child} and {grandchild}: {found:?}");
        let seen = &found.descendants[of(grandchild).unwrap()];
        assert_eq!((seen.top.as_raw(), seen.is_child()), (child, false));
        let parent = std::os::unix::process::parent_id() as i32;
        let kins = [child, grandchild, parent, i32::MAX].map(|pid| kin(Pid::new(pid)));
        assert_eq!(kins, [Kin::Descendant, Kin::Descendant, Kin::Stranger, Kin::Unknown]);
        assert!(of(parent).is_none() && of(process::id().as_raw()).is_none());
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
    fn a_process_that_is_not_the_one_found_is_sent_nothing() {
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        let own = process::id().as_raw();
        let stranger = std::os::unix::process::parent_id() as i32;
        let now = |pid| Stat::of(pid).unwrap().unwrap();
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
