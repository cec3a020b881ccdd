//! The names of other programs: panicmon in their place does what they do, beside the real one where it is installed.
//!
//! Each row of `lines` is run by panicmon under that name, and by the program itself. Where the two differ on purpose, the row
//! has what the program does instead, and the reason.

mod arguments;
mod as_pid_1;
mod at_ends;
mod lines;
mod others;
mod own_failures;
mod own_options;
mod pausing;
mod pid1;
mod pidproxy;
mod stops;

use crate::support::{Scratch, output, panicmon};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How a program ended, and what it said.
struct End {
    code: i32,
    out: Said,
    err: Said,
}

/// What is said of a stream.
enum Said {
    Nothing,
    /// This, and nothing else.
    All(&'static str),
    /// This is in it.
    Has(&'static str),
    /// It doesn't matter.
    Any,
}

impl Said {
    fn is(&self, text: &str) -> bool {
        match self {
            Said::Nothing => text.is_empty(),
            Said::All(all) => text == *all,
            Said::Has(part) => text.contains(part),
            Said::Any => true,
        }
    }
}

/// A command line, and what comes of it.
struct Row {
    words: &'static [&'static str],
    variables: &'static [(&'static str, &'static str)],
    ours: End,
    /// What the program itself does, if it is something else, and why panicmon doesn't.
    theirs: Option<(End, &'static str)>,
}

const fn end(code: i32, out: Said, err: Said) -> End {
    End { code, out, err }
}

/// It runs, and says no more than its command.
const fn runs(code: i32, out: &'static str) -> End {
    let out = if out.is_empty() { Said::Nothing } else { Said::All(out) };
    end(code, out, Said::Nothing)
}

/// It is refused, with this in its words.
const fn refused(code: i32, err: &'static str) -> End {
    end(code, Said::Nothing, Said::Has(err))
}

const fn row(words: &'static [&'static str], ours: End) -> Row {
    Row { words, variables: &[], ours, theirs: None }
}

impl Row {
    const fn with(self, variables: &'static [(&'static str, &'static str)]) -> Row {
        Row { variables, ..self }
    }

    const fn but_theirs(self, theirs: End, reason: &'static str) -> Row {
        Row { theirs: Some((theirs, reason)), ..self }
    }

    fn plays(&self, who: &str, command: &mut Command, expected: &End) -> Result<(), String> {
        command.args(self.words).envs(self.variables.iter().copied());
        let (code, out, err) = output(command);
        if code == Some(expected.code) && expected.out.is(&out) && expected.err.is(&err) {
            return Ok(());
        }
        Err(format!("{who} {:?} {:?}: {code:?}\n-- stdout\n{out}-- stderr\n{err}", self.words, self.variables))
    }
}

/// A folder in which panicmon has the names of other programs, and an empty file and a script that can't be executed.
struct Names(Scratch);

impl Names {
    fn new() -> Names {
        let folder = Scratch::folder();
        for name in ["tini", "tini-static", "docker-init", "dumb-init", "catatonit", "podman-init"] {
            symlink(panicmon(), folder.0.join(name)).unwrap();
        }
        Names(folder)
    }

    /// One for all that a test does: it is removed when the test's thread ends.
    fn kept() -> PathBuf {
        thread_local!(static KEPT: Names = Names::new());
        KEPT.with(|names| names.0.0.clone())
    }

    fn command(&self, name: &str) -> Command {
        clean(&self.0.0.join(name))
    }
}

/// The program itself, if it is installed.
pub fn real(name: &str) -> Option<Command> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.exists())?;
    Some(clean(&found))
}

/// A command in whose environment no variable changes what it does.
fn clean(path: &Path) -> Command {
    let mut command = Command::new(path);
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin");
    command
}

/// Plays all rows under this name.
fn play(name: &str, rows: &[Row]) {
    let names = Names::new();
    let mut faults = Vec::new();
    for row in rows {
        faults.extend(row.plays("panicmon as", &mut names.command(name), &row.ours).err());
        if let Some(mut real) = real(name) {
            let expected = row.theirs.as_ref().map_or(&row.ours, |(theirs, reason)| {
                assert!(!reason.is_empty(), "a difference has a reason");
                theirs
            });
            faults.extend(row.plays("the real", &mut real, expected).err());
        }
    }
    assert!(faults.is_empty(), "{name}:\n{}", faults.join("\n"));
}

/// A file that is no program, one that names an interpreter which isn't there, a folder, and a link to itself.
struct Unusable(Scratch);

impl Unusable {
    fn new() -> Unusable {
        let folder = Scratch::folder();
        crate::support::write_program(&folder.0.join("plain"), b"", 0o644);
        crate::support::write_program(&folder.0.join("lost"), b"#!/no/such/interpreter\n", 0o755);
        std::fs::create_dir(folder.0.join("folder")).unwrap();
        symlink("circle", folder.0.join("circle")).unwrap();
        Unusable(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.0.join(name)
    }
}
