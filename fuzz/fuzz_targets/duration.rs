//! Durations: one that is taken is at most a year, and is the same when its nanoseconds are written out.
#![no_main]

use libfuzzer_sys::fuzz_target;
use panicmon::fuzzing::duration;
use panicmon_fuzz::within_limits;
use std::time::Duration;

fuzz_target!(|word: &str| {
    match within_limits(|| duration(word)) {
        Ok(read) => {
            assert!(read <= Duration::from_secs(366 * 24 * 3600), "{word}: {read:?}");
            assert_eq!(duration(&format!("{}ns", read.as_nanos())), Ok(read), "{word}");
            if !word.starts_with(['+', '-']) {
                assert_eq!(duration(&format!("+{word}")), Ok(read));
                assert_eq!(duration(&format!("-{word}")).is_ok(), read.is_zero(), "{word}");
            }
        }
        Err(told) => assert!(told.starts_with(&format!("'{word}'")), "{told}"),
    }
});
