//! What stands in the place of `records` where the feature `reports` is off: there are none.

use std::iter;
use std::os::fd::BorrowedFd;

#[derive(Clone, Debug)]
pub(crate) enum Records {}

impl Records {
    pub(crate) fn lock(&self) -> &Records {
        self
    }

    pub(crate) fn flush(&self) {
        match *self {}
    }

    pub(crate) fn to_write(&self) -> iter::Empty<BorrowedFd<'_>> {
        match *self {}
    }

    pub(crate) fn fds(&self) -> iter::Empty<BorrowedFd<'_>> {
        match *self {}
    }
}
