//! Reading a file that may be anything: open(2) of a FIFO waits for a writer, a device may have no end.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// What a file holds, if it is a regular one of at most this size. Nothing else is opened: some devices do something then.
pub(crate) fn read(path: &Path, largest: u64) -> io::Result<Vec<u8>> {
    check(&fs::metadata(path)?, largest)?;
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
    // It may be another by now.
    check(&file.metadata()?, largest)?;
    let mut bytes = Vec::new();
    // Some of /proc have no size, and no end.
    file.take(largest).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn check(metadata: &Metadata, largest: u64) -> io::Result<()> {
    if !metadata.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    if metadata.len() > largest {
        return Err(io::Error::other(format!("it is larger than {} KiB", largest / 1024)));
    }
    Ok(())
}
