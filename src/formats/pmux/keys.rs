//! The keys of a file, and what is said about an unknown one.

use super::fault::Fault;
use super::synonyms;
use super::yaml::Node;
use crate::formats::nearest::nearest;
use crate::model::printable::shown;

/// The keys at the top of a file.
pub(super) const TOP_KEYS: [&str; 14] = [
    "timeFormat",
    "processes",
    "events",
    "hook",
    "hookOn",
    "hookTimeout",
    "report",
    "reportKeep",
    "terminationLog",
    "metrics",
    "stderrTail",
    "stdoutTail",
    "redact",
    "reportArgs",
];

/// The keys of a process.
pub(super) const PROCESS_KEYS: [&str; 13] = [
    "name",
    "cmd",
    "args",
    "env",
    "dir",
    "minWait",
    "maxWait",
    "stopSignal",
    "sigKillWait",
    "drain",
    "noRestartOn",
    "success",
    "signals",
];

/// The fault of a key that isn't known at the top of a file.
pub(super) fn unknown_at_top(at: &Node<'_>, key: &str) -> Fault {
    let elsewhere = (&PROCESS_KEYS[..], "within a process");
    let advice = advice(key, &TOP_KEYS, elsewhere).unwrap_or_else(|| format!("at the top are {}", TOP_KEYS.join(", ")));
    fault(at, key, &advice)
}

/// The fault of a key that isn't known within a process.
pub(super) fn unknown_in_process(at: &Node<'_>, key: &str) -> Fault {
    let elsewhere = (&TOP_KEYS[..], "at the top of the file");
    let advice = advice(key, &PROCESS_KEYS, elsewhere)
        .or_else(|| synonyms::instead(key).map(str::to_owned))
        .unwrap_or_else(|| format!("a process has {}", PROCESS_KEYS.join(", ")));
    fault(at, key, &advice)
}

/// What to write instead, if that can be told: the key that is meant, or where it belongs.
fn advice(key: &str, known: &[&str], (others, there): (&[&str], &str)) -> Option<String> {
    match (synonyms::synonym(key), nearest(key, known)) {
        (Some((meant, advice)), _) if known.contains(&meant) => Some(advice),
        (Some((meant, advice)), _) if others.contains(&meant) => Some(format!("{advice}, and belongs {there}")),
        (_, Some(nearest)) => Some(format!("did you mean '{nearest}'?")),
        _ if others.contains(&key) => Some(format!("it belongs {there}")),
        _ => None,
    }
}

fn fault(at: &Node<'_>, key: &str, advice: &str) -> Fault {
    Fault::new(at.defined, format!("unknown key '{}': {advice}", shown(key)))
}
