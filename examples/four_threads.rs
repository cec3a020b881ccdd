//! Runs itself four times, each time from another thread and with one more variable, and waits for all four. A signal to
//! it reaches all four.
//!
//!     cargo run --example four_threads

use panicmon::{Error, Executor, Options};
use std::thread;

const WORKER: &str = "WORKER";

fn main() -> Result<(), Error> {
    if let Ok(worker) = std::env::var(WORKER) {
        println!("worker {worker} has pid {}", std::process::id());
        std::process::exit(worker.parse().unwrap_or(1));
    }
    let itself = std::env::current_exe().unwrap_or_else(|_| "/proc/self/exe".into());
    let statuses = thread::scope(|scope| {
        let threads: Vec<_> = (1..=4)
            .map(|worker| {
                let itself = &itself;
                scope.spawn(move || Executor::new(Options::default().env(WORKER, worker.to_string()))?.run([itself]))
            })
            .collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect::<Result<Vec<_>, Error>>()
    })?;
    println!("exit statuses: {}", statuses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    Ok(())
}
