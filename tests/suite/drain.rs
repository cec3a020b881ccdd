//! `--drain`: all that an ended command leaves behind is ended, and nothing else.

use crate::support::{
    LEADS_SESSION, PROBE, Running, Scratch, by_shell, children, output, panicmon, script_with, status, status_field,
    status_signals, wait_for, with_one_pipe,
};
use crate::sys;
use std::process::{Child, Command, Stdio};

fn is_gone(pid: u32) -> bool {
    status_field(pid, "State").is_none_or(|state| state.starts_with('Z'))
}

/// The script with the probe as its `$0`, once this count have said that they are ready.
fn ready(options: &[&str], script: &str, count: usize) -> Running {
    let mut command = script_with(options, script);
    command.arg(PROBE);
    let mut running = Running::start(command);
    for _ in 0..count {
        assert_eq!(running.line().as_deref(), Some("ready"));
    }
    running
}

/// Somebody else, in the same PID namespace: neither a descendant, nor to be touched.
struct Bystander(Child);

impl Bystander {
    fn new() -> Bystander {
        // Of the same session and process group as panicmon is, and of the same user.
        let mut child = Command::new(PROBE).args(["until", "10", "5"]).stdin(Stdio::null()).spawn().unwrap();
        assert!(child.try_wait().unwrap().is_none());
        Bystander(child)
    }

    /// It lives, and no signal is waiting for it, blocked as they all are: none was sent.
    fn was_left_alone(mut self) {
        let pending = |field| status_field(self.0.id(), field).unwrap();
        assert_eq!((pending("SigPnd"), pending("ShdPnd")), ("0".repeat(16), "0".repeat(16)));
        sys::kill(self.0.id(), libc::SIGUSR1).unwrap();
        let status = wait_for("the bystander's end", || self.0.try_wait().unwrap());
        assert_eq!(status.code(), Some(5));
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn without_it_or_with_zero_what_is_left_lives_on() {
    for options in [&[] as &[&str], &["--drain", "0"]] {
        let mut running = Running::start(script_with(options, "sleep 1000 >/dev/null & echo $!; exit 3"));
        let left: u32 = running.line().unwrap().parse().unwrap();
        assert_eq!(running.code(), 3);
        assert!(!is_gone(left), "{options:?}");
        sys::kill(left, libc::SIGKILL).unwrap();
    }
}

#[test]
fn a_worker_may_finish() {
    // It takes its time after TERM: a second, of the hour that it has.
    let worker = "trap 'sleep 1; echo finished; exit' TERM; echo ready; while :; do sleep 1000 & wait; done";
    let mut running = ready(&["--drain", "1h"], &format!("({worker}) & exec \"$0\" await 10 3"), 2);
    running.kill(libc::SIGUSR1);
    assert_eq!(running.line().as_deref(), Some("finished"));
    assert_eq!(running.code(), 3);
}

#[test]
fn all_descendants_wherever_they_went_get_one_term() {
    let bystander = Bystander::new();
    // In the background; in a session of its own; orphaned before; two below it; stopped.
    let script = "one() { sh -c 'trap \"echo $0; exit\" TERM; echo ready; while :; do sleep 1000 & wait; done' $1; }; \
        one plain & \
        setsid sh -c 'trap \"echo session; exit\" TERM; echo ready; while :; do sleep 1000 & wait; done' & \
        (one orphan &) ; \
        sh -c 'sh -c \"trap \\\"echo below; exit\\\" TERM; echo ready; while :; do sleep 1000 & wait; done\" & wait' & \
        sh -c 'trap \"echo stopped; exit\" TERM; echo ready; kill -STOP $$; while :; do :; done' & \
        exec \"$0\" await 10 7";
    let mut running = ready(&["--drain", "1h"], script, 6);
    let below = |pid| all_below(pid);
    let wrapper = running.pid();
    wait_for("one to be stopped", || {
        below(wrapper).into_iter().find(|pid| status_field(*pid, "State").is_some_and(|state| state.starts_with('T')))
    });
    running.kill(libc::SIGUSR1);
    let mut told: Vec<_> = std::iter::from_fn(|| running.line()).collect();
    told.sort_unstable();
    assert_eq!(told, ["below", "orphan", "plain", "session", "stopped"]);
    assert_eq!(running.code(), 7);
    bystander.was_left_alone();
}

fn all_below(pid: u32) -> Vec<u32> {
    let children = children(pid);
    let below = children.iter().flat_map(|child| all_below(*child)).collect::<Vec<_>>();
    children.into_iter().chain(below).collect()
}

#[test]
fn who_ignores_term_is_killed_when_the_budget_is_spent() {
    let bystander = Bystander::new();
    let script = "(setsid \"$0\" receive &) ; \"$0\" receive & exec \"$0\" await 10 4";
    let mut running = ready(&["--drain", "50ms"], script, 3);
    running.kill(libc::SIGUSR1);
    // The end of the output is the end of all who write to it.
    running.wait_for_eof();
    assert_eq!(running.code(), 4);
    bystander.was_left_alone();
}

#[test]
fn who_is_born_meanwhile_is_ended_too() {
    // On TERM it leaves a new process behind, and that again one; the last ignores TERM not.
    let script = "sh -c 'trap \"setsid sleep 1000 & echo born; exit\" TERM; \
        echo ready; while :; do sleep 1000 & wait; done' & exec \"$0\" await 10 5";
    let mut running = ready(&["--drain", "1h"], script, 2);
    running.kill(libc::SIGUSR1);
    let born: Vec<_> = std::iter::from_fn(|| running.line()).collect();
    assert_eq!((running.code(), born), (5, vec!["born".to_owned()]));
}

/// A parent that forks again and again, and ignores TERM: whatever is born is found.
#[test]
fn a_family_that_grows_is_ended() {
    let script =
        "sh -c 'trap \"\" TERM; echo ready; while :; do setsid sleep 1000 & sleep 0.01; done' & exec \"$0\" await 10 6";
    let mut running = ready(&["--drain", "100ms"], script, 2);
    running.kill(libc::SIGUSR1);
    running.wait_for_eof();
    assert_eq!(running.code(), 6);
}

#[test]
fn with_nothing_left_there_is_no_delay() {
    let (code, out, err) = output(&mut script_with(&["--drain", "1h"], "exit 9"));
    assert_eq!((code, out.as_str(), err.as_str()), (Some(9), "", ""));
}

#[test]
fn what_they_say_meanwhile_is_relayed() {
    let worker = "trap 'echo finished; exit' TERM; echo ready; while :; do sleep 1000 & wait; done";
    let script = format!("({worker}) & exec \"$0\" await 10 3");
    let mut command = script_with(&["--label", "x", "--drain", "1h"], &script);
    command.arg(PROBE);
    let mut running = Running::start(command);
    let mut next = || running.line().unwrap();
    let said = [next(), next()];
    assert!(said.iter().all(|line| line.ends_with("ready")), "{said:?}");
    running.kill(libc::SIGUSR1);
    let line = running.line().unwrap();
    assert!(line.starts_with('x') && line.ends_with("finished"), "{line}");
    assert_eq!(running.code(), 3);
}

#[test]
fn a_second_stop_signal_ends_the_wait() {
    let script = "\"$0\" receive & exec \"$0\" receive";
    let mut running = ready(&["--drain", "1h", "-r", "TERM=KILL"], script, 2);
    let wrapper = running.pid();
    // The first stops the command, the second what it has left, which blocks TERM and tells of it.
    running.kill(libc::SIGTERM);
    assert_eq!(running.line().unwrap().split(' ').next(), Some("15"));
    assert_eq!(children(wrapper).len(), 1);
    running.kill(libc::SIGINT);
    assert_eq!(running.code(), 128 + libc::SIGKILL);
}

#[test]
fn what_one_run_has_left_is_gone_before_the_next() {
    for drain in [&[] as &[&str], &["--drain", "1h"]] {
        gone_before_the_next(drain);
    }
}

fn gone_before_the_next(drain: &[&str]) {
    // It would find the name taken, as a server its port.
    let dir = std::env::temp_dir().join(format!("panicmon-test-{}-taken", std::process::id()));
    let script = "mkdir \"$D\" || exit 0; \
        sh -c 'trap \"rmdir \\\"$D\\\"; exit\" TERM; echo ready; while :; do sleep 1000 & wait; done' & \
        exec \"$0\" await 10 1";
    let options = ["--restart", "on-failure", "--min-wait", "1ms", "--max-wait", "1ms", "--max-restarts", "2"];
    let mut command = script_with(&[&options, drain].concat(), script);
    command.arg(PROBE).env("D", &dir);
    let mut running = Running::start(command);
    for _ in 0..3 {
        for _ in 0..2 {
            assert_eq!(running.line().as_deref(), Some("ready"));
        }
        running.kill(libc::SIGUSR1);
    }
    assert_eq!(running.code(), 1);
    assert!(!dir.exists());
}

#[test]
#[ignore = "needs root: a PID namespace"]
fn as_pid_1_too() {
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--kill-child", "--mount-proc", &panicmon(), "--drain", "1h", "--", "sh", "-c"]);
    let worker = "trap \"echo finished; exit\" TERM; echo ready; while :; do sleep 1000 & wait; done";
    command.arg(format!("setsid sh -c '{worker}' & exec \"$0\" await 10 3")).arg(PROBE);
    let mut running = Running::start(command);
    for _ in 0..2 {
        assert_eq!(running.line().as_deref(), Some("ready"));
    }
    let unshare = running.pid();
    let wrapper = wait_for("PID 1", || children(unshare).first().copied());
    sys::kill(wrapper, libc::SIGUSR1).unwrap();
    assert_eq!(running.line().as_deref(), Some("finished"));
    assert_eq!(running.code(), 3);
}

/// A PID namespace whose /proc is that of the one outside: there, others have the numbers of those inside.
#[test]
#[ignore = "needs root: a PID namespace"]
fn in_a_pid_namespace_without_its_own_proc_nobody_is_signalled() {
    let script = "sleep 1000 >/dev/null 2>&1 & a=$!; sleep 1000 >/dev/null 2>&1 & b=$!; \
        \"$0\" --drain 1h -- sh -c 'sleep 1000 >/dev/null 2>&1 & exit 3'; \
        echo end: $?; kill -0 $a && kill -0 $b && echo others live";
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--kill-child", "sh", "-c", script, &panicmon()]);
    let (_, out, err) = output(&mut command);
    assert_eq!(out, "end: 3\nothers live\n", "{err}");
    assert!(err.contains("it can't be looked for: /proc isn't there, or is another PID namespace's"), "{err}");
}

#[test]
#[ignore = "needs root: a mount namespace"]
fn without_proc_what_is_left_is_told_of_and_not_waited_for() {
    let script =
        "umount -l /proc; exec \"$0\" --label x --drain 1h -- sh -c 'sleep 3 >/dev/null 2>&1 & echo last; exit 3'";
    let (code, out, err) = output(Command::new("unshare").args(["--mount", "sh", "-c", script, &panicmon()]));
    assert_eq!((code, out.ends_with("last\n")), (Some(3), true), "{out}");
    assert!(err.contains("what x has left behind lives on: it can't be looked for: /proc isn't there"), "{err}");
}

/// It looks like a zombie.
#[test]
fn one_whose_first_thread_has_ended_is_ended_too() {
    let mut running = ready(&["--drain", "1h"], "\"$0\" end-first-thread & exec \"$0\" await 10 3", 2);
    let wrapper = running.pid();
    wait_for("its first thread to end", || {
        all_below(wrapper)
            .into_iter()
            .find(|pid| status_field(*pid, "State").is_some_and(|state| state.starts_with('Z')))
    });
    running.kill(libc::SIGUSR1);
    running.wait_for_eof();
    assert_eq!(running.code(), 3);
}

/// A command that has ended, and a worker of its that blocks what panicmon sends to it. Only USR2 ends the worker.
fn draining(options: &[&str]) -> (Running, u32) {
    let script = "\"$0\" await 12 0 & exec \"$0\" await 10 3";
    let running = ready(&[&["--drain", "1h"], options].concat(), script, 2);
    let wrapper = running.pid();
    let worker = children(children(wrapper)[0])[0];
    running.kill(libc::SIGUSR1);
    wait_for("the worker to be all that is left", || (children(wrapper) == [worker]).then_some(()));
    (running, worker)
}

/// What was sent to panicmon doesn't make it kill the worker.
fn assert_not_hurried(mut running: Running, worker: u32) {
    let wrapper = running.pid();
    wait_for("all signals to be dealt with", || {
        let is_read = status_signals(wrapper, "ShdPnd") == 0;
        (is_read && status_field(wrapper, "State")?.starts_with('S')).then_some(())
    });
    assert!(!is_gone(worker), "it was killed");
    sys::kill(worker, libc::SIGUSR2).unwrap();
    assert_eq!(running.code(), 3);
}

/// `terminal::ends` has the hang-up of a terminal, which is a stop, but not a second one.
#[test]
fn a_reload_by_hup_after_a_stop_does_not_hurry() {
    let (running, worker) = draining(&[]);
    running.kill(libc::SIGTERM);
    // Whichever of the two is read first: there is one stop.
    running.kill(libc::SIGHUP);
    assert_not_hurried(running, worker);
}

/// timeout(1) signals the process that it has started, and then the group of that process.
#[test]
fn the_same_stop_sent_again_does_not_hurry() {
    // Two real-time signals stay two, though they come at once.
    let stop = 40;
    let (running, worker) = draining(&["--stop-signals", "RTMIN+6"]);
    running.while_stopped(|running| {
        running.kill(stop);
        running.kill(stop);
    });
    assert_not_hurried(running, worker);
}

/// However fast they multiply, the time is kept to: KILL comes, and signals are heard.
#[test]
fn a_multitude_is_ended_in_its_time() {
    let fork = "trap '' TERM; echo ready; while :; do (:) & done";
    let script = format!("sh -c \"{fork}\" & exec \"$0\" await 10 3");
    let mut running = ready(&["--drain", "100ms"], &script, 2);
    running.kill(libc::SIGUSR1);
    running.wait_for_eof();
    assert_eq!(running.code(), 3);
}

/// However they fork: those that stay and those that end with each child they have; in one group or each in its own. They
/// stop by themselves when a file has gone, whatever happens here.
#[test]
fn bombs_are_ended() {
    for (bomb, count) in [
        ("while [ -e \"$F\" ]; do (:) & done", 40),
        ("while [ -e \"$F\" ]; do (sleep 0.1) & sleep 0.02; done", 40),
        ("hop() { [ ! -e \"$F\" ] || (hop) & }; hop", 40),
        ("[ ! -e \"$F\" ] || setsid sh -c \"$HOP\" &", 20),
    ] {
        let go = Scratch::new("");
        let script = format!("trap '' TERM; for i in $(seq {count}); do ({bomb}) & done; exec \"$0\" await 10 3");
        let mut command = script_with(&["--drain", "100ms"], &script);
        command.arg(PROBE).env("F", &go.0).env("HOP", "[ ! -e \"$F\" ] || setsid sh -c \"$HOP\" &");
        let mut running = Running::start(command);
        assert_eq!(running.line().as_deref(), Some("ready"), "{bomb}");
        running.kill(libc::SIGUSR1);
        running.wait_for_eof();
        assert_eq!(running.code(), 3, "{bomb}");
    }
}

#[test]
fn a_chain_of_hundreds_that_ignores_term_is_ended() {
    let mut running = ready(&["--drain", "50ms"], "\"$0\" chain 600 & exec \"$0\" await 10 3", 2);
    running.kill(libc::SIGUSR1);
    running.wait_for_eof();
    assert_eq!(running.code(), 3);
}

/// A filter that doesn't know the calls which hold a process: they are children of panicmon's own, one after the other.
#[test]
fn where_a_filter_refuses_pidfds_all_are_ended_too() {
    let (open, send) = (libc::SYS_pidfd_open, libc::SYS_pidfd_send_signal);
    for refused in [vec![format!("refuse={open}")], vec![format!("refuse={send}")]] {
        let ops: Vec<_> = refused.iter().map(String::as_str).collect();
        let script = "\"$0\" chain 20 & exec \"$0\" await 10 3";
        let mut command = Command::new(PROBE);
        command.arg("prepare").args(ops).args([
            "--",
            &panicmon(),
            "--drain",
            "50ms",
            "--",
            "/bin/sh",
            "-c",
            script,
            PROBE,
        ]);
        let mut running = Running::start(command);
        for _ in 0..2 {
            assert_eq!(running.line().as_deref(), Some("ready"));
        }
        running.kill(libc::SIGUSR1);
        running.wait_for_eof();
        assert_eq!(running.code(), 3, "{refused:?}");
    }
}

#[test]
fn a_look_that_fails_is_taken_again_and_what_failed_is_told() {
    // No descriptor is free for it: there are the three streams and the signalfd.
    let with_drain = |budget: &str, by: &str| {
        let script = format!("ulimit -Sn 64; {by} '{PROBE}' receive & exec '{PROBE}' await 10 3");
        let command = script_with(&["--drain", budget], &script);
        let mut running = Running::start(by_shell("exec 2>&1; ulimit -Sn 4; exec \"$@\"", &command));
        for _ in 0..2 {
            assert_eq!(running.line().as_deref(), Some("ready"));
        }
        running.kill(libc::SIGUSR1);
        let line = running.line().unwrap();
        assert!(line.contains("it is tried again: /proc can't be read: ") && line.ends_with("(os error 24)"), "{line}");
        running
    };
    let mut running = with_drain("1h", "");
    sys::limit_files(running.pid(), 64);
    // It blocks TERM, and tells of it.
    assert!(running.line().unwrap().starts_with("15 "));
    running.kill(libc::SIGTERM);
    running.kill(libc::SIGINT);
    running.wait_for_eof();
    assert_eq!(running.code(), 3);

    // What is left in its group is found by the number of that.
    let mut running = with_drain("1ms", "");
    running.wait_for_eof();
    assert_eq!(running.code(), 3);

    let mut running = with_drain("1ms", "setsid");
    let left = children(running.pid());
    // It isn't waited for when panicmon is stopped.
    running.kill(libc::SIGTERM);
    let line = running.line().unwrap();
    assert!(
        line.contains("lives on: it can't be looked for: /proc can't be read: ") && line.ends_with("(os error 24)"),
        "{line}"
    );
    assert_eq!((running.code(), left.len()), (3, 1));
    sys::kill(left[0], libc::SIGKILL).unwrap();
}

/// What panicmon says of a script that leaves a process behind, and ends as it is told.
fn told(options: &[&str], end: &str) -> (i32, String) {
    let script = format!("'{PROBE}' pause >/dev/null 2>&1 & echo $!; exec '{PROBE}' {end}");
    let mut running = Running::start(with_one_pipe(&script_with(options, &script)));
    let left: u32 = running.line().unwrap().parse().unwrap();
    wait_for("it to have its name", || (crate::support::name(left) == "ready").then_some(()));
    assert_eq!(running.line().as_deref(), Some("ready"));
    running.kill(libc::SIGUSR1);
    let told: Vec<_> = std::iter::from_fn(|| running.line()).collect();
    let _ = sys::kill(left, libc::SIGKILL);
    (running.code(), told.join("\n"))
}

#[test]
fn what_looks_like_a_daemon_is_told() {
    let daemon = "left 1 process (ready): it has put itself into the background; start it in the foreground";
    for options in [&[] as &[&str], &["--restart", "on-failure"]] {
        let (code, told) = told(options, "await 10 0");
        assert!(code == 0 && told.contains(daemon) && told.lines().count() == 1, "{options:?}: {code} {told}");
    }
    for (options, end, code) in
        [(&["--drain", "0"] as &[&str], "await 10 0", 0), (&["--drain", "1h"], "await 10 0", 0), (&[], "await 10 3", 3)]
    {
        assert_eq!(told(options, end), (code, String::new()), "{options:?} {end}");
    }
}

/// It was there before panicmon was.
#[test]
fn what_was_there_before_is_nobodys_daemon() {
    let script = "sleep 1000 >/dev/null 2>&1 & echo $!; exec \"$@\" 2>&1";
    for options in [&[] as &[&str], &["--restart", "on-failure"], &["-v", "--restart", "on-failure"]] {
        let mut running = Running::start(by_shell(script, &script_with(options, "exit 0")));
        let helper: u32 = running.line().unwrap().parse().unwrap();
        let told: Vec<_> = std::iter::from_fn(|| running.line()).filter(|line| line.contains("left")).collect();
        assert_eq!((running.code(), told), (0, vec![]), "{options:?}");
        assert!(!is_gone(helper));
        sys::kill(helper, libc::SIGKILL).unwrap();
    }
}

#[test]
#[ignore = "needs root: a PID namespace"]
fn what_ends_with_pid_1_after_a_failure_or_a_stop_is_told() {
    let told = |options: &[&str], script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--pid", "--fork", "--kill-child", "--mount-proc", &panicmon()]).args(options);
        command.args(["--", "sh", "-c", script]);
        output(&mut command)
    };
    let left = format!("setsid sleep 1000 >/dev/null 2>&1 & {LEADS_SESSION};");
    for end in ["exit 3", "kill -TERM 1; sleep 1000"] {
        let (_, _, err) = told(&[], &format!("{left} {end}"));
        assert!(err.contains("killed with panicmon, which is PID 1") && err.contains("sleep"), "{end}: {err}");
        let (_, _, err) = told(&["--drain", "0"], &format!("{left} {end}"));
        assert_eq!(err, "", "{end}");
    }
    assert_eq!(told(&[], "exit 3"), (Some(3), String::new(), String::new()));
}

/// It has become another user's by a set-user-id program, and panicmon isn't root.
#[test]
#[ignore = "needs root: a set-user-id program"]
fn who_may_not_be_signalled_is_named_and_left_and_the_others_are_ended() {
    let dir = std::env::temp_dir().join(format!("panicmon-test-{}-set-user-id", std::process::id()));
    let as_root = dir.join("setpriv");
    let script = format!(
        "mkdir -m 755 '{0}' && cp \"$(command -v setpriv)\" '{1}' && chmod 4755 '{1}' && cp '{PROBE}' '{2}' '{0}'",
        dir.display(),
        as_root.display(),
        panicmon()
    );
    assert!(status(Command::new("sh").args(["-c", &script])).success());
    let probe = dir.join("panicmon-probe");
    let script = "\"$0\" --reuid 0 --regid 0 --clear-groups sleep 1000 >/dev/null 2>&1 & echo $!; \
        \"$1\" receive & exec \"$1\" await 10 3";
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(dir.join("panicmon"));
    command.args(["--drain", "50ms", "--", "sh", "-c", script]).arg(&as_root).arg(&probe);
    let mut running = Running::start(with_one_pipe(&command));
    let left: u32 = running.line().unwrap().parse().unwrap();
    for _ in 0..2 {
        assert_eq!(running.line().as_deref(), Some("ready"));
    }
    wait_for("it to be root's", || (crate::support::name(left) == "sleep").then_some(()));
    running.kill(libc::SIGUSR1);
    let lines: Vec<_> = std::iter::from_fn(|| running.line()).collect();
    let lives = !is_gone(left);
    let _ = sys::kill(left, libc::SIGKILL);
    std::fs::remove_dir_all(&dir).unwrap();
    let named = "panicmon: warn: sh has left 1 process (sleep), which panicmon may not signal";
    assert!(lives && lines.iter().any(|line| line == named), "{lines:?}");
    assert_eq!(running.code(), 3);
}
