//! How a command is run.

use super::environment::Environment;
use super::streams::{Input, Output};
use crate::model::c_string::c_string;
use crate::model::error::Error;
use crate::model::exit_from::ExitFrom;
use crate::model::handler::Handler;
use crate::model::identity::Identity;
use crate::model::signal::{Signal, SignalSet};
use crate::model::signal_source::SignalSource;
use crate::model::status::StatusCode;
use crate::model::success::Success;
use crate::policy::drain::{Leftovers, Scope};
use crate::policy::forwarding::Forwarding;
use crate::policy::stop::Stops;
use crate::sys::spawn::command::Command;
use crate::sys::spawn::envp::Envp;
use crate::sys::user;
use std::borrow::Cow;
use std::ffi::{CStr, OsStr, OsString};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How an [`Executor`](crate::api::executor::Executor) runs its commands.
///
/// By default it listens to all signals, tells nobody, and the child inherits streams and environment.
///
/// What the command line has, and where it is here:
///
/// | command line | here |
/// |---|---|
/// | `COMMAND ARG...` | the words given to [`Executor::run`](super::executor::Executor::run) |
/// | `--dir` | [`dir`](Options::dir) |
/// | `--env` | [`env`](Options::env) |
/// | `--unset-env` | [`env_remove`](Options::env_remove) |
/// | `--clear-env` | [`env_clear`](Options::env_clear) |
/// | `--user` | [`user`](Options::user), by numbers: a program has its own way to look up names (NSS), or takes them from its configuration |
/// | `--signals` | [`signals`](Options::signals) |
/// | `--rewrite` | [`rewrite`](Options::rewrite), [`drop_uncaught`](Options::drop_uncaught) |
/// | `--delay` | [`delay`](Options::delay) |
/// | `--group` | [`signal_group`](Options::signal_group) |
/// | `--session` | [`session`](Options::session) |
/// | `--parent-death-signal` | [`parent_death_signal`](Options::parent_death_signal) |
/// | `--kill-after` | [`kill_after`](Options::kill_after) |
/// | `--stop-signals` | [`stop_signals`](Options::stop_signals) |
/// | `--drain` | [`drain`](Options::drain), of an [`init`](Options::init) |
/// | `--exit` | [`exit`](Options::exit) |
/// | `--success` | [`success`](Options::success); of a supervisor, the field of [`ProcessConfig`](crate::model::process_config::ProcessConfig) |
/// | `--restart`, `--min-wait`, `--max-wait`, `--no-restart-on`, `--max-restarts` | a [`Supervisor`](super::supervisor::Supervisor), with the fields of [`ProcessConfig`](crate::model::process_config::ProcessConfig) |
/// | `--label` | [`Supervisor::on_line`](super::supervisor::Supervisor::on_line): the program prints the lines its own way |
/// | `--config` | `config::read` (feature `config`), and [`Supervisor::run_all`](super::supervisor::Supervisor::run_all) |
///
/// The program's only: `--timestamps`, which belongs to how lines are printed; `--check` and `--doctor`, which tell people
/// about a file and a machine; `--verbose` and `--quiet`, since a library logs by the `log` crate, and its program decides
/// what is shown. The program's run has [`init`](Options::init) and [`job_control`](Options::job_control) on, and it has
/// the command's notifications to a service manager, which are for a process that is the service itself.
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
    pub(crate) stdin: Input,
    pub(crate) stdout: Output<'a>,
    pub(crate) stderr: Output<'a>,
    pub(crate) environment: Environment,
    pub(crate) init: bool,
    pub(crate) job_control: bool,
    pub(crate) session: bool,
    pub(crate) parent_death_signal: Option<Signal>,
    pub(crate) kill_after: Option<Duration>,
    /// `None`: TERM and INT.
    pub(crate) stop_signals: Option<SignalSet>,
    /// The first of them, which a canceller sends. `None`: TERM.
    pub(crate) cancel_signal: Option<Signal>,
    pub(crate) forwarding: Forwarding,
    pub(crate) drop_uncaught: bool,
    pub(crate) exit: Vec<(ExitFrom, StatusCode)>,
    pub(crate) success: Vec<Success>,
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
    /// every signal, as with the Go package panicmon.
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

    /// Where the child's stdin comes from; inherited by default.
    #[must_use]
    pub fn stdin(mut self, input: Input) -> Self {
        self.stdin = input;
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
        self.environment.remove(key.as_ref());
        self
    }

    /// Gives the child exactly this list of `K=V`, in this order, instead of the inherited environment; changes made
    /// by [`env`](Options::env) and [`env_remove`](Options::env_remove) before are forgotten.
    #[must_use]
    pub fn env_replace(mut self, entries: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.environment = Environment::exactly(entries.into_iter().map(|entry| entry.as_ref().to_owned()).collect());
        self
    }

    /// Gives the child no variables but those that are set [later](Options::env).
    ///
    /// ```
    /// use panicmon::{Executor, Options, Output};
    ///
    /// let mut out = Vec::new();
    /// let options = Options::default().env_clear().env("A", "1").stdout(Output::Writer(Box::new(&mut out)));
    /// Executor::new(options)?.run(["/usr/bin/env"])?;
    /// assert_eq!(out, b"A=1\n");
    /// # Ok::<(), panicmon::Error>(())
    /// ```
    #[must_use]
    pub fn env_clear(mut self) -> Self {
        self.environment = Environment::cleared();
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
        self.user = Some(Identity::new(uid, gid, groups));
        self
    }

    /// Passes `to` on to the child instead of `from`; `None`: nothing. The last for a signal counts.
    ///
    /// What a terminal sends to the child's own group, it sends itself.
    #[must_use]
    pub fn rewrite(mut self, from: Signal, to: Option<Signal>) -> Self {
        self.forwarding.rewrites.retain(|(other, _)| *other != from);
        self.forwarding.rewrites.push((from, to));
        self
    }

    /// Passes no signal on that the child would die of because it neither catches, ignores nor blocks it: what isn't for
    /// everybody (USR1, say) doesn't end a command that knows nothing of it. [Stops](Options::stop_signals), as what they
    /// are rewritten to, and TERM, INT, QUIT and HUP are passed on all the same. What is dropped is told as
    /// [`SignalDropped`](crate::model::event::SignalDropped). It takes /proc; without it, all are passed on.
    ///
    /// Where a child has all signals blocked, it may be for the moment in which it starts another program. So a signal that it
    /// isn't seen waiting for is held for up to 127 ms in which the child can run. It is passed on if all is blocked even then.
    #[must_use]
    pub fn drop_uncaught(mut self, drop: bool) -> Self {
        self.drop_uncaught = drop;
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
    /// that are still there after this time; zero: nothing of that. It is for an [`init`](Options::init), which is given orphans, only.
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
        let signals: Vec<Signal> = signals.into_iter().collect();
        self.cancel_signal = signals.first().copied();
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

    /// Has [`Executor::run`](super::executor::Executor::run) return another status for an end of the child than its own. The most special
    /// rule counts: why it ended ([`Oom`](ExitFrom::Oom), [`Timeout`](ExitFrom::Timeout),
    /// [`Requested`](ExitFrom::Requested)), then the signal, then the status; of the same, the last one. Events tell the
    /// end as it was. For an error, such as a command that isn't found, there is no rule.
    ///
    /// ```
    /// use panicmon::{Executor, ExitFrom, Options, Signal};
    ///
    /// let options = Options::default().exit(ExitFrom::Status(3), 0).exit(ExitFrom::Signal(Signal::ABRT), 99);
    /// let mut executor = Executor::new(options)?;
    /// assert_eq!(executor.run(["sh", "-c", "exit 3"])?.get(), 0);
    /// assert_eq!(executor.run(["sh", "-c", "kill -ABRT $$"])?.get(), 99);
    /// # Ok::<(), panicmon::Error>(())
    /// ```
    #[must_use]
    pub fn exit(mut self, from: ExitFrom, to: u8) -> Self {
        self.exit.retain(|(other, _)| *other != from);
        self.exit.push((from, StatusCode::new(to)));
        self
    }

    /// These ends count as a success, too, beside exit code 0: for what events say of them. The status that is returned stays
    /// the child's.
    ///
    /// ```
    /// use panicmon::{Executor, Handler, Options, ProcessExited, Signal, Success};
    ///
    /// struct Result(&'static str);
    ///
    /// impl Handler for Result {
    ///     fn process_exited(&mut self, event: &ProcessExited<'_>) {
    ///         self.0 = event.result();
    ///     }
    /// }
    ///
    /// let mut result = Result("");
    /// let options = Options::default().success([Success::Code(3), Success::Signal(Signal::USR1)]).handler(&mut result);
    /// assert_eq!(Executor::new(options)?.run(["sh", "-c", "exit 3"])?.get(), 3);
    /// assert_eq!(result.0, "success");
    /// # Ok::<(), panicmon::Error>(())
    /// ```
    #[must_use]
    pub fn success(mut self, ends: impl IntoIterator<Item = Success>) -> Self {
        self.success = ends.into_iter().collect();
        self
    }

    /// Starts the child in a session of its own (setsid(2)): with a process group of its own, and without the terminal. If
    /// this program leads its session, the terminal goes to the child's, and this program has none any more
    /// (`TIOCNOTTY`, ioctl_tty(2)). [`job_control`](Options::job_control) isn't done then.
    #[must_use]
    pub fn session(mut self, session: bool) -> Self {
        self.session = session;
        self
    }

    /// Has the kernel send this signal to this *program* when its parent dies (`PR_SET_PDEATHSIG`, prctl(2)): one that is
    /// listened to is forwarded to the child as any other; KILL ends the program, and the child with it.
    ///
    /// It is set by [`Executor::new`](super::executor::Executor::new), for the thread that calls that, and put back when the executor is
    /// dropped by the same thread. Of several executors of a thread, the newest counts. By default nothing is changed.
    #[must_use]
    pub fn parent_death_signal(mut self, signal: Signal) -> Self {
        self.parent_death_signal = Some(signal);
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

impl Options<'_> {
    /// What becomes of signals on their way.
    pub(super) fn forwarding(&self) -> Forwarding {
        let mut forwarding = self.forwarding.clone();
        if self.drop_uncaught {
            forwarding.drop_uncaught(self.stop_signals.unwrap_or(Stops::DEFAULT));
        }
        forwarding
    }

    /// What a canceller sends.
    pub(super) fn cancel_signal(&self) -> Signal {
        let first = self.cancel_signal.unwrap_or(Signal::TERM);
        self.forwarding.becomes(first).unwrap_or(first)
    }

    /// What is done about what is left behind, if it isn't asked for: this.
    pub(super) fn leftovers(&self, otherwise: Leftovers) -> Leftovers {
        match self.drain {
            Some(budget) if !self.init || budget.is_zero() => Leftovers::Ignored,
            Some(budget) => Leftovers::Ended(Scope::All, budget),
            None => otherwise,
        }
    }

    /// What is executed.
    pub(super) fn command(&self, words: Vec<Cow<'static, CStr>>) -> Result<Command, Error> {
        let mut command = Command::new(words, Arc::new(Envp::new(self.environment.resolve()?)))?;
        command.dir = self.dir.clone().map(c_string).transpose()?;
        // To become what this process is already takes no right.
        command.user = self.user.clone().filter(|user| !user::is_own(user));
        Ok(command)
    }
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("name", &self.name)
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
mod tests;
