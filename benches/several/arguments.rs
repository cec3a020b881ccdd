//! What is to be measured.

use crate::Result;
use std::env;
use std::path::PathBuf;

/// Rows that are measured together.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Row {
    Lines,
    Lives,
    Signals,
    Orphans,
}

impl Row {
    const ALL: [Row; 4] = [Row::Lines, Row::Lives, Row::Signals, Row::Orphans];

    pub fn name(self) -> &'static str {
        match self {
            Row::Lines => "lines",
            Row::Lives => "lives",
            Row::Signals => "signals",
            Row::Orphans => "orphans",
        }
    }
}

pub struct Arguments {
    pub is_quick: bool,
    pub picture: Option<PathBuf>,
    pub rows: Vec<Row>,
}

impl Arguments {
    pub fn parse() -> Result<Arguments> {
        let mut arguments = Arguments { is_quick: false, picture: None, rows: Vec::new() };
        let mut words = env::args().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "--quick" => arguments.is_quick = true,
                "--picture" => arguments.picture = Some(words.next().ok_or("--picture needs a file")?.into()),
                // cargo passes this one.
                "--bench" => {}
                name => match Row::ALL.into_iter().find(|row| row.name() == name) {
                    Some(row) => arguments.rows.push(row),
                    None => return Err(format!("unknown argument '{word}'; rows: {}", names().join(", ")).into()),
                },
            }
        }
        if arguments.rows.is_empty() {
            arguments.rows = Row::ALL.into();
        }
        Ok(arguments)
    }
}

fn names() -> [&'static str; 4] {
    Row::ALL.map(Row::name)
}
