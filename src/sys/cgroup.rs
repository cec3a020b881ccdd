//! The cgroup this process is in, and what it counts: cgroups(7), version 2's `memory.events` or version 1's
//! `memory.oom_control`.

use super::proc_fs;
use super::proc_fs::Mount;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The count of processes of a cgroup that were killed because memory ran out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OomKills {
    pub(crate) version: u8,
    pub(crate) file: PathBuf,
}

impl OomKills {
    /// That of this process's cgroup. The error is a message.
    pub(crate) fn find() -> Result<OomKills, String> {
        let groups = own_groups().map_err(|error| format!("/proc/self/cgroup: {error}"))?;
        let mounts = proc_fs::mountinfo().map_err(|error| format!("/proc/self/mountinfo: {error}"))?;
        let mut why = "no cgroup with a memory controller is mounted".to_owned();
        for counter in candidates(&groups, &mounts) {
            match counter.read() {
                Ok(_) => return Ok(counter),
                Err(error) => why = format!("{}: {error}", counter.file.display()),
            }
        }
        Err(why)
    }

    /// How many there were until now.
    pub(crate) fn read(&self) -> io::Result<u64> {
        let text = fs::read_to_string(&self.file)?;
        let count = text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok());
        count.ok_or_else(|| io::Error::other("it doesn't count oom_kill: Linux 4.13 or later does"))
    }
}

/// Whether all processes of this one's cgroup are in its PID namespace: others have the number 0 there. Without version 2
/// of cgroups nobody can tell: no.
pub(crate) fn is_of_own_namespace() -> bool {
    let (Ok(groups), Ok(mounts)) = (own_groups(), proc_fs::mountinfo()) else { return false };
    let found = candidates(&groups, &mounts);
    let file =
        found.into_iter().find(|found| found.version == 2).map(|found| found.file.with_file_name("cgroup.procs"));
    let processes = file.and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
    !processes.is_empty() && processes.lines().all(|pid| pid != "0")
}

fn own_groups() -> io::Result<String> {
    fs::read_to_string("/proc/self/cgroup")
}

/// Where the count may be, by `/proc/self/cgroup` and `/proc/self/mountinfo`.
pub(super) fn candidates(groups: &str, mounts: &str) -> Vec<OomKills> {
    let mut found = Vec::new();
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let (version, file) = match controllers {
            "" => (2, "memory.events"),
            list if list.split(',').any(|controller| controller == "memory") => (1, "memory.oom_control"),
            _ => continue,
        };
        let directory = mounts.lines().filter_map(Mount::parse).find_map(|mount| directory(mount, version, path));
        found.extend(directory.map(|directory| OomKills { version, file: directory.join(file) }));
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
        found.into_iter().map(|found| (found.version, found.file.display().to_string())).collect()
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
}
