//! Which processes speak for the command: it and its descendants.
//!
//! A client that sends one message and ends at once, as `systemd-notify --no-block` does, may be gone and waited for before
//! we look: then there is nothing but its user to go by, and that must be the command's. A process of that user that isn't
//! a descendant can therefore speak for the command by ending quickly. It could as well have traced the command.

use crate::model::pid::Pid;
use crate::sys::descendants;
use crate::sys::descendants::Kin;

/// What is thought of a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// What its number says, which may be another process's by now.
    kin: Kin,
    /// It is of the command's user.
    is_users: bool,
}

/// Looks at a sender.
pub(super) fn judge(sender: libc::ucred, user: u32) -> Verdict {
    // One outside this PID namespace has the number 0 here.
    let kin = if sender.pid > 0 { descendants::kin(Pid::new(sender.pid)) } else { Kin::Stranger };
    Verdict { kin, is_users: sender.uid == user }
}

impl Verdict {
    /// Whether a pidfd could show that the number had been another's.
    pub(super) fn depends_on_its_end(self) -> bool {
        match self.kin {
            Kin::Descendant => !self.is_users,
            Kin::Stranger => self.is_users,
            Kin::Unknown => false,
        }
    }

    /// Whether it speaks for the command. `ended`: it had ended and been waited for when its message was taken, so its
    /// number may be another's; `None`: that isn't known.
    pub(super) fn is_trusted(self, ended: Option<bool>) -> bool {
        match (self.kin, ended) {
            (Kin::Unknown, _) | (_, Some(true)) => self.is_users,
            (Kin::Descendant, _) => true,
            (Kin::Stranger, _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descendant_is_trusted_and_of_the_ended_the_commands_user() {
        let trusted = |kin, is_users, ended| Verdict { kin, is_users }.is_trusted(ended);
        for is_users in [false, true] {
            for ended in [None, Some(false)] {
                assert!(trusted(Kin::Descendant, is_users, ended));
                assert!(!trusted(Kin::Stranger, is_users, ended));
            }
            for kin in [Kin::Descendant, Kin::Stranger, Kin::Unknown] {
                assert_eq!(trusted(kin, is_users, Some(true)), is_users, "the number was another's: {kin:?}");
                // Where a pidfd makes a difference it is asked for.
                let verdict = Verdict { kin, is_users };
                let differs = verdict.is_trusted(Some(false)) != verdict.is_trusted(Some(true));
                assert_eq!(verdict.depends_on_its_end(), differs, "{verdict:?}");
            }
            assert_eq!(trusted(Kin::Unknown, is_users, None), is_users);
        }
    }
}
