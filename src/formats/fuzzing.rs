//! The readers of this floor, for the targets in fuzz/.

use super::accounts;
use super::duration as durations;
use super::timestamp::TimeFormat;
use super::unit_file;
use super::unit_file::Service;
use crate::model::identity::Identity;
use crate::model::signal::Signal;
use jiff::tz::TimeZone;
use std::time::{Duration, SystemTime};

/// Reads a duration.
pub fn duration(word: &str) -> Result<Duration, String> {
    durations::parse(word)
}

/// Looks up a user, and a group if there is one, in the texts of passwd(5) and group(5). A user that was given by name comes
/// with variables.
pub fn account(
    user: &str,
    group: Option<&str>,
    passwd: String,
    groups: String,
) -> Result<(Identity, Variables), String> {
    accounts::look_up(user, group, &Ok(passwd), &Ok(groups)).map(|account| (account.identity, account.variables))
}

/// Names and values.
pub type Variables = Vec<(&'static str, String)>;

/// What unit files say of a reload, one after the other.
pub fn service_reload<'t>(files: impl Iterator<Item = &'t str>) -> Option<Signal> {
    let mut service = Service::default();
    files.for_each(|file| service.apply(file));
    service.reload_signal()
}

/// The name of the service of a cgroup.
pub fn service_of_cgroup(groups: &str) -> Option<String> {
    unit_file::service_of_cgroup(groups)
}

/// The time in this format and zone (POSIX's form of TZ, or else UTC); `None`: it is no format.
pub fn timestamp(format: &str, zone: &str, time: SystemTime) -> Option<Vec<u8>> {
    let format: TimeFormat = format.parse().ok()?;
    let mut written = Vec::new();
    format.write(time, &TimeZone::posix(zone).unwrap_or(TimeZone::UTC), &mut written);
    Some(written)
}
