//! Where an executor's signals come from.

/// Who puts the handlers in place by which an [`Executor`](crate::Executor) gets its signals.
///
/// Values, order and the 40,000 places of the queue are the same with both.
///
/// | | `Own` | `SignalHook` |
/// |---|---|---|
/// | For | programs of any kind | programs whose other users of signals share signal-hook's registry (tokio does) |
/// | The program's own handlers | called first | called first |
/// | A handler put in place later that doesn't call the one it found | the executor gets no such signal until another executor starts | no such signal, and the other users of the registry don't get one either |
/// | When the last executor is dropped | each signal has the disposition it had before, unless the program has set another | signal-hook's handler stays: TERM no longer ends the program, Ctrl-Z no longer stops it; an ignored CHLD isn't ignored any more, and ended children stay until they are waited for |
/// | Forks of the program that don't exec | a signal does what it did without executors | a signal that had its default action does nothing |
/// | ILL, FPE, SEGV | can't be listened to | can't be listened to |
/// | BUS, TRAP, SYS by a fault of the program | as without executors | as without executors, if the executor was the first in the registry or the program has a handler |
/// | What the child ignores (`nohup`) | what the program ignored | the same, where the executor was the first in the registry for that signal |
/// | Stack of the handler | an alternate one (`SA_ONSTACK`), unless the program has a handler without it | the current one: not for threads of Go, or others with small stacks |
/// | Cost for all 60 signals | 60 times sigaction(2) | the registry copies its table for each |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignalSource {
    /// A handler of panicmon's own, which calls the one it finds, and gives each disposition back.
    #[default]
    Own,
    /// An action in signal-hook's registry, beside those of the program.
    #[cfg(feature = "signal-hook")]
    SignalHook,
}
