//! Texts that are read at the terminal.

use super::shell::Screen;

#[test]
fn help_is_as_wide_as_the_terminal_even_through_a_pager() {
    let mut screen = Screen::with_shell("");
    for (columns, expected) in [(40, 30..=40), (45, 35..=45), (60, 50..=60), (90, 80..=90), (240, 90..=100)] {
        screen.resize(30, columns);
        let (shown, _) = screen.run("panicmon --help | wc -L");
        assert!(expected.contains(&shown.parse().unwrap()), "{columns}: {shown}");
    }
    let (shown, _) = screen.run("panicmon --help 2>/dev/null | wc -L");
    assert!((70..=80).contains(&shown.parse().unwrap()), "no terminal: {shown}");
}

#[test]
fn help_has_colours_at_a_terminal_that_has_them_and_where_they_are_wanted() {
    let mut screen = Screen::with_shell("");
    for (line, is_coloured) in [
        ("TERM=xterm panicmon -h", true),
        ("TERM=xterm panicmon --help", true),
        ("TERM=xterm NO_COLOR= panicmon -h", true),
        ("TERM=xterm NO_COLOR=1 panicmon -h", false),
        ("TERM=dumb panicmon -h", false),
        ("env -u TERM panicmon -h", false),
        ("TERM=xterm panicmon -h | cat", false),
    ] {
        let (shown, status) = screen.run(line);
        assert!(shown.contains("Usage:") && status == 0, "{line}: {shown}");
        assert_eq!(shown.contains('\x1b'), is_coloured, "{line}: {shown}");
    }
}
