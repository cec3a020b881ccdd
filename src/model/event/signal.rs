//! A signal came, and what became of it.

use super::keep::keep;
use crate::model::origin::Origin;
use crate::model::pid::Pid;
use crate::model::signal::Signal;
use std::borrow::Cow;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// A signal came.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignalReceived<'a> {
    /// The process it is meant for: its name, or the base name of its command.
    pub name: Cow<'a, str>,
    /// Which one.
    pub signal: Signal,
    /// Who sent it, and its value.
    pub origin: Origin,
    /// The child it is meant for.
    pub child: Pid,
}

/// A signal was passed on to the child.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignalPassed<'a> {
    /// The process that has it: its name, or the base name of its command.
    pub name: Cow<'a, str>,
    /// Which one the child has now; with [`Options::rewrite`](crate::api::options::Options::rewrite) it may be another than the
    /// one that came.
    pub signal: Signal,
    /// The one that came.
    pub came: Signal,
    /// Who sent it, and its value.
    pub origin: Origin,
    /// The child that has it now.
    pub child: Pid,
    /// Its whole process group has it.
    pub to_group: bool,
}

/// A signal isn't passed on to the child: [`Options::rewrite`](crate::api::options::Options::rewrite) or
/// [`drop_uncaught`](crate::api::options::Options::drop_uncaught) says so. Or it was one with another of its kind, while both
/// waited for [`Options::delay`](crate::api::options::Options::delay) or `drop_uncaught`. Or the child ended while it waited for
/// `drop_uncaught`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignalDropped<'a> {
    /// The process that doesn't get it: its name, or the base name of its command.
    pub name: Cow<'a, str>,
    /// Which one.
    pub signal: Signal,
    /// Who sent it, and its value.
    pub origin: Origin,
    /// The child that doesn't get it.
    pub child: Pid,
}

/// A signal will be passed on to the child later.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignalDelayed<'a> {
    /// The process it is meant for: its name, or the base name of its command.
    pub name: Cow<'a, str>,
    /// Which one.
    pub signal: Signal,
    /// Who sent it, and its value.
    pub origin: Origin,
    /// The child it is meant for.
    pub child: Pid,
    /// How long from now.
    pub delay: Duration,
}

/// A signal couldn't be passed on to the child.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignalFailed<'a> {
    /// The process that doesn't get it: its name, or the base name of its command.
    pub name: Cow<'a, str>,
    /// Which one.
    pub signal: Signal,
    /// Who sent it, and its value.
    pub origin: Origin,
    /// The child that should have got it.
    pub child: Pid,
    /// Why it didn't: kill(2), rt_sigqueueinfo(2).
    pub error: Arc<io::Error>,
}

impl<'a> SignalReceived<'a> {
    /// This event of this child.
    pub fn new(name: impl Into<Cow<'a, str>>, signal: Signal, origin: Origin, child: Pid) -> Self {
        SignalReceived { name: name.into(), signal, origin, child }
    }
}

impl<'a> SignalPassed<'a> {
    /// This event of this child, which alone has the signal that came.
    pub fn new(name: impl Into<Cow<'a, str>>, signal: Signal, origin: Origin, child: Pid) -> Self {
        SignalPassed { name: name.into(), signal, came: signal, origin, child, to_group: false }
    }
}

impl<'a> SignalDropped<'a> {
    /// This event of this child.
    pub fn new(name: impl Into<Cow<'a, str>>, signal: Signal, origin: Origin, child: Pid) -> Self {
        SignalDropped { name: name.into(), signal, origin, child }
    }
}

impl<'a> SignalDelayed<'a> {
    /// This event of this child.
    pub fn new(name: impl Into<Cow<'a, str>>, signal: Signal, origin: Origin, child: Pid, delay: Duration) -> Self {
        SignalDelayed { name: name.into(), signal, origin, child, delay }
    }
}

impl<'a> SignalFailed<'a> {
    /// This event of this child.
    pub fn new(
        name: impl Into<Cow<'a, str>>,
        signal: Signal,
        origin: Origin,
        child: Pid,
        error: impl Into<Arc<io::Error>>,
    ) -> Self {
        SignalFailed { name: name.into(), signal, origin, child, error: error.into() }
    }

    /// The same event with nothing borrowed, to be kept or sent to another thread.
    #[must_use]
    pub fn to_owned(&self) -> SignalFailed<'static> {
        SignalFailed {
            name: Cow::Owned(self.name.clone().into_owned()),
            signal: self.signal,
            origin: self.origin,
            child: self.child,
            error: Arc::clone(&self.error),
        }
    }
}

keep! {
    SignalReceived { name; signal, origin, child }
    SignalPassed { name; signal, came, origin, child, to_group }
    SignalDropped { name; signal, origin, child }
    SignalDelayed { name; signal, origin, child, delay }
}
