//! Several processes from one file.

use crate::support::{
    PROBE, Random, Running, Scratch, children, outcome, output, panicmon, spend, status_field, wait_for,
};
use crate::support::{
    assert_little_memory, by_shell, lines_of, name, status, status_signals, wait_for_full_pipe, with_one_pipe,
    with_one_pipe_held,
};
use crate::sys;
use std::process::{Command, Stdio};
use std::time::Duration;

fn run(file: &Scratch) -> Command {
    let mut command = Command::new(panicmon());
    command.arg("--config").arg(&file.0);
    command
}

fn start_with_one_pipe(file: &Scratch) -> Running {
    Running::start(with_one_pipe(&run(file)))
}

#[test]
fn two_processes_with_both_streams_and_remarks_are_printed_as_by_pmux() {
    let flag = Scratch::new("");
    let file = Scratch::new(&format!(
        "timeFormat: 'TIME%H'
processes:
  - name: short
    cmd: sh
    args: [-c, 'echo $$ >{flag}; echo out; echo err >&2; exit 3']
    noRestartOn: [3]
  - name: much-longer
    cmd: sh
    args: [-c, 'until [ -s {flag} ]; do :; done; while kill -0 $(cat {flag}) 2>&-; do :; done; printf last; kill -KILL $$']
    noRestartOn: [-1]
",
        flag = flag.0.display()
    ));
    let (code, out, err) = output(&mut run(&file));
    // That of the first that failed: the other one waits until it is reaped.
    assert_eq!(code, Some(3));
    // The hour is any.
    let timeless = |line: &str| {
        let (time, rest) = line.split_at("TIME00".len());
        assert!(time.starts_with("TIME") && time.ends_with(|digit: char| digit.is_ascii_digit()), "{line}");
        format!("TIME%{rest}")
    };
    let of = |text: &str, name: &str| text.lines().filter(|line| line.contains(name)).map(timeless).collect::<Vec<_>>();
    assert_eq!(of(&out, "short"), ["TIME% › short       › out"]);
    assert_eq!(of(&out, "much-longer"), ["TIME% › much-longer › last"]);
    assert_eq!(
        of(&err, "short"),
        [
            "TIME% ~ short       ~ starting process",
            "TIME% » short       » err",
            "TIME% ~ short       ~ exit code 3, process exited: exit status 3",
            "TIME% ~ short       ~ stopped process handler",
        ]
    );
    assert_eq!(
        of(&err, "much-longer"),
        [
            "TIME% ~ much-longer ~ starting process",
            "TIME% ~ much-longer ~ exit code -1, process exited: signal: killed",
            "TIME% ~ much-longer ~ stopped process handler",
        ]
    );
    assert_eq!(err.lines().last().map(timeless).as_deref(), Some("TIME% ~ pmux        ~ exited gracefully, ciao!"));
}

#[test]
fn a_stop_sends_int_once_and_ends_with_0() {
    let file = Scratch::new(
        "processes:
  - name: a
    cmd: sh
    args: [-c, 'trap \"echo int; exit 5\" INT; echo ready; while :; do sleep 0.1; done']
  - name: waiting
    cmd: 'false'
    minWait: 1h
    maxWait: 2h
",
    );
    let mut running = start_with_one_pipe(&file);
    let mut seen = Vec::new();
    while !(seen.iter().any(|line: &String| line == "a       › ready")
        && seen.iter().any(|line| line.contains("will restart process in 1h0m0s")))
    {
        seen.push(running.line().expect("a line"));
    }
    running.kill(libc::SIGTERM);
    let mut rest = Vec::new();
    while let Some(line) = running.line() {
        rest.push(line);
    }
    assert_eq!(running.code(), 0);
    assert_eq!(rest.iter().filter(|line| line.ends_with("› int")).count(), 1, "{rest:?}");
    let of_a: Vec<_> = rest.iter().filter(|line| line.starts_with("a ") && line.contains('~')).cloned().collect();
    assert_eq!(
        of_a,
        [
            "a       ~ sending interrupt signal",
            "a       ~ exit code 5, process exited: exit status 5",
            "a       ~ stopped process handler",
        ]
    );
    assert_eq!(rest[0], "pmux    ~ terminated signal received, waiting for child processes to exit");
    assert_eq!(rest.last().unwrap(), "pmux    ~ exited gracefully, ciao!");
}

const STUBBORN: &str = "  - name: NAME
    cmd: sh
    args: [-c, 'trap \"\" INT; echo ready; exec \"PROBE\" pause']
    sigKillWait: WAIT
";

fn stubborn(wait: &str) -> Running {
    let of = |name: &str| STUBBORN.replace("PROBE", PROBE).replace("NAME", name).replace("WAIT", wait);
    let file = Scratch::new(&format!("processes:\n{}{}", of("a"), of("b")));
    let mut running = start_with_one_pipe(&file);
    let mut ready = 0;
    while ready < 2 {
        ready += usize::from(running.line().expect("a line").ends_with("› ready"));
    }
    running
}

#[test]
fn who_is_stubborn_is_killed_with_its_group_after_its_time() {
    let mut running = stubborn("1ms");
    running.kill(libc::SIGINT);
    let mut killed = 0;
    while let Some(line) = running.line() {
        killed += usize::from(line.ends_with("~ sending killed signal"));
    }
    assert_eq!((killed, running.code()), (2, 0));
}

#[test]
fn a_second_signal_kills_all_and_exits_with_1() {
    let mut running = stubborn("1h");
    running.kill(libc::SIGINT);
    while !running.line().expect("a line").ends_with("waiting for child processes to exit") {}
    running.kill(libc::SIGTERM);
    // Nobody is left who has its stdout.
    running.wait_for_eof();
    assert_eq!(running.code(), 1);
}

#[test]
fn kill_9_leaves_no_child() {
    let running = stubborn("1h");
    let pids = children(running.pid());
    assert_eq!(pids.len(), 2);
    running.kill(libc::SIGKILL);
    wait_for("the children to be gone", || {
        pids.iter().all(|pid| status_field(*pid, "State").is_none_or(|state| state.starts_with('Z'))).then_some(())
    });
}

#[test]
fn a_reader_that_is_gone_stops_all() {
    let file = Scratch::new("processes:\n  - {name: a, cmd: 'yes'}\n  - {name: b, cmd: sleep, args: [1000]}\n");
    let mut child = run(&file).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = outcome(child);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(err.contains("panicmon: error: nobody reads stdout any more: stopping"), "{err}");
    assert_eq!(output.status.code(), Some(125));
}

#[test]
fn all_lines_of_two_hundred_processes_arrive() {
    let one = |number: u32| format!("  - {{name: 'p{number}', cmd: seq, args: ['1000'], noRestartOn: [0]}}\n");
    let file = Scratch::new(&format!("processes:\n{}", (0..200).map(one).collect::<String>()));
    let (code, out, _) = output(&mut run(&file));
    assert_eq!((code, out.lines().count()), (Some(0), 200_000));
    for number in [0, 77, 199] {
        let label = format!("p{number} ");
        let lines = out.lines().filter_map(|line| line.strip_prefix(&label)?.trim_start().strip_prefix("› "));
        assert!(lines.map(|line| line.parse::<u32>().unwrap()).eq(1..=1000));
    }
}

#[test]
fn a_file_can_be_checked() {
    let good = Scratch::new("processes:\n  - cmd: sleep\n");
    let (code, out, err) = output(run(&good).arg("--check"));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.ends_with(": good: 1 process\n"), "{out}");
    let bad = Scratch::new("processes:\n  - cmmd: sleep\n");
    for arguments in [&[] as &[&str], &["--check"]] {
        let (code, out, err) = output(run(&bad).args(arguments));
        assert_eq!((code, out.as_str()), (Some(125), ""));
        assert!(err.contains(".yml:2:5: ") && err.contains("'cmd'"), "{err}");
    }
}

#[test]
fn an_interrupt_reaches_each_member_of_a_group_once() {
    let script = format!("\"'{PROBE}' receive & exec '{PROBE}' receive\"");
    let file = Scratch::new(&format!("processes:\n- {{name: a, cmd: sh, args: [-c, {script}], sigKillWait: 500ms}}\n"));
    let mut running = start_with_one_pipe(&file);
    let mut ready = 0;
    while ready < 2 {
        ready += usize::from(running.line().expect("a line").ends_with("› ready"));
    }
    running.kill(libc::SIGTERM);
    let mut signals = Vec::new();
    while let Some(line) = running.line() {
        if let Some((_, came)) = line.split_once("› ") {
            signals.push(came.split(' ').next().unwrap().to_owned());
        }
    }
    assert_eq!((signals, running.code()), (vec!["2".to_owned(), "2".to_owned()], 0));
}

#[test]
fn a_stop_at_the_very_moment_of_an_end_leaves_nothing() {
    let of = |name: &str, code: u32| {
        format!("- {{name: {name}, cmd: '{PROBE}', args: [exit, {code}], minWait: 1ms, maxWait: 2ms}}\n")
    };
    let file = Scratch::new(&format!("processes:\n{}{}{}", of("a", 0), of("b", 1), of("c", 2)));
    let mut random = Random::new(4);
    for _ in 0..1000 {
        let mut running = Running::start(with_one_pipe_held(&run(&file)));
        while !running.line().expect("a line").ends_with("starting process") {}
        spend(Duration::from_micros(random.below(6000)));
        running.kill([libc::SIGINT, libc::SIGTERM][random.below(2) as usize]);
        // To the end: nobody is left who holds its descriptor 3.
        let mut last = String::new();
        while let Some(line) = running.line() {
            assert!(!line.contains("panic"), "{line}");
            last = line;
        }
        assert_eq!((running.code(), last.as_str()), (0, "pmux ~ exited gracefully, ciao!"));
    }
}

#[test]
fn kill_9_at_any_moment_leaves_no_child() {
    let of = |name: &str| format!("- {{name: {name}, cmd: '{PROBE}', args: [exit, 1], minWait: 1ms, maxWait: 2ms}}\n");
    let stays = format!("- {{name: stays, cmd: '{PROBE}', args: [pause]}}\n");
    let file = Scratch::new(&format!("processes:\n{}{}{stays}", of("a"), of("b")));
    let mut random = Random::new(5);
    for _ in 0..300 {
        let mut running = Running::start(with_one_pipe_held(&run(&file)));
        running.line().expect("a line");
        spend(Duration::from_micros(random.below(8000)));
        running.kill(libc::SIGKILL);
        running.wait_for_eof();
    }
}

#[test]
fn words_reach_arguments_and_environment_letter_for_letter() {
    let file = Scratch::new(
        "processes:
- name: a
  cmd: sh
  args: [-c, 'echo \"$*\" $A $B $C $D', x, 8080, 1.10, 0755, yes, 0x1F, 1e3, no]
  env: {A: 1.10, B: yes, C: 0755, D: 8080}
  noRestartOn: [0]
",
    );
    let (code, out, err) = output(&mut run(&file));
    assert_eq!((code, out.as_str()), (Some(0), "a    › 8080 1.10 0755 yes 0x1F 1e3 no 1.10 yes 0755 8080\n"), "{err}");
}

/// How much memory a bad file may cost, in bytes of address space, of which much is never used.
const FOR_A_BAD_FILE: usize = 50 * 1024 * 1024;

#[test]
fn a_bad_file_is_told_by_place_and_advice() {
    let one = |rest: &str| format!("processes:\n- cmd: 'true'\n{rest}");
    let bomb: String =
        (1..10).map(|n| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(","))).collect();
    for (text, place, told) in [
        (String::new(), "1:1", "processes"),
        ("processes: []".to_owned(), "1:12", "empty"),
        (one("  mixWait: 1s\n"), "3:3", "'minWait'"),
        (one("  cmd: a\n"), "3:3", "cmd"),
        (one("- cmd: 'true'\n"), "3:8", "name"),
        (one("  args: 1\n"), "3:9", "args"),
        (one("  minWait: -1s\n"), "3:12", "-1s"),
        (one("  minWait: 5x\n"), "3:12", "5x"),
        (one("  minWait: 99999999999h\n"), "3:12", "99999999999h"),
        (one("  noRestartOn: [256]\n"), "3:17", "256"),
        ("processes:\n- name: a\n".to_owned(), "2:3", "cmd"),
        (one("  working_dir: /\n"), "3:3", "'dir'"),
        (format!("a0: &a0 [x]\n{bomb}processes: *a9\n"), "", ""),
        ("[".repeat(10_000), "", ""),
        ("[".repeat(100_000), "", ""),
        ("- ".repeat(10_000), "", ""),
    ] {
        let file = Scratch::new(&text);
        let mut command = Command::new(PROBE);
        command.args(["prepare", &format!("address-space={FOR_A_BAD_FILE}"), "--"]);
        command.args([&panicmon(), "--config"]).arg(&file.0);
        let (code, out, err) = output(&mut command);
        let start = format!("panicmon: {}:{place}", file.0.display());
        assert_eq!((code, out.as_str()), (Some(125), ""), "{text:.60}: {err}");
        assert!(err.starts_with(&start) && err.contains(told) && err.lines().count() == 1, "{text:.60}: {err}");
        let place = &err[format!("panicmon: {}:", file.0.display()).len()..];
        let numbers: Vec<_> = place.splitn(3, ':').take(2).map(|number| number.parse::<u32>()).collect();
        assert!(matches!(numbers[..], [Ok(_), Ok(_)]), "{err}");
    }
    for (path, told) in [("/nonexistent", "no such file"), ("/", "directory"), ("/dev/zero", "more than")] {
        let (code, _, err) = output(Command::new(panicmon()).args(["--config", path]));
        assert!(code == Some(125) && err.starts_with(&format!("panicmon: {path}: ")) && err.contains(told), "{err}");
    }
}

#[test]
fn a_thousand_processes_cost_nothing_while_they_sleep_and_all_end_at_a_stop() {
    const COUNT: usize = 1000;
    let one = |number: usize| format!("- {{name: 'p{number}', cmd: '{PROBE}', args: [pause]}}\n");
    let file = Scratch::new(&format!("processes:\n{}", (0..COUNT).map(one).collect::<String>()));
    let mut command = run(&file);
    command.stderr(Stdio::null());
    let mut running = Running::start(command);
    let pid = running.pid();
    let pids = wait_for("all of them to be there", || {
        let pids = children(pid);
        (pids.len() == COUNT && pids.iter().all(|pid| name(*pid) == "ready")).then_some(pids)
    });
    let switches = || ["voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"].map(|field| status_field(pid, field));
    wait_for("panicmon to sleep", || status_field(pid, "State")?.starts_with('S').then_some(()));
    let before = switches();
    spend(Duration::from_millis(200));
    assert_eq!(switches(), before, "it woke up");
    running.kill(libc::SIGTERM);
    assert_eq!(running.code(), 0);
    assert!(pids.iter().all(|pid| status_field(*pid, "State").is_none()), "all were reaped");
}

#[test]
fn streams_that_are_one_pipe_are_not_torn() {
    const EACH: usize = 10_000;
    let script = format!("i=0; while [ $i -lt {EACH} ]; do echo out-$i-out; echo err-$i-err >&2; i=$((i+1)); done");
    let one = |name: &str| format!("- {{name: {name}, cmd: sh, args: [-c, '{script}'], noRestartOn: [0]}}\n");
    let file = Scratch::new(&format!("processes:\n{}{}", one("a"), one("b")));
    let mut running = start_with_one_pipe(&file);
    // A reader that comes late finds a full pipe: what was written to it was written in parts.
    let pids = wait_for("both", || Some(children(running.pid())).filter(|pids| pids.len() == 2));
    pids.iter().for_each(|pid| wait_for_full_pipe(*pid));
    let mut next = [[0; 2]; 2];
    while let Some(line) = running.line() {
        if line.contains('~') {
            continue;
        }
        let (process, rest) = line.split_at(1);
        let process = ["a", "b"].iter().position(|name| *name == process).expect("a label");
        let (stream, word, rest) = match rest.strip_prefix("    › ") {
            Some(rest) => (0, "out", rest),
            None => (1, "err", rest.strip_prefix("    » ").expect("a label")),
        };
        assert_eq!(rest, format!("{word}-{}-{word}", next[process][stream]));
        next[process][stream] += 1;
    }
    assert_eq!((next, running.code()), ([[EACH; 2]; 2], 0));
}

#[test]
fn a_raised_limit_of_descriptors_is_not_the_childrens() {
    let one = |number: u32| format!("- {{name: 'p{number}', cmd: sh, args: [-c, 'ulimit -Sn'], noRestartOn: [0]}}\n");
    let file = Scratch::new(&format!("processes:\n{}", (0..40).map(one).collect::<String>()));
    let mut command = by_shell("ulimit -Sn 70; exec \"$@\"", &run(&file));
    let (code, out, err) = output(&mut command);
    assert_eq!((code, out.lines().count()), (Some(0), 40), "{err}");
    assert!(out.lines().all(|line| line.ends_with("› 70")), "{out}");
}

#[test]
fn a_slow_reader_delays_no_stop_and_costs_no_memory() {
    const COUNT: usize = 30;
    // A line of one byte comes out as one of fifty.
    let one = |number: usize| {
        format!("- {{name: 'with-a-long-name-so-that-its-label-is-long-{number}', cmd: 'yes', args: ['']}}\n")
    };
    let file = Scratch::new(&format!("processes:\n{}", (0..COUNT).map(one).collect::<String>()));
    let mut command = run(&file);
    command.stderr(Stdio::null());
    let mut running = Running::start(command);
    let pid = running.pid();
    let pids = wait_for("all of them", || {
        Some(children(pid)).filter(|pids| pids.len() == COUNT && pids.iter().all(|pid| name(*pid) == "yes"))
    });
    pids.iter().for_each(|pid| wait_for_full_pipe(*pid));
    // There is room for one of them, and all have full pipes.
    for _ in 0..10_000 {
        running.line().expect("a line");
    }
    pids.iter().for_each(|pid| wait_for_full_pipe(*pid));
    assert_little_memory(pid);
    running.kill(libc::SIGTERM);
    assert_eq!(running.code(), 0);
    assert!(pids.iter().all(|pid| status_field(*pid, "State").is_none()), "all were reaped");
}

#[test]
fn a_second_signal_waits_for_no_reader() {
    let file = Scratch::new("processes:\n  - {name: a, cmd: 'yes'}\n");
    let mut command = run(&file);
    command.stderr(Stdio::piped());
    let mut running = Running::start(command);
    let yes = wait_for("yes", || children(running.pid()).into_iter().find(|pid| name(*pid) == "yes"));
    wait_for_full_pipe(yes);
    let mut remarks = lines_of(running.child.stderr.take().unwrap());
    let mut until = |end: &str| assert!(remarks.any(|line| line.ends_with(end)), "{end}");
    running.kill(libc::SIGTERM);
    until("stopped process handler");
    running.kill_by_another(libc::SIGTERM);
    assert_eq!(running.code(), 1);
}

#[test]
fn a_second_signal_leaves_nobody_whose_leader_has_ended() {
    let leaves = format!("\"trap '' INT TERM; '{PROBE}' pause & exec '{PROBE}' exit-after 1 0\"");
    let stays = format!("\"trap '' INT; echo ready; exec '{PROBE}' pause\"");
    let one =
        |name: &str, script: &str| format!("- {{name: {name}, cmd: sh, args: [-c, {script}], sigKillWait: 1h}}\n");
    let file = Scratch::new(&format!("processes:\n{}{}", one("a", &leaves), one("b", &stays)));
    let mut running = Running::start(with_one_pipe_held(&run(&file)));
    let mut ready = 0;
    while ready < 2 {
        ready += usize::from(running.line().expect("a line").ends_with("› ready"));
    }
    running.kill(libc::SIGINT);
    while !running.line().expect("a line").ends_with("~ exit code 0") {}
    running.kill_by_another(libc::SIGINT);
    running.wait_for_eof();
    assert_eq!(running.code(), 1);
}

#[test]
fn an_interrupt_is_sent_once_though_a_reader_goes_and_a_signal_comes() {
    let script = format!("\"exec '{PROBE}' receive >&3\"");
    let file = Scratch::new(&format!(
        "processes:\n- {{name: a, cmd: sh, args: [-c, {script}], sigKillWait: 1h}}\n- {{name: b, cmd: 'yes'}}\n"
    ));
    let mut command = Command::new("bash");
    command.args(["-c", "exec 3>&1; exec \"$@\" 2>/dev/null > >(exec sleep 1000)", "bash", &panicmon(), "--config"]);
    command.arg(&file.0);
    let mut running = Running::start(command);
    assert_eq!(running.line().as_deref(), Some("ready"));
    let pid = running.pid();
    let reader = wait_for("the reader", || children(pid).into_iter().find(|pid| name(*pid) == "sleep"));
    sys::kill(reader, libc::SIGKILL).unwrap();
    assert!(running.line().unwrap().starts_with("2 "));
    running.kill(libc::SIGTERM);
    let is_done = |pid| status_signals(pid, "ShdPnd") == 0 && status_field(pid, "State").unwrap().starts_with('S');
    wait_for("the signal to be dealt with", || is_done(pid).then_some(()));
    let a = wait_for("a", || children(pid).into_iter().find(|pid| name(*pid) == "panicmon-probe"));
    wait_for("what it may have caused", || is_done(a).then_some(()));
    running.kill(libc::SIGINT);
    let mut rest = Vec::new();
    while let Some(line) = running.line() {
        rest.push(line);
    }
    assert_eq!((rest, running.code()), (Vec::<String>::new(), 1));
}

#[test]
fn a_hang_up_that_is_ignored_from_the_start_stops_nothing() {
    let file = Scratch::new(&format!("processes:\n- {{name: a, cmd: '{PROBE}', args: [receive]}}\n"));
    let mut running = Running::start(by_shell("trap '' HUP; exec \"$@\" 2>&1", &run(&file)));
    while !running.line().expect("a line").ends_with("› ready") {}
    running.kill(libc::SIGHUP);
    running.kill(libc::SIGUSR1);
    // Both are the child's, which blocks them all; the lower number comes first.
    let came = [running.line().unwrap(), running.line().unwrap()];
    assert!(came[0].contains("› 1 ") && came[1].contains("› 10 "), "{came:?}");
    running.kill(libc::SIGTERM);
    assert_eq!(running.code(), 0);
}

/// Two of them: the first catches HUP and USR1, the second would die of them.
fn catcher_and_bystander() -> (Running, u32) {
    let script = "\"trap 'echo hup' HUP; trap 'echo usr1' USR1; echo ready; while :; do sleep 1000 & wait; done\"";
    let file = Scratch::new(&format!(
        "processes:\n- {{name: a, cmd: sh, args: [-c, {script}]}}\n- {{name: b, cmd: '{PROBE}', args: [pause]}}\n"
    ));
    let mut running = start_with_one_pipe(&file);
    while !running.line().expect("a line").ends_with("› ready") {}
    let bystander = running.ready_child();
    (running, bystander)
}

#[test]
fn nobody_dies_of_what_is_meant_for_a_neighbour() {
    let (mut running, bystander) = catcher_and_bystander();
    let mut answers = |signal, told: &str| {
        running.kill(signal);
        while !running.line().expect("a line").ends_with(told) {}
    };
    answers(libc::SIGHUP, "› hup");
    answers(libc::SIGUSR1, "› usr1");
    // Nobody catches that one.
    running.kill(libc::SIGQUIT);
    let mut answers = |signal, told: &str| {
        running.kill(signal);
        while !running.line().expect("a line").ends_with(told) {}
    };
    answers(libc::SIGHUP, "› hup");
    assert!(children(running.pid()).contains(&bystander), "it lives");
    running.kill(libc::SIGTERM);
    running.wait_for_eof();
    assert_eq!(running.code(), 0);
}

#[test]
fn a_list_says_which_signals_a_process_gets() {
    let one = |name: &str, signals: &str| {
        format!("- {{name: {name}, cmd: '{PROBE}', args: [receive], signals: {signals}, sigKillWait: 1ms}}\n")
    };
    let file = Scratch::new(&format!("processes:\n{}{}", one("a", "[USR1, RTMIN+3]"), one("b", "USR2")));
    let mut running = start_with_one_pipe(&file);
    for _ in 0..2 {
        while !running.line().expect("a line").ends_with("› ready") {}
    }
    // Each blocks them all, and would get them without a list.
    for signal in [libc::SIGHUP, libc::SIGUSR2, libc::SIGUSR1, 37] {
        running.kill(signal);
    }
    let (mut a, mut b) = (Vec::new(), Vec::new());
    while a.len() < 2 || b.is_empty() {
        let line = running.line().expect("a line");
        let (name, rest) = line.split_once(" › ").expect("a line of stdout");
        let number: i32 = rest.split(' ').next().unwrap().parse().unwrap();
        if name.trim_end() == "a" { &mut a } else { &mut b }.push(number);
    }
    assert_eq!((a, b), (vec![libc::SIGUSR1, 37], vec![libc::SIGUSR2]));
    running.kill(libc::SIGTERM);
    running.wait_for_eof();
    assert_eq!(running.code(), 0);
}

/// A list is what is wanted, whatever the process does with it.
#[test]
fn a_listed_signal_is_passed_on_to_who_dies_of_it() {
    let file = Scratch::new(&format!(
        "processes:\n- {{name: a, cmd: '{PROBE}', args: [pause], signals: [USR1], noRestartOn: [USR1]}}\n"
    ));
    let mut running = start_with_one_pipe(&file);
    running.ready_child();
    running.kill(libc::SIGUSR1);
    running.wait_for_eof();
    assert_eq!(running.code(), 128 + libc::SIGUSR1);
}

/// It isn't started again, and the others aren't stopped by that.
#[test]
fn who_ends_by_a_quit_ends_alone() {
    let script = "\"trap 'exit 0' QUIT; echo ready; while :; do sleep 1000 & wait; done\"";
    let file = Scratch::new(&format!(
        "processes:\n- {{name: a, cmd: sh, args: [-c, {script}]}}\n- {{name: b, cmd: '{PROBE}', args: [await, 2, 0]}}\n"
    ));
    let mut running = start_with_one_pipe(&file);
    for _ in 0..2 {
        while !running.line().expect("a line").ends_with("› ready") {}
    }
    running.kill(libc::SIGQUIT);
    while !running.line().expect("a line").ends_with("a    ~ stopped process handler") {}
    // The first stop, which leaves the other its time.
    running.kill(libc::SIGTERM);
    while !running.line().expect("a line").ends_with("waiting for child processes to exit") {}
    running.wait_for_eof();
    assert_eq!(running.code(), 0);
}

#[test]
fn the_same_stop_twice_at_once_kills_nobody() {
    let script = format!("\"trap '' INT; exec '{PROBE}' await 10 0\"");
    let file = Scratch::new(&format!("processes:\n- {{name: a, cmd: sh, args: [-c, {script}], sigKillWait: 1h}}\n"));
    let mut command = with_one_pipe(&run(&file));
    command.env("PANICMON_STOP_SIGNALS", "RTMIN+3");
    let mut running = Running::start(command);
    while !running.line().expect("a line").ends_with("› ready") {}
    let child = children(running.pid())[0];
    running.while_stopped(|running| {
        running.kill(37);
        running.kill(37);
    });
    while !running.line().expect("a line").ends_with("sending interrupt signal") {}
    // Both are dealt with before the end of the process is seen.
    sys::kill(child, libc::SIGUSR1).unwrap();
    while let Some(line) = running.line() {
        assert!(!line.contains("kill"), "{line}");
    }
    assert_eq!(running.code(), 0);
}

#[test]
fn closed_streams_get_nothing_written_into_what_is_opened_next() {
    let file = Scratch::new("processes:\n- {name: a, cmd: sh, args: [-c, 'echo secret'], noRestartOn: [0]}\n");
    let target = Scratch::new("");
    let redirected = format!("exec \"$@\" <>'{}' >&- 2>&-", target.0.display());
    assert_eq!(output(&mut by_shell(&redirected, &run(&file))), (Some(0), String::new(), String::new()));
    assert_eq!(std::fs::read_to_string(&target.0).unwrap(), "");
}

#[test]
fn too_low_a_limit_of_descriptors_is_told() {
    let file = Scratch::new("processes:\n- {name: a, cmd: 'true', noRestartOn: [0]}\n");
    let (code, _, err) = output(&mut by_shell("ulimit -n 40; exec \"$@\"", &run(&file)));
    assert_eq!(code, Some(0));
    assert!(err.contains("the hard limit of open files is 40"), "{err}");
}

#[test]
fn an_interrupt_is_heeded_though_it_was_ignored_from_the_start() {
    let file = Scratch::new(&format!("processes:\n- {{name: a, cmd: '{PROBE}', args: [pause], sigKillWait: 1h}}\n"));
    let mut running = Running::start(by_shell("trap '' INT; exec \"$@\" 2>&1", &run(&file)));
    let child = running.ready_child();
    assert_eq!(status_signals(child, "SigIgn") & 1 << (libc::SIGINT - 1), 0);
    running.kill(libc::SIGINT);
    assert_eq!(running.code(), 0);
}

#[test]
fn who_writes_without_end_keeps_nobody_from_being_started_again() {
    let file = Scratch::new(
        "processes:\n- {name: noisy, cmd: 'yes'}\n- {name: ends, cmd: sh, args: [-c, 'echo run'], minWait: 1ms, maxWait: 1ms}\n",
    );
    let mut command = run(&file);
    command.stderr(Stdio::null());
    let mut running = Running::start(command);
    let (mut runs, mut lines) = (0, 0);
    while runs < 30 {
        runs += usize::from(running.line().expect("a line").ends_with("› run"));
        lines += 1;
        assert!(lines < 5_000_000, "{runs} runs only");
    }
}

#[test]
fn who_writes_to_both_streams_gets_its_share_of_each() {
    let file =
        Scratch::new("processes:\n- {name: a, cmd: 'yes'}\n- {name: b, cmd: sh, args: [-c, 'yes >&2 & exec yes']}\n");
    let mut command = run(&file);
    command.stderr(Stdio::null());
    let mut running = Running::start(command);
    let pids = wait_for("both", || Some(children(running.pid())).filter(|pids| pids.len() == 2));
    pids.iter().for_each(|pid| wait_for_full_pipe(*pid));
    let mut counts = [0; 2];
    for _ in 0..1_000_000 {
        let line = running.line().expect("a line");
        counts[usize::from(line.starts_with('b'))] += 1;
    }
    assert!(counts.iter().all(|count| *count > 300_000), "{counts:?}");
}

/// While it waits, /proc shows what it waits for as not blocked; and when the first of them has woken it, still.
#[test]
fn a_burst_of_signals_reaches_one_that_waits_for_them_to_the_last() {
    let file = Scratch::new(&format!("processes:\n- {{name: a, cmd: '{PROBE}', args: [receive]}}\n"));
    let mut running = start_with_one_pipe(&file);
    while !running.line().expect("a line").ends_with("› ready") {}
    let sent = status(Command::new(PROBE).args(["queue", &running.pid().to_string(), "200", "40", "41"]));
    assert!(sent.success());
    let mut came = 0;
    while came < 400 {
        came += usize::from(running.line().expect("a line").contains("› 4"));
    }
    running.kill(libc::SIGKILL);
}

/// All lines up to the end of all who have the output, and then 0.
fn rest_of(mut running: Running) -> Vec<String> {
    let lines: Vec<_> = std::iter::from_fn(|| running.line()).collect();
    assert_eq!(running.code(), 0, "{lines:?}");
    lines
}

/// A shell's background job ignores INT.
#[test]
fn a_stop_ends_the_whole_group_with_term_for_who_ignores_int() {
    let script = format!("\"trap '' INT; sleep 1000 & trap - INT; exec '{PROBE}' until 2 5\"");
    let file = Scratch::new(&format!("processes:\n- {{name: a, cmd: sh, args: [-c, {script}], sigKillWait: 1h}}\n"));
    let running = Running::start(with_one_pipe_held(&run(&file)));
    let pid = running.pid();
    let leader = wait_for("the leader", || children(pid).into_iter().find(|pid| name(*pid) == "panicmon-probe"));
    wait_for("its job", || children(leader).into_iter().find(|pid| name(*pid) == "sleep"));
    running.kill(libc::SIGTERM);
    let lines = rest_of(running);
    assert!(!lines.iter().any(|line| line.contains("killed")), "{lines:?}");
}

#[test]
fn who_heeds_nothing_or_is_frozen_is_killed_when_the_one_budget_is_spent_and_named() {
    for (leader, frozen) in [("exec '{PROBE}' until 2 5", false), ("exec '{PROBE}' until 2 5", true)] {
        let script = format!("\"'{PROBE}' receive & {}\"", leader.replace("{PROBE}", PROBE));
        let file =
            Scratch::new(&format!("processes:\n- {{name: a, cmd: sh, args: [-c, {script}], sigKillWait: 200ms}}\n"));
        let mut running = Running::start(with_one_pipe_held(&run(&file)));
        while !running.line().expect("a line").ends_with("ready") {}
        let pid = running.pid();
        let of_group = wait_for("the leader", || children(pid).first().copied());
        wait_for("the leader to be the probe", || (name(of_group) == "panicmon-probe").then_some(()));
        let stubborn = wait_for("its child", || children(of_group).first().copied());
        if frozen {
            sys::kill(stubborn, libc::SIGSTOP).unwrap();
        }
        running.kill(libc::SIGTERM);
        let lines = rest_of(running);
        let killed = format!("panicmon: warn: a: pid {stubborn} (panicmon-probe) hadn't ended, and was killed");
        assert_eq!(lines.iter().filter(|line| **line == killed).count(), 1, "{frozen}: {lines:?}");
        assert!(lines.last().unwrap().ends_with("exited gracefully, ciao!"), "{lines:?}");
    }
}

#[test]
fn a_frozen_leader_is_continued_and_killed_when_its_time_is_over() {
    let file =
        Scratch::new(&format!("processes:\n- {{name: a, cmd: '{PROBE}', args: [receive], sigKillWait: 200ms}}\n"));
    let mut running = Running::start(with_one_pipe_held(&run(&file)));
    while !running.line().expect("a line").ends_with("ready") {}
    let leader = children(running.pid())[0];
    sys::kill(leader, libc::SIGSTOP).unwrap();
    wait_for("it to be stopped", || status_field(leader, "State")?.starts_with('T').then_some(()));
    running.kill(libc::SIGTERM);
    let lines = rest_of(running);
    assert!(lines.iter().any(|line| line.contains("› 2 ")), "it was continued: {lines:?}");
}

#[test]
fn each_is_stopped_by_its_own_signal() {
    let one = |name: &str, rest: &str| {
        format!("- {{name: {name}, cmd: '{PROBE}', args: [receive], sigKillWait: 200ms{rest}}}\n")
    };
    let file = Scratch::new(&format!("processes:\n{}{}", one("a", ""), one("b", ", stopSignal: USR2")));
    let mut running = start_with_one_pipe(&file);
    let mut ready = 0;
    while ready < 2 {
        ready += usize::from(running.line().expect("a line").ends_with("› ready"));
    }
    running.kill(libc::SIGTERM);
    let lines = rest_of(running);
    let came = |start: &str| lines.iter().any(|line| line.starts_with(start));
    assert!(came("a    › 2 ") && came("b    › 12 ") && !came("b    › 2 "), "{lines:?}");
}

/// What one has left that is of its group is ended before it starts again; what is in a session of its own only with the
/// key for that, and only if nobody else of the file can have started it.
#[test]
fn what_a_run_has_left_is_ended_as_its_keys_say() {
    let leaves = "\"setsid sleep 1000 & sleep 1000 & exec 'PROBE' await 10 3\"".replace("PROBE", PROBE);
    let one = |name: &str, rest: &str| {
        format!("- {{name: {name}, cmd: sh, args: [-c, {leaves}], minWait: 1ms, maxWait: 1ms{rest}}}\n")
    };
    let is_gone = |pid: &u32| status_field(*pid, "State").is_none_or(|state| state.starts_with('Z'));
    let file = Scratch::new(&format!(
        "processes:\n{}{}",
        // It is there first: whatever the other starts may be its own.
        one("b", "").replace("minWait: 1ms, maxWait: 1ms", "minWait: 1h, maxWait: 1h"),
        one("a", ", drain: true")
    ));
    let mut running = start_with_one_pipe(&file);
    let mut ready = 0;
    while ready < 2 {
        ready += usize::from(running.line().expect("a line").ends_with("› ready"));
    }
    let pid = running.pid();
    let all = |pid: u32| {
        let leaders: Vec<u32> = children(pid).into_iter().filter(|pid| name(*pid) == "panicmon-probe").collect();
        let left: Vec<Vec<u32>> = leaders.iter().map(|leader| children(*leader)).collect();
        let ready = |left: &Vec<u32>| left.len() == 2 && left.iter().all(|pid| name(*pid) == "sleep");
        (leaders.len() == 2 && left.iter().all(ready)).then_some((leaders, left))
    };
    let (leaders, left) = wait_for("both and theirs", || all(pid));
    let group = |pid: u32| {
        std::fs::read_to_string(format!("/proc/{pid}/stat"))
            .unwrap()
            .rsplit_once(") ")
            .unwrap()
            .1
            .split(' ')
            .nth(2)
            .unwrap()
            .parse::<u32>()
            .unwrap()
    };
    let of = |number: usize, in_group: bool| {
        *left[number].iter().find(|pid| (group(**pid) == leaders[number]) == in_group).unwrap()
    };
    let [a_group, a_session, b_group, b_session] = [of(1, true), of(1, false), of(0, true), of(0, false)];
    // While b runs, it may have started what isn't of a's group.
    sys::kill(leaders[1], libc::SIGUSR1).unwrap();
    while !running.line().expect("a line").ends_with("a left 1 process (sleep): ending them before it starts again") {}
    wait_for("what is of a's group", || is_gone(&a_group).then_some(()));
    assert!(![a_session, b_group, b_session].iter().any(is_gone));
    running.kill(libc::SIGTERM);
    let lines = rest_of(running);
    // Everything that a may have started is ended with it, at the latest when nobody else is there.
    assert!(is_gone(&b_group), "{lines:?}");
    for pid in [a_session, b_session] {
        let _ = sys::kill(pid, libc::SIGKILL);
    }
}

#[test]
fn with_the_key_drain_every_descendant_is_ended_and_nobody_who_was_there_before() {
    let script = format!("\"setsid sleep 1000 & exec '{PROBE}' await 10 3\"");
    let file = Scratch::new(&format!(
        "processes:\n- {{name: a, cmd: sh, args: [-c, {script}], drain: true, noRestartOn: [3], sigKillWait: 1h}}\n"
    ));
    let mut running =
        Running::start(by_shell("sleep 1000 >/dev/null 2>&1 & echo $!; exec \"$@\" 2>&1 3>&1", &run(&file)));
    let helper: u32 = running.line().unwrap().parse().unwrap();
    while !running.line().expect("a line").ends_with("› ready") {}
    let pid = running.pid();
    let leader = wait_for("the leader", || children(pid).into_iter().find(|pid| name(*pid) == "panicmon-probe"));
    wait_for("its child", || children(leader).into_iter().find(|pid| name(*pid) == "sleep"));
    sys::kill(leader, libc::SIGUSR1).unwrap();
    running.wait_for_eof();
    assert_eq!(running.code(), 3);
    assert!(status_field(helper, "State").is_some());
    sys::kill(helper, libc::SIGKILL).unwrap();
}

/// A process that forks and ends all the time is hardly ever seen; but it is in its group.
#[test]
fn a_process_of_a_group_that_is_another_all_the_time_is_ended() {
    let go = Scratch::new("");
    let hop = "trap '' INT TERM; hop() { [ ! -e \\\"$F\\\" ] || (hop) & }; hop; exec 'PROBE' await 10 3";
    let file = Scratch::new(&format!(
        "processes:\n- {{name: a, cmd: sh, args: [-c, \"{}\"], noRestartOn: [3], sigKillWait: 100ms}}\n",
        hop.replace("PROBE", PROBE)
    ));
    let mut command = with_one_pipe_held(&run(&file));
    command.env("F", &go.0);
    let mut running = Running::start(command);
    while !running.line().expect("a line").ends_with("› ready") {}
    let leader =
        wait_for("the leader", || children(running.pid()).into_iter().find(|pid| name(*pid) == "panicmon-probe"));
    sys::kill(leader, libc::SIGUSR1).unwrap();
    running.wait_for_eof();
    assert_eq!(running.code(), 3);
}
