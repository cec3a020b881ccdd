//! The interpreter that a script names, for the message that it isn't there.

use std::ffi::{CStr, OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// What the kernel reads of a script to find its interpreter, in bytes: BINPRM_BUF_SIZE.
const HEAD_BYTES: u64 = 256;

/// The interpreter of a script that execve(2) found in this directory; `None`: it is no script, or can't be read.
#[cold]
pub(super) fn interpreter(file: &CStr, dir: Option<&CStr>) -> Option<OsString> {
    let path = |text: &CStr| Path::new(OsStr::from_bytes(text.to_bytes())).to_owned();
    let file = dir.map_or_else(|| path(file), |dir| path(dir).join(path(file)));
    // It may have been replaced since by a FIFO, which must not be waited for.
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(file).ok()?;
    let mut head = Vec::new();
    file.take(HEAD_BYTES).read_to_end(&mut head).ok()?;
    named_by(&head).map(|name| OsStr::from_bytes(name).to_owned())
}

/// The word after `#!`.
fn named_by(head: &[u8]) -> Option<&[u8]> {
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    line.split(|byte| matches!(byte, b' ' | b'\t')).find(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_after_the_mark_is_the_interpreter() {
        for (head, named) in [
            ("#!/no/such\n", Some("/no/such")),
            ("#! \t/no/such -x y\n", Some("/no/such")),
            ("#!/no/such\r\n", Some("/no/such\r")),
            ("#!/no/such", Some("/no/such")),
            ("#!\n/no/such", None),
            ("\x7fELF#!/no", None),
            ("", None),
        ] {
            assert_eq!(named_by(head.as_bytes()), named.map(str::as_bytes), "{head:?}");
        }
    }
}
