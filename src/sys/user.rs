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
