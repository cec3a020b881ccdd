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
//!
//! Where many run at once, each writes its pid to a FIFO when it begins, eight bytes, so that nothing of it is relayed. It
//! ends at TERM or INT, or soon after the FIFO's reader is gone:
//!
//! | word | what it does |
//! |---|---|
//! | `wait FIFO` | waits; writes its pid again at each SIGUSR1 |
//! | `lines FIFO PERIOD DELAY` | after the delay writes a line to stdout, and again after each period; both are in µs |
//! | `beget FIFO N` | makes N orphans that end at once when a SIGUSR1 comes, and writes its pid again |
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
        b'w' => wait(arguments),
        b'l' => write_lines(arguments),
        b'b' => beget(arguments),
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
    bare::tell(bare::clock());
    if !bare::wait_for_byte(0) {
        return;
    }
    make_orphans(count);
    bare::tell(bare::clock());
    while bare::wait_for_byte(0) {}
}

fn make_orphans(count: usize) {
    /// The most orphans that live at once.
    const BATCH: usize = 100;
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
}

extern "C" fn leave_an_orphan(_: &()) -> ! {
    bare::spawn_short_lived();
    bare::exit(0)
}

fn wait(arguments: Arguments) {
    if let Some(fifo) = Fifo::open(arguments) {
        fifo.at_each_signal(|| ());
    }
}

fn beget(arguments: Arguments) {
    if let Some(fifo) = Fifo::open(arguments) {
        fifo.at_each_signal(|| make_orphans(arguments.number(3)));
    }
}

fn write_lines(arguments: Arguments) {
    const LINE: &[u8] = b"a line of some forty bytes, as they are\n";
    let Some(fifo) = Fifo::open(arguments) else { return };
    let [period, delay] = [3, 4].map(|index| arguments.number(index) as u64 * 1000);
    let mut next = bare::clock() + delay;
    loop {
        bare::sleep_until(next);
        if !bare::has_reader(fifo.0) || !bare::write(1, LINE) {
            return;
        }
        next += period;
    }
}

/// Where a child tells that it has begun. The first argument behind the word is its path.
struct Fifo(i32);

impl Fifo {
    /// Tells it, with SIGUSR1 blocked.
    fn open(arguments: Arguments) -> Option<Fifo> {
        bare::block(bit(bare::USR1));
        let fifo = Fifo(bare::open_to_write(arguments.string(2)));
        fifo.tell();
        (fifo.0 >= 0).then_some(fifo)
    }

    fn tell(&self) {
        bare::tell_to(self.0, bare::own_pid() as u64);
    }

    /// Does this at each SIGUSR1 and tells it, as long as anybody reads the FIFO.
    fn at_each_signal(&self, work: impl Fn()) {
        let signals = bare::signal_descriptor(bit(bare::USR1));
        while bare::wait_to_read(signals, self.0) {
            bare::take_signal(signals);
            work();
            self.tell();
        }
    }
}
