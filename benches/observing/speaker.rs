//! The command that writes to both streams: this program, executed again.

use std::io::{self, Write};
use std::process::ExitCode;

/// With this argument, this program is the speaker.
pub const SPEAK: &str = "speak";

/// Its exit code.
pub const CODE: i32 = 7;

/// More than a pipe holds.
const LINES: usize = 2000;

/// What it writes to a stream: lines of a hundred bytes, each with another number.
pub fn text(stream: &str) -> Vec<u8> {
    (0..LINES).flat_map(|line| format!("{:<99}\n", format!("line {line} of {stream}")).into_bytes()).collect()
}

/// Writes line by line, to both streams in turns.
pub fn speak() -> ExitCode {
    let write = || -> io::Result<()> {
        let (mut stdout, mut stderr) = (io::stdout().lock(), io::stderr().lock());
        let (output, errors) = (text("stdout"), text("stderr"));
        for (line, error) in output.chunks(100).zip(errors.chunks(100)) {
            stdout.write_all(line)?;
            stderr.write_all(error)?;
        }
        Ok(())
    };
    if write().is_ok() { ExitCode::from(CODE as u8) } else { ExitCode::FAILURE }
}
