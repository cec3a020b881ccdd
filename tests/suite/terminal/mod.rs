//! At home in a terminal: each scene is played without panicmon, with it, and with two of it, and must look the same.

mod jobs;
mod keys;
mod shell;

use shell::Screen;

/// The numbers of the signals that `probe receive` has said came.
fn received(shown: &str) -> Vec<i32> {
    let number = |line: &str| {
        let words: Vec<i64> = line.split(' ').map(str::parse).collect::<Result<_, _>>().ok()?;
        (words.len() == 4).then_some(words[0] as i32)
    };
    // The terminal echoes ^C and the like.
    shown.lines().filter_map(|line| number(line.trim_start_matches("^C").trim_start_matches("^\\").trim_start_matches("^Z"))).collect()
}

/// What `probe receive` was sent by this, and by nothing else: a signal sent to the job afterwards comes after it.
fn received_by(screen: &mut Screen, cause: impl FnOnce(&mut Screen)) -> Vec<i32> {
    screen.press("");
    cause(screen);
    screen.until("a signal", |shown| received(shown).first().copied());
    crate::sys::kill(screen.job(), libc::SIGUSR2).unwrap();
    let mut came = screen.until("USR2", |shown| Some(received(shown)).filter(|came| came.contains(&libc::SIGUSR2)));
    assert_eq!(came.pop(), Some(libc::SIGUSR2));
    came
}
