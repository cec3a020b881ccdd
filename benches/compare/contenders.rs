//! The programs that are compared.

use crate::programs::{find, panicmon};
use crate::workshop::Workshop;
use crate::{Lab, Result};
use std::ffi::{CStr, CString};
use std::path::Path;

/// One of the programs that are compared.
pub struct Contender {
    pub name: &'static str,
    /// The wrapper and its options; empty if the child runs alone.
    pub prefix: Vec<CString>,
}

/// The wrapper that the others are compared with.
pub const REFERENCE: &str = "tini-static";
pub const PANICMON: &str = "panicmon";
/// panicmon in its place, as Docker calls it.
const PANICMON_BY_NAME: &str = "docker-init";
/// The child without wrapper.
pub const ALONE: &str = "no wrapper";

/// The peers and their options. Without -s, tini warns that it isn't PID 1; panicmon is always a subreaper.
const PEERS: [(&str, &[&CStr]); 4] =
    [(REFERENCE, &[c"-s", c"--"]), ("tini", &[c"-s", c"--"]), ("dumb-init", &[c"--"]), ("catatonit", &[c"--"])];

impl Contender {
    pub fn is_wrapper(&self) -> bool {
        !self.prefix.is_empty()
    }

    /// The command line for a child with these words.
    pub fn words(&self, lab: &Lab, child: &[&CStr]) -> Vec<CString> {
        let child = child.iter().map(|word| CString::from(*word));
        self.prefix.iter().cloned().chain([lab.child.clone()]).chain(child).collect()
    }
}

/// Builds or finds the programs, and copies them to one place.
pub fn gather(workshop: &Workshop) -> Result<Vec<Contender>> {
    let contender = |name, program: &Path, options: &[&CStr]| -> Result<Contender> {
        let options = options.iter().map(|option| CString::from(*option));
        let prefix = [workshop.copy(program, name)?].into_iter().chain(options).collect();
        Ok(Contender { name, prefix })
    };
    let panicmon = panicmon()?;
    let mut contenders =
        vec![contender(PANICMON, &panicmon, &[c"--"])?, contender(PANICMON_BY_NAME, &panicmon, &[c"--"])?];
    for (name, options) in PEERS {
        match find(name) {
            Some(program) => contenders.push(contender(name, &program, options)?),
            None => println!("{name} is not installed: left out"),
        }
    }
    contenders.push(Contender { name: "floor", prefix: vec![workshop.compile("floor")?] });
    contenders.push(Contender { name: ALONE, prefix: Vec::new() });
    Ok(contenders)
}
