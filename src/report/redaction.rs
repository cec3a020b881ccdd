//! What is taken out of what a process has written, before it is told.

use crate::model::death::Panic;
use regex_lite::Regex;
use std::borrow::Cow;

/// What stands in its place.
const REDACTED: &str = "[redacted]";

/// Patterns of what is taken out; each takes linear time.
#[derive(Debug, Default)]
pub(crate) struct Redaction(Vec<Regex>);

impl Redaction {
    /// The error says what is wrong with a pattern.
    pub(crate) fn new(patterns: &[String]) -> Result<Redaction, String> {
        let compiled = |pattern: &String| Regex::new(pattern).map_err(|error| format!("'{pattern}': {error}"));
        patterns.iter().map(compiled).collect::<Result<_, _>>().map(Redaction)
    }

    /// A text without it. Each line stands for itself: a pattern doesn't go beyond one unless it says so.
    pub(crate) fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut out = Cow::Borrowed(text);
        for pattern in &self.0 {
            if let Cow::Owned(replaced) = pattern.replace_all(&out, regex_lite::NoExpand(REDACTED)) {
                out = Cow::Owned(replaced);
            }
        }
        out
    }

    /// The same of bytes, which become text if there are patterns.
    pub(crate) fn bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        if self.0.is_empty() { bytes } else { self.text(&String::from_utf8_lossy(&bytes)).into_owned().into_bytes() }
    }

    /// A death without it: its message, kind, thread and frames.
    pub(crate) fn panic(&self, panic: &mut Panic) {
        let texts = [&mut panic.kind, &mut panic.message].into_iter().chain(&mut panic.thread).chain(&mut panic.frames);
        for text in texts {
            if let Cow::Owned(replaced) = self.text(text) {
                *text = replaced;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_that_fits_a_pattern_is_taken_out() {
        let redaction = Redaction::new(&["(?i)token=\\S+".to_owned(), "[0-9]{16}".to_owned()]).unwrap();
        assert_eq!(
            redaction.text("Token=a1 token=b2 card 1234567812345678."),
            "[redacted] [redacted] card [redacted]."
        );
        assert_eq!(redaction.bytes(b"\xff token=x\n".to_vec()), "\u{fffd} [redacted]\n".as_bytes());
        assert_eq!(Redaction::default().bytes(b"\xff".to_vec()), b"\xff");
        assert!(Redaction::new(&["(".to_owned()]).unwrap_err().starts_with("'(': "));
    }
}
