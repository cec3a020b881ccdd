//! What the program ignores, which its children must ignore too.

#[cfg(feature = "signal-hook")]
use super::registry;
use super::table::{Table, table};
use crate::model::signal::{Signal, SignalSet};
use std::sync::MutexGuard;

/// Signals that the program ignores though handlers for executors are in place. While this is held, no executor comes or
/// goes: what is true when it is made is true when the child is cloned.
pub(crate) struct Ignored {
    pub(crate) signals: SignalSet,
    _table: MutexGuard<'static, Table>,
}

/// See [`Ignored`].
pub(crate) fn ignored_by_program() -> Ignored {
    let table = table();
    let signals = Signal::all().filter(|signal| is_ignored(&table, *signal)).collect();
    Ignored { signals, _table: table }
}

fn is_ignored(table: &Table, signal: Signal) -> bool {
    #[cfg(feature = "signal-hook")]
    if registry::hides_ignored(table, signal) {
        return true;
    }
    table.hides_ignored(signal)
}
