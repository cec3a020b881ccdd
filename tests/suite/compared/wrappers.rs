//! tini, dumb-init and catatonit beside panicmon.

use crate::peers::real;
use crate::support::{PROBE, Running, children, output, panicmon, status_field, wait_for};
use crate::sys;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

/// What these programs do with signals that they get, but for their own SIGCHLD, and those that nobody can catch.
struct Wrapper {
    words: &'static [&'static str],
    end_it: &'static [i32],
    dropped: &'static [i32],
    /// They stop the wrapper together with its command.
    stop_it: &'static [i32],
    keeps_values: bool,
    adopts: bool,
    takes_its_command_along: bool,
}

const CRASHES: &[i32] =
    &[libc::SIGILL, libc::SIGTRAP, libc::SIGABRT, libc::SIGBUS, libc::SIGFPE, libc::SIGSEGV, libc::SIGSYS];

const WRAPPERS: [Wrapper; 5] = [
    Wrapper {
        words: &["panicmon", "--"],
        end_it: &[],
        dropped: &[],
        stop_it: &[],
        keeps_values: true,
        adopts: true,
        takes_its_command_along: true,
    },
    Wrapper {
        words: &["tini", "-s", "--"],
        end_it: CRASHES,
        dropped: &[libc::SIGTTIN, libc::SIGTTOU],
        stop_it: &[],
        keeps_values: false,
        adopts: true,
        takes_its_command_along: false,
    },
    Wrapper {
        words: &["tini", "--"],
        end_it: CRASHES,
        dropped: &[libc::SIGTTIN, libc::SIGTTOU],
        stop_it: &[],
        keeps_values: false,
        adopts: false,
        takes_its_command_along: false,
    },
    Wrapper {
        words: &["dumb-init"],
        end_it: &[],
        dropped: &[],
        stop_it: &[libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU],
        keeps_values: false,
        adopts: false,
        takes_its_command_along: false,
    },
    Wrapper {
        words: &["catatonit", "--"],
        end_it: CRASHES,
        dropped: &[libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU],
        stop_it: &[],
        keeps_values: false,
        adopts: true,
        takes_its_command_along: false,
    },
];

impl Wrapper {
    /// The probe behind it, if it is installed.
    fn start(&self, words: &[&str]) -> Option<Running> {
        let (name, options) = self.words.split_first().unwrap();
        let program = if *name == "panicmon" { panicmon().into() } else { real(name)?.get_program().to_owned() };
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -c 0; exec \"$0\" \"$@\" 2>/dev/null"]).arg(program).args(options);
        command.arg(PROBE).args(words);
        Some(Running::start(command))
    }

    /// One that has said that it is ready, and the pid of the probe.
    fn receiver(&self) -> Option<(Running, u32)> {
        let mut running = self.start(&["receive"])?;
        assert_eq!(running.line().as_deref(), Some("ready"));
        let child = children(running.pid())[0];
        Some((running, child))
    }
}

fn signal_of(line: Option<String>) -> i32 {
    line.unwrap().split(' ').next().unwrap().parse().unwrap()
}

#[test]
fn signals_are_passed_on() {
    for wrapper in &WRAPPERS {
        let Some((mut running, child)) = wrapper.receiver() else { continue };
        let others = [libc::SIGKILL, libc::SIGSTOP, libc::SIGCHLD, 32, 33, 64];
        let mut passed = Vec::new();
        for signal in (1..=64).filter(|signal| !others.contains(signal)) {
            if wrapper.end_it.contains(&signal) || wrapper.stop_it.contains(&signal) {
                continue;
            }
            // The last signal comes behind all others.
            running.kill(signal);
            running.kill(64);
            let first = signal_of(running.line());
            if first == signal {
                passed.push(signal);
                assert_eq!(signal_of(running.line()), 64, "{:?}", wrapper.words);
            }
            assert_eq!(first == 64, wrapper.dropped.contains(&signal), "{:?}: {signal}", wrapper.words);
        }
        assert!(passed.len() > 40, "{:?}: {passed:?}", wrapper.words);
        sys::kill(child, libc::SIGKILL).unwrap();
    }
}

#[test]
fn a_crashs_signals_end_them() {
    for wrapper in &WRAPPERS {
        for signal in wrapper.end_it {
            let Some((mut running, child)) = wrapper.receiver() else { continue };
            running.kill(*signal);
            assert_eq!(running.wait().signal(), Some(*signal), "{:?}", wrapper.words);
            sys::kill(child, libc::SIGKILL).unwrap();
        }
    }
}

#[test]
fn values_of_realtime_signals() {
    for wrapper in &WRAPPERS {
        let Some((mut running, child)) = wrapper.receiver() else { continue };
        sys::queue(running.pid(), 40, 7).unwrap();
        let line = running.line().unwrap();
        assert_eq!(line.ends_with(" 7"), wrapper.keeps_values, "{:?}: {line}", wrapper.words);
        sys::kill(child, libc::SIGKILL).unwrap();
    }
}

#[test]
fn a_command_whose_wrapper_is_killed() {
    for wrapper in &WRAPPERS {
        let Some((mut running, child)) = wrapper.receiver() else { continue };
        running.kill(libc::SIGKILL);
        running.wait();
        if wrapper.takes_its_command_along {
            running.wait_for_eof();
        } else {
            sys::kill(child, 64).unwrap();
            assert_eq!(signal_of(running.line()), 64, "{:?}", wrapper.words);
            sys::kill(child, libc::SIGKILL).unwrap();
        }
    }
}

#[test]
fn orphans_of_one_that_isnt_pid_1() {
    for wrapper in &WRAPPERS {
        let Some(mut running) = wrapper.start(&["living-orphan"]) else { continue };
        let orphan: u32 = running.line().unwrap().parse().unwrap();
        let own = running.pid().to_string();
        let child = children(running.pid())[0].to_string();
        // Its parent was a child of the probe, which is gone when this is another one.
        let parent = wait_for("its new parent", || {
            let parent = status_field(orphan, "PPid")?;
            // Of one that has just gone there is none.
            let of_parent = status_field(parent.parse().ok()?, "PPid")?;
            (of_parent != child).then_some(parent)
        });
        assert_eq!(parent == own, wrapper.adopts, "{:?}", wrapper.words);
        sys::kill(orphan, libc::SIGKILL).unwrap();
        sys::kill(child.parse().unwrap(), libc::SIGKILL).unwrap();
    }
}

/// What isn't among their options, they don't have.
#[test]
fn their_options() {
    let help = [
        ("tini", "-h", "-h -s -p -v -w -g -e -l"),
        ("dumb-init", "--help", "-c -r -v -h -V"),
        ("catatonit", "-h", "-g -h -L -P -V"),
    ];
    for (name, option, expected) in help {
        let Some(mut command) = real(name) else { continue };
        let (_, out, err) = output(command.arg(option));
        let options: Vec<_> = (out.lines().chain(err.lines()))
            .filter_map(|line| line.trim_start().split([' ', ',', ':']).next())
            .filter(|word| word.len() == 2 && word.starts_with('-'))
            .collect();
        assert_eq!(options.join(" "), expected, "{name}: {out}{err}");
    }
}
