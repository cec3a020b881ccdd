//! The command that the wrappers run. The first letter of its first argument says what it does:
//!
//! | word | what it does |
//! |---|---|
//! | `noop` | ends |
//! | `clock` | writes the time of its first instruction, and ends |
//! | `receive` | writes the time, and again at each SIGUSR1; ends at SIGTERM |
//! | `sleep` | writes the time, and ends when stdin is closed |
//! | `orphans N` | writes the time; when it reads a byte, makes N orphans that end at once, writes the time, and ends as `sleep` |
//!
//! Times are those of the monotonic clock, in nanoseconds, eight bytes each, on stdout. A child that waits ends by itself
//! when the benchmark ends.
#![no_std]
#![no_main]

mod bare;

use bare::{Arguments, Stack};

const fn bit(signal: i32) -> u64 {
    1 << (signal - 1)
}

fn run(arguments: Arguments) -> i32 {
    match arguments.letter(1) {
        b'n' => {}
        b'c' => bare::tell(bare::clock()),
        b'r' => receive(),
        b's' => {
            bare::tell(bare::clock());
            while bare::wait_for_byte(0) {}
        }
        b'o' => orphans(arguments.number(2)),
        _ => return 2,
    }
    0
}

fn receive() {
    const SECONDS: Option<i64> = Some(20);
    let signals = bit(bare::USR1) | bit(bare::TERM);
    bare::block(signals);
    bare::tell(bare::clock());
    while bare::wait_for_signal(signals, SECONDS) == bare::USR1 {
        bare::tell(bare::clock());
    }
}

fn orphans(count: usize) {
    /// The most orphans that live at once.
    const BATCH: usize = 100;
    bare::tell(bare::clock());
    if !bare::wait_for_byte(0) {
        return;
    }
    let mut stack = Stack::new();
    let mut left = count;
    while left > 0 {
        let batch = left.min(BATCH);
        left -= batch;
        // Each orphan has the writing end open: the pipe ends when the last orphan does.
        let [reader, writer] = bare::pipe();
        for _ in 0..batch {
            bare::wait(bare::spawn(&mut stack, leave_an_orphan, &()));
        }
        bare::close(writer);
        bare::wait_for_byte(reader);
        bare::close(reader);
    }
    bare::tell(bare::clock());
    while bare::wait_for_byte(0) {}
}

extern "C" fn leave_an_orphan(_: &()) -> ! {
    bare::spawn_short_lived();
    bare::exit(0)
}
