//! The programs that keep several processes, and the files in which each of them is told which.

use crate::Result;
use crate::children::Children;
use crate::programs::{find, panicmon};
use crate::workshop::{Workshop, c_string, project};
use std::ffi::CString;
use std::fmt::Write;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, iter};

/// One of the programs that are compared.
pub struct Contender {
    pub name: &'static str,
    program: CString,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Panicmon,
    Pmux,
    Supervisord,
    Foreman,
    S6,
}

pub const PANICMON: &str = "panicmon";
pub const BEFORE: &str = "before";
pub const PMUX: &str = "pmux";

/// The peers of Debian, and the packages in which they are.
const PEERS: [(&str, Kind, &str); 3] = [
    ("supervisord", Kind::Supervisord, "supervisor"),
    ("foreman", Kind::Foreman, "ruby-foreman"),
    ("s6-svscan", Kind::S6, "s6"),
];

/// What one of them is to run.
pub struct Orders<'a> {
    pub children: &'a Children,
    pub child: &'a str,
    pub fifo: &'a str,
    /// An empty folder.
    pub folder: &'a Path,
}

impl Contender {
    /// Whether it passes on what its processes write.
    pub fn relays(&self) -> bool {
        self.kind != Kind::S6
    }

    /// Whether it puts a label in front of each line.
    pub fn labels(&self) -> bool {
        self.relays() && self.kind != Kind::Supervisord
    }

    /// Whether it forwards a SIGUSR1 to all of its processes.
    pub fn forwards(&self) -> bool {
        matches!(self.kind, Kind::Panicmon | Kind::Foreman)
    }

    /// Whether it reaps orphans without being PID 1.
    pub fn reaps(&self) -> bool {
        self.kind == Kind::Panicmon
    }

    /// Whether it starts this number of processes within a minute or two.
    pub fn takes(&self, count: usize) -> bool {
        self.kind != Kind::Supervisord || count <= 1000
    }

    /// Whether it takes so long to start that it gets one turn only.
    pub fn is_slow(&self) -> bool {
        !matches!(self.kind, Kind::Panicmon | Kind::Pmux)
    }

    /// Whether the measurement fails with it.
    pub fn is_ours(&self) -> bool {
        self.name == PANICMON
    }

    /// Writes its files. Its command line.
    pub fn prepare(&self, orders: &Orders<'_>) -> Result<Vec<CString>> {
        let (file, options) = match self.kind {
            Kind::Panicmon => (orders.json()?, vec![c"--config".into()]),
            Kind::Pmux => (orders.json()?, vec![]),
            Kind::Supervisord => (orders.ini()?, vec![c"--configuration".into()]),
            Kind::Foreman => (orders.procfile()?, vec![c"start".into(), c"--procfile".into()]),
            Kind::S6 => {
                let limit = CString::new((orders.children.count + 1).to_string())?;
                (orders.services()?, vec![c"-c".into(), limit])
            }
        };
        Ok(iter::once(self.program.clone()).chain(options).chain([c_string(&file)?]).collect())
    }
}

impl Orders<'_> {
    /// Each process's name and command line.
    fn commands(&self) -> impl Iterator<Item = (String, String, Vec<String>)> {
        (0..self.children.count)
            .map(|index| (format!("p{index}"), self.child.into(), self.children.words(index, self.fifo)))
    }

    fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let file = self.folder.join(name);
        fs::write(&file, text)?;
        Ok(file)
    }

    /// The same file for panicmon and pmux: JSON is YAML, too.
    fn json(&self) -> Result<PathBuf> {
        let process = |(name, program, words): (String, String, Vec<String>)| {
            let words = words.join("\", \"");
            format!(r#"{{"name": "{name}", "cmd": "{program}", "args": ["{words}"], "noRestartOn": [0]}}"#)
        };
        let processes: Vec<String> = self.commands().map(process).collect();
        self.write("processes.yml", &format!("{{\"processes\": [\n{}\n]}}\n", processes.join(",\n")))
    }

    fn ini(&self) -> Result<PathBuf> {
        let pid = self.folder.join("pid");
        let mut text =
            format!("[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile={}\n", pid.display());
        for (name, program, words) in self.commands() {
            write!(text, "[program:{name}]\ncommand={program} {}\n", words.join(" "))?;
            text += "startsecs=0\nautorestart=false\nstdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=0\n";
            text += "stderr_logfile=/dev/stderr\nstderr_logfile_maxbytes=0\n";
        }
        self.write("supervisord.conf", &text)
    }

    fn procfile(&self) -> Result<PathBuf> {
        let lines = self.commands().map(|(name, program, words)| format!("{name}: {program} {}\n", words.join(" ")));
        self.write("Procfile", &lines.collect::<String>())
    }

    /// A folder for each service, with a script that is executed.
    fn services(&self) -> Result<PathBuf> {
        for (name, program, words) in self.commands() {
            fs::create_dir(self.folder.join(&name))?;
            let script =
                self.write(&format!("{name}/run"), &format!("#!/bin/sh\nexec {program} {}\n", words.join(" ")))?;
            fs::set_permissions(script, Permissions::from_mode(0o755))?;
        }
        Ok(self.folder.into())
    }
}

/// Builds or finds the programs.
pub fn gather(workshop: &Workshop) -> Result<Vec<Contender>> {
    let copy = |name, program: &Path| -> Result<Contender> {
        Ok(Contender { name, program: workshop.copy(program, name)?, kind: Kind::Panicmon })
    };
    let mut contenders = vec![copy(PANICMON, &panicmon()?)?];
    if let Some(before) = env::var_os("PANICMON_BENCH_BEFORE") {
        contenders.push(copy(BEFORE, before.as_ref())?);
    }
    match find("go") {
        Some(go) => contenders.push(Contender { name: PMUX, program: build(workshop, &go)?, kind: Kind::Pmux }),
        None => println!("go is not installed: {PMUX}'s stand-in is left out (install golang-go)"),
    }
    for (name, kind, package) in PEERS {
        match find(name) {
            // They find the rest of themselves by their path.
            Some(program) => contenders.push(Contender { name, program: c_string(&program)?, kind }),
            None => println!("{name} is not installed: left out (install {package})"),
        }
    }
    Ok(contenders)
}

fn build(workshop: &Workshop, go: &Path) -> Result<CString> {
    let program = workshop.path(PMUX);
    let source = project().join("benches/several/pmux.go");
    let status = Command::new(go).arg("build").arg("-o").args([&program, &source]).status()?;
    if !status.success() {
        return Err(format!("can't build {}: {status}", source.display()).into());
    }
    c_string(&program)
}
