//! The controlling terminal, and the process group it belongs to (tcgetpgrp(3), tcsetpgrp(3), termios(3)).
//!
//! It is opened as /dev/tty, which is the controlling terminal whatever the standard streams are. A process that isn't
//! in the foreground may give it away, too, as long as SIGTTOU is blocked.

use super::descendants::is_any_in_group;
use super::fd;
use super::fd::above_stdio;
use super::proc_fs;
use super::process;
use super::raw::syscall_io;
use super::signals;
use super::signals::{Disposition, disposition, own, pending};
use crate::model::child_group;
use crate::model::pid::Pid;
use crate::model::signal::{Signal, SignalSet};
use crate::model::standing::Foreground;
use crate::model::standing::Standing;
use nix::sys::termios::{SetArg, Termios, tcgetattr, tcgetsid, tcsetattr};
use nix::unistd;
use std::cell::RefCell;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// The process group of a child that is to be started: with one of its own the terminal of this process's session, if that
/// has one; with a session of its own the terminal that becomes that session's.
pub(crate) type ChildGroup = child_group::ChildGroup<Option<Terminal>, Option<OwnedFd>>;

impl ChildGroup {
    /// One of its own, unless there is a terminal that it couldn't be given, or taken back from it. Then the child stays
    /// in this process's group, and the kernel treats both alike.
    ///
    /// `inherited_mask` is the child's; `ends_with_child` says whether this process does.
    #[inline(never)]
    pub(crate) fn find(inherited_mask: SignalSet, ends_with_child: bool) -> ChildGroup {
        match Terminal::open(inherited_mask, ends_with_child) {
            Ok(terminal) => ChildGroup::Own(terminal),
            Err(error) => {
                log::debug!("no job control: {error}");
                ChildGroup::Shared
            }
        }
    }

    /// The same; the error says why it would be this process's group.
    #[cfg(feature = "cli")]
    #[cold]
    pub(crate) fn try_to_find(inherited_mask: SignalSet, ends_with_child: bool) -> io::Result<ChildGroup> {
        Terminal::open(inherited_mask, ends_with_child).map(ChildGroup::Own)
    }

    /// The first of a session of its own. If this process leads the one it is in, that session's terminal goes with it.
    pub(crate) fn session() -> ChildGroup {
        ChildGroup::Session(give_up())
    }

    /// The terminal that goes with it.
    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        match self {
            ChildGroup::Shared => None,
            ChildGroup::Own(terminal) => terminal.as_ref().map(Terminal::fd),
            ChildGroup::Session(terminal) => terminal.as_ref().map(AsFd::as_fd),
        }
    }

    /// What must be listened to, whatever else is.
    pub(crate) fn needs(&self) -> SignalSet {
        match self.terminal() {
            Some(_) => [Signal::TSTP, Signal::TTIN, Signal::TTOU, Signal::CONT].into_iter().collect(),
            None => SignalSet::EMPTY,
        }
    }

    /// What the terminal sends to this process's group and the child, in another, should have.
    pub(crate) fn sends(&self) -> SignalSet {
        match self {
            ChildGroup::Own(Some(_)) => [Signal::INT, Signal::QUIT, Signal::WINCH].into_iter().collect(),
            ChildGroup::Session(None) => [Signal::INT, Signal::QUIT, Signal::WINCH, Signal::TSTP].into_iter().collect(),
            ChildGroup::Shared | ChildGroup::Own(None) | ChildGroup::Session(Some(_)) => SignalSet::EMPTY,
        }
    }

    pub(crate) fn terminal(&self) -> Option<&Terminal> {
        match self {
            ChildGroup::Own(terminal) => terminal.as_ref(),
            ChildGroup::Shared | ChildGroup::Session(_) => None,
        }
    }
}

/// The controlling terminal of this process.
#[derive(Debug)]
pub(crate) struct Terminal {
    fd: OwnedFd,
    own_group: unistd::Pid,
    standing: Standing,
    /// As they were when this process was last in the foreground.
    modes: RefCell<Option<Termios>>,
}

impl Terminal {
    /// The controlling terminal, if there is one.
    fn open(inherited_mask: SignalSet, ends_with_child: bool) -> io::Result<Option<Terminal>> {
        let Some(fd) = open()? else { return Ok(None) };
        let (own, own_group) = (process::id().as_raw(), unistd::getpgrp());
        if own_group.as_raw() == 0 {
            return Err(io::Error::other("this process's group is outside its PID namespace"));
        }
        // As shells have it in $(command). A process that reads the terminal from the background gets an error then, and
        // isn't stopped: this process couldn't see that the child asks for the terminal.
        if inherited_mask.contains(Signal::TTIN) || disposition(Signal::TTIN) == Disposition::Ignored {
            return Err(io::Error::other("SIGTTIN is ignored or blocked"));
        }
        let session = unistd::getsid(None)?.as_raw();
        let standing = Standing {
            session_leader: own == 1 || session == own,
            session: Pid::new(session),
            ends_with_child,
            restarts: false,
            group_leader: own_group.as_raw() == own,
            // These fail for any descriptor that isn't the controlling terminal.
            streams: unistd::tcgetpgrp(io::stdin()).is_ok() && unistd::tcgetpgrp(io::stdout()).is_ok(),
        };
        Ok(Some(Terminal { fd, own_group, standing, modes: RefCell::new(None) }))
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// What this process is to the terminal, and which group has it, when a child is to be started now. The modes are
    /// remembered if this process's group has it. `restarts` says whether another child may come after this one.
    pub(crate) fn before_start(&self, restarts: bool) -> (Standing, Foreground) {
        let foreground = self.foreground(None);
        if foreground == Foreground::Own {
            let _ = self.save_modes();
        }
        (Standing { restarts, ..self.standing }, foreground)
    }

    /// Which process group is in the foreground: tcgetpgrp(3).
    pub(crate) fn foreground(&self, child: Option<Pid>) -> Foreground {
        match unistd::tcgetpgrp(&self.fd) {
            Ok(group) if group == self.own_group => Foreground::Own,
            Ok(group) if child.is_some_and(|child| child.as_raw() == group.as_raw()) => Foreground::Child,
            Ok(_) => Foreground::Other,
            Err(_) => Foreground::HungUp,
        }
    }

    /// Puts the child's process group in the foreground.
    pub(crate) fn hand_over(&self, child: Pid) -> io::Result<()> {
        self.set_foreground(unistd::Pid::from_raw(child.as_raw()))
    }

    /// Puts this process's group in the foreground.
    pub(crate) fn take_back(&self) -> io::Result<()> {
        self.set_foreground(self.own_group)
    }

    /// Puts this process's group in the foreground if there is nobody in the one that is: keys would reach nobody.
    pub(crate) fn take_if_nobodys(&self) -> io::Result<()> {
        let group = unistd::tcgetpgrp(&self.fd)?;
        if group == self.own_group || is_any_in_group(Pid::new(group.as_raw())) { Ok(()) } else { self.take_back() }
    }

    fn set_foreground(&self, group: unistd::Pid) -> io::Result<()> {
        Ok(without_ttou(|| unistd::tcsetpgrp(&self.fd, group))?)
    }

    /// Remembers the modes.
    #[cold]
    pub(crate) fn save_modes(&self) -> io::Result<()> {
        *self.modes.borrow_mut() = Some(tcgetattr(&self.fd)?);
        Ok(())
    }

    /// Sets the modes that were remembered; output that is still on its way, or held up by ^S, isn't waited for.
    pub(crate) fn restore_modes(&self) -> io::Result<()> {
        match &*self.modes.borrow() {
            Some(modes) => Ok(without_ttou(|| tcsetattr(&self.fd, SetArg::TCSANOW, modes))?),
            None => Ok(()),
        }
    }
}

/// The controlling terminal, if there is one. An error says that there is one that can't be opened.
fn open() -> io::Result<Option<OwnedFd>> {
    // Without O_NONBLOCK, open(2) waits for a line that is down.
    let flags = libc::O_RDONLY | libc::O_NOCTTY | libc::O_NONBLOCK | libc::O_CLOEXEC;
    let why = match fd::open(c"/dev/tty", flags) {
        Ok(fd) => {
            // SAFETY: the kernel just made it, and nobody else has it.
            let fd = above_stdio(unsafe { OwnedFd::from_raw_fd(fd) })?;
            if is_controlling(fd.as_fd()) {
                return Ok(Some(fd));
            }
            io::Error::new(io::ErrorKind::NotFound, "/dev/tty is something else")
        }
        Err(error) if error.raw_os_error() == Some(libc::ENXIO) => return Ok(None),
        Err(error) => error,
    };
    without_node(why)
}

/// The same where /dev/tty doesn't lead to it: the root of a chroot or a container lacks it, or it can't be opened.
///
/// A terminal that is none of the streams, and that can't be seen without /proc, is taken for none: the command couldn't
/// reach it either.
#[cold]
fn without_node(why: io::Error) -> io::Result<Option<OwnedFd>> {
    let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
    match [stdin.as_fd(), stdout.as_fd(), stderr.as_fd()].into_iter().find(|stream| is_controlling(*stream)) {
        // A clone is never less than 3.
        Some(stream) => stream.try_clone_to_owned().map(Some),
        None if proc_fs::has_terminal().unwrap_or(false) => Err(why),
        None => Ok(None),
    }
}

/// Whether that is the terminal of this process's session: tcgetsid(3). The other end of another session's isn't.
fn is_controlling(fd: BorrowedFd<'_>) -> bool {
    tcgetsid(fd).is_ok_and(|session| unistd::getsid(None) == Ok(session))
}

/// Whether this process has a controlling terminal now.
pub(crate) fn is_there() -> bool {
    !matches!(open(), Ok(None))
}

/// Whether this process, which had a controlling terminal, has none any more: it has hung up.
pub(crate) fn is_gone() -> bool {
    match open() {
        Ok(terminal) => terminal.is_none(),
        Err(error) => error.raw_os_error() == Some(libc::EIO),
    }
}

/// Gives the terminal up, if this process leads its session: a terminal is that of one session.
fn give_up() -> Option<OwnedFd> {
    let own = process::id().as_raw();
    if own != 1 && unistd::getsid(None).is_ok_and(|session| session.as_raw() != own) {
        return None;
    }
    let before = pending();
    let given_up = open().and_then(|fd| {
        let Some(fd) = fd else { return Ok(None) };
        // SAFETY: the call touches no memory.
        unsafe { syscall_io(libc::SYS_ioctl, [fd.as_raw_fd() as usize, libc::TIOCNOTTY as usize, 0]) }?;
        Ok(Some(fd))
    });
    let fd = given_up.unwrap_or_else(|error| {
        log::warn!("the session of the command has no terminal: that of panicmon's can't be given up: {error}");
        None
    })?;
    // The kernel takes that for a hang-up, in this process's name.
    for signal in [Signal::HUP, Signal::CONT].into_iter().filter(|signal| !before.contains(*signal)) {
        own::forget(signal);
    }
    Some(fd)
}

/// Does something to the terminal for which the kernel stops processes that are in the background, unless they block this
/// signal.
fn without_ttou<T>(act: impl FnOnce() -> T) -> T {
    let before = signals::block_all();
    let result = act();
    signals::set_mask(before);
    result
}

/// Puts the child into a process group of its own: setpgid(2).
///
/// The child does the same. Whichever is first: when either goes on, the group is there.
pub(crate) fn set_child_group(child: Pid) {
    let child = unistd::Pid::from_raw(child.as_raw());
    // It fails if the child has executed its command, having done it itself.
    let _ = unistd::setpgid(child, child);
}
