//! `catatonit -P`: no command, and orphans are reaped.

use super::{Names, clean, real};
use crate::support::{PROBE, Running, children, name, status_field, status_signals, wait_for};
use std::process::Command;

fn pausing() -> Vec<(&'static str, Command)> {
    let ours = ("panicmon", clean(&Names::kept().join("catatonit")));
    [Some(ours), real("catatonit").map(|real| ("the real one", real))].into_iter().flatten().collect()
}

/// It blocks its signals from the beginning; the real one soon.
fn wait_to_listen(pid: u32) {
    wait_for("it to be itself", || name(pid).starts_with("cata").then_some(()));
    wait_for("it to listen", || (status_signals(pid, "SigBlk") & 1 << 14 != 0).then_some(()));
}

/// A shell that starts two processes and becomes it.
fn with_children(command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "sleep 1000 & sleep 1000 & exec \"$0\" -P"]).arg(command.get_program());
    shell
}

#[test]
fn it_reaps_until_it_is_stopped() {
    for signal in [libc::SIGTERM, libc::SIGINT] {
        for (who, command) in pausing() {
            let mut running = Running::start(with_children(&command));
            let pid = running.pid();
            wait_to_listen(pid);
            for other in [libc::SIGHUP, libc::SIGUSR1, libc::SIGQUIT, libc::SIGPIPE, libc::SIGTSTP, 34] {
                running.kill(other);
            }
            let both = children(pid);
            assert_eq!(both.len(), 2, "{who}");
            for (child, left) in both.into_iter().zip([1, 0]) {
                crate::sys::kill(child, libc::SIGKILL).unwrap();
                wait_for("it to be reaped", || (children(pid).len() == left).then_some(()));
            }
            assert!(running.child.try_wait().unwrap().is_none(), "{who}: it still pauses");
            running.kill(signal);
            assert_eq!(running.code(), 0, "{who}");
        }
    }
}

/// What has ended before it was executed is reaped, too. The real one leaves it until another child ends.
#[test]
fn it_reaps_what_it_finds() {
    let mut command = Command::new("sh");
    command.args(["-c", "sh -c 'exit 9' & exec \"$@\"", "sh", PROBE, "prepare", "stop", "--"]);
    command.arg(Names::kept().join("catatonit")).arg("-P");
    let mut running = Running::start(command);
    let pid = running.pid();
    let state = |pid, wanted: char| status_field(pid, "State").is_some_and(|state| state.starts_with(wanted));
    wait_for("its child to have ended before it is executed", || {
        (state(pid, 'T') && children(pid).into_iter().all(|child| state(child, 'Z'))).then_some(())
    });
    assert_eq!(children(pid).len(), 1);
    running.kill(libc::SIGCONT);
    wait_to_listen(pid);
    wait_for("it to be reaped", || children(pid).is_empty().then_some(()));
    running.kill(libc::SIGTERM);
    assert_eq!(running.code(), 0);
}

/// A stop in the first milliseconds isn't lost.
#[test]
fn a_stop_that_came_before_it_counts() {
    let mut command = Command::new(PROBE);
    command
        .args(["prepare", "block=15", "--", "/bin/sh", "-c", "kill -TERM $$; exec \"$0\" -P"])
        .arg(Names::kept().join("catatonit"));
    assert_eq!(Running::start(command).code(), 0);
}

#[test]
fn a_command_is_not_run() {
    let mut running = Running::start({
        let mut command = clean(&Names::kept().join("catatonit"));
        command.args(["-P", "echo", "ran"]);
        command
    });
    wait_to_listen(running.pid());
    running.kill(libc::SIGTERM);
    assert_eq!(running.line(), None);
    assert_eq!(running.code(), 0);
}
