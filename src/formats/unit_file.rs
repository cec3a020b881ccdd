//! What the text of a unit file says of a reload: systemd.unit(5), systemd.service(5), systemd.syntax(7).

use crate::model::signal::Signal;

/// What the `[Service]` sections of a unit say of a reload.
pub(crate) struct Service {
    is_notify_reload: bool,
    signal: Signal,
}

impl Default for Service {
    fn default() -> Self {
        Service { is_notify_reload: false, signal: Signal::HUP }
    }
}

impl Service {
    /// Applies one more file.
    pub(crate) fn apply(&mut self, text: &str) {
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

    /// What a reload sends to the service; `None`: nothing.
    pub(crate) fn reload_signal(&self) -> Option<Signal> {
        self.is_notify_reload.then_some(self.signal)
    }
}

/// The lines of a text, without comments, and joined where one ends in a backslash.
fn lines(text: &str) -> Vec<String> {
    let (mut lines, mut joined) = (Vec::new(), String::new());
    for line in text.lines().filter(|line| !line.trim_start().starts_with(['#', ';'])) {
        // Two backslashes are a literal one.
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

/// The name of the system service that a process with this `/proc/self/cgroup` is in: cgroups(7).
pub(crate) fn service_of_cgroup(groups: &str) -> Option<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn said(files: &[&str]) -> Option<Signal> {
        let mut service = Service::default();
        files.iter().for_each(|file| service.apply(file));
        service.reload_signal()
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
            assert_eq!(said(&[file]), signal, "{file}");
        }
        let (reload, usr1) = ("[Service]\nType=notify-reload", "[Service]\nReloadSignal=USR1");
        assert_eq!(said(&[reload, usr1]), Some(Signal::USR1));
        assert_eq!(said(&[reload, "[Service]\nType="]), None);
        assert_eq!(said(&[reload, "ReloadSignal=USR1"]), Some(Signal::HUP), "each file begins anew");
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
            assert_eq!(service_of_cgroup(groups).as_deref(), unit, "{groups}");
        }
    }
}
