//! Who uses which signal, for the whole program: when our handler is put in place, and when the program's comes back.
//!
//! Other threads register handlers of their own at any time, and no call asks *and* sets: what is in place when we look
//! is a guess, and only what sigaction(2) returns when it sets is the truth. So what was replaced is judged after each
//! step. While it is put right, a signal may find what was in place a moment before; no registration is lost.

use crate::model::signal::{Signal, SignalSet};
use crate::sys::signals::layer::{LAYERS, Layer, action, flags_for, is_handler, same, swap};
use crate::sys::wait;
use crate::sys::wait::{Next, Which};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What the program ignores though its dispositions don't say so now, while this is held: signals that executors have
/// claimed. With the lock no other executor comes or goes between the look and the clone.
pub(crate) struct Ignored {
    pub(crate) signals: SignalSet,
    _table: MutexGuard<'static, Table>,
}

/// See [`Ignored`].
pub(crate) fn ignored_by_program() -> Ignored {
    let table = table();
    let signals = Signal::all().filter(|signal| table.slots[index(*signal)].ignored_by_program()).collect();
    Ignored { signals, _table: table }
}

/// The claims of all executors.
pub(crate) struct Table {
    /// By the signal's number. Made when it is first needed: a program without executors has no memory for it.
    slots: Vec<Slot>,
}

static TABLE: Mutex<Table> = Mutex::new(Table { slots: Vec::new() });

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

/// What for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// To be told.
    Listen,
    /// SIGCHLD: to have it not ignored, when the kernel would reap all children by itself.
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

    /// Gives the signal back to the program once nobody uses it.
    pub(super) fn release(&mut self, signal: Signal) {
        let slot = &mut self.slots[index(signal)];
        slot.users -= 1;
        if slot.users == 0 {
            slot.give_back(signal);
        }
    }
}

/// A signal.
struct Slot {
    users: usize,
    /// What each layer lies over.
    beneath: Vec<libc::sigaction>,
    /// These layers, the one that was used last at the end. When there are no more, the first is used for something else.
    by_use: Vec<Layer>,
    /// What was put in place of the program's action, if anything was.
    placed: Option<Layer>,
    kept: Option<Kept>,
}

/// An action of the program, and the same but that the kernel doesn't reap children, which was put in its place.
#[derive(Clone, Copy)]
struct Kept {
    program: libc::sigaction,
    kept: libc::sigaction,
}

impl Slot {
    const NEW: Slot = Slot { users: 0, beneath: Vec::new(), by_use: Vec::new(), placed: None, kept: None };

    fn ignored_by_program(&self) -> bool {
        let beneath = self.placed.and_then(|layer| self.beneath.get(layer.number()));
        let program = beneath.or(self.kept.as_ref().map(|kept| &kept.program));
        self.users > 0 && program.is_some_and(|action| action.sa_sigaction == libc::SIG_IGN)
    }

    /// The program's action, where this was found.
    fn program(&self, found: libc::sigaction) -> libc::sigaction {
        let beneath = match Layer::of(&found) {
            Some(layer) => self.beneath.get(layer.number()).copied(),
            None => self.kept.filter(|kept| same(&kept.kept, &found)).map(|kept| kept.program),
        };
        beneath.unwrap_or(found)
    }

    /// The layer that lies over this, or is made to. Not this one, which is in place.
    fn layer_over(&mut self, signal: Signal, program: &libc::sigaction, not: Option<Layer>) -> Layer {
        let lies_over = |layer: &Layer| self.beneath.get(layer.number()).is_some_and(|action| same(action, program));
        let known = self.by_use.iter().position(|layer| Some(*layer) != not && lies_over(layer));
        let layer = match known {
            Some(at) => self.by_use.remove(at),
            None if self.by_use.len() < LAYERS => {
                self.beneath.push(*program);
                Layer::new(self.beneath.len() - 1)
            }
            // The one used last is the one in place.
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
        if let Some(layer) = Layer::of(&now) {
            // Of another executor, or put back by somebody who had saved it.
            self.placed = Some(layer);
            return Ok(());
        }
        // Were it heard, the kernel would no longer let the program use its terminal from the background.
        let is_left = |program: &libc::sigaction| {
            matches!(signal, Signal::TTIN | Signal::TTOU) && program.sa_sigaction == libc::SIG_IGN
        };
        let mut program = self.program(now);
        let mut in_place = None;
        loop {
            if is_left(&program) {
                if in_place.is_some() {
                    self.give_back(signal);
                }
                return Ok(());
            }
            let layer = self.layer_over(signal, &program, in_place);
            let before = self.program(swap(signal, &layer.action(&program))?);
            self.placed = Some(layer);
            if same(&before, &program) {
                return Ok(());
            }
            // Another thread has put something else there since we looked: that is what the layer lies over.
            self.put_over(signal, layer, &before);
            if flags_for(&before) == flags_for(&program) && !is_left(&before) {
                return Ok(());
            }
            // Once more, with its flags. In another layer: somebody may have registered over this one by now.
            (program, in_place) = (before, Some(layer));
        }
    }

    /// Has the kernel keep children that have ended until they are waited for.
    fn keep(&mut self, signal: Signal) -> io::Result<()> {
        loop {
            let now = action(signal)?;
            if let Some(layer) = Layer::of(&now) {
                self.placed = Some(layer);
            }
            if Layer::of(&now).is_some() || !reaped_by_kernel(&now) {
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

    /// Puts back what the program had, where what was placed is there still.
    fn give_back(&mut self, signal: Signal) {
        let Ok(now) = action(signal) else { return };
        let program = self.program(now);
        (self.placed, self.kept) = (None, None);
        // Where the program has put something else there meanwhile, that stays.
        if same(&program, &now) {
            return;
        }
        let in_place = self.put_back(signal, program, now);
        if signal == Signal::CHLD && reaped_by_kernel(&in_place) {
            // What ended meanwhile the kernel would have reaped, and nobody else does.
            while matches!(wait::next(Which::Any), Ok(next) if !matches!(next, Next::Running | Next::NoChild)) {}
        }
    }

    /// Puts this in place of what is expected there, and returns what is there in the end: if another thread has put
    /// something else there since we looked, that is newer and stays.
    fn put_back(&mut self, signal: Signal, program: libc::sigaction, expected: libc::sigaction) -> libc::sigaction {
        let layer = Layer::of(&expected);
        let (mut put, mut expected) = (program, expected);
        let mut is_newer = false;
        while let Ok(before) = swap(signal, &put)
            && !same(&before, &expected)
        {
            let newer = if self.users == 0 { self.program(before) } else { before };
            if same(&newer, &put) {
                break;
            }
            // A third one, registered in the moment in which the second wasn't there. The second was registered over our
            // layer and calls that: there the third is called.
            if let (Some(layer), true, true, true) = (layer, is_newer, is_handler(&put), is_handler(&before))
                && Layer::of(&before).is_none()
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

/// Whether the kernel reaps children by itself: sigaction(2).
fn reaped_by_kernel(chld: &libc::sigaction) -> bool {
    chld.sa_sigaction == libc::SIG_IGN || chld.sa_flags & libc::SA_NOCLDWAIT != 0
}
