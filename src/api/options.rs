//! How a command is run.

use crate::model::c_string::c_string;
use crate::model::env::names;
use crate::model::error::Error;
use crate::model::handler::Handler;
use crate::model::identity::Identity;
use crate::model::signal::{Signal, SignalSet};
use crate::model::signal_source::SignalSource;
use crate::policy::forwarding::Forwarding;
use std::borrow::Cow;
use std::ffi::{CStr, OsStr, OsString};
use std::fmt;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

/// Where the child's stdout or stderr goes.
#[derive(Default)]
#[non_exhaustive]
pub enum Output<'a> {
    /// To this process's own.
    #[default]
    Inherit,
    /// Nowhere: /dev/null.
    Null,
    /// Into a writer, byte for byte, by a thread of its own, so that a slow writer delays no signal.
    ///
    /// All that the child has written is in it when [`Executor::run`](crate::api::executor::Executor::run) returns; what a
    /// grandchild writes after the child's end isn't waited for. If the writer fails, the pipe is closed, and the
    /// child gets SIGPIPE as if the reader had gone.
    Writer(Box<dyn Write + Send + 'a>),
}

impl fmt::Debug for Output<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Output::Inherit => "Inherit",
            Output::Null => "Null",
            Output::Writer(_) => "Writer",
        })
    }
}

/// The environment of the child: the inherited one or a given one, with changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    base: Base,
    changes: Vec<(OsString, Option<OsString>)>,
}

#[derive(Clone, Debug, Default)]
enum Base {
    /// This program's, as it is when the child is started; entries without a `=` are left out (`std::env::vars_os`).
    #[default]
    Inherited,
    /// Exactly these `K=V`.
    Exactly(Vec<OsString>),
    /// The entries this process was started with, to the byte and in order.
    #[cfg_attr(not(feature = "cli"), allow(dead_code))]
    Entries(Vec<&'static CStr>),
}

impl Environment {
    #[cfg(feature = "cli")]
    pub(crate) fn entries(entries: &[&'static CStr]) -> Environment {
        Environment { base: Base::Entries(entries.to_vec()), changes: Vec::new() }
    }

    /// The same with these set.
    pub(crate) fn with(mut self, variables: &[(OsString, OsString)]) -> Environment {
        for (key, value) in variables {
            self.set(key, value);
        }
        self
    }

    /// Sets one.
    pub(crate) fn set(&mut self, key: &OsStr, value: &OsStr) {
        self.changes.push((key.to_owned(), Some(value.to_owned())));
    }

    /// The same without these.
    #[cfg(feature = "cli")]
    pub(crate) fn without(mut self, names: &[impl AsRef<OsStr>]) -> Environment {
        self.changes.extend(names.iter().map(|name| (name.as_ref().to_owned(), None)));
        self
    }

    /// The `K=V` of the child. The error is an entry that has a NUL byte.
    pub(crate) fn resolve(&self) -> Result<Vec<Cow<'static, CStr>>, Error> {
        let c_string = |entry| c_string(entry).map(Cow::Owned);
        let mut entries = match &self.base {
            Base::Entries(entries) => entries.iter().map(|entry| Cow::Borrowed(*entry)).collect(),
            Base::Exactly(entries) => entries.iter().cloned().map(c_string).collect::<Result<Vec<_>, _>>()?,
            Base::Inherited => {
                std::env::vars_os().map(|(key, value)| c_string(assignment(&key, &value))).collect::<Result<_, _>>()?
            }
        };
        for (key, value) in &self.changes {
            let replacement = value.as_ref().map(|value| c_string(assignment(key, value))).transpose()?;
            change(&mut entries, key, replacement);
        }
        Ok(entries)
    }
}

/// Puts the entry in the place of the first of that name, or at the end, and takes away all others of that name.
fn change(entries: &mut Vec<Cow<'static, CStr>>, key: &OsStr, mut replacement: Option<Cow<'static, CStr>>) {
    entries.retain_mut(|entry| {
        if !names(entry, key.as_bytes()) {
            return true;
        }
        match replacement.take() {
            Some(new) => {
                *entry = new;
                true
            }
            None => false,
        }
    });
    entries.extend(replacement);
}

fn assignment(key: &OsStr, value: &OsStr) -> OsString {
    let mut entry = OsString::with_capacity(key.len() + 1 + value.len());
    entry.push(key);
    entry.push("=");
    entry.push(value);
    entry
}

/// How an [`Executor`](crate::api::executor::Executor) runs its commands.
///
/// By default it listens to all signals, tells nobody, and the child inherits streams and environment.
///
/// ```
/// use panicmon::{Executor, Options, Output};
///
/// let mut out = Vec::new();
/// let options = Options::default().stdout(Output::Writer(Box::new(&mut out))).env("GREETING", "hello");
/// Executor::new(options)?.run(["sh", "-c", "echo $GREETING"])?;
/// assert_eq!(out, b"hello\n");
/// # Ok::<(), panicmon::Error>(())
/// ```
#[derive(Default)]
pub struct Options<'a> {
    pub(crate) name: Option<String>,
    pub(crate) handlers: Vec<Box<dyn Handler + Send + 'a>>,
    pub(crate) signals: Option<SignalSet>,
    pub(crate) signals_by: SignalSource,
    pub(crate) stdout: Output<'a>,
    pub(crate) stderr: Output<'a>,
    pub(crate) environment: Environment,
    pub(crate) init: bool,
    pub(crate) job_control: bool,
    pub(crate) kill_after: Option<Duration>,
    /// `None`: TERM and INT.
    pub(crate) stop_signals: Option<SignalSet>,
    pub(crate) forwarding: Forwarding,
    pub(crate) dir: Option<OsString>,
    pub(crate) user: Option<Identity>,
    pub(crate) drain: Option<Duration>,
}

impl<'a> Options<'a> {
    /// All signals, no handler, everything inherited: the same as [`Options::default`].
    pub fn new() -> Options<'a> {
        Options::default()
    }

    /// What [events](crate::model::event::Event) and messages call the process, instead of the base name of its command.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Adds a handler to those there are; they are called in this order.
    #[must_use]
    pub fn handler(mut self, handler: impl Handler + Send + 'a) -> Self {
        self.handlers.push(Box::new(handler));
        self
    }

    /// Listens to and forwards only these signals; the others keep the disposition they have. None at all means
    /// every signal, as with the Go seed.
    #[must_use]
    pub fn signals(mut self, signals: impl IntoIterator<Item = Signal>) -> Self {
        let signals: SignalSet = signals.into_iter().collect();
        self.signals = (signals != SignalSet::EMPTY).then_some(signals);
        self
    }

    /// By whose handlers the signals come: panicmon's own, or signal-hook's, whose registry other users of signals in
    /// this program may share. [`SignalSource`] says what each gives up.
    #[cfg_attr(
        feature = "signal-hook",
        doc = r#"
```
use panicmon::{Executor, Options, SignalSource};

let options = Options::default().signals_by(SignalSource::SignalHook);
assert!(Executor::new(options)?.run(["true"])?.is_success());
# Ok::<(), panicmon::Error>(())
```"#
    )]
    #[must_use]
    pub fn signals_by(mut self, source: SignalSource) -> Self {
        self.signals_by = source;
        self
    }

    /// Where the child's stdout goes; inherited by default.
    #[must_use]
    pub fn stdout(mut self, output: Output<'a>) -> Self {
        self.stdout = output;
        self
    }

    /// Where the child's stderr goes; inherited by default.
    #[must_use]
    pub fn stderr(mut self, output: Output<'a>) -> Self {
        self.stderr = output;
        self
    }

    /// Sets a variable for the child, after the inherited or given ones.
    #[must_use]
    pub fn env(mut self, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment.set(key.as_ref(), value.as_ref());
        self
    }

    /// Takes a variable away from the child.
    #[must_use]
    pub fn env_remove(mut self, key: impl AsRef<OsStr>) -> Self {
        self.environment.changes.push((key.as_ref().to_owned(), None));
        self
    }

    /// Gives the child exactly this list of `K=V`, in this order, instead of the inherited environment; changes made
    /// by [`env`](Options::env) and [`env_remove`](Options::env_remove) before are forgotten.
    #[must_use]
    pub fn env_replace(mut self, entries: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        let entries = entries.into_iter().map(|entry| entry.as_ref().to_owned()).collect();
        self.environment = Environment { base: Base::Exactly(entries), changes: Vec::new() };
        self
    }

    /// Starts the child in this directory. A command with a slash in its name is looked for from there (`env -C` does
    /// the same).
    #[must_use]
    pub fn dir(mut self, dir: impl AsRef<OsStr>) -> Self {
        self.dir = Some(dir.as_ref().to_owned());
        self
    }

    /// Gives the child this user, this group, and these supplementary groups: setresuid(2), setresgid(2), setgroups(2).
    /// The [directory](Options::dir) is entered as that user. It takes root, or the capabilities SETUID and SETGID.
    ///
    /// Without the capability KILL nobody can signal a child of another user, or have it killed at its own end.
    #[must_use]
    pub fn user(mut self, uid: u32, gid: u32, groups: impl IntoIterator<Item = u32>) -> Self {
        let groups = [gid].into_iter().chain(groups.into_iter().filter(|group| *group != gid)).collect();
        self.user = Some(Identity { uid, gid, groups });
        self
    }

    /// Passes `to` on to the child instead of `from`; none: nothing. The last for a signal counts.
    ///
    /// What a terminal sends to the child's own group, it sends itself.
    #[must_use]
    pub fn rewrite(mut self, from: Signal, to: Option<Signal>) -> Self {
        self.forwarding.rewrites.retain(|(other, _)| *other != from);
        self.forwarding.rewrites.push((from, to));
        self
    }

    /// Passes this signal on only after this time, by what came; a second one that comes meanwhile is passed on at once, and
    /// the first with it. A stop (see [`stop_signals`](Options::stop_signals)) is delayed once only, and the same one sent
    /// twice at once is one. The last for a signal counts.
    #[must_use]
    pub fn delay(mut self, signal: Signal, delay: Duration) -> Self {
        self.forwarding.delays.retain(|(other, _)| *other != signal);
        self.forwarding.delays.push((signal, delay));
        self
    }

    /// Passes signals on to the child's whole process group, if it has one of its own
    /// ([`job_control`](Options::job_control)). Real-time signals lose their values with it: kill(2) has none.
    #[must_use]
    pub fn signal_group(mut self, group: bool) -> Self {
        self.forwarding.to_group = group;
        self
    }

    /// Ends all that is left of the child's descendants when it has ended, wherever they have gone: TERM, and KILL to those
    /// that are there so much later; zero: nothing of that. It is for an [`init`](Options::init), which is given orphans, only.
    #[must_use]
    pub fn drain(mut self, budget: Duration) -> Self {
        self.drain = Some(budget);
        self
    }

    /// Makes this process an init while the executor lives: a child subreaper (`PR_SET_CHILD_SUBREAPER`, prctl(2)) that
    /// reaps whatever is orphaned onto it.
    ///
    /// It then waits for *every* child of this process: not for programs that have children of their own beside
    /// the executor's, or several executors.
    #[must_use]
    pub fn init(mut self, init: bool) -> Self {
        self.init = init;
        self
    }

    /// Which signals are a stop, instead of TERM and INT: an image's own stop signal, say (WINCH for httpd). A stop starts
    /// the time of [`kill_after`](Options::kill_after); the second one hurries a [`drain`](Options::drain). A hang-up is one
    /// in any case: a HUP from the kernel, or, with [`job_control`](Options::job_control), one that comes when the terminal
    /// is gone. A signal counts as it came, whatever it is rewritten to; one that isn't passed on at all doesn't.
    ///
    /// ```
    /// use panicmon::{Executor, Options, Signal};
    /// use std::time::Duration;
    ///
    /// let options = Options::default().stop_signals([Signal::TERM, Signal::WINCH]).kill_after(Duration::from_secs(10));
    /// Executor::new(options)?.run(["true"])?;
    /// # Ok::<(), panicmon::Error>(())
    /// ```
    #[must_use]
    pub fn stop_signals(mut self, signals: impl IntoIterator<Item = Signal>) -> Self {
        self.stop_signals = Some(signals.into_iter().collect());
        self
    }

    /// Has the child killed if it hasn't ended this long after the first stop ([`stop_signals`](Options::stop_signals)) was
    /// passed on to it: by SIGKILL to its process group where it has one of its own
    /// ([`job_control`](Options::job_control)), and to itself.
    #[must_use]
    pub fn kill_after(mut self, kill_after: Duration) -> Self {
        self.kill_after = Some(kill_after);
        self
    }

    /// Puts the child in a process group of its own, and stands aside for it at the terminal, if there is one: the child
    /// is handed the terminal (tcsetpgrp(3)); a signal that the terminal sends to this program's group is passed on to
    /// the child's; when the child stops, this *program* stops by the same signal, all of its threads, and when it is
    /// continued it continues the child. At the child's end the terminal is this program's again, with the modes it had
    /// if the child died of a signal.
    ///
    /// For a program that is a wrapper of one child at a time. While the executor lives, TSTP, TTIN, TTOU and CONT are
    /// listened to whatever [`signals`](Options::signals) says, and SIGCHLD has a handler.
    ///
    /// Without it, the child is in this program's process group, and what the terminal sends reaches both.
    #[must_use]
    pub fn job_control(mut self, job_control: bool) -> Self {
        self.job_control = job_control;
        self
    }
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("handlers", &self.handlers.len())
            .field("signals", &self.signals)
            .field("stdout", &self.stdout)
            .field("stderr", &self.stderr)
            .field("init", &self.init)
            .field("job_control", &self.job_control)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(options: &Options<'_>) -> Vec<String> {
        let entries = options.environment.resolve().unwrap();
        entries.iter().map(|entry| entry.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_replaced_environment_is_exactly_the_list() {
        let options = Options::new().env("GONE", "1").env_replace(["B=2", "A=1", "B=3", "odd"]);
        assert_eq!(resolved(&options), ["B=2", "A=1", "B=3", "odd"]);
    }

    #[test]
    fn changes_keep_the_place_of_the_variable_and_leave_one_of_it() {
        let base = || Options::new().env_replace(["A=1", "B=2", "AB=3", "A=4"]);
        assert_eq!(resolved(&base().env("A", "x")), ["A=x", "B=2", "AB=3"]);
        assert_eq!(resolved(&base().env("C", "")), ["A=1", "B=2", "AB=3", "A=4", "C="]);
        assert_eq!(resolved(&base().env_remove("A")), ["B=2", "AB=3"]);
        assert_eq!(resolved(&base().env_remove("A").env("A", "9")), ["B=2", "AB=3", "A=9"]);
    }

    #[cfg(feature = "cli")]
    #[test]
    fn what_is_taken_out_leaves_all_others_to_the_byte_and_in_order() {
        let entries = [c"A=1", c"GONE=1", c"A=2", c"no-equals-sign", c"GONE=2", c"GONER=", c"", c"B=\xff", c"GONE"];
        let left = Environment::entries(&entries).without(&["GONE", "NONE"]).resolve().unwrap();
        let expected = [c"A=1", c"A=2", c"no-equals-sign", c"GONER=", c"", c"B=\xff", c"GONE"];
        assert_eq!(left, expected.map(Cow::Borrowed));
    }

    #[test]
    fn a_nul_byte_in_a_variable_is_told() {
        let error = Options::new().env("A", "x\0y").environment.resolve().unwrap_err();
        assert!(matches!(&error, Error::Nul { word } if word == "A=x\0y"), "{error}");
    }
}
