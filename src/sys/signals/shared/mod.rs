//! The signals of a program that has other users for them, too.
//!
//! Each executor has a queue, into which a handler writes one record for each signal. So every executor gets every
//! signal, and real-time signals keep number, order, value and sender.
//!
//! | file | what it does |
//! |---|---|
//! | `listen` | an executor's signals: starts to listen, reads the queue, stops |
//! | `ignored` | what the program ignores, which its children must ignore too |
//! | `table` | which signals our handler is in place for, and what the program had there |
//! | `registry` | the same by signal-hook's registry (feature `signal-hook`) |
//! | `handler` | our signal handler |
//! | `layer` | what each of our handlers lies over |
//! | `delivery` | one signal on its way through the handlers of the program |
//! | `listeners` | the queues, as handlers see them |
//! | `cause` | what a siginfo_t says of where a signal came from |
//! | `fork` | tells this process from its forks |
//! | `action` | sigaction(2) |

mod action;
mod cause;
mod delivery;
mod fork;
mod handler;
pub(crate) mod ignored;
mod layer;
pub(crate) mod listen;
mod listeners;
#[cfg(feature = "signal-hook")]
mod registry;
mod table;
