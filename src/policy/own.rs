//! Which signals are of this process's own making, and so none of the child's.

use crate::model::origin::{Origin, Received};
use crate::model::pid::Pid;
use crate::model::signal::Signal;

/// This process, as far as it can signal itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own {
    pub(crate) pid: Pid,
    /// It is a wrapper and nothing else, not a host program: what would have happened to the child in its place is the
    /// child's, as the timers (setitimer(2)) are that it has inherited.
    pub(crate) is_wrapper: bool,
}

impl Own {
    /// Whether this process itself is the reason for the signal: it wrote to a closed pipe, or beyond its limits, or used
    /// too much processor time, or it belongs to a program that has set a timer. The kernel tells the child of what the
    /// child does.
    pub(crate) fn made(self, received: Received) -> bool {
        let Received { signal, origin, .. } = received;
        match signal {
            // CONT: it was sent to the others of this process's group.
            Signal::PIPE | Signal::XFSZ | Signal::CONT => origin.sender() == Some(self.pid),
            Signal::XCPU => origin == Origin::Kernel,
            Signal::ALRM | Signal::VTALRM | Signal::PROF if origin == Origin::Kernel => !self.is_wrapper,
            _ => origin.is_from_timer() && !self.is_wrapper,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_process_did_to_itself_is_its_own() {
        let by = |pid| Origin::Process { pid: Pid::new(pid), uid: 0 };
        let timer = Origin::Other { code: libc::SI_TIMER, pid: Pid::new(0), uid: 0, value: 0 };
        let queue = Origin::Other { code: libc::SI_MESGQ, pid: Pid::new(0), uid: 0, value: 0 };
        // Whether it is its own, in a program that is a wrapper only, and in another one.
        for (signal, origin, wrapper, program) in [
            (Signal::PIPE, by(1), true, true),
            (Signal::PIPE, by(2), false, false),
            (Signal::XFSZ, by(1), true, true),
            (Signal::XFSZ, Origin::Kernel, false, false),
            (Signal::CONT, by(1), true, true),
            (Signal::CONT, by(2), false, false),
            (Signal::USR1, by(1), false, false),
            (Signal::XCPU, Origin::Kernel, true, true),
            (Signal::XCPU, by(2), false, false),
            (Signal::ALRM, Origin::Kernel, false, true),
            (Signal::VTALRM, Origin::Kernel, false, true),
            (Signal::PROF, Origin::Kernel, false, true),
            (Signal::ALRM, by(2), false, false),
            (Signal::USR1, timer, false, true),
            (Signal::ALRM, timer, false, true),
            (Signal::USR1, queue, false, false),
        ] {
            let made = |is_wrapper| Own { pid: Pid::new(1), is_wrapper }.made(Received::of(signal, origin));
            assert_eq!((made(true), made(false)), (wrapper, program), "{signal} {origin:?}");
        }
    }
}
