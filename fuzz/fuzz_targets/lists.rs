//! Lists of --exit, --rewrite, --delay and --unset-env: one is taken if each of its words is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use panicmon::fuzzing::list;
use panicmon_fuzz::within_limits;

fuzz_target!(|words: &str| {
    within_limits(|| {
        for option in ["exit", "rewrite", "delay", "unset-env"] {
            let whole = list(option, words).is_ok();
            assert_eq!(whole, words.split(',').all(|word| list(option, word).is_ok()), "--{option} {words}");
        }
    });
});
