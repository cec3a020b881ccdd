//! What this process is allowed: capabilities(7), and what it may never gain.

use super::raw::syscall_io;
use std::io;

/// A capability that matters to a wrapper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Capability {
    Kill = 5,
    SetGid = 6,
    SetUid = 7,
}

/// The kernel's _LINUX_CAPABILITY_VERSION_3.
const CAPABILITY_VERSION: u32 = 0x2008_0522;

#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Sets {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Whether this process has the capability: capget(2).
pub(crate) fn is_effective(capability: Capability) -> bool {
    let mut header = Header { version: CAPABILITY_VERSION, pid: 0 };
    // The capabilities from 32 on are in the second.
    let mut sets = [Sets::default(); 2];
    // SAFETY: the kernel reads the header, and writes two structures of this version, for which `sets` is the room.
    let got = unsafe { syscall_io(libc::SYS_capget, [(&raw mut header) as usize, sets.as_mut_ptr() as usize]) };
    got.is_ok() && sets[0].effective & 1 << capability as u32 != 0
}

/// Whether an exec gives this process no new privileges: prctl(2).
pub(crate) fn has_no_new_privileges() -> io::Result<bool> {
    // SAFETY: the call touches no memory.
    unsafe { syscall_io(libc::SYS_prctl, [libc::PR_GET_NO_NEW_PRIVS as usize, 0, 0, 0, 0]) }.map(|set| set == 1)
}
