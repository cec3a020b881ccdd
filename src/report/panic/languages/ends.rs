//! The ends that several languages have.

use super::super::language::Ends;
use crate::model::signal::Signal;

/// These exit codes.
pub(super) const fn codes(codes: &'static [u8]) -> Ends {
    Ends { codes, signals: &[] }
}

/// These exit codes and signals.
pub(super) const fn ends(codes: &'static [u8], signals: &'static [Signal]) -> Ends {
    Ends { codes, signals }
}

/// abort(3).
pub(super) const ABORT: Ends = ends(&[], &[Signal::ABRT]);
/// abort(3), or an instruction that traps.
pub(super) const ABORT_OR_TRAP: Ends = ends(&[], &[Signal::ABRT, Signal::TRAP, Signal::ILL]);
/// What the kernel sends to a program with a fault, and abort(3).
pub(super) const FAULTS: &[Signal] = &[Signal::ABRT, Signal::SEGV, Signal::BUS, Signal::ILL, Signal::FPE, Signal::TRAP];
