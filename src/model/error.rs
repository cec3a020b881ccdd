//! What can go wrong with a run.

use crate::model::status::StatusCode;
use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::os::unix::ffi::OsStrExt;

/// Why a command couldn't be run, or its end not be told.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// There is no command.
    EmptyCommand,
    /// An argument or a variable has a NUL byte in it, which execve(2) can't pass.
    Nul {
        /// The argument or variable.
        word: OsString,
    },
    /// No such command.
    NotFound {
        /// As it was asked for; it may be empty.
        command: OsString,
        /// The `PATH` that was searched; none if the command has a slash in it.
        path: Option<OsString>,
    },
    /// The command is there, but can't be executed.
    NotExecutable {
        /// The file that was found.
        file: OsString,
        /// Why the kernel refused it.
        reason: NotExecutable,
    },
    /// The working directory the command was to have can't be entered.
    Dir {
        /// Which one.
        dir: OsString,
        /// Why not: chdir(2).
        source: io::Error,
    },
    /// The child couldn't be given the user and the groups it was to have.
    User {
        /// The user.
        uid: u32,
        /// The group.
        gid: u32,
        /// Why not: setgroups(2), setresgid(2), setresuid(2).
        source: io::Error,
    },
    /// The child couldn't be made, or not be given what it needs before it executes its command.
    Start {
        /// What was tried.
        step: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// Signals couldn't be listened to.
    Listen {
        /// Why.
        source: io::Error,
    },
    /// Waiting failed.
    Wait {
        /// Why.
        source: io::Error,
    },
    /// The process was to be stopped before it was started.
    Cancelled,
    /// The child ended, but somebody else of this process waited for it: its status is lost.
    StatusLost,
}

/// Why the kernel refused to execute a file that is there.
#[derive(Debug)]
#[non_exhaustive]
pub enum NotExecutable {
    /// The interpreter that its `#!` line names isn't there; `None`: the file is no script, and the loader that it names isn't
    /// there, or it couldn't be read again.
    InterpreterMissing(Option<OsString>),
    /// It has no `#!` line and isn't a binary, and /bin/sh, which runs such files (execvp(3)), failed.
    Shell(io::Error),
    /// The kernel doesn't know its format, and it is no text that a shell could read: why, in words. It may be built for
    /// another machine.
    Binary(String),
    /// execve(2) failed.
    Refused(io::Error),
}

impl Error {
    /// What a wrapper that meets this error exits with: 125, 126 or 127.
    pub const fn status_code(&self) -> StatusCode {
        match self {
            Error::NotFound { .. } => StatusCode::NOT_FOUND,
            Error::NotExecutable { .. } => StatusCode::NOT_EXECUTABLE,
            _ => StatusCode::OWN_FAILURE,
        }
    }

    /// At which step it happened, as records of events call it.
    #[cfg(feature = "serde")]
    pub(crate) fn stage(&self) -> &'static str {
        match self {
            Error::EmptyCommand | Error::Nul { .. } | Error::NotFound { .. } => "resolve",
            Error::NotExecutable { .. } => "exec",
            Error::Dir { .. } => "chdir",
            Error::User { .. } => "user",
            Error::Start { step, .. } => step,
            Error::Listen { .. } => "listen",
            Error::Wait { .. } | Error::StatusLost => "wait",
            Error::Cancelled => "cancelled",
        }
    }

    /// The same in one line that may be said again and again: without the directories of `PATH`.
    pub(crate) fn brief(&self) -> impl fmt::Display + '_ {
        Brief(self)
    }

    pub(crate) fn start(step: &'static str, source: io::Error) -> Error {
        Error::Start { step, source }
    }
}

/// An error of the system, once more: by its number, or else by its kind and its text.
fn same(error: &io::Error) -> io::Error {
    error.raw_os_error().map_or_else(|| io::Error::new(error.kind(), error.to_string()), io::Error::from_raw_os_error)
}

impl Clone for Error {
    /// An [`io::Error`] in it is kept by its number, or else by its kind and its text.
    fn clone(&self) -> Error {
        match self {
            Error::EmptyCommand => Error::EmptyCommand,
            Error::Nul { word } => Error::Nul { word: word.clone() },
            Error::NotFound { command, path } => Error::NotFound { command: command.clone(), path: path.clone() },
            Error::NotExecutable { file, reason } => {
                Error::NotExecutable { file: file.clone(), reason: reason.clone() }
            }
            Error::Dir { dir, source } => Error::Dir { dir: dir.clone(), source: same(source) },
            Error::User { uid, gid, source } => Error::User { uid: *uid, gid: *gid, source: same(source) },
            Error::Start { step, source } => Error::Start { step, source: same(source) },
            Error::Listen { source } => Error::Listen { source: same(source) },
            Error::Wait { source } => Error::Wait { source: same(source) },
            Error::Cancelled => Error::Cancelled,
            Error::StatusLost => Error::StatusLost,
        }
    }
}

impl Clone for NotExecutable {
    fn clone(&self) -> NotExecutable {
        match self {
            NotExecutable::InterpreterMissing(name) => NotExecutable::InterpreterMissing(name.clone()),
            NotExecutable::Shell(source) => NotExecutable::Shell(same(source)),
            NotExecutable::Binary(why) => NotExecutable::Binary(why.clone()),
            NotExecutable::Refused(source) => NotExecutable::Refused(same(source)),
        }
    }
}

impl<'e> From<&'e Error> for Cow<'e, Error> {
    fn from(error: &'e Error) -> Cow<'e, Error> {
        Cow::Borrowed(error)
    }
}

impl From<Error> for Cow<'_, Error> {
    fn from(error: Error) -> Self {
        Cow::Owned(error)
    }
}

struct Brief<'e>(&'e Error);

impl fmt::Display for Brief<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Error::NotFound { command, path: Some(_) } => {
                write!(f, "{}: command not found in PATH{}", command.display(), one_word(command))
            }
            Error::Start { step, source } if source.raw_os_error() == Some(libc::EAGAIN) => write!(
                f,
                "{step}: {source} (its user has as many processes as it may have, RLIMIT_NPROC, or its control group, pids.max)"
            ),
            Error::Start { step, source } => write!(f, "{step}: {source}"),
            error => error.fmt(f),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::EmptyCommand => f.write_str(EMPTY),
            Error::Nul { word } => {
                write!(f, "'{}' has a NUL byte in it, which no program can be given", word.display())
            }
            Error::NotFound { command, .. } if command.is_empty() => f.write_str(EMPTY),
            Error::NotFound { command, path: None } => {
                write!(f, "{}: no such file{}", command.display(), one_word(command))
            }
            Error::NotFound { command, path: Some(path) } => {
                write!(f, "{}: command not found in PATH={}{}", command.display(), path.display(), one_word(command))
            }
            Error::NotExecutable { file, reason } => {
                let file = file.display();
                match reason {
                    NotExecutable::InterpreterMissing(Some(interpreter)) => {
                        let name = interpreter.to_string_lossy();
                        let hint = if name.ends_with('\r') { " (its #! line ends in CR LF)" } else { "" };
                        let name = name.escape_debug();
                        write!(f, "{file}: can't be executed: its #! line names {name}, which isn't there{hint}")
                    }
                    NotExecutable::InterpreterMissing(None) => write!(
                        f,
                        "{file}: can't be executed: the file is there, but the loader that it names isn't (was it built for another libc?)"
                    ),
                    NotExecutable::Shell(source) => write!(
                        f,
                        "{file}: can't be executed: it has no #! line and is no binary, and /bin/sh couldn't be run on it: {source}"
                    ),
                    NotExecutable::Binary(why) => write!(f, "{file}: can't be executed: exec format error: {why}"),
                    NotExecutable::Refused(source) => {
                        write!(f, "{file}: can't be executed: {source}{}", hint(source.raw_os_error()))
                    }
                }
            }
            Error::Dir { dir, source } => {
                let hint = if is_for_a_shell(dir) { " ('~' and '$' are not expanded)" } else { "" };
                write!(f, "can't change to the working directory {}: {source}{hint}", dir.display())
            }
            Error::User { uid, gid, source } => {
                let hint = match source.raw_os_error() {
                    Some(libc::EPERM) => " (it takes root, or the capabilities SETUID and SETGID)",
                    Some(libc::EINVAL) => " (one of its ids is none that this user namespace maps)",
                    _ => "",
                };
                write!(f, "can't change to user {uid} and group {gid}: {source}{hint}")
            }
            Error::Cancelled => f.write_str("it was cancelled before it was started"),
            Error::Start { .. } => write!(f, "can't start the command: {}", self.brief()),
            Error::Listen { source } => write!(f, "can't listen to signals: {source}"),
            Error::Wait { source } => write!(f, "can't wait for the command: {source}"),
            Error::StatusLost => f.write_str(
                "the command ended, but its exit status is lost: something else in this process waited for it",
            ),
        }
    }
}

/// Advice for a command that isn't found.
fn one_word(command: &OsStr) -> &'static str {
    let is_several = command.as_bytes().contains(&b' ');
    if is_several {
        " (are its arguments in the same word? Each is a word of its own; in a file, put them in args)"
    } else {
        ""
    }
}

/// Whether somebody expected a shell to replace a part of it.
pub(crate) fn is_for_a_shell(path: &OsStr) -> bool {
    path.as_bytes().starts_with(b"~") || path.as_bytes().contains(&b'$')
}

const EMPTY: &str = "the command is empty: name the program to run (is a variable unset?)";

/// What to do about it, where the system's own words don't tell.
fn hint(errno: Option<i32>) -> &'static str {
    match errno {
        Some(libc::EACCES) => {
            " (is it a file with the x bit, its folder searchable, its file system mounted without noexec?)"
        }
        Some(libc::ENOEXEC) => " (it is no binary, and as it can't be read, no shell can run it)",
        Some(libc::ENOTDIR) => " (a part of this path is a file)",
        Some(libc::ELIBBAD) => " (is the loader that it names built for another machine?)",
        Some(libc::ETXTBSY) => " (somebody is still writing to it)",
        Some(libc::E2BIG) => " (arguments and environment together are too long, or one of them is)",
        Some(libc::EAGAIN) => " (its user has as many processes as it may have: RLIMIT_NPROC)",
        _ => "",
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::NotExecutable { reason: NotExecutable::Shell(source) | NotExecutable::Refused(source), .. }
            | Error::Dir { source, .. }
            | Error::User { source, .. }
            | Error::Start { source, .. }
            | Error::Listen { source }
            | Error::Wait { source } => Some(source),
            _ => None,
        }
    }
}
