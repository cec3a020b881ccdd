//! Says what a process has died of, by its exit status and what it has printed; `packaging/test/deaths` compares it.
//!
//!     cargo run --features fuzzing --example recognise -- 134 stderr.txt stdout.txt

use panicmon::{ExitStatus, Signal};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [status, stderr, stdout] = args.as_slice() else {
        eprintln!("usage: recognise STATUS STDERR STDOUT");
        return ExitCode::from(2);
    };
    // As a shell says it: 128 and the number of a signal.
    let code: u8 = status.parse().unwrap_or(1);
    let status = match Signal::new(i32::from(code) - 128) {
        Some(signal) => ExitStatus::Signaled { signal, core_dumped: false },
        None => ExitStatus::Exited(code),
    };
    let read = |path: &String| String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned();
    match panicmon::fuzzing::death(&read(stderr), &read(stdout), status) {
        Some(death) => {
            println!("{}: {}: {}", death.names[0], death.names[1], death.message.lines().next().unwrap_or_default());
        }
        None => println!("nothing"),
    }
    ExitCode::SUCCESS
}
