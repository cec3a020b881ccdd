//! Our signal handler.

use super::action::{action, die, is_handler, new_action, stop, undo_reset};
use super::cause::is_raised_by_faults;
use super::delivery::{Delivery, Visit};
use super::layer::{Handler, LAYERS, Layer};
use super::listeners::{BY_HANDLER, is_job_control_under_way};
use crate::model::signal::Signal;
use crate::sys::signals::disposition::KernelAction;
use crate::sys::wait;
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;

/// The handler of each layer. Never the same function twice, as each has another number in it.
static ENTRIES: [Handler; LAYERS] =
    [entry::<0>, entry::<1>, entry::<2>, entry::<3>, entry::<4>, entry::<5>, entry::<6>, entry::<7>];

extern "C" fn entry<const LAYER: usize>(number: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    on_signal(Layer::new(LAYER), number, info, context);
}

/// The layer whose handler this action calls.
pub(super) fn layer_of(action: &libc::sigaction) -> Option<Layer> {
    layer_at(action.sa_sigaction)
}

fn layer_at(handler: libc::sighandler_t) -> Option<Layer> {
    ENTRIES.iter().position(|entry| *entry as usize == handler).map(Layer::new)
}

/// The action that calls this layer's handler, to be put over the program's. Other signals wait meanwhile, except those
/// that a fault in the program's own handler raises.
///
/// Each signal that doesn't wait takes a frame of several KiB on the alternate stack, which may have room for two. So there
/// are never more of ours than two, one within another: SIGTRAP waits unless the program has a handler for it now (a fault
/// takes the default action all the same), and while one of SIGBUS, SIGTRAP and SIGSYS is handled, the others wait.
///
/// If the program has a handler, its flags say whether system calls are restarted and which stack is used. Of children that
/// stop we are told whatever the program's flags say.
pub(super) fn action_over(layer: Layer, signal: Signal, program: &libc::sigaction) -> libc::sigaction {
    let mut ours = new_action(ENTRIES[layer.number()] as usize, libc::SA_SIGINFO | flags_over(program));
    // SAFETY: fills the set, and takes members away.
    unsafe {
        libc::sigfillset(&raw mut ours.sa_mask);
        for never_ours in [libc::SIGSEGV, libc::SIGILL, libc::SIGFPE] {
            libc::sigdelset(&raw mut ours.sa_mask, never_ours);
        }
        if !is_raised_by_faults(signal) {
            libc::sigdelset(&raw mut ours.sa_mask, libc::SIGBUS);
            libc::sigdelset(&raw mut ours.sa_mask, libc::SIGSYS);
            if has_trap_handler() {
                libc::sigdelset(&raw mut ours.sa_mask, libc::SIGTRAP);
            }
        }
    }
    ours
}

/// Whether the program has a handler for SIGTRAP.
fn has_trap_handler() -> bool {
    action(Signal::TRAP).is_ok_and(|now| match layer_of(&now) {
        Some(layer) => !layer.is_over_default(Signal::TRAP),
        None => is_handler(&now),
    })
}

/// The flags of ours that depend on the program's action.
pub(super) fn flags_over(program: &libc::sigaction) -> c_int {
    let both = libc::SA_RESTART | libc::SA_ONSTACK;
    if is_handler(program) { program.sa_flags & both } else { both }
}

/// Only raw system calls, sigaction(2) and atomics; `errno` stays as it is.
fn on_signal(layer: Layer, number: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let Some(signal) = Signal::new(number) else { return };
    // SAFETY: all zeroes are a siginfo_t.
    let mut substitute = unsafe { MaybeUninit::zeroed().assume_init() };
    let delivery = Delivery::enter(signal, layer, info, &mut substitute);
    match delivery.visit {
        Visit::First => {}
        // A handler of the program that lies over an older layer has called that: what is beneath it is next.
        Visit::Further => {
            chain(layer, &delivery, context);
            return;
        }
        Visit::Again => return,
    }
    let told = match signal {
        Signal::BUS | Signal::TRAP | Signal::SYS => {
            let in_place = KernelAction::in_place(signal);
            let caught = chain(layer, &delivery, context);
            if fault(&delivery, caught, in_place.as_ref()) {
                return;
            }
            tell(&delivery)
        }
        // The program's handler makes the terminal ready for the stop, and an executor that is told may stop the program.
        Signal::TSTP | Signal::TTIN | Signal::TTOU => {
            chain(layer, &delivery, context);
            tell(&delivery)
        }
        // The program's handler may not come back: siglongjmp(3).
        _ => {
            let told = tell(&delivery);
            chain(layer, &delivery, context);
            told
        }
    };
    stop_as_by_default(layer, &delivery, told);
    if !told {
        take_default(layer, signal);
    }
}

/// The program's own handler is called. Returns whether there was one.
fn chain(layer: Layer, delivery: &Delivery, context: *mut c_void) -> bool {
    !is_nothing_to_program(layer, delivery) && delivery.call_program(layer, context)
}

/// Whether the signal is of a child that stops or goes on, and the program has asked not to be told of those. If another
/// child has ended as well, the two signals may have come as one.
fn is_nothing_to_program(layer: Layer, delivery: &Delivery) -> bool {
    let stops_or_goes_on = [libc::CLD_STOPPED, libc::CLD_TRAPPED, libc::CLD_CONTINUED];
    delivery.signal == Signal::CHLD
        && delivery.cause.info.is_some_and(|info| stops_or_goes_on.contains(&info.code))
        && layer.program_hears_ends_only()
        && !wait::has_any_ended()
}

/// A fault of this program's own ends it, as it would without us, if it has no handler for it. Returns whether it is a
/// fault; where nothing says so, the default action, to die, is right for both.
fn fault(delivery: &Delivery, caught: bool, in_place: Option<&KernelAction>) -> bool {
    let signal = delivery.signal;
    if delivery.cause.info.is_none() || delivery.cause.is_kernel() {
        if !caught {
            die(signal);
        }
        return true;
    }
    if let Some(in_place) = in_place {
        undo_reset(signal, in_place, |signal, action| action.put(signal), |action| action.handler);
    }
    false
}

/// The executors that listen are told. Returns whether there are any.
fn tell(delivery: &Delivery) -> bool {
    BY_HANDLER.tell(delivery.signal, &delivery.cause)
}

/// If the terminal has sent one of its stop signals, and the program has no handler for it, the program stops. Otherwise a
/// program that uses the terminal from the background would do so again and again.
///
/// With job control, an executor stops the program itself for SIGTSTP.
fn stop_as_by_default(layer: Layer, delivery: &Delivery, told: bool) {
    let signal = delivery.signal;
    if told
        && delivery.cause.is_kernel()
        && matches!(signal, Signal::TSTP | Signal::TTIN | Signal::TTOU)
        && layer.is_over_default(signal)
        && !(signal == Signal::TSTP && is_job_control_under_way())
    {
        delivery.note_stop();
        stop();
    }
}

/// No executor listens: this is a fork, or the executor has just gone. What the signal would have done without a handler
/// happens, unless a handler of the program has called us: then it has dealt with the signal.
fn take_default(layer: Layer, signal: Signal) {
    let is_ours_or_none = |now: &KernelAction| layer_at(now.handler).is_some() || now.handler == libc::SIG_DFL;
    if !layer.is_over_default(signal) || !KernelAction::in_place(signal).is_some_and(|now| is_ours_or_none(&now)) {
        return;
    }
    match signal {
        Signal::CHLD | Signal::CONT | Signal::URG | Signal::WINCH => {}
        Signal::TSTP | Signal::TTIN | Signal::TTOU => stop(),
        signal => die(signal),
    }
}
