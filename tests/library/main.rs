//! The library, in a program of its own: this one.
//!
//! Signals go to the whole program and so to every executor in it, and dispositions are the program's: the tests take
//! turns.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod options;
mod registered;
mod registrations;
mod supervisor;
#[path = "../suite/support.rs"]
mod support;
#[path = "../suite/sys.rs"]
mod sys;
mod told;

use panicmon::{
    Error, Event, Executor, ExitStatus, Handler, Options, Origin, Output, ProcessExited, Signal, SignalReceived,
    StatusCode,
};
use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use support::{PROBE, status_field, status_signals, wait_for};

fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn send_to_self(signal: i32) {
    sys::kill(std::process::id(), signal).unwrap();
}

/// Runs it in a thread of its own that blocks this signal, so that the child does, too, and none ends it too early.
fn in_blocking_thread<T: Send>(signal: i32, run: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            sys::block(signal);
            run()
        });
        thread.join().unwrap()
    })
}

#[derive(Default)]
struct Names(Vec<String>);

impl Handler for Names {
    fn event(&mut self, event: &Event<'_>) {
        self.0.push(match event {
            Event::Starting(event) => format!("starting {:?}", event.args),
            Event::Started(event) => format!("started {:?}", event.args),
            Event::Failed(event) => format!("failed {:?}: {}", event.args, event.error),
            Event::Exited(event) => format!("exited {:?}: {}", event.args, event.status),
            Event::Received(event) => format!("received {}", event.signal),
            Event::Passed(event) => format!("passed {}", event.signal),
            Event::NotPassed(event) => format!("not passed {}", event.signal),
            _ => "something new".to_owned(),
        });
    }
}

#[test]
fn a_run_is_told_from_start_to_end() {
    let _turn = turn();
    let mut names = Names::default();
    let mut executor = Executor::new(Options::default().handler(&mut names)).unwrap();
    assert_eq!(executor.run(["sh", "-c", "exit 3"]).unwrap(), StatusCode::new(3));
    assert_eq!(executor.run(["sh", "-c", "kill -KILL $$"]).unwrap(), StatusCode::new(137));
    drop(executor);
    assert_eq!(
        names.0,
        [
            r#"starting ["sh", "-c", "exit 3"]"#,
            r#"started ["sh", "-c", "exit 3"]"#,
            r#"exited ["sh", "-c", "exit 3"]: exit code 3"#,
            r#"starting ["sh", "-c", "kill -KILL $$"]"#,
            r#"started ["sh", "-c", "kill -KILL $$"]"#,
            r#"exited ["sh", "-c", "kill -KILL $$"]: killed by SIGKILL"#,
        ]
    );
}

#[test]
fn a_command_that_cannot_be_started_is_told_as_failed() {
    let _turn = turn();
    let mut names = Names::default();
    let mut executor = Executor::new(Options::default().handler(&mut names)).unwrap();
    assert_eq!(executor.run(["/no/such/file"]).unwrap_err().status_code(), StatusCode::NOT_FOUND);
    assert_eq!(executor.run(["/etc/passwd"]).unwrap_err().status_code(), StatusCode::NOT_EXECUTABLE);
    assert!(matches!(executor.run::<[&str; 0]>([]), Err(Error::EmptyCommand)));
    assert!(matches!(executor.run(["a\0b"]), Err(Error::Nul { .. })));
    drop(executor);
    let kinds: Vec<&str> = names.0.iter().filter_map(|name| name.split(' ').next()).collect();
    assert_eq!(kinds, ["starting", "started", "failed", "starting", "started", "failed", "failed", "failed"]);
    assert!(names.0[6].starts_with("failed []: the command is empty"));
}

#[test]
fn the_end_is_told_with_pid_time_and_use() {
    struct Check(mpsc::Sender<(i32, ExitStatus, bool)>);
    impl Handler for Check {
        fn process_exited(&mut self, event: &ProcessExited<'_>) {
            let used = event.usage.max_rss_bytes > 0 && event.usage.minor_faults > 0 && !event.duration.is_zero();
            self.0.send((event.pid.as_raw(), event.status, used)).unwrap();
        }
    }
    let _turn = turn();
    let (sender, receiver) = mpsc::channel();
    let mut out = Vec::new();
    let options = Options::default().handler(Check(sender)).stdout(Output::Writer(Box::new(&mut out)));
    Executor::new(options).unwrap().run(["sh", "-c", "echo $$"]).unwrap();
    let (pid, status, used) = receiver.recv().unwrap();
    assert_eq!(String::from_utf8(out).unwrap().trim().parse(), Ok(pid));
    assert_eq!((status, used), (ExitStatus::Exited(0), true));
}

#[test]
fn a_signal_between_construction_and_start_is_forwarded() {
    struct Sender(mpsc::Sender<Origin>);
    impl Handler for Sender {
        fn signal_received(&mut self, event: &SignalReceived) {
            self.0.send(event.origin).unwrap();
        }
    }
    let _turn = turn();
    let (sender, receiver) = mpsc::channel();
    let mut executor = Executor::new(Options::default().handler(Sender(sender)).stdout(Output::Null)).unwrap();
    send_to_self(libc::SIGUSR1);
    let code = in_blocking_thread(libc::SIGUSR1, || executor.run([PROBE, "exit-after", "1", "5"]).unwrap());
    assert_eq!(code.get(), 5);
    let origin = receiver.recv().unwrap();
    assert_eq!(origin.sender().map(|pid| pid.as_raw() as u32), Some(std::process::id()));
}

#[test]
fn only_a_subset_is_listened_to_if_asked() {
    let _turn = turn();
    let before = sys::disposition(libc::SIGTERM);
    let executor = Executor::new(Options::default().signals([Signal::USR1])).unwrap();
    assert_eq!(sys::disposition(libc::SIGTERM), before);
    assert!(sys::disposition(libc::SIGUSR1) > 1);
    drop(executor);
    // An empty list is the seed's word for all.
    let executor = Executor::new(Options::default().signals([])).unwrap();
    assert!(sys::disposition(libc::SIGTERM) > 1);
    drop(executor);
    for signal in [Signal::KILL, Signal::STOP, Signal::CHLD, Signal::SEGV] {
        assert!(matches!(Executor::new(Options::default().signals([signal])), Err(Error::Listen { .. })));
    }
}

#[test]
fn output_goes_into_writers_to_the_last_byte() {
    let _turn = turn();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let options =
        Options::default().stdout(Output::Writer(Box::new(&mut out))).stderr(Output::Writer(Box::new(&mut err)));
    let script = "head -c 1000000 /dev/zero; printf 'no newline'; echo problem >&2; exit 4";
    assert_eq!(Executor::new(options).unwrap().run(["sh", "-c", script]).unwrap().get(), 4);
    assert_eq!((out.len(), &out[1_000_000..]), (1_000_010, &b"no newline"[..]));
    assert_eq!(err, b"problem\n");
}

#[test]
fn a_grandchild_that_holds_the_pipe_holds_up_nobody() {
    let _turn = turn();
    let mut out = Vec::new();
    let options = Options::default().stdout(Output::Writer(Box::new(&mut out)));
    Executor::new(options).unwrap().run(["sh", "-c", "sleep 600 & echo $!"]).unwrap();
    let grandchild: u32 = String::from_utf8(out).unwrap().trim().parse().unwrap();
    let alive = sys::kill(grandchild, libc::SIGKILL);
    assert!(alive.is_ok(), "it was there still");
}

#[test]
fn a_writer_that_fails_closes_the_pipe() {
    struct Failing;
    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("no"))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let _turn = turn();
    let options = Options::default().stdout(Output::Writer(Box::new(Failing)));
    // Rust programs ignore SIGPIPE and so do their children: this one sees the failing write.
    let status = Executor::new(options).unwrap().run(["sh", "-c", "while echo x 2>/dev/null; do :; done; exit 6"]);
    assert!(matches!(status.unwrap().get(), 6 | 141));
}

#[test]
fn a_slow_writer_delays_no_signal() {
    struct Slow(mpsc::Receiver<()>);
    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // Until the test has seen the signal arrive.
            let _ = self.0.recv();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    struct Go(mpsc::Sender<()>);
    impl Handler for Go {
        fn process_exited(&mut self, _: &ProcessExited<'_>) {
            self.0.send(()).unwrap();
        }
    }
    let _turn = turn();
    let (go, wait) = mpsc::channel();
    let options = Options::default().stdout(Output::Writer(Box::new(Slow(wait)))).handler(Go(go));
    let mut executor = Executor::new(options).unwrap();
    send_to_self(libc::SIGUSR1);
    let code = in_blocking_thread(libc::SIGUSR1, || executor.run([PROBE, "exit-after", "1", "5"]).unwrap());
    assert_eq!(code.get(), 5);
}

#[test]
fn output_may_go_nowhere() {
    let _turn = turn();
    let options = Options::default().stdout(Output::Null).stderr(Output::Null);
    let script = r#"test "$(readlink /proc/$$/fd/1)$(readlink /proc/$$/fd/2)" = /dev/null/dev/null"#;
    assert!(Executor::new(options).unwrap().run(["sh", "-c", script]).unwrap().is_success());
}

#[test]
fn the_environment_is_inherited_replaced_or_amended() {
    let _turn = turn();
    let seen = |options: Options<'_>| {
        let mut out = Vec::new();
        let words = ["/usr/bin/env"];
        // The writer lives longer than the options' own.
        let shared = Arc::new(Mutex::new(Vec::new()));
        let writer = SharedWriter(Arc::clone(&shared));
        Executor::new(options.stdout(Output::Writer(Box::new(writer)))).unwrap().run(words).unwrap();
        out.append(&mut shared.lock().unwrap());
        String::from_utf8(out).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let inherited: Vec<String> = seen(Options::default());
    assert!(inherited.contains(&format!("CARGO_PKG_NAME={}", env!("CARGO_PKG_NAME"))) || inherited.len() > 1);
    assert_eq!(
        inherited.len(),
        String::from_utf8(Command::new("/usr/bin/env").output().unwrap().stdout).unwrap().lines().count()
    );
    assert_eq!(seen(Options::default().env_replace(["B=2", "A=1"])), ["B=2", "A=1"]);
    let amended = seen(Options::default().env("PANICMON_TEST", "x").env_remove("PATH"));
    assert!(amended.contains(&"PANICMON_TEST=x".to_owned()));
    assert!(!amended.iter().any(|line| line.starts_with("PATH=")));
}

struct SharedWriter(Arc<Mutex<Vec<u8>>>);

impl Write for SharedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn several_executors_each_see_each_signal_and_reap_their_own_child_only() {
    let _turn = turn();
    let mut own_child = Command::new(PROBE).args(["exit", "9"]).spawn().unwrap();
    let ready = Arc::new(Mutex::new(Vec::new()));
    thread::scope(|scope| {
        let threads: Vec<_> = (10..14)
            .map(|code| {
                let ready = Arc::clone(&ready);
                scope.spawn(move || {
                    sys::block(libc::SIGUSR1);
                    let options = Options::default().stdout(Output::Writer(Box::new(SharedWriter(ready))));
                    let words = [PROBE.to_owned(), "exit-after".to_owned(), "1".to_owned(), code.to_string()];
                    (code, Executor::new(options).unwrap().run(words).unwrap())
                })
            })
            .collect();
        wait_for("four children", || (ready.lock().unwrap().len() == 4 * "ready\n".len()).then_some(()));
        send_to_self(libc::SIGUSR1);
        for thread in threads {
            let (code, status) = thread.join().unwrap();
            assert_eq!(status.get(), code);
        }
    });
    assert_eq!(own_child.wait().unwrap().code(), Some(9), "the program's own child is still its own");
}

/// Dispositions of all signals, the mask of this thread, and the subreaper flag.
fn state() -> (Vec<usize>, String, bool) {
    let mask = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let mask = mask.lines().find(|line| line.starts_with("SigBlk")).unwrap().to_owned();
    let subreaper = nix::sys::prctl::get_child_subreaper().unwrap();
    ((1..=64).map(sys::disposition).collect(), mask, subreaper)
}

#[test]
fn the_program_is_as_before_when_executors_are_done() {
    let _turn = turn();
    sys::set_disposition(libc::SIGHUP, 1);
    let before = state();
    for round in 0..3 {
        let mut executor = Executor::new(Options::default().init(round == 2)).unwrap();
        let second = Executor::new(Options::default()).unwrap();
        assert!(sys::disposition(libc::SIGTERM) > 1 && sys::disposition(libc::SIGHUP) > 1, "round {round}");
        send_to_self(libc::SIGWINCH);
        assert!(executor.run(["true"]).unwrap().is_success());
        assert_eq!(state().2, round == 2);
        drop(executor);
        assert!(sys::disposition(libc::SIGTERM) > 1, "the other one is still there");
        drop(second);
        assert!(state() == before, "round {round}");
    }
    sys::set_disposition(libc::SIGHUP, 0);
}

#[test]
fn what_the_program_ignored_the_child_ignores_and_what_it_handled_has_its_default() {
    let _turn = turn();
    sys::set_disposition(libc::SIGHUP, 1);
    let mut running = Vec::new();
    let mut executor = Executor::new(Options::default().stdout(Output::Writer(Box::new(&mut running)))).unwrap();
    // `exec`, so that no shell's own handlers are seen.
    executor.run(["sh", "-c", "exec cat /proc/self/status"]).unwrap();
    drop(executor);
    sys::set_disposition(libc::SIGHUP, 0);
    let status = String::from_utf8(running).unwrap();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        u64::from_str_radix(line.split_once(':').unwrap().1.trim(), 16).unwrap()
    };
    assert_eq!((field("SigBlk"), field("SigCgt")), (0, 0));
    assert_eq!(field("SigIgn"), status_signals(std::process::id(), "SigIgn") | 1 << (libc::SIGHUP - 1));
}

#[test]
fn an_ignored_sigchld_loses_no_status() {
    let _turn = turn();
    sys::set_disposition(libc::SIGCHLD, 1);
    let mut executor = Executor::new(Options::default()).unwrap();
    let code = executor.run(["sh", "-c", "exit 42"]);
    drop(executor);
    let after = sys::disposition(libc::SIGCHLD);
    sys::set_disposition(libc::SIGCHLD, 0);
    assert_eq!((code.unwrap().get(), after), (42, 1));
}

#[test]
fn thousands_of_queued_signals_arrive() {
    let _turn = turn();
    let shared = Arc::new(Mutex::new(Vec::new()));
    let options = Options::default().stdout(Output::Writer(Box::new(SharedWriter(Arc::clone(&shared)))));
    let mut executor = Executor::new(options).unwrap();
    thread::scope(|scope| {
        let thread = scope.spawn(|| executor.run([PROBE, "exit-after", "9000", "7"]).unwrap());
        wait_for("the child to be ready", || (!shared.lock().unwrap().is_empty()).then_some(()));
        let own = std::process::id().to_string();
        let mut sender = Command::new(PROBE).args(["queue", &own, "3000", "40", "41", "42"]).spawn().unwrap();
        assert!(sender.wait().unwrap().success());
        assert_eq!(thread.join().unwrap().get(), 7);
    });
}

struct CountPassed(Arc<AtomicUsize>);

impl Handler for CountPassed {
    fn signal_passed(&mut self, _: &panicmon::SignalPassed) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_signal_of_a_fault_is_forwarded_when_it_was_sent() {
    let _turn = turn();
    let shared = Arc::new(Mutex::new(Vec::new()));
    let passed = Arc::new(AtomicUsize::new(0));
    let options = Options::default().stdout(Output::Writer(Box::new(SharedWriter(Arc::clone(&shared)))));
    let mut executor = Executor::new(options.handler(CountPassed(Arc::clone(&passed)))).unwrap();
    thread::scope(|scope| {
        let thread = scope.spawn(|| executor.run([PROBE, "exit-after", "4", "8"]).unwrap());
        wait_for("the child to be ready", || (!shared.lock().unwrap().is_empty()).then_some(()));
        let child = support::children(std::process::id())[0];
        // Rust's own handler for SIGBUS would be gone after the first.
        for (sent, signal) in [libc::SIGBUS, libc::SIGBUS, libc::SIGSYS, libc::SIGTRAP].into_iter().enumerate() {
            send_to_self(signal);
            wait_for("it to be passed on", || (passed.load(Ordering::SeqCst) > sent).then_some(()));
            // exit-after has them all blocked, and takes them one by one: none is pending when the next is sent.
            wait_for("it to be taken", || {
                let pending = status_signals(child, "ShdPnd") | status_signals(std::process::id(), "ShdPnd");
                (pending & 1 << (signal - 1) == 0).then_some(())
            });
        }
        assert_eq!(thread.join().unwrap().get(), 8);
    });
}

#[test]
fn a_handler_that_panics_takes_the_child_with_it() {
    struct Panics(mpsc::Sender<i32>);
    impl Handler for Panics {
        fn signal_received(&mut self, event: &SignalReceived) {
            self.0.send(event.child.as_raw()).unwrap();
            panic!("the handler's own");
        }
    }
    let _turn = turn();
    let (sender, receiver) = mpsc::channel();
    let mut executor = Executor::new(Options::default().handler(Panics(sender))).unwrap();
    send_to_self(libc::SIGUSR1);
    let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| executor.run([PROBE, "pause"])));
    assert!(run.is_err());
    let child = receiver.recv().unwrap() as u32;
    assert_eq!(status_field(child, "State"), None, "it was killed and reaped");
}

#[test]
fn an_init_reaps_what_is_orphaned() {
    let _turn = turn();
    let mut executor = Executor::new(Options::default().init(true)).unwrap();
    assert_eq!(executor.run([PROBE, "burst", "50", "3"]).unwrap().get(), 3);
    // What ended after the child is still a child of this program: the next run reaps it.
    wait_for("no child to be left", || {
        executor.run(["true"]).unwrap();
        support::children(std::process::id()).is_empty().then_some(())
    });
}

static HANDLED: AtomicUsize = AtomicUsize::new(0);

extern "C" fn count(_: i32) {
    HANDLED.fetch_add(1, Ordering::SeqCst);
}

#[test]
fn handlers_the_program_installs_at_any_time_are_called_and_stay() {
    let _turn = turn();
    drop(Executor::new(Options::default()).unwrap());
    // Installed after a first executor came and went.
    sys::handle(libc::SIGUSR2, count);
    let ours = sys::disposition(libc::SIGUSR2);
    let executor = Executor::new(Options::default()).unwrap();
    send_to_self(libc::SIGUSR2);
    wait_for("the program's handler to be called", || (HANDLED.load(Ordering::SeqCst) == 1).then_some(()));
    // Installed while one is there.
    sys::handle(libc::SIGUSR1, count);
    drop(executor);
    assert_eq!([libc::SIGUSR1, libc::SIGUSR2].map(sys::disposition), [ours; 2]);
    send_to_self(libc::SIGUSR1);
    wait_for("the program's handler to be called", || (HANDLED.load(Ordering::SeqCst) == 2).then_some(()));
    // Taken away again: nobody calls it any more.
    sys::set_disposition(libc::SIGUSR2, 1);
    let executor = Executor::new(Options::default()).unwrap();
    send_to_self(libc::SIGUSR2);
    drop(executor);
    assert_eq!(HANDLED.load(Ordering::SeqCst), 2);
    sys::set_disposition(libc::SIGUSR1, 0);
    sys::set_disposition(libc::SIGUSR2, 0);
}

static CHILDREN_HANDLED: AtomicUsize = AtomicUsize::new(0);

extern "C" fn count_children(_: i32) {
    CHILDREN_HANDLED.fetch_add(1, Ordering::SeqCst);
}

/// Continues a child that has stopped, of which the program's handler hasn't heard.
struct Continues;

impl Handler for Continues {
    fn event(&mut self, event: &Event<'_>) {
        if let Event::Stopped(stopped) = event {
            assert_eq!(CHILDREN_HANDLED.load(Ordering::SeqCst), 0);
            sys::kill(stopped.pid.as_raw() as u32, libc::SIGCONT).unwrap();
        }
    }
}

#[test]
fn stops_are_heard_though_the_program_does_not_want_to_hear_of_them() {
    let _turn = turn();
    let before = sys::save(libc::SIGCHLD);
    sys::handle(libc::SIGCHLD, count_children);
    let mut ends_only = sys::save(libc::SIGCHLD);
    ends_only.sa_flags |= libc::SA_NOCLDSTOP;
    sys::restore(libc::SIGCHLD, &ends_only);
    let run = thread::spawn(|| {
        let mut executor = Executor::new(Options::default().init(true).handler(Continues)).unwrap();
        executor.run(["sh", "-c", "kill -STOP $$; exit 3"]).unwrap().get()
    });
    wait_for("the child to be continued, and to end", || run.is_finished().then_some(()));
    assert_eq!(run.join().unwrap(), 3);
    let after = sys::save(libc::SIGCHLD);
    assert_eq!((after.sa_sigaction, after.sa_flags), (ends_only.sa_sigaction, ends_only.sa_flags));
    sys::restore(libc::SIGCHLD, &before);
}

#[test]
fn a_fork_of_the_program_ends_by_a_signal_as_ever() {
    let _turn = turn();
    let executor = Executor::new(Options::default()).unwrap();
    let fork = sys::fork_that_pauses();
    sys::kill(fork, libc::SIGTERM).unwrap();
    let ended = nix::sys::wait::waitpid(nix::unistd::Pid::from_raw(fork as i32), None).unwrap();
    drop(executor);
    assert!(
        matches!(ended, nix::sys::wait::WaitStatus::Signaled(_, nix::sys::signal::Signal::SIGTERM, _)),
        "{ended:?}"
    );
}

/// As libraries do that share signals: they stay, whichever executors come and go.
#[test]
fn a_handler_that_calls_ours_isnt_called_by_it_for_ever() {
    let _turn = turn();
    let first = Executor::new(Options::default()).unwrap();
    sys::chain(libc::SIGUSR1);
    let calls = || sys::CHAIN_CALLS.load(Ordering::SeqCst);
    send_to_self(libc::SIGUSR1);
    wait_for("the handler to be called", || (calls() == 1).then_some(()));
    drop(first);
    let mut second = Executor::new(Options::default()).unwrap();
    send_to_self(libc::SIGUSR1);
    wait_for("the handler to be called", || (calls() == 2).then_some(()));
    let code = in_blocking_thread(libc::SIGUSR1, || second.run([PROBE, "until", "10", "5"]).unwrap());
    assert_eq!(code.get(), 5);
    drop(second);
    sys::set_disposition(libc::SIGUSR1, 0);
}

/// As system(3) does with INT and QUIT.
#[test]
fn our_handler_put_back_by_the_program_does_no_harm() {
    let _turn = turn();
    let first = Executor::new(Options::default()).unwrap();
    let saved = sys::save(libc::SIGINT);
    sys::set_disposition(libc::SIGINT, 1);
    drop(first);
    sys::restore(libc::SIGINT, &saved);
    let ended = sys::in_fork(|| {
        send_to_self(libc::SIGINT);
        0
    });
    assert_eq!(ended.signal(), Some(libc::SIGINT), "nobody listens, and the program has the default");
    let mut second = Executor::new(Options::default()).unwrap();
    send_to_self(libc::SIGINT);
    let code = in_blocking_thread(libc::SIGINT, || second.run([PROBE, "until", "2", "5"]).unwrap());
    assert_eq!(code.get(), 5);
    drop(second);
    assert_eq!(sys::disposition(libc::SIGINT), 0);
}

#[test]
fn a_fork_may_have_executors_of_its_own() {
    let _turn = turn();
    let executors = [Executor::new(Options::default()).unwrap(), Executor::new(Options::default()).unwrap()];
    let listens = || {
        let executor = Executor::new(Options::default()).unwrap();
        send_to_self(libc::SIGTERM);
        drop(executor);
        7
    };
    assert_eq!(sys::in_fork(listens).code(), Some(7));
    drop(executors);
    assert_eq!(sys::in_fork(listens).code(), Some(7));
}

#[test]
fn children_of_a_program_that_ignores_sigchld_dont_stay_zombies() {
    let _turn = turn();
    sys::set_disposition(libc::SIGCHLD, 1);
    let executor = Executor::new(Options::default()).unwrap();
    let child = sys::fork_that_pauses();
    sys::kill(child, libc::SIGKILL).unwrap();
    wait_for("the child's end", || status_field(child, "State").filter(|state| state.starts_with('Z')));
    drop(executor);
    assert_eq!(status_field(child, "State"), None);
    sys::set_disposition(libc::SIGCHLD, 0);
}

#[test]
fn a_timer_of_the_program_isnt_the_childs() {
    let _turn = turn();
    let mut executor = Executor::new(Options::default()).unwrap();
    sys::handle(libc::SIGALRM, count_alarms);
    drop(executor);
    executor = Executor::new(Options::default().stdout(Output::Null)).unwrap();
    sys::set_timer(1000);
    // Were it passed on, the child would end by it: ALRM's default.
    let ending = thread::spawn(|| {
        wait_for("some alarms", || (ALARMS.load(Ordering::SeqCst) > 20).then_some(()));
        send_to_self(libc::SIGUSR1);
    });
    let code = thread::scope(|scope| scope.spawn(|| executor.run([PROBE, "pause"])).join().unwrap().unwrap());
    sys::set_timer(0);
    ending.join().unwrap();
    drop(executor);
    // To ignore it discards one that is still on its way.
    sys::set_disposition(libc::SIGALRM, 1);
    sys::set_disposition(libc::SIGALRM, 0);
    assert_eq!(code.get(), 128 + libc::SIGUSR1 as u8);
}

static ALARMS: AtomicUsize = AtomicUsize::new(0);

extern "C" fn count_alarms(_: i32) {
    ALARMS.fetch_add(1, Ordering::SeqCst);
}

#[test]
fn a_signal_that_found_the_queue_full_is_forwarded_all_the_same() {
    let _turn = turn();
    let mut executor = Executor::new(Options::default().stdout(Output::Null)).unwrap();
    for _ in 0..60_000 {
        send_to_self(libc::SIGWINCH);
    }
    send_to_self(libc::SIGINT);
    let code = in_blocking_thread(libc::SIGINT, || executor.run([PROBE, "until", "2", "5"]).unwrap());
    assert_eq!(code.get(), 5);
}

#[test]
fn overlapping_executors_give_back_sigchld_and_the_subreaper_flag() {
    let _turn = turn();
    sys::set_disposition(libc::SIGCHLD, 1);
    let before = state();
    for orders in [[false, true], [true, false], [true, true]] {
        for first_goes_first in [true, false] {
            let first = Executor::new(Options::default().init(orders[0])).unwrap();
            let second = Executor::new(Options::default().init(orders[1])).unwrap();
            let (sooner, later) = if first_goes_first { (first, second) } else { (second, first) };
            let later_is_init = if first_goes_first { orders[1] } else { orders[0] };
            drop(sooner);
            assert_eq!(state().2, later_is_init);
            drop(later);
            assert!(state() == before, "{orders:?} {first_goes_first}");
        }
    }
    sys::set_disposition(libc::SIGCHLD, 0);
}

#[test]
fn a_child_that_enlarges_its_pipe_loses_nothing() {
    let _turn = turn();
    let mut out = Vec::new();
    let options = Options::default().stdout(Output::Writer(Box::new(&mut out)));
    Executor::new(options).unwrap().run([PROBE, "enlarge-and-write", "900000"]).unwrap();
    assert_eq!(out.len(), 900_000);
}

#[test]
fn a_writer_that_panics_costs_no_status() {
    struct Panics;
    impl Write for Panics {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            panic!("the writer's own");
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let _turn = turn();
    let options = Options::default().stdout(Output::Writer(Box::new(Panics)));
    assert_eq!(Executor::new(options).unwrap().run(["sh", "-c", "echo x; exit 4"]).unwrap().get(), 4);
}
