//! The README's table of features: each cell has a source in docs/compared.md. Each test that is named there exists, and what
//! it says that was tried is tried here again, where the other program is installed.

mod supervisors;
mod wrappers;

use crate::support::output;
use std::process::Command;

const README: &str = include_str!("../../../README.md");
const PAGE: &str = include_str!("../../../docs/compared.md");

/// The rows of the first table behind this heading, without its head.
fn rows(page: &'static str, heading: &str) -> Vec<Vec<&'static str>> {
    let (_, section) = page.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no {heading}"));
    section
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

/// What stands between backquotes.
fn code(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn each_cell_has_a_source() {
    let table = rows(README, "## Beside others");
    let sources = rows(PAGE, "## Sources");
    let first = |rows: &[Vec<&'static str>]| rows.iter().map(|row| row[0]).collect::<Vec<_>>();
    assert_eq!(first(&table), first(&sources));
    assert!(table.len() > 10, "only {} rows were found", table.len());
    for row in &table {
        assert!(row.len() == 7 && row.iter().all(|cell| !cell.is_empty()), "{row:?}");
    }
    let (_, tests, _) = output(Command::new(std::env::current_exe().unwrap()).args(["--list", "--include-ignored"]));
    let is_test = |name: &str| tests.lines().any(|line| line.strip_suffix(": test") == Some(name));
    for row in &sources {
        assert!(row.len() == 3 && row.iter().all(|cell| !cell.is_empty()), "{row:?}");
        let named: Vec<_> = code(row[1]).chain(code(row[2])).filter(|name| name.contains("::")).collect();
        for name in &named {
            assert!(is_test(name), "{}: there is no test {name}", row[0]);
        }
    }
}

/// An option that the table names is one that panicmon has.
#[test]
fn each_option_exists() {
    for row in rows(README, "## Beside others") {
        for option in code(row[1]) {
            assert!(README.contains(&format!("{option} ")), "{option}");
            let (code, _, err) = output(Command::new(crate::support::panicmon()).args([option, "--version"]));
            assert!(!err.contains("there is no option"), "{option}: {code:?} {err}");
        }
        // Without an option, it is so or it isn't.
        let said = row[1].split('`').next().unwrap();
        assert!(row[1].contains('`') || said.starts_with("yes") || said.starts_with("no"), "{row:?}");
    }
}

/// What the answers of the README tell people to write, they can write.
#[test]
fn each_answers_options_are_understood() {
    let (_, section) = README.split_once("\n## Questions\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let mut count = 0;
    for words in code(section).filter(|words| words.starts_with('-') && words.contains(' ') || *words == "-vv") {
        let (code, _, err) =
            output(Command::new(crate::support::panicmon()).args(words.split(' ')).args(["--", "true"]));
        assert_eq!(code, Some(0), "{words}: {err}");
        count += 1;
    }
    assert!(count > 4, "only {count} were found");
}
