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
    first_names(path, usize::MAX)
}

/// At most this many of them.
fn first_names(path: &Path, most: usize) -> io::Result<Vec<OsString>> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let mut names = Vec::new();
    for entry in Dir::open(path, flags, Mode::empty())?.iter() {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if names.len() == most {
            break;
        }
        if name != "." && name != ".." {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// Those that are numbers.
pub(super) fn numbers(path: &Path) -> io::Result<Vec<i32>> {
    first_numbers(path, usize::MAX)
}

/// Those of the first names, of which there are at most this many.
pub(super) fn first_numbers(path: &Path, most: usize) -> io::Result<Vec<i32>> {
    Ok(first_names(path, most)?.iter().filter_map(|name| name.to_str()?.parse().ok()).collect())
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
