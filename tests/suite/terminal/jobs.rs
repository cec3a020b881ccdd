//! Stopping and continuing, in the foreground and in the background.

use super::shell::{END_OF_FILE, INTERRUPT, SUSPEND, Screen, same};
use crate::support::wait_for;

/// Waits until the process the shell started has stopped.
fn job_is_stopped(screen: &Screen) {
    wait_for("the job to be stopped", || {
        let job = screen.job();
        screen.processes().iter().find(|process| process.pid == job && process.state == 'T').map(drop)
    });
}

#[test]
fn suspended_and_brought_back_twice() {
    let seen = same(|screen| {
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
            screen.line("fg");
            screen.process_in_state("cat", 'S');
            screen.press("hello\r");
            screen.see("hello\r\nhello\r\n");
        }
        screen.press(INTERRUPT);
        seen.push(screen.status().to_string());
        seen
    });
    assert!(seen[1].contains("Stopped") && seen[4] == "130", "{seen:?}");
}
