//! Every option, wrong in every way one can think of: 125, a message that names option, value and what is allowed, and
//! nothing is started.

use crate::support::{Scratch, output, panicmon};
use std::process::Command;

/// Words, and what the message says of them.
const WRONG: &[(&[&str], &str)] = &[
    (&["-C", ""], "--dir: '' is no directory"),
    (&["-C"], "--dir: its DIR is missing"),
    (&["-C", "/", "-C", "/usr"], "--dir: it is given twice: keep one"),
    (&["-e", "A"], "--env: 'A' has no '=' in it: write A=VALUE"),
    (&["-e", "=1"], "--env: '=1' has no name before the '='"),
    (&["-e", ""], "--env: '' has no '=' in it"),
    (&["--unset-env", "A,,B"], "--unset-env: '' is no name of a variable: write names with commas between"),
    (&["--unset-env", "A=1"], "--unset-env: 'A=1' is no name of a variable"),
    (&["--clear-env=yes"], "--clear-env: 'yes' is too much: it takes no value"),
    (&["-u", ""], "--user: '' is no user: write USER or USER:GROUP, each a name or a number"),
    (&["-u", ":"], "--user: ':' is no user"),
    (&["-u", "0:"], "--user: '0:' is no user"),
    (&["-u", ":0"], "--user: ':0' is no user"),
    (
        &["-u", "nobody-of-that-name"],
        "--user: 'nobody-of-that-name' is neither in /etc/passwd nor a number from 0 to 4294967294",
    ),
    (&["-u", "4294967295:0"], "--user: '4294967295' is neither"),
    (&["-u", "-1"], "no option -1: a value that begins with a hyphen goes after '='"),
    (&["-u", "424242"], "--user: '424242' is not in /etc/passwd, so its group isn't known: write 424242:GROUP"),
    (
        &["-u", "0:no-group-of-that-name"],
        "--user: the group 'no-group-of-that-name' is neither in /etc/group nor a number",
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
    (&["-r", "TERM=QUIT,15=INT"], "--rewrite: SIGTERM is given twice: keep one"),
    (&["-r", "TERM=QUIT", "-r", "TERM=INT"], "--rewrite: SIGTERM is given twice"),
    (&["-r", "TERM=QUIT,"], "--rewrite: '' has no '=' in it"),
    (&["-s", "HUP", "-r", "TERM=QUIT"], "--rewrite: SIGTERM isn't listened to: add it to --signals"),
    (&["--delay", "TERM"], "--delay: 'TERM' has no '=' in it: write SIG=DURATION, e.g. TERM=10s"),
    (&["--delay", "TERM=10 s"], "--delay: '10 s': ' s' is no unit: write 10s"),
    (&["--delay", "TERM=soon"], "--delay: 'soon' is no duration"),
    (&["--delay", "TERM=-1s"], "--delay: '-1s' is negative"),
    (&["--delay", "TERM=1000000h"], "--delay: '1000000h' is more than a year"),
    (&["--delay", "KILL=1s"], "--delay: SIGKILL can't be listened to"),
    (&["--delay", "TERM=1s,TERM=2s"], "--delay: SIGTERM is given twice"),
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
    (&["--stop-signals", "TERM,BLA"], "--stop-signals: 'BLA' is not a signal"),
    (&["--stop-signals", "KILL"], "--stop-signals: SIGKILL can't be listened to"),
    (&["--stop-signals", "CONT"], "--stop-signals: SIGCONT is forwarded as it is"),
    (&["-s", "HUP", "--stop-signals", "TERM"], "--stop-signals: SIGTERM isn't listened to: add it to --signals"),
    (&["--drain", "x"], "--drain: 'x' is no duration"),
    (&["--drain", "-5s"], "no option -5: a value"),
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
    (&["--exit", "3=0,3=1"], "--exit: 3 is given twice"),
    (&["--exit", "TERM=0,15=1,SIGTERM=2"], "--exit: SIGTERM is given twice"),
    (&["--success", "3,256"], "--success: '256' is neither an exit code (0 to 255) nor a signal (TERM, SIGTERM)"),
    (&["--success", "1-3"], "--success: '1-3' is neither an exit code"),
    (&["--success", ""], "--success: '' is neither an exit code"),
    (&["--restart", "Always"], "--restart: 'Always' is none of never, on-failure and always"),
    (&["--restart=always", "--min-wait", "1w"], "--min-wait: '1w': 'w' is no unit"),
    (&["--restart=always", "--max-wait", "x"], "--max-wait: 'x' is no duration"),
    (&["--restart=always", "--no-restart-on", "256"], "--no-restart-on: '256' is neither an exit code"),
    (&["--restart=always", "--max-restarts", "many"], "--max-restarts: 'many' is not a number from 0 to 4294967295"),
    (&["--max-restarts", "3"], "--max-restarts: it has no effect without --restart"),
    (&["--label", "a\tb"], "--label: 'a\\tb' has a control character"),
    (&["--name", ""], "--name: '' is no name: is a variable unset?"),
    (&["--timestamps", "when"], "--timestamps: "),
    (&["--check"], "--check: it is for the file of a --config, and there is none"),
    (&["-c", "x.yml"], "--config: a COMMAND is given as well"),
    (&["-c", ""], "--config: '' is no file: is a variable unset?"),
    (&["--group=1"], "--group: '1' is too much"),
    (&["--session=1"], "--session: '1' is too much"),
    (&["--sesion"], "no option --sesion: did you mean --session?"),
    (&["-X"], "no option -X; --help lists all"),
    (&["--foo"], "no option --foo; --help lists all"),
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

/// The same by variables, whose name is told then, and not the option's.
#[test]
fn each_variable_is_named_instead() {
    let mut checked = 0;
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
        assert!(
            err.starts_with(&format!("panicmon: {variable}: ")) && err.contains(told.split_once(": ").unwrap().1),
            "{variable}={value}: {err}"
        );
        checked += 1;
    }
    assert!(checked > WRONG.len() / 2, "{checked} of {}", WRONG.len());
}

/// An option that is refused, each with a variable of the same meaning, and what they contradict.
#[test]
fn a_contradiction_names_options_and_variables_as_they_were_given() {
    for (variables, words, told) in [
        (
            &[("SIGNALS", "HUP")] as &[_],
            &["-r", "TERM=INT"] as &[&str],
            "--rewrite: SIGTERM isn't listened to: add it to PANICMON_SIGNALS\n",
        ),
        (
            &[("SIGNALS", "HUP")],
            &["--delay", "TERM=1s"],
            "--delay: SIGTERM isn't listened to: add it to PANICMON_SIGNALS\n",
        ),
        (
            &[("SIGNALS", "HUP")],
            &["--stop-signals", "TERM"],
            "--stop-signals: SIGTERM isn't listened to: add it to PANICMON_SIGNALS\n",
        ),
        (&[], &["-s", "HUP", "--delay", "TERM=1s"], "--delay: SIGTERM isn't listened to: add it to --signals\n"),
        (
            &[("REWRITE", "TERM=drop")],
            &["--delay", "TERM=1s"],
            "--delay: SIGTERM isn't forwarded at all: PANICMON_REWRITE drops it\n",
        ),
        (
            &[("MIN_WAIT", "90s"), ("MAX_WAIT", "1s")],
            &["--restart=always"],
            "PANICMON_MAX_WAIT: 1s is less than PANICMON_MIN_WAIT, 1m30s\n",
        ),
    ] {
        let variables = variables.iter().map(|(name, value)| (format!("PANICMON_{name}"), value));
        let (code, out, err) = output(Command::new(panicmon()).args(words).args(["echo", "started"]).envs(variables));
        assert_eq!((code, out), (Some(125), String::new()), "{words:?}: {err}");
        assert_eq!(err, format!("panicmon: {told}"));
    }
}

#[test]
fn a_switch_is_on_or_off_in_every_way_it_is_written() {
    let groups = |value: &str, variable: &str| {
        let script = "read -r _ _ _ _ _ session _ < /proc/$$/stat; echo $session $$";
        output(Command::new(panicmon()).args(["sh", "-c", script]).env(variable, value))
    };
    for (values, on) in [
        (["true", "yes", "on", "1", "TRUE", "Yes", "oN"], true),
        (["false", "no", "off", "0", "False", "NO", "Off"], false),
    ] {
        for value in values {
            let (code, out, err) = groups(value, "PANICMON_SESSION");
            assert_eq!((code, err.as_str()), (Some(0), ""), "{value}");
            let (session, pid) = out.trim_end().split_once(' ').unwrap();
            assert_eq!(session == pid, on, "{value}");
        }
    }
    for name in ["CLEAR_ENV", "GROUP", "SESSION", "CHECK", "DOCTOR", "QUIET"] {
        for value in ["2", "maybe", "-1", "yes\n", "t"] {
            let (code, out, err) = groups(value, &format!("PANICMON_{name}"));
            assert_eq!((code, out.as_str()), (Some(125), ""), "{name}={value}");
            let told = format!(
                "panicmon: PANICMON_{name}: '{}' is none of true, false, yes, no, on, off, 1 and 0\n",
                value.escape_debug()
            );
            assert_eq!(err, told);
        }
    }
    let (code, _, err) = groups("much", "PANICMON_VERBOSE");
    assert!(code == Some(125) && err.contains("PANICMON_VERBOSE: 'much' is none of true, false"), "{err}");
}

/// Which line of the two it is would not be told otherwise.
#[test]
fn a_newline_in_a_value_tears_no_message() {
    let (code, _, err) = output(Command::new(panicmon()).arg("true").env("PANICMON_DRAIN", "soon\n"));
    assert_eq!(code, Some(125));
    assert_eq!(err.lines().count(), 1, "{err}");
    assert!(err.starts_with("panicmon: PANICMON_DRAIN: 'soon\\n' is no duration"), "{err}");
}

/// Options of one command, and the same by variables.
const FOR_ONE_COMMAND: &[(&[&str], &str, &str)] = &[
    (&["-C", "/"], "DIR", "/"),
    (&["-e", "A=1"], "ENV", "A=1"),
    (&["--unset-env", "A"], "UNSET_ENV", "A"),
    (&["--clear-env"], "CLEAR_ENV", "1"),
    (&["-u", "0:0"], "USER", "nobody"),
    (&["-r", "TERM=INT"], "REWRITE", "TERM=INT"),
    (&["--delay", "TERM=1s"], "DELAY", "TERM=1s"),
    (&["-g"], "GROUP", "yes"),
    (&["--session"], "SESSION", "on"),
    (&["-k", "1s"], "KILL_AFTER", "1s"),
    (&["--drain", "1s"], "DRAIN", "1s"),
    (&["--exit", "1=0"], "EXIT", "1=0"),
    (&["--success", "3"], "SUCCESS", "3"),
    (&["--restart", "always"], "RESTART", "always"),
    (&["--min-wait", "1s"], "MIN_WAIT", "1s"),
    (&["--max-wait", "1s"], "MAX_WAIT", "1s"),
    (&["--no-restart-on", "1"], "NO_RESTART_ON", "1"),
    (&["--max-restarts", "1"], "MAX_RESTARTS", "1"),
    (&["--label", "x"], "LABEL", "x"),
    (&["--timestamps", "15:04"], "TIMESTAMPS", "15:04"),
];

const A_FILE: &str = "processes:\n- cmd: echo\n  args: [started]\n  noRestartOn: [0]\n";

#[test]
fn what_is_for_one_command_is_not_for_a_file() {
    let file = Scratch::new(A_FILE);
    for (words, name, value) in FOR_ONE_COMMAND {
        let given = |command: &mut Command, file_by_variable: bool| {
            if file_by_variable {
                command.env("PANICMON_CONFIG", &file.0);
            } else {
                command.arg("--config").arg(&file.0);
            }
            output(command)
        };
        for file_by_variable in [false, true] {
            let by_word = given(Command::new(panicmon()).args(*words), file_by_variable);
            let variable = format!("PANICMON_{name}");
            let by_variable = given(Command::new(panicmon()).env(&variable, value), file_by_variable);
            let long = format!("--{}", name.to_lowercase().replace('_', "-"));
            for ((code, out, err), given) in [(by_word, long), (by_variable, variable)] {
                assert_eq!((code, out.as_str()), (Some(125), ""), "{given}: {err}");
                let told = format!("panicmon: {given}: it is for one COMMAND, not for the processes of a file");
                assert!(err.starts_with(&told), "{given}: {err}");
            }
        }
    }
    // What is switched off asks for nothing.
    let off = [("PANICMON_USER", ""), ("PANICMON_CLEAR_ENV", "no"), ("PANICMON_SESSION", "0")];
    let (code, out, err) = output(Command::new(panicmon()).env("PANICMON_CONFIG", &file.0).envs(off));
    assert!(code == Some(0) && out.contains("started"), "{out}{err}");
}

/// Broken variables, and ones that contradict each other.
#[test]
fn what_only_tells_ignores_the_variables() {
    let file = Scratch::new(A_FILE);
    let broken = [
        ("PANICMON_USER", "nobody"),
        ("PANICMON_DRAIN", "soon"),
        ("PANICMON_SIGNALS", "TREM"),
        ("PANICMON_GROUP", "maybe"),
        ("PANICMON_VERBOSE", "maybe"),
        ("PANICMON_RESTART", "always"),
        ("PANICMON_MIN_WAIT", "5s"),
        ("PANICMON_MAX_WAIT", "1s"),
    ];
    let told = |words: &[&str], more: &[(&str, &str)]| {
        output(Command::new(panicmon()).args(words).envs(broken).envs(more.iter().copied()))
    };
    let path = file.0.to_str().unwrap();
    let good = (Some(0), format!("{path}: good: 1 process\n"), String::new());
    assert_eq!(told(&["--check", "--config", path], &[]), good);
    assert_eq!(told(&["--check"], &[("PANICMON_CONFIG", path)]), good);
    assert_eq!(told(&["--check"], &[("PANICMON_CONFIG", path), ("PANICMON_DOCTOR", "maybe")]), good);
    assert_eq!(told(&[], &[("PANICMON_CONFIG", path), ("PANICMON_CHECK", "Yes")]), good);
    for (words, more) in [
        (&["--doctor"] as &[_], &[] as &[_]),
        (&["--doctor", "true"], &[]),
        (&["--doctor"], &[("PANICMON_CHECK", "maybe"), ("PANICMON_DOCTOR", "maybe")]),
        (&["--doctor"], &[("PANICMON_CONFIG", "/no/such/file")]),
        (&["true"], &[("PANICMON_DOCTOR", "1")]),
    ] {
        let (_, out, err) = told(words, more);
        assert!(
            out.contains("it can be a child subreaper") || out.contains("it is PID 1"),
            "{words:?} {more:?}: {err}"
        );
    }
    for word in ["--help", "--version"] {
        assert_eq!(told(&[word], &[("PANICMON_DOCTOR", "maybe")]).0, Some(0), "{word}");
    }
    assert_eq!(told(&["true"], &[]).0, Some(125), "else they aren't ignored");
}
