//! Many processes: the kernel keeps track of their pipes, and an index of what there is to do. All is as with few.

mod descriptors;

use crate::support::{
    PROBE, Running, Scratch, children, name, outcome, output, panicmon, spend, status_field, wait_for,
    wait_for_full_pipe, with_one_pipe,
};
use crate::sys::kill;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// More than are looked at one by one.
const COUNT: usize = 40;

/// A file with this many processes.
fn file_of(count: usize, process: impl Fn(usize) -> String) -> Scratch {
    let one = |number: usize| format!("- {{name: p{number}, {}}}\n", process(number));
    Scratch::new(&format!("processes:\n{}", (0..count).map(one).collect::<String>()))
}

/// A file with many of these.
fn file(process: &str) -> Scratch {
    file_of(COUNT, |_| process.to_owned())
}

fn run(file: &Scratch) -> Command {
    let mut command = Command::new(panicmon());
    command.arg("--config").arg(&file.0);
    command
}

/// What each process wrote, in order.
fn lines_by_process(out: &str) -> Vec<Vec<&str>> {
    let mut lines = vec![Vec::new(); COUNT];
    for line in out.lines() {
        let (label, text) = line.split_once(" › ").unwrap();
        let number: usize = label.trim_end().strip_prefix('p').unwrap().parse().unwrap();
        lines[number].push(text);
    }
    lines
}

#[test]
fn each_run_of_each_is_relayed_whole_and_in_order() {
    let folder = Folder::new("runs");
    let script = "for line in 1 2 3; do echo $line; done; printf last; mkdir \"$0\" && exit 3; exit 0";
    let file = file_of(COUNT, |number| twice(script, &folder.0.join(number.to_string())));
    let (code, out, _) = output(&mut run(&file));
    assert_eq!(code, Some(0));
    let all = ["1", "2", "3", "last"].repeat(2);
    for (number, lines) in lines_by_process(&out).iter().enumerate() {
        assert_eq!(lines, &all, "p{number}");
    }
}

/// Runs the script twice: with the name of a file that isn't there at first, and for whose sake it ends with 3 then.
fn twice(script: &str, own: &Path) -> String {
    format!("cmd: sh, args: [-c, '{script}', '{}'], noRestartOn: [0], minWait: 1ms, maxWait: 1ms", own.display())
}

/// All have filled their pipes before anything is read; then the first run of each ends, and the next begins, while the reader
/// is behind.
#[test]
fn behind_a_slow_reader_lines_stay_whole_and_in_order_over_restarts() {
    let folder = Folder::new("reader");
    let text = "x".repeat(2800);
    let script = format!(
        "i=100; while [ $i -lt 250 ]; do echo \"$i {text}\"; echo $i >&2; i=$((i+1)); done; mkdir \"$0\" 2>/dev/null && exit 3; exit 0"
    );
    let file = file_of(COUNT, |number| twice(&script, &folder.0.join(number.to_string())));
    // One pipe for both streams of panicmon.
    let mut running = Running::start(with_one_pipe(&run(&file)));
    let pid = running.pid();
    let pids = wait_for("all of them", || Some(children(pid)).filter(|pids| pids.len() == COUNT));
    pids.iter().for_each(|pid| wait_for_full_pipe(*pid));
    let mut lines = vec![[Vec::new(), Vec::new()]; COUNT];
    while let Some(line) = running.line() {
        for (stream, separator) in [" › ", " » "].into_iter().enumerate() {
            if let Some((label, text)) = line.split_once(separator) {
                let number: usize = label.trim_end().strip_prefix('p').unwrap().parse().unwrap();
                lines[number][stream].push(text.to_owned());
            }
        }
    }
    assert_eq!(running.code(), 0);
    let all = |with: &str| (0..2).flat_map(|_| 100..250).map(|line| format!("{line}{with}")).collect::<Vec<_>>();
    let (out, err) = (all(&format!(" {text}")), all(""));
    for (number, [stdout, stderr]) in lines.iter().enumerate() {
        assert!(*stdout == out, "p{number}: {} lines", stdout.len());
        assert_eq!(stderr, &err, "p{number}");
    }
}

/// Some fill their pipes and end, all at once; others write for ever. Nobody reads before that.
#[test]
fn what_ended_children_wrote_comes_though_others_write_without_end() {
    let (ending, count, text) = (100, 140, "x".repeat(1000));
    let file = file_of(count, |number| match number {
        0..100 => format!("cmd: sh, args: [-c, 'yes {text} | head -n 50; echo last'], noRestartOn: [0]"),
        _ => format!("cmd: yes, args: [{text}]"),
    });
    let mut running = Running::start(run(&file));
    let pid = running.pid();
    let pids = wait_for("the end of the first", || {
        Some(children(pid)).filter(|pids| pids.len() == count - ending && pids.iter().all(|pid| name(*pid) == "yes"))
    });
    pids.iter().for_each(|pid| wait_for_full_pipe(*pid));
    let mut lines = vec![0; ending];
    let mut last = 0;
    // Those that write without end have a turn each in between.
    for _ in 0..2 * count * 70 {
        let line = running.line().unwrap();
        let (label, text) = line.split_once(" › ").unwrap();
        let number: usize = label.trim_end().strip_prefix('p').unwrap().parse().unwrap();
        if number < ending {
            lines[number] += 1;
            last += usize::from(text == "last");
            if last == ending {
                assert_eq!(lines, [51].repeat(ending));
                return;
            }
        }
    }
    panic!("only {last} of {ending} have had their say");
}

#[test]
fn a_reader_that_is_gone_stops_all() {
    let file = file("cmd: yes");
    let mut command = run(&file);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pid = child.id();
    wait_for("all of them", || Some(children(pid)).filter(|pids| pids.len() == COUNT));
    drop(child.stdout.take());
    let output = outcome(child);
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(err.lines().filter(|line| line.ends_with(" ~ stopped process handler")).count(), COUNT, "{err}");
    assert!(err.contains("panicmon: error: nobody reads stdout any more: stopping\n"), "{err}");
    assert_eq!(output.status.code(), Some(125));
}

#[test]
fn a_thousand_that_sleep_wake_nobody() {
    let count = 1000;
    let file = file_of(count, |_| "cmd: sleep, args: [\"1000\"]".to_owned());
    let mut command = run(&file);
    command.stderr(Stdio::null());
    let mut running = Running::start(command);
    let pid = running.pid();
    wait_for("all of them", || {
        Some(children(pid)).filter(|pids| pids.len() == count && pids.iter().all(|pid| name(*pid) == "sleep"))
    });
    wait_for("panicmon to sleep", || status_field(pid, "State")?.starts_with('S').then_some(()));
    let before = switches(pid);
    spend(Duration::from_millis(500));
    assert_eq!(switches(pid), before, "it woke up");
    running.kill(libc::SIGTERM);
    assert_eq!(running.code(), 0);
}

/// How often it was switched to another process: at each wait, and each time that another one was to run.
fn switches(pid: u32) -> [Option<String>; 2] {
    ["voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"].map(|field| status_field(pid, field))
}

/// A folder that is removed again.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("panicmon-test-many-{name}-{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What epoll_wait(3) calls.
const EPOLL_WAIT: libc::c_long = {
    #[cfg(target_arch = "x86_64")]
    let call = libc::SYS_epoll_wait;
    #[cfg(not(target_arch = "x86_64"))]
    let call = libc::SYS_epoll_pwait;
    call
};

/// As by a filter, or where the user's limit of watches is reached (epoll(7)).
#[test]
fn where_the_kernel_keeps_no_track_they_are_relayed_all_the_same() {
    let file = file("cmd: seq, args: ['15000'], noRestartOn: [0]");
    for call in [libc::SYS_epoll_create1, libc::SYS_epoll_ctl, EPOLL_WAIT] {
        let mut command = Command::new(PROBE);
        command.args(["prepare", &format!("refuse={call}:{}", libc::ENOSPC), "--", &panicmon(), "--config"]);
        let (code, out, _) = output(command.arg(&file.0));
        assert_eq!(code, Some(0));
        for lines in lines_by_process(&out) {
            assert!(lines.iter().map(|line| line.parse::<u32>().unwrap()).eq(1..=15_000), "{} lines", lines.len());
        }
    }
}

#[test]
fn a_full_stream_holds_up_no_other_and_wakes_nobody() {
    let file = file("cmd: sh, args: [-c, 'echo out; exec yes >&2']");
    let mut command = run(&file);
    command.stderr(Stdio::piped());
    let mut running = Running::start(command);
    let pid = running.pid();
    for _ in 0..COUNT {
        assert!(running.line().unwrap().ends_with(" › out"));
    }
    let pids = wait_for("all of them", || {
        Some(children(pid)).filter(|pids| pids.len() == COUNT && pids.iter().all(|pid| name(*pid) == "yes"))
    });
    pids.iter().for_each(|pid| wait_for_full_pipe(*pid));
    wait_for("panicmon to sleep", || status_field(pid, "State")?.starts_with('S').then_some(()));
    let before = switches(pid);
    spend(Duration::from_millis(200));
    assert_eq!(switches(pid), before, "it woke up");
}

/// The kernel tells of some hundred at once, as a rule. Each comes to its turn all the same, also where there is room for one
/// only.
#[test]
fn of_many_that_write_without_end_each_has_its_turn() {
    let count = 300;
    let text = "x".repeat(1000);
    let file = file_of(count, |_| format!("cmd: yes, args: [{text}]"));
    let mut running = Running::start(run(&file));
    let pid = running.pid();
    let pids = wait_for("all of them", || {
        Some(children(pid)).filter(|pids| pids.len() == count && pids.iter().all(|pid| name(*pid) == "yes"))
    });
    // Nobody reads: from now on each is ready at any time.
    pids.iter().for_each(|pid| wait_for_full_pipe(*pid));
    let mut seen = BTreeSet::new();
    // Each turn is 64 KiB: less than 70 lines.
    for _ in 0..2 * count * 70 {
        let line = running.line().unwrap();
        let (label, _) = line.split_once(" › ").unwrap();
        if seen.insert(label.trim_end().to_owned()) && seen.len() == count {
            return;
        }
    }
    panic!("only {} of {count} have had a turn", seen.len());
}

/// panicmon, which has this number of children, and the pids of sleeping orphans beside them.
fn beside_many(count: usize, orphans: usize, by: impl Fn(&Command) -> Command) -> (Running, Vec<u32>) {
    let script = format!("for each in $(seq {orphans}); do (sleep 1000 & echo $!); done; exec sleep 1000");
    let file = file_of(count, |number| match number {
        0 => format!("cmd: sh, args: [-c, '{script}']"),
        _ => "cmd: sleep, args: ['1000'], noRestartOn: ['SIGKILL']".to_owned(),
    });
    let mut running = Running::start(by(&run(&file)));
    let mut orphan = || running.line().unwrap().rsplit_once(' ').unwrap().1.parse().unwrap();
    let pids = (0..orphans).map(|_| orphan()).collect();
    wait_for("all to be its children", || (children(running.pid()).len() == count + orphans).then_some(()));
    (running, pids)
}

fn itself(command: &Command) -> Command {
    let mut same = Command::new(command.get_program());
    same.args(command.get_args());
    same
}

fn wait_until_reaped(pid: u32) {
    wait_for("it to be reaped", || status_field(pid, "PPid").is_none().then_some(()));
}

/// Not each SIGCHLD is followed by a look at all children: one that comes soon after such a look may stand for several.
#[test]
fn beside_many_each_orphan_is_reaped_though_the_signals_of_two_are_one() {
    let (running, orphans) = beside_many(100, 60, itself);
    for round in orphans.chunks(3) {
        kill(round[0], libc::SIGKILL).unwrap();
        wait_until_reaped(round[0]);
        running.while_stopped(|_| round[1..].iter().for_each(|orphan| kill(*orphan, libc::SIGKILL).unwrap()));
        round[1..].iter().for_each(|orphan| wait_until_reaped(*orphan));
    }
}

/// Some hundred orphans end at once, and one child that is a process's: all are reaped, and not by a look for every few.
fn all_are_reaped_at_once(running: &Running, orphans: &[u32]) {
    let mut others = children(running.pid());
    others.retain(|pid| !orphans.contains(pid) && name(*pid) == "sleep");
    let all = || orphans.iter().chain(others.last());
    let switches = || status_field(running.pid(), "voluntary_ctxt_switches").unwrap().parse::<usize>().unwrap();
    let before = switches();
    running.while_stopped(|_| all().for_each(|pid| kill(*pid, libc::SIGKILL).unwrap()));
    all().for_each(|pid| wait_until_reaped(*pid));
    let waits = switches() - before;
    assert!(waits < orphans.len() / 6, "it waited {waits} times");
}

#[test]
fn beside_many_of_many_orphans_that_end_at_once_none_is_missed() {
    let (running, orphans) = beside_many(100, 300, itself);
    all_are_reaped_at_once(&running, &orphans);
}

/// There is no list of its children.
#[test]
#[ignore = "needs root: a mount namespace"]
fn without_proc_neither() {
    let without_proc = |command: &Command| {
        let mut unshare = Command::new("unshare");
        let script = "umount -l /proc; exec \"$0\" \"$@\"";
        unshare.args(["--mount", "sh", "-c", script]).arg(command.get_program()).args(command.get_args());
        unshare
    };
    let (running, orphans) = beside_many(100, 300, without_proc);
    all_are_reaped_at_once(&running, &orphans);
}
