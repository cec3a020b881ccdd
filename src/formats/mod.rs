//! Words to values, nothing else: the pmux file, timestamps, durations, user names, unit files.
//!
//! A format reads what it is given, and says what is wrong with it. It starts nothing, keeps nothing open, and knows no
//! exit statuses. What a value means for a run is decided in `program`.
#![forbid(unsafe_code)]

#[cfg(feature = "cli")]
pub(crate) mod accounts;
pub(crate) mod duration;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
pub(crate) mod nearest;
pub(crate) mod pmux;
pub(crate) mod size;
pub(crate) mod timestamp;
#[cfg(feature = "cli")]
pub(crate) mod unit_file;
