//! `catatonit -P`: no command, and orphans are reaped.

use super::{Names, clean, real};
use crate::support::{Running, children, name, status_signals, wait_for};
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
    shell
        .args(["-c", "sh -c 'read -r line; exit 9' <&0 & sleep 1000 & echo $$; exec \"$0\" -P"])
        .arg(command.get_program());
    shell
}

#[test]
fn it_reaps_until_it_is_stopped() {
    for signal in [libc::SIGTERM, libc::SIGINT] {
        for (who, command) in pausing() {
            // Its stdin is /dev/null: the first child ends at once, before or after it is there.
            let mut running = Running::start(with_children(&command));
            running.line().unwrap();
            let pid = running.pid();
            wait_for("one child to be left", || {
                let left: Vec<_> = children(pid).into_iter().map(name).collect();
                (left == ["sleep"]).then_some(())
            });
            wait_to_listen(pid);
            for other in [libc::SIGHUP, libc::SIGUSR1, libc::SIGQUIT, libc::SIGPIPE, libc::SIGTSTP, 34] {
                running.kill(other);
            }
            let left = children(pid);
            for child in left {
                crate::sys::kill(child, libc::SIGKILL).unwrap();
            }
            wait_for("the other to be reaped", || children(pid).is_empty().then_some(()));
            assert!(running.child.try_wait().unwrap().is_none(), "{who}: it still pauses");
            running.kill(signal);
            assert_eq!(running.code(), 0, "{who}");
        }
    }
}

/// A stop in the first milliseconds isn't lost.
#[test]
fn a_stop_that_came_before_it_counts() {
    let mut command = Command::new(crate::support::PROBE);
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
