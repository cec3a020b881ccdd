//! This program, in which the executors are: its turns, its signals, and what must be as before when they are gone.

use crate::sys;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

pub fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
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
