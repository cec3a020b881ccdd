//! A program at a terminal that runs its command by the library.

use super::shell::{INTERRUPT, SUSPEND, Screen, same_with};

#[test]
fn the_program_is_stopped_and_continued_with_its_command() {
    // Without job control, the terminal's signals reach both; with it, the command has the terminal.
    let seen = same_with(&["probe host-once", "probe host-job-control"], |screen| {
        let mut seen = Vec::new();
        screen.line("{} cat");
        screen.process("cat");
        for round in ["one", "two"] {
            screen.press(&format!("{round}\r"));
            screen.see(&format!("{round}\r\n{round}\r\n"));
            screen.press(SUSPEND);
            seen.push(screen.prompt().0);
            screen.shell_has_terminal();
            screen.process_in_state("cat", 'T');
            screen.line("fg");
            screen.process_in_state("cat", 'S');
        }
        screen.press(INTERRUPT);
        seen.push(screen.status().to_string());
        seen
    });
    assert!(seen[0].contains("Stopped") && seen[2] == "130", "{seen:?}");
}

#[test]
fn an_interrupt_is_for_one_command_not_for_the_next() {
    let mut screen = Screen::with_shell("");
    screen.line("probe host-job-control-twice sh -c 'read x; exit 7'");
    screen.process("sh");
    screen.all_asleep();
    screen.press(INTERRUPT);
    screen.see("130");
    screen.process("sh");
    screen.press("hello\r");
    assert_eq!(screen.status(), 7);
}

#[test]
fn with_job_control_keys_and_signals_come_once() {
    let seen = same_with(&["probe host-once", "probe host-job-control"], |screen| {
        screen.line("{} probe receive");
        screen.see("ready");
        let mut came = super::received_by(screen, |screen| screen.press(INTERRUPT));
        let job = screen.job();
        came.extend(super::received_by(screen, |_| crate::sys::kill(job, libc::SIGHUP).unwrap()));
        vec![format!("{came:?}")]
    });
    assert_eq!(seen, ["[2, 1]"]);
}
