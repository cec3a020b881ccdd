//! The variables of the command.

use crate::api::environment::Environment;
use crate::formats::accounts::Account;
use crate::program::notify::NOTIFY_SOCKET;
use crate::program::options::settings::Settings;
use crate::sys::notify::Notify;
use std::ffi::{CStr, OsStr};

/// The inherited variables unless `--clear-env` is given, those of the account and of the notification socket, and those of
/// `--env`.
pub(super) fn environment(
    settings: &Settings,
    env: &[&'static CStr],
    account: Option<&Account>,
    notify: Option<&Notify>,
) -> Environment {
    let inherited = if settings.clear_env { &[] } else { env };
    // Another panicmon below must not apply our options a second time.
    let mut environment = Environment::entries(inherited).without(&settings.variables).without(&settings.unset_env);
    for (key, value) in account.iter().flat_map(|account| &account.variables) {
        environment.set(OsStr::new(key), OsStr::new(value));
    }
    if let Some(notify) = notify {
        environment.set(OsStr::new(NOTIFY_SOCKET), notify.name());
    }
    environment.with(&settings.env)
}
