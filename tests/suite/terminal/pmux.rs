//! Several processes, or one that is started again, at a terminal.

use super::shell::{INTERRUPT, SUSPEND, Screen};
use crate::support::{PROBE, Scratch, panicmon, wait_for};
use crate::sys;
use std::fs;

#[test]
fn several_are_suspended_brought_back_and_interrupted_with_all_of_their_groups() {
    let script = format!("\"'{PROBE}' pause & wait\"");
    let file = Scratch::new(&format!(
        "processes:\n- {{name: one, cmd: '{PROBE}', args: [pause]}}\n- {{name: two, cmd: sh, args: [-c, {script}]}}\n"
    ));
    let mut screen = Screen::with_shell("");
    screen.line(&format!("{} --config {}", panicmon(), file.0.display()));
    screen.processes_in_state("ready", 2, 'S');
    screen.press(SUSPEND);
    screen.prompt();
    screen.processes_in_state("ready", 2, 'T');
    screen.line("fg");
    screen.processes_in_state("ready", 2, 'S');
    screen.press(INTERRUPT);
    assert_eq!(screen.status(), 0);
}

/// panicmon holds no terminal open: it sees by itself that it is gone. Its own session's leader sends the HUP.
#[test]
fn a_hang_up_stops_all_of_them_and_a_hup_does_not() {
    let log = format!("{}/hang-up-of-several-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    let file =
        Scratch::new(&format!("processes:\n- {{name: one, cmd: '{PROBE}', args: [receive], sigKillWait: 1ms}}\n"));
    let wait_for_line = |what: &str| wait_for(what, || fs::read_to_string(&log).ok()?.contains(what).then_some(()));
    let mut screen = Screen::with_shell("");
    // Not in the foreground: the kernel's own HUP is for the shell, and for who is.
    screen.run(&format!("{} --config {} >{log} 2>&1 &", panicmon(), file.0.display()));
    wait_for_line("› ready");
    let job = screen.processes().into_iter().find(|process| process.name == "panicmon").expect("panicmon").pid;
    sys::kill(job, libc::SIGHUP).unwrap();
    wait_for_line("› 1 0 ");
    screen.hang_up();
    wait_for_line("hangup signal received, waiting for child processes to exit");
    wait_for_line("exited gracefully");
    fs::remove_file(&log).unwrap();
}

#[test]
fn labels_are_coloured_at_a_terminal_unless_that_is_unwanted() {
    let file = Scratch::new("processes:\n- {name: one, cmd: sh, args: [-c, 'echo out'], noRestartOn: [0]}\n");
    let mut screen = Screen::with_shell("");
    let mut shown = |before: &str, behind: &str| {
        let line = format!("{before} {} --config {} {behind}", panicmon(), file.0.display());
        screen.run(&line).0
    };
    let coloured = shown("TERM=xterm", "");
    assert!(coloured.contains("\x1b[36mone\x1b[0m › out"), "{coloured:?}");
    let plain = shown("TERM=xterm NO_COLOR=1", "");
    assert!(plain.contains("one › out") && !plain.contains("\x1b[36m"), "{plain}");
    let plain = shown("TERM=dumb", "");
    assert!(plain.contains("one › out") && !plain.contains("\x1b[36m"), "{plain}");
    // The remarks are the terminal's still.
    let plain = shown("TERM=xterm", "| cat");
    assert!(plain.contains("one › out") && plain.contains("\x1b[36mone\x1b[0m ~ "), "{plain}");
}

#[test]
fn one_that_wants_the_terminal_is_told_of() {
    for (script, told) in [
        ("read x </dev/tty", "one  ~ stopped by SIGTTIN: it wants to read from the terminal"),
        ("stty sane </dev/tty", "one  ~ stopped by SIGTTOU: it wants to write to the terminal"),
    ] {
        let file = Scratch::new(&format!("processes:\n- {{name: one, cmd: sh, args: [-c, '{script}']}}\n"));
        let mut screen = Screen::with_shell("");
        screen.line(&format!("{} --config {}", panicmon(), file.0.display()));
        screen.see(told);
        screen.press(INTERRUPT);
        assert_eq!(screen.status(), 0);
    }
}

#[test]
fn an_interrupt_ends_the_restarting() {
    let mut screen = Screen::with_shell("");
    screen.line(&format!("{} --restart=always --min-wait=1h {PROBE} pause", panicmon()));
    screen.process_in_state("ready", 'S');
    screen.press(INTERRUPT);
    assert_eq!(screen.status(), 130);
    // Also while it waits.
    screen.line(&format!("{} --restart=always --min-wait=1h false", panicmon()));
    screen.see("it starts again in 1h");
    screen.press(INTERRUPT);
    assert_eq!(screen.status(), 1);
}
