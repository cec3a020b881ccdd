//! Where /dev/tty can't be opened, as in the root of a chroot or a container that lacks it, or a call for the terminal is
//! refused.

use super::received_through;
use super::shell::{INTERRUPT, Screen, processes_of};
use crate::support::{PROBE, children, output, panicmon};
use crate::sys;
use std::process::Command;

const REFUSALS: [i32; 5] = [libc::ENOENT, libc::EACCES, libc::EPERM, libc::ENODEV, libc::EIO];

/// `probe prepare OPS -- panicmon OPTIONS -- WORDS` on a terminal whose session it leads.
fn leader(ops: &[&str], options: &[&str], words: &[&str]) -> Screen {
    let own = panicmon();
    Screen::start("", &[&["probe", "prepare"], ops, &["--", &own], options, &["--"], words].concat())
}

#[test]
fn without_a_terminal_the_command_has_a_group_of_its_own() {
    // The fifth field of /proc/PID/stat is the group.
    let script = "read -r stat </proc/$$/stat; set -- $stat; [ \"$5\" = $$ ] && exit 3";
    for errno in REFUSALS {
        let mut command = Command::new(PROBE);
        command.args([
            "prepare",
            &format!("refuse-terminal={errno}"),
            "--",
            &panicmon(),
            "-g",
            "--",
            "sh",
            "-c",
            script,
        ]);
        sys::lead_session(&mut command, false);
        assert_eq!(output(&mut command), (Some(3), String::new(), String::new()), "{errno}");
    }
}

/// Then the terminal is handed over as ever.
#[test]
fn a_stream_can_be_the_terminal() {
    for errno in REFUSALS {
        let mut screen = leader(&[&format!("refuse-terminal={errno}")], &[], &["probe", "receive"]);
        screen.see("ready");
        let wrapper = screen.shell();
        let command = children(wrapper)[0];
        let has_group = processes_of(wrapper).iter().any(|one| one.pid == command && one.group == command);
        assert!(has_group && screen.foreground() == command, "{errno}: {:?}", screen.processes());
        let came = received_through(&mut screen, wrapper, |screen| screen.press(INTERRUPT));
        assert_eq!(came, [libc::SIGINT]);
    }
}

#[test]
fn a_terminal_that_cannot_be_opened_leaves_the_command_in_panicmons_group() {
    let mut screen = Screen::with_shell("");
    let own = "probe prepare refuse-terminal=2 -- $(type -P panicmon) -g -- true";
    let (shown, status) = screen.run(&format!("{own} </dev/null 2>&1 | cat"));
    assert!(shown.contains("its terminal can't be handed over"), "{shown}");
    assert_eq!(status, 0);
    let (shown, _) =
        screen.run("probe prepare refuse-terminal=2 -- $(type -P panicmon) --doctor </dev/null 2>&1 | cat");
    let told = "-- there is a controlling terminal that can't be handed over: /dev/tty: No such file or directory";
    assert!(shown.contains(told) && shown.contains("- give panicmon a /dev/tty that it may open"), "{shown}");
    // Where an option has no effect for that, a promise doesn't hold.
    let (shown, _) =
        screen.run("probe prepare refuse-terminal=2 -- $(type -P panicmon) --doctor -g </dev/null 2>&1 | cat");
    assert!(shown.contains("NO there is a controlling terminal") && shown.contains("--group has no effect"), "{shown}");
    // The shell starts jobs in the background of a pipeline so that they aren't stopped when they read.
    let (shown, _) = screen.run("(trap '' TTIN; exec $(type -P panicmon) --doctor </dev/null 2>&1) | cat");
    assert!(shown.contains("can't be handed over: SIGTTIN is ignored or blocked"), "{shown}");
}

#[test]
#[ignore = "needs root: another /dev/tty"]
fn a_dev_tty_that_is_something_else_is_told() {
    let mut screen = Screen::with_shell("");
    let script = "mount --bind /dev/null /dev/tty; exec \"$0\" --doctor </etc/passwd 2>&1";
    let (shown, _) = screen.run(&format!("unshare --mount sh -c '{script}' $(type -P panicmon) | cat"));
    assert!(shown.contains("can't be handed over: /dev/tty is something else"), "{shown}");
    assert!(shown.contains("- give panicmon a /dev/tty that it may open"), "{shown}");
}

/// The command runs all the same.
#[test]
fn a_session_without_the_terminal_is_told() {
    let refuse = |request: libc::Ioctl| format!("refuse-ioctl={request}:1");
    let mut screen = leader(&[&refuse(libc::TIOCSCTTY)], &["--session"], &["probe", "exit", "3"]);
    assert_eq!(screen.end().code(), Some(3));
    screen.see("has no terminal: ioctl(TIOCSCTTY): Operation not permitted");
    let mut screen = leader(&[&refuse(libc::TIOCNOTTY)], &["--session"], &["probe", "exit", "3"]);
    assert_eq!(screen.end().code(), Some(3));
    screen.see("has no terminal: that of panicmon's can't be given up: Operation not permitted");
}

/// Giving it up sends panicmon a HUP, which is taken back.
#[test]
fn a_refused_wait_for_a_signal_sends_the_command_no_hang_up() {
    let refuse = format!("refuse={}:{}", libc::SYS_rt_sigtimedwait, libc::ENOSYS);
    let script = "trap 'echo HANG-UP' HUP; trap 'exit 3' USR1; kill -USR1 $PPID; while :; do sleep 0.05; done";
    let mut screen = leader(&[&refuse], &["--session"], &["sh", "-c", script]);
    assert_eq!(screen.end().code(), Some(3));
    assert!(!screen.until("all", |shown| Some(shown.contains("HANG-UP"))), "a hang-up came");
}
