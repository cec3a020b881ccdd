//! What a siginfo_t says of where a signal came from: sigaction(2).

use crate::model::signal::Signal;

/// The first and the last code of SIGIO, and of the signals that F_SETSIG sends in its place; crate libc has no names for
/// these.
const POLL_IN: i32 = 1;
const POLL_HUP: i32 = 6;
/// glibc's code for a finished getaddrinfo_a(3); crate libc has no name for it.
const SI_ASYNCNL: i32 = -60;

/// Why a signal came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cause {
    /// `None`: a handler above ours passed on the number only.
    pub(super) info: Option<Info>,
}

/// The fields of a siginfo_t. Pid, uid and value are at the same place for every code that has them; for other codes
/// they are meaningless numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Info {
    pub(super) code: i32,
    pub(super) pid: i32,
    pub(super) uid: u32,
    pub(super) value: usize,
}

impl Info {
    /// For a signal of unknown origin: as if kill(2) had sent it, from outside of this PID namespace.
    pub(super) const UNKNOWN: Info = Info { code: libc::SI_USER, pid: 0, uid: 0, value: 0 };
}

impl Cause {
    pub(super) const UNKNOWN: Cause = Cause { info: None };

    pub(super) fn of(info: &libc::siginfo_t) -> Cause {
        // SAFETY: reads numbers, which lie within the siginfo_t.
        let (pid, uid, value) = unsafe { (info.si_pid(), info.si_uid(), info.si_value().sival_ptr as usize) };
        Cause { info: Some(Info { code: info.si_code, pid, uid, value }) }
    }

    /// Whether the kernel raised the signal, as it does for faults and for the terminal.
    pub(super) fn is_kernel(&self) -> bool {
        self.info.is_some_and(|info| info.code > 0)
    }

    /// Whether the signal tells the program of something that it asked for itself, such as input on a socket with
    /// O_ASYNC (fcntl(2)), or raised itself: it isn't for the child.
    ///
    /// A process's timers and limits, and SIGPIPE, have other codes; policy judges those.
    pub(super) fn is_of_this_program(&self, signal: Signal) -> bool {
        // Several SIGCHLDs may have come as one: it is always looked at.
        if signal == Signal::CHLD {
            return false;
        }
        let Some(Info { code, .. }) = self.info else { return is_mostly_of_this_program(signal) };
        match code {
            libc::SI_SIGIO | libc::SI_ASYNCIO | libc::SI_MESGQ | SI_ASYNCNL => true,
            // For these signals, the codes of F_SETSIG are codes of faults; the kernel sends SI_SIGIO instead.
            POLL_IN..=POLL_HUP => !is_raised_by_faults(signal),
            // Without F_SETSIG, SIGIO has SI_KERNEL.
            code => code > 0 && matches!(signal, Signal::IO | Signal::URG),
        }
    }
}

/// Whether a fault raises this signal, of those that can be listened to. A handler that returns repeats the fault.
pub(super) fn is_raised_by_faults(signal: Signal) -> bool {
    matches!(signal, Signal::BUS | Signal::TRAP | Signal::SYS)
}

/// Without a siginfo_t: whether the usual reason for this signal is something that the program did.
fn is_mostly_of_this_program(signal: Signal) -> bool {
    let timers = matches!(signal, Signal::ALRM | Signal::VTALRM | Signal::PROF);
    timers || matches!(signal, Signal::IO | Signal::URG | Signal::PIPE | Signal::XFSZ | Signal::XCPU)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_of_this_program(signal: Signal, code: i32) -> bool {
        Cause { info: Some(Info { code, ..Info::UNKNOWN }) }.is_of_this_program(signal)
    }

    #[test]
    fn what_the_program_asked_for_is_its_own() {
        for code in POLL_IN..=POLL_HUP {
            assert!(is_of_this_program(Signal::IO, code) && is_of_this_program(Signal::USR1, code), "{code}");
            assert!(!is_of_this_program(Signal::TRAP, code) && !is_of_this_program(Signal::CHLD, code), "{code}");
        }
        for code in [libc::SI_SIGIO, libc::SI_ASYNCIO, libc::SI_MESGQ, SI_ASYNCNL] {
            assert!(is_of_this_program(Signal::USR1, code) && is_of_this_program(Signal::BUS, code), "{code}");
        }
        assert!(is_of_this_program(Signal::IO, libc::SI_KERNEL) && is_of_this_program(Signal::URG, libc::SI_KERNEL));
    }

    #[test]
    fn what_was_sent_is_not() {
        for code in [libc::SI_USER, libc::SI_TKILL, libc::SI_QUEUE, libc::SI_TIMER] {
            assert!(Signal::all().all(|signal| !is_of_this_program(signal, code)), "{code}");
        }
        for signal in [Signal::INT, Signal::HUP, Signal::WINCH, Signal::TSTP] {
            assert!(!is_of_this_program(signal, libc::SI_KERNEL), "{signal}");
        }
    }

    #[test]
    fn without_a_siginfo_the_usual_reason_counts() {
        assert!(Cause::UNKNOWN.is_of_this_program(Signal::IO) && Cause::UNKNOWN.is_of_this_program(Signal::ALRM));
        assert!(!Cause::UNKNOWN.is_of_this_program(Signal::TERM) && !Cause::UNKNOWN.is_of_this_program(Signal::USR1));
    }
}
