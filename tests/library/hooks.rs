//! `handlers::Hook`: commands that are run for events.

use crate::program::logged;
use crate::support::{PROBE, Scratch, children, deadline, status_field, status_signals, wait_for};
use crate::{sys, turn};
use panicmon::{Error, Event, Executor, Handler, Options, ProcessFailed, handlers::Hook};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::Duration;

/// A folder of its own for a test.
struct Place(Scratch);

impl Place {
    fn new() -> Place {
        Place(Scratch::folder())
    }

    /// A hook that is this script, in which `$D` is the folder.
    fn hook(&self, script: &str) -> Hook {
        Hook::new(["sh", "-c", &self.script(script)]).unwrap()
    }

    fn script(&self, script: &str) -> String {
        script.replace("$D", self.0.0.to_str().unwrap())
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.0.0.join(name)).unwrap_or_default()
    }

    /// What a hook has written, once it is a whole line.
    fn line(&self, name: &str) -> String {
        wait_for(name, || Some(self.text(name)).filter(|text| text.ends_with('\n'))).trim_end().to_owned()
    }

    /// Lets those go on that wait for it.
    fn go(&self) {
        fs::write(self.0.0.join("go"), "").unwrap();
    }
}

/// For a script: waits until it may go on.
const WAIT: &str = "until [ -e $D/go ]; do sleep 0.01; done";

fn is_there(pid: &str) -> bool {
    status_field(pid.parse().unwrap(), "State").is_some_and(|state| !state.starts_with('Z'))
}

/// Runs a command, and waits for the hook.
fn run(hook: Hook, options: Options<'_>, command: &[&str]) -> Result<u8, Error> {
    let mut executor = Executor::new(options.handler(hook)).unwrap();
    executor.run(command).map(|status| status.get())
}

fn only_start(event: &Event<'_>) -> bool {
    matches!(event, Event::Started(_))
}

#[test]
fn a_hook_gets_the_event_and_what_systemd_says_of_an_end() {
    let _turn = turn();
    for (script, [result, code, status]) in
        [("exit 3", ["exit-code", "exited", "3"]), ("kill -TERM $$", ["signal", "killed", "TERM"])]
    {
        let place = Place::new();
        let hook = place.hook("cat >$D/event; env >$D/env");
        run(hook, Options::default().name("web"), &["sh", "-c", script]).unwrap();
        let event: Value = serde_json::from_str(&place.text("event")).unwrap();
        let of = |key: &str| event[key].clone();
        assert_eq!(
            (of("event"), of("name"), of("seq"), of("run")),
            ("process.exited".into(), "web".into(), 3.into(), 1.into())
        );
        assert_eq!(of("result"), result);
        let text = place.text("env");
        let variables: BTreeMap<_, _> = text.lines().filter_map(|line| line.split_once('=')).collect();
        for (name, value) in [
            ("PANICMON_EVENT", "process.exited"),
            ("PANICMON_NAME", "web"),
            ("SERVICE_RESULT", result),
            ("EXIT_CODE", code),
            ("EXIT_STATUS", status),
        ] {
            assert_eq!(variables.get(name), Some(&value), "{name}: {text}");
        }
        assert_eq!(variables.get("PATH").map(|path| (*path).to_owned()), std::env::var("PATH").ok());
    }
}

/// The JSON is longer than a pipe holds, and isn't read until the run has ended.
#[test]
fn an_event_that_isnt_read_holds_up_nobody() {
    let _turn = turn();
    let place = Place::new();
    let hook = place.hook(&format!("{WAIT}; wc -c >$D/bytes")).on(only_start);
    let name = "x".repeat(100_000);
    let mut executor = Executor::new(Options::default().name(&*name).handler(hook)).unwrap();
    executor.run(["true"]).unwrap();
    place.go();
    drop(executor);
    assert!(place.line("bytes").trim().parse::<usize>().unwrap() > 100_000);
}

/// What the program has blocked, ignored or handles isn't the hook's, nor are its descriptors.
#[test]
fn a_hook_begins_as_if_nobody_had_prepared_anything() {
    extern "C" fn nothing(_: i32) {}
    let _turn = turn();
    let place = Place::new();
    let before = [libc::SIGHUP, libc::SIGUSR2].map(|signal| (signal, sys::save(signal)));
    sys::set_disposition(libc::SIGHUP, libc::SIG_IGN);
    sys::handle(libc::SIGUSR2, nothing);
    let inherited = fs::File::open("/dev/null").unwrap();
    nix::fcntl::fcntl(&inherited, nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty())).unwrap();
    let ran = thread::scope(|scope| {
        let run = || {
            sys::block(libc::SIGUSR1);
            // A shell would clear its mask.
            let status = Hook::new(["cp", "/proc/self/status", &place.script("$D/status")]).unwrap();
            run(status, Options::default(), &["true"])?;
            let hook = place.hook(
                "ls /proc/self/fd >$D/fds; \
                 cut -d' ' -f5 /proc/$$/stat >$D/group; echo $$ >$D/pid",
            );
            run(hook, Options::default(), &["true"])
        };
        scope.spawn(run).join().unwrap()
    });
    for (signal, action) in &before {
        sys::restore(*signal, action);
    }
    ran.unwrap();
    let status = place.text("status");
    let signals: Vec<_> =
        status.lines().filter(|line| ["SigBlk", "SigIgn"].contains(&line.get(..6).unwrap_or_default())).collect();
    assert_eq!(signals, ["SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000"]);
    // The last is that of ls itself.
    assert_eq!(place.text("fds"), "0\n1\n2\n3\n");
    assert_eq!(place.line("group"), place.line("pid"));
}

/// It lives for ever, with a child.
const FAMILY: &str = "sleep 1000 & echo $! >$D/child; echo $$ >$D/hook; wait";

#[test]
fn a_hook_that_hangs_is_killed_with_its_group_and_that_is_logged() {
    let _turn = turn();
    // On a busy machine it may be killed before it has said who it is: then it has more time.
    for timeout in [300, 3_000, 30_000].map(Duration::from_millis) {
        let place = Place::new();
        let hook = place.hook(FAMILY).on(only_start).timeout(timeout);
        let name = format!("hanging {timeout:?}");
        let mut executor = Executor::new(Options::default().name(&*name).handler(hook)).unwrap();
        let killed = thread::scope(|scope| {
            // The command lives longer than the hook.
            let watch = scope.spawn(|| {
                let said = wait_for("the end of the hook", || Some(logged(&name)).filter(|said| !said.is_empty()));
                place.go();
                said
            });
            executor.run(["sh", "-c", &place.script(WAIT)]).unwrap();
            watch.join().unwrap()
        });
        assert_eq!(
            killed,
            [format!("WARN hook: sh for process.started of {name}: it hadn't ended after {timeout:?}, and was killed")]
        );
        drop(executor);
        if !place.text("hook").is_empty() {
            assert!(!is_there(&place.line("hook")));
            wait_for("the end of its child", || (!is_there(&place.line("child"))).then_some(()));
            return;
        }
    }
    panic!("it never came to say who it is");
}

/// The run ends while the hook hangs; dropped, the handler waits for the hook, but no longer than that may run.
#[test]
fn a_hook_that_hangs_delays_no_run_and_the_end_by_no_more_than_its_timeout() {
    let _turn = turn();
    let place = Place::new();
    // A run that waited for it would meet the test's deadline.
    let hook = place.hook(FAMILY).on(only_start).timeout(4 * deadline());
    let mut executor = Executor::new(Options::default().handler(hook)).unwrap();
    executor.run(["sh", "-c", &place.script("until [ -s $D/hook ]; do sleep 0.01; done")]).unwrap();
    let hanging = place.line("hook");
    assert!(is_there(&hanging), "the run has waited for it");
    sys::kill(hanging.parse().unwrap(), libc::SIGKILL).unwrap();
    drop(executor);
    assert!(!children(std::process::id()).contains(&hanging.parse().unwrap()), "it is reaped");

    let hook = Place::new().hook("exec sleep 1000").timeout(Duration::from_millis(300));
    run(hook, Options::default().name("late"), &["true"]).unwrap();
    let said = logged("of late");
    // Which of the two it is depends on which begins later: the hook, or the waiting.
    assert!(said.len() == 1 && said[0].contains("300ms"), "{said:?}");
}

#[test]
fn the_end_waits_for_hooks_that_run_and_for_those_that_wait() {
    let _turn = turn();
    let place = Place::new();
    let hook = place.hook(&format!("echo >$D/began.$$; {WAIT}; echo >$D/done.$$")).on(only_start);
    let hook = hook.timeout(4 * deadline());
    let mut executor = Executor::new(Options::default().handler(hook)).unwrap();
    for _ in 0..6 {
        executor.run(["true"]).unwrap();
    }
    let count = |prefix: &str| {
        let names = fs::read_dir(&place.0.0).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_str().unwrap().starts_with(prefix)).count()
    };
    wait_for("four hooks", || (count("began.") == 4).then_some(()));
    assert_eq!(children(std::process::id()).len(), 4);
    place.go();
    drop(executor);
    assert_eq!((count("began."), count("done.")), (6, 6));
}

#[test]
fn of_more_events_than_can_wait_the_oldest_are_dropped_and_counted() {
    let _turn = turn();
    let place = Place::new();
    let mut hook = place.hook(&format!("echo $PANICMON_NAME >>$D/began; {WAIT}")).timeout(4 * deadline());
    let mut told = |number: usize| {
        let failed = ProcessFailed::new(format!("dropped {number}"), Vec::new(), Error::Cancelled);
        hook.event(&Event::Failed(failed));
    };
    (0..4).for_each(&mut told);
    wait_for("four hooks", || (place.text("began").lines().count() == 4).then_some(()));
    (4..4 + 64 + 32).for_each(&mut told);
    place.go();
    drop(hook);
    assert_eq!(place.text("began").lines().count(), 4 + 64);
    assert!(place.text("began").contains("dropped 99"), "the last counts most");
    assert_eq!(logged("too many events").len(), 1);
    assert!(logged("too many events")[0].starts_with("WARN hook: 32 were not run"));
}

#[test]
fn what_goes_wrong_is_logged_and_changes_no_run() {
    let _turn = turn();
    for (words, name, why) in [
        (
            &["/nowhere/hook"] as &[&str],
            "missing",
            "hook: /nowhere/hook for process.exited of missing: /nowhere/hook: ",
        ),
        (&["sh", "-c", "exit 7"], "failing", "hook: sh for process.exited of failing: exit code 7"),
    ] {
        let status = run(Hook::new(words).unwrap(), Options::default().name(name), &["sh", "-c", "exit 3"]);
        assert_eq!(status.unwrap(), 3);
        let said = logged(&format!("of {name}"));
        assert!(said.len() == 1 && said[0].starts_with(&format!("WARN {why}")), "{said:?}");
    }
}

#[test]
fn a_command_that_cant_be_meant_is_refused() {
    assert!(matches!(Hook::new([] as [&str; 0]), Err(Error::EmptyCommand)));
    assert!(matches!(Hook::new([""]), Err(Error::NotFound { .. })));
    assert!(matches!(Hook::new(["a\0b"]), Err(Error::Nul { .. })));
}

/// It reaps its own children, and nobody else's.
#[test]
fn other_children_of_the_program_stay() {
    let _turn = turn();
    let place = Place::new();
    let other = sys::fork_that_pauses();
    sys::kill(other, libc::SIGKILL).unwrap();
    run(place.hook("echo >$D/done"), Options::default(), &[PROBE, "exit", "0"]).unwrap();
    assert_eq!(place.text("done"), "\n");
    assert_eq!(children(std::process::id()), [other]);
    nix::sys::wait::waitpid(nix::unistd::Pid::from_raw(other as i32), None).unwrap();
}

/// An executor that waits for all children may have waited for it, or the kernel, where the program ignores SIGCHLD.
#[test]
fn a_hook_that_somebody_else_has_waited_for_has_ended() {
    let _turn = turn();
    let mut hook = Place::new().hook("exit 7").timeout(4 * deadline());
    sys::set_disposition(libc::SIGCHLD, libc::SIG_IGN);
    hook.event(&Event::Failed(ProcessFailed::new("lost", Vec::new(), Error::Cancelled)));
    drop(hook);
    sys::set_disposition(libc::SIGCHLD, libc::SIG_DFL);
    let said = "WARN hook: sh for process.failed of lost: somebody else has waited for it: its status is lost";
    assert_eq!(logged("of lost"), [said]);
}

#[test]
fn what_a_hook_leaves_in_its_group_is_killed_with_its_end() {
    let _turn = turn();
    let place = Place::new();
    run(place.hook("sleep 1000 & echo $! >$D/left"), Options::default(), &["true"]).unwrap();
    let left = place.line("left");
    wait_for("the end of what it has left", || (!is_there(&left)).then_some(()));
}

/// Those that wait for their turn get no time of their own.
#[test]
fn the_end_gives_up_hooks_that_wait_for_those_that_hang() {
    let _turn = turn();
    let mut hook = Hook::new(["sleep", "1000"]).unwrap().timeout(Duration::from_millis(300));
    for _ in 0..6 {
        hook.event(&Event::Failed(ProcessFailed::new("given up", Vec::new(), Error::Cancelled)));
    }
    drop(hook);
    // Two have waited, or have begun when the first four were killed.
    let unstarted = logged("hook: 2 were not run: the end waits no longer than 300ms for hooks").len();
    let begun = logged("of given up: it was killed: the end waits no longer than 300ms for hooks").len();
    assert!(unstarted == 1 || begun >= 2, "{unstarted} {begun}");
}

#[test]
fn a_fork_of_the_program_doesnt_wait_for_hooks() {
    let _turn = turn();
    let place = Place::new();
    let mut hook = place.hook(&format!("echo >$D/began; {WAIT}; echo >$D/done")).timeout(4 * deadline());
    hook.event(&Event::Failed(ProcessFailed::new("forked", Vec::new(), Error::Cancelled)));
    place.line("began");
    let mut hook = Some(hook);
    // The copy has an end: it has one thread, in which this returns.
    let forked = sys::in_fork(|| {
        drop(hook.take());
        0
    });
    place.go();
    assert!(forked.success() && place.text("done").is_empty());
    drop(hook);
    assert_eq!(place.text("done"), "\n");
}

/// The host may read a signal from a signalfd, which all of its threads must have blocked for that.
#[test]
fn the_thread_of_a_hook_takes_no_signal_of_the_program() {
    let _turn = turn();
    let own = || {
        let status = fs::read_to_string("/proc/thread-self/status").unwrap();
        status.lines().find(|line| line.starts_with("SigBlk")).unwrap().to_owned()
    };
    let before = own();
    let hook = Place::new().hook("exit 0");
    assert_eq!(own(), before);
    let thread = wait_for("the thread", || {
        let tasks = fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().file_name());
        let mut tasks = tasks.map(|task| task.to_str().unwrap().to_owned());
        tasks.find(|task| {
            fs::read_to_string(format!("/proc/self/task/{task}/comm")).is_ok_and(|name| name == "panicmon-hook\n")
        })
    });
    let mask = status_signals(thread.parse().unwrap(), "SigBlk");
    let is_blocked = |signal: i32| mask >> (signal - 1) & 1 == 1;
    let sent = [libc::SIGHUP, libc::SIGTERM, libc::SIGUSR1, libc::SIGCHLD, libc::SIGPROF, 34, 64];
    assert!(sent.into_iter().all(is_blocked), "{mask:x}");
    // Its faults, and what the C library does with all threads.
    assert!(![libc::SIGSEGV, libc::SIGBUS, 32, 33].into_iter().any(is_blocked), "{mask:x}");
    drop(hook);
}
