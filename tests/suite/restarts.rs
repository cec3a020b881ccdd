//! One command, started again, killed when it doesn't stop, and its lines labelled.

use crate::support::{
    LEADS_SESSION, PROBE, Running, Scratch, assert_little_memory, by_shell, bytes_of, children, name, outcome, output,
    panicmon, status, wait_for, wait_for_full_pipe, with_one_pipe, write_program,
};
use std::process::Command;

fn wrapper(options: &[&str], command: &[&str]) -> Command {
    let mut wrapper = Command::new(panicmon());
    wrapper.args(options).arg("--").args(command);
    wrapper
}

#[test]
fn it_is_started_again_as_its_options_say_and_the_last_end_counts() {
    let again = |options: &[&str], script: &str| {
        let options = [options, &["-q", "--min-wait=1ms", "--max-wait=2ms"]].concat();
        let (code, out, err) = output(&mut wrapper(&options, &["sh", "-c", script]));
        assert_eq!(err, "");
        (code, out.lines().count())
    };
    let failing = "echo run; exit 3";
    assert_eq!(again(&["--restart=always", "--max-restarts=4"], failing), (Some(3), 5));
    assert_eq!(again(&["--restart=on-failure", "--max-restarts=0"], failing), (Some(3), 1));
    assert_eq!(again(&["--restart=always", "--no-restart-on=1,3"], failing), (Some(3), 1));
    assert_eq!(again(&["--restart=on-failure"], "echo run"), (Some(0), 1));
    let killed = "echo run; kill -USR1 $$";
    assert_eq!(again(&["--restart=always", "--no-restart-on=USR1"], killed), (Some(138), 1));
    assert_eq!(again(&["--restart=always", "--no-restart-on=-1"], killed), (Some(138), 1));
    assert_eq!(again(&["--restart=always", "--no-restart-on=TERM", "--max-restarts=1"], killed), (Some(138), 2));
}

#[test]
fn a_command_that_is_not_there_is_tried_again() {
    let options = ["--restart=on-failure", "--min-wait=1ms", "--max-restarts=2"];
    let (code, _, err) = output(&mut wrapper(&options, &["/nonexistent"]));
    assert_eq!(code, Some(127));
    assert_eq!(err.matches("couldn't be started: ").count(), 2, "{err}");
}

/// Each line but the last, which is the end, says why it couldn't be started and what happens next.
fn assert_reasons(err: &str, why: &str, at_the_end: &str) {
    let lines: Vec<_> = err.lines().collect();
    let [attempts @ .., end] = lines.as_slice() else { panic!("nothing is said") };
    assert_eq!(attempts.len(), 2, "{err}");
    for line in attempts {
        assert!(line.contains(&format!("couldn't be started: {why}")), "{line}");
        assert!(line.contains("; it is tried again in "), "{line}");
    }
    assert!(end.contains(at_the_end), "{end}");
}

#[test]
fn why_it_could_not_be_started_is_said_each_time() {
    let options = ["--restart=always", "--min-wait=1ms", "--max-restarts=2"];
    let script = Scratch::new("");
    write_program(&script.0, b"#!/no/interpreter\n", 0o755);
    let script = script.0.to_str().unwrap();
    for (more, command, why) in [
        (&[] as &[&str], "./nothere", "./nothere: no such file"),
        (&["-C", "/no/where"], "true", "can't change to the working directory /no/where: No such file"),
        (&[], script, &format!("{script}: can't be executed: its #! line names /no/interpreter, which isn't there")),
    ] {
        let options = [&options as &[&str], more].concat();
        let (_, _, err) = output(&mut wrapper(&options, &[command]));
        assert_reasons(&err, why, why);
    }
    // Where it was looked for is said once, at the end.
    let (code, _, err) = output(wrapper(&options, &["no-such-command"]).env("PATH", "/no/where:/or/there"));
    assert_eq!(code, Some(127));
    let why = "no-such-command: command not found in PATH";
    assert_reasons(&err, &format!("{why}; it is tried"), &format!("{why}=/no/where:/or/there"));
    assert_eq!(err.matches("/no/where").count(), 1, "{err}");
}

#[test]
#[ignore = "needs root: another user, whose processes are limited"]
fn that_no_process_may_be_made_is_said_each_time() {
    let command = wrapper(&["--restart=always", "--min-wait=1ms", "--max-restarts=2"], &["true"]);
    let mut limited = Command::new("setpriv");
    limited.args([
        "--reuid=23456",
        "--regid=23456",
        "--clear-groups",
        "bash",
        "-c",
        "ulimit -u 1; exec \"$@\"",
        "bash",
    ]);
    let (code, _, err) = output(limited.arg(command.get_program()).args(command.get_args()));
    assert_eq!(code, Some(125));
    assert_reasons(&err, "clone: ", "can't start the command: clone: ");
    assert_eq!(err.matches("RLIMIT_NPROC").count(), 3, "{err}");
}

#[test]
fn every_stop_signal_ends_the_restarting_with_the_end_of_the_child() {
    for signal in [libc::SIGTERM, libc::SIGINT] {
        let options = ["--restart=always", "--min-wait=1h", "--max-wait=2h"];
        let mut running = Running::start(wrapper(&options, &[PROBE, "exit-after", "1", "7"]));
        assert_eq!(running.line().as_deref(), Some("ready"));
        running.kill(signal);
        assert_eq!(running.code(), 7, "{signal}");
    }
}

#[test]
fn a_quit_ends_the_restarting_only_if_the_run_ends_with_it() {
    let options =
        ["--restart=always", "--min-wait=1ms", "--max-wait=1ms", "--max-restarts=1", "--exit=requested=40", "-q"];
    for (code, restarts, expected) in [("0", 0, 40), ("131", 0, 40), ("2", 1, 2)] {
        let mut running = Running::start(wrapper(&options, &[PROBE, "exit-after", "1", code]));
        for _ in 0..=restarts {
            assert_eq!(running.line().as_deref(), Some("ready"), "{code}");
            running.kill(libc::SIGQUIT);
        }
        assert_eq!((running.line(), running.code()), (None, expected), "{code}");
    }
    // A HUP never does.
    let mut running = Running::start(wrapper(&options, &[PROBE, "exit-after", "1", "0"]));
    for _ in 0..2 {
        assert_eq!(running.line().as_deref(), Some("ready"));
        running.kill(libc::SIGHUP);
    }
    assert_eq!((running.line(), running.code()), (None, 0));
}

#[test]
fn a_stop_that_is_rewritten_ends_the_restarting_all_the_same() {
    let options = ["--restart=always", "--min-wait=1h", "--max-wait=1h", "-r", "TERM=USR1", "--exit=requested=40"];
    let mut running = Running::start(wrapper(&options, &[PROBE, "exit-after", "1", "0"]));
    assert_eq!(running.line().as_deref(), Some("ready"));
    running.kill(libc::SIGTERM);
    assert_eq!(running.code(), 40);
}

#[test]
fn a_stop_signal_ends_a_wait_at_once_with_the_last_end() {
    for signal in [libc::SIGTERM, libc::SIGINT] {
        let options = ["--restart=always", "--min-wait=1h", "--max-wait=2h"];
        let mut running = Running::start(with_one_pipe(&wrapper(&options, &[PROBE, "exit", "3"])));
        let line = running.line().unwrap();
        assert!(line.ends_with("it starts again in 1h"), "{line}");
        running.kill(signal);
        assert_eq!(running.code(), 3, "{signal}");
    }
}

#[test]
fn who_does_not_stop_is_killed_with_its_quiet_child() {
    for signal in [libc::SIGTERM, libc::SIGINT] {
        let script = format!("trap '' TERM INT QUIT HUP; '{PROBE}' pause & echo started; wait; wait");
        let mut running = Running::start(wrapper(&["-k", "1ms"], &["sh", "-c", &script]));
        assert_eq!(running.line().as_deref(), Some("started"));
        running.kill(signal);
        assert_eq!(running.code(), 137);
        // The other process has its stdout, too.
        running.wait_for_eof();
    }
}

#[test]
fn a_signal_that_comes_between_two_runs_is_the_next_childs() {
    let flag = Scratch::new("");
    std::fs::remove_file(&flag.0).unwrap();
    // The first run leaves a mark and ends.
    let script = format!("if mkdir '{}' 2>&-; then exit 1; fi; exec sleep 1000", flag.0.display());
    let options = ["--restart=on-failure", "--min-wait=1s", "--max-restarts=1"];
    let mut running = Running::start(with_one_pipe(&wrapper(&options, &["sh", "-c", &script])));
    let line = running.line().unwrap();
    assert!(line.ends_with("it starts again in 1s"), "{line}");
    running.kill(libc::SIGUSR1);
    assert_eq!(running.code(), 138);
}

#[test]
fn a_limit_that_was_lowered_for_a_full_queue_is_not_the_next_childs() {
    // The first run has room for five, and takes none: so panicmon keeps some, by a lower limit of its own.
    let flag = Scratch::new("");
    std::fs::remove_file(&flag.0).unwrap();
    let script = format!(
        "ulimit -i; if mkdir '{0}' 2>&-; then ulimit -i 5; exec '{PROBE}' prepare block-all -- '{PROBE}' pause; fi; rmdir '{0}'",
        flag.0.display()
    );
    let options = ["--restart=on-failure", "--min-wait=1ms"];
    let mut command = Command::new(PROBE);
    command
        .args(["prepare", "ignore=41", "sigpending=100", "--", &panicmon()])
        .args(options)
        .args(["bash", "-c", &script]);
    let mut running = Running::start(command);
    assert_eq!(running.line().as_deref(), Some("100"));
    let child = running.ready_child();
    let limit = || {
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", running.pid())).unwrap();
        let line = limits.lines().find(|line| line.starts_with("Max pending signals")).map(str::to_owned);
        line.unwrap().split_whitespace().nth(3).map(str::to_owned)
    };
    assert_eq!(limit().as_deref(), Some("100"));
    let sent = status(Command::new(PROBE).args(["queue", &running.pid().to_string(), "20", "41"]));
    assert!(sent.success());
    wait_for("panicmon to lower its own limit", || (limit().as_deref() != Some("100")).then_some(()));
    crate::sys::kill(child, libc::SIGKILL).unwrap();
    assert_eq!(running.line().as_deref(), Some("100"));
    assert_eq!(running.code(), 0);
}

#[test]
fn waits_are_doubled_up_to_the_most_and_no_start_comes_early() {
    let milliseconds = |word: &str| word.strip_suffix("ms").and_then(|number| number.parse::<u64>().ok());
    for command in [
        &["sh", "-c", "date +%s.%N; exit 3"] as &[&str],
        &["sh", "-c", "date +%s.%N; kill -KILL $$"],
        &["sh", "-c", "date +%s.%N; sleep 0.15; exit 3"],
        &["/nonexistent"],
    ] {
        let options = ["--restart=always", "--min-wait=20ms", "--max-wait=100ms", "--max-restarts=5"];
        let (_, out, err) = output(&mut wrapper(&options, command));
        let again = err.lines().filter(|line| line.contains(" again in "));
        let told = again.filter_map(|line| milliseconds(line.rsplit_once(' ')?.1));
        let waits: Vec<u64> = told.collect();
        assert!(waits.len() == 5 && waits[0] == 20, "{err}");
        // How long a run took is taken off.
        assert!(waits.windows(2).all(|pair| (20..=(2 * pair[0]).min(100)).contains(&pair[1])), "{waits:?}");
        let starts: Vec<f64> = out.lines().map(|line| line.parse().unwrap()).collect();
        assert!(command.len() == 1 || starts.len() == 6, "{out}");
        for (pair, wait) in starts.windows(2).zip(waits) {
            assert!(pair[1] - pair[0] >= wait as f64 / 1000.0, "{command:?}: {starts:?}");
        }
    }
}

#[test]
fn lines_are_labelled_and_whole_and_the_last_needs_no_newline() {
    let script = r"printf 'one\n\ntwo\r\n\000\377\n'; printf last; echo error >&2";
    let output = bytes_of(&mut wrapper(&["--label", "web"], &["sh", "-c", script]));
    assert_eq!(
        output.stdout,
        "web › one\nweb › \nweb › two\r\nweb › \0".bytes().chain(*b"\xff\nweb \xe2\x80\xba last\n").collect::<Vec<_>>()
    );
    assert_eq!(output.stderr, "web » error\n".as_bytes());
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_line_over_64_kib_goes_on_in_pieces() {
    let output = bytes_of(&mut wrapper(&["--label=x"], &["sh", "-c", "head -c 150000 /dev/zero | tr '\\0' y; echo"]));
    let lines: Vec<_> = output.stdout.split(|byte| *byte == b'\n').map(<[u8]>::len).collect();
    let label = "x › ".len();
    assert_eq!(lines, [65536 + label, 65536 + label, 150_000 - 2 * 65536 + label, 0]);
}

#[test]
fn a_grandchild_that_keeps_the_pipe_open_holds_up_nothing() {
    let script = format!("'{PROBE}' pause & echo $!; exit 4");
    let mut running = Running::start(wrapper(&["--label=x"], &["sh", "-c", &script]));
    let line = running.line().unwrap();
    let left: u32 = line.strip_prefix("x › ").unwrap().parse().unwrap();
    assert_eq!(running.code(), 4);
    crate::sys::kill(left, libc::SIGKILL).unwrap();
}

#[test]
fn a_reader_that_is_gone_ends_the_command_though_it_is_started_again() {
    let mut command = wrapper(&["--label=x", "--restart=always"], &["yes"]);
    let mut child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = outcome(child);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(err.contains("nobody reads stdout any more: stopping"), "{err}");
    assert_eq!(output.status.code(), Some(125));
}

#[test]
fn a_grandchild_that_keeps_the_pipe_open_does_not_hold_up_the_next_run() {
    // One in its own session, which isn't ended; as soon as it has that.
    let script = format!("setsid '{PROBE}' pause & {LEADS_SESSION}; echo $!; exit 4");
    let options = ["--label=x", "--restart=always", "--min-wait=1ms", "--max-restarts=1", "-q"];
    let (code, out, _) = output(&mut wrapper(&options, &["sh", "-c", &script]));
    assert_eq!((code, out.lines().count()), (Some(4), 2), "{out}");
    for line in out.lines() {
        let left = line.strip_prefix("x › ").unwrap().parse().unwrap();
        crate::sys::kill(left, libc::SIGKILL).unwrap();
    }
}

#[test]
fn a_slow_reader_slows_the_command_and_delays_no_signal() {
    let mut running = Running::start(wrapper(&["--label=x"], &["yes"]));
    let child = wait_for("the command", || children(running.pid()).into_iter().find(|pid| name(*pid) == "yes"));
    // Nobody reads: first the pipes and panicmon's own room are full, then it waits.
    wait_for_full_pipe(child);
    assert_little_memory(running.pid());
    running.kill(libc::SIGTERM);
    assert_eq!(running.code(), 143);
}

#[test]
fn a_hang_up_that_is_ignored_from_the_start_is_no_reason_to_stop_or_kill() {
    let options = ["--restart=always", "--min-wait=1ms", "-k=1ms"];
    let mut running = Running::start(by_shell("trap '' HUP; exec \"$@\"", &wrapper(&options, &[PROBE, "receive"])));
    for _ in 0..2 {
        assert_eq!(running.line().as_deref(), Some("ready"));
        running.kill(libc::SIGHUP);
        running.kill(libc::SIGUSR1);
        assert!(running.line().unwrap().starts_with("1 "));
        assert!(running.line().unwrap().starts_with("10 "));
        let child = children(running.pid())[0];
        crate::sys::kill(child, libc::SIGKILL).unwrap();
    }
    assert_eq!(running.line().as_deref(), Some("ready"));
    running.kill(libc::SIGTERM);
    assert_eq!(running.code(), 137);
}

#[test]
fn times_stand_before_a_label_or_alone() {
    let script = "echo out; echo err >&2";
    for (options, out, err) in [
        (&["--timestamps=AT%H"] as &[&str], "AT00 › out\n", "AT00 » err\n"),
        (&["--timestamps=AT%H", "--label=x"], "AT00 › x › out\n", "AT00 » x » err\n"),
    ] {
        let (code, seen_out, seen_err) = output(&mut wrapper(options, &["sh", "-c", script]));
        let at_midnight = |text: String| text.replace(|digit: char| digit.is_ascii_digit(), "0");
        assert_eq!((code, at_midnight(seen_out), at_midnight(seen_err)), (Some(0), out.to_owned(), err.to_owned()));
    }
}

#[test]
fn what_is_said_of_the_command_stands_between_its_lines() {
    // Lines longer than a pipe takes at once are written in parts.
    let script = "i=0; while [ $i -lt 40 ]; do printf '%04000d\\n' 0 >&2; i=$((i+1)); done; exit 3";
    let options = ["--label=x", "--restart=always", "--max-restarts=3", "--min-wait=1ms", "-vv"];
    let (code, out, _) = output(&mut with_one_pipe(&wrapper(&options, &["sh", "-c", script])));
    assert_eq!(code, Some(3));
    let whole = format!("x » {}", "0".repeat(4000));
    let (lines, said): (Vec<_>, Vec<_>) = out.lines().partition(|line| *line == whole);
    assert_eq!(lines.len(), 160);
    assert!(!said.is_empty() && said.iter().all(|line| line.starts_with("panicmon: ")), "{said:?}");
    // And behind those of the run it speaks of.
    let numbers: Vec<_> = out.lines().enumerate().filter(|(_, line)| line.contains("it starts again")).collect();
    assert_eq!(numbers.len(), 3);
    for (run, (number, _)) in numbers.iter().enumerate() {
        assert_eq!(out.lines().take(*number).filter(|line| *line == whole).count(), 40 * (run + 1));
    }
}

#[test]
fn closed_streams_take_nothing_and_are_no_fault() {
    let options = ["--label=x", "--restart=always", "--max-restarts=1", "--min-wait=1ms", "-q"];
    let wrapper = wrapper(&options, &["sh", "-c", "echo out; echo err >&2; exit 3"]);
    for closed in [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"] {
        let (code, out, err) = output(&mut by_shell(&format!("exec \"$@\" {closed}"), &wrapper));
        let seen = |text: &str, line: &str| (text == line.repeat(2), text.is_empty());
        let expected = |open| if open { (true, false) } else { (false, true) };
        assert_eq!(code, Some(3), "{closed}");
        assert_eq!(seen(&out, "x › out\n"), expected(!closed.contains(" >&-") && !closed.starts_with(">&-")), "{out}");
        assert_eq!(seen(&err, "x » err\n"), expected(!closed.contains("2>&-")), "{err}");
    }
}

#[test]
fn one_of_both_waits_moves_the_default_of_the_other() {
    let options = ["--restart=always", "--max-wait=2ms", "--max-restarts=1"];
    let (_, _, err) = output(&mut wrapper(&options, &["false"]));
    assert!(err.contains("it starts again in 2ms"), "{err}");
}

#[test]
fn variables_of_an_image_that_say_nothing_here_are_no_fault() {
    let waits = |wrapper: &mut Command| {
        output(wrapper.env("PANICMON_MIN_WAIT", "5s").env("PANICMON_MAX_WAIT", "1s").env("PANICMON_LABEL", ""))
    };
    assert_eq!(waits(&mut wrapper(&[], &["true"])), (Some(0), String::new(), String::new()));
    let (code, _, err) = waits(&mut wrapper(&["--restart=on-failure"], &["true"]));
    assert_eq!(code, Some(125));
    assert!(err.contains("PANICMON_MAX_WAIT: 1s is less than PANICMON_MIN_WAIT, 5s"), "{err}");
    // The command line wins.
    let options = ["--restart=always", "--max-wait=2ms", "--max-restarts=1"];
    let (code, _, err) = waits(&mut wrapper(&options, &["false"]));
    assert!(code == Some(1) && err.contains("it starts again in 2ms"), "{err}");
}

#[test]
fn a_run_leaves_nobody_of_its_group_and_others_are_not_touched() {
    // Before panicmon, in its process group; then in the command's, and in a session of its own.
    let before = "sleep 1000 >/dev/null & echo $!; exec \"$@\" 2>&1";
    let script =
        format!("sleep 1000 >/dev/null & echo $!; setsid sleep 1000 >/dev/null & echo $!; exec '{PROBE}' await 10 3");
    let options = ["--restart=always", "--min-wait=1ms", "--max-wait=1ms"];
    let mut running = Running::start(by_shell(before, &wrapper(&options, &["sh", "-c", &script])));
    let is_gone = |pid: u32| crate::support::status_field(pid, "State").is_none_or(|state| state.starts_with('Z'));
    let helper: u32 = running.line().unwrap().parse().unwrap();
    let mut others = vec![helper];
    for run in 0..3 {
        let mut lines = Vec::new();
        while lines.last().is_none_or(|line| line != "ready") {
            lines.push(running.line().unwrap());
        }
        let pids: Vec<u32> = lines.iter().filter_map(|line| line.parse().ok()).collect();
        let told = |what: &str| lines.iter().any(|line| line.contains(what));
        assert_eq!(run > 0, told("sh left 1 process (sleep): ending them before it starts again"), "{lines:?}");
        wait_for("the names", || (name(pids[0]) == "sleep" && name(pids[1]) == "sleep").then_some(()));
        others.push(pids[1]);
        running.kill(if run < 2 { libc::SIGUSR1 } else { libc::SIGTERM });
        if run == 2 {
            // That was no end of the command's: it blocks TERM.
            running.kill(libc::SIGUSR1);
            assert_eq!(running.code(), 3);
        }
        wait_for("the end of what was in the group", || is_gone(pids[0]).then_some(()));
    }
    assert!(!others.iter().any(|pid| is_gone(*pid)));
    others.iter().for_each(|pid| crate::sys::kill(*pid, libc::SIGKILL).unwrap());
}

#[test]
fn with_a_drain_of_zero_a_run_leaves_what_it_likes() {
    let options = ["--restart=always", "--min-wait=1ms", "--max-restarts=1", "--drain=0", "-q"];
    let (code, out, _) = output(&mut wrapper(&options, &["sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo $!; exit 3"]));
    assert_eq!((code, out.lines().count()), (Some(3), 2));
    out.lines().for_each(|pid| crate::sys::kill(pid.parse().unwrap(), libc::SIGKILL).unwrap());
}

/// What ignores TERM has its time; a second stop signal takes that away.
#[test]
fn a_second_stop_signal_kills_what_a_run_has_left() {
    let script = format!("trap '' TERM; '{PROBE}' receive & exec '{PROBE}' await 10 3");
    let options = ["--restart=always", "--min-wait=1h", "--max-wait=1h", "-q"];
    let mut running = Running::start(wrapper(&options, &["sh", "-c", &script]));
    for _ in 0..2 {
        assert_eq!(running.line().as_deref(), Some("ready"));
    }
    running.kill(libc::SIGUSR1);
    assert!(running.line().unwrap().starts_with("15 "));
    running.kill(libc::SIGTERM);
    running.kill(libc::SIGINT);
    running.wait_for_eof();
    assert_eq!(running.code(), 3);
}
