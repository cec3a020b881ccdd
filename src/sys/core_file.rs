//! Where the kernel has put the core of a process: core(5).

use super::directory;
use super::proc_fs::Limits;
use crate::model::death::Core;
use crate::model::pid::Pid;
use crate::model::signal::Signal;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A core that is this much older than the process isn't its own: file systems keep times in steps of up to two seconds.
const SLACK: Duration = Duration::from_secs(2);

/// What is known of the core of a zombie that died of a signal which asks for one, and was started in this directory.
pub(crate) fn find(pid: Pid, signal: Signal, dumped: bool, dir: &Path, ran: Duration) -> Core {
    let read = |path: &str| fs::read_to_string(path).ok();
    let pattern = read("/proc/sys/kernel/core_pattern").map(|pattern| pattern.trim_end().to_owned());
    let limit_bytes = Limits::of(pid).and_then(|limits| limits.soft("Max core file size"));
    let appends_pid = read("/proc/sys/kernel/core_uses_pid").is_some_and(|uses| uses.trim() == "1");
    let path = match &pattern {
        Some(pattern) if dumped => {
            let since = SystemTime::now().checked_sub(ran + SLACK);
            written(pattern, appends_pid, pid, signal, dir, since.unwrap_or(SystemTime::UNIX_EPOCH))
        }
        _ => None,
    };
    Core { pattern, path, limit_bytes }
}

/// The file of the core, if it is there, and is no older than the process.
fn written(
    pattern: &str,
    appends_pid: bool,
    pid: Pid,
    signal: Signal,
    dir: &Path,
    since: SystemTime,
) -> Option<PathBuf> {
    if pattern.starts_with('|') || pattern.is_empty() {
        return None;
    }
    let pattern = match appends_pid && !pattern.contains("%p") {
        true => format!("{pattern}.%p"),
        false => pattern.to_owned(),
    };
    let path = dir.join(&pattern);
    let (parent, name) = (path.parent()?, path.file_name()?.to_str()?);
    let pieces = pieces(name, pid, signal);
    let is_new = |path: &PathBuf| fs::metadata(path).and_then(|file| file.modified()).is_ok_and(|at| at >= since);
    let names = directory::names(parent).ok()?;
    let names = names.iter().filter(|name| matches(name.as_bytes(), &pieces));
    let mut found: Vec<_> = names.map(|name| parent.join(OsStr::new(name))).filter(is_new).collect();
    // With more than one it can't be told.
    found.pop().filter(|_| found.is_empty())
}

/// What stands between the parts of a name that aren't known.
fn pieces(name: &str, pid: Pid, signal: Signal) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut letters = name.chars();
    while let Some(letter) = letters.next() {
        let known = match (letter, letter == '%') {
            (letter, false) => Some(letter.to_string()),
            _ => match letters.next() {
                Some('%') => Some("%".to_owned()),
                Some('p') => Some(pid.to_string()),
                Some('s') => Some(signal.number().to_string()),
                // The time, the host, the user, the name of a thread: it is seen by the file.
                _ => None,
            },
        };
        match (known, pieces.last_mut()) {
            (Some(known), Some(last)) => last.push_str(&known),
            _ => pieces.push(String::new()),
        }
    }
    pieces
}

/// Whether a name has these pieces in this order, with anything in between.
fn matches(name: &[u8], pieces: &[String]) -> bool {
    let [first, middle @ .., last] = pieces else {
        return pieces.first().is_some_and(|only| name == only.as_bytes());
    };
    let Some(mut rest) = name.strip_prefix(first.as_bytes()) else { return false };
    for piece in middle {
        let Some(at) = memchr::memmem::find(rest, piece.as_bytes()) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_is_found_by_the_pattern_and_its_age() {
        let dir = std::env::temp_dir().join(format!("panicmon-core-{}", std::process::id()));
        fs::create_dir(&dir).unwrap();
        let (pid, signal, old) = (Pid::new(77), Signal::SEGV, SystemTime::UNIX_EPOCH);
        for name in ["core", "core.77", "core.78", "web-77-11-1700000000", "100%.77"] {
            fs::write(dir.join(name), "").unwrap();
        }
        for (pattern, appends_pid, found) in [
            ("core", false, Some("core")),
            ("core", true, Some("core.77")),
            ("core.%p", true, Some("core.77")),
            ("%e-%p-%s-%t", false, Some("web-77-11-1700000000")),
            ("100%%.%p", false, Some("100%.77")),
            ("core.%t", false, None),
            ("|/usr/lib/systemd-coredump %p", false, None),
            ("missing/%p", false, None),
        ] {
            let expected = found.map(|name| dir.join(name));
            assert_eq!(written(pattern, appends_pid, pid, signal, &dir, old), expected, "{pattern}");
        }
        let later = SystemTime::now() + Duration::from_secs(60);
        assert_eq!(written("core", false, pid, signal, &dir, later), None, "an older one isn't its own");
        fs::remove_dir_all(&dir).unwrap();
    }
}
