//! Of many processes, each copies that part of panicmon's descriptors only which is for it.

use super::{COUNT, Folder, file, file_of, lines_by_process, run, twice};
use crate::support::{PROBE, Running, children, name, output, panicmon, wait_for};
use crate::sys::kill;
use crate::traced::hold_child_of;
use nix::sys::ptrace;
use nix::unistd::Pid;
use std::fs;
use std::path::Path;
use std::process::Command;

/// panicmon with this file, after these operations of the probe.
fn prepared(ops: &[&str], file: &Path) -> Command {
    let mut command = Command::new(PROBE);
    command.arg("prepare").args(ops).args(["--", &panicmon(), "--config"]).arg(file);
    command
}

/// A shell lists its descriptors: it waits, and has opened nothing itself.
const LIST: &str = "ls -m /proc/$$/fd";

#[test]
fn each_run_inherits_what_panicmon_inherited_and_nothing_else() {
    for ops in [&[] as &[&str], &["open=3", "open=200"]] {
        let mut direct = Command::new(PROBE);
        let (_, inherited, _) =
            output(direct.arg("prepare").args(ops).args(["--", "/bin/sh", "-c", &format!("{LIST}; :")]));
        let folder = Folder::new("inherited");
        let script = format!("{LIST}; mkdir \"$0\" && exit 3; exit 0");
        let file = file_of(COUNT, |number| twice(&script, &folder.0.join(number.to_string())));
        let (code, out, _) = output(&mut prepared(ops, &file.0));
        assert_eq!(code, Some(0));
        for lines in lines_by_process(&out) {
            assert_eq!(lines, [inherited.trim_end(); 2]);
        }
    }
}

/// As by a filter that doesn't know the call, and in qemu-user.
#[test]
fn where_no_part_can_be_copied_all_are() {
    let file = file("cmd: echo, args: [here], noRestartOn: [0]");
    let refused = format!("refuse={}:{}", libc::SYS_close_range, libc::EPERM);
    for op in [refused.as_str(), "refuse-shared-memory"] {
        let (code, out, err) = output(&mut prepared(&[op], &file.0));
        assert_eq!((code, lines_by_process(&out)), (Some(0), vec![vec!["here"]; COUNT]), "{op}: {err}");
    }
}

/// How many of these processes' pipes a process could write into.
fn writing_ends(pid: u32, of: &[u32]) -> usize {
    let pipe = |pid: u32, fd: &str| {
        let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).ok()?;
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"))?;
        let writes = i32::from_str_radix(flags.trim(), 8).unwrap() & libc::O_ACCMODE == libc::O_WRONLY;
        let name = fs::read_link(format!("/proc/{pid}/fd/{fd}")).ok()?.to_str()?.to_owned();
        (writes && name.starts_with("pipe:")).then_some(name)
    };
    let theirs: Vec<_> = of.iter().flat_map(|pid| ["1", "2"].map(|fd| pipe(*pid, fd))).flatten().collect();
    let fds = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let own = fds.filter_map(|fd| pipe(pid, fd.ok()?.file_name().to_str()?));
    own.filter(|pipe| theirs.contains(pipe)).count()
}

fn keeps_none(running: &Running) {
    wait_for("panicmon to keep nothing of its children's", || {
        (writing_ends(running.pid(), &children(running.pid())) == 0).then_some(())
    });
}

#[test]
fn panicmon_keeps_none_of_what_is_a_childs() {
    let file = file("cmd: sleep, args: ['1000']");
    let running = Running::start(run(&file));
    wait_for("all of them", || {
        Some(children(running.pid())).filter(|pids| pids.len() == COUNT && pids.iter().all(|pid| name(*pid) == "sleep"))
    });
    keeps_none(&running);
}

/// Until the child has made its copy, what it needs stays open in panicmon, though that starts others meanwhile.
#[test]
fn a_child_that_is_late_has_its_descriptors_all_the_same() {
    let file = file("cmd: sh, args: [-c, 'read line; echo $line here; exec sleep 1000']");
    let mut running = Running::start(prepared(&["stop"], &file.0));
    let late = hold_child_of(running.pid());
    ptrace::detach(Pid::from_raw(running.pid() as i32), None).unwrap();
    (1..COUNT).for_each(|_| assert!(running.line().unwrap().ends_with(" › here")));
    ptrace::detach(Pid::from_raw(late as i32), None).unwrap();
    assert!(running.line().is_some_and(|line| line.starts_with("p0 ") && line.ends_with(" › here")));
    keeps_none(&running);
}

/// One that ends before it has made its copy leaves nothing behind, and the next has what it needs.
#[test]
fn a_child_that_ends_before_its_copy_leaves_nothing() {
    let file = file("cmd: sh, args: [-c, 'echo here; exec sleep 1000'], minWait: 1ms, maxWait: 1ms");
    let mut running = Running::start(prepared(&["stop"], &file.0));
    let early = hold_child_of(running.pid());
    ptrace::detach(Pid::from_raw(running.pid() as i32), None).unwrap();
    (1..COUNT).for_each(|_| assert!(running.line().unwrap().ends_with(" › here")));
    kill(early, libc::SIGKILL).unwrap();
    // This test traces it: it is the first to be told.
    nix::sys::wait::waitpid(Pid::from_raw(early as i32), None).unwrap();
    assert!(running.line().is_some_and(|line| line.starts_with("p0 ") && line.ends_with(" › here")));
    keeps_none(&running);
}
