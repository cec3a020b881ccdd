//! Which process group has the terminal, and what this process is to it.

use crate::model::pid::Pid;

/// Which process group is the terminal's foreground group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Foreground {
    /// That of this process.
    Own,
    /// That of the child.
    Child,
    /// Another one.
    Other,
    /// None: the terminal has hung up.
    HungUp,
}

/// What this process is to its terminal, as long as it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// It leads its session, or is PID 1: nobody could continue it if it stopped, and the kernel wouldn't let a terminal
    /// stop it.
    pub(crate) session_leader: bool,
    /// It leads its process group: it is a job of a shell, or the first process of one.
    pub(crate) group_leader: bool,
    /// Its stdin and its stdout are both that terminal.
    pub(crate) streams: bool,
    /// The leader of its session.
    pub(crate) session: Pid,
    /// It ends with its child.
    pub(crate) ends_with_child: bool,
    /// It starts its child again, and so must hear a ^C, which says that it shouldn't.
    pub(crate) restarts: bool,
}
