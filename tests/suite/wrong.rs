//! Every option, wrong in every way one can think of: 125, a message that names option, value and what is allowed, and
//! nothing is started.

use crate::support::{output, panicmon};
use std::process::Command;

/// Words, and what the message says of them.
const WRONG: &[(&[&str], &str)] = &[
    (&["-C", ""], "--dir: '' is no directory"),
    (&["-C"], "'--dir <DIR>'"),
    (&["-C", "/", "-C", "/usr"], "'--dir <DIR>' cannot be used multiple times"),
    (&["-e", "A"], "--env: 'A' has no '=' in it: write A=VALUE"),
    (&["-e", "=1"], "--env: '=1' has no name before the '='"),
    (&["-e", ""], "--env: '' has no '=' in it"),
    (&["--unset-env", "A,,B"], "--unset-env: '' is no name of a variable: write names with commas between"),
    (&["--unset-env", "A=1"], "--unset-env: 'A=1' is no name of a variable"),
    (&["--clear-env=yes"], "unexpected value 'yes' for '--clear-env...'"),
    (&["-u", ""], "--user: '' is no user: write USER or USER:GROUP, each a name or a number"),
    (&["-u", ":"], "--user: ':' is no user"),
    (&["-u", "0:"], "--user: '0:' is no user"),
    (&["-u", ":0"], "--user: ':0' is no user"),
    (
        &["-u", "nobody-of-that-name"],
        "--user (PANICMON_USER): 'nobody-of-that-name' is neither in /etc/passwd nor a number from 0 to 4294967294",
    ),
    (&["-u", "4294967295:0"], "--user (PANICMON_USER): '4294967295' is neither"),
    (&["-u", "-1"], "'-1'"),
    (
        &["-u", "424242"],
        "--user (PANICMON_USER): '424242' is not in /etc/passwd, so its group isn't known: write 424242:GROUP",
    ),
    (
        &["-u", "0:no-group-of-that-name"],
        "--user (PANICMON_USER): the group 'no-group-of-that-name' is neither in /etc/group nor a number",
    ),
    (&["-s", "TERM,BLA"], "--signals: 'BLA' is not a signal"),
    (&["-s", "65"], "--signals: '65' is not a signal"),
    (&["-s", "STOP"], "--signals: SIGSTOP can't be listened to: the kernel keeps it to itself"),
    (&["-r", "TERM"], "--rewrite: 'TERM' has no '=' in it: write FROM=TO, e.g. TERM=QUIT, or FROM=drop"),
    (&["-r", "TERM="], "--rewrite: '' is not a signal"),
    (&["-r", "=TERM"], "--rewrite: '' is not a signal"),
    (&["-r", "TERM=nothing"], "--rewrite: 'nothing' is not a signal"),
    (&["-r", "KILL=TERM"], "--rewrite: SIGKILL can't be listened to"),
    (&["-r", "CHLD=TERM"], "--rewrite: SIGCHLD can't be forwarded"),
    (&["-r", "TERM=QUIT,15=INT"], "--rewrite: SIGTERM is there twice: which is meant?"),
    (&["-r", "TERM=QUIT", "-r", "TERM=INT"], "--rewrite: SIGTERM is there twice"),
    (&["-r", "TERM=QUIT,"], "--rewrite: '' has no '=' in it"),
    (&["-s", "HUP", "-r", "TERM=QUIT"], "--rewrite: SIGTERM isn't listened to: add it to --signals"),
    (&["--delay", "TERM"], "--delay: 'TERM' has no '=' in it: write SIG=DURATION, e.g. TERM=10s"),
    (&["--delay", "TERM=10 s"], "--delay: '10 s': ' s' is no unit: write 10s"),
    (&["--delay", "TERM=soon"], "--delay: 'soon' is no duration"),
    (&["--delay", "TERM=-1s"], "--delay: '-1s' is a time before now"),
    (&["--delay", "TERM=1000000h"], "--delay: '1000000h' is more than a year"),
    (&["--delay", "KILL=1s"], "--delay: SIGKILL can't be listened to"),
    (&["--delay", "TERM=1s,TERM=2s"], "--delay: SIGTERM is there twice"),
    (&["-s", "HUP", "--delay", "TERM=1s"], "--delay: SIGTERM isn't listened to: add it to --signals"),
    (&["-r", "TERM=drop", "--delay", "TERM=1s"], "--delay: SIGTERM isn't forwarded at all: --rewrite drops it"),
    (&["-r", "CONT=drop"], "--rewrite: SIGCONT is forwarded as it is: job control needs it"),
    (&["--delay", "CONT=1s"], "--delay: SIGCONT is forwarded as it is"),
    (&["--parent-death-signal", "DEATH"], "--parent-death-signal: 'DEATH' is not a signal"),
    (&["--parent-death-signal", "STOP"], "--parent-death-signal: SIGSTOP tells panicmon nothing: write TERM, or KILL"),
    (&["--parent-death-signal", "CHLD"], "--parent-death-signal: SIGCHLD tells"),
    (&["-k", "10x"], "--kill-after: '10x': 'x' is no unit: write 10s"),
    (&["-k", ""], "--kill-after: '' is no duration: write 10s, 500ms, 1m30s"),
    (&["--drain", "1m30"], "--drain: '1m30': its last number has no unit"),
    (&["--drain", "x"], "--drain: 'x' is no duration"),
    (&["--drain", "-5s"], "'-5'"),
    (&["--exit", "143"], "--exit: '143' has no '=' in it: write FROM=TO, e.g. 143=0"),
    (&["--exit", "143="], "--exit: '' is not an exit status: write a number from 0 to 255"),
    (&["--exit", "143=256"], "--exit: '256' is not an exit status"),
    (&["--exit", "143=-1"], "--exit: '-1' is not an exit status"),
    (
        &["--exit", "256=0"],
        "--exit: '256' is not an exit status: write a number from 0 to 255, a signal (TERM), oom, timeout, or requested",
    ),
    (
        &["--exit", "OOM=0"],
        "--exit: 'OOM' is no way to end: write a number from 0 to 255, a signal (TERM), oom, timeout, or requested",
    ),
    (&["--exit", "=0"], "--exit: '' is no way to end"),
    (&["--exit", "3=0,3=1"], "--exit: 3 is there twice"),
    (&["--exit", "TERM=0,15=1,SIGTERM=2"], "--exit: SIGTERM is there twice"),
    (&["--restart", "Always"], "--restart: 'Always' is none of never, on-failure and always"),
    (&["--restart=always", "--min-wait", "1w"], "--min-wait: '1w': 'w' is no unit"),
    (&["--restart=always", "--max-wait", "x"], "--max-wait: 'x' is no duration"),
    (&["--restart=always", "--no-restart-on", "256"], "--no-restart-on: '256' is neither an exit code"),
    (&["--restart=always", "--max-restarts", "many"], "--max-restarts: 'many' is not a number from 0 to 4294967295"),
    (&["--max-restarts", "3"], "--max-restarts: it says nothing without --restart"),
    (&["--label", "a\tb"], "--label: 'a\\tb' has a control character"),
    (&["--timestamps", "when"], "--timestamps: "),
    (&["--check"], "--check: it is for the file of a --config, and there is none"),
    (&["-c", "x.yml"], "--config: a COMMAND is given as well"),
    (&["--group=1"], "unexpected value '1' for '--group...'"),
    (&["--session=1"], "unexpected value '1' for '--session...'"),
    (&["--sesion"], "unexpected argument '--sesion' found"),
    (&["-X"], "unexpected argument '-X' found"),
];

#[test]
fn each_is_told_and_nothing_is_started() {
    for (words, told) in WRONG {
        let mut command = Command::new(panicmon());
        let (code, out, err) = output(command.args(*words).args(["--", "echo", "started"]));
        assert_eq!((code, out.as_str()), (Some(125), ""), "{words:?}: {err}");
        assert!(err.starts_with("panicmon: ") && err.contains(told), "{words:?}: {err}");
    }
}

/// The same by variables, whose name is told then.
#[test]
fn each_variable_is_named_as_well() {
    for (words, told) in WRONG {
        let &[option, value] = words else { continue };
        let long = told.split([':', ' ']).next().unwrap();
        let Some(name) = long.strip_prefix("--").filter(|_| option.starts_with('-') && !value.is_empty()) else {
            continue;
        };
        // Nobody means these with a command, if they are an image's.
        if ["max-restarts", "check", "config"].contains(&name) {
            continue;
        }
        let variable = format!("PANICMON_{}", name.to_uppercase().replace('-', "_"));
        let (code, out, err) = output(Command::new(panicmon()).args(["echo", "started"]).env(&variable, value));
        assert_eq!((code, out.as_str()), (Some(125), ""), "{variable}={value}: {err}");
        assert!(err.contains(&variable) && err.contains(told.split_once(": ").unwrap().1), "{variable}={value}: {err}");
    }
}

#[test]
fn what_is_for_one_command_is_not_for_a_file() {
    let options: &[&[&str]] = &[
        &["-C", "/"],
        &["-e", "A=1"],
        &["--unset-env", "A"],
        &["--clear-env"],
        &["-u", "0:0"],
        &["-r", "TERM=INT"],
        &["--delay", "TERM=1s"],
        &["-g"],
        &["--session"],
        &["-k", "1s"],
        &["--drain", "1s"],
        &["--exit", "1=0"],
        &["--restart", "always"],
        &["--label", "x"],
        &["--timestamps", "15:04"],
    ];
    for words in options {
        let (code, _, err) = output(Command::new(panicmon()).args(*words).args(["--config", "/no/such/file"]));
        assert_eq!(code, Some(125), "{words:?}");
        assert!(err.contains("it is for one COMMAND, not for the processes of a file"), "{words:?}: {err}");
    }
}

#[test]
fn a_variable_that_has_no_meaning_with_a_file_says_nothing() {
    let (code, _, err) = output(
        Command::new(panicmon())
            .args(["--check", "--config", "/no/such/file"])
            .env("PANICMON_DRAIN", "1s")
            .env("PANICMON_USER", "0:0"),
    );
    assert_eq!(code, Some(125));
    assert!(err.contains("/no/such/file"), "{err}");
}
