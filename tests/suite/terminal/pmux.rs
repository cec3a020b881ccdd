//! Several processes, or one that is started again, at a terminal.

use super::shell::{INTERRUPT, SUSPEND, Screen};
use crate::support::{PROBE, Scratch, panicmon};

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
    screen.see("it starts again in 3600s");
    screen.press(INTERRUPT);
    assert_eq!(screen.status(), 1);
}
