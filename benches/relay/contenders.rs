//! The programs that relay lines.

use crate::Result;
use crate::producer::{END, Lines};
use crate::programs::{find, panicmon};
use crate::workshop::{Workshop, c_string, project};
use std::ffi::CString;
use std::path::Path;
use std::process::Command;

/// One of the programs that are compared.
pub struct Contender {
    pub name: &'static str,
    /// The program and its options.
    pub prefix: Vec<CString>,
    pub way: Way,
}

/// How it gets the lines, and what it does with them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It reads from the producer in a pipeline, and changes nothing.
    Copies,
    /// It starts the producer, and changes nothing.
    Keeps,
    /// It starts the producer, and puts a label in front of each line, however long that is.
    Labels,
    /// The same, but it may divide lines that are longer than this number of bytes.
    LabelsAndDivides(usize),
}

pub const CAT: &str = "cat";
pub const GO: &str = "Go";
pub const PANICMON: &str = "panicmon";
/// panicmon without labels, which keeps the last words.
pub const TAIL: &str = "panicmon, a tail";

/// How much the tail keeps, in KiB.
pub const TAIL_KIB: usize = 64;

const NAME: &str = "bench";
const LABEL: &str = "bench › ";

impl Way {
    pub fn label(self) -> &'static [u8] {
        if matches!(self, Way::Copies | Way::Keeps) { b"" } else { LABEL.as_bytes() }
    }

    /// Whether it divides lines of this length.
    pub fn divides(self, length: usize) -> bool {
        matches!(self, Way::LabelsAndDivides(longest) if length > longest)
    }

    /// How many bytes it writes for these lines and the one that ends them: the least number, if it divides them.
    pub fn bytes(self, lines: Lines) -> usize {
        lines.bytes() + END.len() + (lines.count + 1) * self.label().len()
    }
}

/// Builds or finds the programs, and copies them to one place.
pub fn gather(workshop: &Workshop) -> Result<Vec<Contender>> {
    let cat = find("cat").ok_or("cat is not installed")?;
    let cat = vec![workshop.copy(&cat, "cat")?];
    let mut contenders = vec![Contender { name: CAT, prefix: cat, way: Way::Copies }];
    match go_relay(workshop)? {
        Some(program) => {
            contenders.push(Contender { name: GO, prefix: vec![program, CString::new(NAME)?], way: Way::Labels });
        }
        None => println!("go is not installed: the relay in {GO} is left out (install golang-go)"),
    }
    let program = workshop.copy(&panicmon()?, "panicmon")?;
    let prefix = vec![program.clone(), c"--label".into(), CString::new(NAME)?, c"--".into()];
    contenders.push(Contender { name: PANICMON, prefix, way: Way::LabelsAndDivides(64 * 1024) });
    contenders.push(Contender { name: TAIL, prefix: keeping(program, Path::new("/dev/null"))?, way: Way::Keeps });
    Ok(contenders)
}

/// A panicmon that keeps a tail of stdout for the events in this file. (What it does with stderr is the same.)
pub fn keeping(panicmon: CString, events: &Path) -> Result<Vec<CString>> {
    let size = CString::new(format!("{TAIL_KIB}K"))?;
    Ok(vec![panicmon, c"--stdout-tail".into(), size, c"--events".into(), c_string(events)?, c"--".into()])
}

fn go_relay(workshop: &Workshop) -> Result<Option<CString>> {
    let Some(go) = find("go") else { return Ok(None) };
    let program = workshop.path("relay");
    let source = project().join("benches/relay/relay.go");
    let status = Command::new(go).arg("build").arg("-o").args([&program, &source]).status()?;
    if !status.success() {
        return Err(format!("can't build {}: {status}", source.display()).into());
    }
    Ok(Some(c_string(&program)?))
}
