//! Signals and lists of them: what is taken is read back from its name and from its number, and a list is taken if each of
//! its words is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use panicmon::Signal;
use panicmon::fuzzing::list;
use panicmon_fuzz::within_limits;

fuzz_target!(|words: &str| {
    within_limits(|| {
        for option in ["signals", "stop-signals", "no-restart-on", "success"] {
            let whole = list(option, words).is_ok();
            assert_eq!(whole, words.split(',').all(|word| list(option, word).is_ok()), "--{option} {words}");
        }
        for word in words.split(',') {
            match word.parse::<Signal>() {
                Ok(signal) => {
                    assert!((1..=64).contains(&signal.number()));
                    assert_eq!(signal.to_string().parse(), Ok(signal), "{word}");
                    assert_eq!(signal.number().to_string().parse(), Ok(signal), "{word}");
                }
                Err(error) => assert!(error.to_string().starts_with(&format!("'{word}' is not a signal"))),
            }
        }
    });
});
