//! Keys that send signals, and the size of the window.

use super::received_by;
use super::shell::{INTERRUPT, QUIT, SUSPEND, same};

#[test]
fn keys_and_resizing_reach_the_foreground_once() {
    let seen = same(|screen| {
        screen.line("{} probe receive");
        screen.see("ready");
        let mut seen = Vec::new();
        for key in [INTERRUPT, QUIT, SUSPEND] {
            seen.extend(received_by(screen, |screen| screen.press(key)));
        }
        seen.extend(received_by(screen, |screen| screen.resize(30, 100)));
        vec![format!("{seen:?}")]
    });
    assert_eq!(seen, ["[2, 3, 20, 28]"]);
}

#[test]
fn a_command_ended_by_a_key_is_seen_to_be() {
    let seen = same(|screen| {
        let mut seen = Vec::new();
        screen.run("ulimit -c 0");
        for key in [INTERRUPT, QUIT] {
            screen.line("{} probe pause");
            screen.process("ready");
            screen.press(key);
            let (shown, status) = screen.prompt();
            screen.shell_has_terminal();
            seen.push(format!("{shown} {status}"));
        }
        seen
    });
    assert!(seen[0].ends_with("130") && seen[1].ends_with("131"), "{seen:?}");
}

/// The script's shell hears it at once, not only through the end of its command.
#[test]
fn a_script_hears_the_interrupt_that_its_command_survives() {
    let seen = same(|screen| {
        screen.line("bash -c 'trap \"echo trapped\" INT; {} probe exit-after 1 0; echo end'");
        screen.see("ready");
        screen.press(INTERRUPT);
        let (shown, status) = screen.prompt();
        vec![format!("{shown} {status}")]
    });
    assert_eq!(seen, ["^Ctrapped\nend 0"]);
}

#[test]
fn one_interrupt_ends_a_loop() {
    for shell in ["{}", "bash -c '{}; echo end'", "sh -c '{}; echo end'"] {
        let seen = same(|screen| {
            screen.line(&shell.replace("{}", "for i in 1 2 3; do {} sleep 999; done"));
            screen.process("sleep");
            screen.press(INTERRUPT);
            let (shown, status) = screen.prompt();
            vec![format!("{shown} {status}")]
        });
        assert_eq!(seen, ["^C 130"], "{shell}");
    }
}
