//! An executor, and what it receives.

use crate::support::PROBE;
use crate::sys;
use panicmon::{Executor, Handler, Options, Origin, Output, Signal, SignalReceived, SignalSource};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

/// The sources a test is for, by the names of its scenarios.
pub const SOURCES: [&str; 2] = ["own", "signal-hook"];

pub fn source(name: &str) -> SignalSource {
    match name {
        "own" => SignalSource::Own,
        "signal-hook" => SignalSource::SignalHook,
        other => panic!("no source: {other}"),
    }
}

/// An executor that has listened since it was made.
pub struct Listening {
    executor: Executor<'static>,
    received: Receiver<(Signal, Origin)>,
}

struct Tells(Sender<(Signal, Origin)>);

impl Handler for Tells {
    fn signal_received(&mut self, event: &SignalReceived) {
        self.0.send((event.signal, event.origin)).unwrap();
    }
}

impl Listening {
    pub fn new(options: Options<'static>) -> Listening {
        let (sender, received) = mpsc::channel();
        let executor = Executor::new(options.handler(Tells(sender)).stdout(Output::Null)).unwrap();
        Listening { executor, received }
    }

    pub fn by(source: SignalSource) -> Listening {
        Listening::new(Options::default().signals_by(source))
    }

    /// What it has received, and passed on to a child that waits for this many signals.
    pub fn heard(&mut self, count: usize) -> Vec<(Signal, Origin)> {
        let words = [PROBE.to_owned(), "exit-after".to_owned(), count.to_string(), "5".to_owned()];
        let executor = &mut self.executor;
        let status = thread::scope(|scope| {
            let thread = scope.spawn(|| {
                // And so does the child, which no signal ends too early then.
                (1..=64).for_each(sys::block);
                executor.run(words).unwrap()
            });
            thread.join().unwrap()
        });
        assert_eq!(status.get(), 5);
        self.received.try_iter().collect()
    }

    /// The numbers of the same.
    pub fn numbers(&mut self, count: usize) -> Vec<i32> {
        self.heard(count).into_iter().map(|(signal, _)| signal.number()).collect()
    }
}
