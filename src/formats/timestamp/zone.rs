//! The local time zone: TZ, or else /etc/localtime.
//!
//! TZ may name any file, but only a regular one of a bounded size is read: reading a FIFO blocks, and a device may have no
//! end.

use crate::sys::regular_file;
use jiff::tz::TimeZone;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path};

/// The directories with a file for each zone, after that of TZDIR.
const DIRECTORIES: [&str; 3] = ["/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"];

/// What the path of such a file has before the name of the zone.
const BEFORE_NAME: &str = "zoneinfo/";

const LOCALTIME: &str = "/etc/localtime";

/// The largest file of a zone that is read, in bytes: real ones have less than 10 KiB.
const MAX_ZONE_FILE_BYTES: u64 = 64 * 1024;

/// Names of UTC that work without files of zones.
const NAMES_OF_UTC: [&str; 4] = ["UTC", "UCT", "Universal", "Zulu"];

/// The beginning and end of daylight saving time if TZ doesn't say them, as in the C libraries.
const RULE: &str = ",M3.2.0,M11.1.0";

/// The zone of this process's environment. If it isn't found: UTC, and a warning.
pub(super) fn local() -> TimeZone {
    find(env::var_os("TZ").as_deref(), env::var_os("TZDIR").as_deref()).unwrap_or_else(|why| {
        log::warn!("{why}: times are in UTC");
        TimeZone::UTC
    })
}

fn find(tz: Option<&OsStr>, directory: Option<&OsStr>) -> Result<TimeZone, String> {
    let Some(tz) = tz else { return localtime() };
    let told = |why: &str| format!("TZ={}: {why}", tz.to_string_lossy().escape_debug());
    let word = tz.to_str().ok_or_else(|| told("it is not UTF-8"))?;
    let (name, is_path) = match word.strip_prefix(':') {
        Some(name) => (name, true),
        None => (word, false),
    };
    if name.is_empty() {
        return Ok(TimeZone::UTC);
    }
    if !is_path && let Ok(zone) = TimeZone::posix(word) {
        return Ok(zone);
    }
    if let Some(zone) = from_files(name, directory).map_err(|why| told(&why))? {
        return Ok(zone);
    }
    let plain = name.strip_prefix("Etc/").unwrap_or(name);
    if NAMES_OF_UTC.iter().any(|utc| utc.eq_ignore_ascii_case(plain)) {
        return Ok(TimeZone::UTC);
    }
    let posix = if plain == "GMT" { "GMT0".to_owned() } else { format!("{name}{RULE}") };
    TimeZone::posix(&posix).map_err(|_| told("there is no such time zone here"))
}

/// The zone of the machine; UTC, if it has none.
fn localtime() -> Result<TimeZone, String> {
    let target = fs::read_link(LOCALTIME).unwrap_or_default();
    let name = target.to_str().and_then(after_directory).unwrap_or("Local");
    Ok(from_file(name, Path::new(LOCALTIME)).map_err(|why| format!("{LOCALTIME}: {why}"))?.unwrap_or(TimeZone::UTC))
}

/// The zone of this name, or of the file at this path; `None`: there is no such file.
fn from_files(name: &str, directory: Option<&OsStr>) -> Result<Option<TimeZone>, String> {
    let below = after_directory(name).unwrap_or(name);
    if name.starts_with('/')
        && let Some(zone) = from_file(below, Path::new(name))?
    {
        return Ok(Some(zone));
    }
    // Nothing outside the directories.
    if !Path::new(below).components().all(|component| matches!(component, Component::Normal(_))) {
        return Ok(None);
    }
    let directory = directory.filter(|directory| !directory.is_empty()).map(Path::new);
    for directory in directory.into_iter().chain(DIRECTORIES.iter().map(Path::new)) {
        if let Some(zone) = from_file(below, &directory.join(below))? {
            return Ok(Some(zone));
        }
    }
    Ok(None)
}

fn after_directory(path: &str) -> Option<&str> {
    path.rfind(BEFORE_NAME).map(|at| &path[at + BEFORE_NAME.len()..])
}

/// The zone in a file; `None`: there is no such file.
fn from_file(name: &str, path: &Path) -> Result<Option<TimeZone>, String> {
    let bytes = match regular_file::read(path, MAX_ZONE_FILE_BYTES) {
        Ok(bytes) => bytes,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(format!("can't be read: {error}")),
    };
    TimeZone::tzif(name, &bytes).map(Some).map_err(|_| "the file holds no time zone (TZif)".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use std::path::PathBuf;

    /// The file of a zone, one hour east of UTC, that is called XYZ.
    fn file_of_a_zone() -> Vec<u8> {
        let block = |version: &[u8]| {
            let counts = [0u32, 0, 0, 0, 1, 4];
            let mut block = [b"TZif", version, &[0; 15]].concat();
            counts.iter().for_each(|count| block.extend(count.to_be_bytes()));
            block.extend(3600i32.to_be_bytes());
            block.extend([0, 0]);
            block.extend(b"XYZ\0");
            block
        };
        [block(b"2"), block(b"2"), b"\nXYZ-1\n".to_vec()].concat()
    }

    struct Directory(PathBuf);

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn directory() -> Directory {
        let path = env::temp_dir().join(format!("panicmon-test-zones-{}", std::process::id()));
        fs::create_dir_all(path.join("zoneinfo/Nearby")).unwrap();
        let zone = file_of_a_zone();
        fs::write(path.join("zoneinfo/Nearby/Town"), &zone).unwrap();
        fs::write(path.join("outside"), &zone).unwrap();
        fs::write(path.join("zoneinfo/large"), [&zone[..], &vec![0; MAX_ZONE_FILE_BYTES as usize]].concat()).unwrap();
        fs::write(path.join("zoneinfo/text"), "hello").unwrap();
        nix::unistd::mkfifo(&path.join("zoneinfo/fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        Directory(path)
    }

    #[test]
    fn zones_are_found_by_name_path_and_rule_and_nothing_else_is_read() {
        let directory = directory();
        let root = directory.0.to_str().unwrap();
        let zoneinfo = directory.0.join("zoneinfo");
        let at = |path: &str| format!("{root}/{path}");
        let found = |word: &str, directory: &Path| {
            let zone = find(Some(OsStr::new(word)), Some(directory.as_os_str()))?;
            let info = zone.to_offset_info(Timestamp::UNIX_EPOCH);
            Ok(format!("{} {}", info.abbreviation(), info.offset().seconds()))
        };
        for (word, zone) in [
            ("Nearby/Town", "XYZ 3600"),
            (":Nearby/Town", "XYZ 3600"),
            ("../zoneinfo/Nearby/Town", "XYZ 3600"),
            ("/no/where/zoneinfo/Nearby/Town", "XYZ 3600"),
            (&at("zoneinfo/Nearby/Town"), "XYZ 3600"),
            (&at("outside"), "XYZ 3600"),
            (&format!(":{}", at("outside")), "XYZ 3600"),
            ("CET-1CEST,M3.5.0,M10.5.0/3", "CET 3600"),
            ("<+0530>-5:30", "+0530 19800"),
            ("QST5QDT", "QST -18000"),
            ("", "UTC 0"),
            (":", "UTC 0"),
            ("UTC", "UTC 0"),
            ("utc", "UTC 0"),
            ("Etc/UTC", "UTC 0"),
            ("GMT", "GMT 0"),
        ] {
            assert_eq!(found(word, &zoneinfo), Ok(zone.to_owned()), "{word}");
        }
        for (word, why) in [
            ("Mars/Olympus", "there is no such time zone here"),
            ("../outside", "there is no such time zone here"),
            ("Nearby/../../outside", "there is no such time zone here"),
            (":CET-1", "there is no such time zone here"),
            ("/no/where", "there is no such time zone here"),
            ("Nearby/Town/x", "there is no such time zone here"),
            ("Nearby", "can't be read: it is no regular file"),
            ("fifo", "can't be read: it is no regular file"),
            (&at("zoneinfo/fifo"), "can't be read: it is no regular file"),
            ("/dev/zero", "can't be read: it is no regular file"),
            ("/", "can't be read: it is no regular file"),
            ("large", "can't be read: it is larger than 64 KiB"),
            ("text", "the file holds no time zone (TZif)"),
            ("a\nb", "there is no such time zone here"),
        ] {
            assert_eq!(found(word, &zoneinfo), Err(format!("TZ={}: {why}", word.escape_debug())));
        }
    }
}
