//! The directory of `--report`: a certificate for each abnormal end, and a file while a process runs.

use super::people;
use crate::model::event::PreviousRunLost;
use crate::model::pid::Pid;
use crate::report::panic::fingerprint::fnv_1a;
use crate::sys::own_file::{Directory, Readers};
use crate::sys::proc_fs;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

/// The most bytes of a process's name in the names of files, which are no longer than 255.
const NAME_BYTES: usize = 128;

/// How times are written in the names of files: in their order, and the same everywhere.
const TIME: &str = "%Y%m%dT%H%M%S%.6fZ";

/// Which start of the machine it was is in the file of a process that runs, by this key.
const BOOT: &str = "boot_id";

/// The directory, and what is in it because processes run.
#[derive(Debug)]
pub(crate) struct Reports {
    dir: Directory,
    path: PathBuf,
    /// How many certificates of each process are kept.
    keep: usize,
    /// By the names of the processes.
    running: BTreeMap<String, (OsString, File)>,
    /// What asks for it; `None`: it was warned that something can't be written.
    asked_by: Option<String>,
}

impl Reports {
    /// `asked_by` is the option or variable that asks for it, for a warning.
    pub(crate) fn new(path: &Path, keep: usize, asked_by: String) -> io::Result<Reports> {
        let (dir, path) = (Directory::open(path)?, path.to_owned());
        Ok(Reports { dir, path, keep, running: BTreeMap::new(), asked_by: Some(asked_by) })
    }

    /// The last run of a process, if it has vanished: it is said to run, and nobody has the file locked.
    pub(super) fn previous(&mut self, name: &str) -> Option<PreviousRunLost<'static>> {
        match self.dir.take_unlocked(&running(name)) {
            Ok(content) => content.map(|content| lost(name, &content)),
            Err(error) => {
                self.warn(&running(name), &error);
                None
            }
        }
    }

    /// A process was started. `line` is the record of that.
    pub(super) fn started(&mut self, name: &str, line: &[u8]) {
        let mut record: Value = serde_json::from_slice(line).unwrap_or_default();
        if let (Some(record), Some(boot)) = (record.as_object_mut(), proc_fs::boot_id()) {
            record.insert(BOOT.to_owned(), boot.into());
        }
        let file = running(name);
        // Another panicmon may run a process of this name: the file is its own then.
        let free = self.dir.take_unlocked(&file);
        match free.and_then(|_| self.dir.replace_locked(&file, format!("{record}\n").as_bytes())) {
            Ok(locked) => {
                self.running.insert(name.to_owned(), (file, locked));
            }
            Err(error) => self.warn(&file, &error),
        }
    }

    /// A process has ended.
    pub(super) fn ended(&mut self, name: &str) {
        if let Some((file, locked)) = self.running.remove(name) {
            self.take_away(&file, &locked);
        }
    }

    pub(super) fn end_all(&mut self) {
        for (file, locked) in std::mem::take(&mut self.running).into_values() {
            self.take_away(&file, &locked);
        }
    }

    fn take_away(&mut self, file: &OsStr, locked: &File) {
        match self.dir.remove_this(file, locked) {
            // Somebody has tidied up.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => self.warn(file, &error),
            Ok(()) => {}
        }
    }

    /// Writes a certificate: this record, and the same for people.
    pub(super) fn write(&mut self, name: &str, time: Timestamp, child: Pid, line: &[u8]) {
        let record: Value = serde_json::from_slice(line).unwrap_or_default();
        let file = |ending: &str| OsString::from(format!("{}-{}-{child}.{ending}", stem(name), time.strftime(TIME)));
        let (for_machines, for_people) = ([line, b"\n"].concat(), people::certificate(&record));
        for (file, content) in [(file("json"), for_machines), (file("txt"), for_people.into_bytes())] {
            if let Err(error) = self.dir.replace(&file, Readers::OwnerAndGroup, &content) {
                self.warn(&file, &error);
            }
        }
        if let Err(error) = self.thin_out(name) {
            self.warn(OsStr::new("."), &error);
        }
    }

    /// Takes away the oldest certificates of a process.
    fn thin_out(&mut self, name: &str) -> io::Result<()> {
        let files = self.dir.names()?;
        let stem = stem(name);
        let of_it = |file: &OsString| Some((ended_at(file.to_str()?, &stem)?.to_owned(), file.clone()));
        let files: Vec<_> = files.iter().filter_map(of_it).collect();
        let ends: BTreeSet<&str> = files.iter().map(|(end, _)| end.as_str()).collect();
        let old: BTreeSet<&str> = ends.into_iter().rev().skip(self.keep).collect();
        for (_, file) in files.iter().filter(|(end, _)| old.contains(end.as_str())) {
            self.dir.remove(file)?;
        }
        Ok(())
    }

    #[cold]
    fn warn(&mut self, file: &OsStr, error: &io::Error) {
        if let Some(asked_by) = self.asked_by.take() {
            log::warn!("{asked_by}: {}: {error}: not every report is there", self.path.join(file).display());
        }
    }

    pub(super) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        [self.dir.as_fd()].into_iter().chain(self.running.values().map(|(_, file)| file.as_fd()))
    }
}

/// What its file says of a run that has vanished. Anybody may have written it.
fn lost(name: &str, content: &[u8]) -> PreviousRunLost<'static> {
    let record: Value = serde_json::from_slice(content).unwrap_or_default();
    let pid =
        |value: &Value| value.as_i64().and_then(|pid| i32::try_from(pid).ok()).filter(|pid| *pid > 0).map(Pid::new);
    let mut lost = PreviousRunLost::new(name.to_owned());
    lost.pid = pid(&record["pid"]);
    lost.panicmon_pid = pid(&record["panicmon"]["pid"]);
    let started = record["time"].as_str().and_then(|time| time.parse::<Timestamp>().ok());
    lost.started = started.map(|time| format!("{time:.6}").into());
    lost.rebooted = record[BOOT].as_str().zip(proc_fs::boot_id()).map(|(then, now)| then != now);
    lost
}

/// The file that says that a process runs.
fn running(name: &str) -> OsString {
    format!("{}.running", stem(name)).into()
}

/// A process's name as files have it, which is no other process's: what can't be in the name of a file, or hides it, is encoded as
/// in an address (`%2F`), and so is the sign for that. The end of a long one gives way to a hash.
fn stem(name: &str) -> String {
    let mut stem = String::new();
    for character in name.chars() {
        let is_fit =
            !character.is_control() && !matches!(character, '/' | '%') && (character != '.' || !stem.is_empty());
        if is_fit {
            stem.push(character);
        } else {
            let mut bytes = [0; 4];
            stem.extend(character.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02X}")));
        }
    }
    if stem.len() > NAME_BYTES {
        let hash = format!("%-{:016x}", fnv_1a(name.as_bytes()));
        let end = (0..=NAME_BYTES - hash.len()).rev().find(|end| stem.is_char_boundary(*end));
        stem.truncate(end.unwrap_or_default());
        stem.push_str(&hash);
    }
    if stem.is_empty() { "%".to_owned() } else { stem }
}

/// The time and the pid in the name of a certificate of that process.
fn ended_at<'f>(file: &'f str, stem: &str) -> Option<&'f str> {
    let end = file.strip_prefix(stem)?.strip_prefix('-')?;
    let end = end.strip_suffix(".json").or_else(|| end.strip_suffix(".txt"))?;
    let (time, pid) = end.rsplit_once('-')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (date, clock) = time.strip_suffix('Z')?.split_once('T')?;
    let (clock, fraction) = clock.split_once('.')?;
    let has_lengths = (date.len(), clock.len(), fraction.len()) == (8, 6, 6);
    (has_lengths && [date, clock, fraction, pid].into_iter().all(is_number)).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_a_process_is_a_name_of_a_file() {
        assert_eq!(stem("web-2.x"), "web-2.x");
        assert_eq!(stem("../a\nb"), "%2E.%2Fa%0Ab");
        assert_eq!(stem(""), "%");
        let long = stem(&"ä".repeat(100));
        assert!(long.starts_with("ääää") && (NAME_BYTES - 1..=NAME_BYTES).contains(&long.len()), "{long}");
    }

    #[test]
    fn two_processes_share_no_file() {
        let long = "x".repeat(200);
        let names = ["a/b", "a_b", "a%2Fb", "%", "", "_", ".a", "%2Ea", &long, &format!("{long}y"), &stem(&long)];
        let stems: BTreeSet<_> = names.iter().map(|name| stem(name)).collect();
        assert_eq!(stems.len(), names.len(), "{stems:?}");
    }

    #[test]
    fn only_certificates_of_a_process_are_taken_for_its() {
        let end = "20261129T122714.123456Z-7";
        assert_eq!(ended_at(&format!("web-{end}.json"), "web"), Some(end));
        assert_eq!(ended_at(&format!("web-{end}.txt"), "web"), Some(end));
        for other in [
            format!("web-2-{end}.json"),
            format!("web-{end}.yaml"),
            format!("web-{end}"),
            "web-20261129T122714Z-7.json".to_owned(),
            "web-notes.txt".to_owned(),
            "web.running".to_owned(),
            format!("web-{end}x.txt"),
        ] {
            assert_eq!(ended_at(&other, "web"), None, "{other}");
        }
    }

    #[test]
    fn times_in_names_are_in_order() {
        let name = |time: &str| time.parse::<Timestamp>().unwrap().strftime(TIME).to_string();
        assert_eq!(name("2026-11-29T12:27:14.5Z"), "20261129T122714.500000Z");
        assert!(name("2026-11-29T12:27:14Z") < name("2026-11-29T12:27:14.000001Z"));
    }

    #[test]
    fn a_file_of_a_run_may_hold_anything() {
        for content in ["", "{", "[1]", "{\"pid\":-7,\"time\":\"yesterday\",\"panicmon\":3}", "{\"pid\":1e99}"] {
            let lost = lost("web", content.as_bytes());
            assert!(lost.pid.is_none() && lost.started.is_none() && lost.rebooted.is_none(), "{content}: {lost:?}");
        }
    }
}
