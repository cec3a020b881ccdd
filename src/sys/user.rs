//! Which user and groups a process has: setgroups(2), setresgid(2), setresuid(2).

use super::raw::{Errno, syscall};
use crate::model::identity::Identity;
use nix::unistd::{getgroups, getresgid, getresuid};

/// Whether this process has exactly this user and these groups already. Then nothing needs to be changed, which takes
/// capabilities.
pub(crate) fn is_own(identity: &Identity) -> bool {
    let (Ok(user), Ok(group), Ok(groups)) = (getresuid(), getresgid(), getgroups()) else { return false };
    let mut own: Vec<_> = groups.iter().map(|group| group.as_raw()).collect();
    let mut wanted = identity.groups.clone();
    own.sort_unstable();
    own.dedup();
    wanted.sort_unstable();
    // It makes no difference to what is allowed whether the group itself is among the groups.
    own.retain(|group| *group != identity.gid);
    wanted.retain(|group| *group != identity.gid);
    let is = |ids: [u32; 3], wanted| ids.iter().all(|id| *id == wanted);
    is([user.real.as_raw(), user.effective.as_raw(), user.saved.as_raw()], identity.uid)
        && is([group.real.as_raw(), group.effective.as_raw(), group.saved.as_raw()], identity.gid)
        && own == wanted
}

/// A user or group of this process that isn't the one whose rights it has: a set-user-id program has left it so.
#[cfg(feature = "cli")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Differing {
    /// `user` or `group`.
    pub(crate) what: &'static str,
    pub(crate) real: u64,
    pub(crate) effective: u64,
}

/// Whether this process was started with a real user or group that isn't the effective one. To the kernel, each execve(2) of
/// such a process is that of a set-user-id program, whatever it executes: it takes the parent-death signal away.
///
/// The auxiliary vector tells it without a system call. Where that lacks them, all are 0.
#[cfg(feature = "cli")]
pub(crate) fn differing() -> Option<Differing> {
    // SAFETY: getauxval(3) reads what the kernel has put behind the environment.
    let id = |kind| unsafe { libc::getauxval(kind) };
    let differing = |what, real, effective| Differing { what, real: id(real), effective: id(effective) };
    let ids = [("user", libc::AT_UID, libc::AT_EUID), ("group", libc::AT_GID, libc::AT_EGID)];
    let mut ids = ids.into_iter().map(|(what, real, effective)| differing(what, real, effective));
    ids.find(|ids| ids.real != ids.effective)
}

/// The user and the group whose rights this process has.
#[cfg(feature = "reports")]
pub(crate) fn own() -> (u32, u32) {
    (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw())
}

/// Gives this process, a child before its exec, the user and the groups. Async-signal-safe.
pub(super) fn take(identity: &Identity) -> Result<(), Errno> {
    let (uid, gid) = (identity.uid as usize, identity.gid as usize);
    // SAFETY: the first call reads the slice, whose length it is told; the others touch no memory. Made directly, the calls
    // change the calling task alone, which is a process of its own.
    unsafe {
        syscall(libc::SYS_setgroups, [identity.groups.len(), identity.groups.as_ptr() as usize])?;
        syscall(libc::SYS_setresgid, [gid, gid, gid])?;
        syscall(libc::SYS_setresuid, [uid, uid, uid])?;
    }
    Ok(())
}
