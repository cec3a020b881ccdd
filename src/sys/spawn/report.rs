//! What the child tells its parent before it executes its command, through memory that both have: which step failed, and
//! which signals had come before it left its parent's process group.
//!
//! The child does its part between clone and exec: all of it is atomic, nothing allocates.

use super::elf::ElfHeader;
use crate::model::signal::SignalSet;
use crate::sys::raw::Errno;
use crate::sys::signals::pending;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};

/// A step between clone and exec that can fail, by the number that stands for it in a report. 0 is no step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Step {
    /// setgroups(2), setresgid(2), setresuid(2): it may not become that user.
    User = 1,
    /// prctl(PR_SET_PDEATHSIG): the kernel doesn't know it, or a filter forbids it.
    ParentDeathSignal = 2,
    /// setpgid(2): a filter forbids it.
    Group = 3,
    /// setsid(2): a filter forbids it.
    Session = 4,
    /// chdir(2): the working directory isn't there, or not to be entered.
    Dir = 5,
    /// dup3(2): a descriptor couldn't be put in place.
    Stdio = 6,
    /// execve(2) of a candidate failed.
    Exec = 7,
    /// A candidate is there, but execve(2) says ENOENT: its interpreter is missing.
    Interpreter = 8,
    /// A candidate has no format the kernel knows, and /bin/sh couldn't be executed.
    Shell = 9,
    /// A candidate has no such format, and is no text that /bin/sh could read.
    Binary = 10,
    /// A candidate is an ELF file that the kernel refuses.
    Elf = 11,
    /// close_range(2): there is no memory for a table of descriptors of its own.
    Table = 12,
}

impl Step {
    const ALL: [Step; 12] = [
        Step::User,
        Step::ParentDeathSignal,
        Step::Group,
        Step::Session,
        Step::Dir,
        Step::Stdio,
        Step::Exec,
        Step::Interpreter,
        Step::Shell,
        Step::Binary,
        Step::Elf,
        Step::Table,
    ];

    fn of_number(number: u8) -> Option<Step> {
        Step::ALL.into_iter().find(|step| *step as u8 == number)
    }
}

/// A step that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(super) step: Step,
    pub(super) errno: Errno,
    /// Which file was tried, from [`Step::Exec`] on; 0 before.
    pub(super) candidate: usize,
    /// Of [`Step::Elf`].
    pub(super) header: ElfHeader,
}

impl Failure {
    /// A step before the first execve(2).
    pub(super) fn before_exec(step: Step, errno: Errno) -> Failure {
        Failure::of_candidate(step, 0, errno)
    }

    /// A step for one of the files to try.
    pub(super) fn of_candidate(step: Step, candidate: usize, errno: Errno) -> Failure {
        Failure { step, errno, candidate, header: ElfHeader::default() }
    }
}

/// In [`Report::failure`], errno is in the low half; from this bit on is the step,
const STEP_SHIFT: u32 = 32;
/// and from this one on the candidate.
const CANDIDATE_SHIFT: u32 = 40;

/// What the child tells its parent.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// What failed; 0, if it executed its command.
    failure: AtomicU64,
    /// The header of the file that failed, if that is an ELF file.
    header: AtomicU64,
    /// What it had been sent when it had left its parent's process group.
    already_received: AtomicU64,
    has_left: AtomicBool,
    has_own_table: AtomicBool,
    /// Why its session didn't get the terminal; 0: it did, or there was none for it.
    terminal_refused: AtomicI32,
}

impl Report {
    /// Async-signal-safe.
    pub(super) fn store(&self, failure: Failure) {
        let Failure { step, errno, candidate, header } = failure;
        self.header.store(header.bits(), Ordering::Relaxed);
        let step = u64::from(step as u8);
        let packed = (candidate as u64) << CANDIDATE_SHIFT | step << STEP_SHIFT | u64::from(errno as u32);
        self.failure.store(packed, Ordering::Release);
    }

    /// What failed; asked once the child has ended. `None`: it executed its command, or was killed before.
    pub(super) fn load(&self) -> Option<Failure> {
        let packed = self.failure.load(Ordering::Acquire);
        Some(Failure {
            step: Step::of_number((packed >> STEP_SHIFT) as u8)?,
            errno: packed as u32 as Errno,
            candidate: (packed >> CANDIDATE_SHIFT) as usize,
            header: ElfHeader::from_bits(self.header.load(Ordering::Relaxed)),
        })
    }

    /// Its session has no terminal. Async-signal-safe.
    pub(super) fn store_terminal_refused(&self, errno: Errno) {
        self.terminal_refused.store(errno, Ordering::Release);
    }

    /// Why its session has no terminal, the first time that this is asked.
    pub(super) fn take_terminal_refused(&self) -> Option<Errno> {
        if self.terminal_refused.load(Ordering::Acquire) == 0 {
            return None;
        }
        Some(self.terminal_refused.swap(0, Ordering::Acquire))
    }

    /// Tells what came to this process as a member of its parent's process group, from which it has gone now.
    /// Async-signal-safe.
    pub(super) fn store_already_received(&self) {
        self.already_received.store(pending().bits(), Ordering::Relaxed);
        self.has_left.store(true, Ordering::Release);
    }

    /// It has a table of descriptors of its own. Async-signal-safe.
    pub(super) fn store_has_own_table(&self) {
        self.has_own_table.store(true, Ordering::Release);
    }

    pub(super) fn has_own_table(&self) -> bool {
        self.has_own_table.load(Ordering::Acquire)
    }

    /// What came to it before it left its parent's process group; `None`: it hasn't left yet.
    pub(super) fn already_received(&self) -> Option<SignalSet> {
        self.has_left
            .load(Ordering::Acquire)
            .then(|| SignalSet::from_bits(self.already_received.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_what_was_stored() {
        assert_eq!(Report::default().load(), None);
        let header = ElfHeader::from_bits(183 << 32 | 3 << 16 | 1 << 8 | 2);
        for step in Step::ALL {
            for candidate in [0, 1, 1000] {
                let failure = Failure { step, errno: libc::EACCES, candidate, header };
                let report = Report::default();
                report.store(failure);
                assert_eq!(report.load(), Some(failure));
            }
        }
    }

    /// A step that isn't in the list would be taken for no failure.
    #[test]
    fn every_step_is_known_by_its_number() {
        assert!((1..=Step::Table as u8).all(|number| Step::of_number(number).is_some_and(|step| step as u8 == number)));
        assert_eq!((Step::of_number(0), Step::of_number(Step::Table as u8 + 1)), (None, None));
    }
}
