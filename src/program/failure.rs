//! The exit status of a failure of our own. In another program's place it is that program's.
//!
//! Where this process must end at once, for want of memory or after a panic, nothing else tells it.

use crate::model::status::StatusCode;
use std::sync::atomic::{AtomicU8, Ordering};

static STATUS: AtomicU8 = AtomicU8::new(StatusCode::OWN_FAILURE.get());

/// The status of failures from here on.
pub(crate) fn set_status(status: StatusCode) {
    STATUS.store(status.get(), Ordering::Relaxed);
}

#[cold]
pub(crate) fn status() -> StatusCode {
    StatusCode::new(STATUS.load(Ordering::Relaxed))
}
