//! The end of the command, and the end of the terminal.

use super::shell::{SUSPEND, Screen, same};
use crate::support::{PROBE, panicmon, status as status_of, status_field, status_signals, wait_for};
use crate::sys;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

#[test]
fn the_terminal_is_the_shells_again_with_its_modes() {
    let seen = same(|screen| {
        let mut seen = Vec::new();
        for end in ["exit 3", "kill -KILL $$", "kill -TERM $$", "kill -HUP $$"] {
            let (shown, status) = screen.run(&format!("{{}} sh -c 'stty raw -echo; {end}'"));
            screen.shell_has_terminal();
            seen.push(format!("{shown} {status}"));
            // What a shell finds at the end of a command is what the next one starts with.
            seen.push(screen.run_blindly("stty -a; stty sane").0);
        }
        seen
    });
    assert!(seen[2].ends_with("137") && !seen[3].contains("-echo "), "{seen:?}");
}

/// A shell that runs a script doesn't look after the terminal.
#[test]
fn in_a_script_the_modes_are_restored_too_if_a_signal_ended_the_command() {
    let mut screen = Screen::with_shell("panicmon --");
    let script = "bash -c '{} sh -c \"stty raw -echo; kill -KILL \\$\\$\"; echo $?; stty -a; cat'";
    screen.line(script);
    screen.see("eol = ");
    screen.process("cat");
    screen.press("hello\r\x04");
    let (shown, status) = screen.prompt();
    assert!(shown.ends_with("hello\nhello") && status == 0, "{shown:?}");
}

/// A plain shell doesn't look after the modes of its jobs, either.
#[test]
fn the_modes_are_those_of_when_the_job_was_last_in_the_foreground() {
    for wrapper in ["", "panicmon --", "panicmon -- panicmon --"] {
        let mut screen = Screen::start(wrapper, &["sh", "-i"]);
        screen.status();
        screen.line("{} cat");
        screen.process("cat");
        screen.all_asleep();
        screen.press(SUSPEND);
        screen.status();
        screen.run("stty tostop");
        screen.line("fg");
        let cat = screen.process_in_state("cat", 'S');
        screen.press("hello\r");
        screen.see("hello\r\nhello\r\n");
        sys::kill(cat.pid, libc::SIGKILL).unwrap();
        assert_eq!(screen.status(), 137);
        let (modes, _) = screen.run("stty -a");
        assert!(modes.contains(" tostop"), "{wrapper}: {modes}");
    }
}

#[test]
fn nothing_is_left_when_the_terminal_hangs_up() {
    for line in ["{} sleep 999", "{} cat", "{} cat | {} sort", "{} sleep 999 &", "{} bash --norc -i"] {
        for wrapper in ["", "panicmon --", "panicmon -- panicmon --"] {
            let mut screen = Screen::with_shell(wrapper);
            screen.line(line);
            let name = line.split(' ').find(|word| ["sleep", "cat", "bash"].contains(word)).unwrap();
            wait_for("the command", || {
                screen.processes().iter().any(|p| p.name == name && p.pid != screen.shell()).then_some(())
            });
            screen.hang_up();
            screen.nothing_left();
        }
    }
}

/// Not only the command itself.
#[test]
fn nothing_it_has_started_is_left_when_the_terminal_hangs_up_or_the_shell_ends() {
    for wrapper in ["", "panicmon --"] {
        for (line, suspend, exit) in [
            ("{} sh -c 'sleep 998; true' &", false, false),
            ("{} sh -c 'sleep 998; true'", true, false),
            ("{} sh -c 'sleep 998; true'", true, true),
        ] {
            let mut screen = Screen::with_shell(wrapper);
            screen.line(line);
            screen.process("sleep");
            if suspend {
                screen.press(SUSPEND);
                screen.status();
            }
            if exit {
                // The first one warns of stopped jobs.
                screen.run("exit");
                screen.press("exit\r");
            } else {
                screen.hang_up();
            }
            screen.end();
            screen.nothing_left();
        }
        let leader = [wrapper.split(' ').collect(), vec!["sh", "-c", "sleep 997 & exit 3"]].concat();
        let leader: Vec<&str> = leader.into_iter().filter(|word| !word.is_empty()).collect();
        let mut screen = Screen::start("", &leader);
        assert_eq!(screen.end().code(), Some(3));
        screen.nothing_left();
    }
}

#[test]
fn the_hang_up_reaches_the_command() {
    let file = format!("{}/hang-up-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    let seen = same(|screen| {
        screen.line(&format!("{{}} probe receive >{file}"));
        wait_for("the probe to be ready", || fs::read_to_string(&file).ok()?.contains("ready").then_some(()));
        let job = screen.job();
        screen.hang_up();
        let lines = || fs::read_to_string(&file).unwrap_or_default();
        wait_for("the shell to be gone", || {
            screen.processes().iter().all(|p| p.pid != screen.shell() || p.state == 'Z').then_some(())
        });
        wait_for("HUP", || super::received(&lines()).contains(&libc::SIGHUP).then_some(()));
        sys::kill(job, libc::SIGRTMAX()).unwrap();
        wait_for("the last signal", || super::received(&lines()).contains(&libc::SIGRTMAX()).then_some(()));
        // The kernel and the shell both send HUP, which may come as one.
        let mut came = super::received(&lines());
        came.sort_unstable();
        came.dedup();
        fs::remove_file(&file).unwrap();
        vec![format!("{came:?}")]
    });
    assert_eq!(seen, ["[1, 18, 64]"]);
}

/// The command blocks all signals: only its grace period ends it.
#[test]
fn a_hang_up_is_a_stop_and_a_hup_is_none() {
    let file = format!("{}/a-stop-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    let wait_for_line = |what: &str| wait_for(what, || fs::read_to_string(&file).ok()?.contains(what).then_some(()));
    for wrapper in ["panicmon -qk 1ms --", "panicmon -qk 1ms --restart always --min-wait 1h --max-wait 1h --"] {
        let mut screen = Screen::with_shell(wrapper);
        screen.line(&format!("{{}} probe receive >{file}"));
        wait_for_line("ready");
        let job = screen.job();
        sys::kill(job, libc::SIGHUP).unwrap();
        wait_for_line("1 0 ");
        sys::kill(job, libc::SIGUSR1).unwrap();
        wait_for_line("10 0 ");
        screen.hang_up();
        wait_for("its end", || screen.processes().iter().all(|p| p.pid != job).then_some(()));
        fs::remove_file(&file).unwrap();
    }
}

/// What is left of the command has its time: a hang-up is the same stop as one that came before. The worker blocks all
/// signals.
#[test]
fn a_hang_up_after_a_stop_does_not_hurry() {
    let path = |name: &str| format!("{}/hurry-{name}-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    let (log, finished) = (path("log"), path("finished"));
    let worker = format!("trap '' TERM HUP; probe await 12 0; echo finished >{finished}");
    let command = format!("sh -c \"{worker}\" & exec probe await 15 3");
    let script = format!("exec panicmon -v --drain 1h -- sh -c '{}' 2>{log}", command.replace('\'', "'\\''"));
    let mut screen = Screen::start("", &["sh", "-c", &script]);
    screen.until("both to be ready", |shown| (shown.matches("ready").count() == 2).then_some(()));
    let panicmon = screen.shell();
    sys::kill(panicmon, libc::SIGTERM).unwrap();
    wait_for("the command's end", || fs::read_to_string(&log).ok()?.contains("ended after").then_some(()));
    screen.hang_up();
    // The leader loses its terminal and is sent HUP in one step of the kernel's.
    let has_no_terminal = |stat: String| stat.rsplit_once(')')?.1.split_whitespace().nth(4)?.eq("0").then_some(());
    wait_for("the hang-up", || has_no_terminal(fs::read_to_string(format!("/proc/{panicmon}/stat")).ok()?));
    wait_for("HUP to be dealt with", || {
        let is_read = status_signals(panicmon, "ShdPnd") == 0;
        (is_read && status_field(panicmon, "State")?.starts_with('S')).then_some(())
    });
    let worker = screen.processes().into_iter().find(|process| process.name == "probe").expect("it isn't killed");
    sys::kill(worker.pid, libc::SIGUSR2).unwrap();
    assert_eq!(screen.end().code(), Some(3));
    assert_eq!(fs::read_to_string(&finished).unwrap_or_default(), "finished\n");
    fs::remove_file(&finished).unwrap();
    fs::remove_file(&log).unwrap();
}

#[test]
fn a_stopped_job_is_not_left_when_its_shell_goes() {
    for wrapper in ["", "panicmon --", "panicmon -- panicmon --"] {
        let mut screen = Screen::with_shell(wrapper);
        screen.line("{} cat");
        screen.process("cat");
        screen.press(SUSPEND);
        screen.status();
        sys::kill(screen.shell(), libc::SIGKILL).unwrap();
        screen.end();
        screen.nothing_left();
    }
}

#[test]
fn a_job_of_an_interactive_shell_dies_as_its_command_died() {
    let seen = same(|screen| {
        let mut seen = Vec::new();
        screen.run("ulimit -c 0");
        for signal in ["TERM", "KILL", "ABRT", "SEGV", "USR1", "RTMIN+1"] {
            let (shown, status) = screen.run(&format!("{{}} sh -c 'kill -{signal} $$'"));
            seen.push(format!("{shown} {status}"));
        }
        seen
    });
    assert_eq!(seen[0], "Terminated 143");
}

#[test]
fn systemds_own_process_dies_as_its_command_died() {
    for (pid, expected) in [("$$", (Some(libc::SIGTERM), None)), ("1", (None, Some(143))), ("", (None, Some(143)))] {
        let script = format!("SYSTEMD_EXEC_PID={pid} exec \"$0\" -- \"$1\" die 15");
        let mut command = Command::new("sh");
        command.args(["-c", &script, &panicmon(), PROBE]);
        // As a job of the shell that runs the tests it would do so in any case.
        sys::lead_session(&mut command, false);
        let status = status_of(&mut command);
        assert_eq!((status.signal(), status.code()), expected, "{pid}");
    }
}

#[test]
fn there_is_no_second_core() {
    for signal in [libc::SIGABRT, libc::SIGSEGV, libc::SIGQUIT] {
        // The command leaves none, so that what is seen is panicmon's.
        let script =
            format!("ulimit -c unlimited; SYSTEMD_EXEC_PID=$$ exec \"$0\" -- sh -c 'ulimit -c 0; kill -{signal} $$'");
        let status = status_of(Command::new("sh").args(["-c", &script, &panicmon()]));
        assert_eq!((status.signal(), status.core_dumped()), (Some(signal), false));
    }
}

#[test]
fn in_a_script_the_status_is_an_exit_code() {
    let mut screen = Screen::with_shell("panicmon --");
    // The shell of the script waits for it, and would say "Terminated" of one that died by a signal.
    let (shown, status) = screen.run("bash -c '{} sh -c \"kill -TERM \\$\\$\"; echo $?'");
    assert_eq!((shown.as_str(), status), ("143", 0));
}
