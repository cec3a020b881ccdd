//! Orders from other threads: to all that runs, and to one process.

use crate::model::signal::Signal;
use crate::sys::orders::{OneOrder, Order, Refusal, Sender};
use std::fmt;

/// Stops what an [`Executor`](super::executor::Executor) or a [`Supervisor`](super::supervisor::Supervisor) runs, from any thread.
///
/// An order is for the run that is under way, or else for the next one. It isn't waited for: `run` returns when the processes
/// have ended. Canceller and executor may be dropped in any order.
///
/// ```
/// use panicmon::{Executor, Options};
///
/// let mut executor = Executor::new(Options::default())?;
/// let canceller = executor.canceller();
/// std::thread::scope(|scope| {
///     scope.spawn(|| canceller.cancel());
///     // 128+15, or `Error::Cancelled` if it was cancelled before it was started.
///     executor.run(["sleep", "1000"])
/// });
/// # Ok::<(), panicmon::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Canceller {
    /// `None` for the executor of the program, which nobody cancels.
    sender: Option<Sender>,
}

impl Canceller {
    pub(super) fn new(sender: Option<Sender>) -> Canceller {
        Canceller { sender }
    }

    /// Has all processes stopped, and none started again. The second call kills, as [`kill`](Canceller::kill) does.
    ///
    /// An executor's child is sent its stop signal: TERM, or the first of [`Options::stop_signals`](super::options::Options::stop_signals), as
    /// [`Options::rewrite`](super::options::Options::rewrite) has it; to its process group, if it has one of its own. KILL follows after
    /// [`Options::kill_after`](super::options::Options::kill_after), or 10 seconds if that isn't set. The processes of a supervisor have a
    /// [`stop_signal`](crate::model::process_config::ProcessConfig::stop_signal) and a
    /// [`sig_kill_wait`](crate::model::process_config::ProcessConfig::sig_kill_wait) each.
    pub fn cancel(&self) {
        self.give(Order::Stop);
    }

    /// Has all processes killed by SIGKILL, and none started again.
    pub fn kill(&self) {
        self.give(Order::Kill);
    }

    fn give(&self, order: Order) {
        if let Some(sender) = &self.sender {
            sender.give(order);
        }
    }
}

/// Stops, starts and signals single processes of a [`Supervisor`](super::supervisor::Supervisor), from any thread, also from its
/// handlers.
///
/// A process is called as events call it: by its [`name`](crate::model::process_config::ProcessConfig::name), or the base name of its
/// command if it has none. Where several have one name, an order is for each of them. An order is for the run that is under
/// way, and isn't waited for; events tell what comes of it. When the last process has ended for good, the run is over, and
/// nothing can be started any more.
///
/// ```
/// use panicmon::{ControlError, Event, Handler, ProcessConfig, Signal, Supervisor};
/// use std::sync::mpsc;
///
/// /// Says when `web` has been started.
/// struct Started(mpsc::Sender<()>);
///
/// impl Handler for Started {
///     fn process_started(&mut self, event: &panicmon::ProcessStarted<'_>) {
///         let _ = self.0.send(());
///     }
/// }
///
/// let (sender, started) = mpsc::channel();
/// let mut supervisor = Supervisor::new([])?.handler(Started(sender));
/// let control = supervisor.control();
/// let mut config = ProcessConfig::new("sleep");
/// config.name = "web".to_owned();
/// config.args = vec!["1000".into()];
/// std::thread::scope(|scope| {
///     scope.spawn(move || {
///         started.recv().unwrap();
///         assert!(matches!(control.stop("wbe"), Err(ControlError::UnknownName { .. })));
///         control.stop("web").unwrap();
///     });
///     assert_eq!(supervisor.run(&config).unwrap().get(), 128 + Signal::INT.number() as u8);
/// });
/// # Ok::<(), panicmon::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Control(Sender);

impl Control {
    pub(super) fn new(sender: Sender) -> Control {
        Control(sender)
    }

    /// Stops a process as a [`Canceller`] stops all: by its [`stop_signal`](crate::model::process_config::ProcessConfig::stop_signal) to its
    /// group, and KILL [`sig_kill_wait`](crate::model::process_config::ProcessConfig::sig_kill_wait) later. It isn't started again, unless
    /// [`start`](Control::start) says so. The second call kills it.
    ///
    /// # Errors
    /// If nothing runs, or no process has this name.
    pub fn stop(&self, name: &str) -> Result<(), ControlError> {
        self.give(name, OneOrder::Stop)
    }

    /// Starts a process that doesn't run: one that was stopped or has ended for good, or one that waits for its restart. One
    /// that is being stopped is started when it has ended, so that `stop` and `start` are a restart. For one that runs, it
    /// does nothing; nor does it once all are to stop. It isn't counted by
    /// [`max_restarts`](crate::model::process_config::ProcessConfig::max_restarts).
    ///
    /// # Errors
    /// If nothing runs, or no process has this name.
    pub fn start(&self, name: &str) -> Result<(), ControlError> {
        self.give(name, OneOrder::Start)
    }

    /// Sends a process a signal: to the child alone, not to its group. One that doesn't run gets nothing. It is no stop,
    /// whichever signal it is: if the process ends by it, it is started again as its configuration says.
    ///
    /// # Errors
    /// If nothing runs, or no process has this name.
    pub fn signal(&self, name: &str, signal: Signal) -> Result<(), ControlError> {
        self.give(name, OneOrder::Signal(signal))
    }

    fn give(&self, name: &str, order: OneOrder) -> Result<(), ControlError> {
        self.0.give_single(name, order).map_err(|refusal| match refusal {
            Refusal::NothingRuns => ControlError::NothingRuns,
            Refusal::UnknownName(known) => ControlError::UnknownName { name: name.to_owned(), known },
        })
    }
}

/// Why an order for a process was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ControlError {
    /// The supervisor runs nothing now.
    NothingRuns,
    /// None of the processes has this name.
    UnknownName {
        /// The name.
        name: String,
        /// The names of the processes.
        known: Vec<String>,
    },
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ControlError::NothingRuns => {
                f.write_str("the supervisor runs nothing now: its run has not begun, or is over")
            }
            ControlError::UnknownName { name, known } => {
                write!(f, "no process is named '{name}'; the names are {}", known.join(", "))
            }
        }
    }
}

impl std::error::Error for ControlError {}
