//! The ways in which a life is told.

use crate::traps::Traps;
use crate::{Lab, Result};
use std::ffi::{CStr, CString};

/// A panicmon with the options of one way.
pub struct Contender {
    pub name: &'static str,
    options: Vec<CString>,
    /// What its end may wait for.
    pub patience: Patience,
}

/// How long the end may take longer than one that isn't told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    None,
    /// The second that sinks have together, or the timeout of a hook, which is a second here, too.
    Second,
}

/// The one that the others are compared with.
pub const UNTOLD: &str = "nothing is told";

impl Contender {
    /// The command line for a child with these words.
    pub fn words(&self, lab: &Lab, child: &[&CStr]) -> Vec<CString> {
        self.command(lab, &lab.child, child)
    }

    /// The command line for any command.
    pub fn command(&self, lab: &Lab, command: &CStr, words: &[&CStr]) -> Vec<CString> {
        let words = words.iter().map(|word| CString::from(*word));
        let named = [lab.panicmon.clone(), c"--name".into(), c"app".into()].into_iter().chain(self.options.clone());
        named.chain([c"--".into(), command.into()]).chain(words).collect()
    }
}

pub fn all(traps: &Traps) -> Result<Vec<Contender>> {
    let path = |name: &str| traps.path(name).display().to_string();
    let hook = |command: &str| {
        let words = ["--hook", command, "--hook-on", "started,exited", "--hook-timeout", "1s"];
        words.map(str::to_owned).to_vec()
    };
    let option = |name: &str, value: String| vec![name.to_owned(), value];
    let every = |folder: &str| {
        [
            option("--events", path(&format!("{folder}/events"))),
            option("--report", path(folder)),
            option("--metrics", path(&format!("{folder}/app.prom"))),
            option("--termination-log", path(&format!("{folder}/why"))),
        ]
        .concat()
    };
    let mut all = vec![
        (UNTOLD, Vec::new(), Patience::None),
        ("every file", every("files"), Patience::None),
        ("a FIFO that nobody reads", option("--events", path("fifo")), Patience::Second),
        ("/dev/full", option("--events", "/dev/full".into()), Patience::None),
        ("a socket without answer", option("--events", format!("unix:{}", path("socket"))), Patience::Second),
        ("a hook that sleeps", hook("sleep 60"), Patience::Second),
        // One process at a time: it starts the next one when the last one has ended.
        ("a hook that forks on", hook("sh -c 'while :; do sleep 0.01; done'"), Patience::Second),
        ("a folder that vanishes", every("vanishing"), Patience::None),
        ("planted links", every("links"), Patience::None),
    ];
    if traps.has_full_disk() {
        all.push(("a full disk", every("full"), Patience::None));
    } else {
        println!("a full disk is left out: nothing can be mounted here");
    }
    let contender = |(name, options, patience): (_, Vec<String>, _)| {
        let options = options.into_iter().map(CString::new).collect::<std::result::Result<_, _>>()?;
        Ok(Contender { name, options, patience })
    };
    all.into_iter().map(contender).collect()
}
