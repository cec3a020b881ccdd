//! This program, in which the executors are: its turns, its signals, and what must be as before when they are gone.

use crate::support::deadline;
use crate::sys;
use std::io::{self, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::thread;

/// The turn of one test.
pub struct Turn {
    _over: Sender<()>,
    _lock: MutexGuard<'static, ()>,
}

/// Waits for the turn of this test. A run by the library has no end of its own if the library is wrong, so a test that
/// takes too long ends the program.
pub fn turn() -> Turn {
    static TURN: Mutex<()> = Mutex::new(());
    let lock = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    log_is_kept();
    let (sender, over) = mpsc::channel::<()>();
    let test = thread::current().name().unwrap_or("a test").to_owned();
    thread::spawn(move || {
        if over.recv_timeout(2 * deadline()) == Err(RecvTimeoutError::Timeout) {
            // The macros would write to what is shown of a test that has ended.
            let _ = writeln!(io::stderr(), "waited in vain for the end of {test}");
            std::process::exit(101);
        }
    });
    Turn { _over: sender, _lock: lock }
}

pub fn send_to_self(signal: i32) {
    sys::kill(std::process::id(), signal).unwrap();
}

/// Runs it in a thread of its own that blocks this signal, so that the child does, too, and none ends it too early.
pub fn in_blocking_thread<T: Send>(signal: i32, run: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            sys::block(signal);
            run()
        });
        thread.join().unwrap()
    })
}

/// The messages of the log, warnings and errors, with this in them.
pub fn logged(part: &str) -> Vec<String> {
    LOG.0.lock().unwrap().iter().filter(|message| message.contains(part)).cloned().collect()
}

/// What is logged from now on is kept.
fn log_is_kept() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&LOG).unwrap();
        log::set_max_level(log::LevelFilter::Warn);
    });
}

static LOG: Log = Log(Mutex::new(Vec::new()));

/// Keeps what is logged, each with its level in front.
struct Log(Mutex<Vec<String>>);

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        self.0.lock().unwrap().push(format!("{} {}", record.level(), record.args()));
    }
    fn flush(&self) {}
}

pub struct SharedWriter(pub Arc<Mutex<Vec<u8>>>);

impl Write for SharedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Dispositions of all signals, the mask of this thread, and the subreaper flag.
pub fn state() -> (Vec<usize>, String, bool) {
    let mask = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let mask = mask.lines().find(|line| line.starts_with("SigBlk")).unwrap().to_owned();
    let subreaper = nix::sys::prctl::get_child_subreaper().unwrap();
    ((1..=64).map(sys::disposition).collect(), mask, subreaper)
}
