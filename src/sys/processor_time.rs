//! Whether a process was killed at the limit of its processor time: RLIMIT_CPU, getrlimit(2).

use super::clock;
use super::proc_fs::Limits;
use crate::model::pid::Pid;
use std::time::Duration;

/// The hard limit of processor time of a zombie, if it has used it up: the kernel has killed it then, at the next tick.
pub(crate) fn limit_used_up(pid: Pid) -> Option<Duration> {
    let limit = Limits::of(pid)?.hard("Max cpu time").map(Duration::from_secs)?;
    (clock::processor_time(pid) >= limit).then_some(limit)
}
