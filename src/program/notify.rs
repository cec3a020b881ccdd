//! The notification socket of the service manager, and the one the command has in its place: sd_notify(3).

use super::options::settings::Settings;
use crate::formats::accounts::Account;
use crate::model::env;
use crate::sys::notify::{Directories, Notify};
use std::ffi::{CStr, OsStr, OsString};

/// The variable that names the socket of the service manager.
pub(crate) const NOTIFY_SOCKET: &str = "NOTIFY_SOCKET";

/// Passes on what the command tells its service manager, if there is one, and the command has the variable.
pub(crate) fn relay(settings: &Settings, env: &[&CStr], account: Option<&Account>) -> Option<Box<Notify>> {
    env::get(env, NOTIFY_SOCKET).and_then(|manager| relay_to(manager, settings, env, account))
}

#[cold]
fn relay_to(manager: &OsStr, settings: &Settings, env: &[&CStr], account: Option<&Account>) -> Option<Box<Notify>> {
    let is_it = |name: &OsString| name == NOTIFY_SOCKET;
    if settings.clear_env || settings.unset_env.iter().any(is_it) || settings.env.iter().any(|(name, _)| is_it(name)) {
        return None;
    }
    let user = account.map(|account| &account.identity);
    let relay = Notify::relay(manager, user, directories(env)).unwrap_or_else(|error| {
        log::warn!("can't pass notifications on to NOTIFY_SOCKET={}: {error}", manager.display());
        None
    });
    relay.map(Box::new)
}

/// The directories in which the command's socket may be made.
pub(crate) fn directories<'e>(env: &[&'e CStr]) -> Directories<'e> {
    Directories { runtime: env::get(env, "RUNTIME_DIRECTORY"), temporary: env::get(env, "TMPDIR") }
}
