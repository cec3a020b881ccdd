//! Texts that the kernel writes when they are read: files of /proc, and of cgroups.
//!
//! Nothing tells how long one will be, so that the standard library begins with 32 bytes; and of some each read begins anew.

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, openat};
use nix::sys::stat::Mode;
use nix::unistd;
use std::io;
use std::path::Path;

/// One read of such a file gives a page at most, and most are shorter.
const PAGE: usize = 4096;

/// The whole text. What isn't UTF-8 in it, a name for example, is replaced.
pub(crate) fn read(path: impl AsRef<Path>) -> io::Result<String> {
    let file = openat(AT_FDCWD, path.as_ref(), OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())?;
    let mut page = [0; PAGE];
    let mut text = Vec::new();
    loop {
        match unistd::read(&file, &mut page) {
            Ok(0) => break,
            Ok(bytes) => text.extend_from_slice(&page[..bytes]),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(String::from_utf8(text).unwrap_or_else(|text| String::from_utf8_lossy(text.as_bytes()).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_text_is_read_to_its_end_and_need_not_be_utf_8() {
        let path = std::env::temp_dir().join(format!("panicmon-kernel-text-{}", std::process::id()));
        for length in [0, 1, PAGE - 1, PAGE, PAGE + 1, 5 * PAGE] {
            fs::write(&path, "x".repeat(length)).unwrap();
            assert_eq!(read(&path).unwrap().len(), length);
        }
        fs::write(&path, b"a\xffb").unwrap();
        assert_eq!(read(&path).unwrap(), "a\u{fffd}b");
        fs::remove_file(&path).unwrap();
        assert_eq!(read(&path).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
