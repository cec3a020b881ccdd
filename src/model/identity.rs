//! A user, as a process runs as one.

/// A user, its group, and all of its groups, by their numbers (credentials(7)).
///
/// ```
/// use panicmon::Identity;
///
/// let www = Identity::new(33, 33, [4]);
/// assert_eq!(www.groups, [33, 4]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Identity {
    /// The user.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// All of its groups, as setgroups(2) is given them.
    pub groups: Vec<u32>,
}

impl Identity {
    /// This user, with this group, and with supplementary groups. The group is the first of all.
    pub fn new(uid: u32, gid: u32, groups: impl IntoIterator<Item = u32>) -> Identity {
        let groups = [gid].into_iter().chain(groups.into_iter().filter(|group| *group != gid)).collect();
        Identity { uid, gid, groups }
    }
}
