//! docs/death.svg, the README's picture: a session at a shell. Its commands are run again, and must say what is drawn.
//!
//! `PANICMON_UPDATE=1 cargo test --test suite -- picture --ignored` draws what they say now.

use crate::exit::LittleMemory;
use crate::support::{Scratch, panicmon};
use plotters::prelude::*;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

const PICTURE: &str = include_str!("../../docs/death.svg");

const PROGRAMS: [(&str, &str); 2] = [
    ("job.py", "rows = []\nwhile True:\n    rows.append('row' * 100_000)\n"),
    ("server.py", "settings = {'port': 8080}\n\nprint(settings['prot'])\n"),
];

const SESSION: [&str; 3] = [
    "panicmon --name job --report deaths -- python3 job.py; echo $?",
    "panicmon --name web --report deaths --stderr-tail 64K,force -- python3 server.py; echo $?",
    "head -qn 1 deaths/*.txt",
];

const LINE: i32 = 21;
const BORDER: i32 = 14;
/// As wide as a character of the font.
const CHARACTER: i32 = 8;

/// An SVG drops the spaces at the start of a text: the text begins further to the right instead.
fn drawn(lines: &[String]) -> String {
    let mut svg = String::new();
    {
        let size = (900, (2 * BORDER + LINE * lines.len() as i32) as u32);
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        area.fill(&RGBColor(30, 32, 40)).unwrap();
        for (line, y) in lines.iter().zip((BORDER..).step_by(LINE as usize)) {
            let color = match line {
                line if line.starts_with("$ ") => RGBColor(130, 200, 255),
                line if line.contains(" (pid ") => RGBColor(255, 210, 120),
                _ => RGBColor(215, 218, 225),
            };
            let text = line.trim_start();
            let indent = (line.len() - text.len()) as i32;
            let font = ("monospace", 17).into_font().color(&color);
            area.draw(&Text::new(text, (BORDER + indent * CHARACTER, y), font)).unwrap();
        }
        area.present().unwrap();
    }
    svg
}

/// The lines of a picture.
fn read(svg: &str) -> Vec<String> {
    let between = |text: &str, from: &str, to: &str| {
        let (_, text) = text.split_once(from).unwrap();
        text.split_once(to).unwrap().0.to_owned()
    };
    let escapes = [("&quot;", "\""), ("&apos;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    let line = |element: &str| {
        let x: i32 = between(element, " x=\"", "\"").parse().unwrap();
        let text = between(element, ">\n", "\n</text>");
        let text = escapes.iter().fold(text, |text, (escape, character)| text.replace(escape, character));
        " ".repeat(((x - BORDER) / CHARACTER) as usize) + &text
    };
    svg.split("<text").skip(1).map(line).collect()
}

/// What differs from run to run is left out: pids, times, the peak; and Python's marks below a line of code, which not each
/// version has.
fn compared(lines: &[String]) -> Vec<String> {
    let mark = |line: &&String| !line.contains('^') && !line.contains('~');
    let word = |word: &str| {
        let bare = word.trim_end_matches([')', ':', ';']);
        let varies = bare.chars().all(|c| c.is_ascii_digit()) && !bare.is_empty()
            || bare.strip_suffix("ms").or(bare.strip_suffix('s')).is_some_and(|time| time.parse::<f64>().is_ok());
        if varies { word.replace(bare, "N") } else { word.to_owned() }
    };
    let line = |line: &String| {
        let line = line.split_once(", peak ").map_or(line.as_str(), |(line, _)| line);
        // The status of a command stands alone.
        if line.parse::<u8>().is_ok() {
            line.to_owned()
        } else {
            line.split(' ').map(word).collect::<Vec<_>>().join(" ")
        }
    };
    lines.iter().filter(mark).map(line).collect()
}

/// Each command of the session, and below it what was written to the terminal. The folder is called /srv.
fn run() -> Vec<String> {
    let folder = Scratch::folder();
    symlink(panicmon(), folder.0.join("panicmon")).unwrap();
    for (name, text) in PROGRAMS {
        fs::write(folder.0.join(name), text).unwrap();
    }
    fs::create_dir(folder.0.join("deaths")).unwrap();
    let group = LittleMemory::new("picture");
    let mut lines = Vec::new();
    for line in SESSION {
        let script = format!("echo $$ >{}/cgroup.procs; exec 2>&1; {line}", group.0.display());
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", folder.0.display());
        let output =
            Command::new("sh").args(["-c", &script]).current_dir(&folder.0).env("PATH", path).output().unwrap();
        lines.push(format!("$ {line}"));
        let said = String::from_utf8(output.stdout).unwrap().replace(folder.0.to_str().unwrap(), "/srv");
        lines.extend(said.lines().map(str::to_owned));
    }
    lines
}

#[test]
#[ignore = "needs root: a cgroup of its own; and python3"]
fn it_shows_what_panicmon_says() {
    let lines = run();
    if std::env::var_os("PANICMON_UPDATE").is_some() {
        fs::write("docs/death.svg", drawn(&lines)).unwrap();
        return;
    }
    assert_eq!(compared(&lines), compared(&read(PICTURE)));
}

#[test]
fn it_is_drawn_of_its_text() {
    let lines = read(PICTURE);
    assert_eq!(drawn(&lines), PICTURE);
    assert_eq!(lines.iter().filter_map(|line| line.strip_prefix("$ ")).collect::<Vec<_>>(), SESSION);
    for line in lines {
        assert!(line.chars().count() <= 105, "it is too long for the picture: {line}");
    }
}
