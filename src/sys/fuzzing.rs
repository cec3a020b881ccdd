//! The readers of this floor, for the targets in fuzz/.

use super::cgroup;
use super::notify::message;
use super::notify::receive;
use super::proc_fs::{Mount, Stat, Status};
use crate::model::signal::SignalSet;
use std::borrow::Cow;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

/// The number, name, parent and start that a line of proc_pid_stat(5) says.
pub fn stat(line: &[u8]) -> Option<(i32, String, i32, u64)> {
    Stat::parse(line).map(|stat| (stat.pid, stat.name, stat.parent, stat.started))
}

/// A field of the text of proc_pid_status(5), that field as a set of signals, and what is pending.
pub fn status(text: &str, field: &str) -> (Option<String>, Option<SignalSet>, SignalSet) {
    let status = Status(Cow::Borrowed(text));
    (status.field(field).map(str::to_owned), status.signals(field), status.pending())
}

/// Root, mount point, kind and options of a line of proc_pid_mountinfo(5).
pub fn mount(line: &str) -> Option<[&str; 4]> {
    Mount::parse(line).map(|mount| [mount.root, mount.point, mount.kind, mount.options])
}

/// The directories of the cgroups that count memory, by /proc/self/cgroup and /proc/self/mountinfo.
pub fn memory_files(groups: &str, mounts: &str) -> Vec<PathBuf> {
    cgroup::candidates(groups, mounts).into_iter().map(|found| found.dir).collect()
}

/// What is passed on of a notification.
pub fn passed_on(notification: &[u8]) -> Option<Vec<u8>> {
    message::passed_on(notification)
}

/// Whether it says READY=1.
pub fn says_ready(notification: &[u8]) -> bool {
    message::says_ready(notification)
}

/// Whether it is a barrier.
pub fn is_barrier(notification: &[u8]) -> bool {
    message::is_barrier(notification)
}

/// A socket to which notifications are sent, and from which they are taken as the relay does.
#[derive(Debug)]
pub struct OneSocket {
    ours: UnixDatagram,
    theirs: UnixDatagram,
}

impl OneSocket {
    /// Makes one.
    pub fn new() -> io::Result<OneSocket> {
        let (ours, theirs) = UnixDatagram::pair()?;
        Ok(OneSocket { ours, theirs })
    }

    /// Sends a notification; returns what is seen of it, and whether it is longer than that.
    pub fn through(&self, notification: &[u8]) -> io::Result<(Vec<u8>, bool)> {
        self.theirs.send(notification)?;
        let seen = receive::look(self.ours.as_fd())?;
        receive::take(self.ours.as_fd())?;
        assert!(!seen.has_descriptors, "none was sent");
        Ok((seen.bytes, seen.is_cut))
    }
}
