//! Lisps, Prolog, Forth.

use super::super::language::{Frames, Language, MARK, Mark, Message, NO_FRAMES, Order, Reader, Sure, Which};
use super::ends::codes;

pub(super) static LANGUAGES: &[Language] = &[
    Language {
        name: "sbcl",
        ends: codes(&[1]),
        reader: Reader::Marks(SBCL),
        frames: Frames {
            pattern: r"^\d+: \(+(?:LAMBDA |FLET |LABELS )?(?<f>[^\s()]+)",
            skipped: &["SB-DEBUG::", "SB-KERNEL:", "INVOKE-DEBUGGER", "ERROR", "SB-INT:", "SB-C::", "SB-FASL::", "\""],
            stop: &["", "unhandled condition"],
            ..NO_FRAMES
        },
    },
    Language {
        name: "clisp",
        ends: codes(&[1]),
        reader: Reader::Marks(&[Mark {
            start: "*** - ",
            pattern: r"^\*\*\* - (?<message>.*)$",
            kind: "error",
            which: Which::Last,
            at_end: true,
            sure: Sure::Guess,
            ..MARK
        }]),
        frames: NO_FRAMES,
    },
    Language {
        name: "chicken",
        ends: codes(&[1, 70]),
        reader: Reader::Marks(CHICKEN),
        frames: Frames {
            pattern: r"^\t<eval>\t  (?:\[(?<f>[^\]]+)\] )?.*$",
            order: Order::BelowOutermostFirst,
            ..NO_FRAMES
        },
    },
    Language {
        name: "guile",
        ends: codes(&[1]),
        reader: Reader::Marks(&[Mark {
            has: ": In procedure ",
            pattern: r"^(?:ERROR|(?<p>\S+?):(?<n>\d+):\d+): In procedure (?<kind>.*?):$",
            message: Message::Below(&[]),
            which: Which::Last,
            at_end: true,
            ..MARK
        }]),
        frames: Frames {
            pattern: r"^ +(?:\d+:\d+ +)?\d+ \((?<f>[^\s()]+)",
            order: Order::Above,
            stop: &["Backtrace:"],
            ..NO_FRAMES
        },
    },
    Language {
        name: "racket",
        ends: codes(&[1]),
        reader: Reader::Marks(RACKET),
        frames: Frames {
            pattern: r#"^   (?:body of )?"?(?<p>[^":]+\.rkt)"?(?::(?<n>\d+):\d+)?(?:: (?<f>\S+))?$"#,
            ..NO_FRAMES
        },
    },
    Language {
        name: "swi-prolog",
        ends: codes(&[1, 2]),
        reader: Reader::Marks(SWIPL),
        frames: Frames { pattern: r"^ERROR:\s+\[[\d,]+\] (?<f>[^(]+)", skipped: &["system:", "'$"], ..NO_FRAMES },
    },
    Language {
        name: "gforth",
        ends: codes(&[1]),
        reader: Reader::Marks(&[Mark {
            start: ">>>",
            has: "<<<",
            pattern: r"^>>>.*<<<",
            message: Message::Above,
            inner: r"^(?<p>\S+?):(?<n>\d+)(?::\d+)?: (?:error: )?(?<message>.*)$",
            kind: "exception",
            which: Which::Last,
            sure: Sure::Guess,
            ..MARK
        }]),
        frames: NO_FRAMES,
    },
];

const SBCL: &[Mark] = &[
    Mark {
        start: "Unhandled ",
        pattern: r#"^Unhandled (?<kind>\S+)(?: in thread #<SB-THREAD:THREAD (?:"(?<thread>.*)")?.*|:)$"#,
        message: Message::Below(&["", "Backtrace for: "]),
        inner: r"(?s)^(?:\{.*?\}>:\s+)?(?<message>.*)$",
        below: &["Backtrace for: "],
        ..MARK
    },
    Mark {
        start: "fatal error encountered in SBCL",
        pattern: r"^(?<kind>fatal error) encountered in SBCL",
        message: Message::Below(&[""]),
        ..MARK
    },
    Mark { start: "Heap exhausted during ", pattern: r"^(?<kind>Heap exhausted) (?<message>.*)$", ..MARK },
    Mark {
        start: "CORRUPTION WARNING in SBCL",
        pattern: r"^(?<kind>CORRUPTION WARNING) in SBCL",
        message: Message::Below(&["The integrity of this image"]),
        ..MARK
    },
];

const CHICKEN: &[Mark] = &[
    Mark {
        start: "Error: ",
        pattern: r"^Error: (?<message>.*)$",
        kind: "error",
        message: Message::Until(&["", "\tCall history:"]),
        below: &["\tCall history:"],
        which: Which::Last,
        ..MARK
    },
    Mark { start: "[panic] ", pattern: r"^\[(?<kind>panic)\] (?<message>.*)$", ..MARK },
];

const RACKET: &[Mark] = &[
    racket("  context...:"),
    racket("  location...:"),
    Mark {
        start: "uncaught exception: ",
        pattern: r"^uncaught exception: (?<message>.*)$",
        kind: "exception",
        which: Which::Last,
        at_end: true,
        sure: Sure::Guess,
        ..MARK
    },
];

const fn racket(start: &'static str) -> Mark {
    Mark { start, pattern: r"^  \w+\.\.\.:$", kind: "exception", message: Message::Above, which: Which::Last, ..MARK }
}

/// The block's first line; the further ones are indented behind `ERROR:`.
const SWIPL: &[Mark] = &[Mark {
    start: "ERROR: ",
    pattern: r"^ERROR: (?:-g |(?<p>\S+?):(?<n>\d+):(?:\d+:)? ?)(?<message>.*)$",
    kind: "error",
    not_after: &["ERROR: "],
    which: Which::Last,
    sure: Sure::Guess,
    ..MARK
}];
