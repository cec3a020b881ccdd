//! Commands beside others in one job: all of them use the terminal, and what it sends is meant for all.

use super::shell::{END_OF_FILE, INTERRUPT, SUSPEND, Screen, same_with};
use crate::support::wait_for;

#[test]
fn an_interrupt_ends_both_ends() {
    let seen = same_with(&["panicmon --"], |screen| {
        let mut seen = Vec::new();
        for line in ["{} yes | {} cat >/dev/null", "yes | {} cat >/dev/null", "{} yes | cat >/dev/null"] {
            screen.line(line);
            screen.process("yes");
            screen.process("cat");
            screen.press(INTERRUPT);
            let (shown, status) = screen.prompt();
            seen.push(format!("{shown} {status}"));
            screen.alone();
            screen.shell_has_terminal();
        }
        seen
    });
    assert_eq!(seen, ["^C 130"; 3]);
}

#[test]
fn a_reader_whose_reader_is_gone_ends_by_its_broken_pipe() {
    let seen = same_with(&["panicmon --"], |screen| {
        screen.line("{} cat | head -1");
        screen.process("cat");
        screen.process("head");
        screen.press("one\r");
        screen.see("one\r\none\r\n");
        // While head lives, cat may find room in the pipe.
        wait_for("head to be gone", || {
            screen.processes().iter().all(|p| p.name != "head" || p.state == 'Z').then_some(())
        });
        screen.press("two\r");
        screen.status();
        let (shown, _) = screen.run("echo ${PIPESTATUS[@]}");
        vec![shown]
    });
    assert!(seen[0].ends_with("0"), "{seen:?}");
}

#[test]
fn an_interrupt_while_the_first_reads_ends_the_second_too() {
    let seen = same_with(&["panicmon --"], |screen| {
        screen.line("{} cat | sleep 999");
        screen.process("sleep");
        // It reads from the terminal, which it must have for that.
        screen.press("hello\r");
        screen.see("hello\r\n");
        screen.all_asleep();
        screen.press(INTERRUPT);
        let (shown, status) = screen.prompt();
        vec![format!("{shown} {status}")]
    });
    assert_eq!(seen, ["^C 130"]);
}

#[test]
#[ignore = "needs less(1)"]
fn less_reads_its_keys_at_the_end_of_a_pipeline() {
    let seen = same_with(&["panicmon --"], |screen| {
        let mut seen = Vec::new();
        screen.run("export TERM=xterm");
        screen.line("{} sh -c 'seq 1000; sleep 999' | less");
        screen.see("49");
        screen.process("sleep");
        screen.press(" ");
        // It has written its own prompt, and waits for the next key.
        screen.see("98\r\n:");
        screen.process_in_state("less", 'S');
        screen.press(SUSPEND);
        seen.push(screen.status().to_string());
        screen.process_in_state("sleep", 'T');
        screen.process_in_state("less", 'T');
        seen.push(screen.run("jobs").0);
        screen.line("fg");
        screen.see("98");
        screen.process_in_state("sleep", 'S');
        screen.press(" ");
        screen.see("147\r\n:");
        screen.process_in_state("less", 'S');
        screen.press(INTERRUPT);
        wait_for("the first to be gone", || screen.processes().iter().all(|p| p.name != "sleep").then_some(()));
        // It has dealt with the interrupt when its own prompt is back.
        screen.see("147\r\n:");
        screen.press("q");
        seen.push(screen.status().to_string());
        seen
    });
    assert_eq!((seen[0].as_str(), seen[2].as_str()), ("148", "0"), "{seen:?}");
    assert!(seen[1].contains("Stopped"), "{seen:?}");
}

#[test]
fn in_a_command_substitution_the_terminal_can_be_read() {
    let seen = same_with(&["panicmon --", "panicmon -- panicmon --"], |screen| {
        screen.line("x=$({} cat)");
        screen.process("cat");
        screen.press("hello\r");
        screen.see("hello\r\n");
        screen.all_asleep();
        screen.press(END_OF_FILE);
        screen.status();
        vec![screen.run("echo \"<$x>\"").0]
    });
    assert_eq!(seen, ["<hello>"]);
}

/// In the background the kernel stops them all for the sake of the reader: that isn't the other one's asking.
#[test]
fn a_pipeline_brought_back_leaves_the_terminal_to_its_reader() {
    let seen = same_with(&["panicmon --"], |screen| {
        let mut seen = Vec::new();
        screen.line("cat | {} tee");
        screen.process("cat");
        screen.process("tee");
        screen.all_asleep();
        screen.press(SUSPEND);
        seen.push(screen.prompt().0);
        screen.run("bg");
        // It wants to read, and may not.
        screen.process_in_state("cat", 'T');
        screen.process_in_state("tee", 'T');
        screen.shell_sees_job_stopped();
        screen.line("fg");
        screen.process_in_state("cat", 'S');
        screen.press("hello\r");
        screen.see("hello\r\nhello\r\n");
        screen.press(INTERRUPT);
        seen.push(screen.status().to_string());
        seen
    });
    assert_eq!(seen[1], "130");
}

/// As with a command that asks for a password, and a pager that shows what comes then.
#[test]
fn those_who_ask_for_the_terminal_have_it_one_after_the_other() {
    let seen = same_with(&["panicmon --"], |screen| {
        screen.line("{} sh -c 'read x </dev/tty; echo $x; exec sleep 999' | (read x; read y </dev/tty; echo $x-$y)");
        screen.process("sh");
        screen.press("one\r");
        screen.process("sleep");
        screen.press("two\r");
        screen.see("one-two");
        screen.press(INTERRUPT);
        vec![screen.status().to_string()]
    });
    // Of the last of the pipeline, which had ended.
    assert_eq!(seen, ["0"]);
}

/// What the terminal sends isn't sent to panicmon alone.
#[test]
fn with_a_list_of_signals_the_terminals_reach_the_command_all_the_same() {
    for wrapper in ["", "panicmon --", "panicmon -s TERM --"] {
        let mut screen = Screen::with_shell(wrapper);
        screen.line("{} probe receive | cat");
        screen.see("ready");
        screen.resize(31, 101);
        screen.until("the resizing", |shown| super::received(shown).contains(&libc::SIGWINCH).then_some(()));
    }
}

/// Nobody reads the terminal, so it is the group of all that has it, and hears ^Z.
#[test]
fn a_suspended_pipeline_that_reads_nothing_is_stopped_too() {
    let seen = same_with(&["panicmon --", "panicmon -s TERM --"], |screen| {
        let mut seen = Vec::new();
        screen.line("{} sleep 999 | cat");
        screen.process("sleep");
        screen.process("cat");
        for _ in 0..2 {
            screen.press(SUSPEND);
            seen.push(screen.prompt().0);
            screen.process_in_state("sleep", 'T');
            screen.process_in_state("cat", 'T');
            screen.line("fg");
            screen.process_in_state("sleep", 'S');
            screen.process_in_state("cat", 'S');
        }
        screen.press(INTERRUPT);
        seen.push(screen.status().to_string());
        seen
    });
    assert!(seen[0].contains("Stopped") && seen[2] == "130", "{seen:?}");
}

#[test]
fn a_suspended_pipeline_is_stopped_as_a_whole() {
    let seen = same_with(&["panicmon --"], |screen| {
        let mut seen = Vec::new();
        screen.line("{} cat | {} tee");
        screen.process("tee");
        screen.process("cat");
        screen.press("a\r");
        screen.see("a\r\na\r\n");
        screen.press(SUSPEND);
        screen.status();
        for name in ["cat", "tee"] {
            screen.process_in_state(name, 'T');
        }
        seen.push(screen.run("jobs").0);
        screen.line("fg");
        screen.process_in_state("tee", 'S');
        screen.process_in_state("cat", 'S');
        screen.press("b\r");
        screen.see("b\r\nb\r\n");
        screen.press(END_OF_FILE);
        seen.push(screen.status().to_string());
        seen
    });
    assert!(seen[0].contains("Stopped") && seen[1] == "0", "{seen:?}");
}
