//! Reading directories.
//!
//! The standard library's `ReadDir` panics where close(2) of a directory fails, which it does where a filter refuses it or
//! the file system reports a late error. `nix::dir::Dir` panics only at EBADF.

use nix::dir::Dir;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The names of what is in a directory.
pub(crate) fn names(path: &Path) -> io::Result<Vec<OsString>> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let mut names = Vec::new();
    for entry in Dir::open(path, flags, Mode::empty())?.iter() {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if name != "." && name != ".." {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// Those that are numbers.
pub(super) fn numbers(path: &Path) -> io::Result<Vec<i32>> {
    Ok(names(path)?.iter().filter_map(|name| name.to_str()?.parse().ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::test_filter::refuse;

    #[test]
    fn a_directory_that_cannot_be_closed_is_no_reason_to_panic() {
        let listed = std::thread::spawn(|| {
            refuse(libc::SYS_close, libc::EIO);
            numbers(Path::new("/proc/self/fd")).unwrap()
        });
        let listed = listed.join().unwrap();
        assert!((0..=2).all(|stream| listed.contains(&stream)), "{listed:?}");
        let missing = names(Path::new("/no/such")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }
}
