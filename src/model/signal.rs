//! Signals as the kernel counts them: 1 to 64, real-time ones included.

use std::fmt;
use std::str::FromStr;

/// A signal number from 1 to 64.
///
/// Unlike most types of its kind it holds real-time signals too, and 32 and 33, which C libraries keep for
/// themselves. Names follow signal(7); `RTMIN` is 34, as `kill -l` of every shell counts, whichever C library
/// panicmon was built with (musl's own `SIGRTMIN` is 35).
///
/// ```
/// use panicmon::Signal;
///
/// let signal: Signal = "RTMIN+3".parse()?;
/// assert_eq!(signal.number(), 37);
/// assert_eq!(signal.to_string(), "SIGRTMIN+3");
/// assert_eq!("15".parse::<Signal>()?, Signal::TERM);
/// # Ok::<(), panicmon::ParseSignalError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(u8);

/// The kernel's `_NSIG`: the highest signal number.
const HIGHEST: u8 = 64;
/// The first real-time signal of the kernel.
const KERNEL_RTMIN: u8 = 32;
/// The first real-time signal that programs may use.
const RTMIN: u8 = 34;

macro_rules! standard {
    ($($name:ident = $number:ident),* $(,)?) => {
        impl Signal {
            $(
                #[doc = concat!("`SIG", stringify!($name), "`")]
                pub const $name: Signal = Signal(libc::$number as u8);
            )*
        }
        const STANDARD: &[(&str, Signal)] = &[$((stringify!($name), Signal::$name)),*];
    };
}

standard! {
    HUP = SIGHUP, INT = SIGINT, QUIT = SIGQUIT, ILL = SIGILL, TRAP = SIGTRAP, ABRT = SIGABRT, BUS = SIGBUS,
    FPE = SIGFPE, KILL = SIGKILL, USR1 = SIGUSR1, SEGV = SIGSEGV, USR2 = SIGUSR2, PIPE = SIGPIPE, ALRM = SIGALRM,
    TERM = SIGTERM, STKFLT = SIGSTKFLT, CHLD = SIGCHLD, CONT = SIGCONT, STOP = SIGSTOP, TSTP = SIGTSTP,
    TTIN = SIGTTIN, TTOU = SIGTTOU, URG = SIGURG, XCPU = SIGXCPU, XFSZ = SIGXFSZ, VTALRM = SIGVTALRM,
    PROF = SIGPROF, WINCH = SIGWINCH, IO = SIGIO, PWR = SIGPWR, SYS = SIGSYS,
}

/// Other names of the same signals, understood but not printed.
const ALIASES: &[(&str, Signal)] = &[("IOT", Signal::ABRT), ("POLL", Signal::IO), ("CLD", Signal::CHLD)];

impl Signal {
    /// The signal with this number, if it is one: 1 to 64.
    pub const fn new(number: i32) -> Option<Signal> {
        if number >= 1 && number <= HIGHEST as i32 { Some(Signal(number as u8)) } else { None }
    }

    /// Its number.
    pub const fn number(self) -> i32 {
        self.0 as i32
    }

    /// Whether it is a real-time signal: queued, in order, with a value (signal(7)).
    pub const fn is_realtime(self) -> bool {
        self.0 >= KERNEL_RTMIN
    }

    /// Whether its default action is to stop a process (signal(7)).
    pub(crate) const fn stops_by_default(self) -> bool {
        matches!(self, Signal::STOP | Signal::TSTP | Signal::TTIN | Signal::TTOU)
    }

    /// Whether its default action is to end a process with a core (signal(7)).
    #[cfg(feature = "reports")]
    pub(crate) const fn dumps_core(self) -> bool {
        matches!(
            self,
            Signal::QUIT
                | Signal::ILL
                | Signal::TRAP
                | Signal::ABRT
                | Signal::BUS
                | Signal::FPE
                | Signal::SEGV
                | Signal::XCPU
                | Signal::XFSZ
                | Signal::SYS
        )
    }

    /// Whether its default action is to end a process, with a core or without one (signal(7)).
    pub(crate) const fn ends_by_default(self) -> bool {
        !self.stops_by_default() && !matches!(self, Signal::CHLD | Signal::CONT | Signal::URG | Signal::WINCH)
    }

    /// All 64, in order.
    pub fn all() -> impl Iterator<Item = Signal> {
        (1..=HIGHEST).map(Signal)
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((name, _)) = STANDARD.iter().find(|(_, signal)| signal == self) {
            return write!(f, "SIG{name}");
        }
        match self.0 {
            RTMIN => f.write_str("SIGRTMIN"),
            HIGHEST => f.write_str("SIGRTMAX"),
            number if number > RTMIN => write!(f, "SIGRTMIN+{}", number - RTMIN),
            number => write!(f, "SIG{number}"),
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A word that names no signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseSignalError {
    word: String,
}

impl fmt::Display for ParseSignalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "'{}' is not a signal: write a name (TERM, SIGTERM), a number from 1 to 64, RTMIN+0 to RTMIN+30 or RTMAX-0 to RTMAX-30",
            self.word
        )
    }
}

impl std::error::Error for ParseSignalError {}

impl FromStr for Signal {
    type Err = ParseSignalError;

    /// Understands `TERM`, `SIGTERM`, `15`, `RTMIN+3` and `RTMAX-2`, in either case.
    fn from_str(word: &str) -> Result<Signal, ParseSignalError> {
        parse(word).ok_or_else(|| ParseSignalError { word: word.to_owned() })
    }
}

fn parse(word: &str) -> Option<Signal> {
    let upper = word.trim().to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    if let Some((_, signal)) = STANDARD.iter().chain(ALIASES).find(|(known, _)| *known == name) {
        return Some(*signal);
    }
    let offset = |digits: &str| digits.parse::<u8>().ok().filter(|n| *n <= HIGHEST - RTMIN);
    match name {
        "RTMIN" => return Some(Signal(RTMIN)),
        "RTMAX" => return Some(Signal(HIGHEST)),
        _ => {}
    }
    if let Some(digits) = name.strip_prefix("RTMIN+") {
        return digits_only(digits).and_then(offset).map(|n| Signal(RTMIN + n));
    }
    if let Some(digits) = name.strip_prefix("RTMAX-") {
        return digits_only(digits).and_then(offset).map(|n| Signal(HIGHEST - n));
    }
    digits_only(name).and_then(|digits| digits.parse().ok()).and_then(Signal::new)
}

/// `str::parse` takes a leading `+`; a signal's number has none.
fn digits_only(word: &str) -> Option<&str> {
    word.bytes().all(|byte| byte.is_ascii_digit()).then_some(word)
}

/// A set of signals, laid out as the kernel's `sigset_t`: bit n-1 is signal n.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct SignalSet(u64);

impl SignalSet {
    /// No signal.
    pub const EMPTY: SignalSet = SignalSet(0);
    /// All 64.
    pub const ALL: SignalSet = SignalSet(u64::MAX);
    /// All real-time signals, 32 and 33 included.
    pub const REALTIME: SignalSet = SignalSet(u64::MAX << (KERNEL_RTMIN - 1));

    /// The kernel's bits.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The set with these bits.
    pub const fn from_bits(bits: u64) -> SignalSet {
        SignalSet(bits)
    }

    /// Whether the signal is in the set.
    pub const fn contains(self, signal: Signal) -> bool {
        self.0 & (1 << (signal.0 - 1)) != 0
    }

    /// This set and the signal.
    #[must_use]
    pub const fn with(self, signal: Signal) -> SignalSet {
        SignalSet(self.0 | (1 << (signal.0 - 1)))
    }

    /// This set but for the signal.
    #[must_use]
    pub const fn without(self, signal: Signal) -> SignalSet {
        SignalSet(self.0 & !(1 << (signal.0 - 1)))
    }

    /// What is in either set.
    #[must_use]
    pub const fn union(self, other: SignalSet) -> SignalSet {
        SignalSet(self.0 | other.0)
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub const fn difference(self, other: SignalSet) -> SignalSet {
        SignalSet(self.0 & !other.0)
    }

    /// Its signals, in order.
    pub fn iter(self) -> impl Iterator<Item = Signal> {
        Signal::all().filter(move |signal| self.contains(*signal))
    }
}

impl FromIterator<Signal> for SignalSet {
    fn from_iter<I: IntoIterator<Item = Signal>>(signals: I) -> SignalSet {
        signals.into_iter().fold(SignalSet::EMPTY, SignalSet::with)
    }
}

impl fmt::Debug for SignalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_is_read_back_from_its_name_and_its_number() {
        for signal in Signal::all().filter(|signal| !matches!(signal.number(), 32 | 33)) {
            assert_eq!(signal.to_string().parse(), Ok(signal));
            assert_eq!(signal.to_string()[3..].to_lowercase().parse(), Ok(signal));
            assert_eq!(signal.number().to_string().parse(), Ok(signal));
        }
        assert_eq!("32".parse(), Ok(Signal(32)));
        assert_eq!("SIG33".parse(), Ok(Signal(33)));
    }

    #[test]
    fn rtmin_is_34_whatever_the_c_library() {
        assert_eq!("RTMIN".parse::<Signal>().map(Signal::number), Ok(34));
        assert_eq!("RTMIN+3".parse::<Signal>().map(Signal::number), Ok(37));
        assert_eq!("sigrtmax-2".parse::<Signal>().map(Signal::number), Ok(62));
    }

    #[test]
    fn what_is_no_signal_is_refused() {
        for word in [
            "",
            "0",
            "65",
            "-1",
            "+9",
            "TREM",
            "RTMIN+31",
            "RTMAX-31",
            "RTMIN-1",
            "RTMIN++3",
            "1.5",
            "SIGSIGTERM",
            "15x",
        ] {
            assert!(word.parse::<Signal>().is_err(), "{word:?}");
        }
    }

    #[test]
    fn sets_have_the_layout_of_the_kernel() {
        let set: SignalSet = [Signal::HUP, Signal::TERM, Signal(64)].into_iter().collect();
        assert_eq!(set.bits(), 1 | 1 << 14 | 1 << 63);
        assert!(set.contains(Signal::TERM) && !set.contains(Signal::INT));
        assert_eq!(SignalSet::REALTIME.iter().count(), 33);
        assert_eq!(set.without(Signal::TERM).iter().collect::<Vec<_>>(), [Signal::HUP, Signal(64)]);
    }
}
