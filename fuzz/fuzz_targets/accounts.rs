//! passwd(5) and group(5), and the unit files of a service.
//!
//! The input: user, group, passwd and group, with NULs between.
#![no_main]

use libfuzzer_sys::fuzz_target;
use panicmon::fuzzing::{account, service_of_cgroup, service_reload};
use panicmon_fuzz::within_limits;
use std::collections::BTreeSet;

fuzz_target!(|text: &str| {
    let mut parts = text.splitn(4, '\0');
    let mut next = || parts.next().unwrap_or_default();
    let (user, group, passwd, groups) = (next(), next(), next(), next());
    let group = Some(group).filter(|group| !group.is_empty());
    within_limits(|| {
        if let Ok((identity, variables)) = account(user, group, passwd.to_owned(), groups.to_owned()) {
            let all = [identity.uid, identity.gid].into_iter().chain(identity.groups.iter().copied());
            assert!(all.into_iter().all(|id| id != u32::MAX), "{identity:?}: \"unchanged\" to the kernel");
            assert_eq!(identity.groups.first(), Some(&identity.gid));
            assert_eq!(identity.groups.iter().collect::<BTreeSet<_>>().len(), identity.groups.len(), "{identity:?}");
            assert!(group.is_none() || identity.groups.len() == 1);
            assert!(
                variables.iter().all(|(_, value)| !value.is_empty() && !value.contains(['\n', '\0']))
                    || user.is_empty()
            );
        }
        let signal = service_reload(text.split('\0'));
        assert!(signal.is_none() || text.contains("notify-reload"));
        assert!(service_of_cgroup(text).is_none_or(|unit| text.contains(&unit) && !unit.contains('/')));
    });
});
