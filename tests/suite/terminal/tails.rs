//! The last words of a command whose stderr is the terminal.

use super::shell::Screen;

#[test]
fn a_tail_replaces_the_terminal_only_by_force() {
    let mut screen = Screen::with_shell("");
    let (shown, status) = screen.run("panicmon --stderr-tail 1K -- test -t 2");
    assert!(shown.contains("nothing is kept, because a pipe would replace the command's terminal"), "{shown}");
    assert_eq!(status, 0, "the command has its terminal");
    let (shown, status) = screen.run("panicmon --stderr-tail 1K,force -- test -t 2");
    assert!(!shown.contains("panicmon: warn"), "{shown}");
    assert_eq!(status, 1, "the command has a pipe");
}
