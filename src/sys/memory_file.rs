//! A file in memory for a child to read: memfd_create(2). Unlike a pipe, it has room for all of a text at once, and nobody
//! waits for anybody.

use super::fd::above_stdio;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::fd::OwnedFd;

/// `MFD_NOEXEC_SEAL`: where the system demands it (vm.memfd_noexec), there are no others.
const NOT_EXECUTABLE: MFdFlags = MFdFlags::from_bits_retain(8);

/// A file with this text, to be read from its beginning, that nobody can change.
pub(crate) fn holding(text: &[u8]) -> io::Result<OwnedFd> {
    let create = |more| memfd_create(c"panicmon", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING | more);
    let created = match create(NOT_EXECUTABLE) {
        // Linux before 6.3.
        Err(Errno::EINVAL) => create(MFdFlags::empty()),
        created => created,
    };
    let mut file = File::from(above_stdio(created?)?);
    file.write_all(text)?;
    file.rewind()?;
    let seals = SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_SEAL;
    fcntl(&file, FcntlArg::F_ADD_SEALS(seals))?;
    Ok(file.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn it_is_read_from_its_beginning_and_cant_be_changed() {
        let text = "x".repeat(1 << 20);
        let mut file = File::from(holding(text.as_bytes()).unwrap());
        let mut read = String::new();
        file.read_to_string(&mut read).unwrap();
        assert!(read == text);
        assert_eq!(file.write(b"y").unwrap_err().raw_os_error(), Some(libc::EPERM));
    }
}
