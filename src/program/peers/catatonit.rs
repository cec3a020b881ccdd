//! catatonit, which podman calls podman-init.

use super::getopt::{Item, Syntax, read};
use super::peer::{Asked, Line, Peer};
use super::run::Statuses;
use super::texts::{base, licence, version};
use super::wishes::Wishes;
use crate::model::env;
use crate::model::status::StatusCode;
use std::ffi::OsStr;

pub(super) const CATATONIT: Peer = Peer { names: &["catatonit", "podman-init"], statuses: &STATUSES, read: read_line };

const FAILURE: StatusCode = StatusCode::new(1);

static STATUSES: Statuses =
    Statuses { not_found: FAILURE, not_executable: FAILURE, refused_otherwise: FAILURE, failure: FAILURE };

/// It says tini's name, which Docker expects.
const VERSION: &str = "tini version 0.1.7_catatonit";

const SYNTAX: Syntax = Syntax { short: "ghLPV", long: &[("version", 'V')], permutes: true };

fn read_line(line: &Line<'_>) -> Asked {
    let syntax = Syntax { permutes: env::get(line.env, "POSIXLY_CORRECT").is_none(), ..SYNTAX };
    let given = read(&syntax, line.name, line.words);
    let mut wishes = Wishes::new(&STATUSES);
    let mut pauses = false;
    for item in given.items {
        match item {
            Item::Option('h', _) => return Asked::Tell(format!("{}{}", usage(line.name), help())),
            Item::Option('L', _) => return Asked::Print(licence()),
            Item::Option('V', _) => return Asked::Print(version(VERSION)),
            Item::Option('g', _) => wishes.group = true,
            Item::Option('P', _) => pauses = true,
            Item::Option(..) => {}
            Item::Wrong(why) => return Asked::Refuse(format!("{why}\n{}", usage(line.name))),
        }
    }
    if pauses {
        return Asked::Pause;
    }
    if given.operands.is_empty() {
        let own = std::process::id();
        return Asked::Refuse(format!("ERROR (catatonit:{own}): missing program name\n{}", usage(line.name)));
    }
    wishes.in_place.words = given.operands.leak();
    Asked::Run(wishes)
}

fn usage(name: &OsStr) -> String {
    format!("usage: {} [-ghLPV] [--] <progname> [<arguments>...]\n", base(name))
}

#[cold]
fn help() -> String {
    format!(
        "
panicmon in the place of catatonit ({})

  -g             send signals to the command's whole process group
  -P             run no command: reap orphans until TERM or INT comes
  -h, -L, -V, --version

Options are read behind the command, too, up to the first --. The variables PANICMON_... of panicmon --help work as well.
",
        version(VERSION).trim_end()
    )
}
