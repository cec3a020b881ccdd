//! What a service tells its manager: sd_notify(3), sd_notify_barrier(3), sd_listen_fds(3).

use crate::{complain, say, sys};
use nix::sys::socket::{AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, UnixAddr, sendmsg, socket};
use std::fs::File;
use std::io::{IoSlice, Seek, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;

/// Sends a message, with descriptors, and says whether that failed.
pub fn send(text: &str, descriptors: &[RawFd]) -> u8 {
    let name = std::env::var_os("NOTIFY_SOCKET").unwrap_or_default();
    let address = match name.as_bytes() {
        [b'@', name @ ..] => UnixAddr::new_abstract(name),
        path => UnixAddr::new(path),
    };
    let rights = [ControlMessage::ScmRights(descriptors)];
    let rights = if descriptors.is_empty() { &[] } else { &rights[..] };
    let sent = address.and_then(|address| {
        let socket = socket(AddressFamily::Unix, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
        sendmsg(socket.as_raw_fd(), &[IoSlice::new(text.as_bytes())], rights, MsgFlags::empty(), Some(&address))
    });
    sent.map_or_else(|error| complain(&error.to_string()), |_| 0)
}

/// Stores a file, and waits until that has been dealt with.
pub fn barrier() -> u8 {
    let stored = std::env::temp_dir().join(format!("panicmon-probe-{}", std::process::id()));
    let file = File::options().create_new(true).read(true).write(true).open(&stored).and_then(|mut file| {
        std::fs::remove_file(&stored)?;
        file.write_all(b"word")?;
        file.rewind()?;
        Ok(file)
    });
    let Ok(file) = file else { return complain("no file") };
    let failed = send("FDSTORE=1\nFDNAME=word", &[file.as_raw_fd()]);
    let (read, write) = sys::pipe();
    let failed = failed.max(send("BARRIER=1", &[write]));
    sys::close(write);
    say("waiting");
    sys::read_to_end(read);
    say("passed");
    failed
}

/// What does sd_listen_fds(3): the first descriptor is 3.
pub fn listen_fds() -> u8 {
    let is_own = std::env::var("LISTEN_PID").is_ok_and(|pid| pid == std::process::id().to_string());
    if !is_own || std::env::var("LISTEN_FDS").as_deref() != Ok("1") {
        return complain("nothing to listen to");
    }
    u8::from(!sys::write(3, b"hello"))
}
