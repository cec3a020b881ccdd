//! What stands in the place of `records` where the feature `reports` is off: there are none.

use crate::model::death::Core;
use crate::model::event::ProcessExited;
use crate::model::pid::Pid;
use crate::model::status::ExitStatus;
use crate::report::hook_event::HookEvent;
use crate::report::last_words::LastWords;
use std::ffi::CStr;
use std::iter;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

#[derive(Clone, Debug)]
pub(crate) enum Records {}

/// What is locked.
pub(crate) type Inner = Records;

impl Records {
    pub(crate) fn lock(&self) -> &Records {
        self
    }

    pub(crate) fn command_of(&self, _: Pid) -> Option<String> {
        match *self {}
    }

    pub(crate) fn processor_limit_of(&self, _: Pid, _: ExitStatus) -> Option<Duration> {
        match *self {}
    }

    pub(crate) fn core_of(&self, _: Pid, _: ExitStatus, _: Option<&CStr>, _: Duration) -> Option<Core> {
        match *self {}
    }

    pub(crate) fn take_for_hooks(&self) -> Vec<HookEvent> {
        match *self {}
    }

    pub(crate) fn add_words(&self, _: &mut ProcessExited<'_>, _: Option<[LastWords; 2]>) {
        match *self {}
    }

    pub(crate) fn flush(&self) {
        match *self {}
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        match *self {}
    }

    pub(crate) fn to_write(&self) -> iter::Empty<BorrowedFd<'_>> {
        match *self {}
    }

    pub(crate) fn fds(&self) -> iter::Empty<BorrowedFd<'_>> {
        match *self {}
    }
}
