//! `--hook`: commands that are run for events.

use crate::events::{Events, live, parsed};
use crate::support::{
    PROBE, Running, Scratch, by_shell, children, output, panicmon, script_with, status_field, status_signals, wait_for,
    with_one_pipe, with_options,
};
use crate::sys;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Options with a hook.
fn with_hook<'o>(hook: &'o str, more: &[&'o str]) -> Vec<&'o str> {
    [&["--hook", hook], more].concat()
}

/// A folder of its own for a test.
struct Place(Scratch);

impl Place {
    fn new() -> Place {
        let folder = Scratch::folder();
        // Hooks of other users write there, too.
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        fs::set_permissions(&folder.0, mode).unwrap();
        Place(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.0.join(name)
    }

    /// The words of a hook: a script in which `$D` is this folder.
    fn hook(&self, script: &str) -> String {
        format!("sh -c '{}'", script.replace("$D", self.0.0.to_str().unwrap()))
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    /// What a hook has written, once it is a whole line.
    fn line(&self, name: &str) -> String {
        wait_for(name, || Some(self.text(name)).filter(|text| text.ends_with('\n'))).trim_end().to_owned()
    }
}

fn variables(text: &str) -> BTreeMap<&str, &str> {
    text.lines().filter_map(|line| line.split_once('=')).collect()
}

fn is_there(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
        && status_field(pid, "State").is_some_and(|state| !state.starts_with('Z'))
}

fn wait_for_end(pid: u32) {
    wait_for("the end of a process", || (!is_there(pid)).then_some(()));
}

/// Two stops that come at once are one.
fn stop_until_it_ends(running: &mut Running) {
    wait_for("the end after some stops", || {
        running.kill_by_another(libc::SIGTERM);
        running.child.try_wait().unwrap()
    });
}

#[test]
fn a_hook_gets_the_event_and_what_systemd_says_of_an_end() {
    for (script, code, fields) in [
        ("exit 0", 0, [Some("success"), Some("exited"), Some("0")]),
        ("exit 3", 3, [Some("exit-code"), Some("exited"), Some("3")]),
        ("kill -TERM $$", 143, [Some("signal"), Some("killed"), Some("TERM")]),
        ("/nowhere/x", 127, [Some("start-failed"), None, None]),
    ] {
        let (events, place) = (Events::new(), Place::new());
        let hook = place.hook("cat >$D/event; env >$D/env");
        let options = events.options(&["--hook", &hook, "--name", "web"]);
        let mut command = if script.starts_with('/') {
            let mut command = Command::new(panicmon());
            command.args(options).args(["--", script]);
            command
        } else {
            script_with(&options, script)
        };
        let (status, _, err) = output(&mut command);
        assert_eq!(status, Some(code), "{err}");
        let last = events.all().pop().unwrap();
        assert_eq!(parsed(&place.text("event")).first(), Some(&last));
        let env = place.text("env");
        let env = variables(&env);
        let told = ["SERVICE_RESULT", "EXIT_CODE", "EXIT_STATUS"].map(|name| env.get(name).copied());
        assert_eq!(told, fields, "{script}");
        assert_eq!((env["PANICMON_EVENT"], env["PANICMON_NAME"]), (last["event"].as_str().unwrap(), "web"));
    }
}

#[test]
fn a_hook_has_the_commands_variables_but_no_socket_of_its_manager_and_no_options() {
    let place = Place::new();
    let hook = place.hook("env >$D/env");
    let mut command = with_options(&with_hook(&hook, &["--env", "TOKEN=x", "--unset-env", "GONE"]), &["exit", "0"]);
    command.env("PANICMON_KILL_AFTER", "9s").env("PANICMON_DELAY", "").env("PANICMON_MAX_WAIT", "1s").env("GONE", "1");
    command.env("LISTEN_PID", "1").env("LISTEN_FDS", "0").env("KEPT", "1");
    assert_eq!(output(command.env("NOTIFY_SOCKET", "@nowhere")).0, Some(0));
    let env = place.text("env");
    let env = variables(&env);
    assert_eq!((env.get("TOKEN"), env.get("KEPT"), env.get("GONE")), (Some(&"x"), Some(&"1"), None));
    let refused = |name: &&&str| name.starts_with("LISTEN_") || **name == "NOTIFY_SOCKET";
    assert_eq!(env.keys().find(refused), None);
    let own: Vec<_> = env.keys().filter(|name| name.starts_with("PANICMON_") && !name.contains("_TEST_")).collect();
    assert_eq!(own, [&"PANICMON_EVENT", &"PANICMON_NAME"]);
}

/// What a program has blocked or ignored isn't a hook's, nor are its descriptors.
#[test]
fn a_hook_begins_as_if_nobody_had_prepared_anything() {
    for more in [&[] as &[&str], &["--restart", "on-failure", "--max-restarts", "1"]] {
        let place = Place::new();
        let hook = place.hook(
            "ls /proc/self/fd >$D/fds; pwd >$D/dir; \
             cut -d\" \" -f5,6 /proc/$$/stat >$D/group; echo $$ >$D/pid",
        );
        let mut wrapped = Command::new(PROBE);
        wrapped.args(["prepare", "block=10", "ignore=1", "ignore=17", "--", &panicmon()]);
        // A shell would clear its mask.
        let status = format!("cp /proc/self/status {}", place.file("status").display());
        wrapped.args(with_hook(&hook, more)).args(["--hook", &status, "--dir", "/usr", "--", "true"]);
        let mut command = by_shell("exec 9</dev/null; exec \"$@\"", &wrapped);
        let (code, _, err) = output(&mut command);
        assert_eq!(code, Some(0), "{err}");
        let status = place.text("status");
        let signals: Vec<_> =
            status.lines().filter(|line| ["SigBlk", "SigIgn"].contains(&line.get(..6).unwrap_or_default())).collect();
        assert_eq!(signals, ["SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000"]);
        assert_eq!(place.line("dir"), "/usr");
        // The last is that of ls itself.
        assert_eq!(place.text("fds"), "0\n1\n2\n3\n");
        let (pid, group) = (place.line("pid"), place.line("group"));
        assert_eq!(group.split(' ').next(), Some(pid.as_str()));
    }
}

#[test]
fn a_hook_runs_where_panicmon_was_started() {
    let place = Place::new();
    let hook = place.hook("pwd >$D/dir");
    assert_eq!(output(with_options(&with_hook(&hook, &[]), &["exit", "0"]).current_dir("/usr")).0, Some(0));
    assert_eq!(place.line("dir"), "/usr");
}

/// That it isn't there may be what the hook is to tell of.
#[test]
fn a_hook_runs_in_the_root_where_its_directory_cant_be_entered() {
    let place = Place::new();
    let hook = place.hook("pwd >$D/dir");
    let missing = place.file("missing");
    let options = with_hook(&hook, &["--dir", missing.to_str().unwrap()]);
    let (code, _, err) = output(&mut with_options(&options, &["exit", "0"]));
    assert_eq!((code, place.text("dir").as_str()), (Some(125), "/\n"), "{err}");
    assert!(err.contains("--hook: sh for process.failed of "), "{err}");
}

#[test]
fn what_a_hook_prints_goes_where_panicmons_streams_go() {
    for more in [&[] as &[&str], &["--label", "web"]] {
        let (code, out, err) =
            output(&mut script_with(&with_hook("sh -c 'echo out; echo err >&2'", more), "echo first"));
        assert_eq!(code, Some(0), "{err}");
        assert!(out.contains("first\n") && out.lines().any(|line| line == "out"), "{out}");
        assert!(err.lines().any(|line| line == "err"), "{err}");
    }
}

#[test]
#[ignore = "needs root"]
fn a_hook_runs_as_the_commands_user() {
    let place = Place::new();
    let hook = place.hook("id -u >$D/user; cat >$D/event");
    let (code, _, err) = output(&mut script_with(&with_hook(&hook, &["--user", "65534:65534"]), "exit 0"));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert_eq!(place.line("user"), "65534");
    assert_eq!(parsed(&place.text("event")).len(), 1);
}

#[test]
fn a_hook_that_fails_is_a_warning_and_changes_no_status() {
    for (hook, why) in [
        ("sh -c 'exit 7'", "sh for process.exited of web: exit code 7"),
        ("sh -c 'kill -SEGV $$'", "sh for process.exited of web: killed by SIGSEGV"),
        ("/nowhere/hook", "/nowhere/hook for process.exited of web: /nowhere/hook: "),
        ("/", "/ for process.exited of web: /: can't be executed: "),
    ] {
        let (code, _, err) = output(&mut with_options(&with_hook(hook, &["--name", "web"]), &["exit", "3"]));
        assert_eq!(code, Some(3), "{err}");
        assert!(err.contains(&format!("--hook: {why}")) && err.lines().count() == 1, "{err}");
        let quiet = with_options(&with_hook(hook, &["-q"]), &["exit", "3"]);
        assert_eq!(output(&mut { quiet }).2, "");
    }
    let (code, _, err) = output(&mut with_options(&with_hook("true", &[]), &["exit", "3"]));
    assert_eq!((code, err.as_str()), (Some(3), ""));
}

#[test]
fn a_hook_that_hangs_is_killed_with_its_group_and_that_is_said() {
    let place = Place::new();
    let hook = place.hook("sleep 1000 & echo $! >$D/sleep; wait");
    let options = with_hook(&hook, &["--hook-timeout", "300ms", "--name", "web", "--hook-on", "started"]);
    let mut running = Running::start(with_one_pipe(&with_options(&options, &["live"])));
    let child: u32 = running.line().unwrap().strip_prefix("ready ").unwrap().parse().unwrap();
    let expected = "--hook: sh for process.started of web: it hadn't ended after 300ms, and was killed";
    assert!(running.line().unwrap().ends_with(expected));
    wait_for_end(place.line("sleep").parse().unwrap());
    wait_for("it to be reaped", || (children(running.pid()) == [child]).then_some(()));
    sys::kill(child, libc::SIGKILL).unwrap();
    assert_eq!(running.code(), 137);
}

#[test]
fn the_end_waits_no_longer_for_a_hook_than_it_may_run() {
    let place = Place::new();
    let hook = place.hook("sleep 1000 & echo $! >$D/sleep; wait");
    let options = with_hook(&hook, &["--hook-timeout", "300ms", "--name", "web"]);
    let (code, _, err) = output(&mut with_options(&options, &["exit", "3"]));
    assert_eq!(code, Some(3));
    let expected = "--hook: sh for process.exited of web: it was killed: the end waits no longer than 300ms for hooks";
    assert!(err.contains(expected) && err.lines().count() == 1, "{err}");
    wait_for_end(place.line("sleep").parse().unwrap());
}

/// Nothing that wakes panicmon comes after that.
#[test]
fn the_end_waits_for_no_hook_that_couldnt_be_started() {
    let options = with_hook("true", &["--hook-timeout", "1000s", "--name", "web"]);
    let mut running = Running::start(with_one_pipe(&with_options(&options, &["live", "10=exit:3"])));
    running.line().unwrap();
    let is_open = |fd: &u64| Path::new(&format!("/proc/{}/fd/{fd}", running.pid())).exists();
    let free = (0..).find(|fd| !is_open(fd)).unwrap();
    sys::limit_files(running.pid(), free);
    running.kill(libc::SIGUSR1);
    let expected = "--hook: true for process.exited of web: can't start the command: memfd_create: ";
    wait_for("the warning", || running.line().filter(|line| line.contains(expected)));
    assert_eq!(running.code(), 3);
}

#[test]
fn while_a_hook_hangs_signals_pass_and_a_second_stop_ends_the_waiting() {
    let place = Place::new();
    let hook = place.hook("echo $$ >$D/hook; exec sleep 1000");
    let (mut running, child) = live(&with_hook(&hook, &["--hook-on", "started", "--hook-timeout", "1000s"]));
    let hanging: u32 = place.line("hook").parse().unwrap();
    running.kill(libc::SIGUSR1);
    assert!(running.line().unwrap().starts_with("came 10 "));
    running.kill(libc::SIGTERM);
    assert!(running.line().unwrap().starts_with("came 15 "));
    sys::kill(child, libc::SIGKILL).unwrap();
    wait_for_end(child);
    // It waits for the hook.
    wait_for("panicmon to reap its child", || (children(running.pid()) == [hanging]).then_some(()));
    assert!(is_there(hanging));
    stop_until_it_ends(&mut running);
    assert_eq!(running.code(), 137);
    wait_for_end(hanging);
}

/// The first stop comes when only a hook is left: the second one ends the waiting.
#[test]
fn one_stop_alone_leaves_the_last_hook_its_time() {
    let place = Place::new();
    let hook = place.hook("echo $$ >$D/hook; until [ -e $D/go ]; do sleep 0.01; done; echo >$D/done");
    let mut running = Running::start(with_options(&with_hook(&hook, &["--hook-timeout", "1000s"]), &["exit", "3"]));
    place.line("hook");
    running.kill(libc::SIGTERM);
    wait_for("the stop to be read", || sys_pending_is_empty(running.pid()).then_some(()));
    fs::write(place.file("go"), "").unwrap();
    assert_eq!(running.code(), 3);
    assert_eq!(place.text("done"), "\n");
}

/// All has ended without a stop. Without the hook, panicmon would have ended before the stop, too.
#[test]
fn a_stop_that_finds_hooks_alone_leaves_a_file_its_status() {
    for stops in [1, 2] {
        let place = Place::new();
        let hook = place.hook("echo $$ >$D/hook; until [ -e $D/go ]; do sleep 0.01; done");
        let file = "processes: [{name: web, cmd: sh, args: [-c, exit 3], noRestartOn: [3]}]";
        fs::write(place.file("web.yaml"), file).unwrap();
        let mut command = Command::new(panicmon());
        command.args(with_hook(&hook, &["--hook-timeout", "1000s"])).arg("--config").arg(place.file("web.yaml"));
        let mut running = Running::start(command);
        place.line("hook");
        running.kill(libc::SIGTERM);
        wait_for("the stop to be read", || sys_pending_is_empty(running.pid()).then_some(()));
        if stops == 1 {
            fs::write(place.file("go"), "").unwrap();
        } else {
            stop_until_it_ends(&mut running);
        }
        assert_eq!(running.code(), 3, "{stops}");
    }
}

fn sys_pending_is_empty(pid: u32) -> bool {
    status_signals(pid, "ShdPnd") == 0
}

#[test]
fn four_run_at_once_and_the_others_wait() {
    let place = Place::new();
    let hook = place.hook("echo $$ >$D/began.$$; until [ -e $D/go ]; do sleep 0.01; done; echo >$D/done.$$");
    let mut command = Command::new(panicmon());
    (0..6).for_each(|_| {
        command.args(["--hook", &hook]);
    });
    command.args(["--hook-timeout", "1000s", "--", PROBE, "exit", "3"]);
    let count = |begin: &str| {
        let names = fs::read_dir(&place.0.0).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_str().unwrap().starts_with(begin)).count()
    };
    let mut running = Running::start(command);
    wait_for("four hooks", || (count("began.") == 4).then_some(()));
    assert_eq!(children(running.pid()).len(), 4);
    fs::write(place.file("go"), "").unwrap();
    assert_eq!(running.code(), 3);
    assert_eq!((count("began."), count("done.")), (6, 6));
}

#[test]
fn of_more_events_than_can_wait_the_oldest_are_dropped_and_counted() {
    let place = Place::new();
    let hook = place.hook("echo $$ >>$D/began; until [ -e $D/go ]; do sleep 0.01; done");
    let options = with_hook(&hook, &["--hook-on", "signal.passed", "--hook-timeout", "1000s"]);
    let mut running = Running::start(with_one_pipe(&with_options(&options, &["live"])));
    let child: u32 = running.line().unwrap().strip_prefix("ready ").unwrap().parse().unwrap();
    for _ in 0..100 {
        running.kill(libc::SIGUSR1);
        assert!(running.line().unwrap().starts_with("came 10 "));
    }
    sys::kill(child, libc::SIGKILL).unwrap();
    wait_for_end(child);
    fs::write(place.file("go"), "").unwrap();
    let said: Vec<_> = std::iter::from_fn(|| running.line()).collect();
    // Four run, and 64 wait.
    assert!(
        said.iter().any(|line| line.ends_with("--hook: 32 were not run: too many events came at once")),
        "{said:?}"
    );
    assert_eq!(running.code(), 137);
    assert_eq!(place.text("began").lines().count(), 68);
}

#[test]
fn what_a_hook_leaves_in_its_group_is_killed_with_its_end_and_is_no_orphan() {
    let (events, place) = (Events::new(), Place::new());
    let hook = place.hook("for i in 1 2 3 4 5; do sleep 1000 & echo $! >>$D/left; done; echo $$ >$D/hook");
    let options = events.options(&["--hook", &hook, "--hook-on", "started", "--drain", "1000s"]);
    let (mut running, child) = live(&options);
    wait_for_end(place.line("hook").parse().unwrap());
    place.text("left").lines().for_each(|pid| wait_for_end(pid.parse().unwrap()));
    wait_for("it to reap them", || (children(running.pid()) == [child]).then_some(()));
    sys::kill(child, libc::SIGKILL).unwrap();
    assert_eq!(running.code(), 137);
    let kinds: Vec<_> = events.all().iter().map(|event| event["event"].clone()).collect();
    assert_eq!(kinds, ["process.starting", "process.started", "process.exited"]);
}

/// A hook lives on, with a child and a grandchild that is an orphan.
const FAMILY: &str = "(sleep 1000 & echo $! >$D/orphan; exit) ; sleep 1000 & echo $! >$D/child; echo $$ >$D/hook; wait";

#[test]
fn hooks_are_left_out_where_the_commands_leftovers_are_ended() {
    let (events, place) = (Events::new(), Place::new());
    let hook = place.hook(FAMILY);
    let options = ["--hook", &hook, "--hook-on", "started", "--hook-timeout", "1000s", "--drain", "1000s"];
    let script = format!("sleep 1000 & echo $!; until [ -e {} ]; do sleep 0.01; done", place.file("go").display());
    let mut running = Running::start(script_with(&events.options(&options), &script));
    let left: u32 = running.line().unwrap().parse().unwrap();
    let family = ["hook", "orphan", "child"].map(|name| place.line(name).parse().unwrap());
    fs::write(place.file("go"), "").unwrap();
    wait_for("the end of the drain", || events.of("drain.ended").pop());
    assert!(!is_there(left));
    assert!(family.into_iter().all(is_there), "the hook was taken for a leftover");
    let signaled = events.of("drain.signaled");
    assert_eq!(signaled.iter().map(|event| event["pid"].clone()).collect::<Vec<_>>(), [json!(left)]);
    stop_until_it_ends(&mut running);
    assert_eq!(running.code(), 0);
    family.into_iter().for_each(wait_for_end);
}

#[test]
fn hooks_alone_are_nothing_to_drain() {
    let (events, place) = (Events::new(), Place::new());
    let hook = place.hook(FAMILY);
    let options = ["--hook", &hook, "--hook-on", "started", "--hook-timeout", "1000s", "--drain", "1000s"];
    let (mut running, child) = live(&events.options(&options));
    let family = ["hook", "orphan", "child"].map(|name| place.line(name).parse().unwrap());
    sys::kill(child, libc::SIGKILL).unwrap();
    wait_for("its end", || events.of("process.exited").pop());
    stop_until_it_ends(&mut running);
    assert_eq!(running.code(), 137);
    assert!(events.of("drain.started").is_empty(), "{:?}", events.all());
    family.into_iter().for_each(wait_for_end);
}

#[test]
fn a_restart_doesnt_wait_for_a_hook() {
    let place = Place::new();
    let hook = place.hook("echo $$ >>$D/hooks; exec sleep 1000");
    let options = with_hook(
        &hook,
        &[
            "--hook-timeout",
            "1000s",
            "--restart",
            "on-failure",
            "--max-restarts",
            "2",
            "--min-wait",
            "1ms",
            "--max-wait",
            "1ms",
        ],
    );
    let script = format!("echo >>{}; exit 1", place.file("runs").display());
    let mut running = Running::start(script_with(&options, &script));
    wait_for("three runs and their hooks", || {
        let lines = |name| place.text(name).lines().count();
        (lines("runs") == 3 && lines("hooks") == 3).then_some(())
    });
    stop_until_it_ends(&mut running);
    assert_eq!(running.code(), 1);
}

#[test]
fn the_processes_of_a_file_have_hooks_in_their_own_places() {
    let place = Place::new();
    let file = Scratch::new(&format!(
        "processes: [{{name: a, cmd: {PROBE}, args: [exit, 1], dir: /usr, env: {{X: 1}}, noRestartOn: [1]}}, \
         {{name: b, cmd: {PROBE}, args: [exit, 0], noRestartOn: [0]}}]"
    ));
    let hook = place.hook("echo $PWD $SERVICE_RESULT $X >$D/$PANICMON_NAME");
    let mut command = Command::new(panicmon());
    command.args(with_hook(&hook, &["--config", file.0.to_str().unwrap()])).current_dir("/proc");
    let (code, _, err) = output(&mut command);
    assert_eq!(code, Some(1), "{err}");
    assert_eq!((place.line("a"), place.line("b")), ("/usr exit-code 1".to_owned(), "/proc success".to_owned()));
}

#[test]
fn what_is_of_no_process_of_a_file_has_hooks_in_panicmons_place() {
    let place = Place::new();
    let script = format!("(exit 7 &); until [ -s {} ]; do sleep 0.01; done", place.file("panicmon").display());
    let file = Scratch::new(&format!(
        "processes: [{{name: a, cmd: sh, args: [-c, \"{script}\"], dir: /usr, env: {{X: 1}}, noRestartOn: [0]}}]"
    ));
    let other = Scratch::new(&format!(
        "processes: [{{name: a, cmd: sh, args: [-c, \"{script}\"], dir: /usr, env: {{X: 1}}, noRestartOn: [0]}}, \
         {{name: b, cmd: {PROBE}, args: [exit, 0], noRestartOn: [0]}}]"
    ));
    for (file, expected) in [(&other, "/proc none"), (&file, "/usr 1")] {
        let hook = place.hook("echo $PWD ${X-none} >$D/$PANICMON_NAME");
        let mut command = Command::new(panicmon());
        let options = ["--hook-on", "orphan.reaped", "--config", file.0.to_str().unwrap()];
        command.args(with_hook(&hook, &options)).current_dir("/proc");
        let (code, _, err) = output(&mut command);
        assert_eq!((code, place.line("panicmon").as_str()), (Some(0), expected), "{err}");
        fs::remove_file(place.file("panicmon")).unwrap();
    }
}

#[test]
fn a_hook_that_floods_stderr_changes_nothing_of_the_commands_stdout() {
    let hook = "sh -c 'while :; do echo y >&2; done'";
    let options = with_hook(hook, &["--hook-on", "started", "--hook-timeout", "100ms"]);
    let (code, out, err) = output(&mut script_with(&options, "seq 20000; exit 3"));
    assert_eq!(code, Some(3));
    let expected: String = (1..=20_000).map(|number| format!("{number}\n")).collect();
    assert!(out == expected);
    // The warning may have found no room.
    assert!(err.lines().any(|line| line == "y"), "{err}");
}

#[test]
fn hooks_are_run_for_the_events_that_are_listed() {
    for (on, expected) in [
        (&[] as &[&str], &["process.exited"] as &[&str]),
        (&["--hook-on", "started,process.exited"], &["process.started", "process.exited"]),
        (&["--hook-on", "starting", "--hook-on", "restart.scheduled"], &["process.starting"]),
    ] {
        let place = Place::new();
        let hook = place.hook("echo $PANICMON_EVENT >>$D/events");
        assert_eq!(output(&mut with_options(&with_hook(&hook, on), &["exit", "0"])).0, Some(0));
        let text = place.text("events");
        let mut told: Vec<_> = text.lines().collect();
        told.sort_by_key(|told| expected.iter().position(|one| one == told));
        assert_eq!(told, expected);
    }
}

#[test]
fn a_hook_that_cant_be_meant_is_refused() {
    for (options, why) in [
        (&["--hook", "a 'b"] as &[&str], "--hook: a quote isn't closed"),
        (&["--hook", ""], "--hook: '' is no command"),
        (&["--hook", "a", "--hook-on", "exitted"], "--hook-on: 'exitted' is no event: did you mean exited?"),
        (&["--hook", "a", "--hook-timeout", "0"], "--hook-timeout: "),
        (&["--hook-on", "exited"], "--hook-on: it has no effect without --hook COMMAND"),
        (&["--hook-timeout", "1s"], "--hook-timeout: it has no effect without --hook COMMAND"),
    ] {
        let (code, _, err) = output(&mut with_options(options, &["exit", "0"]));
        assert_eq!(code, Some(125), "{err}");
        assert!(err.contains(why), "{err}");
    }
}

/// The script for a chat, as it is in the repository.
const CHAT: &str = include_str!("../../packaging/hooks/chat");

#[test]
fn the_page_shows_the_script_for_a_chat() {
    let script: String = CHAT
        .lines()
        .filter(|line| line.starts_with("#!") || !line.starts_with('#'))
        .map(|line| format!("    {line}\n"))
        .collect();
    assert!(include_str!("../../docs/why.md").contains(&script), "{script}");
}

/// Also an event that has no sentence of its own.
#[test]
#[ignore = "needs jq(1)"]
fn the_script_for_a_chat_tells_each_event_that_its_page_names() {
    for (on, told) in [("exited", "ended with exit code 3"), ("restart.given_up", ": web: restart.given_up")] {
        let place = Place::new();
        // In the place of curl, which would send it.
        let curl = place.file("curl");
        fs::write(&curl, format!("#!/bin/sh\ncat >{}\n", place.file("sent").display())).unwrap();
        fs::set_permissions(&curl, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", place.0.0.display(), std::env::var("PATH").unwrap());
        let chat = place.file("chat");
        fs::write(&chat, CHAT).unwrap();
        let hook = format!("sh {}", chat.display());
        let options =
            with_hook(&hook, &["--hook-on", on, "--name", "web", "--restart", "on-failure", "--max-restarts", "0"]);
        let mut command = script_with(&options, "exit 3");
        let (status, _, err) = output(command.env("PATH", path).env("CHAT_WEBHOOK", "http://chat.invalid/"));
        assert_eq!((status, err.as_str()), (Some(3), ""), "{on}");
        let sent: serde_json::Value = serde_json::from_str(&place.text("sent")).unwrap();
        assert!(sent["text"].as_str().is_some_and(|text| text.contains(told)), "{on}: {sent}");
    }
}
