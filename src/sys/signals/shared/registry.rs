//! The executors' action in signal-hook's registry, for programs whose other users of signals share that.
//!
//! The registry has a handler of its own for each signal that an action was ever registered for. It calls what it has
//! found, and then the actions. It never takes its handler away, so what the program had isn't given back.

use super::action::{action, die, is_handler, new_action, stop, swap, undo_reset};
use super::cause::{Cause, is_raised_by_faults};
use super::delivery::has_stopped;
use super::handler::layer_of;
use super::listeners::{BY_REGISTRY, is_job_control_under_way};
use super::table::{Table, must_stay_ignored};
use crate::model::signal::{Signal, SignalSet};
use signal_hook_registry::{SigId, register_sigaction, unregister};
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Our action for a signal, one for all executors.
struct Registration {
    action: SigId,
    /// How many executors use it.
    users: usize,
}

static REGISTRATIONS: Mutex<BTreeMap<Signal, Registration>> = Mutex::new(BTreeMap::new());

/// Signals that had their default action, or were ignored, when our registration was the first in the registry.
static OVER_DEFAULT: AtomicU64 = AtomicU64::new(0);
static OVER_IGNORED: AtomicU64 = AtomicU64::new(0);

/// The address of the registry's handler, as it was found in place after our registration; 0: not known.
static HANDLERS: [AtomicUsize; 65] = [const { AtomicUsize::new(0) }; 65];

/// The flags with which the registry puts its handler in place.
const FLAGS: i32 = libc::SA_SIGINFO | libc::SA_RESTART;

/// Registers an action that tells the executors. Returns whether it has to be [released](release): signals that must stay
/// ignored are left alone.
pub(super) fn register(table: &Table, signal: Signal) -> io::Result<bool> {
    let mut registrations = registrations();
    if let Some(registration) = registrations.get_mut(&signal) {
        put_back_in_place(table, signal)?;
        registration.users += 1;
        return Ok(true);
    }
    let before = action(signal)?;
    let program = table.program(signal, before);
    if must_stay_ignored(signal, &program) {
        return Ok(false);
    }
    if !is_handler(&program) {
        note_beneath(signal, &program);
    }
    // SAFETY: `on_signal` is async-signal-safe and doesn't panic. The signal is none of those that the registry refuses.
    let registered = unsafe { register_sigaction(signal.number(), move |info| on_signal(signal, info)) }?;
    if let Err(error) = put_back_in_place(table, signal) {
        unregister(registered);
        return Err(error);
    }
    registrations.insert(signal, Registration { action: registered, users: 1 });
    Ok(true)
}

/// Takes the action away when no executor uses it any more. The registry's handler stays.
pub(super) fn release(signal: Signal) {
    let mut registrations = registrations();
    let Some(registration) = registrations.get_mut(&signal) else { return };
    registration.users -= 1;
    // A program that reads its terminal from the background is sent TTIN again and again until it stops: our action stops
    // it, which the registry's handler alone wouldn't.
    let still_stops = matches!(signal, Signal::TTIN | Signal::TTOU) && is_in(&OVER_DEFAULT, signal);
    if registration.users == 0 && !still_stops {
        unregister(registration.action);
        registrations.remove(&signal);
    }
}

/// Whether the program ignored the signal before the registry had a handler for it, and that is in place still.
pub(super) fn hides_ignored(table: &Table, signal: Signal) -> bool {
    is_in(&OVER_IGNORED, signal)
        && action(signal).is_ok_and(|now| {
            let program = table.program(signal, now);
            program.sa_sigaction == HANDLERS[signal.number() as usize].load(Ordering::SeqCst)
        })
}

fn registrations() -> MutexGuard<'static, BTreeMap<Signal, Registration>> {
    REGISTRATIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes what the program had in place before the registry's handler.
fn note_beneath(signal: Signal, program: &libc::sigaction) {
    let bit = SignalSet::EMPTY.with(signal).bits();
    for (set, handler) in [(&OVER_DEFAULT, libc::SIG_DFL), (&OVER_IGNORED, libc::SIG_IGN)] {
        if program.sa_sigaction == handler {
            set.fetch_or(bit, Ordering::SeqCst);
        } else {
            set.fetch_and(!bit, Ordering::SeqCst);
        }
    }
}

fn is_in(set: &AtomicU64, signal: Signal) -> bool {
    SignalSet::from_bits(set.load(Ordering::SeqCst)).contains(signal)
}

/// The registry believes its handler in place since the first registration; but the program may have set the default
/// action since, or ignore the signal: then its handler is put back. A handler of the program is left where it is: it may
/// call the registry's.
fn put_back_in_place(table: &Table, signal: Signal) -> io::Result<()> {
    let now = action(signal)?;
    let own = &HANDLERS[signal.number() as usize];
    if is_handler(&table.program(signal, now)) {
        if layer_of(&now).is_none() && now.sa_flags & libc::SA_SIGINFO != 0 {
            own.store(now.sa_sigaction, Ordering::SeqCst);
        }
        return Ok(());
    }
    note_beneath(signal, &now);
    // It is the same for all signals.
    let known = [own].into_iter().chain(&HANDLERS).map(|handler| handler.load(Ordering::SeqCst));
    // Put over a handler of ours, it wouldn't call that.
    let handler = known.into_iter().find(|handler| *handler != 0 && layer_of(&now).is_none());
    let handler = handler.ok_or_else(|| {
        io::Error::other(format!("signal-hook's handler for {signal} was replaced, and can't be put back in place"))
    })?;
    let before = swap(signal, &new_action(handler, FLAGS))?;
    own.store(handler, Ordering::SeqCst);
    if is_handler(&before) {
        // Another thread has registered a handler since we looked.
        let _ = swap(signal, &before);
    }
    Ok(())
}

/// Our action, which the registry's handler calls. Async-signal-safe: raw system calls, sigaction(2) and atomics only.
fn on_signal(signal: Signal, info: &libc::siginfo_t) {
    let cause = Cause::of(info);
    if is_raised_by_faults(signal) && fault(signal, &cause) {
        return;
    }
    let told = BY_REGISTRY.tell(signal, &cause);
    stop_as_by_default(signal, info, &cause, told);
}

/// A fault of this program's own ends it, as it would without us, if it had no handler when the registry came. Returns
/// whether it is one.
fn fault(signal: Signal, cause: &Cause) -> bool {
    if cause.is_kernel() {
        if is_in(&OVER_DEFAULT, signal) {
            die(signal);
        }
        return true;
    }
    let handler = HANDLERS[signal.number() as usize].load(Ordering::SeqCst);
    let swap = |signal, action: &libc::sigaction| swap(signal, action).ok();
    undo_reset(signal, &new_action(handler, FLAGS), swap, |action| action.sa_sigaction);
    false
}

/// If the program had no handler when the registry came, it stops by the terminal's stop signals, and by others that
/// nobody is told of.
///
/// With job control, an executor stops the program itself for SIGTSTP.
fn stop_as_by_default(signal: Signal, info: &libc::siginfo_t, cause: &Cause, told: bool) {
    if matches!(signal, Signal::TSTP | Signal::TTIN | Signal::TTOU)
        && (cause.is_kernel() || !told)
        && is_in(&OVER_DEFAULT, signal)
        && !(signal == Signal::TSTP && is_job_control_under_way())
        && !has_stopped(info)
    {
        stop();
    }
}
