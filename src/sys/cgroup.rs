//! Cgroups, and what they count of memory: cgroups(7), version 2's `memory.events` or version 1's `memory.oom_control`.

use super::kernel_text;
use super::proc_fs;
use super::proc_fs::Mount;
use crate::model::pid::Pid;
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// How many cgroups below another one are looked at.
const MOST_BELOW: usize = 256;

/// What is mounted on most systems, of cgroups that count memory.
const USUAL_MOUNTS: &str = "0 0 0:0 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n\
                            0 0 0:0 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory";

/// A cgroup that counts memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MemoryGroup {
    pub(crate) version: u8,
    pub(crate) dir: PathBuf,
}

impl MemoryGroup {
    /// That of this process, and its count of [kills](MemoryGroup::kills_below). The error is a message.
    pub(crate) fn own() -> Result<(MemoryGroup, u64), String> {
        let mounts = proc_fs::mountinfo().map_err(|error| format!("/proc/self/mountinfo: {error}"))?;
        MemoryGroup::own_below(&mounts)
    }

    /// The same, if cgroups are mounted where most systems have them. To read what is mounted takes several times as long as all
    /// the rest; [`own`](MemoryGroup::own) does that, and is to confirm this.
    pub(crate) fn own_in_usual_place() -> Result<(MemoryGroup, u64), String> {
        MemoryGroup::own_below(USUAL_MOUNTS)
    }

    fn own_below(mounts: &str) -> Result<(MemoryGroup, u64), String> {
        let groups = own_groups().map_err(|error| format!("/proc/self/cgroup: {error}"))?;
        let mut why = "no cgroup with a memory controller is mounted".to_owned();
        for group in candidates(&groups, mounts) {
            match group.kills_below() {
                Ok(count) => return Ok((group, count)),
                Err(error) => why = format!("{}: {error}", group.counter().display()),
            }
        }
        Err(why)
    }

    /// That of another process, which may be a zombie: of one, version 1 no longer tells.
    pub(crate) fn of(pid: Pid) -> Option<MemoryGroup> {
        let groups = kernel_text::read(format!("/proc/{pid}/cgroup")).ok()?;
        let found = candidates(&groups, &proc_fs::mountinfo().ok()?);
        found.into_iter().find(|group| group.version == 2 && group.kills().is_ok())
    }

    /// The file with the count.
    pub(crate) fn counter(&self) -> PathBuf {
        self.dir.join(if self.version == 2 { "memory.events" } else { "memory.oom_control" })
    }

    /// How many of its processes were killed because memory ran out, until now. Version 2 counts those of the groups below
    /// it, too; with version 1 [`kills_below`](MemoryGroup::kills_below) does.
    pub(crate) fn kills(&self) -> io::Result<u64> {
        kills_in(&kernel_text::read(self.counter())?)
    }

    /// The same with the groups below it.
    pub(crate) fn kills_below(&self) -> io::Result<u64> {
        let mut sum = self.kills()?;
        // A directory has a link from itself, one from above, and one from each directory in it.
        let has_groups = || self.dir.metadata().is_ok_and(|dir| dir.nlink() != 2);
        if self.version == 1 && has_groups() {
            let mut dirs = vec![self.dir.clone()];
            let mut looked_at = 0;
            while let Some(dir) = dirs.pop() {
                for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
                    if looked_at < MOST_BELOW && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                        looked_at += 1;
                        let below = MemoryGroup { version: 1, dir: entry.path() };
                        sum += below.kills().unwrap_or(0);
                        dirs.push(below.dir);
                    }
                }
            }
        }
        Ok(sum)
    }

    /// The most memory it may use, in bytes. `None`: there is no limit, or it can't be read.
    pub(crate) fn limit(&self) -> Option<u64> {
        let limit = self.number(if self.version == 2 { "memory.max" } else { "memory.limit_in_bytes" })?;
        // Version 1 says "no limit" by a number near the largest.
        (limit < 1 << 62).then_some(limit)
    }

    /// The most memory it has used at a time, in bytes.
    pub(crate) fn peak(&self) -> Option<u64> {
        self.number(if self.version == 2 { "memory.peak" } else { "memory.max_usage_in_bytes" })
    }

    fn number(&self, file: &str) -> Option<u64> {
        kernel_text::read(self.dir.join(file)).ok()?.trim().parse().ok()
    }

    /// What tells at once that its count may have changed.
    pub(crate) fn notice(&self) -> io::Result<Notice> {
        if self.version == 2 {
            let mut events = File::open(self.counter())?;
            // What has been read so far is no news.
            let _ = events.read(&mut [0; 512])?;
            return Ok(Notice::Events(events));
        }
        let event = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        let control = File::open(self.counter())?;
        let order = format!("{} {}", event.as_fd().as_raw_fd(), control.as_raw_fd());
        fs::OpenOptions::new()
            .write(true)
            .open(self.dir.join("cgroup.event_control"))
            .and_then(|mut to| io::Write::write_all(&mut to, order.as_bytes()))?;
        Ok(Notice::Count { event, _control: control })
    }
}

/// Becomes ready when the count of a cgroup may have changed.
#[derive(Debug)]
pub(crate) enum Notice {
    /// `memory.events`, which has urgent data then: version 2.
    Events(File),
    /// An eventfd(2) that `memory.oom_control` counts up: version 1.
    Count { event: EventFd, _control: File },
}

impl Notice {
    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Notice::Events(events) => events.as_fd(),
            Notice::Count { event, .. } => event.as_fd(),
        }
    }

    /// All descriptors it needs.
    pub(crate) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let control = match self {
            Notice::Events(_) => None,
            Notice::Count { _control, .. } => Some(_control.as_fd()),
        };
        [self.as_fd()].into_iter().chain(control)
    }

    /// Whether it is urgent data that it becomes ready with.
    pub(crate) fn is_urgent(&self) -> bool {
        matches!(self, Notice::Events(_))
    }

    /// What there is by now is no news any more.
    pub(crate) fn take(&mut self) {
        match self {
            Notice::Events(events) => {
                let _ = events.rewind().and_then(|()| events.read(&mut [0; 512]));
            }
            Notice::Count { event, .. } => {
                let _ = event.read();
            }
        }
    }
}

fn kills_in(text: &str) -> io::Result<u64> {
    let count = text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok());
    count.ok_or_else(|| io::Error::other("it doesn't count oom_kill: Linux 4.13 or later does"))
}

/// Whether all processes of this one's cgroup are in its PID namespace: others have the number 0 there. Without version 2
/// of cgroups nobody can tell: no.
pub(crate) fn is_of_own_namespace() -> bool {
    let (Ok(groups), Ok(mounts)) = (own_groups(), proc_fs::mountinfo()) else { return false };
    let found = candidates(&groups, &mounts);
    let file = found.into_iter().find(|found| found.version == 2).map(|found| found.dir.join("cgroup.procs"));
    let processes = file.and_then(|file| kernel_text::read(file).ok()).unwrap_or_default();
    !processes.is_empty() && processes.lines().all(|pid| pid != "0")
}

fn own_groups() -> io::Result<String> {
    kernel_text::read("/proc/self/cgroup")
}

/// Where the count may be, by `/proc/PID/cgroup` and `/proc/self/mountinfo`.
pub(super) fn candidates(groups: &str, mounts: &str) -> Vec<MemoryGroup> {
    let mut found = Vec::new();
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let version = match controllers {
            "" => 2,
            list if list.split(',').any(|controller| controller == "memory") => 1,
            _ => continue,
        };
        let directory = mounts.lines().filter_map(Mount::parse).find_map(|mount| directory(mount, version, path));
        found.extend(directory.map(|dir| MemoryGroup { version, dir }));
    }
    found
}

/// Where the cgroup of this path is in the file system, if its hierarchy is what is mounted.
fn directory(mount: Mount<'_>, version: u8, path: &str) -> Option<PathBuf> {
    let is_it = match version {
        2 => mount.kind == "cgroup2",
        _ => mount.kind == "cgroup" && mount.options.split(',').any(|option| option == "memory"),
    };
    // What is mounted may be a part of the hierarchy only, as in a container.
    let below = Path::new(path).strip_prefix(mount.root).ok().filter(|_| is_it)?;
    Some(Path::new(mount.point).join(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    const V2: &str = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate";
    const V1: &str = "33 24 0:30 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory\n\
                      34 24 0:31 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu";
    const PART: &str = "33 24 0:30 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory";

    fn files(groups: &str, mounts: &str) -> Vec<(u8, String)> {
        let found = candidates(groups, mounts);
        found.into_iter().map(|found| (found.version, found.counter().display().to_string())).collect()
    }

    #[test]
    fn the_file_is_found_by_the_mounts() {
        let file = |version: u8, path: &str| vec![(version, path.to_owned())];
        assert_eq!(files("0::/a.slice/b\n", V2), file(2, "/sys/fs/cgroup/a.slice/b/memory.events"));
        assert_eq!(files("0::/\n", V2), file(2, "/sys/fs/cgroup/memory.events"));
        assert_eq!(files("4:memory:/x\n3:cpu,cpuacct:/\n", V1), file(1, "/sys/fs/cgroup/memory/x/memory.oom_control"));
        assert_eq!(files("4:memory:/docker/abc\n", PART), file(1, "/sys/fs/cgroup/memory/memory.oom_control"));
        assert_eq!(files("4:memory:/docker/abc/d\n", PART), file(1, "/sys/fs/cgroup/memory/d/memory.oom_control"));
        assert_eq!(files("4:memory:/elsewhere\n", PART), []);
        assert_eq!(files("0::/\n", V1), []);
        assert_eq!(files("nonsense", "nonsense"), []);
    }

    #[test]
    fn the_count_is_read_of_both_versions() {
        let v2 = "low 0\nhigh 0\nmax 41\noom 2\noom_kill 3\noom_group_kill 1\n";
        assert_eq!(kills_in(v2).ok(), Some(3));
        assert_eq!(kills_in("oom_kill_disable 0\nunder_oom 0\noom_kill 4\n").ok(), Some(4));
        assert!(kills_in("oom_kill_disable 0\nunder_oom 0\n").is_err());
    }

    /// A directory with the files of a cgroup: numbers as kernels write them.
    #[test]
    fn limits_and_peaks_are_numbers_or_unknown() {
        let dir = std::env::temp_dir().join(format!("panicmon-cgroup-{}", std::process::id()));
        fs::create_dir(&dir).unwrap();
        let group = |version| MemoryGroup { version, dir: dir.clone() };
        for (file, text) in [("memory.max", "max\n"), ("memory.limit_in_bytes", "9223372036854771712\n")] {
            fs::write(dir.join(file), text).unwrap();
        }
        assert_eq!((group(2).limit(), group(1).limit(), group(2).peak()), (None, None, None));
        fs::write(dir.join("memory.max"), "536870912\n").unwrap();
        fs::write(dir.join("memory.peak"), "536000000\n").unwrap();
        assert_eq!((group(2).limit(), group(2).peak()), (Some(536_870_912), Some(536_000_000)));
        fs::remove_dir_all(&dir).unwrap();
    }
}
