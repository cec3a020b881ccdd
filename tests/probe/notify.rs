//! What a service tells its manager: sd_notify(3), sd_notify_barrier(3), sd_listen_fds(3).

use crate::probe::{complain, pause, say};
use crate::sys;
use nix::sys::socket::sockopt::Linger;
use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, UnixAddr, sendmsg, setsockopt, socket,
};
use std::fs::File;
use std::io::{IoSlice, Read, Seek, Write};
use std::net::TcpStream;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;

/// How NOTIFY_SOCKET is understood.
#[derive(Clone, Copy)]
pub enum Reading {
    /// As sd_notify(3) has it.
    Right,
    /// It is a path, whatever it begins with.
    Path,
    /// An abstract name is all of `sun_path`.
    Padded,
}

/// Sends a message, with descriptors, and says whether that failed.
pub fn send(text: &str, descriptors: &[RawFd]) -> u8 {
    send_as(Reading::Right, text, descriptors)
}

/// The same as another client would.
pub fn send_as(reading: Reading, text: &str, descriptors: &[RawFd]) -> u8 {
    let name = std::env::var_os("NOTIFY_SOCKET").unwrap_or_default();
    let address = match (name.as_bytes(), reading) {
        ([b'@', name @ ..], Reading::Right) => UnixAddr::new_abstract(name),
        ([b'@', name @ ..], Reading::Padded) => {
            let mut all = [0; 107];
            all[..name.len()].copy_from_slice(name);
            UnixAddr::new_abstract(&all)
        }
        (path, _) => UnixAddr::new(path),
    };
    let rights = [ControlMessage::ScmRights(descriptors)];
    let rights = if descriptors.is_empty() { &[] } else { &rights[..] };
    let sent = address.and_then(|address| {
        let socket = socket(AddressFamily::Unix, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
        sendmsg(socket.as_raw_fd(), &[IoSlice::new(text.as_bytes())], rights, MsgFlags::empty(), Some(&address))
    });
    sent.map_or_else(|error| complain(&error.to_string()), |_| 0)
}

/// Sends a socket whose close waits: it lingers, and the one at this port doesn't read what it was sent.
pub fn lingering(port: u16, text: &str) -> u8 {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return complain("nobody listens") };
    let linger = libc::linger { l_onoff: 1, l_linger: 3600 };
    if setsockopt(&stream, Linger, &linger).is_err() || stream.set_nonblocking(true).is_err() {
        return complain("no such socket");
    }
    while stream.write(&[0; 65536]).is_ok() {}
    let failed = send(text, &[stream.as_raw_fd()]);
    // This process is about to end, and its own doesn't wait then.
    std::mem::forget(stream);
    failed
}

/// Sends a file whose close waits for a FUSE server that doesn't answer: another process, whose pid it prints.
pub fn deaf_fuse(text: &str) -> u8 {
    let target = std::env::temp_dir().join(format!("panicmon-probe-fuse-{}", std::process::id()));
    let device = File::options().read(true).write(true).open("/dev/fuse");
    let (Ok(mut device), Ok(_)) = (device, File::create(&target)) else { return complain("no /dev/fuse") };
    let mounted = sys::mount_fuse(&target, device.as_raw_fd());
    if !mounted {
        return complain("it can't be mounted");
    }
    // One that had such a file open itself would wait at its own end.
    let server = sys::fork(|| {
        serve(&mut device);
        0
    });
    drop(device);
    say(&server.to_string());
    let opened = File::open(&target);
    sys::detach(&target);
    let _ = std::fs::remove_file(&target);
    let Ok(file) = opened else { return complain("it can't be opened") };
    say(&format!("sent: {}", send(text, &[file.as_raw_fd()])));
    // Closing it would wait.
    std::mem::forget(file);
    pause()
}

/// Answers what comes until a file is open, and no FLUSH.
fn serve(device: &mut File) {
    const GETATTR: u32 = 3;
    const OPEN: u32 = 14;
    const FLUSH: u32 = 25;
    const INIT: u32 = 26;
    let mut request = vec![0; 1 << 17];
    while let Ok(length) = device.read(&mut request) {
        if length < 16 {
            return;
        }
        let opcode = u32::from_ne_bytes([request[4], request[5], request[6], request[7]]);
        let (error, mut body) = match opcode {
            INIT => (0, vec![0u8; 64]),
            GETATTR => (0, vec![0; 104]),
            OPEN => (0, vec![0; 16]),
            FLUSH => continue,
            _ => (-libc::ENOSYS, Vec::new()),
        };
        let fields: &[(usize, u32)] = match opcode {
            // The version; the largest write.
            INIT => &[(0, 7), (4, 31), (20, 4096)],
            // The number of the root, its mode, and one link.
            GETATTR => &[(16, 1), (76, libc::S_IFREG | 0o644), (80, 1)],
            _ => &[],
        };
        for (at, value) in fields {
            body[*at..at + 4].copy_from_slice(&value.to_ne_bytes());
        }
        let mut answer = ((16 + body.len()) as u32).to_ne_bytes().to_vec();
        answer.extend(i32::to_ne_bytes(error));
        answer.extend_from_slice(&request[8..16]);
        answer.extend(body);
        let _ = device.write_all(&answer);
    }
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
