//! Languages that are compiled to the machine's code, close to it.

use super::super::language::{Frames, Language, MARK, Mark, Message, NO_FRAMES, Reader, Sure, Which};
use super::super::readers;
use super::ends::{ABORT, ABORT_OR_TRAP, FAULTS, codes, ends};
use crate::model::signal::Signal;

pub(super) static LANGUAGES: &[Language] = &[
    Language {
        name: "go",
        // Also when a signal from outside ends it, and with GOTRACEBACK=crash by ABRT.
        ends: ends(&[2], &[Signal::ABRT]),
        reader: Reader::Marks(GO),
        frames: Frames {
            pattern: r"^(?<f>\S+?)\([^()]*\)$",
            place: r"^\t(?<p>\S+):(?<n>\d+)",
            skipped: &["panic", "runtime.", "runtime/debug.", "goroutine", "testing."],
            stop: &["goroutine ", "exit status "],
            ..NO_FRAMES
        },
    },
    Language {
        name: "rust",
        ends: ends(&[101], &[Signal::ABRT]),
        reader: Reader::Own(readers::rust::read),
        frames: RUST_FRAMES,
    },
    Language { name: "rust", ends: ABORT, reader: Reader::Marks(RUST_ABORT), frames: RUST_FRAMES },
    Language { name: "c++", ends: ABORT, reader: Reader::Marks(CXX), frames: NO_FRAMES },
    Language { name: "c", ends: ABORT, reader: Reader::Marks(C), frames: NO_FRAMES },
    Language {
        name: "sanitizer",
        ends: ends(&[1, 23, 66, 77], FAULTS),
        reader: Reader::Marks(SANITIZERS),
        frames: Frames {
            pattern: r"^\s+#\d+ (?:0x[0-9a-f]+ in )?(?<f>\S+)(?: (?<p>/\S+?):(?<n>\d+))?",
            skipped: &["__interceptor_", "__libc_start", "_start"],
            stop: &["", "  Previous ", "Previous "],
            ..NO_FRAMES
        },
    },
    Language {
        name: "zig",
        ends: ends(&[1], &[Signal::ABRT, Signal::ILL, Signal::TRAP]),
        reader: Reader::Marks(ZIG),
        frames: Frames {
            pattern: r"^(?<p>\S+):(?<n>\d+):\d+: 0x[0-9a-f]+ in (?<f>\S+)",
            skipped: &["callMain", "posixCallMainAndExit", "_start"],
            ..NO_FRAMES
        },
    },
    Language {
        name: "swift",
        ends: ends(&[], FAULTS),
        reader: Reader::Marks(SWIFT),
        frames: Frames {
            pattern: r"^\d+ (?:\[\w+\] )?(?:\[\w+\] )*(?:0x[0-9a-f]+ )?(?<f>.+?)(?: \+ \d+)?(?: in \S+)?(?: at (?<p>\S+?):(?<n>\d+))?(?::\d+)?$",
            skipped: &["_assertionFailure"],
            ..NO_FRAMES
        },
    },
    Language { name: "glib", ends: ABORT_OR_TRAP, reader: Reader::Marks(GLIB), frames: NO_FRAMES },
    Language { name: "qt", ends: ABORT, reader: Reader::Marks(QT), frames: NO_FRAMES },
];

/// A handler that recovers may print `panic: ` and a stack, too, but no goroutine after an empty line.
const GO: &[Mark] = &[
    Mark {
        start: "panic: ",
        pattern: r"^panic: (?<message>.*)$",
        kind: "panic",
        message: Message::Until(&["", "goroutine ", "[signal ", "\tpanic: ", "panic: "]),
        cut: r" \[recovered(?:, repanicked)?\]$",
        below: &["goroutine "],
        not_below: &["runtime/debug.Stack("],
        ..MARK
    },
    Mark {
        start: "fatal error: ",
        pattern: r"^fatal error: (?<message>.*)$",
        kind: "fatal error",
        below: &["goroutine ", "runtime stack:"],
        ..MARK
    },
    Mark { start: "SIG", pattern: r"^(?<kind>SIG[A-Z]+): (?<message>.*)$", below: &["goroutine ", "PC="], ..MARK },
];

const RUST_FRAMES: Frames = Frames {
    pattern: r"^\s+\d+: +(?:0x[0-9a-f]+ - )?(?<f>\S.*?)(?:::h[0-9a-f]{16})?$",
    place: r"^\s+at (?<p>\S+?):(?<n>\d+)",
    skipped: &[
        "std::",
        "std[",
        "core::",
        "core[",
        "rust_begin_unwind",
        "__rust",
        "<unknown>",
        "alloc::",
        "_start",
        "__libc",
        "<<std",
        "<std",
        "<core",
        "<<core",
        "<alloc",
    ],
    stop: &["note: "],
    bounds: &["note: run with ", "thread '"],
    ..NO_FRAMES
};

const RUST_ABORT: &[Mark] = &[
    Mark {
        start: "thread '",
        has: "has overflowed its stack",
        pattern: r"^thread '(?<thread>.*)'(?: \(\d+\))? (?<message>has overflowed its stack)$",
        kind: "stack overflow",
        which: Which::Last,
        ..MARK
    },
    Mark {
        start: "memory allocation of ",
        pattern: r"^(?<message>memory allocation of \d+ bytes failed)",
        kind: "allocation failure",
        which: Which::Last,
        ..MARK
    },
    Mark {
        start: "fatal runtime error: ",
        pattern: r"^fatal runtime error: (?<message>.*?)(?:, aborting)?$",
        kind: "fatal runtime error",
        which: Which::Last,
        ..MARK
    },
];

const CXX: &[Mark] = &[
    Mark {
        start: "terminate called after throwing an instance of '",
        pattern: r"^terminate called after throwing an instance of '(?<kind>.*)'$",
        message: Message::ToEnd,
        inner: r"(?s)^(?:what\(\):  )?(?<message>.*)$",
        ..MARK
    },
    Mark {
        start: "terminate called ",
        pattern: r"^(?<message>terminate called (?:without an active exception|recursively))$",
        kind: "std::terminate",
        ..MARK
    },
    Mark {
        start: "libc++abi: terminating due to uncaught exception of type ",
        pattern: r"^libc\+\+abi: terminating due to uncaught exception of type (?<kind>[^:]+(?:::[^:]+)*)(?:: (?<message>.*))?$",
        ..MARK
    },
];

/// The last line of a program that aborts.
const C: &[Mark] = &[
    Mark {
        has: ": Assertion ",
        pattern: r"^(?:\S+: )?(?<p>\S+?):(?<n>\d+): (?:.*: )?Assertion (?<message>.*) failed\.$",
        kind: "assertion failed",
        which: Which::Last,
        ..MARK
    },
    Mark {
        start: "Assertion failed: ",
        pattern: r"^Assertion failed: (?<message>.*) \((?<p>[^:]*): .*: (?<n>\d+)\)$",
        kind: "assertion failed",
        which: Which::Last,
        ..MARK
    },
    Mark {
        start: "*** ",
        pattern: r"^\*\*\* (?:Error in `.*': )?(?<message>.*?)(?:: (?:terminated|0x[0-9a-f]+))? \*\*\*(?:: terminated)?$",
        kind: "abort",
        which: Which::Last,
        ..MARK
    },
    heap("free("),
    heap("malloc"),
    heap("munmap_chunk("),
    heap("realloc("),
    heap("double free or corruption"),
    heap("corrupted "),
    heap("sysmalloc"),
    heap("Fatal glibc error: "),
];

/// What malloc(3) of glibc says of a corrupted heap.
const fn heap(start: &'static str) -> Mark {
    Mark {
        start,
        pattern: r"^(?<message>(?:free|malloc|munmap_chunk|realloc|malloc_consolidate)\(\): .*|double free or corruption.*|corrupted (?:size|double).*|sysmalloc: .*|Fatal glibc error: .*)$",
        kind: "heap corruption",
        which: Which::Last,
        at_end: true,
        ..MARK
    }
}

const SANITIZERS: &[Mark] = &[
    Mark { start: "==", has: "==ERROR: ", pattern: r"^==\d+==ERROR: (?<kind>\w+Sanitizer): (?<message>.*)$", ..MARK },
    Mark {
        start: "WARNING: ThreadSanitizer: ",
        pattern: r"^WARNING: (?<kind>ThreadSanitizer): (?<message>.*?)(?: \(pid=\d+\))?$",
        ends: Some(codes(&[66])),
        ..MARK
    },
    // UndefinedBehaviorSanitizer goes on after most findings.
    Mark {
        has: ": runtime error: ",
        pattern: r"^(?<p>\S+?):(?<n>\d+):\d+: runtime error: (?<message>.*)$",
        kind: "UndefinedBehaviorSanitizer",
        which: Which::Last,
        at_end: true,
        sure: Sure::Guess,
        ..MARK
    },
];

const ZIG: &[Mark] = &[
    Mark {
        start: "thread ",
        has: " panic: ",
        pattern: r"^thread (?<thread>\d+) panic: (?<message>.*)$",
        kind: "panic",
        ..MARK
    },
    Mark {
        start: "Segmentation fault at address ",
        pattern: r"^(?<kind>Segmentation fault) (?<message>at address .*)$",
        ends: Some(ABORT),
        ..MARK
    },
    // What main returns. A frame with an address follows.
    Mark { start: "error: ", pattern: r"^error: (?<kind>\w+)$", ends: Some(codes(&[1])), below: &["/"], ..MARK },
];

const SWIFT: &[Mark] = &[
    Mark { has: ": Fatal error: ", pattern: r"^(?<p>\S+?):(?<n>\d+): (?<kind>Fatal error): (?<message>.*)$", ..MARK },
    Mark {
        has: " Program crashed: ",
        pattern: r"^(?:\*\*\*|💣) (?<kind>Program crashed): (?<message>.*?)(?: \*\*\*)?$",
        ..MARK
    },
];

/// Critical messages don't end a program.
const GLIB: &[Mark] = &[
    Mark {
        has: "ERROR **: ",
        pattern: r"^(?:\*\* )?(?:\(.*?\): )?(?:\S+-)?ERROR \*\*: (?:\d\d:\d\d:\d\d\.\d+: )?(?<message>.*)$",
        kind: "error",
        which: Which::Last,
        ..MARK
    },
    Mark {
        has: "ERROR:",
        pattern: r"^(?:\S+:)?ERROR:(?<p>[^:\s]+):(?<n>\d+):\S*: assertion failed:? ?(?<message>.*)$",
        kind: "assertion failed",
        which: Which::Last,
        ..MARK
    },
    Mark {
        has: "ERROR:",
        pattern: r"^(?:\S+:)?ERROR:(?<p>[^:\s]+):(?<n>\d+):\S*: (?<message>code should not be reached)$",
        kind: "error",
        which: Which::Last,
        ..MARK
    },
];

/// qFatal() prints nothing but its text, by which it can't be known.
const QT: &[Mark] = &[
    Mark {
        start: "ASSERT: ",
        pattern: r#"^ASSERT: (?<message>".*") in file (?<p>.*), line (?<n>\d+)$"#,
        kind: "ASSERT",
        which: Which::Last,
        ..MARK
    },
    Mark {
        start: "ASSERT failure in ",
        pattern: r"^ASSERT failure in (?<message>.*), file (?<p>.*), line (?<n>\d+)$",
        kind: "ASSERT",
        which: Which::Last,
        ..MARK
    },
];
