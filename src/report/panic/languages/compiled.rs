//! Other compiled languages.

use super::super::language::{Frames, Language, MARK, Mark, Message, NO_FRAMES, Order, Reader, Sure, Which};
use super::ends::{FAULTS, codes, ends};
use crate::model::signal::Signal;

pub(super) static LANGUAGES: &[Language] = &[
    Language {
        name: "ada",
        ends: codes(&[1]),
        reader: Reader::Marks(&[Mark {
            start: "raised ",
            pattern: r"^raised (?<kind>[A-Z][A-Z0-9_.]*) : (?<message>.*)$",
            which: Which::Last,
            ..MARK
        }]),
        frames: NO_FRAMES,
    },
    Language { name: "cobol", ends: ends(&[1], FAULTS), reader: Reader::Marks(COBOL), frames: NO_FRAMES },
    Language {
        name: "crystal",
        // 11 is its own exit code for faults.
        ends: codes(&[1, 11]),
        reader: Reader::Marks(CRYSTAL),
        frames: Frames {
            pattern: r"^(?:  from (?:(?<p>\S+?):(?<n>\d+):\d+|\S+) in '|\[0x[0-9a-f]+\] [*~]?)(?<f>[^'\s]+)",
            skipped: &[
                "__libc",
                "main_user_code",
                "main",
                "??",
                "_start",
                "Exception::CallStack",
                "procProc",
                "Crystal::main",
            ],
            stop: &["Caused by: "],
            ..NO_FRAMES
        },
    },
    Language {
        name: "d",
        ends: codes(&[1]),
        reader: Reader::Marks(&[Mark {
            start: "----------------",
            pattern: "^-{16}$",
            message: Message::From(r"^(?<kind>[\w.]+)@(?<p>[^\s(]+)\((?<n>\d+)\): (?<message>.*)$"),
            kind: "exception",
            ..MARK
        }]),
        frames: Frames {
            pattern: r"^(?:\?\?:\?|(?<p>\S+?):(?<n>\d+)) (?<f>.+?) ?\[0x[0-9a-f]+\]$",
            skipped: &[
                "_d_",
                "onArrayIndexError",
                "onAssertError",
                "onRangeError",
                "thread_entryPoint",
                "start_thread",
                "clone",
                "???",
                "void rt.",
                "__libc",
            ],
            ..NO_FRAMES
        },
    },
    Language {
        name: "fortran",
        ends: ends(&[1, 2, 3, 4], FAULTS),
        reader: Reader::Marks(FORTRAN),
        frames: Frames {
            pattern: r"^#\d+  0x[0-9a-f]+ in (?<f>\S+)",
            place: r"^\tat (?<p>\S+?):(?<n>\d+)",
            skipped: &["???", "main"],
            ..NO_FRAMES
        },
    },
    Language {
        name: "haskell",
        // 2 for its stack, 251 for its heap.
        ends: codes(&[1, 2, 251]),
        reader: Reader::Marks(HASKELL),
        frames: Frames { pattern: r"^  (?<f>\S+), called at (?<p>\S+?):(?<n>\d+):", ..NO_FRAMES },
    },
    Language {
        name: "haxe",
        ends: codes(&[1]),
        reader: Reader::Marks(&[Mark {
            start: "Uncaught exception - ",
            pattern: r"^Uncaught exception - (?<message>.*)$",
            kind: "exception",
            message: Message::ToEnd,
            which: Which::Last,
            ..MARK
        }]),
        frames: Frames {
            pattern: r"^Called from (?<f>\S+)(?: (?<p>\S+))? line (?<n>\d+)$",
            order: Order::Above,
            skipped: &["Sys::$statics"],
            ..NO_FRAMES
        },
    },
    Language {
        name: "nim",
        ends: ends(&[1], FAULTS),
        reader: Reader::Marks(NIM),
        frames: Frames {
            pattern: r"^(?<p>\S+)\((?<n>\d+)\) +(?<f>\S+)$",
            order: Order::Above,
            skipped: &["sysFatal", "raiseAssert", "failedAssertImpl"],
            ..NO_FRAMES
        },
    },
    Language {
        name: "ocaml",
        ends: codes(&[2]),
        reader: Reader::Marks(&[Mark {
            start: "Fatal error: exception ",
            pattern: r"^Fatal error: exception (?<kind>[\w.']+)(?:\((?<message>.*)\))?",
            inner: r#"(?s)^"(?<message>.*)"$"#,
            which: Which::Last,
            ..MARK
        }]),
        frames: Frames {
            pattern: r#"^(?:Raised(?: by primitive operation)?|Re-raised|Called)(?: at| from) (?<f>\S+) in file "(?<p>[^"]*)"(?: \(inlined\))?, lines? (?<n>\d+)"#,
            skipped: &["Stdlib."],
            ..NO_FRAMES
        },
    },
    Language {
        name: "pascal",
        ends: ends(&[217], &[]),
        reader: Reader::Marks(&[Mark {
            start: "An unhandled exception occurred at $",
            pattern: r"^An unhandled exception occurred at ",
            kind: "exception",
            message: Message::Below(&["  $", ""]),
            inner: r"(?s)^(?<kind>\w+): (?<message>.*)$",
            ..MARK
        }]),
        frames: PASCAL_FRAMES,
    },
    Language {
        // Without exceptions the exit code is the number of the error.
        name: "pascal",
        ends: codes(&[
            1, 2, 3, 4, 5, 6, 12, 15, 16, 17, 18, 100, 101, 102, 103, 104, 105, 106, 200, 201, 202, 203, 204, 205, 206,
            207, 208, 210, 211, 212, 213, 214, 215, 216, 217, 218, 219, 222, 223, 224, 225, 227, 229, 231, 232,
        ]),
        reader: Reader::Marks(&[Mark {
            start: "Runtime error ",
            pattern: r"^Runtime error (?<message>\d+) at \$[0-9A-F]+$",
            kind: "runtime error",
            which: Which::Last,
            ..MARK
        }]),
        frames: PASCAL_FRAMES,
    },
];

const PASCAL_FRAMES: Frames =
    Frames { pattern: r"^  \$[0-9A-F]+  (?<f>\S+),  line (?<n>\d+) of (?<p>\S+)", stop: &[""], ..NO_FRAMES };

const COBOL: &[Mark] = &[
    Mark {
        start: "libcob: ",
        has: "error: ",
        pattern: r"^libcob: (?:(?<p>\S+?):(?<n>\d+): )?error: (?<message>.*)$",
        kind: "error",
        which: Which::Last,
        ..MARK
    },
    Mark {
        start: "attempt to reference ",
        pattern: r"^(?<message>attempt to reference .*)$",
        kind: "error",
        which: Which::Last,
        ..MARK
    },
];

/// `Unhandled exception in spawn: ` is a fiber's.
const CRYSTAL: &[Mark] = &[
    Mark {
        start: "Unhandled exception: ",
        pattern: r"^Unhandled exception: (?<message>.*)$",
        kind: "Exception",
        message: Message::Until(&["  from "]),
        cut: r" \((?<kind>[A-Z][\w:]*)\)$",
        ends: Some(codes(&[1])),
        ..MARK
    },
    Mark {
        start: "Stack overflow ",
        pattern: r"^(?<kind>Stack overflow) \((?<message>.*)\)$",
        ends: Some(codes(&[11])),
        ..MARK
    },
    Mark {
        start: "Invalid memory access ",
        pattern: r"^(?<kind>Invalid memory access) (?<message>.*)$",
        ends: Some(codes(&[11])),
        ..MARK
    },
];

/// `STOP 4` is a way to end.
const FORTRAN: &[Mark] = &[
    Mark {
        start: "Fortran runtime error: ",
        pattern: r"^Fortran runtime error: (?<message>.*)$",
        kind: "runtime error",
        ends: Some(codes(&[2])),
        ..MARK
    },
    Mark {
        start: "ERROR STOP",
        pattern: r"^(?<kind>ERROR STOP) ?(?<message>.*)$",
        below: &["Error termination."],
        ..MARK
    },
    Mark {
        start: "Program received signal ",
        pattern: r"^Program received signal (?<kind>SIG\w+): (?<message>.*)$",
        ends: Some(ends(&[], FAULTS)),
        ..MARK
    },
    Mark {
        start: "Program aborted. Backtrace:",
        pattern: r"^(?<message>Program aborted)\.",
        kind: "abort",
        ends: Some(ends(&[], &[Signal::ABRT])),
        ..MARK
    },
];

/// `PROG: text` is what any program prints, so the text has to be GHC's own.
const HASKELL: &[Mark] = &[
    haskell("CallStack (from HasCallStack)"),
    haskell("HasCallStack backtrace:"),
    ghc(
        r"^[^\s:]+: (?<message>Prelude\.\w+: .*|<<loop>>|divide by zero|arithmetic overflow|user error \(.*\)|thread blocked indefinitely in an? .*|stack overflow|.*: Non-exhaustive .*|.*: openFile: .*|.*: withFile: .*|.*: Irrefutable pattern .*)$",
        "exception",
    ),
    ghc(r"^[^\s:]+: (?<kind>Stack space overflow): (?<message>.*)$", ""),
    ghc(r"^[^\s:]+: (?<kind>Heap exhausted);$", ""),
];

const fn haskell(start: &'static str) -> Mark {
    Mark {
        start,
        pattern: "",
        kind: "exception",
        message: Message::From(r"^[^\s:]+: (?<message>.+)$"),
        which: Which::Last,
        sure: Sure::Guess,
        ..MARK
    }
}

const fn ghc(pattern: &'static str, kind: &'static str) -> Mark {
    Mark { has: ": ", pattern, kind, which: Which::Last, at_end: true, sure: Sure::Guess, ..MARK }
}

const NIM: &[Mark] = &[
    Mark {
        start: "Error: unhandled exception: ",
        pattern: r"^Error: unhandled exception: (?<message>.*)$",
        kind: "exception",
        message: Message::ToEnd,
        cut: r" \[(?<kind>\w+)\]$",
        which: Which::Last,
        ends: Some(codes(&[1])),
        ..MARK
    },
    Mark {
        start: "SIG",
        pattern: r"^(?<kind>SIG[A-Z]+): (?<message>.*)$",
        which: Which::Last,
        at_end: true,
        ends: Some(ends(&[1], FAULTS)),
        ..MARK
    },
    Mark {
        start: "Error: call depth limit reached",
        pattern: r"^Error: (?<message>call depth limit reached.*?)\.?$",
        kind: "stack overflow",
        which: Which::Last,
        ends: Some(codes(&[1])),
        ..MARK
    },
    Mark {
        start: "out of memory",
        pattern: r"^(?<kind>out of memory)$",
        which: Which::Last,
        at_end: true,
        sure: Sure::Guess,
        ends: Some(codes(&[1])),
        ..MARK
    },
];
