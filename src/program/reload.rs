//! What systemd sends at a reload of the unit that this process is in, by the unit's files: systemd.unit(5).
//!
//! systemd tells a service neither its unit's type nor its reload signal. Asking it over D-Bus could block; reading files
//! doesn't. They may have been changed since systemd read them: then they say what the next start will do.

use super::systemds;
use crate::formats::unit_file::{Service, service_of_cgroup};
use crate::policy::reload::Reload;
use crate::sys::directory;
use crate::sys::regular_file;
use std::collections::BTreeMap;
use std::ffi::CStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

/// The directories of the files of system units; the first one wins.
const DIRECTORIES: [&str; 13] = [
    "etc/systemd/system.control",
    "run/systemd/system.control",
    "run/systemd/transient",
    "run/systemd/generator.early",
    "etc/systemd/system",
    "etc/systemd/system.attached",
    "run/systemd/system",
    "run/systemd/system.attached",
    "run/systemd/generator",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    // The same directory on most systems.
    "lib/systemd/system",
    "run/systemd/generator.late",
];

/// The largest unit file that is read, in bytes.
const MAX_UNIT_FILE_BYTES: u64 = 64 * 1024;

/// What a reload of the unit sends, if systemd started this process itself. It is read before there is a child that would
/// have to wait for it.
#[cold]
pub(crate) fn of_own_unit(env: &[&CStr]) -> Reload {
    // Every systemd that knows Type=notify-reload tells its services that it started them.
    if !systemds::is_own(env) && !systemds::is_own_init(env) {
        return Reload::Unknown;
    }
    find(Path::new("/")).unwrap_or(Reload::Unknown)
}

/// The same below another root directory; `None`: a file can't be read.
fn find(root: &Path) -> Option<Reload> {
    let name = service_of_cgroup(&text(&root.join("proc/self/cgroup")).ok()?)?;
    let template = name.split_once('@').map(|(prefix, _)| format!("{prefix}@.service"));
    let names: Vec<_> = [name].into_iter().chain(template).collect();
    let directories = || DIRECTORIES.iter().map(|directory| root.join(directory));
    let files = names.iter().flat_map(|name| directories().map(move |directory| directory.join(name)));
    let mut service = Service::default();
    service.apply(&files.map(|file| text(&file)).find(|text| !is_not_found(text))?.ok()?);
    // Of drop-ins with the same name the first directory wins; all are applied in the order of their names.
    let mut drop_ins = BTreeMap::new();
    for directory in directories() {
        for name in &names {
            for file in files_in(&directory.join(format!("{name}.d"))).ok()? {
                if let Some(name) = file.file_name().filter(|_| file.extension().is_some_and(|end| end == "conf")) {
                    drop_ins.entry(name.to_owned()).or_insert(file);
                }
            }
        }
    }
    for file in drop_ins.into_values() {
        service.apply(&text(&file).ok()?);
    }
    Some(service.reload_signal().map_or(Reload::Harmless, Reload::Sends))
}

/// The text of a file; empty if the file is masked by a link to /dev/null.
fn text(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.file_type().is_char_device() {
        return Ok(String::new());
    }
    Ok(String::from_utf8_lossy(&regular_file::read(path, MAX_UNIT_FILE_BYTES)?).into_owned())
}

fn files_in(path: &Path) -> io::Result<Vec<PathBuf>> {
    let names = directory::names(path);
    if is_not_found(&names) {
        return Ok(Vec::new());
    }
    Ok(names?.into_iter().map(|name| path.join(name)).collect())
}

fn is_not_found<T>(result: &io::Result<T>) -> bool {
    result.as_ref().is_err_and(|error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::signal::Signal;
    use std::os::unix::fs::symlink;

    /// A root directory with the cgroup of web@1.service.
    struct Root(PathBuf);

    impl Drop for Root {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    impl Root {
        fn new() -> Root {
            let root = Root(nix::unistd::mkdtemp(&std::env::temp_dir().join("panicmon-test-XXXXXX")).unwrap());
            root.write("proc/self/cgroup", "0::/system.slice/web@1.service\n");
            root
        }

        fn path(&self, file: &str) -> PathBuf {
            let path = self.0.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            path
        }

        fn write(&self, file: &str, text: &str) {
            fs::write(self.path(file), text).unwrap();
        }

        fn find(&self) -> Option<Reload> {
            find(&self.0)
        }
    }

    const RELOAD: &str = "[Service]\nType=notify-reload\n";
    const SENDS_HUP: Option<Reload> = Some(Reload::Sends(Signal::HUP));
    const SENDS_USR1: Option<Reload> = Some(Reload::Sends(Signal::USR1));

    #[test]
    fn the_first_file_counts() {
        let root = Root::new();
        assert_eq!(root.find(), None, "no file");
        root.write("lib/systemd/system/web@.service", RELOAD);
        assert_eq!(root.find(), SENDS_HUP, "the template's");
        root.write("run/systemd/system/web@.service", "[Service]\nType=notify\n");
        assert_eq!(root.find(), Some(Reload::Harmless));
        root.write("usr/lib/systemd/system/web@1.service", &format!("{RELOAD}ReloadSignal=USR1"));
        assert_eq!(root.find(), SENDS_USR1, "the instance's own");
        root.write("etc/systemd/system/web@1.service", "");
        assert_eq!(root.find(), Some(Reload::Harmless));
        fs::remove_file(root.path("etc/systemd/system/web@1.service")).unwrap();
        root.write("elsewhere", RELOAD);
        symlink(root.path("elsewhere"), root.path("etc/systemd/system/web@1.service")).unwrap();
        assert_eq!(root.find(), SENDS_HUP, "a linked one");
        root.write("run/systemd/transient/web@1.service", "[Service]\nType=notify\n");
        assert_eq!(root.find(), Some(Reload::Harmless));
    }

    #[test]
    fn drop_ins_are_applied_in_the_order_of_their_names() {
        let root = Root::new();
        root.write("usr/lib/systemd/system/web@.service.d/10.conf", RELOAD);
        assert_eq!(root.find(), None, "not without a unit");
        root.write("usr/lib/systemd/system/web@.service", "[Service]\nType=notify\n");
        assert_eq!(root.find(), SENDS_HUP);
        root.write("etc/systemd/system/web@1.service.d/20.conf", "[Service]\nReloadSignal=USR1\n");
        root.write("etc/systemd/system/web@1.service.d/05.conf", "[Service]\nReloadSignal=USR2\n");
        root.write("etc/systemd/system/web@1.service.d/30.off", "[Service]\nType=\n");
        assert_eq!(root.find(), SENDS_USR1);
        root.write("run/systemd/system/web@1.service.d/20.conf", "[Service]\nType=\n");
        assert_eq!(root.find(), SENDS_USR1, "one of this name is there already");
        symlink("/dev/null", root.path("etc/systemd/system/web@.service.d/10.conf")).unwrap();
        assert_eq!(root.find(), Some(Reload::Harmless), "masked");
    }

    #[test]
    fn what_cannot_be_read_is_not_known() {
        let root = Root::new();
        let file = root.path("etc/systemd/system/web@1.service");
        nix::unistd::mkfifo(&file, nix::sys::stat::Mode::S_IRWXU).unwrap();
        root.write("usr/lib/systemd/system/web@1.service", RELOAD);
        assert_eq!(root.find(), None, "a FIFO");
        fs::remove_file(&file).unwrap();
        fs::write(&file, format!("{RELOAD}#{}", "x".repeat(MAX_UNIT_FILE_BYTES as usize))).unwrap();
        assert_eq!(root.find(), None, "too large");
        fs::remove_file(&file).unwrap();
        assert_eq!(root.find(), SENDS_HUP);
        fs::create_dir_all(root.path("run/systemd/system/web@1.service.d/1.conf")).unwrap();
        assert_eq!(root.find(), None, "a directory");
    }
}
