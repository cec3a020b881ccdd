//! Which signals our handler is in place for, in the whole program, and what the program had there.
//!
//! Other threads may register handlers of their own at any time, and no call reads what is in place and sets another on a
//! condition. So what we read is a guess, and only what sigaction(2) returns when it sets is certain: after each step,
//! what was replaced is judged. Until that is put right, a signal may find what was in place a moment before; no
//! registration is lost.

use super::action::{action, is_handler, same, swap};
use super::handler::{action_over, flags_over, layer_of};
use super::layer::{LAYERS, Layer};
use crate::model::signal::Signal;
use crate::sys::wait;
use crate::sys::wait::{Next, Which};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The claims of all executors.
pub(super) struct Table {
    /// By the signal's number. Empty, and without memory, until there is an executor.
    slots: Vec<Slot>,
}

static TABLE: Mutex<Table> = Mutex::new(Table { slots: Vec::new() });

/// While it is held, no executor comes or goes.
pub(super) fn table() -> MutexGuard<'static, Table> {
    let mut table = TABLE.lock().unwrap_or_else(PoisonError::into_inner);
    if table.slots.is_empty() {
        table.slots.resize_with(65, || Slot::NEW);
    }
    table
}

fn index(signal: Signal) -> usize {
    signal.number() as usize
}

/// What an executor needs a signal for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// To be told of it.
    Listen,
    /// SIGCHLD: that it isn't ignored, since then the kernel would reap all children by itself.
    Keep,
}

impl Table {
    pub(super) fn claim(&mut self, signal: Signal, claim: Claim) -> io::Result<()> {
        let slot = &mut self.slots[index(signal)];
        match claim {
            Claim::Listen => slot.listen(signal)?,
            Claim::Keep => slot.keep(signal)?,
        }
        slot.users += 1;
        Ok(())
    }

    /// Gives the signal back to the program when no executor uses it any more.
    pub(super) fn release(&mut self, signal: Signal) {
        let slot = &mut self.slots[index(signal)];
        slot.users -= 1;
        if slot.users == 0 {
            slot.give_back(signal);
        }
    }

    /// Whether the program ignores the signal, though this is hidden by what we have put in place.
    pub(super) fn hides_ignored(&self, signal: Signal) -> bool {
        self.slots[index(signal)].hides_ignored()
    }

    /// The program's action, where this is in place.
    #[cfg(feature = "signal-hook")]
    pub(super) fn program(&self, signal: Signal, in_place: libc::sigaction) -> libc::sigaction {
        self.slots[index(signal)].program(signal, in_place)
    }
}

/// A signal.
struct Slot {
    /// How many executors use it.
    users: usize,
    /// What each layer lies over.
    beneath: Vec<libc::sigaction>,
    /// These layers, the one used last at the end. When all [`LAYERS`] are used, the first gets something else beneath.
    by_use: Vec<Layer>,
    /// The layer that was put in place of the program's action, if one was.
    placed: Option<Layer>,
    kept: Option<Kept>,
}

/// An action of the program by which the kernel reaps children, and the same without that, which was put in its place.
#[derive(Clone, Copy)]
struct Kept {
    program: libc::sigaction,
    kept: libc::sigaction,
}

impl Slot {
    const NEW: Slot = Slot { users: 0, beneath: Vec::new(), by_use: Vec::new(), placed: None, kept: None };

    fn hides_ignored(&self) -> bool {
        let beneath = self.placed.and_then(|layer| self.beneath.get(layer.number()));
        let program = beneath.or(self.kept.as_ref().map(|kept| &kept.program));
        self.users > 0 && program.is_some_and(|action| action.sa_sigaction == libc::SIG_IGN)
    }

    /// The program's action, where this is in place.
    fn program(&self, signal: Signal, found: libc::sigaction) -> libc::sigaction {
        let beneath = match layer_of(&found) {
            Some(layer) => self.beneath.get(layer.number()).map(|program| layer.by_now(signal, *program)),
            None => self.kept.filter(|kept| same(&kept.kept, &found)).map(|kept| kept.program),
        };
        beneath.unwrap_or(found)
    }

    /// A layer that lies over this action, or is put over it now. Another one than `not`, which is in place.
    fn layer_over(&mut self, signal: Signal, program: &libc::sigaction, not: Option<Layer>) -> Layer {
        let lies_over = |layer: &Layer| {
            let beneath = self.beneath.get(layer.number());
            beneath.is_some_and(|action| same(&layer.by_now(signal, *action), program))
        };
        let known = self.by_use.iter().position(|layer| Some(*layer) != not && lies_over(layer));
        let layer = match known {
            Some(at) => self.by_use.remove(at),
            None if self.by_use.len() < LAYERS => {
                self.beneath.push(*program);
                Layer::new(self.beneath.len() - 1)
            }
            // Not the one in place: that is the one used last.
            None => self.by_use.remove(0),
        };
        self.by_use.push(layer);
        if known.is_none() {
            self.put_over(signal, layer, program);
        }
        layer
    }

    fn put_over(&mut self, signal: Signal, layer: Layer, program: &libc::sigaction) {
        self.beneath[layer.number()] = *program;
        layer.put_over(signal, program);
    }

    /// Puts our handler in place, if it isn't.
    fn listen(&mut self, signal: Signal) -> io::Result<()> {
        let now = action(signal)?;
        if let Some(layer) = layer_of(&now) {
            // Another executor's, or one that the program had saved and has put back.
            self.placed = Some(layer);
            return Ok(());
        }
        let mut program = self.program(signal, now);
        let mut in_place = None;
        loop {
            if must_stay_ignored(signal, &program) {
                if in_place.is_some() {
                    self.give_back(signal);
                }
                return Ok(());
            }
            let layer = self.layer_over(signal, &program, in_place);
            let before = self.program(signal, swap(signal, &action_over(layer, signal, &program))?);
            self.placed = Some(layer);
            if same(&before, &program) {
                return Ok(());
            }
            // Another thread has put something else there since we looked: that is what the layer lies over.
            self.put_over(signal, layer, &before);
            if flags_over(&before) == flags_over(&program) && !must_stay_ignored(signal, &before) {
                return Ok(());
            }
            // Once more, with its flags; and with another layer, since by now a handler may lie over this one.
            (program, in_place) = (before, Some(layer));
        }
    }

    /// Makes the kernel keep children that have ended until they are waited for.
    fn keep(&mut self, signal: Signal) -> io::Result<()> {
        loop {
            let now = action(signal)?;
            if let Some(layer) = layer_of(&now) {
                self.placed = Some(layer);
            }
            if layer_of(&now).is_some() || !reaped_by_kernel(&now) {
                return Ok(());
            }
            let mut kept = now;
            kept.sa_flags &= !libc::SA_NOCLDWAIT;
            if kept.sa_sigaction == libc::SIG_IGN {
                kept.sa_sigaction = libc::SIG_DFL;
            }
            let before = swap(signal, &kept)?;
            if same(&before, &now) {
                self.kept = Some(Kept { program: now, kept });
                return Ok(());
            }
            // Another thread has put something else there since we looked.
            self.put_back(signal, before, kept);
        }
    }

    /// Puts back what the program had, if what we have put in its place is still there.
    fn give_back(&mut self, signal: Signal) {
        let Ok(now) = action(signal) else { return };
        let program = self.program(signal, now);
        (self.placed, self.kept) = (None, None);
        // The program has put something else there meanwhile: that stays.
        if same(&program, &now) {
            return;
        }
        let in_place = self.put_back(signal, program, now);
        if signal == Signal::CHLD && reaped_by_kernel(&in_place) {
            // Children that have ended meanwhile would have been reaped by the kernel; the program doesn't do it.
            while matches!(wait::next(Which::Any), Ok(next) if !matches!(next, Next::Running | Next::NoChild)) {}
        }
    }

    /// Puts this in place of what is expected there, and returns what is in place in the end. What another thread has put
    /// there since we looked is newer, and stays.
    fn put_back(&mut self, signal: Signal, program: libc::sigaction, expected: libc::sigaction) -> libc::sigaction {
        let layer = layer_of(&expected);
        let (mut put, mut expected) = (program, expected);
        let mut is_newer = false;
        while let Ok(before) = swap(signal, &put)
            && !same(&before, &expected)
        {
            let newer = if self.users == 0 { self.program(signal, before) } else { before };
            if same(&newer, &put) {
                break;
            }
            // A third handler, registered at the moment in which the second wasn't there. The second was registered over
            // our layer and calls that, so the third is put beneath that layer.
            if let (Some(layer), true, true, true) = (layer, is_newer, is_handler(&put), is_handler(&before))
                && layer_of(&before).is_none()
            {
                self.put_over(signal, layer, &before);
                break;
            }
            (expected, put) = (put, newer);
            is_newer = true;
        }
        put
    }
}

/// Whether the signal isn't listened to because the program ignores it: the kernel lets a program that ignores TTIN and
/// TTOU use its terminal from the background, and one that has handlers for them not.
pub(super) fn must_stay_ignored(signal: Signal, program: &libc::sigaction) -> bool {
    matches!(signal, Signal::TTIN | Signal::TTOU) && program.sa_sigaction == libc::SIG_IGN
}

/// Whether the kernel reaps children by itself: sigaction(2).
fn reaped_by_kernel(chld: &libc::sigaction) -> bool {
    chld.sa_sigaction == libc::SIG_IGN || chld.sa_flags & libc::SA_NOCLDWAIT != 0
}
