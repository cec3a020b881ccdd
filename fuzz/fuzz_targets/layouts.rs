//! Formats of timestamps, Go's layouts and strftime's, in any zone and at any time: what is taken is written, in one line.
//!
//! The input: twelve bytes for the time, the zone, a newline, the format.
#![no_main]

use libfuzzer_sys::fuzz_target;
use panicmon::fuzzing::timestamp;
use panicmon_fuzz::within_limits;
use std::time::{Duration, SystemTime};

fuzz_target!(|input: (i64, u32, &str)| {
    let (seconds, nanos, text) = input;
    let since = Duration::new(seconds.unsigned_abs(), nanos % 1_000_000_000);
    let epoch = SystemTime::UNIX_EPOCH;
    let time = if seconds < 0 { epoch.checked_sub(since) } else { epoch.checked_add(since) };
    let (zone, format) = text.split_once('\n').unwrap_or(("", text));
    let Some(written) = within_limits(|| timestamp(format, zone, time.unwrap_or(epoch))) else { return };
    assert!(!written.iter().any(u8::is_ascii_control), "{format:?} writes {written:?}");
    // A directive of few letters may be as wide as 255 blanks.
    assert!(written.len() <= 300 * format.len(), "{format:?} writes {} bytes", written.len());
    assert!(std::str::from_utf8(&written).is_ok());
});
