//! Scripting languages.

use super::super::language::{Frames, Language, MARK, Mark, Message, NO_FRAMES, Reader, Sure, Which};
use super::super::readers;
use super::ends::{FAULTS, codes, ends};
use crate::model::signal::Signal;

pub(super) static LANGUAGES: &[Language] = &[
    Language { name: "python", ends: codes(&[1]), reader: Reader::Own(readers::python::read), frames: NO_FRAMES },
    Language {
        name: "python",
        ends: ends(&[1], FAULTS),
        reader: Reader::Marks(&[Mark {
            start: "Fatal Python error: ",
            pattern: r"^(?<kind>Fatal Python error): (?<message>.*)$",
            which: Which::Last,
            ..MARK
        }]),
        frames: Frames {
            pattern: r#"^  File "(?<p>.*)", line (?<n>\d+) in (?<f>.+)$"#,
            stop: &["Thread 0x"],
            ..NO_FRAMES
        },
    },
    Language {
        name: "php",
        ends: codes(&[255]),
        reader: Reader::Marks(PHP),
        frames: Frames {
            pattern: r"^#\d+ (?:(?<p>[^(]+)\((?<n>\d+)\)|\[internal function\]): (?<f>[^(]+)\(.*\)$",
            stop: &["", "  thrown in "],
            ..NO_FRAMES
        },
    },
    Language { name: "ruby", ends: codes(&[1]), reader: Reader::Own(readers::ruby::read), frames: NO_FRAMES },
    Language {
        name: "ruby",
        ends: ends(&[1], FAULTS),
        reader: Reader::Marks(RUBY),
        frames: Frames { pattern: r"^(?<p>\S+?):(?<n>\d+):in [`'](?<f>.*)'$", stop: &["-- "], ..NO_FRAMES },
    },
    Language {
        name: "perl",
        // `die` exits with errno, if there is one.
        ends: ends(ANY, &[Signal::ABRT, Signal::SEGV]),
        reader: Reader::Own(readers::perl::read),
        frames: NO_FRAMES,
    },
    Language { name: "lua", ends: codes(&[1]), reader: Reader::Marks(LUA), frames: LUA_FRAMES },
    Language { name: "luajit", ends: codes(&[1]), reader: Reader::Marks(LUAJIT), frames: LUA_FRAMES },
    Language {
        name: "r",
        ends: codes(&[1]),
        reader: Reader::Marks(&[Mark {
            start: "Error",
            pattern: r"^Error(?: in (?<f>.*?) ?)?: ?(?<message>.*)$",
            kind: "error",
            which: Which::Last,
            message: Message::Until(&["Execution halted", "In addition: ", "Calls: ", "Warning message", "Backtrace:"]),
            below: &["Execution halted"],
            ..MARK
        }]),
        frames: NO_FRAMES,
    },
    Language {
        name: "octave",
        ends: codes(&[1]),
        reader: Reader::Marks(OCTAVE),
        frames: Frames { pattern: r"^    (?<f>\S+) at line (?<n>\d+) column \d+$", ..NO_FRAMES },
    },
    Language {
        name: "tcl",
        ends: codes(&[1]),
        reader: Reader::Marks(&[Mark {
            start: "    while executing",
            pattern: r"^    while executing$",
            kind: "error",
            message: Message::Above,
            which: Which::Last,
            ..MARK
        }]),
        frames: Frames {
            pattern: r#"^    \((?:procedure "(?<f>[^"]*)"|file "(?<p>[^"]*)") line (?<n>\d+)\)$"#,
            ..NO_FRAMES
        },
    },
    Language { name: "raku", ends: codes(&[1]), reader: Reader::Marks(RAKU), frames: NO_FRAMES },
    Language { name: "bash", ends: codes(&[1, 2, 127]), reader: Reader::Marks(BASH), frames: NO_FRAMES },
    Language { name: "sh", ends: codes(&[1, 2, 127]), reader: Reader::Marks(SH), frames: NO_FRAMES },
    Language {
        name: "awk",
        ends: codes(&[1, 2]),
        reader: Reader::Marks(&[Mark {
            start: "gawk: ",
            pattern: r"^gawk: (?:cmd\. line:(?<n>\d+): )?(?<kind>fatal|error): (?<message>.*)$",
            which: Which::Last,
            at_end: true,
            ..MARK
        }]),
        frames: NO_FRAMES,
    },
];

/// Every exit code but 0 that is no signal's.
static ANY: &[u8] = &{
    let mut codes = [0; 135];
    let mut at = 0;
    while at < 134 {
        codes[at] = at as u8 + 1;
        at += 1;
    }
    codes[134] = 255;
    codes
};

const PHP: &[Mark] = &[php("PHP Fatal error: "), php("PHP Parse error: "), php("Fatal error: "), php("Parse error: ")];

/// An exception that nothing caught is a fatal error, too: the text names the innermost first, `Next` comes before the others.
const fn php(start: &'static str) -> Mark {
    Mark {
        start,
        pattern: r"^(?:PHP )?(?<kind>Fatal error|Parse error): +(?<message>.*)$",
        message: Message::Until(&["Stack trace:", "  thrown in "]),
        cut: r"(?: and defined)? in (?<p>Command line code|\S+?)(?: on line |:)(?<n>\d+)$",
        inner: r"(?s)^Uncaught (?<kind>[\w\\]+)(?:: (?<message>.*))?$",
        ..MARK
    }
}

const RUBY: &[Mark] = &[
    Mark {
        has: "[BUG] ",
        pattern: r"^(?:(?<p>\S+?):(?<n>\d+): )?(?<kind>\[BUG\]) (?<message>.*)$",
        ends: Some(ends(&[], FAULTS)),
        ..MARK
    },
    Mark {
        has: ": syntax error",
        pattern: r"^(?<p>\S+?):(?<n>\d+): syntax error,? ?(?<message>.*)$",
        kind: "SyntaxError",
        ends: Some(codes(&[1])),
        sure: Sure::Guess,
        ..MARK
    },
];

const LUA: &[Mark] = &[lua("lua", LUA_TRACED, true), lua("lua", LUA_PLAIN, false)];
const LUAJIT: &[Mark] = &[lua("luajit", LUAJIT_TRACED, true), lua("luajit", LUAJIT_PLAIN, false)];
const LUA_TRACED: &str = r"^lua[\d.]*: (?<message>.*)$";
const LUAJIT_TRACED: &str = r"^luajit[\w.-]*: (?<message>.*)$";
/// A program that can't be compiled, and an error that isn't a text.
const LUA_PLAIN: &str = r"^lua[\d.]*: (?<message>\S+:\d+: .*|\(error object is .*|not enough memory)$";
const LUAJIT_PLAIN: &str = r"^luajit[\w.-]*: (?<message>\S+:\d+: .*|\(error object is .*|not enough memory)$";

const fn lua(start: &'static str, pattern: &'static str, is_traced: bool) -> Mark {
    Mark {
        start,
        pattern,
        kind: "error",
        message: if is_traced { Message::Until(&["stack traceback:"]) } else { Message::Line },
        below: if is_traced { &["stack traceback:"] } else { &[] },
        at_end: !is_traced,
        ..MARK
    }
}

const LUA_FRAMES: Frames = Frames {
    pattern: r"^\t(?<p>\S+?):(?<n>\d+): in (?:local |upvalue |function |method |field |global )?(?<f>.+)$",
    ..NO_FRAMES
};

const RAKU: &[Mark] = &[
    // Of another thread.
    Mark {
        start: "Died with the exception:",
        pattern: "^Died with the exception:$",
        kind: "exception",
        message: Message::Below(&["      in "]),
        which: Which::Last,
        ..MARK
    },
    Mark {
        start: "  in block <unit> at ",
        pattern: r"^  in block <unit> at (?<p>\S+) line (?<n>\d+)$",
        kind: "exception",
        message: Message::Above,
        which: Which::Last,
        at_end: true,
        ..MARK
    },
];

const OCTAVE: &[Mark] = &[
    Mark {
        start: "error: ",
        pattern: r"^error: (?<message>.*)$",
        kind: "error",
        message: Message::Until(&["error: called from"]),
        below: &["error: called from"],
        ..MARK
    },
    Mark {
        start: "error: parse error",
        pattern: r"^error: (?<kind>parse error) ?(?<message>.*)$",
        message: Message::Until(&[">>>"]),
        below: &[">>>"],
        ..MARK
    },
    Mark { start: "error: out of memory", pattern: r"^error: (?<message>out of memory.*)$", kind: "error", ..MARK },
];

/// `NAME: line N: ` is bash's, `NAME: N: ` dash's.
const BASH: &[Mark] = &[Mark {
    has: ": line ",
    pattern: r"^(?<p>\S+): line (?<n>\d+): (?<message>.*: unbound variable|syntax error.*|.*: command not found|.*: bad substitution)$",
    kind: "error",
    which: Which::Last,
    at_end: true,
    sure: Sure::Guess,
    ..MARK
}];
const SH: &[Mark] = &[Mark {
    has: ": ",
    pattern: r"^(?<p>\S+?)(?:: line |: ?)(?<n>\d+): (?<message>.*: parameter not set|[Ss]yntax error.*|.*: not found|parse error near .*|command not found: .*|Bad substitution)$",
    kind: "error",
    which: Which::Last,
    at_end: true,
    sure: Sure::Guess,
    ..MARK
}];
