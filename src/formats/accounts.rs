//! Users and groups, by name or number, from the files of passwd(5) and group(5).
//!
//! glibc's functions load other libraries for that, which a static program can't.

use crate::model::identity::Identity;
use std::collections::BTreeSet;
use std::io;
use std::iter;

const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";

/// The highest id; the next number means "unchanged" in setresuid(2).
const MAX_ID: u32 = u32::MAX - 1;

/// A user's ids, and the variables that a login would set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) identity: Identity,
    /// HOME, USER, LOGNAME and SHELL, for a user that passwd(5) knows.
    pub(crate) variables: Vec<(&'static str, String)>,
}

/// A line of passwd(5).
struct User<'t> {
    name: &'t str,
    uid: u32,
    gid: u32,
    home: &'t str,
    shell: &'t str,
}

/// A line of group(5).
struct Group<'t> {
    name: &'t str,
    gid: u32,
    members: &'t str,
}

/// Looks up a user, and the group that replaces its groups, if one is given. The error is a message.
pub(crate) fn find(user: &str, group: Option<&str>) -> Result<Account, String> {
    let read = |path: &str| std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    look_up(user, group, &read(PASSWD), &read(GROUP))
}

pub(super) fn look_up(
    user: &str,
    group: Option<&str>,
    passwd: &io::Result<String>,
    groups: &io::Result<String>,
) -> Result<Account, String> {
    let users = || text(passwd).lines().filter_map(self::user);
    let groups_of = || text(groups).lines().filter_map(self::group);

    let by_name = users().find(|entry| entry.name == user);
    let uid = match &by_name {
        Some(entry) => entry.uid,
        None => number(user).ok_or_else(|| format!("'{user}' is {}", missing(PASSWD, passwd)))?,
    };
    // A number may be in the file, too: then the groups are those of the file, and the home is.
    let entry = by_name.or_else(|| users().find(|entry| entry.uid == uid));
    let (gid, supplementary) = match (group, &entry) {
        (Some(group), _) => {
            let gid = groups_of().find(|entry| entry.name == group).map(|entry| entry.gid).or_else(|| number(group));
            (gid.ok_or_else(|| format!("the group '{group}' is {}", missing(GROUP, groups)))?, Vec::new())
        }
        (None, Some(entry)) => {
            let is_member = |group: &Group<'_>| group.members.split(',').any(|member| member == entry.name);
            (entry.gid, groups_of().filter(is_member).map(|group| group.gid).collect())
        }
        (None, None) => {
            return Err(format!("'{user}' is not in {PASSWD}, so its group isn't known: write {user}:GROUP"));
        }
    };
    let mut seen = BTreeSet::new();
    let groups: Vec<u32> = iter::once(gid).chain(supplementary).filter(|group| seen.insert(*group)).collect();
    let variables = entry.map_or(Vec::new(), |entry| {
        let or = |value: &str, default: &str| if value.is_empty() { default } else { value }.to_owned();
        vec![
            ("HOME", or(entry.home, "/")),
            ("USER", entry.name.to_owned()),
            ("LOGNAME", entry.name.to_owned()),
            ("SHELL", or(entry.shell, "/bin/sh")),
        ]
    });
    Ok(Account { identity: Identity { uid, gid, groups }, variables })
}

fn text(file: &io::Result<String>) -> &str {
    file.as_ref().map_or("", String::as_str)
}

fn number(word: &str) -> Option<u32> {
    let digits = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    word.parse().ok().filter(|number| digits && *number <= MAX_ID)
}

fn missing(path: &str, file: &io::Result<String>) -> String {
    match file {
        Ok(_) => format!("neither in {path} nor a number from 0 to {MAX_ID}"),
        Err(error) => format!("no number from 0 to {MAX_ID}, and {path} can't be read: {error}"),
    }
}

fn user(line: &str) -> Option<User<'_>> {
    let mut fields = line.split(':');
    let (name, _) = (fields.next()?, fields.next()?);
    let (uid, gid) = (number(fields.next()?)?, number(fields.next()?)?);
    let mut rest = fields.skip(1);
    Some(User { name, uid, gid, home: rest.next().unwrap_or_default(), shell: rest.next().unwrap_or_default() })
}

fn group(line: &str) -> Option<Group<'_>> {
    let mut fields = line.split(':');
    let (name, _) = (fields.next()?, fields.next()?);
    Some(Group { name, gid: number(fields.next()?)?, members: fields.next().unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "root:x:0:0:root:/root:/bin/bash\n\nbroken\nbad:x:seven:7:::\nwww:x:33:33:www:/var/www:/usr/sbin/nologin\n\
                         1000:x:5:5:::\nada:x:1000:1001:Ada,,,:/home/ada:\nbare:x:7:7\n";
    const GROUPS: &str = "root:x:0:\nadm:x:4:ada,www\nada:x:1001:\nwww:x:33:ada\nvideo:x:44:adam,xada\naudio:x:29:root,ada\nagain:x:4:ada\n";

    fn found(user: &str, group: Option<&str>) -> Result<(u32, u32, Vec<u32>), String> {
        let account = look_up(user, group, &Ok(USERS.to_owned()), &Ok(GROUPS.to_owned()))?;
        let Identity { uid, gid, groups } = account.identity;
        Ok((uid, gid, groups))
    }

    #[test]
    fn a_user_has_the_groups_of_the_files() {
        assert_eq!(found("ada", None), Ok((1000, 1001, vec![1001, 4, 33, 29])));
        assert_eq!(found("root", None), Ok((0, 0, vec![0, 29])));
        assert_eq!(found("33", None), Ok((33, 33, vec![33, 4])), "a number that is in the file");
        assert_eq!(found("1000", None), Ok((5, 5, vec![5])), "a name comes before a number");
        assert_eq!(found("bare", None), Ok((7, 7, vec![7])));
    }

    #[test]
    fn a_group_that_is_given_is_the_only_one() {
        assert_eq!(found("ada", Some("adm")), Ok((1000, 4, vec![4])));
        assert_eq!(found("4242", Some("4243")), Ok((4242, 4243, vec![4243])));
    }

    #[test]
    fn who_is_not_there_is_told() {
        for (user, group, told) in [
            ("bob", None, "'bob' is neither in /etc/passwd nor a number from 0 to 4294967294"),
            ("4242", None, "'4242' is not in /etc/passwd, so its group isn't known: write 4242:GROUP"),
            ("ada", Some("staff"), "the group 'staff' is neither in /etc/group nor a number"),
            ("4294967295", Some("0"), "'4294967295' is neither in /etc/passwd nor a number"),
            ("-1", Some("0"), "'-1' is neither"),
            ("bad", None, "'bad' is neither"),
        ] {
            let message = found(user, group).unwrap_err();
            assert!(message.starts_with(told), "{message}");
        }
        let none = || Err(io::Error::from_raw_os_error(libc::ENOENT));
        let message = look_up("ada", None, &none(), &none()).unwrap_err();
        assert!(message.contains("/etc/passwd can't be read: No such file"), "{message}");
        assert!(look_up("7", Some("7"), &none(), &none()).is_ok());
    }

    #[test]
    fn an_entry_tells_what_a_login_would() {
        let variables = |user: &str, group| {
            let found = look_up(user, group, &Ok(USERS.to_owned()), &Ok(GROUPS.to_owned())).unwrap().variables;
            found.into_iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>()
        };
        let ada = ["HOME=/home/ada", "USER=ada", "LOGNAME=ada", "SHELL=/bin/sh"];
        assert_eq!(variables("ada", None), ada);
        // A name that looks like a number comes first.
        assert_eq!(variables("1000", None)[0], "HOME=/");
        let www = ["HOME=/var/www", "USER=www", "LOGNAME=www", "SHELL=/usr/sbin/nologin"];
        assert_eq!(
            (variables("33", None), variables("33", Some("0"))),
            (www.map(str::to_owned).into(), www.map(str::to_owned).into())
        );
        assert!(variables("4242", Some("0")).is_empty());
    }
}
