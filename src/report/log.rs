//! Events as messages of the [`log`] crate.

use crate::model::duration::{Exact, Short};
use crate::model::event::{
    PreviousRunLost, ProcessContinued, ProcessExited, ProcessFailed, ProcessStarting, ProcessStopped, RestartGivenUp,
    RestartScheduled, SignalDelayed, SignalDropped, SignalFailed, SignalPassed, SignalReceived,
};
use crate::model::handler::Handler;
use std::ffi::OsString;

/// Logs every event: failures that are retried and a previous run that was lost at `warn`, processes at `info`, signals at
/// `debug`.
///
/// Arguments are logged at `trace` only, since they may hold secrets.
///
/// ```
/// use panicmon::{Executor, Options, handlers::Log};
///
/// Executor::new(Options::default().handler(Log))?.run(["true"])?;
/// # Ok::<(), panicmon::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Log;

impl Handler for Log {
    fn process_starting(&mut self, event: &ProcessStarting<'_>) {
        if log::log_enabled!(log::Level::Info) {
            starting(event);
        }
    }

    #[cold]
    fn process_failed(&mut self, event: &ProcessFailed<'_>) {
        // Not a warning: the caller gets the error, too, and reports it.
        log::info!("failed to run {}: {}", name(&event.args), event.error);
    }

    fn process_exited(&mut self, event: &ProcessExited<'_>) {
        if log::log_enabled!(log::Level::Info) {
            exited(event);
        }
    }

    #[cold]
    fn process_stopped(&mut self, event: &ProcessStopped<'_>) {
        log::info!("pid {} was stopped by {}", event.pid, event.signal);
    }

    #[cold]
    fn process_continued(&mut self, event: &ProcessContinued<'_>) {
        log::info!("pid {} was continued", event.pid);
    }

    #[cold]
    fn restart_scheduled(&mut self, event: &RestartScheduled<'_>) {
        let (name, delay) = (name(&event.args), Exact(event.delay));
        match event.status {
            Some(_) if event.success => log::info!("{name} ended; it starts again in {delay}"),
            Some(status) => log::warn!("{name} failed, {status}; it starts again in {delay}"),
            None => match &event.error {
                Some(error) => {
                    log::warn!("{name} couldn't be started: {}; it is tried again in {delay}", error.brief());
                }
                None => log::warn!("{name} couldn't be started; it is tried again in {delay}"),
            },
        }
    }

    #[cold]
    fn restart_given_up(&mut self, event: &RestartGivenUp<'_>) {
        log::info!("{} isn't started again: {}", event.name, event.reason.as_str());
    }

    #[cold]
    fn previous_run_lost(&mut self, event: &PreviousRunLost<'_>) {
        log::warn!("{}", event.summary());
    }

    fn signal_received(&mut self, event: &SignalReceived<'_>) {
        log::debug!("received {} from {:?}", event.signal, event.origin);
    }

    fn signal_passed(&mut self, event: &SignalPassed<'_>) {
        log::debug!("passed {} on to pid {}", event.signal, event.child);
    }

    #[cold]
    fn signal_dropped(&mut self, event: &SignalDropped<'_>) {
        log::debug!("{} isn't passed on", event.signal);
    }

    #[cold]
    fn signal_delayed(&mut self, event: &SignalDelayed<'_>) {
        log::debug!("{} is passed on in {}", event.signal, Exact(event.delay));
    }

    #[cold]
    fn signal_failed(&mut self, event: &SignalFailed<'_>) {
        log::warn!("{} couldn't be passed on to pid {}, it is lost: {}", event.signal, event.child, event.error);
    }
}

#[cold]
fn starting(event: &ProcessStarting<'_>) {
    log::info!("starting {}", name(&event.args));
    log::trace!("its arguments: {:?}", event.args);
}

#[cold]
fn exited(event: &ProcessExited<'_>) {
    log::info!("{}, pid {}, ended after {}: {}", name(&event.args), event.pid, Short(event.duration), event.status);
    log::debug!("it used {:?}", event.usage);
}

fn name(args: &[OsString]) -> impl std::fmt::Display {
    args.first().map(|command| command.display().to_string()).unwrap_or_default()
}
