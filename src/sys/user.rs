//! Who a process is: setgroups(2), setresgid(2), setresuid(2).

use super::raw::{Errno, syscall};
use nix::unistd::{getgroups, getresgid, getresuid};

/// A user, its group, and all of its groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) groups: Vec<u32>,
}

impl Identity {
    /// Whether this process is just that already: then nothing is to be changed, for which not everybody has the right.
    pub(crate) fn is_own(&self) -> bool {
        let (Ok(user), Ok(group), Ok(groups)) = (getresuid(), getresgid(), getgroups()) else { return false };
        let mut own: Vec<_> = groups.iter().map(|group| group.as_raw()).collect();
        let mut wanted = self.groups.clone();
        own.sort_unstable();
        own.dedup();
        wanted.sort_unstable();
        // Whether the group itself is among them makes no difference to what is allowed.
        own.retain(|group| *group != self.gid);
        wanted.retain(|group| *group != self.gid);
        let is = |ids: [u32; 3], wanted| ids.iter().all(|id| *id == wanted);
        is([user.real.as_raw(), user.effective.as_raw(), user.saved.as_raw()], self.uid)
            && is([group.real.as_raw(), group.effective.as_raw(), group.saved.as_raw()], self.gid)
            && own == wanted
    }

    /// Makes this process that, a child before its exec. Async-signal-safe.
    pub(super) fn take(&self) -> Result<(), Errno> {
        let (uid, gid) = (self.uid as usize, self.gid as usize);
        // SAFETY: the first call reads so many numbers of the slice, the others touch no memory. By the raw calls these
        // change the calling task alone, which is a process of its own.
        unsafe {
            syscall(libc::SYS_setgroups, [self.groups.len(), self.groups.as_ptr() as usize])?;
            syscall(libc::SYS_setresgid, [gid, gid, gid])?;
            syscall(libc::SYS_setresuid, [uid, uid, uid])?;
        }
        Ok(())
    }
}
