//! At home in a terminal: each scene is played without panicmon, with it, and with two of it, and must look the same.

mod ends;
mod jobs;
mod keys;
mod leaders;
mod library;
mod missing;
mod pipelines;
mod pmux;
mod programs;
pub mod shell;
mod tails;
mod texts;

use shell::Screen;

/// The numbers of the signals that `probe receive` has said came.
fn received(shown: &str) -> Vec<i32> {
    // In front of the four numbers stands what the terminal echoed, or a prompt.
    let number = |line: &str| {
        let words: Vec<&str> = line.trim_start_matches(['^', 'C', '\\', 'Z']).split(' ').collect();
        let numbers: Vec<i64> = words.iter().rev().map_while(|word| word.parse().ok()).collect();
        numbers.get(3).map(|number| *number as i32)
    };
    shown.lines().filter_map(number).collect()
}

/// What `probe receive`, the job, was sent by this.
fn received_by(screen: &mut Screen, cause: impl FnOnce(&mut Screen)) -> Vec<i32> {
    let job = screen.job();
    received_through(screen, job, cause)
}

/// What `probe receive` was sent by this, and nothing else: a signal sent to this process afterwards comes after it, since
/// lower numbers overtake higher ones.
fn received_through(screen: &mut Screen, process: u32, cause: impl FnOnce(&mut Screen)) -> Vec<i32> {
    let last = libc::SIGRTMAX();
    screen.press("");
    cause(screen);
    screen.until("a signal", |shown| received(shown).first().copied());
    crate::sys::kill(process, last).unwrap();
    let mut came = screen.until("the last", |shown| Some(received(shown)).filter(|came| came.contains(&last)));
    assert_eq!(came.pop(), Some(last));
    came
}
