//! Words to values, nothing else: the pmux file, time stamps, durations, user names.
//!
//! A format reads what it is given, and says what is wrong with it. It starts nothing and keeps nothing open.
#![forbid(unsafe_code)]

pub(crate) mod accounts;
pub(crate) mod duration;
pub(crate) mod nearest;
pub(crate) mod pmux;
pub(crate) mod timestamp;
