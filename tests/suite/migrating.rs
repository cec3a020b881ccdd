//! docs/migrating.md: each line that it tells people to write is run, and so is what it replaces, where that is installed.

use crate::support::{Scratch, output, panicmon, write_program};
use std::os::unix::fs::symlink;
use std::process::Command;

const PAGE: &str = include_str!("../../docs/migrating.md");

/// The tables: the heading above, the words of the first row, and the rows.
fn tables() -> Vec<(String, Vec<String>, Vec<Vec<String>>)> {
    let mut tables: Vec<(String, Vec<String>, Vec<Vec<String>>)> = Vec::new();
    let (mut heading, mut in_table) = (String::new(), false);
    for line in PAGE.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            heading = title.to_owned();
        }
        let Some(row) = line.strip_prefix("| ").and_then(|row| row.strip_suffix(" |")) else {
            in_table &= line.starts_with('|');
            continue;
        };
        let cells = row.split(" | ").map(|cell| cell.trim().trim_end_matches(" |").to_owned()).collect();
        if in_table {
            tables.last_mut().unwrap().2.push(cells);
        } else {
            tables.push((heading.clone(), cells, Vec::new()));
        }
        in_table = true;
    }
    tables
}

/// What stands between backquotes.
fn code(cell: &str) -> &str {
    cell.strip_prefix('`').and_then(|cell| cell.strip_suffix('`')).unwrap_or_else(|| panic!("it is no code: {cell}"))
}

/// A folder with panicmon and myserver, which says its arguments and exits with 3.
fn folder() -> Scratch {
    let folder = Scratch::folder();
    symlink(panicmon(), folder.0.join("panicmon")).unwrap();
    write_program(&folder.0.join("myserver"), b"#!/bin/sh\necho myserver \"$@\"\nexit 3\n", 0o755);
    folder
}

fn by_shell(folder: &Scratch, line: &str) -> (Option<i32>, String, String) {
    let path = format!("{}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", folder.0.display());
    output(Command::new("sh").args(["-c", line]).env_clear().env("PATH", path))
}

/// The program that a line calls, behind its variables.
fn program(line: &str) -> &str {
    line.split(' ').find(|word| !word.contains('=')).unwrap()
}

#[test]
fn each_line_does_what_the_one_before_did() {
    let folder = folder();
    let is_root = nix::unistd::geteuid().is_root();
    let mut count = 0;
    for (heading, head, rows) in tables() {
        if head[..2] != ["before", "now"] {
            continue;
        }
        for row in rows {
            let (before, now) = (code(&row[0]), code(&row[1]));
            count += 1;
            if now.contains("--user") && !is_root {
                // That it can be read.
                let checked = now.replace(" -- ", " --doctor -- ");
                assert!(matches!(by_shell(&folder, &checked).0, Some(0 | 1)), "{heading}: {checked}");
                continue;
            }
            let (status, out, err) = by_shell(&folder, now);
            assert_eq!(status, Some(3), "{heading}: {now}: {err}");
            if by_shell(&folder, &format!("command -v {}", program(before))).0 == Some(0) {
                let (status, theirs, err) = by_shell(&folder, before);
                assert_eq!(status, Some(3), "{heading}: {before}: {err}");
                // tini's log is on stdout, too.
                assert!(
                    theirs.lines().any(|line| out.lines().eq([line])),
                    "{heading}: {before}: {theirs}; {now}: {out}"
                );
            }
        }
    }
    assert!(count > 25, "only {count} rows were found");
}

/// `--check` of a file.
fn checked(folder: &Scratch, file: &str) -> (Option<i32>, String, String) {
    let path = folder.0.join("file.yml");
    std::fs::write(&path, file).unwrap();
    by_shell(folder, &format!("panicmon --check --config {}", path.display()))
}

#[test]
fn each_key_and_each_file_is_understood() {
    let folder = folder();
    let mut count = 0;
    for (heading, head, rows) in tables() {
        if head[1] != "in the file" {
            continue;
        }
        for row in rows {
            let keys = code(&row[1]);
            let cmd = if keys.contains("cmd: ") { "" } else { "cmd: myserver, " };
            let (status, _, err) = checked(&folder, &format!("processes: [{{ {cmd}{keys} }}]\n"));
            assert_eq!((status, err.as_str()), (Some(0), ""), "{heading}: {keys}");
            count += 1;
        }
    }
    assert!(count > 15, "only {count} rows were found");
    let files: Vec<_> = PAGE.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(files.len(), 2);
    for file in files {
        let (status, _, err) = checked(&folder, file);
        assert_eq!((status, err.as_str()), (Some(0), ""), "{file}");
    }
}

/// What the page says of statuses.
#[test]
fn statuses_are_as_told() {
    let folder = folder();
    for (line, status) in [
        ("panicmon --as catatonit -- -V", 0),
        ("panicmon --as tini -- -g -- myserver", 3),
        ("panicmon --no-such-option -- myserver", 125),
        ("panicmon -- no-such-command", 127),
        ("panicmon --as dumb-init -- no-such-command", 2),
        ("timeout 0.1 panicmon -- sleep 1000", 124),
        ("timeout 0.1 panicmon --kill-after 50ms -- sh -c 'trap : TERM; while :; do sleep 1000; done'", 124),
    ] {
        assert_eq!(by_shell(&folder, line).0, Some(status), "{line}");
    }
}
