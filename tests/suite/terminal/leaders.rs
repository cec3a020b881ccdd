//! As the leader of a session, as PID 1, and inside other programs that lead one.

use super::received_through;
use super::shell::{INTERRUPT, QUIT, SUSPEND, Screen, same};
use crate::support::{children, panicmon, status_field, status_signals, wait_for};
use crate::sys;
use std::os::unix::process::ExitStatusExt;

const WRAPPERS: [&[&str]; 3] = [&[], &["panicmon", "--"], &["panicmon", "--", "panicmon", "--"]];

/// A session led by the command, or by panicmon in front of it.
fn leader(wrapper: &[&str], words: &[&str]) -> Screen {
    Screen::start("", &[wrapper, words].concat())
}

/// The keys and the size, each once.
fn keys_come_once(screen: &mut Screen, leader: u32) {
    for (key, signal) in [(INTERRUPT, libc::SIGINT), (QUIT, libc::SIGQUIT), (SUSPEND, libc::SIGTSTP)] {
        assert_eq!(received_through(screen, leader, |screen| screen.press(key)), [signal]);
    }
    assert_eq!(received_through(screen, leader, |screen| screen.resize(30, 100)), [libc::SIGWINCH]);
}

/// A shell inside, with jobs; it ends with 5.
fn shell_has_job_control(screen: &mut Screen, cat_is: impl Fn(char)) {
    let (shown, _) = screen.prompt();
    assert_eq!(shown, "", "no warnings");
    screen.line("cat");
    cat_is('S');
    screen.press("hello\r");
    screen.see("hello\r\nhello\r\n");
    screen.press(SUSPEND);
    assert_eq!(screen.status(), 148);
    cat_is('T');
    screen.line("fg");
    cat_is('S');
    screen.press("hello\r");
    screen.see("hello\r\nhello\r\n");
    screen.press(INTERRUPT);
    assert_eq!(screen.status(), 130);
    screen.press("exit 5\r");
}

#[test]
fn a_leader_passes_keys_and_resizing_on_once() {
    for wrapper in WRAPPERS {
        let mut screen = leader(wrapper, &["probe", "receive"]);
        screen.see("ready");
        let pid = screen.shell();
        keys_come_once(&mut screen, pid);
    }
}

#[test]
fn a_leader_is_never_frozen() {
    for wrapper in WRAPPERS {
        let mut screen = leader(wrapper, &["cat"]);
        screen.process("cat");
        for round in ["one", "two"] {
            screen.press(SUSPEND);
            screen.see("^Z");
            screen.press(&format!("{round}\r"));
            screen.see(&format!("{round}\r\n{round}\r\n"));
        }
        screen.press(INTERRUPT);
        let status = screen.end();
        let code = status.code().or(status.signal().map(|signal| 128 + signal));
        assert_eq!(code, Some(130));
    }
}

/// The second one ends the waiting for the last hooks.
#[test]
fn a_leader_whose_child_has_ended_hears_keys() {
    let mut screen =
        leader(&["panicmon", "--hook", "sh -c \"echo hook; exec sleep 1000\"", "--"], &["sh", "-c", "exit 3"]);
    screen.see("hook\r\n");
    let group = screen.shell().to_string();
    wait_for("the terminal", || (foreground_of(&group) == group).then_some(()));
    screen.press(INTERRUPT);
    screen.see("^C");
    // Two that wait are one.
    let waits = || status_signals(screen.shell(), "ShdPnd") & (1 << (libc::SIGINT - 1)) != 0;
    wait_for("the first to be read", || (!waits()).then_some(()));
    screen.press(INTERRUPT);
    screen.see("a second stop came");
    assert_eq!(screen.end().code(), Some(3));
}

/// The foreground group of the terminal of this process: proc(5), tpgid.
fn foreground_of(pid: &str) -> String {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().and_then(|rest| rest.split(' ').nth(6)).unwrap_or_default().to_owned()
}

/// Whichever of the two goes on first finds the group there.
#[test]
fn a_child_that_has_not_run_yet_has_its_group() {
    let screen = leader(&["probe", "prepare", "stop", "--", &panicmon(), "--"], &["probe", "pause"]);
    let child = crate::traced::hold_child_of(screen.shell());
    nix::sys::ptrace::detach(nix::unistd::Pid::from_raw(screen.shell() as i32), None).unwrap();
    wait_for("the group", || screen.processes().iter().any(|p| p.pid == child && p.group == child).then_some(()));
}

/// The command leads a session of its own, which has the terminal if panicmon led the one that had it.
#[test]
fn a_session_of_its_own_has_the_terminal_of_its_leader() {
    let session: &[&str] = &["panicmon", "--session", "--"];
    let mut screen = leader(session, &["probe", "receive"]);
    screen.see("ready");
    let wrapper = screen.shell();
    keys_come_once(&mut screen, wrapper);

    let mut screen = leader(session, &["bash", "--norc", "--noprofile", "-i"]);
    let wrapper = screen.shell();
    let shell = wait_for("the shell", || children(wrapper).first().copied());
    shell_has_job_control(&mut screen, |state| {
        wait_for("the state of cat", || {
            let all = super::shell::processes_of(shell);
            all.iter().any(|process| process.name == "cat" && process.state == state).then_some(())
        });
    });
    assert_eq!(screen.end().code(), Some(5));
    // What giving the terminal up sends to panicmon itself is none of the command's.
    let mut screen = leader(session, &["probe", "receive"]);
    screen.see("ready");
    let wrapper = screen.shell();
    let came = received_through(&mut screen, wrapper, |_| sys::kill(wrapper, libc::SIGUSR1).unwrap());
    assert_eq!(came, [libc::SIGUSR1]);
}

/// Elsewhere it has none; the keys come by panicmon, which stays in the terminal's foreground group.
#[test]
fn in_a_job_a_session_of_its_own_has_no_terminal() {
    let mut screen = Screen::with_shell("panicmon --session --");
    screen.line("{} probe receive");
    screen.see("ready");
    let job = screen.job();
    let came = received_through(&mut screen, job, |screen| screen.press(INTERRUPT));
    assert_eq!(came, [libc::SIGINT]);
    sys::kill(job, libc::SIGTERM).unwrap();
    screen.see("15 ");
    sys::kill(children(job)[0], libc::SIGKILL).unwrap();
    assert_eq!(screen.status(), 137);
    screen.line("{} sh -c 'cat < /dev/tty'");
    assert_eq!(screen.status(), 2, "/dev/tty can't be opened");
    // Whatever else is listened to, what the terminal sends reaches it.
    let mut screen = Screen::with_shell("panicmon --session -s HUP --");
    screen.line("{} probe receive");
    screen.see("ready");
    let job = screen.job();
    screen.press(INTERRUPT);
    screen.see("^C2 ");
    sys::kill(children(job)[0], libc::SIGKILL).unwrap();
    assert_eq!(screen.status(), 137);
}

/// The kernel doesn't let a terminal stop a command in a session without it; panicmon stops in any case, after it has told
/// the command, and both go on together.
#[test]
fn in_a_session_of_its_own_a_command_is_suspended_and_continued_with_panicmon() {
    for (wrapper, stops) in [("panicmon --session -r TSTP=STOP --", true), ("panicmon --session --", false)] {
        let mut screen = Screen::with_shell(wrapper);
        screen.line("{} probe receive");
        screen.see("ready");
        let job = screen.job();
        let command = children(job)[0];
        let is = |state: char| {
            let state_of = |pid| status_field(pid, "State").unwrap_or_default().starts_with(state);
            wait_for("the state of the command", || state_of(command).then_some(()));
        };
        screen.press(SUSPEND);
        // What the command says of it comes before the prompt, or behind.
        screen.see("[st:148]> ");
        is(if stops { 'T' } else { 'S' });
        screen.line("fg");
        // The command may have run all the time: the shell must have done it before the next key.
        screen.shell_lost_terminal();
        screen.job_is_running();
        is('S');
        // And the keys come through again.
        screen.press(INTERRUPT);
        screen.see("2 ");
        sys::kill(command, libc::SIGKILL).unwrap();
        assert_eq!(screen.status(), 137);
    }
}

/// The shell's builtin does what nobody could undo.
#[test]
fn a_shell_in_a_leader_that_suspends_itself_is_continued() {
    let mut screen = leader(WRAPPERS[1], &["bash", "--norc", "--noprofile", "-i"]);
    screen.status();
    assert_eq!(screen.run("suspend").1, 0);
    screen.press("exit 5\r");
    assert_eq!(screen.end().code(), Some(5));
}

#[test]
fn a_shell_in_a_leader_has_job_control() {
    for wrapper in WRAPPERS {
        let mut screen = leader(wrapper, &["bash", "--norc", "--noprofile", "-i"]);
        let session = screen.shell();
        shell_has_job_control(&mut screen, |state| {
            wait_for("the state of cat", || {
                let all = super::shell::processes_of(session);
                all.iter().any(|process| process.name == "cat" && process.state == state).then_some(())
            });
        });
        assert_eq!(screen.end().code(), Some(5));
    }
}

#[test]
fn inside_script_all_is_as_without() {
    let seen = same(|screen| {
        screen.line("script -qec 'exec {} probe receive' /dev/null");
        screen.see("ready");
        let script = screen.job();
        let leader = wait_for("the leader inside", || {
            let inside = *children(script).first()?;
            (status_field(inside, "Name")? != "sh").then_some(inside)
        });
        let mut seen = Vec::new();
        for key in [INTERRUPT, QUIT, SUSPEND] {
            seen.extend(received_through(screen, leader, |screen| screen.press(key)));
        }
        seen.extend(received_through(screen, leader, |screen| screen.resize(31, 101)));
        sys::kill(leader, libc::SIGKILL).unwrap();
        vec![format!("{seen:?} {}", screen.status())]
    });
    assert_eq!(seen, ["[2, 3, 20, 28] 137"]);
}

/// The shell of script(1) leads the session and its one process group, an orphaned one, for which the kernel ignores ^Z.
#[test]
fn in_an_orphaned_process_group_the_command_goes_on() {
    let seen = same(|screen| {
        screen.line("script -qec '{} cat; true' /dev/null");
        for round in ["one", "two", "three"] {
            screen.press(&format!("{round}\r"));
            screen.see(&format!("{round}\r\n{round}\r\n"));
            screen.press(SUSPEND);
            screen.see("^Z");
        }
        screen.press(INTERRUPT);
        vec![screen.status().to_string()]
    });
    assert_eq!(seen, ["130"]);
}

/// PID 1 that leads a session with the terminal, as docker run -it makes it.
fn first_process(words: &[&str]) -> (Screen, u32) {
    let unshare = ["unshare", "--fork", "--pid", "--mount-proc", "setsid", "--ctty", "panicmon", "--"];
    let screen = Screen::start("", &[&unshare, words].concat());
    let unshare = screen.shell();
    let first = wait_for("PID 1", || {
        let first = *children(unshare).first()?;
        (status_field(first, "Name")? == "panicmon").then_some(first)
    });
    (screen, first)
}

#[test]
#[ignore = "needs root: a PID namespace"]
fn pid_1_passes_keys_and_resizing_on_once() {
    let (mut screen, first) = first_process(&["probe", "receive"]);
    screen.see("ready");
    keys_come_once(&mut screen, first);
}

#[test]
#[ignore = "needs root: a PID namespace"]
fn pid_1_is_never_frozen_and_a_shell_in_it_has_job_control() {
    let (mut screen, first) = first_process(&["bash", "--norc", "--noprofile", "-i"]);
    shell_has_job_control(&mut screen, |state| {
        wait_for("the state of cat", || {
            let all = super::shell::processes_of(first);
            all.iter().any(|process| process.name == "cat" && process.state == state).then_some(())
        });
    });
    assert_eq!(screen.end().code(), Some(5));
    let (mut screen, _) = first_process(&["cat"]);
    screen.press("one\r");
    screen.see("one\r\none\r\n");
    screen.press(SUSPEND);
    screen.see("^Z");
    screen.press("two\r");
    screen.see("two\r\ntwo\r\n");
    screen.press(INTERRUPT);
    assert_eq!(screen.end().code(), Some(130));
}

/// Its process group can't be named in its PID namespace, so the terminal couldn't be taken back.
#[test]
#[ignore = "needs root: a PID namespace"]
fn pid_1_in_a_group_of_another_namespace_leaves_the_terminal_alone() {
    let seen = same(|screen| {
        screen.line("unshare --fork --pid {} probe receive");
        screen.see("ready");
        let job = screen.job();
        let inside = wait_for("PID 1", || children(job).first().copied());
        let came = received_through(screen, inside, |screen| screen.press(INTERRUPT));
        sys::kill(inside, libc::SIGKILL).unwrap();
        screen.status();
        screen.shell_has_terminal();
        vec![format!("{came:?}")]
    });
    assert_eq!(seen, ["[2]"]);
    let mut screen = Screen::with_shell("panicmon --");
    // A script's shell doesn't take the terminal back by itself.
    screen.line("bash -c 'unshare --fork --pid {} true; cat'");
    screen.process("cat");
    screen.press("hello\r");
    screen.see("hello\r\nhello\r\n");
}
