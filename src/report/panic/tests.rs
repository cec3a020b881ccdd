//! What real runtimes print when they die, and what is made of it.
//!
//! The texts of `tests/shapes/` were recorded from programs of a few lines, on Debian 12 with the versions that it has, and
//! newer ones of Node's relatives, Zig and Python from their registries. Paths and long middles were replaced. Those of
//! `unrecorded.txt` follow descriptions, because the runtimes aren't packaged.

use super::*;
use crate::model::signal::Signal;
use crate::model::test_random::Random;
use pattern::LOOKED_AT;
use std::collections::BTreeMap;

const SHAPES: &[(&str, &str)] = &[
    ("ada", include_str!("tests/shapes/ada.txt")),
    ("awk", include_str!("tests/shapes/awk.txt")),
    ("bun", include_str!("tests/shapes/bun.txt")),
    ("c", include_str!("tests/shapes/c.txt")),
    ("chicken", include_str!("tests/shapes/chicken.txt")),
    ("clisp", include_str!("tests/shapes/clisp.txt")),
    ("clojure", include_str!("tests/shapes/clojure.txt")),
    ("cobol", include_str!("tests/shapes/cobol.txt")),
    ("crystal", include_str!("tests/shapes/crystal.txt")),
    ("cxx", include_str!("tests/shapes/cxx.txt")),
    ("d", include_str!("tests/shapes/d.txt")),
    ("deno", include_str!("tests/shapes/deno.txt")),
    ("elixir", include_str!("tests/shapes/elixir.txt")),
    ("erlang", include_str!("tests/shapes/erlang.txt")),
    ("fortran", include_str!("tests/shapes/fortran.txt")),
    ("gforth", include_str!("tests/shapes/gforth.txt")),
    ("ghc", include_str!("tests/shapes/ghc.txt")),
    ("glib", include_str!("tests/shapes/glib.txt")),
    ("go", include_str!("tests/shapes/go.txt")),
    ("guile", include_str!("tests/shapes/guile.txt")),
    ("haxe", include_str!("tests/shapes/haxe.txt")),
    ("java", include_str!("tests/shapes/java.txt")),
    ("jruby", include_str!("tests/shapes/jruby.txt")),
    ("lua", include_str!("tests/shapes/lua.txt")),
    ("mono", include_str!("tests/shapes/mono.txt")),
    ("nim", include_str!("tests/shapes/nim.txt")),
    ("node", include_str!("tests/shapes/node.txt")),
    ("ocaml", include_str!("tests/shapes/ocaml.txt")),
    ("octave", include_str!("tests/shapes/octave.txt")),
    ("pascal", include_str!("tests/shapes/pascal.txt")),
    ("perl", include_str!("tests/shapes/perl.txt")),
    ("php", include_str!("tests/shapes/php.txt")),
    ("prolog", include_str!("tests/shapes/prolog.txt")),
    ("python", include_str!("tests/shapes/python.txt")),
    ("qt", include_str!("tests/shapes/qt.txt")),
    ("r", include_str!("tests/shapes/r.txt")),
    ("racket", include_str!("tests/shapes/racket.txt")),
    ("raku", include_str!("tests/shapes/raku.txt")),
    ("ruby", include_str!("tests/shapes/ruby.txt")),
    ("rust", include_str!("tests/shapes/rust.txt")),
    ("sanitizer", include_str!("tests/shapes/sanitizer.txt")),
    ("sbcl", include_str!("tests/shapes/sbcl.txt")),
    ("shell", include_str!("tests/shapes/shell.txt")),
    ("tcl", include_str!("tests/shapes/tcl.txt")),
    ("unrecorded", include_str!("tests/shapes/unrecorded.txt")),
    ("zig", include_str!("tests/shapes/zig.txt")),
];

/// One death: what was printed, how it ended, and what is to be found.
#[derive(Debug, Default)]
struct Shape {
    name: String,
    status: Option<ExitStatus>,
    expected: BTreeMap<String, String>,
    stderr: String,
    stdout: String,
}

impl Shape {
    /// Those of a file. Lines that begin with `####` say what is expected; after `#### stdout` comes the other stream. `␤`, `␛` and `␍` stand for a newline, an escape and a
    /// carriage return.
    fn all_of(file: &str, text: &str) -> Vec<Shape> {
        let (mut shapes, mut is_stdout): (Vec<Shape>, bool) = (Vec::new(), false);
        for line in text.split_inclusive('\n') {
            let Some(directive) = line.strip_prefix("#### ") else {
                let shape = shapes.last_mut().unwrap();
                let text = if is_stdout { &mut shape.stdout } else { &mut shape.stderr };
                text.push_str(&line.replace('␛', "\x1b").replace('␍', "\r"));
                continue;
            };
            match directive.trim_end().split_once(": ") {
                _ if directive == "stdout\n" => is_stdout = true,
                _ if directive == "nothing\n" => {}
                Some(("death", ended)) => {
                    let (name, ended) = ended.split_once(", ").unwrap();
                    let status = Some(status_of(ended));
                    shapes.push(Shape { name: format!("{file}: {name}"), status, ..Shape::default() });
                    is_stdout = false;
                }
                Some((key, value)) => {
                    let expected = &mut shapes.last_mut().unwrap().expected;
                    expected.insert(key.to_owned(), value.replace('␤', "\n"));
                }
                None => panic!("{file}: {line}"),
            }
        }
        shapes
    }

    fn recognised(&self) -> Option<Panic> {
        recognise(&self.stderr, &self.stdout, self.status.unwrap())
    }
}

fn status_of(ended: &str) -> ExitStatus {
    match ended.strip_prefix("exit ") {
        Some(code) => ExitStatus::Exited(code.parse().unwrap()),
        None => ExitStatus::Signaled { signal: ended.parse().unwrap(), core_dumped: false },
    }
}

fn shapes() -> impl Iterator<Item = Shape> {
    SHAPES.iter().flat_map(|(file, text)| Shape::all_of(file, text))
}

/// As the files write it.
fn described(panic: &Panic) -> BTreeMap<String, String> {
    let stdout = if panic.stream == Source::Stdout { "stdout" } else { "" };
    let frame = panic.frames.first().map(String::as_str).unwrap_or_default();
    let thread = panic.thread.as_deref().unwrap_or_default();
    let (kind, message) = (panic.kind.as_str(), panic.message.as_str());
    let all =
        [("language", panic.language), ("kind", kind), ("message", message), ("thread", thread), ("frame", frame)];
    let all = all.into_iter().chain([("stream", stdout)]).filter(|(_, value)| !value.is_empty());
    all.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

#[test]
fn each_death_is_named_and_each_false_friend_is_not() {
    let mut wrong = String::new();
    for shape in shapes() {
        let found = shape.recognised().as_ref().map(described).unwrap_or_default();
        if found != shape.expected {
            wrong.push_str(&format!("{}\n  expected {:?}\n  found    {found:?}\n", shape.name, shape.expected));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(shapes().count() > 300);
}

#[test]
fn after_success_there_is_no_death_and_a_strangers_signal_names_none() {
    for shape in shapes() {
        assert_eq!(recognise(&shape.stderr, &shape.stdout, ExitStatus::Exited(0)), None, "{}", shape.name);
        for signal in [Signal::KILL, Signal::TERM, Signal::INT, Signal::HUP] {
            let status = ExitStatus::Signaled { signal, core_dumped: false };
            assert_eq!(recognise(&shape.stderr, &shape.stdout, status), None, "{}", shape.name);
        }
    }
}

/// The text with every number changed: addresses, lines, pids, times.
fn on_another_day(text: &str) -> String {
    let changed = |digit: char| char::from(b'1' + (digit as u8 - b'0' + 1) % 9);
    let (mut out, mut word) = (String::with_capacity(text.len()), String::new());
    for c in text.chars() {
        let is_first = word.is_empty();
        word.push(c);
        if !c.is_alphanumeric() && c != '_' {
            word.clear();
        }
        let is_address = word.len() > 2 && word.starts_with("0x");
        let is_number = is_first && c.is_ascii_digit() && c != '0';
        out.push(if c.is_ascii_digit() && (is_address || is_number) { changed(c) } else { c });
    }
    out
}

#[test]
fn the_same_fault_has_the_same_fingerprint_on_another_day() {
    let mut compared = 0;
    for shape in shapes() {
        let Some(panic) = shape.recognised() else { continue };
        let (stderr, stdout) = (on_another_day(&shape.stderr), on_another_day(&shape.stdout));
        let other = recognise(&stderr, &stdout, shape.status.unwrap());
        let Some(other) = other else { panic!("{}: not found on another day:\n{stderr}", shape.name) };
        assert_eq!(other.fingerprint, panic.fingerprint, "{}: {panic:?} {other:?}", shape.name);
        compared += 1;
    }
    assert!(compared > 250, "{compared}");
}

#[test]
fn another_fault_has_another_fingerprint() {
    let mut known: BTreeMap<String, (String, Panic)> = BTreeMap::new();
    for shape in shapes() {
        let Some(panic) = shape.recognised() else { continue };
        let key = panic.fingerprint.clone();
        if let Some((name, before)) = known.insert(key, (shape.name.clone(), panic.clone())) {
            let frames = |panic: &Panic| {
                panic.frames.iter().map(|frame| fingerprint::without_numbers(frame)).collect::<Vec<_>>()
            };
            assert_eq!((&before.kind, frames(&before)), (&panic.kind, frames(&panic)), "{name} and {}", shape.name);
        }
    }
    assert!(known.len() > 200, "{}", known.len());
}

/// Ends that some language agrees with.
const ENDS: [&str; 9] = ["exit 1", "exit 2", "exit 70", "exit 101", "exit 217", "exit 255", "ABRT", "SEGV", "TRAP"];

fn marks() -> impl Iterator<Item = &'static language::Mark> {
    let marks = languages::all().filter_map(|language| match language.reader {
        Reader::Marks(marks) => Some(marks),
        Reader::Own(_) => None,
    });
    marks.flatten()
}

/// Lines that are as near to a mark as can be without being one, or that begin what never ends.
fn hostile_lines() -> Vec<String> {
    let mut lines: Vec<String> = marks().map(|mark| format!("{}x{}((((: ", mark.start, mark.has)).collect();
    lines.extend(languages::all().flat_map(|language| language.frames.bounds).map(|line| (*line).to_owned()));
    let more = [
        "",
        "x",
        "\0\u{fffd}",
        "Traceback (most recent call last):",
        "Traceback (most recent call last):\n  File \"a\", line 1, in <module>",
        "  File \"a\", line 1, in <module>",
        "  + Exception Group Traceback (most recent call last):\n  | ",
        "SyntaxError: x",
        "thread 'a' panicked at a.rs:1:1:",
        "thread 'main' panicked at a.rs:1:1:\ncalled `Result::unwrap()` on an `Err` value: Any { .. }",
        "a.rb:1:in 'b': ((((((((",
        "a.rb:1:in 'b': c (D)",
        "#<Thread:1 run> terminated with exception",
        "boom at app.pl line 1",
        "/a:1\nb\n^",
        "^^^^",
        "    at a (b:1:1)",
        "\tat a(b:1)",
        "Node.js v20",
        "Bun v1 (",
        "panic: x\n\ngoroutine 1 [running]:",
        "main.f(x)\n\t/a.go:1",
        "lua: a:1: b",
        "\u{1b}[31merror\u{1b}[0m: Uncaught x",
        "\u{1b}[\u{1b}[\u{1b}[",
        "a: b: c: d: e: f: g",
    ];
    lines.extend(more.map(str::to_owned));
    lines
}

/// How many bytes patterns look at.
fn looked_at(text: &str, status: ExitStatus) -> usize {
    LOOKED_AT.set(0);
    recognise(text, text, status);
    LOOKED_AT.get()
}

#[test]
fn the_work_grows_with_the_text_and_no_faster() {
    const BYTES: usize = 4000;
    for line in hostile_lines() {
        let text = |bytes: usize| format!("{line}\n").repeat(bytes / (line.len() + 1));
        let (once, twice) = (text(BYTES), text(2 * BYTES));
        for status in ENDS.map(status_of) {
            let (once, twice) = (looked_at(&once, status), looked_at(&twice, status));
            assert!(twice <= 2 * once + once / 4 + BYTES, "{line:?}, {status}: {once} and {twice}");
            assert!(once <= 60 * BYTES, "{line:?}, {status}: {once}");
        }
    }
}

#[test]
fn whatever_is_printed_what_is_found_is_small() {
    let lines = hostile_lines();
    let mut random = Random::new(3);
    let known: Vec<Shape> = shapes().collect();
    for round in 0..300 {
        let mut text = String::new();
        for _ in 0..random.below(40) {
            let line = &lines[random.below(lines.len() as u64) as usize];
            text.push_str(&line.repeat(1 + random.below(3) as usize));
            if random.below(5) > 0 {
                text.push('\n');
            }
        }
        let shape = &known[round % known.len()];
        let text = format!("{text}{}{text}", shape.stderr);
        if let Some(panic) = recognise(&text, "", shape.status.unwrap()) {
            assert!(panic.frames.len() <= frames::MOST && panic.message.len() <= MOST_OF_MESSAGE);
            let names = panic.frames.iter().chain([&panic.kind]).chain(&panic.thread);
            assert!(names.into_iter().all(|name| !name.is_empty() && name.len() <= MOST_OF_NAME), "{panic:?}");
            assert_eq!(panic.fingerprint.len(), 16);
        }
    }
}

#[test]
fn ten_megabytes_without_a_newline() {
    for unit in ["x", "\0", "panic: ", "é", "\u{1b}[31m", ": "] {
        let text = unit.repeat(10 * 1024 * 1024 / unit.len());
        assert_eq!(recognise(&text, "", ExitStatus::Exited(2)), None, "{unit:?}");
    }
}

#[test]
fn the_patterns_can_be_compiled_and_a_mark_has_what_it_is_looked_up_by() {
    for language in languages::all() {
        for text in [language.frames.pattern, language.frames.place] {
            assert!(pattern::Pattern::new(text).is_some(), "{}: {text}", language.name);
        }
    }
    for mark in marks() {
        assert!(!mark.start.is_empty() || !mark.has.is_empty(), "{mark:?}");
        for text in [mark.pattern, mark.cut, mark.inner] {
            assert!(pattern::Pattern::new(text).is_some(), "{text}");
        }
        // What `cut` and `inner` look for may not be there.
        assert!(mark.pattern.contains("(?<kind>") || !mark.kind.is_empty(), "{mark:?}");
    }
}

#[test]
fn each_language_has_a_recorded_death() {
    let mut named: Vec<String> = shapes().filter_map(|shape| shape.expected.get("language").cloned()).collect();
    named.sort_unstable();
    for language in languages::all() {
        assert!(named.iter().any(|name| name == language.name), "{}", language.name);
    }
}

/// The text of one death, with lines before and after it.
fn shape(file: &str, name: &str) -> Shape {
    let full = format!("{file}: {name}");
    shapes().find(|shape| shape.name == full).unwrap_or_else(|| panic!("{full}"))
}

#[test]
fn a_death_is_found_among_other_lines() {
    let before = "2026-11-29 12:00:00 INFO started\nlistening on :80\nerror: no such key\n".repeat(50);
    let after = "cleaned up\n";
    for (file, name) in [
        ("go", "panic"),
        ("rust", "unwrap"),
        ("python", "zero"),
        ("python", "chained"),
        ("node", "throw"),
        ("java", "cause"),
        ("php", "both"),
        ("ruby", "raise"),
        ("c", "smash"),
        ("cxx", "int"),
        ("ocaml", "backtrace"),
        ("nim", "raise"),
        ("crystal", "raise"),
        ("mono", "throw"),
    ] {
        let shape = shape(file, name);
        let around = format!("{before}{}\n{after}", shape.stderr);
        let found = recognise(&around, "", shape.status.unwrap()).unwrap_or_else(|| panic!("{}", shape.name));
        assert_eq!(found.fingerprint, shape.recognised().unwrap().fingerprint, "{}", shape.name);
    }
}

/// A supervisor shows what its child said, too. Its own death is the last one.
#[test]
fn of_two_deaths_that_agree_with_the_status_the_last_one_counts() {
    let (first, second) = (shape("python", "zero"), shape("node", "throw"));
    let both = format!("{}{}", first.stderr, second.stderr);
    assert_eq!(recognise(&both, "", ExitStatus::Exited(1)).unwrap().language, "node");
    let both = format!("{}{}", second.stderr, first.stderr);
    assert_eq!(recognise(&both, "", ExitStatus::Exited(1)).unwrap().language, "python");
    // The status agrees with one of them only.
    let both = format!("{}{}", shape("go", "panic").stderr, first.stderr);
    assert_eq!(recognise(&both, "", ExitStatus::Exited(2)).unwrap().language, "go");
}
