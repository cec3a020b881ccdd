//! A handler on a thread of its own.

use crate::model::event::Event;
use crate::model::handler::Handler;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::Duration;

/// Takes any handler to a thread of its own, behind a queue: a handler that is slow, or hangs, delays no signal and no end.
///
/// The queue is bounded. An event that finds it full is dropped and counted.
///
/// The thread has the signal mask of the one that calls [`new`](Background::new), as each new thread does: a program that reads
/// signals from a signalfd or by sigwait(3) blocks them before that, or this thread takes them.
///
/// ```
/// use panicmon::handlers::Background;
/// use panicmon::{Executor, Handler, Options, ProcessExited};
/// use std::time::Duration;
///
/// struct Slow;
///
/// impl Handler for Slow {
///     fn process_exited(&mut self, event: &ProcessExited<'_>) {
///         // A request that may take its time.
///         println!("{}", event.summary());
///     }
/// }
///
/// let (background, rest) = Background::new(Slow, 1024)?;
/// let status = Executor::new(Options::default().handler(background))?.run(["true"])?;
/// // The program ends: what is queued may still be told, but not for ever.
/// let is_told = rest.wait(Duration::from_secs(1));
/// assert!(is_told && rest.dropped() == 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Background {
    queue: SyncSender<Event<'static>>,
    dropped: Arc<AtomicU64>,
}

/// What is left to be told in the background.
#[derive(Debug)]
pub struct BackgroundRest {
    /// Closed when the thread ends.
    end: Receiver<()>,
    /// All was told, and the handler dropped.
    is_told: Arc<AtomicBool>,
    dropped: Arc<AtomicU64>,
}

impl Background {
    /// Starts the thread; `most` events wait for it at a time, at least one.
    ///
    /// # Errors
    /// If the system refuses a thread: pthread_create(3).
    pub fn new(mut handler: impl Handler + Send + 'static, most: usize) -> io::Result<(Background, BackgroundRest)> {
        let (queue, events) = mpsc::sync_channel::<Event<'static>>(most.max(1));
        let (at_end, end) = mpsc::channel::<()>();
        let (dropped, is_told) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let told = Arc::clone(&is_told);
        thread::Builder::new().name("panicmon-handler".to_owned()).spawn(move || {
            for event in events {
                handler.event(&event);
            }
            drop(handler);
            told.store(true, Ordering::Release);
            drop(at_end);
        })?;
        Ok((Background { queue, dropped: Arc::clone(&dropped) }, BackgroundRest { end, is_told, dropped }))
    }
}

impl Handler for Background {
    fn event(&mut self, event: &Event<'_>) {
        if self.queue.try_send(event.to_owned()).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl BackgroundRest {
    /// Waits until all is told, at most this long, once the [`Background`] is dropped, as it is with the executor that has it.
    /// Whether all is told; not if the handler has panicked.
    pub fn wait(&self, most: Duration) -> bool {
        let _ = self.end.recv_timeout(most);
        self.is_told.load(Ordering::Acquire)
    }

    /// How many events were dropped, because the queue was full or the handler has panicked.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::ProcessStopped;
    use crate::model::pid::Pid;
    use crate::model::signal::Signal;
    use std::sync::Mutex;

    /// It waits for leave with each event.
    struct Held {
        leave: Receiver<()>,
        told: Arc<Mutex<Vec<i32>>>,
    }

    impl Handler for Held {
        fn process_stopped(&mut self, event: &ProcessStopped<'_>) {
            let _ = self.leave.recv();
            self.told.lock().unwrap().push(event.pid.as_raw());
        }
    }

    fn tell(background: &mut Background, number: i32) {
        background.event(&Event::Stopped(ProcessStopped::new("web", Pid::new(number), Signal::STOP)));
    }

    struct Panics;

    impl Handler for Panics {
        fn event(&mut self, _: &Event<'_>) {
            panic!("on purpose");
        }
    }

    #[test]
    fn a_handler_that_panics_has_not_told_all() {
        let (mut background, rest) = Background::new(Panics, 8).unwrap();
        tell(&mut background, 1);
        drop(background);
        assert!(!rest.wait(Duration::from_secs(60)));
    }

    #[test]
    fn a_handler_that_hangs_holds_up_nobody_and_what_finds_no_room_is_counted() {
        let (give_leave, leave) = mpsc::channel();
        let told = Arc::new(Mutex::new(Vec::new()));
        let (mut background, rest) = Background::new(Held { leave, told: Arc::clone(&told) }, 2).unwrap();
        // One may be with the handler, and two wait.
        (1..=10).for_each(|number| tell(&mut background, number));
        let dropped = rest.dropped();
        assert!((7..=8).contains(&dropped), "{dropped}");
        drop(background);
        assert!(!rest.wait(Duration::ZERO), "it hangs");
        drop(give_leave);
        assert!(rest.wait(Duration::from_secs(60)));
        let told = told.lock().unwrap();
        assert_eq!((told.len() as u64 + dropped, &told[..2]), (10, &[1, 2][..]), "in their order");
    }
}
