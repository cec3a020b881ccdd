//! A command as execve(2) wants it: the search of `PATH` and every string made ready before there is a child.

use super::envp::Envp;
use super::interpreter::interpreter;
use super::report::{Failure, Step};
use crate::model::c_string::os_string;
use crate::model::env;
use crate::model::error::{Error, NotExecutable};
use crate::model::identity::Identity;
use std::borrow::Cow;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

/// What execvp(3) searches when there is no `PATH`.
const DEFAULT_PATH: &[u8] = b"/bin:/usr/bin";

/// The longest path the kernel takes, its NUL included; execvp(3) passes over entries that are longer.
const PATH_MAX: usize = libc::PATH_MAX as usize;

/// The most groups that a process can be in: the kernel's NGROUPS_MAX.
const MAX_GROUPS: usize = 65536;

/// A command line, an environment, and the files to try.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    /// argv, never empty.
    pub(crate) args: Vec<Cow<'static, CStr>>,
    pub(super) env: Arc<Envp>,
    /// The files that may be the command, in the order in which they are tried, each with its NUL.
    candidates: Vec<u8>,
    /// Its working directory, if not this process's.
    pub(crate) dir: Option<CString>,
    /// The user it runs as, if not this process's.
    pub(crate) user: Option<Identity>,
}

impl Command {
    /// Checks the words and finds out what to try.
    pub(crate) fn new(args: Vec<Cow<'static, CStr>>, env: Arc<Envp>) -> Result<Command, Error> {
        let file = args.first().map(|file| file.to_bytes()).ok_or(Error::EmptyCommand)?;
        if file.is_empty() {
            // There is no file of this name, as for execve(2): env(1) and the shells end with 127.
            return Err(Error::NotFound { command: OsString::new(), path: None });
        }
        let candidates = candidates(file, path_of(&env));
        Ok(Command { args, env, candidates, dir: None, user: None })
    }

    /// Another command in the place of this one: with these words, as the same user, and with those of its variables that it
    /// keeps, and more.
    #[cold]
    pub(crate) fn beside(
        &self,
        args: Vec<Cow<'static, CStr>>,
        keeps: impl Fn(&CStr) -> bool,
        more: Vec<CString>,
    ) -> Result<Command, Error> {
        let mut env = Vec::new();
        for entry in self.env.iter() {
            if keeps(entry) {
                env.push(Cow::Owned(entry.to_owned()));
            }
        }
        env.extend(more.into_iter().map(Cow::Owned));
        Ok(Command { user: self.user.clone(), ..Command::new(args, Arc::new(Envp::new(env)))? })
    }

    /// The files that may be the command, in the order in which they are tried.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = &CStr> {
        strings(&self.candidates)
    }

    /// How many there are.
    pub(super) fn candidate_count(&self) -> usize {
        self.candidates().count()
    }

    /// The error to report when a step between clone and exec failed.
    #[cold]
    pub(crate) fn error(&self, failure: Failure) -> Error {
        let source = io::Error::from_raw_os_error(failure.errno);
        match failure.step {
            Step::User => {
                let (uid, gid) = self.user.as_ref().map_or((0, 0), |user| (user.uid, user.gid));
                let groups = self.user.as_ref().map_or(0, |user| user.groups.len());
                let source = match failure.errno {
                    libc::EINVAL if groups > MAX_GROUPS => io::Error::new(
                        io::ErrorKind::InvalidInput,
                        format!("it is in {groups} groups, and a process can be in {MAX_GROUPS}: setgroups(2)"),
                    ),
                    _ => source,
                };
                Error::User { uid, gid, source }
            }
            Step::ParentDeathSignal => Error::start("prctl(PR_SET_PDEATHSIG)", source),
            Step::Group => Error::start("setpgid", source),
            Step::Session => Error::start("setsid", source),
            Step::Dir => Error::Dir { dir: self.dir.as_deref().map(os_string).unwrap_or_default(), source },
            Step::Stdio => Error::start("dup3", source),
            Step::Table => Error::start("close_range", source),
            Step::Exec if self.is_absent(failure.errno) => self.not_found(),
            Step::Exec => self.not_executable(failure, NotExecutable::Refused(source)),
            Step::Interpreter => {
                let file = self.candidates().nth(failure.candidate);
                let interpreter = file.and_then(|file| interpreter(file, self.dir.as_deref()));
                self.not_executable(failure, NotExecutable::InterpreterMissing(interpreter))
            }
            Step::Shell => self.not_executable(failure, NotExecutable::Shell(source)),
            Step::Binary => {
                let why = "neither a program of this machine nor a script".to_owned();
                self.not_executable(failure, NotExecutable::Binary(why))
            }
            Step::Elf => self.not_executable(failure, NotExecutable::Binary(failure.header.why())),
        }
    }

    #[cold]
    fn not_executable(&self, failure: Failure, reason: NotExecutable) -> Error {
        let file = self.candidates().nth(failure.candidate).map(os_string);
        Error::NotExecutable { file: file.unwrap_or_else(|| self.name()), reason }
    }

    fn name(&self) -> OsString {
        self.args.first().map(|file| os_string(file)).unwrap_or_default()
    }

    fn not_found(&self) -> Error {
        let path = || OsStr::from_bytes(path_of(&self.env).unwrap_or(DEFAULT_PATH)).to_owned();
        Error::NotFound { path: self.is_searched().then(path), command: self.name() }
    }

    /// Whether this error of the last candidate says that there is no such command. Of an entry of `PATH` that is no folder,
    /// or can't be reached, the shells say so; of a path, only that it isn't there.
    fn is_absent(&self, errno: i32) -> bool {
        match errno {
            libc::ENOENT => true,
            libc::ENOTDIR | libc::ESTALE | libc::ENODEV | libc::ETIMEDOUT => self.is_searched(),
            _ => false,
        }
    }

    #[cold]
    fn is_searched(&self) -> bool {
        !self.name().as_bytes().contains(&b'/')
    }
}

/// The value of the first `PATH` of an environment, which is the one getenv(3) finds.
fn path_of(env: &Envp) -> Option<&[u8]> {
    env::find(env.iter(), "PATH").map(OsStr::as_bytes)
}

/// The files execvp(3) would try: the command itself if it has a slash, else one for each entry of `PATH`, where an
/// empty entry is the working directory. Each with a NUL behind it; none has one inside.
fn candidates(file: &[u8], path: Option<&[u8]>) -> Vec<u8> {
    if file.contains(&b'/') {
        let mut only = Vec::with_capacity(file.len() + 1);
        only.extend(file);
        only.push(0);
        return only;
    }
    let path = path.unwrap_or(DEFAULT_PATH);
    let entries = || path.split(|byte| *byte == b':').filter(|entry| entry.len() < PATH_MAX);
    // One memory for all, and no more than is needed: it stays.
    let mut candidates = Vec::with_capacity(entries().map(|entry| entry.len() + file.len() + 2).sum());
    for entry in entries() {
        candidates.extend_from_slice(entry);
        if !entry.is_empty() {
            candidates.push(b'/');
        }
        candidates.extend_from_slice(file);
        candidates.push(0);
    }
    candidates
}

/// The C strings of a text in which each ends with its NUL.
fn strings(text: &[u8]) -> impl Iterator<Item = &CStr> {
    text.split_inclusive(|byte| *byte == 0).filter_map(|string| CStr::from_bytes_with_nul(string).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_env() -> Arc<Envp> {
        Arc::new(Envp::new(Vec::new()))
    }

    fn tried(file: &str, path: Option<&str>) -> Vec<String> {
        let candidates = candidates(file.as_bytes(), path.map(str::as_bytes));
        strings(&candidates).map(|candidate| candidate.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn path_is_searched_as_execvp_does() {
        assert_eq!(tried("ls", Some("/a:/b")), ["/a/ls", "/b/ls"]);
        assert_eq!(tried("ls", None), ["/bin/ls", "/usr/bin/ls"]);
        assert_eq!(tried("./ls", Some("/a:/b")), ["./ls"]);
        assert_eq!(tried("ls", Some("")), ["ls"]);
        assert_eq!(tried("ls", Some(":/a::rel:")), ["ls", "/a/ls", "ls", "rel/ls", "ls"]);
        assert_eq!(tried("ls", Some(&format!("{}:/a", "x".repeat(PATH_MAX)))), ["/a/ls"]);
    }

    #[test]
    fn an_empty_command_is_an_error() {
        assert!(matches!(Command::new(Vec::new(), no_env()), Err(Error::EmptyCommand)));
        let error = Command::new(vec![Cow::Borrowed(c"")], no_env()).unwrap_err();
        assert_eq!(error.to_string(), "the command is empty: name the program to run (is a variable unset?)");
        assert_eq!(error.status_code().get(), 127);
    }

    #[test]
    fn the_first_path_counts_and_the_childs_own() {
        let env = vec![Cow::Borrowed(c"XPATH=/x"), Cow::Borrowed(c"PATH=/a"), Cow::Borrowed(c"PATH=/b")];
        let command = Command::new(vec![Cow::Borrowed(c"ls")], Arc::new(Envp::new(env))).unwrap();
        assert_eq!(command.candidates().collect::<Vec<_>>(), [c"/a/ls"]);
    }

    #[test]
    fn a_refused_change_of_user_says_what_it_takes() {
        let mut command = Command::new(vec![Cow::Borrowed(c"ls")], no_env()).unwrap();
        command.user = Some(Identity::new(7, 8, 1000..1003));
        let said = |command: &Command, errno| command.error(Failure::before_exec(Step::User, errno)).to_string();
        assert!(
            said(&command, libc::EPERM)
                .ends_with("(os error 1) (it takes root, or the capabilities SETUID and SETGID)")
        );
        assert!(said(&command, libc::EINVAL).ends_with(" (one of its ids is none that this user namespace maps)"));
        assert!(said(&command, libc::ENOSYS).ends_with("(os error 38)"));
        command.user = Some(Identity::new(7, 8, 1000..71_000));
        assert_eq!(
            said(&command, libc::EINVAL),
            "can't change to user 7 and group 8: it is in 70001 groups, and a process can be in 65536: setgroups(2)"
        );
    }

    #[test]
    fn errors_are_of_the_kind_their_number_says() {
        let env = Arc::new(Envp::new(vec![Cow::Borrowed(c"PATH=/a:/b")]));
        let command = Command::new(vec![Cow::Borrowed(c"ls")], env).unwrap();
        let error = |step, errno| command.error(Failure::of_candidate(step, 1, errno));
        let not_found = error(Step::Exec, libc::ENOENT);
        assert_eq!(not_found.to_string(), "ls: command not found in PATH=/a:/b");
        assert_eq!(not_found.status_code().get(), 127);
        assert_eq!(error(Step::Exec, libc::ENOTDIR).status_code().get(), 127);
        let refused = [
            libc::EACCES,
            libc::EPERM,
            libc::ETXTBSY,
            libc::E2BIG,
            libc::ELOOP,
            libc::ENAMETOOLONG,
            libc::ENOEXEC,
            libc::ENOMEM,
            libc::EIO,
            libc::ELIBBAD,
        ];
        for errno in refused {
            let refused = error(Step::Exec, errno);
            assert_eq!(refused.status_code().get(), 126);
            assert!(refused.to_string().starts_with("/b/ls: can't be executed: "), "{refused}");
        }
        assert_eq!(error(Step::Interpreter, libc::ENOENT).status_code().get(), 126);
        assert_eq!(error(Step::Shell, libc::ENOENT).status_code().get(), 126);
        let binary = error(Step::Binary, libc::ENOEXEC);
        assert_eq!(binary.status_code().get(), 126);
        assert_eq!(
            binary.to_string(),
            "/b/ls: can't be executed: exec format error: neither a program of this machine nor a script"
        );
    }

    #[test]
    fn a_path_through_a_file_is_refused_and_one_to_nothing_is_not_found() {
        let command = Command::new(vec![Cow::Borrowed(c"/etc/passwd/x")], no_env()).unwrap();
        let error = |errno| command.error(Failure::of_candidate(Step::Exec, 0, errno));
        for (errno, status) in [(libc::ENOENT, 127), (libc::ENOTDIR, 126), (libc::ESTALE, 126)] {
            assert_eq!(error(errno).status_code().get(), status, "{errno}");
        }
    }
}
