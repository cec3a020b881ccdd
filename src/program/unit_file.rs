//! What the files of the unit say of a reload: systemd.unit(5), systemd.service(5), systemd.syntax(7).
//!
//! systemd tells a service neither its unit's type nor its reload signal. Asking it would mean to wait for its answer; files
//! can be read. They may have changed since systemd read them, which is as good as a reminder.

use crate::model::signal::Signal;
use crate::policy::reload::Reload;
use crate::sys::regular_file;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

/// Where systemd looks for the files of a system unit: in the first first.
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

/// No unit file comes near.
const LARGEST: u64 = 64 * 1024;

/// What a reload of the unit that this process is in sends.
pub(crate) fn reload() -> Reload {
    find(Path::new("/")).unwrap_or(Reload::Unknown)
}

/// The same below another root directory; `None` where not all of it can be read.
fn find(root: &Path) -> Option<Reload> {
    let name = name(&text(&root.join("proc/self/cgroup")).ok()?)?;
    let template = name.split_once('@').map(|(prefix, _)| format!("{prefix}@.service"));
    let names: Vec<_> = [name].into_iter().chain(template).collect();
    let directories = || DIRECTORIES.iter().map(|directory| root.join(directory));
    let files = names.iter().flat_map(|name| directories().map(move |directory| directory.join(name)));
    let mut service = Service::default();
    service.apply(&files.map(|file| text(&file)).find(|text| !is_not_found(text))?.ok()?);
    // Of those with the same name the first counts, in whatever directory; they are applied in the order of their names.
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
    Some(service.reload())
}

/// The name of the system service in whose cgroup a process with this `/proc/self/cgroup` is: cgroups(7).
fn name(groups: &str) -> Option<String> {
    groups.lines().find_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        let is_systemds = matches!(controllers, "" | "name=systemd");
        // A user's manager has its own services, and its files elsewhere.
        let is_systems = !path.contains("/user@");
        // A service may have cgroups below its own. systemd puts _ before a name that would be a file of cgroups.
        let unit = path.rsplit('/').find(|part| part.ends_with(".service")).filter(|_| is_systemds && is_systems)?;
        Some(unit.strip_prefix('_').unwrap_or(unit).to_owned())
    })
}

/// What a file says; one that is masked says nothing.
fn text(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.file_type().is_char_device() {
        return Ok(String::new());
    }
    Ok(String::from_utf8_lossy(&regular_file::read(path, LARGEST)?).into_owned())
}

fn files_in(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory);
    if is_not_found(&entries) {
        return Ok(Vec::new());
    }
    entries?.map(|entry| Ok(entry?.path())).collect()
}

fn is_not_found<T>(result: &io::Result<T>) -> bool {
    result.as_ref().is_err_and(|error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory))
}

/// What a `[Service]` says that matters here.
struct Service {
    is_notify_reload: bool,
    signal: Signal,
}

impl Default for Service {
    fn default() -> Self {
        Service { is_notify_reload: false, signal: Signal::HUP }
    }
}

impl Service {
    /// Takes over what one more file says.
    fn apply(&mut self, text: &str) {
        let mut is_service = false;
        for line in lines(text) {
            let line = line.trim();
            if line.starts_with('[') {
                is_service = line == "[Service]";
            } else if let Some((key, value)) = line.split_once('=').filter(|_| is_service) {
                match (key.trim(), value.trim()) {
                    ("Type", value) => self.is_notify_reload = value == "notify-reload",
                    ("ReloadSignal", "") => self.signal = Signal::HUP,
                    // systemd ignores what is no signal.
                    ("ReloadSignal", value) => self.signal = value.parse().unwrap_or(self.signal),
                    _ => {}
                }
            }
        }
    }

    fn reload(&self) -> Reload {
        if self.is_notify_reload { Reload::Sends(self.signal) } else { Reload::Harmless }
    }
}

/// Its lines without comments, and with those in one that a backslash joins.
fn lines(text: &str) -> Vec<String> {
    let (mut lines, mut joined) = (Vec::new(), String::new());
    for line in text.lines().filter(|line| !line.trim_start().starts_with(['#', ';'])) {
        // Two of them are a backslash.
        let is_joined = line.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1;
        if is_joined {
            joined += &line[..line.len() - 1];
            joined.push(' ');
        } else {
            lines.push(std::mem::take(&mut joined) + line);
        }
    }
    lines.push(joined);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn said(files: &[&str]) -> Reload {
        let mut service = Service::default();
        files.iter().for_each(|file| service.apply(file));
        service.reload()
    }

    #[test]
    fn a_files_last_word_counts() {
        for (file, signal) in [
            ("[Service]\nType=notify-reload\n", Some(Signal::HUP)),
            ("[Service]\r\n  Type = notify-reload \r\nReloadSignal=SIGUSR1\r\n", Some(Signal::USR1)),
            ("[Service]\nReloadSignal=RTMIN+3\nType=notify\nType=notify-reload", Signal::new(37)),
            ("[Service]\nType=notify-reload\n[Install]\nType=notify\n[Service]\nReloadSignal=10", Some(Signal::USR1)),
            ("[Service]\nType=notify-reload\nReloadSignal=USR1\nReloadSignal=", Some(Signal::HUP)),
            ("[Service]\nType=notify-reload\nReloadSignal=USR1\nReloadSignal=NONSENSE", Some(Signal::USR1)),
            ("[Service]\nType=\\\n# a comment\n notify-reload", Some(Signal::HUP)),
            ("[Service]\nType=notify-reload\\", Some(Signal::HUP)),
            ("[Service]\nExecStart=/bin/x a \\\\\nType=notify-reload", Some(Signal::HUP)),
            ("[Service]\nExecStart=/bin/x a \\\nType=notify-reload", None),
            ("[Service]\nType=notify", None),
            ("[Service]\nType=notify-reload\nType=", None),
            ("[Service]\n#Type=notify-reload\n;Type=notify-reload\nXType=notify-reload", None),
            ("[Unit]\nType=notify-reload", None),
            ("Type=notify-reload", None),
            ("[Service]\nReloadSignal=USR1\nType", None),
            ("", None),
        ] {
            assert_eq!(said(&[file]), signal.map_or(Reload::Harmless, Reload::Sends), "{file}");
        }
        let (reload, usr1) = ("[Service]\nType=notify-reload", "[Service]\nReloadSignal=USR1");
        assert_eq!(said(&[reload, usr1]), Reload::Sends(Signal::USR1));
        assert_eq!(said(&[reload, "[Service]\nType="]), Reload::Harmless);
        assert_eq!(said(&[reload, "ReloadSignal=USR1"]), Reload::Sends(Signal::HUP), "each file begins anew");
    }

    #[test]
    fn the_unit_is_found_by_its_cgroup() {
        for (groups, unit) in [
            ("0::/system.slice/web.service\n", Some("web.service")),
            ("0::/system.slice/system-web.slice/web@a-b.service\n", Some("web@a-b.service")),
            ("0::/system.slice/web.service/main\n", Some("web.service")),
            ("0::/system.slice/_cpu.service\n", Some("cpu.service")),
            ("4:memory:/x.service\n1:name=systemd:/system.slice/web.service\n0::/\n", Some("web.service")),
            ("4:memory:/x.service\n", None),
            ("0::/user.slice/user-1.slice/user@1.service/app.slice/web.service\n", None),
            ("0::/user.slice/user-1.slice/session-2.scope\n", None),
            ("0::/\n", None),
            ("nonsense", None),
        ] {
            assert_eq!(name(groups).as_deref(), unit, "{groups}");
        }
    }

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
        fs::write(&file, format!("{RELOAD}#{}", "x".repeat(LARGEST as usize))).unwrap();
        assert_eq!(root.find(), None, "too large");
        fs::remove_file(&file).unwrap();
        assert_eq!(root.find(), SENDS_HUP);
        fs::create_dir_all(root.path("run/systemd/system/web@1.service.d/1.conf")).unwrap();
        assert_eq!(root.find(), None, "a directory");
    }
}
