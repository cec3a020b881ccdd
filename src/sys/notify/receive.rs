//! recvmsg(2): a look at the next message, and taking it.
//!
//! Closing a descriptor that came along may wait for ever: a socket that lingers, a file of a FUSE server that doesn't
//! answer. Descriptors for which there is no room are closed by the kernel within recvmsg(2). So the next message is looked
//! at first, in a way that brings no descriptor into this process, and one that has some is taken elsewhere.

use super::message::LONGEST_MESSAGE_BYTES;
use crate::sys::raw::{syscall, syscall_io};
use nix::errno::Errno;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// The kernel's SCM_MAX_FD.
const MOST_DESCRIPTORS: usize = 253;

/// Linux 6.5 and later: a pidfd of the sender comes with each message.
const SO_PASSPIDFD: i32 = if cfg!(target_arch = "sparc64") { 0x55 } else { 76 };
const SCM_PIDFD: i32 = 4;

/// The bytes that a control message with this many bytes of data takes.
const fn space(length: usize) -> usize {
    length.next_multiple_of(size_of::<usize>()) + size_of::<libc::cmsghdr>().next_multiple_of(size_of::<usize>())
}

const CREDENTIALS_BYTES: usize = space(size_of::<libc::ucred>());
const PIDFD_BYTES: usize = space(size_of::<RawFd>());

/// Room for all that may come along, aligned as a `cmsghdr`.
pub(super) type Control = [u64; (CREDENTIALS_BYTES + PIDFD_BYTES + space(MOST_DESCRIPTORS * size_of::<RawFd>())) / 8];

/// The next message, which stays where it is.
#[derive(Debug)]
pub(in crate::sys) struct Seen {
    pub(in crate::sys) bytes: Vec<u8>,
    pub(super) sender: Option<libc::ucred>,
    /// It is longer than that.
    pub(in crate::sys) is_cut: bool,
    pub(in crate::sys) has_descriptors: bool,
}

/// Looks at the next message.
pub(in crate::sys) fn look(socket: BorrowedFd<'_>) -> Result<Seen, Errno> {
    let mut bytes = vec![0; LONGEST_MESSAGE_BYTES];
    // With no room behind the credentials not a single descriptor comes, and the kernel says that some are missing.
    let mut control = [0u64; CREDENTIALS_BYTES / 8];
    let (length, header) = receive(socket, &mut bytes, &mut control, libc::MSG_PEEK)?;
    bytes.truncate(length);
    // SAFETY: the header is as the kernel left it, and its buffer is still there.
    let came = unsafe { came_along(&header) };
    Ok(Seen {
        bytes,
        sender: came.sender,
        is_cut: header.msg_flags & libc::MSG_TRUNC != 0,
        has_descriptors: header.msg_flags & libc::MSG_CTRUNC != 0,
    })
}

/// Takes the next message, which has no descriptors. Whether its sender had ended by then, if that was asked for by
/// [`pass_pidfds`] and the kernel can tell.
pub(in crate::sys) fn take(socket: BorrowedFd<'_>) -> Result<Option<bool>, Errno> {
    let mut control = [0u64; (CREDENTIALS_BYTES + PIDFD_BYTES) / 8];
    let (_, header) = receive(socket, &mut [0; 1], &mut control, 0)?;
    // SAFETY: the header is as the kernel left it, and its buffer is still there.
    let came = unsafe { came_along(&header) };
    let ended = came.has_sender_ended();
    // SAFETY: the kernel made the pidfd for this process with the message, and nothing else owns it.
    drop(came.pidfd.filter(|pidfd| *pidfd >= 0).map(|pidfd| unsafe { OwnedFd::from_raw_fd(pidfd) }));
    Ok(ended)
}

/// Has the kernel send a pidfd of the sender along, or no more. Not while looking: it would come after the descriptors,
/// for which there is to be no room.
pub(super) fn pass_pidfds(socket: BorrowedFd<'_>, pass: bool) {
    let value = i32::from(pass);
    let level = libc::SOL_SOCKET as usize;
    // SAFETY: the kernel reads `value`, an int, of the size that is told. Where it doesn't know the option, no pidfd comes.
    let _ = unsafe {
        syscall(
            libc::SYS_setsockopt,
            [socket.as_raw_fd() as usize, level, SO_PASSPIDFD as usize, (&raw const value) as usize, size_of::<i32>()],
        )
    };
}

fn receive(
    socket: BorrowedFd<'_>,
    bytes: &mut [u8],
    control: &mut [u64],
    flags: i32,
) -> Result<(usize, libc::msghdr), Errno> {
    let mut buffer = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    let mut header = header(&mut buffer, control.as_mut_ptr(), size_of_val(control));
    let flags = flags | libc::MSG_CMSG_CLOEXEC;
    // SAFETY: the kernel writes into the two buffers, at most their lengths, and into the header.
    let length = unsafe {
        syscall(libc::SYS_recvmsg, [socket.as_raw_fd() as usize, (&raw mut header) as usize, flags as usize])
    };
    Ok((length.map_err(Errno::from_raw)?, header))
}

/// A header for these buffers.
pub(super) fn header(buffer: *mut libc::iovec, control: *mut u64, length: usize) -> libc::msghdr {
    // SAFETY: a msghdr is made of numbers and pointers, so all zeroes are one.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_iov = buffer;
    header.msg_iovlen = 1;
    header.msg_control = control.cast();
    header.msg_controllen = length as _;
    header
}

/// What came along with a message.
#[derive(Debug, Default)]
pub(super) struct Came {
    pub(super) descriptors: Vec<RawFd>,
    pub(super) sender: Option<libc::ucred>,
    /// Negative: why there is none.
    pub(super) pidfd: Option<RawFd>,
}

impl Came {
    /// Whether the sender has ended and been waited for; `None`: the kernel doesn't tell.
    pub(super) fn has_sender_ended(&self) -> Option<bool> {
        match -self.pidfd? {
            // The kernel had no room for it.
            libc::EMFILE | libc::ENFILE | libc::ENOMEM => None,
            error if error > 0 => Some(true),
            // SAFETY: touches no memory; signal 0 isn't one.
            pidfd => Some(matches!(
                unsafe { syscall_io(libc::SYS_pidfd_send_signal, [-pidfd as usize, 0, 0, 0]) },
                Err(error) if error.raw_os_error() == Some(libc::ESRCH)
            )),
        }
    }
}

/// Reads the control messages.
///
/// # Safety
/// The header must be as recvmsg(2) left it, and its control buffer be there.
pub(super) unsafe fn came_along(header: &libc::msghdr) -> Came {
    let mut came = Came::default();
    // SAFETY: the macros keep to what the header says is there; the data of a message needn't be aligned.
    unsafe {
        let mut message = libc::CMSG_FIRSTHDR(header);
        while !message.is_null() {
            let data = libc::CMSG_DATA(message);
            let length = ((*message).cmsg_len as usize).saturating_sub(data as usize - message as usize);
            match ((*message).cmsg_level, (*message).cmsg_type) {
                (libc::SOL_SOCKET, libc::SCM_RIGHTS) => {
                    let fds = data.cast::<RawFd>();
                    let count = length / size_of::<RawFd>();
                    came.descriptors.extend((0..count).map(|at| fds.add(at).read_unaligned()));
                }
                (libc::SOL_SOCKET, libc::SCM_CREDENTIALS) if length >= size_of::<libc::ucred>() => {
                    came.sender = Some(data.cast::<libc::ucred>().read_unaligned());
                }
                (libc::SOL_SOCKET, SCM_PIDFD) if length >= size_of::<RawFd>() => {
                    came.pidfd = Some(data.cast::<RawFd>().read_unaligned());
                }
                _ => {}
            }
            message = libc::CMSG_NXTHDR(header, message);
        }
    }
    came
}
