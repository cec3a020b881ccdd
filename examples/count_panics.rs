//! Counts the panics of a child: the lines that a Rust program writes to stderr when it panics, and ends by ABRT.
//!
//!     cargo run --example count_panics -- myserver args

use panicmon::{Error, Executor, ExitStatus, Handler, Options, Output, ProcessExited, Signal};
use std::io::{self, Write};
use std::process::ExitCode;

/// Passes stderr on, and counts the panics in it.
#[derive(Default)]
struct Panics {
    line: Vec<u8>,
    count: u32,
}

impl Write for Panics {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for byte in bytes {
            if *byte == b'\n' {
                let line = String::from_utf8_lossy(&self.line);
                self.count += u32::from(line.starts_with("thread '") && line.contains("panicked at"));
                self.line.clear();
            } else if self.line.len() < 1024 {
                self.line.push(*byte);
            }
        }
        io::stderr().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Counts the ends by ABRT.
#[derive(Default)]
struct Aborts(u32);

impl Handler for Aborts {
    fn process_exited(&mut self, event: &ProcessExited<'_>) {
        self.0 += u32::from(matches!(event.status, ExitStatus::Signaled { signal: Signal::ABRT, .. }));
    }
}

fn main() -> Result<ExitCode, Error> {
    let mut command: Vec<_> = std::env::args_os().skip(1).collect();
    if command.is_empty() {
        command =
            ["sh", "-c", "echo \"thread 'main' panicked at server.rs:7:1\" >&2; kill -ABRT $$"].map(Into::into).into();
    }
    let (mut panics, mut aborts) = (Panics::default(), Aborts::default());
    let options = Options::default().stderr(Output::Writer(Box::new(&mut panics))).handler(&mut aborts);
    let status = Executor::new(options)?.run(command)?;
    println!("{} panics, {} aborts, exit status {status}", panics.count, aborts.0);
    Ok(ExitCode::SUCCESS)
}
