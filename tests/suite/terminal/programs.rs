//! Programs that live in terminals.

use super::shell::{INTERRUPT, SUSPEND, same};

#[test]
fn an_interactive_shell_inside_has_job_control() {
    let seen = same(|screen| {
        let mut seen = Vec::new();
        seen.push(screen.run("{} bash --norc --noprofile -i").0);
        screen.press("abc");
        screen.see("abc");
        screen.all_asleep();
        screen.press(INTERRUPT);
        seen.push(screen.status().to_string());
        screen.line("cat");
        screen.process("cat");
        screen.press(SUSPEND);
        seen.push(screen.prompt().0);
        screen.process_in_state("cat", 'T');
        seen.push(screen.run("jobs").0);
        screen.line("fg");
        screen.process_in_state("cat", 'S');
        screen.press("hello\r");
        screen.see("hello\r\nhello\r\n");
        screen.all_asleep();
        screen.press(INTERRUPT);
        seen.push(screen.status().to_string());
        let (shown, status) = screen.run("exit 5");
        seen.push(format!("{shown} {status}"));
        screen.shell_has_terminal();
        seen
    });
    assert_eq!(seen[0], "");
    assert_eq!(seen[5], "exit 5");
}

/// Starts, reads a key, is suspended, comes back, reads another, is quit.
fn full_screen(line: &str, name: &str, key: &str, answer: &str, quit: &str) {
    let seen = same(|screen| {
        let mut seen = Vec::new();
        screen.run("export TERM=xterm");
        // What fits the terminal's buffer is written at once: a key can't come in the middle.
        screen.resize(10, 80);
        seen.push(screen.run("stty -a").0);
        screen.line(line);
        screen.see("\x1b[");
        screen.process_in_state(name, 'S');
        for _ in 0..2 {
            screen.press(key);
            screen.see(answer);
            // It waits for the next key.
            screen.process_in_state(name, 'S');
            screen.press(SUSPEND);
            seen.push(screen.status().to_string());
            screen.shell_has_terminal();
            screen.process_in_state(name, 'T');
            seen.push(screen.run("stty -a").0);
            screen.line("fg");
            screen.process_in_state(name, 'S');
            screen.see("\x1b[");
        }
        screen.press(quit);
        seen.push(screen.status().to_string());
        screen.shell_has_terminal();
        seen.push(screen.run("stty -a").0);
        seen
    });
    assert_eq!((seen[0].as_str(), seen[5].as_str()), (seen[2].as_str(), "0"), "{seen:?}");
    assert_eq!(seen[0], seen[6]);
}

#[test]
#[ignore = "needs less(1)"]
fn less() {
    full_screen("{} less /etc/services", "less", "/tcpmux\r", "tcpmux", "q");
}

#[test]
#[ignore = "needs vim.tiny(1)"]
fn vi() {
    full_screen("{} vim.tiny -u NONE /etc/services", "vim.tiny", ":set number?\r", "number", ":q!\r");
}

#[test]
#[ignore = "needs top(1)"]
fn top() {
    full_screen("{} top -d 900", "top", " ", "load average", "q");
}
