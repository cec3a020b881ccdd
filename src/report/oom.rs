//! Watches the cgroup's count of processes that were killed because memory ran out.

use crate::model::death::{Oom, OomVerdict};
use crate::model::pid::Pid;
use crate::model::status::ExitStatus;
use crate::policy::oom::{Counted, verdict};
use crate::sys::cgroup::{MemoryGroup, Notice};
use crate::sys::poll::Awaited;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

/// From a notice on, the cgroup is left alone for so long. A process that is being killed gives its memory back in several
/// steps, and before the last one the kernel already counts it as gone: who asks for memory then (a file that is opened is
/// enough) is killed next, and that is this process where there are no others. One at the limit of its page cache gives
/// notices without end; this is also how often they are looked at.
const UNTIL_FREED: Duration = Duration::from_millis(250);

/// The count of this process's cgroup, from the first start on.
#[derive(Debug)]
pub(crate) struct OomWatch {
    /// What asks for it, for warnings.
    asked_by: String,
    /// `None`: nothing was started yet.
    group: Option<Result<MemoryGroup, String>>,
    /// `None`: it can only be looked at.
    notice: Option<Notice>,
    /// When it said so, or more kills were counted first, and nobody has [looked](OomWatch::look) yet.
    noticed: Option<Instant>,
    /// What the group had counted when it was looked at last.
    counted: u64,
    /// How much of that came since the first start.
    count: u64,
    /// How many of them are still to be told.
    untold: u64,
    /// When it rose last. `None`: it hasn't, or nobody knows.
    rose_at: Option<Instant>,
    has_warned: bool,
}

/// The count when a process was started.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AtStart {
    count: u64,
}

/// What was counted while a process ran, when it had just ended.
#[derive(Clone, Debug)]
pub(crate) struct AtEnd {
    counted: Counted,
    group: Option<MemoryGroup>,
}

impl OomWatch {
    /// `asked_by` is the option or variable that asks for it.
    #[cold]
    pub(crate) fn new(asked_by: String) -> OomWatch {
        OomWatch {
            asked_by,
            group: None,
            notice: None,
            noticed: None,
            counted: 0,
            count: 0,
            untold: 0,
            rose_at: None,
            has_warned: false,
        }
    }

    fn set_group(&mut self, found: Result<(MemoryGroup, u64), String>) {
        self.counted = found.as_ref().map_or(0, |(_, counted)| *counted);
        self.group = Some(found.map(|(group, _)| group));
    }

    fn group(&self) -> Option<&MemoryGroup> {
        self.group.as_ref()?.as_ref().ok()
    }

    /// From now on there is something to [wait](OomWatch::to_wait) for; called once, when the first process was started.
    #[cold]
    pub(crate) fn listen(&mut self) {
        let confirmed = MemoryGroup::own();
        // Another cgroup was looked at: what this one has counted until now is unknown.
        if confirmed.as_ref().map(|(group, _)| group).ok() != self.group() {
            self.set_group(confirmed);
        }
        self.notice = self.group().and_then(|group| group.notice().ok());
        // What was killed since the start, nothing has noticed.
        self.update();
    }

    /// What becomes ready when there is [news](OomWatch::note).
    pub(crate) fn to_wait(&self) -> Option<Awaited<'_>> {
        let notice = self.notice.as_ref().filter(|_| self.noticed.is_none())?;
        Some(if notice.is_urgent() { Awaited::Urgent(notice.as_fd()) } else { Awaited::Read(notice.as_fd()) })
    }

    /// All descriptors it holds.
    pub(crate) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.notice.iter().flat_map(Notice::fds)
    }

    /// The count may have changed.
    #[cold]
    pub(crate) fn note(&mut self, now: Instant) {
        self.noticed.get_or_insert(now);
    }

    /// When it is to be looked at.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        Some(self.noticed? + UNTIL_FREED)
    }

    /// Looks at the count. Returns how many kills are still to be told, which is the caller's.
    #[cold]
    pub(crate) fn look(&mut self) -> u64 {
        if let Some(notice) = &mut self.notice {
            notice.take();
        }
        self.update();
        self.noticed = None;
        std::mem::take(&mut self.untold)
    }

    /// Reads the count. What is new is told later.
    fn update(&mut self) {
        let Some(counted) = self.group().and_then(|group| group.kills_below().ok()) else { return };
        let rose = counted.saturating_sub(self.counted);
        if rose > 0 {
            self.counted = counted;
            self.count += rose;
            self.untold += rose;
            self.rose_at = Some(*self.noticed.get_or_insert_with(Instant::now));
        }
    }

    /// The most memory that the cgroup may use, in bytes.
    pub(crate) fn limit(&self) -> Option<u64> {
        self.group().and_then(MemoryGroup::limit)
    }

    /// A process is started.
    pub(crate) fn at_start(&mut self) -> AtStart {
        // The start waits for this: what isn't needed to know the count is left to `listen`.
        if self.group.is_none() {
            self.set_group(MemoryGroup::own_in_usual_place().or_else(|_| MemoryGroup::own()));
        } else {
            self.update();
        }
        AtStart { count: self.count }
    }

    /// A process that was started then has ended, and isn't reaped yet. `is_only`: there are no others, so that its end tells of
    /// all that were killed.
    pub(crate) fn at_end(&mut self, pid: Pid, start: AtStart, is_only: bool) -> AtEnd {
        let before = self.count;
        if is_only {
            self.look();
        } else {
            self.update();
        }
        let rose = self.count - before;
        let own = self.group();
        // Where it has moved to another cgroup, that one counts.
        let its = MemoryGroup::of(pid).filter(|its| own.is_none_or(|own| !its.dir.starts_with(&own.dir)));
        if let Some((group, count)) = its.and_then(|group| group.kills().ok().map(|count| (group, count))) {
            return AtEnd { counted: Counted::Kills { count, before_end: None }, group: Some(group) };
        }
        let Some(own) = own else { return AtEnd { counted: Counted::Unknown, group: None } };
        let count = self.count.saturating_sub(start.count);
        // Without a notice only what rose just now is known to belong to this moment.
        let before_end = match self.rose_at {
            Some(at) if self.notice.is_some() || rose == 0 => Some(at.elapsed()),
            _ => None,
        };
        AtEnd { counted: Counted::Kills { count, before_end }, group: Some(own.clone()) }
    }

    /// What that says of its end.
    pub(crate) fn judge(&mut self, end: &AtEnd, status: ExitStatus, ours: bool) -> Oom {
        let by_kill = status.code().get() == 128 + libc::SIGKILL as u8;
        if end.counted == Counted::Unknown && by_kill && !std::mem::replace(&mut self.has_warned, true) {
            let why = self.group.as_ref().and_then(|group| group.as_ref().err());
            let why = why.map_or("its cgroup can't be read", String::as_str);
            log::warn!("{}: whether memory ran out is unknown: {why}", self.asked_by);
        }
        let kills = match end.counted {
            Counted::Kills { count, .. } => count,
            Counted::Unknown => 0,
        };
        let group = end.group.as_ref();
        let verdict = verdict(end.counted, status, ours);
        if verdict == OomVerdict::Certain && group == self.group() {
            // That is told with its end.
            self.untold = self.untold.saturating_sub(1);
        }
        Oom {
            verdict,
            kills,
            limit_bytes: group.and_then(MemoryGroup::limit),
            peak_bytes: group.and_then(MemoryGroup::peak),
            cgroup: group.map(|group| group.dir.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::signal::Signal;
    use nix::sys::eventfd::EventFd;
    use std::fs::File;

    #[test]
    fn what_is_noticed_is_looked_at_when_the_memory_is_free_again() {
        let notice = Notice::Count { event: EventFd::new().unwrap(), _control: File::open("/dev/null").unwrap() };
        let mut oom = OomWatch { notice: Some(notice), ..OomWatch::new("--exit oom".to_owned()) };
        let first = Instant::now();
        assert!(oom.to_wait().is_some() && oom.deadline().is_none());
        oom.note(first);
        oom.note(first + Duration::from_millis(10));
        assert!(oom.to_wait().is_none() && oom.deadline() == Some(first + UNTIL_FREED));
    }

    #[test]
    fn a_kill_that_an_end_tells_of_is_not_told_again() {
        let killed = ExitStatus::Signaled { signal: Signal::KILL, core_dumped: false };
        let end = AtEnd { counted: Counted::Kills { count: 2, before_end: Some(Duration::ZERO) }, group: None };
        for (status, still_untold) in [(killed, 1), (ExitStatus::Exited(0), 2)] {
            let mut oom = OomWatch { untold: 2, ..OomWatch::new("--exit oom".to_owned()) };
            oom.judge(&end, status, false);
            assert_eq!([oom.look(), oom.look()], [still_untold, 0], "{status}");
        }
    }
}
