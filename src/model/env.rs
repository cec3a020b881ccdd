//! Entries of an environment: `NAME=value`.

use std::ffi::{CStr, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Whether an environment entry is of this name.
pub(crate) fn names(entry: &CStr, key: &[u8]) -> bool {
    entry.to_bytes().strip_prefix(key).is_some_and(|rest| rest.first() == Some(&b'='))
}

/// The value of a variable: that of its first entry, which getenv(3) finds.
pub(crate) fn get<'e>(env: &[&'e CStr], name: &str) -> Option<&'e OsStr> {
    find(env.iter().copied(), name)
}

/// The same, of entries that are kept in another way.
pub(crate) fn find<'e>(mut env: impl Iterator<Item = &'e CStr>, name: &str) -> Option<&'e OsStr> {
    let entry = env.find(|entry| names(entry, name.as_bytes()))?;
    Some(OsStr::from_bytes(&entry.to_bytes()[name.len() + 1..]))
}

/// An entry.
pub(crate) fn assignment(key: &OsStr, value: &OsStr) -> OsString {
    let mut entry = OsString::with_capacity(key.len() + 1 + value.len());
    entry.push(key);
    entry.push("=");
    entry.push(value);
    entry
}

/// Those of this program as they are now; entries without a `=` are left out (`std::env::vars_os`).
pub(crate) fn inherited() -> impl Iterator<Item = OsString> {
    std::env::vars_os().map(|(key, value)| assignment(&key, &value))
}
