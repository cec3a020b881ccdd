//! Many processes: the kernel keeps track of their pipes, and an index of what there is to do. All is as with few.

use crate::support::{
    PROBE, Running, Scratch, children, name, output, panicmon, spend, status_field, wait_for, wait_for_full_pipe,
};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

/// More than are looked at one by one.
const COUNT: usize = 40;

/// A file with that many of these.
fn file(process: &str) -> Scratch {
    let one = |number: usize| format!("- {{name: p{number}, {process}}}\n");
    Scratch::new(&format!("processes:\n{}", (0..COUNT).map(one).collect::<String>()))
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
    let folder = Folder::new();
    let script = "for line in 1 2 3; do echo $line; done; printf last; mkdir \"$0\" && exit 3; exit 0";
    let one = |number: usize| {
        let own = folder.0.join(number.to_string());
        format!(
            "- {{name: p{number}, cmd: sh, args: [-c, '{script}', '{}'], noRestartOn: [0], minWait: 1ms, maxWait: 1ms}}\n",
            own.display()
        )
    };
    let file = Scratch::new(&format!("processes:\n{}", (0..COUNT).map(one).collect::<String>()));
    let (code, out, _) = output(&mut run(&file));
    assert_eq!(code, Some(0));
    let all = ["1", "2", "3", "last"].repeat(2);
    for (number, lines) in lines_by_process(&out).iter().enumerate() {
        assert_eq!(lines, &all, "p{number}");
    }
}

/// A folder that is removed again.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let path = std::env::temp_dir().join(format!("panicmon-test-many-{}", std::process::id()));
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
    let switches = || ["voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"].map(|field| status_field(pid, field));
    let before = switches();
    spend(Duration::from_millis(200));
    assert_eq!(switches(), before, "it woke up");
}

/// The kernel tells of some hundred at once, as a rule. Each comes to its turn all the same, also where there is room for one
/// only.
#[test]
fn of_many_that_write_without_end_each_has_its_turn() {
    let count = 300;
    let text = "x".repeat(1000);
    let one = |number: usize| format!("- {{name: p{number}, cmd: yes, args: [{text}]}}\n");
    let file = Scratch::new(&format!("processes:\n{}", (0..count).map(one).collect::<String>()));
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
