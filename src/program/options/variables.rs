//! The variables whose names begin with `PANICMON_`: their values, and misspelt ones.

use super::flags::FLAGS;
use super::settings::Slip;
use crate::formats::nearest::nearest;
use crate::model::env;
use crate::program::logger;
use std::ffi::{CStr, OsStr};

const PREFIX: &str = "PANICMON_";

/// What is no variable of an option, but near one. Images use PANICMON_VERSION for something of their own, and it is near
/// PANICMON_SESSION; a hook, which may run panicmon, has PANICMON_EVENT.
const NO_VARIABLES: [&str; 3] = ["PANICMON_VERSION", "PANICMON_HELP", "PANICMON_EVENT"];

/// The value of a variable. An empty one counts as unset, so that a variable of an image can be switched off.
pub(crate) fn value(env: &[&'static CStr], name: &str) -> Option<&'static OsStr> {
    env::get(env, name).filter(|value| !value.is_empty())
}

/// The variables that are nearly those of an option.
pub(crate) fn slips(env: &[&CStr]) -> Vec<Slip> {
    let is_any = env.iter().any(|entry| entry.to_bytes().starts_with(PREFIX.as_bytes()));
    if is_any { slips_among(env) } else { Vec::new() }
}

#[cold]
fn slips_among(env: &[&CStr]) -> Vec<Slip> {
    let known = FLAGS.iter().map(|flag| flag.variable).chain([logger::FILTER]).chain(NO_VARIABLES);
    let known: Vec<_> = known.filter_map(|variable| variable.strip_prefix(PREFIX)).collect();
    let slip = |entry: &&CStr| {
        let name = entry.to_bytes().split(|byte| *byte == b'=').next().unwrap_or_default();
        let written = String::from_utf8_lossy(name);
        let word = written.strip_prefix(PREFIX).filter(|word| !known.contains(word) && !is_of_a_service(word))?;
        let meant = format!("{PREFIX}{}", nearest(word, &known)?);
        (!NO_VARIABLES.contains(&meant.as_str())).then(|| Slip { written: written.into_owned(), meant })
    };
    env.iter().filter_map(slip).collect()
}

/// Whether Kubernetes sets it, in every container beside a service that is called panicmon or panicmon-something:
/// `PANICMON_SERVICE_HOST`, `PANICMON_SERVICE_PORT_HTTP`, `PANICMON_PORT`, `PANICMON_PORT_80_TCP_ADDR`.
fn is_of_a_service(word: &str) -> bool {
    word.split('_').any(|part| matches!(part, "SERVICE" | "PORT"))
}

/// Tells the name of each, and the one that was meant.
#[cold]
pub(crate) fn tell_slips(env: &[&CStr], tell: &mut dyn FnMut(&str, &str)) {
    for Slip { written, meant } in slips(env) {
        tell(&written, &meant);
    }
}

/// Warns of each.
pub(crate) fn warn_of(slips: &[Slip]) {
    for Slip { written, meant } in slips {
        log::warn!("{}: no option has this variable: did you mean {meant}?", written.escape_debug());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(name: &str) -> Option<String> {
        let entry = std::ffi::CString::new(format!("{name}=1")).unwrap();
        slips(&[c"HOME=/", &entry, c"PANICMON=1"]).first().map(|slip| slip.meant.clone())
    }

    #[test]
    fn a_slip_is_told_and_another_name_is_not() {
        for (name, expected) in [
            ("PANICMON_DRIAN", Some("PANICMON_DRAIN")),
            ("PANICMON_drain", Some("PANICMON_DRAIN")),
            ("PANICMON_KILLAFTER", Some("PANICMON_KILL_AFTER")),
            ("PANICMON_SIGNAL", Some("PANICMON_SIGNALS")),
            ("PANICMON_MAX_RESTART", Some("PANICMON_MAX_RESTARTS")),
            ("PANICMON_LOGS", Some("PANICMON_LOG")),
            ("PANICMON_LOG", None),
            ("PANICMON_VERSION", None),
            ("PANICMON_VERSIONS", None),
            ("PANICMON_HELP", None),
            ("PANICMON_HOME", None),
            ("PANICMON_IMAGE", None),
            ("PANICMON_SHA256", None),
            ("PANICMON_", None),
            ("PANICMON", None),
            ("panicmon_drain", None),
        ] {
            assert_eq!(meant(name).as_deref(), expected, "{name}");
        }
        for flag in FLAGS {
            assert_eq!(meant(flag.variable), None, "{}", flag.variable);
        }
    }

    /// Neither now nor when options are added whose names are near those.
    #[test]
    fn a_service_of_kubernetes_is_no_slip() {
        let of_service = |service: &str| {
            let of_port = ["", "_PROTO", "_PORT", "_ADDR"].map(|end| format!("PORT_80_TCP{end}"));
            let others = ["SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP", "PORT", "PORT_53_UDP"];
            let all = of_port.into_iter().chain(others.map(str::to_owned));
            all.map(|end| format!("PANICMON_{service}{end}")).collect::<Vec<_>>()
        };
        for name in ["", "WEB_", "DRIAN_", "ENV_", "RE_"].into_iter().flat_map(of_service) {
            assert!(is_of_a_service(name.strip_prefix(PREFIX).unwrap()), "{name}");
            assert_eq!(meant(&name), None, "{name}");
        }
    }

    #[test]
    fn the_first_of_a_name_counts_and_an_empty_one_says_nothing() {
        let env = [c"PANICMON_DRAINS=1s", c"PANICMON_DRAIN=2s", c"PANICMON_DRAIN=3s", c"PANICMON_USER="];
        assert_eq!(value(&env, "PANICMON_DRAIN"), Some(OsStr::new("2s")));
        assert_eq!(value(&env, "PANICMON_USER"), None);
        assert_eq!(value(&env, "PANICMON_DIR"), None);
    }
}
