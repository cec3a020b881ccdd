//! Nothing is left.

use crate::support::{PROBE, Running, children, name, panicmon, status_field, wait_for, wrapped};
use std::process::Command;

/// Only the child that did it is left, and no zombie.
fn none_left(mut running: Running, wrapper: u32) {
    assert_eq!(running.line().as_deref(), Some("done"));
    wait_for("the orphans to be reaped", || {
        (children(wrapper).iter().map(|pid| name(*pid)).collect::<Vec<_>>() == ["ready"]).then_some(())
    });
    drop(running.child.kill());
}

#[test]
fn twenty_thousand_orphans_of_a_subreaper_are_reaped() {
    let running = Running::start(wrapped(&["orphans", "20000"]));
    let wrapper = running.pid();
    none_left(running, wrapper);
}

#[test]
fn an_orphan_is_given_to_panicmon() {
    let mut running = Running::start(wrapped(&["living-orphan"]));
    let orphan: u32 = running.line().and_then(|line| line.parse().ok()).unwrap();
    let wrapper = running.pid().to_string();
    wait_for("panicmon to be its parent", || (status_field(orphan, "PPid")? == wrapper).then_some(()));
    crate::sys::kill(orphan, libc::SIGKILL).unwrap();
    wait_for("it to be reaped", || status_field(orphan, "PPid").is_none().then_some(()));
}

/// As PID 1 of a PID namespace.
fn as_pid_1(words: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--kill-child", "--mount-proc", &panicmon(), "--", PROBE]).args(words);
    command
}

#[test]
#[ignore = "needs root: a PID namespace"]
fn twenty_thousand_orphans_of_pid_1_are_reaped() {
    let running = Running::start(as_pid_1(&["orphans", "20000"]));
    let unshare = running.pid();
    let wrapper = wait_for("PID 1", || children(unshare).first().copied());
    none_left(running, wrapper);
}

#[test]
#[ignore = "needs root: a PID namespace"]
fn as_pid_1_the_end_is_the_childs_too() {
    for code in [0, 1, 42, 255] {
        assert_eq!(Running::start(as_pid_1(&["exit", &code.to_string()])).code(), code);
    }
    assert_eq!(Running::start(as_pid_1(&["die", "15"])).code(), 143);
    let mut running = Running::start(as_pid_1(&["pause"]));
    let unshare = running.pid();
    let wrapper = wait_for("PID 1", || children(unshare).first().copied());
    wait_for("its child", || children(wrapper).into_iter().find(|pid| name(*pid) == "ready"));
    crate::sys::kill(wrapper, libc::SIGTERM).unwrap();
    assert_eq!(running.code(), 143);
}

#[test]
fn the_childs_end_among_500_others_is_told_right() {
    for round in 0..200 {
        let code = 1 + round % 250;
        let mut running = Running::start(wrapped(&["burst", "500", &code.to_string()]));
        assert_eq!(running.code(), code);
    }
}

/// `unshare --pid` without `--fork`: it is the child that is PID 1 there, and its parent is outside.
#[test]
#[ignore = "needs root: a PID namespace"]
fn in_a_namespace_for_its_children_the_child_runs() {
    let mut command = Command::new("unshare");
    command.args(["--pid", &panicmon(), "--", PROBE, "exit", "9"]);
    assert_eq!(Running::start(command).code(), 9);
}
