//! The last words of a process: what is kept of them, whatever pieces they come in, and what it has died of.
#![no_main]

use libfuzzer_sys::fuzz_target;
use panicmon::fuzzing::{Kept, kept};
use panicmon::{ExitStatus, Signal, recognise};
use panicmon_fuzz::within_limits;

// The texts come after one byte for the status and one for the pieces; `\xff` separates them.
fuzz_target!(|bytes: &[u8]| {
    let [end, size, written @ ..] = bytes else { return };
    let status = match Signal::new(i32::from(*end) - 128) {
        Some(signal) => ExitStatus::Signaled { signal, core_dumped: false },
        None => ExitStatus::Exited(*end),
    };
    let size = usize::from(*size) + 1;
    within_limits(|| {
        let Kept { tail: (tail, is_truncated), text, cut } = kept(size, written.chunks(7));
        assert!(written.ends_with(&tail) && tail.len() <= size);
        assert!(is_truncated || tail == written);
        assert!(text.len() <= 2 * size);
        match cut {
            None => assert!(written.ends_with(&text)),
            Some((at, missing)) => {
                let start = written.len() - text.len() - missing as usize;
                assert_eq!(written[start..start + at], text[..at]);
                assert!(written.ends_with(&text[at..]));
            }
        }

        let mut streams = written.splitn(2, |byte| *byte == 0xff).map(String::from_utf8_lossy);
        let (stderr, stdout) = (streams.next().unwrap_or_default(), streams.next().unwrap_or_default());
        let Some(found) = recognise(&stderr, &stdout, status) else { return };
        assert!(!status.is_success());
        assert!(found.frames.len() <= 10 && found.message.len() <= 4096);
        assert!(!found.language.is_empty());
        assert!(
            [&found.kind].into_iter().chain(&found.frames).all(|name| !name.is_empty() && name.len() <= 256),
            "{found:?}"
        );
        assert!(found.fingerprint.len() == 16 && found.fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit()));
    });
});
