//! Counts the ends of a command, and its panics by their language, and prints the counts as Prometheus reads them.
//!
//!     cargo run --example count_panics -- myserver args

use panicmon::handlers::Metrics;
use panicmon::{Error, Event, Executor, Handler, Options, Output, ProcessExited, recognise};
use std::io::{self, Write};
use std::process::ExitCode;

/// What is kept of stderr: a panic is at its end.
const KEPT_BYTES: usize = 64 * 1024;

/// Passes stderr on, and keeps its end.
#[derive(Default)]
struct Stderr(Vec<u8>);

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = io::stderr().write(bytes)?;
        self.0.extend_from_slice(&bytes[..written]);
        self.0.drain(..self.0.len().saturating_sub(KEPT_BYTES));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Counts all events but the end, which it keeps: what the command has written last may come after it.
#[derive(Default)]
struct Counts {
    metrics: Metrics,
    end: Option<ProcessExited<'static>>,
}

impl Handler for Counts {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Exited(exited) => self.end = Some(exited.to_owned()),
            event => self.metrics.event(event),
        }
    }
}

fn main() -> Result<ExitCode, Error> {
    let mut command: Vec<_> = std::env::args_os().skip(1).collect();
    if command.is_empty() {
        let script = "echo \"thread 'main' panicked at server.rs:7:1:\nout of paper\" >&2; kill -ABRT $$";
        command = ["sh", "-c", script].map(Into::into).into();
    }
    let (mut stderr, mut counts) = (Stderr::default(), Counts::default());
    let options = Options::default().stderr(Output::Writer(Box::new(&mut stderr))).handler(&mut counts);
    // All that the command has written is there when this returns.
    Executor::new(options)?.run(command)?;
    if let Some(mut exited) = counts.end {
        exited.panic = recognise(&String::from_utf8_lossy(&stderr.0), "", exited.status);
        counts.metrics.event(&Event::Exited(exited));
    }
    print!("{}", counts.metrics);
    Ok(ExitCode::SUCCESS)
}
