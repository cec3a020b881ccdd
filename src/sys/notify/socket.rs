//! The sockets on both sides: unix(7).

use crate::sys::fd::above_stdio;
use nix::sys::socket::sockopt::PassCred;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, bind, connect, getsockname, setsockopt, socket};
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;

/// The longest abstract name: what is left of `sun_path` behind the NUL that such a name begins with.
const ABSTRACT_NAME_BYTES: usize =
    size_of::<libc::sockaddr_un>() - std::mem::offset_of!(libc::sockaddr_un, sun_path) - 1;

pub(super) fn datagram_socket() -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    above_stdio(socket(AddressFamily::Unix, SockType::Datagram, flags, None)?)
}

/// A socket that learns the sender of each message (SO_PASSCRED).
pub(super) fn listening_socket() -> io::Result<OwnedFd> {
    let socket = datagram_socket()?;
    setsockopt(&socket, PassCred, &true)?;
    Ok(socket)
}

pub(super) fn connected(address: &UnixAddr) -> io::Result<OwnedFd> {
    let socket = datagram_socket()?;
    connect(socket.as_raw_fd(), address)?;
    Ok(socket)
}

/// Gives it an abstract name, and returns that with a socket of the same name padded with NUL bytes to the full length:
/// there are clients that connect with the whole `sockaddr_un`.
pub(super) fn bind_abstract(own: &OwnedFd) -> io::Result<(OsString, Option<OwnedFd>)> {
    // Without a name: the kernel finds one.
    bind(own.as_raw_fd(), &UnixAddr::new_unnamed())?;
    let bound: UnixAddr = getsockname(own.as_raw_fd())?;
    let short = bound.as_abstract().ok_or_else(|| io::Error::other("the socket got no name"))?;
    let mut name = vec![b'@'];
    name.extend_from_slice(short);
    let padded = listening_socket().and_then(|padded| {
        let mut full = [0; ABSTRACT_NAME_BYTES];
        full[..short.len()].copy_from_slice(short);
        bind(padded.as_raw_fd(), &UnixAddr::new_abstract(&full)?)?;
        Ok(padded)
    });
    Ok((OsString::from_vec(name), padded.ok()))
}
