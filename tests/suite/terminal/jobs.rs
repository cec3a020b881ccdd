//! Stopping and continuing, in the foreground and in the background.

use super::shell::{END_OF_FILE, INTERRUPT, SUSPEND, Screen, same, same_with};
use super::{received_by, received_through};
use crate::support::children;
use crate::sys;

/// Brings the job to the foreground and sees that its `cat` reads what is typed.
fn bring_back_cat(screen: &mut Screen) {
    screen.line("fg");
    screen.process_in_state("cat", 'S');
    screen.press("hello\r");
    screen.see("hello\r\nhello\r\n");
}

#[test]
fn suspended_and_brought_back_twice() {
    // Also one that is to listen to another signal only.
    let wrappers = ["panicmon --", "panicmon -- panicmon --", "panicmon -s TERM --"];
    let seen = same_with(&wrappers, |screen| {
        let mut seen = Vec::new();
        screen.line("{} cat");
        screen.process("cat");
        for _ in 0..2 {
            screen.press(SUSPEND);
            let (shown, status) = screen.prompt();
            screen.shell_has_terminal();
            seen.push(format!("{shown} {status}"));
            screen.process_in_state("cat", 'T');
            seen.push(screen.run("jobs").0);
            bring_back_cat(screen);
        }
        screen.press(INTERRUPT);
        seen.push(screen.status().to_string());
        seen
    });
    assert!(seen[1].contains("Stopped") && seen[4] == "130", "{seen:?}");
}

#[test]
fn continued_in_the_background_then_brought_back() {
    let seen = same(|screen| {
        let mut seen = Vec::new();
        screen.line("{} probe pause");
        screen.process("ready");
        screen.press(SUSPEND);
        seen.push(screen.prompt().0);
        seen.push(screen.run("bg").0);
        screen.process_in_state("ready", 'S');
        screen.shell_has_terminal();
        seen.push(screen.run("jobs").0);
        screen.line("fg");
        screen.see("probe pause");
        screen.shell_lost_terminal();
        screen.press(INTERRUPT);
        let (shown, status) = screen.prompt();
        seen.push(format!("{shown} {status}"));
        seen
    });
    assert!(seen[2].contains("Running") && seen[3].ends_with("^C 130"), "{seen:?}");
}

#[test]
fn a_command_that_stops_itself_stops_the_job_for_the_same_reason() {
    for signal in ["STOP", "TSTP", "TTIN", "TTOU"] {
        let seen = same(|screen| {
            let mut seen = Vec::new();
            let (shown, status) = screen.run(&format!("{{}} sh -c 'kill -{signal} $$; echo again'"));
            seen.push(format!("{shown} {status}"));
            seen.push(screen.run("jobs -l").0);
            screen.shell_has_terminal();
            let (shown, status) = screen.run("fg");
            seen.push(format!("{shown} {status}"));
            seen
        });
        assert!(seen[1].contains("Stopped") && seen[2].ends_with("again 0"), "{signal}: {seen:?}");
    }
}

#[test]
fn a_reader_started_in_the_background_leaves_the_shell_the_terminal() {
    let seen = same(|screen| {
        let mut seen = Vec::new();
        screen.run("{} cat &");
        screen.shell_sees_job_stopped();
        screen.shell_has_terminal();
        screen.process_in_state("cat", 'T');
        seen.push(screen.run("true").1.to_string());
        seen.push(screen.run("jobs -l").0);
        bring_back_cat(screen);
        screen.press(END_OF_FILE);
        seen.push(screen.status().to_string());
        screen.shell_has_terminal();
        seen
    });
    assert!(seen[1].contains("Stopped (tty input)") && seen[2] == "0", "{seen:?}");
}

#[test]
fn a_writer_in_the_background_is_stopped_if_the_terminal_says_so() {
    let seen = same(|screen| {
        let mut seen = Vec::new();
        screen.run("stty tostop");
        screen.run("{} echo hello &");
        screen.shell_sees_job_stopped();
        seen.push(screen.run("jobs -l").0);
        let (shown, status) = screen.run("fg");
        seen.push(format!("{shown} {status}"));
        seen
    });
    assert!(seen[0].contains("Stopped (tty output)") && seen[1].ends_with("hello 0"), "{seen:?}");
}

#[test]
fn a_shell_inside_can_be_suspended() {
    let seen = same(|screen| {
        let mut seen = Vec::new();
        seen.push(screen.run("{} bash --norc --noprofile").0);
        let (shown, status) = screen.run("suspend");
        seen.push(format!("{shown} {status}"));
        screen.shell_has_terminal();
        seen.push(screen.run("jobs").0);
        screen.line("fg");
        screen.status();
        let (shown, status) = screen.run("exit 5");
        screen.shell_has_terminal();
        seen.push(format!("{shown} {status}"));
        seen
    });
    assert!(seen[2].contains("Stopped") && seen[3].ends_with(" 5"), "{seen:?}");
}

#[test]
fn a_job_that_is_signalled_hears_it_once() {
    let seen = same(|screen| {
        let mut seen = Vec::new();
        screen.line("{} probe receive &");
        screen.see("ready");
        screen.see("]> ");
        for line in ["kill %1", "kill -HUP -$!", "kill -CONT %1", "kill -RTMIN $!"] {
            let came = received_by(screen, |screen| screen.line(line));
            seen.push(format!("{line} {came:?}"));
        }
        seen
    });
    assert!(seen[0].starts_with("kill %1 [15"), "{seen:?}");
}

#[test]
fn a_signal_from_timeout_comes_as_often_as_without() {
    let seen = same(|screen| {
        screen.line("timeout -s RTMIN+1 1000 {} probe receive");
        screen.see("ready");
        // timeout(1) too: one that hears of a signal before its fork(2) has returned just exits.
        screen.all_asleep();
        // Real-time signals queue, so they can be counted: it sends one to its child, and one to its group.
        let timeout = screen.job();
        let child = children(timeout)[0];
        let came = received_through(screen, child, |_| sys::kill(timeout, libc::SIGRTMIN() + 1).unwrap());
        vec![format!("{:?}", came.iter().filter(|signal| **signal != libc::SIGCONT).collect::<Vec<_>>())]
    });
    assert_eq!(seen, ["[35, 35]"]);
}

/// One that isn't in the list is panicmon's own affair, though it hears it for the terminal's sake.
#[test]
fn with_a_list_of_signals_another_takes_its_course() {
    let mut screen = Screen::with_shell("panicmon -s TERM --");
    screen.line("{} sleep 999 &");
    screen.process("sleep");
    screen.see("]> ");
    sys::kill(screen.job(), libc::SIGQUIT).unwrap();
    screen.alone();
    assert!(screen.run("true").0.contains("Quit"));
}

/// While it was stopped, the shell took the terminal.
#[test]
fn a_job_stopped_by_somebody_else_takes_no_terminal_at_its_end() {
    let seen = same(|screen| {
        screen.line("{} probe pause");
        screen.process("ready");
        let job = screen.job();
        sys::kill(job, libc::SIGSTOP).unwrap();
        let mut seen = vec![screen.prompt().0];
        seen.push(screen.run("bg").0);
        screen.job_is_running();
        sys::kill(job, libc::SIGTERM).unwrap();
        screen.alone();
        seen.push((screen.foreground() == screen.shell()).to_string());
        seen.push(screen.run("echo hello").0);
        seen
    });
    assert_eq!(seen[2], "true");
}

#[test]
fn a_job_killed_in_the_background_is_seen_to_be() {
    let seen = same(|screen| {
        let mut seen = Vec::new();
        screen.run("{} probe pause &");
        screen.process("ready");
        let (shown, status) = screen.run("kill -TERM $!; wait $!");
        seen.push(format!("{shown} {status}"));
        seen
    });
    assert!(seen[0].contains("Terminated"), "{seen:?}");
}
