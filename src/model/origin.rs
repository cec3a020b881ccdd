//! A signal that came, and where it came from.

use crate::model::pid::Pid;
use crate::model::signal::Signal;

/// Where a signal came from, as its `siginfo_t` tells (sigaction(2), `si_code`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The kernel: the terminal, a timer, a limit.
    Kernel,
    /// A process, by kill(2). The pid is 0 if it lives outside this PID namespace.
    Process {
        /// The sender.
        pid: Pid,
        /// Its real user.
        uid: u32,
    },
    /// A process, to one thread, by tgkill(2), as raise(3) and pthread_kill(3) do.
    Thread {
        /// The sender.
        pid: Pid,
        /// Its real user.
        uid: u32,
    },
    /// A process, by sigqueue(3), with a value.
    Queue {
        /// The sender.
        pid: Pid,
        /// Its real user.
        uid: u32,
        /// The value, as wide as a pointer.
        value: usize,
    },
    /// Something else, such as a timer or a message queue (sigaction(2)).
    Other {
        /// The `si_code`.
        code: i32,
        /// What stands in the place of the sender.
        pid: Pid,
        /// What stands in the place of its user.
        uid: u32,
        /// The value, as wide as a pointer.
        value: usize,
    },
}

impl Origin {
    /// The process that sent it, if a process did.
    pub const fn sender(self) -> Option<Pid> {
        match self {
            Origin::Process { pid, .. } | Origin::Thread { pid, .. } | Origin::Queue { pid, .. } => Some(pid),
            Origin::Kernel | Origin::Other { .. } => None,
        }
    }

    /// The same with the user that process runs as.
    #[cfg(feature = "serde")]
    pub(crate) const fn sender_and_user(self) -> Option<(Pid, u32)> {
        match self {
            Origin::Process { pid, uid } | Origin::Thread { pid, uid } | Origin::Queue { pid, uid, .. } => {
                Some((pid, uid))
            }
            Origin::Kernel | Origin::Other { .. } => None,
        }
    }

    /// Whether a timer of this program sent it (timer_create(2)).
    pub(crate) const fn is_from_timer(self) -> bool {
        matches!(self, Origin::Other { code: libc::SI_TIMER, .. })
    }
}

/// A signal that came, with what its `siginfo_t` says of where it came from; or one that is sent instead of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) signal: Signal,
    pub(crate) origin: Origin,
    /// The signal that came, whatever is sent instead.
    pub(crate) came: Signal,
}

impl Received {
    pub(crate) const fn of(signal: Signal, origin: Origin) -> Received {
        Received { signal, origin, came: signal }
    }

    /// From the fields of a `siginfo_t` or a `signalfd_siginfo`, where pid, uid and value count for codes that have
    /// them only.
    pub(crate) fn new(number: i32, code: i32, pid: i32, uid: u32, value: usize) -> Option<Received> {
        let pid = Pid::new(pid);
        let origin = match code {
            libc::SI_USER => Origin::Process { pid, uid },
            libc::SI_TKILL => Origin::Thread { pid, uid },
            libc::SI_QUEUE => Origin::Queue { pid, uid, value },
            code if code > 0 => Origin::Kernel,
            code => Origin::Other { code, pid, uid, value },
        };
        Signal::new(number).map(|signal| Received::of(signal, origin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_is_told_by_the_code() {
        let origin = |code| Received::new(15, code, 7, 8, 9).map(|received| received.origin);
        let pid = Pid::new(7);
        assert_eq!(origin(libc::SI_USER), Some(Origin::Process { pid, uid: 8 }));
        assert_eq!(origin(libc::SI_TKILL), Some(Origin::Thread { pid, uid: 8 }));
        assert_eq!(origin(libc::SI_QUEUE), Some(Origin::Queue { pid, uid: 8, value: 9 }));
        assert_eq!(origin(libc::SI_KERNEL), Some(Origin::Kernel));
        assert_eq!(origin(1), Some(Origin::Kernel));
        assert_eq!(origin(libc::SI_TIMER), Some(Origin::Other { code: libc::SI_TIMER, pid, uid: 8, value: 9 }));
        assert_eq!(Received::new(0, 0, 0, 0, 0), None);
    }
}
