//! The notification socket of a service manager, sd_notify(3), passed on: systemd listens to its own child alone
//! (`NotifyAccess=main`), which is this process and not the one that has something to say.
//!
//! Ours is in the abstract namespace, unix(7): no directory that can be written is needed for it. Whoever is in the same
//! network namespace could send something to it, so who did is looked at.

use super::descendants;
use super::fd::above_stdio;
use super::raw::syscall;
use crate::Pid;
use nix::errno::Errno;
use nix::sys::socket::sockopt::{Linger, PassCred};
use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, Shutdown, SockFlag, SockType, UnixAddr, bind, connect, getsockname,
    sendmsg, setsockopt, shutdown, socket,
};
use std::ffi::{OsStr, OsString};
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The longest message that systemd takes.
const LONGEST: usize = libc::PIPE_BUF;

/// The kernel's SCM_MAX_FD.
const MOST_DESCRIPTORS: usize = 253;

/// So many messages are passed on before we see what else has come.
const AT_ONCE: usize = 64;

/// The kernel keeps no more for a socket, where nobody has changed net.unix.max_dgram_qlen to more than systemd does (512).
const LAST_AT_ONCE: usize = 1024;

/// And so many are counted that are lost.
const MOST_COUNTED: usize = 10_000;

/// A socket for the child, and the manager's.
#[derive(Debug)]
pub(crate) struct Notify {
    own: OwnedFd,
    manager: OwnedFd,
    address: UnixAddr,
    /// As NOTIFY_SOCKET has it.
    name: OsString,
    /// Whose messages are passed on, beside those of descendants.
    users: Vec<u32>,
    /// What the manager has no room for yet.
    waiting: Option<Message>,
    /// Strangers were told of.
    has_warned: bool,
}

#[derive(Debug)]
struct Message {
    bytes: Vec<u8>,
    descriptors: Vec<OwnedFd>,
}

impl Notify {
    /// A socket for a child of this user, whose messages go to the one that NOTIFY_SOCKET names; none, if that is of a kind
    /// that can't be passed on (a virtual machine's).
    pub(crate) fn relay(manager: &OsStr, user: Option<u32>) -> io::Result<Option<Notify>> {
        let address = match manager.as_bytes() {
            [b'@', name @ ..] => UnixAddr::new_abstract(name)?,
            path @ [b'/', ..] => UnixAddr::new(path)?,
            _ => return Ok(None),
        };
        let own = datagram_socket()?;
        setsockopt(&own, PassCred, &true)?;
        // Without a name: the kernel finds one.
        bind(own.as_raw_fd(), &UnixAddr::new_unnamed())?;
        let bound: UnixAddr = getsockname(own.as_raw_fd())?;
        let mut name = vec![b'@'];
        name.extend_from_slice(bound.as_abstract().ok_or_else(|| io::Error::other("the socket got no name"))?);
        let users = [0, nix::unistd::geteuid().as_raw()].into_iter().chain(user).collect();
        let manager = connected(&address)?;
        Ok(Some(Notify {
            own,
            manager,
            address,
            name: OsString::from_vec(name),
            users,
            waiting: None,
            has_warned: false,
        }))
    }

    /// The child's NOTIFY_SOCKET.
    pub(crate) fn name(&self) -> &OsStr {
        &self.name
    }

    /// All descriptors it needs.
    pub(crate) fn fds(&self) -> [BorrowedFd<'_>; 2] {
        [self.own.as_fd(), self.manager.as_fd()]
    }

    /// To be read from; not while a message waits.
    pub(crate) fn to_read(&self) -> Option<BorrowedFd<'_>> {
        self.waiting.is_none().then_some(self.own.as_fd())
    }

    /// To be written to, if a message waits.
    pub(crate) fn to_write(&self) -> Option<BorrowedFd<'_>> {
        self.waiting.is_some().then_some(self.manager.as_fd())
    }

    /// Takes nothing more: what has come can still be passed on.
    pub(crate) fn close(&self) {
        // It fails for one that is closed.
        let _ = shutdown(self.own.as_raw_fd(), Shutdown::Read);
    }

    /// Passes on some of what has come, as far as the manager takes it. Whether that was all.
    pub(crate) fn pass(&mut self) -> bool {
        self.pass_at_most(AT_ONCE)
    }

    /// The same of what somebody who has ended may have sent: more than the kernel keeps.
    pub(crate) fn pass_last(&mut self) -> bool {
        self.pass_at_most(LAST_AT_ONCE)
    }

    fn pass_at_most(&mut self, most: usize) -> bool {
        for _ in 0..most {
            let message = match self.waiting.take() {
                Some(message) => message,
                None => match self.receive() {
                    Ok(Some(message)) => message,
                    // It isn't for the manager.
                    Ok(None) => continue,
                    Err(Errno::EAGAIN) => return true,
                    Err(Errno::EINTR) => continue,
                    Err(errno) => {
                        log::warn!("can't receive a notification of the command: {errno}");
                        return true;
                    }
                },
            };
            match self.send(&message) {
                Ok(()) => {}
                Err(Errno::EAGAIN | Errno::ENOBUFS) => {
                    self.waiting = Some(message);
                    return false;
                }
                Err(errno) => log::warn!("a notification of the command couldn't be passed on, it is lost: {errno}"),
            }
        }
        false
    }

    fn receive(&mut self) -> Result<Option<Message>, Errno> {
        let Received { bytes, descriptors, sender, flags } = receive(self.own.as_fd())?;
        if !sender.is_some_and(|who| self.is_trusted(who)) {
            descriptors.iter().for_each(|descriptor| close_at_once(descriptor.as_fd()));
            // Once: somebody may send many.
            if let Some(who) = sender.filter(|_| !std::mem::replace(&mut self.has_warned, true)) {
                let (pid, uid) = (who.pid, who.uid);
                log::warn!(
                    "pid {pid} of user {uid}, which isn't the command's, sends notifications: they aren't passed on"
                );
            }
            return Ok(None);
        }
        if flags & libc::MSG_TRUNC != 0 {
            log::warn!("a notification of the command is longer than {LONGEST} bytes, it isn't passed on");
            return Ok(None);
        }
        if flags & libc::MSG_CTRUNC != 0 {
            log::warn!("descriptors of a notification of the command are lost: too many are open");
        }
        Ok(passed_on(&bytes).map(|bytes| Message { bytes, descriptors }))
    }

    /// Takes no more time over what the manager hasn't taken. How many messages are lost.
    pub(crate) fn give_up(&mut self) -> usize {
        let mut lost = usize::from(self.waiting.take().is_some());
        while lost < MOST_COUNTED && matches!(receive(self.own.as_fd()), Ok(_) | Err(Errno::EINTR)) {
            lost += 1;
        }
        lost
    }

    /// Who sent it may have ended already, as systemd-notify(1) has: then its user must do.
    fn is_trusted(&self, sender: libc::ucred) -> bool {
        self.users.contains(&sender.uid) || descendants::is_descendant(Pid::new(sender.pid))
    }

    fn send(&mut self, message: &Message) -> Result<(), Errno> {
        let to = |manager: &OwnedFd| {
            let descriptors: Vec<_> = message.descriptors.iter().map(AsRawFd::as_raw_fd).collect();
            let rights = [ControlMessage::ScmRights(&descriptors)];
            let rights = if descriptors.is_empty() { &[] } else { &rights[..] };
            let bytes = [IoSlice::new(&message.bytes)];
            sendmsg::<()>(manager.as_raw_fd(), &bytes, rights, MsgFlags::MSG_NOSIGNAL, None).map(drop)
        };
        match to(&self.manager) {
            // Another socket may be in its place since.
            Err(Errno::ECONNREFUSED | Errno::ENOTCONN | Errno::EPIPE) => {
                self.manager =
                    connected(&self.address).map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(0)))?;
                to(&self.manager)
            }
            sent => sent,
        }
    }
}

fn datagram_socket() -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    above_stdio(socket(AddressFamily::Unix, SockType::Datagram, flags, None)?)
}

fn connected(address: &UnixAddr) -> io::Result<OwnedFd> {
    let socket = datagram_socket()?;
    connect(socket.as_raw_fd(), address)?;
    Ok(socket)
}

/// What came with one recvmsg(2).
struct Received {
    bytes: Vec<u8>,
    descriptors: Vec<OwnedFd>,
    sender: Option<libc::ucred>,
    flags: i32,
}

/// Receives a message with all that came along, whatever is cut off of it.
fn receive(from: BorrowedFd<'_>) -> Result<Received, Errno> {
    let mut bytes = vec![0; LONGEST];
    // Aligned as a cmsghdr; a little more than these two messages take.
    let mut control = [0u64; (MOST_DESCRIPTORS * size_of::<RawFd>() + size_of::<libc::ucred>() + 64) / 8];
    let mut buffer = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    // SAFETY: all zeroes are a msghdr.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_iov = &raw mut buffer;
    header.msg_iovlen = 1;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = size_of_val(&control) as _;
    // SAFETY: the kernel writes into the two buffers, at most their lengths, and into the header.
    let length =
        unsafe { syscall(libc::SYS_recvmsg, [from.as_raw_fd() as usize, (&raw mut header) as usize, CLOEXEC]) };
    bytes.truncate(length.map_err(Errno::from_raw)?);
    let (mut descriptors, mut sender) = (Vec::new(), None);
    // SAFETY: the header is as the kernel left it, and the macros keep to what it says is there. Each descriptor was made
    // for this process, and nobody else has it; the data of a message needn't be aligned.
    unsafe {
        let mut message = libc::CMSG_FIRSTHDR(&raw const header);
        while !message.is_null() {
            let data = libc::CMSG_DATA(message);
            let length = (*message).cmsg_len as usize - (data as usize - message as usize);
            match ((*message).cmsg_level, (*message).cmsg_type) {
                (libc::SOL_SOCKET, libc::SCM_RIGHTS) => {
                    let fds = data.cast::<RawFd>();
                    let count = length / size_of::<RawFd>();
                    descriptors.extend((0..count).map(|at| OwnedFd::from_raw_fd(fds.add(at).read_unaligned())));
                }
                (libc::SOL_SOCKET, libc::SCM_CREDENTIALS) if length >= size_of::<libc::ucred>() => {
                    sender = Some(data.cast::<libc::ucred>().read_unaligned());
                }
                _ => {}
            }
            message = libc::CMSG_NXTHDR(&raw const header, message);
        }
    }
    Ok(Received { bytes, descriptors, sender, flags: header.msg_flags })
}

const CLOEXEC: usize = libc::MSG_CMSG_CLOEXEC as usize;

/// Sees that closing this one, if it is a socket, doesn't wait for what is to be sent: SO_LINGER (socket(7)).
fn close_at_once(descriptor: BorrowedFd<'_>) {
    // It fails for what is no socket.
    let _ = setsockopt(&descriptor, Linger, &libc::linger { l_onoff: 0, l_linger: 0 });
}

/// What of a message is for the manager: all lines but those that would make the child its main process, which is this one.
/// A line ends with a newline or, to systemd, with a carriage return.
fn passed_on(message: &[u8]) -> Option<Vec<u8>> {
    let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let is_main_pid = |line: &&[u8]| line.starts_with(b"MAINPID=") || line.starts_with(b"MAINPIDFD");
    let lines = message.split_inclusive(is_end).filter(|line| !is_main_pid(line));
    let kept: Vec<u8> = lines.flatten().copied().collect();
    let says_anything = !kept.iter().all(is_end);
    says_anything.then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_main_process_stays_this_one() {
        let kept = |message: &str| passed_on(message.as_bytes()).map(|kept| String::from_utf8(kept).unwrap());
        let same = |message: &str| assert_eq!(kept(message).as_deref(), Some(message));
        same("READY=1");
        same("READY=1\nSTATUS=all is well\n");
        same("STATUS=MAINPID=1");
        same("FDSTORE=1\nFDNAME=a");
        assert_eq!(kept("MAINPID=7\nREADY=1\n").as_deref(), Some("READY=1\n"));
        assert_eq!(kept("READY=1\nMAINPID=7").as_deref(), Some("READY=1\n"));
        assert_eq!(kept("READY=1\nMAINPIDFDID=7\nMAINPIDFD=1").as_deref(), Some("READY=1\n"));
        assert_eq!(kept("READY=1\rMAINPID=7\rSTATUS=x").as_deref(), Some("READY=1\rSTATUS=x"));
        assert_eq!(kept("\rMAINPID=7"), None);
        assert_eq!(kept("MAINPID=7\n"), None);
        assert_eq!(kept(""), None);
    }
}
