//! Lines with which the text of a death may begin.
//!
//! Every line that a child writes is looked at here, hence no patterns: the first bytes decide. What such a line really means
//! is found out by `panic`, once, at the end of the run.

use super::escapes;
use memchr::memchr;

/// What is looked at of a line.
pub(super) const LINE_BYTES: usize = 512;

/// How much a line says of a death.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    /// Programs that go on print such lines, too: caught exceptions that are logged.
    Possible,
    /// A run-time system prints it when it gives up.
    Certain,
}

use Mark::{Certain, Possible};

/// How such lines start, in the order of the first byte.
///
/// Only texts that may be longer than a tail need to be here: a short one is in the tail anyway.
const STARTS: &[(&[u8], Mark)] = &[
    (b"# A fatal error has been detected", Certain),
    (b"# Fatal ", Certain),
    (b"** (", Possible),
    (b"*** Program crashed: ", Certain),
    (b"Aborting due to ", Certain),
    (b"AddressSanitizer:DEADLYSIGNAL", Certain),
    (b"An unhandled exception occurred at ", Certain),
    (b"ERROR STOP", Possible),
    (b"Error in ", Possible),
    (b"Error occurred during initialization of VM", Certain),
    (b"Error: ", Possible),
    (b"Exception in thread ", Possible),
    (b"Execution error ", Possible),
    (b"FATAL ERROR: ", Certain),
    (b"Fatal Python error: ", Certain),
    (b"Fatal error: ", Certain),
    (b"Fortran runtime error: ", Certain),
    (b"Invalid memory access ", Certain),
    (b"PHP Fatal error: ", Certain),
    (b"PHP Parse error: ", Certain),
    (b"Parse error: ", Possible),
    (b"Process terminated. ", Certain),
    (b"Program received signal ", Certain),
    (b"Runtime error ", Possible),
    (b"Runtime terminating during boot", Certain),
    (b"SIGABRT: ", Certain),
    (b"SIGBUS: ", Certain),
    (b"SIGFPE: ", Certain),
    (b"SIGILL: ", Certain),
    (b"SIGQUIT: ", Certain),
    (b"SIGSEGV: ", Certain),
    (b"SIGSYS: ", Certain),
    (b"SIGTRAP: ", Certain),
    (b"Segmentation fault at ", Certain),
    (b"Stack overflow", Certain),
    (b"Terminating due to ", Certain),
    (b"Traceback (most recent call last):", Possible),
    (b"Uncaught ", Possible),
    (b"Unhandled ", Certain),
    (b"WARNING: ThreadSanitizer: ", Possible),
    (b"[ERROR] FATAL UNHANDLED EXCEPTION: ", Certain),
    (b"eheap_alloc: ", Certain),
    (b"error: ", Possible),
    (b"fatal error ", Certain),
    (b"fatal error: ", Certain),
    (b"fatal runtime error: ", Certain),
    (b"libcob: ", Possible),
    (b"lua", Possible),
    (b"memory allocation of ", Certain),
    (b"panic(", Certain),
    (b"panic: ", Certain),
    (b"raised ", Possible),
    (b"runtime: goroutine stack exceeds ", Certain),
    (b"terminate called ", Certain),
    (b"thread ", Possible),
    (b"unexpected fault address ", Certain),
];

/// Which of them begin with a byte: from the first number up to the second.
const BY_FIRST_BYTE: [(u8, u8); 256] = by_first_byte();

const fn by_first_byte() -> [(u8, u8); 256] {
    let mut ranges = [(0, 0); 256];
    let mut at = 0;
    while at < STARTS.len() {
        let byte = STARTS[at].0[0] as usize;
        if ranges[byte].1 == 0 {
            ranges[byte].0 = at as u8;
        }
        ranges[byte].1 = at as u8 + 1;
        at += 1;
    }
    ranges
}

/// What the first [`LINE_BYTES`] of a line, without its newline, say of a death.
pub(super) fn of_line(line: &[u8]) -> Option<Mark> {
    match line {
        [] => None,
        [0x1b, ..] => of_coloured(line),
        _ => of_plain(line),
    }
}

#[cold]
fn of_coloured(line: &[u8]) -> Option<Mark> {
    let mut plain = Vec::new();
    escapes::strip(line, &mut plain);
    of_plain(&plain)
}

fn of_plain(line: &[u8]) -> Option<Mark> {
    let (from, to) = BY_FIRST_BYTE[usize::from(*line.first()?)];
    let known = STARTS[usize::from(from)..usize::from(to)].iter().find(|(start, _)| line.starts_with(start));
    match known {
        // Other lines of a log start with such short words.
        Some((b"thread ", _)) => is_thread(line).then_some(Possible),
        Some((b"lua", _)) => line.contains(&b':').then_some(Possible),
        Some((_, mark)) => Some(*mark),
        None if line[0] == b'=' => is_sanitizer(line).then_some(Certain),
        None => at_place(line),
    }
}

/// Rust's `thread 'main' panicked at`, Zig's `thread 77 panic:`.
fn is_thread(line: &[u8]) -> bool {
    line.windows(b" panic".len()).any(|part| part == b" panic")
}

/// `==77==ERROR: AddressSanitizer: `
fn is_sanitizer(line: &[u8]) -> bool {
    line.strip_prefix(b"==").and_then(behind_number).is_some_and(|rest| rest.starts_with(b"==ERROR: "))
}

/// `FILE:LINE: ` and `FILE:LINE:in `, of Ruby and Swift.
fn at_place(line: &[u8]) -> Option<Mark> {
    let colon = memchr(b':', line)?;
    let rest = behind_number(&line[colon + 1..])?.strip_prefix(b":")?;
    if rest.starts_with(b" [BUG] ") || rest.starts_with(b" Fatal error: ") {
        Some(Certain)
    } else {
        rest.starts_with(b"in ").then_some(Possible)
    }
}

/// What comes after the digits that the text begins with.
fn behind_number(text: &[u8]) -> Option<&[u8]> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (digits > 0).then(|| &text[digits..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(STARTS.is_sorted());
        for (start, _) in STARTS {
            assert!(of_line(&[start, b"' panicked: x" as &[u8]].concat()).is_some(), "{}", start.escape_ascii());
        }
    }

    #[test]
    fn lines_that_look_like_a_death() {
        for (line, mark) in [
            ("panic: boom", Certain),
            ("\x1b[31mpanic: boom\x1b[0m", Certain),
            ("==4711==ERROR: AddressSanitizer: heap-use-after-free on address 0x1", Certain),
            ("/srv/main.rb:3: [BUG] Segmentation fault at 0x0", Certain),
            ("/srv/main.rb:3:in 'f': boom (RuntimeError)", Possible),
            ("main/main.swift:2: Fatal error: boom", Certain),
            ("thread 'main' panicked at src/main.rs:2:5:", Possible),
            ("thread 12 panic: boom", Possible),
            ("lua5.4: x.lua:1: boom", Possible),
        ] {
            assert_eq!(of_line(line.as_bytes()), Some(mark), "{line}");
        }
        for line in [
            "",
            ":",
            "x",
            "2026-11-29 12:30:15: in time",
            "panic",
            "thread pool has 7 threads",
            "=",
            "==",
            "==ERROR: ",
            "==1",
            "==7==WARNING: x",
            "lua",
            "a:1",
            "a:1:",
            "http: panic serving 127.0.0.1:80: boom",
            "\u{1b}",
            "\t/srv/main.rb:3:in",
            "é:",
        ] {
            assert_eq!(of_line(line.as_bytes()), None, "{line}");
        }
    }
}
