//! Languages of JavaScript engines, the JVM, .NET and BEAM.

use super::super::language::{Frames, Language, MARK, Mark, Message, NO_FRAMES, Order, Reader, Sure, Which};
use super::super::readers;
use super::ends::{ABORT, ABORT_OR_TRAP, FAULTS, codes, ends};
use crate::model::signal::Signal;

pub(super) static LANGUAGES: &[Language] = &[
    Language { name: "node", ends: codes(&[1, 7]), reader: Reader::Own(readers::javascript::node), frames: JS_FRAMES },
    Language { name: "node", ends: ABORT_OR_TRAP, reader: Reader::Marks(NODE_ABORT), frames: NO_FRAMES },
    Language {
        name: "deno",
        ends: ends(&[1], &[Signal::TRAP, Signal::ABRT]),
        reader: Reader::Marks(DENO),
        frames: JS_FRAMES,
    },
    Language { name: "bun", ends: codes(&[1]), reader: Reader::Own(readers::javascript::bun), frames: JS_FRAMES },
    Language { name: "bun", ends: ends(&[], FAULTS), reader: Reader::Marks(BUN_CRASH), frames: NO_FRAMES },
    // 3: -XX:+ExitOnOutOfMemoryError.
    Language { name: "java", ends: ends(&[1, 3], FAULTS), reader: Reader::Marks(JAVA), frames: JAVA_FRAMES },
    Language { name: "clojure", ends: codes(&[1]), reader: Reader::Marks(CLOJURE), frames: JAVA_FRAMES },
    Language {
        name: "jruby",
        ends: codes(&[1]),
        reader: Reader::Marks(&[Mark {
            has: "<main> at ",
            pattern: r"^ *<main> at \S+:\d+$",
            message: Message::Above,
            inner: r"^(?<kind>[A-Z]\w*(?:::\w+)*): (?<message>.*)$",
            kind: "exception",
            which: Which::Last,
            ..MARK
        }]),
        frames: Frames { pattern: r"^\s+(?<f>\S.*) at (?<p>\S+):(?<n>\d+)$", ..NO_FRAMES },
    },
    Language { name: "dotnet", ends: ABORT, reader: Reader::Marks(DOTNET), frames: DOTNET_FRAMES },
    Language { name: "mono", ends: ends(&[1], &[Signal::ABRT]), reader: Reader::Marks(MONO), frames: DOTNET_FRAMES },
    Language {
        name: "erlang",
        ends: ends(&[1], &[Signal::ABRT]),
        reader: Reader::Marks(ERLANG),
        frames: Frames { pattern: r"\{(?<f>\w+,\w+,\d+),\[", order: Order::InLine, skipped: &["init,"], ..NO_FRAMES },
    },
    Language {
        name: "escript",
        ends: codes(&[127]),
        reader: Reader::Marks(&[Mark {
            start: "escript: exception ",
            pattern: r"^escript: exception (?<kind>\w+): (?<message>.*)$",
            ..MARK
        }]),
        frames: Frames {
            pattern: r"^  in (?:call from|function) +(?<f>\S+)(?: \((?<p>\S+), line (?<n>\d+)\))?",
            ..NO_FRAMES
        },
    },
    Language {
        name: "elixir",
        ends: codes(&[1]),
        reader: Reader::Marks(ELIXIR),
        frames: Frames { pattern: r"^ {4}(?:    )?(?:\([^)]*\) )?(?<p>\S+?):(?<n>\d+): (?<f>.+)$", ..NO_FRAMES },
    },
];

const JS_FRAMES: Frames = Frames {
    pattern: r"^ +at (?:async )?(?:(?<f>[^()]*[^() ]|<anonymous>|.* \[as .*\]) \()?(?<p>[^()]+?):(?<n>\d+)(?::\d+)?\)?(?: \{)?$",
    stop: &["Caused by: ", "error: ", "  [cause]", "Emitted ", "Node.js v", "Bun v"],
    ..NO_FRAMES
};

const NODE_ABORT: &[Mark] = &[
    Mark { start: "FATAL ERROR: ", pattern: r"^(?<kind>FATAL ERROR): (?<message>.*)$", ..MARK },
    Mark {
        start: "# Fatal ",
        pattern: r"^# (?<kind>Fatal (?:JavaScript|process) (?:out of memory|OOM|error))[^:]*:? ?(?<message>.*)$",
        // Deno's.
        not_below: &["==== C stack trace "],
        ..MARK
    },
];

const DENO: &[Mark] = &[
    // Also of a worker, whose error is the cause of the last one.
    Mark {
        start: "error: Uncaught ",
        pattern: r"^error: Uncaught (?:\(in worker .*?\) )?(?:\(in promise\) )?(?<message>.*)$",
        kind: "uncaught",
        message: Message::Until(&["    at ", "error: ", "Caused by: "]),
        // The excerpt of the source, and the mark below it.
        cut: r"\n[^\n]*\n *\^+$",
        inner: r"(?s)^(?<kind>[A-Za-z_$][\w$.]*): (?<message>.*)$",
        ends: Some(codes(&[1])),
        ..MARK
    },
    Mark {
        start: "error: ",
        pattern: r"^error: (?<kind>\w*Error): (?<message>.*)$",
        below: &["    at "],
        ends: Some(codes(&[1])),
        ..MARK
    },
    Mark {
        start: "error: Module not found ",
        pattern: r"^error: (?<kind>Module not found) (?<message>.*)$",
        ends: Some(codes(&[1])),
        ..MARK
    },
    // Node says the same; the frames of Deno's stack name it.
    Mark {
        start: "# Fatal ",
        pattern: r"^# (?<kind>Fatal (?:JavaScript|process) (?:out of memory|OOM|error))[^:]*:? ?(?<message>.*)$",
        below: &["==== C stack trace "],
        ends: Some(ABORT_OR_TRAP),
        ..MARK
    },
];

/// Its own crash report. It also comes for signals from outside.
const BUN_CRASH: &[Mark] = &[Mark {
    start: "panic(",
    pattern: r"^(?<kind>panic)\((?<thread>.*)\): (?<message>.*)$",
    below: &["oh no: Bun has crashed"],
    ..MARK
}];

const JAVA_FRAMES: Frames = Frames {
    pattern: r"^\s+at (?:[\w.@-]+/+)*(?<f>[^\s(]+)\((?:(?<p>[^:()]+)(?::(?<n>\d+))?)\)",
    stop: &["Caused by: ", "\tSuppressed: "],
    ..NO_FRAMES
};

/// Of threads only the main one ends the program.
const JAVA: &[Mark] = &[
    Mark {
        start: "Exception in thread \"main\" ",
        pattern: r#"^Exception in thread "(?<thread>main)" (?<message>.*)$"#,
        kind: "exception",
        message: Message::Until(&["\tat ", "\t... ", "Caused by: ", "\tSuppressed: "]),
        inner: r"(?s)^(?<kind>[\w.$/]+)(?:: (?<message>.*))?$",
        ends: Some(codes(&[1])),
        ..MARK
    },
    Mark {
        start: "Terminating due to ",
        pattern: r"^Terminating due to (?<kind>[\w.]+): (?<message>.*)$",
        ends: Some(codes(&[3])),
        ..MARK
    },
    Mark {
        start: "Aborting due to ",
        pattern: r"^Aborting due to (?<kind>[\w.]+): (?<message>.*)$",
        ends: Some(ABORT),
        ..MARK
    },
    Mark {
        start: "#  ",
        pattern: r"^#  (?<kind>SIG[A-Z]+|Internal Error|Out of Memory Error) ?(?<message>.*?)(?:, pid=.*)?$",
        not_after: &["# JRE", "# Java VM"],
        ends: Some(ends(&[], FAULTS)),
        ..MARK
    },
    Mark {
        start: "Error occurred during initialization of VM",
        pattern: r"^(?<kind>Error occurred during initialization of VM)",
        message: Message::Below(&["", "\tat "]),
        ends: Some(codes(&[1])),
        ..MARK
    },
    Mark {
        start: "# There is insufficient memory for the Java Runtime Environment to continue.",
        pattern: r"^# (?<kind>There is insufficient memory for the Java Runtime Environment) to continue\.",
        message: Message::Below(&["# An error report", "# Possible reasons"]),
        inner: r"(?s)^# (?<message>.*)$",
        ends: Some(codes(&[1])),
        ..MARK
    },
    Mark {
        start: "Error: Could not create the Java Virtual Machine.",
        pattern: r"^Error: (?<kind>Could not create the Java Virtual Machine)\.",
        message: Message::Above,
        ends: Some(codes(&[1])),
        ..MARK
    },
    Mark {
        start: "Error: Could not find or load main class ",
        pattern: r"^Error: (?<kind>Could not find or load main class) (?<message>.*)$",
        at_end: true,
        ends: Some(codes(&[1])),
        ..MARK
    },
    Mark {
        start: "Error: Unable to access jarfile ",
        pattern: r"^Error: (?<kind>Unable to access jarfile) (?<message>.*)$",
        at_end: true,
        ends: Some(codes(&[1])),
        ..MARK
    },
];

const CLOJURE: &[Mark] = &[
    Mark {
        start: "Execution error",
        pattern: r"^(?<kind>Execution error) .*at \S+ \((?<p>[^:)]+):(?<n>\d+)\)\.$",
        message: Message::Below(&["", "Full report at:"]),
        below: &["Full report at:"],
        ..MARK
    },
    Mark {
        start: "Syntax error ",
        pattern: r"^(?<kind>Syntax error) .*at \((?<p>[^:)]+):(?<n>\d+):\d+\)\.$",
        message: Message::Below(&["", "Full report at:"]),
        below: &["Full report at:"],
        ..MARK
    },
];

const DOTNET_FRAMES: Frames = Frames {
    pattern: r"^\s+at (?<f>[^\s(]+) ?\([^()]*\)(?: in (?<p>.+?):line (?<n>\d+)| \[0x[0-9a-f]+\] in .*)?$",
    skipped: &["System.Environment.FailFast"],
    stop: &["[ERROR] FATAL UNHANDLED EXCEPTION"],
    ..NO_FRAMES
};

const DOTNET: &[Mark] = &[
    Mark {
        start: "Unhandled exception. ",
        pattern: r"^Unhandled exception\. (?<message>.*)$",
        kind: "exception",
        message: Message::Until(&["   at ", " ---> ", "--- End of"]),
        inner: r"(?s)^(?<kind>[\w.+`]+)(?:: (?<message>.*))?$",
        ..MARK
    },
    Mark {
        start: "Process terminated.",
        pattern: r"^(?<kind>Process terminated)\. ?(?<message>.*)$",
        message: Message::Until(&["   at "]),
        ..MARK
    },
    Mark { start: "Stack overflow.", pattern: r"^(?<kind>Stack overflow)\.$", ..MARK },
];

/// The same text stands above once more, below `Unhandled Exception:`.
const MONO: &[Mark] = &[
    Mark {
        start: "[ERROR] FATAL UNHANDLED EXCEPTION: ",
        pattern: r"^\[ERROR\] FATAL UNHANDLED EXCEPTION: (?<message>.*)$",
        kind: "exception",
        message: Message::Until(&["  at ", "   --- End"]),
        inner: r"(?s)^(?<kind>[\w.+`]+)(?:: (?<message>.*?)(?: ---> .*)?)?$",
        ends: Some(codes(&[1])),
        ..MARK
    },
    Mark {
        start: "CLR: Managed code called FailFast, saying ",
        pattern: r#"^CLR: Managed code called (?<kind>FailFast), saying "(?<message>.*)"$"#,
        ends: Some(ABORT),
        ..MARK
    },
    Mark {
        start: "Got a SIG",
        pattern: r"^Got a (?<kind>SIG[A-Z]+) (?<message>while executing native code)\.",
        ends: Some(ABORT),
        ..MARK
    },
];

/// What the logger prints on stdout (`=ERROR REPORT====`) ends no program.
const ERLANG: &[Mark] = &[
    Mark {
        start: "init terminating in ",
        pattern: r"^(?<kind>init terminating) in \w+ \((?<message>.*)\)$",
        inner: r"^(?<message>\{?\{?(?<kind>[a-z]\w*)[,}].*)$",
        ..MARK
    },
    Mark {
        start: "Runtime terminating during boot (",
        pattern: r"^(?<kind>Runtime terminating during boot) \((?<message>.*)\)$",
        ..MARK
    },
    Mark { start: "eheap_alloc: ", pattern: r"^(?<kind>eheap_alloc): (?<message>.*)$", ..MARK },
    // Any words.
    Mark {
        start: "Crash dump is being written to: ",
        pattern: r"^(?<kind>Crash dump) is being written to: ",
        message: Message::Above,
        sure: Sure::Guess,
        ..MARK
    },
];

/// Elixir's logger prints the same text below its own line.
const ELIXIR: &[Mark] = &[
    // The exception of a process that the main one was linked to.
    Mark {
        start: "    ** (",
        pattern: r"^    \*\* \((?<kind>[\w.]+)\) (?<message>.*)$",
        message: Message::Until(&["        ", ""]),
        after: "** (EXIT from #PID",
        ..MARK
    },
    Mark {
        start: "** (",
        pattern: r"^\*\* \((?<kind>[\w.]+)\) (?<message>.*)$",
        message: Message::Until(&["    ", ""]),
        below: &["    "],
        not_after: &["[error]", "Last message", "=ERROR"],
        ..MARK
    },
];
