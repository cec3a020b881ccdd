//! The interface of what wants to know what happens.

use crate::model::event::{
    DrainEnded, DrainSignaled, DrainStarted, Event, OrphanReaped, PreviousRunLost, ProcessContinued, ProcessExited,
    ProcessFailed, ProcessReady, ProcessStarted, ProcessStarting, ProcessStatus, ProcessStopped, RestartGivenUp,
    RestartScheduled, SignalDelayed, SignalDropped, SignalFailed, SignalPassed, SignalReceived,
};

/// Is told of every process and signal event; each method does nothing unless written.
///
/// The calls come from the thread that is in [`Executor::run`](crate::api::executor::Executor::run), or one of the methods of
/// [`Supervisor`](crate::api::supervisor::Supervisor) that run something. It forwards no signal while a handler is at work: hand long work to
/// another thread.
///
/// Handlers compose: [`Options::handler`](crate::api::options::Options::handler) adds one to those there are, and a tuple of
/// handlers, a vector of them, a box or a mutable reference is a handler too. Each has the event before the next one has.
///
/// If a handler panics, no handler after it is told. The processes that run are killed by SIGKILL (a
/// [`Supervisor`](crate::api::supervisor::Supervisor)'s with their process groups) and waited for, and the panic goes on to the caller of
/// `run`; a caller that catches it can call `run` again. In a program built with `panic = "abort"` the program ends at once, and
/// the kernel kills the processes, as at every other end of the program.
///
/// ```
/// use panicmon::{Executor, Handler, Options, ProcessExited};
///
/// #[derive(Default)]
/// struct Failures(u32);
///
/// impl Handler for Failures {
///     fn process_exited(&mut self, event: &ProcessExited<'_>) {
///         self.0 += u32::from(!event.status.is_success());
///     }
/// }
///
/// let mut failures = Failures::default();
/// Executor::new(Options::default().handler(&mut failures))?.run(["false"])?;
/// assert_eq!(failures.0, 1);
/// # Ok::<(), panicmon::Error>(())
/// ```
pub trait Handler {
    /// Immediately before the child is started.
    fn process_starting(&mut self, event: &ProcessStarting<'_>) {
        let _ = event;
    }

    /// The child was started: it has a pid. If it can't execute its command, [`process_failed`](Handler::process_failed)
    /// is next.
    fn process_started(&mut self, event: &ProcessStarted<'_>) {
        let _ = event;
    }

    /// The child couldn't be started, or not execute its command; also for an empty command line, which has no start before
    /// it.
    fn process_failed(&mut self, event: &ProcessFailed<'_>) {
        let _ = event;
    }

    /// The child was started and ran to its end, whatever its exit status.
    fn process_exited(&mut self, event: &ProcessExited<'_>) {
        let _ = event;
    }

    /// The child was stopped by a signal.
    ///
    /// That is seen at once only with [`Options::init`](crate::api::options::Options::init) or
    /// [`Options::job_control`](crate::api::options::Options::job_control), which listen to SIGCHLD. Otherwise it is seen when the
    /// child is looked at for another reason, if it is stopped still.
    fn process_stopped(&mut self, event: &ProcessStopped<'_>) {
        let _ = event;
    }

    /// The child, stopped before, was continued. That is seen as [a stop](Handler::process_stopped) is.
    fn process_continued(&mut self, event: &ProcessContinued<'_>) {
        let _ = event;
    }

    /// The process ended, or couldn't be started, and will be started again.
    fn restart_scheduled(&mut self, event: &RestartScheduled<'_>) {
        let _ = event;
    }

    /// The child has told its service manager that it is ready.
    fn process_ready(&mut self, event: &ProcessReady<'_>) {
        let _ = event;
    }

    /// The child has told its service manager how it is.
    fn process_status(&mut self, event: &ProcessStatus<'_>) {
        let _ = event;
    }

    /// The process ended, or couldn't be started, and would be started again, but a limit is reached.
    fn restart_given_up(&mut self, event: &RestartGivenUp<'_>) {
        let _ = event;
    }

    /// The last run, under another panicmon, has vanished without a record.
    fn previous_run_lost(&mut self, event: &PreviousRunLost<'_>) {
        let _ = event;
    }

    /// Immediately after a signal came.
    fn signal_received(&mut self, event: &SignalReceived<'_>) {
        let _ = event;
    }

    /// After it was passed on to the child.
    fn signal_passed(&mut self, event: &SignalPassed<'_>) {
        let _ = event;
    }

    /// It isn't passed on.
    fn signal_dropped(&mut self, event: &SignalDropped<'_>) {
        let _ = event;
    }

    /// It will be passed on later.
    fn signal_delayed(&mut self, event: &SignalDelayed<'_>) {
        let _ = event;
    }

    /// It couldn't be passed on.
    fn signal_failed(&mut self, event: &SignalFailed<'_>) {
        let _ = event;
    }

    /// An orphan that this program was given has ended.
    fn orphan_reaped(&mut self, event: &OrphanReaped) {
        let _ = event;
    }

    /// What an ended run has left behind is being ended.
    fn drain_started(&mut self, event: &DrainStarted<'_>) {
        let _ = event;
    }

    /// One of those processes was sent TERM or KILL.
    fn drain_signaled(&mut self, event: &DrainSignaled<'_>) {
        let _ = event;
    }

    /// What an ended run has left behind has ended, or is given up.
    fn drain_ended(&mut self, event: &DrainEnded<'_>) {
        let _ = event;
    }

    /// Every event, before it goes to the method of its kind; for those that treat all alike.
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Starting(event) => self.process_starting(event),
            Event::Started(event) => self.process_started(event),
            Event::Failed(event) => self.process_failed(event),
            Event::Exited(event) => self.process_exited(event),
            Event::Stopped(event) => self.process_stopped(event),
            Event::Continued(event) => self.process_continued(event),
            Event::RestartScheduled(event) => self.restart_scheduled(event),
            Event::RestartGivenUp(event) => self.restart_given_up(event),
            Event::Ready(event) => self.process_ready(event),
            Event::Status(event) => self.process_status(event),
            Event::PreviousRunLost(event) => self.previous_run_lost(event),
            Event::Received(event) => self.signal_received(event),
            Event::Passed(event) => self.signal_passed(event),
            Event::Dropped(event) => self.signal_dropped(event),
            Event::Delayed(event) => self.signal_delayed(event),
            Event::NotPassed(event) => self.signal_failed(event),
            Event::OrphanReaped(event) => self.orphan_reaped(event),
            Event::DrainStarted(event) => self.drain_started(event),
            Event::DrainSignaled(event) => self.drain_signaled(event),
            Event::DrainEnded(event) => self.drain_ended(event),
        }
    }
}

impl<H: Handler + ?Sized> Handler for &mut H {
    fn event(&mut self, event: &Event<'_>) {
        (**self).event(event);
    }
}

impl<H: Handler + ?Sized> Handler for Box<H> {
    fn event(&mut self, event: &Event<'_>) {
        (**self).event(event);
    }
}

impl<H: Handler> Handler for Vec<H> {
    fn event(&mut self, event: &Event<'_>) {
        for handler in self {
            handler.event(event);
        }
    }
}

impl<A: Handler, B: Handler> Handler for (A, B) {
    fn event(&mut self, event: &Event<'_>) {
        self.0.event(event);
        self.1.event(event);
    }
}

/// The handler that does nothing.
impl Handler for () {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::pid::Pid;

    #[derive(Default)]
    struct Count(u32);

    impl Handler for Count {
        fn process_started(&mut self, _: &ProcessStarted<'_>) {
            self.0 += 1;
        }
    }

    #[test]
    fn composed_handlers_are_each_told_once() {
        let started = Event::Started(ProcessStarted::new("", &[], Pid::new(1)));
        let mut borrowed = Count::default();
        let mut pair = (Count::default(), vec![Count::default(), Count::default()]);
        {
            let mut all: Vec<Box<dyn Handler>> = vec![Box::new(&mut borrowed), Box::new(&mut pair), Box::new(())];
            all.event(&started);
        }
        assert_eq!([borrowed.0, pair.0.0, pair.1[0].0, pair.1[1].0], [1; 4]);
    }
}
