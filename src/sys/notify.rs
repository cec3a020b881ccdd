//! The notification socket of a service manager, sd_notify(3), passed on: systemd listens to its own child alone
//! (`NotifyAccess=main`), which is this process and not the one that has something to say.
//!
//! Ours is in the abstract namespace, unix(7): no directory that can be written is needed for it. Whoever is in the same
//! network namespace could send something to it, so who did is looked at.

use super::descendants;
use super::fd::above_stdio;
use crate::Pid;
use nix::cmsg_space;
use nix::errno::Errno;
use nix::sys::socket::sockopt::PassCred;
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, Shutdown, SockFlag, SockType, UnixAddr,
    UnixCredentials, bind, connect, getsockname, recvmsg, sendmsg, setsockopt, shutdown, socket,
};
use std::ffi::{OsStr, OsString};
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The longest message that systemd takes.
const LONGEST: usize = libc::PIPE_BUF;

/// The kernel's SCM_MAX_FD.
const MOST_DESCRIPTORS: usize = 253;

/// So many messages are passed on before we see what else has come.
const AT_ONCE: usize = 64;

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
        for _ in 0..AT_ONCE {
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
        let mut bytes = [0; LONGEST];
        let mut control = cmsg_space!([RawFd; MOST_DESCRIPTORS], UnixCredentials);
        let mut descriptors = Vec::new();
        let mut sender = None;
        let (length, flags) = {
            let mut buffers = [IoSliceMut::new(&mut bytes)];
            let flags = MsgFlags::MSG_CMSG_CLOEXEC;
            let received = recvmsg::<()>(self.own.as_raw_fd(), &mut buffers, Some(&mut control), flags)?;
            // Whatever else is wrong with it, its descriptors are closed.
            for message in received.cmsgs().into_iter().flatten() {
                match message {
                    ControlMessageOwned::ScmRights(fds) => {
                        // SAFETY: the kernel has made them for this process, and nobody else has them.
                        descriptors.extend(fds.into_iter().map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }));
                    }
                    ControlMessageOwned::ScmCredentials(who) => sender = Some(who),
                    _ => {}
                }
            }
            (received.bytes, received.flags)
        };
        if !sender.is_some_and(|who| self.is_trusted(&who)) {
            // Once: somebody may send many.
            if let Some(who) = sender.filter(|_| !std::mem::replace(&mut self.has_warned, true)) {
                let (pid, uid) = (who.pid(), who.uid());
                log::warn!(
                    "pid {pid} of user {uid}, which isn't the command's, sends notifications: they aren't passed on"
                );
            }
            return Ok(None);
        }
        if flags.contains(MsgFlags::MSG_TRUNC) {
            log::warn!("a notification of the command is longer than {LONGEST} bytes, it isn't passed on");
            return Ok(None);
        }
        if flags.contains(MsgFlags::MSG_CTRUNC) {
            log::warn!("descriptors of a notification are lost: are too many open?");
        }
        let passed_on = passed_on(&bytes[..length]);
        Ok(passed_on.map(|bytes| Message { bytes, descriptors }))
    }

    /// Who sent it may have ended already, as systemd-notify(1) has: then its user must do.
    fn is_trusted(&self, sender: &UnixCredentials) -> bool {
        self.users.contains(&sender.uid()) || descendants::is_descendant(Pid::new(sender.pid()))
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

/// What of a message is for the manager: all lines but those that would make the child its main process, which is this one.
fn passed_on(message: &[u8]) -> Option<Vec<u8>> {
    let is_main_pid = |line: &&[u8]| line.starts_with(b"MAINPID=") || line.starts_with(b"MAINPIDFD");
    let lines: Vec<_> = message.split(|byte| *byte == b'\n').filter(|line| !is_main_pid(line)).collect();
    let kept = lines.join(&b'\n');
    let says_anything = kept.iter().any(|byte| *byte != b'\n');
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
        assert_eq!(kept("READY=1\nMAINPID=7").as_deref(), Some("READY=1"));
        assert_eq!(kept("READY=1\nMAINPIDFDID=7\nMAINPIDFD=1").as_deref(), Some("READY=1"));
        assert_eq!(kept("MAINPID=7\n"), None);
        assert_eq!(kept(""), None);
    }
}
