use super::config::Places;
use super::fault::Fault;
use super::read::{MAX_FILE_BYTES, config as parse, read};
use crate::model::process_config::{NoRestartOn, ProcessConfig};
use crate::model::signal::Signal;
use crate::model::success::Success;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What is told about a bad file.
fn told(yaml: &[u8]) -> String {
    match parse(yaml) {
        Ok(config) => panic!("taken: {yaml:?}: {config:?}"),
        Err(Fault { line, column, message }) => format!("{line}:{column}: {message}"),
    }
}

fn good(yaml: &str) -> Vec<ProcessConfig> {
    parse(yaml.as_bytes()).unwrap_or_else(|fault| panic!("{yaml}: {fault:?}")).processes
}

fn strings(words: &[OsString]) -> Vec<&str> {
    words.iter().map(|word| word.to_str().unwrap()).collect()
}

const EVERYTHING: &str = "\
timeFormat: 2006-01-02T15:04:05.000Z07:00
processes:
  # The first.
  - name: web
    cmd: /usr/bin/myserver
    args: [--port, 8080, '--title=a: b']
    env:
      TZ: UTC
      EMPTY:
    dir: /
    minWait: 500ms
    maxWait: 1m30s
    stopSignal: SIGQUIT
    sigKillWait: 2s
    drain: true
    noRestartOn: [0, TERM, -1]
    success: [3, SIGUSR1]
    signals: [USR1, SIGHUP, 10, RTMIN+3]
  - cmd: sleep
    args:
      - 1.5h
";

#[test]
fn every_key_is_taken() {
    let config = parse(EVERYTHING.as_bytes()).unwrap();
    assert_eq!(config.time_format, Some("2006-01-02T15:04:05.000Z07:00".parse().unwrap()));
    let mut web = ProcessConfig::new("/usr/bin/myserver");
    web.name = "web".to_owned();
    web.args = ["--port", "8080", "--title=a: b"].map(Into::into).to_vec();
    web.env = vec![("TZ".into(), "UTC".into()), ("EMPTY".into(), "".into())];
    web.dir = Some(PathBuf::from("/"));
    web.min_wait = Duration::from_millis(500);
    web.max_wait = Duration::from_secs(90);
    web.stop_signal = Signal::QUIT;
    web.sig_kill_wait = Duration::from_secs(2);
    web.drain = true;
    web.no_restart_on = vec![NoRestartOn::Code(0), NoRestartOn::Signal(Signal::TERM), NoRestartOn::NoCode];
    web.success = vec![Success::Code(3), Success::Signal(Signal::USR1)];
    web.signals = Some(["USR1", "HUP", "RTMIN+3"].into_iter().map(|word| word.parse::<Signal>().unwrap()).collect());
    let mut sleep = ProcessConfig::new("sleep");
    sleep.name = "sleep".to_owned();
    sleep.args = vec!["1.5h".into()];
    assert_eq!(config.processes, [web, sleep]);
}

#[test]
fn words_are_taken_letter_for_letter() {
    for (written, taken) in [
        ("8080", "8080"),
        ("1.10", "1.10"),
        ("0755", "0755"),
        ("yes", "yes"),
        ("True", "True"),
        ("1e3", "1e3"),
        ("1e999", "1e999"),
        ("0x10", "0x10"),
        ("0o7", "0o7"),
        ("1_000", "1_000"),
        ("+1", "+1"),
        ("-5", "-5"),
        (".inf", ".inf"),
        ("-.INF", "-.INF"),
        (".NaN", ".NaN"),
        ("12345678901234567890123", "12345678901234567890123"),
        ("2024-01-01", "2024-01-01"),
        ("190:20:30", "190:20:30"),
        ("~user", "~user"),
        ("a  b # and a remark", "a  b"),
        ("8080 # and a remark", "8080"),
        ("'0755'", "0755"),
        ("\"1.10\"", "1.10"),
        ("'~'", "~"),
        ("a && b", "a && b"),
        ("2>&1", "2>&1"),
        ("'&& true'", "&& true"),
        ("&a1 x", "x"),
        ("'!'", "!"),
        ("!!str x", "x"),
        ("'null'", "null"),
        ("'it''s'", "it's"),
        ("\"a\\tb\\x41\"", "a\tbA"),
        ("!!str 1.10", "1.10"),
        ("!!int \"5\"", "5"),
        ("!!binary YWJj", "YWJj"),
        ("|\n    a\n     b\n", "a\n b\n"),
        (">-\n    a\n    b\n", "a b"),
        ("über", "über"),
    ] {
        let [process] = good(&format!("processes:\n- cmd: a\n  args:\n  - {written}\n  env:\n   X: {written}\n"))
            .try_into()
            .unwrap();
        assert_eq!((strings(&process.args), process.env[0].1.to_str()), (vec![taken], Some(taken)), "{written}");
        let [process] = good(&format!("processes:\n- cmd: {written}\n  name: x\n")).try_into().unwrap();
        assert_eq!(process.cmd, taken, "{written}");
    }
    for word in ["8080", "1.10", "0755", "yes", "1e3", "0x10", "2024-01-01", "~user", "pmux"] {
        assert_eq!(good(&format!("processes: [{{cmd: a, name: {word}}}]"))[0].name, word);
        assert_eq!(good(&format!("processes: [{{cmd: a, env: {{{word}: 1}}}}]"))[0].env[0].0, word);
    }
}

#[test]
fn nothing_is_the_default() {
    let empty = "processes:\n- cmd: a\n  args:\n  env:\n  dir:\n  minWait:\n  maxWait:\n  sigKillWait:\n  noRestartOn:\n  signals:\n";
    let zero = "timeFormat:\nprocesses:\n- {cmd: a, name: '', dir: '', minWait: 0, maxWait: 0s, sigKillWait: 0ms}";
    for yaml in ["processes: [{cmd: a}]", empty, zero] {
        let mut process = ProcessConfig::new("a");
        process.name = "a".to_owned();
        assert_eq!(good(yaml), [process], "{yaml}");
    }
    let [process] = good("processes:\n- cmd: a\n  env: {A: , B: ~, C: null, D: ''}").try_into().unwrap();
    assert!(process.env.iter().all(|(_, value)| value.is_empty()), "{process:?}");
    for yaml in ["timeFormat: ''\nprocesses: [{cmd: a}]", "processes: [{cmd: a}]"] {
        assert_eq!(parse(yaml.as_bytes()).unwrap().time_format, None);
    }
}

#[test]
fn a_duration_may_be_a_number_of_seconds() {
    let long = format!("0.{}s", "0".repeat(100));
    for (written, millis) in [
        ("10", 10_000),
        ("1.5", 1_500),
        (".5", 500),
        ("+2", 2_000),
        ("'10'", 10_000),
        ("007", 7_000),
        ("1d", 86_400_000),
        ("100000\u{B5}s", 100),
        // As 0: the default.
        (&long, 1_000),
    ] {
        let [process] = good(&format!("processes: [{{cmd: a, minWait: {written}}}]")).try_into().unwrap();
        assert_eq!(process.min_wait.as_millis(), millis, "{written}");
    }
}

#[test]
fn signals_are_a_list_or_one_word() {
    for (written, signals) in
        [("USR1", vec![Signal::USR1]), ("[hup]", vec![Signal::HUP]), ("1", vec![Signal::HUP]), ("[]", vec![])]
    {
        let set = good(&format!("processes: [{{cmd: a, signals: {written}}}]"))[0].signals;
        assert_eq!(set, Some(signals.into_iter().collect()), "{written}");
    }
}

/// A volume may come later.
#[test]
fn a_directory_needn_t_be_there_yet() {
    for dir in ["/no/where", "/dev/null", "~/x"] {
        let config =
            parse(format!("processes:\n- cmd: a\n  dir: {dir}\n- dir: /\n  name: b\n  cmd: a").as_bytes()).unwrap();
        assert_eq!(config.processes[0].dir.as_deref(), Some(Path::new(dir)));
        let shown = |places: &Places| [places.cmd, places.dir].map(|place| place.to_string());
        assert_eq!(config.places.iter().map(shown).collect::<Vec<_>>(), [["2:8", "3:8"], ["6:8", "4:8"]]);
    }
}

/// Each is a key that other programs have, and what is said of it.
#[test]
fn keys_of_other_programs_are_answered_with_ours() {
    for (key, expected) in [
        ("command", "it is called 'cmd' here"),
        ("Command", "it is called 'cmd' here"),
        ("entrypoint", "it is called 'cmd' here"),
        ("ExecStart", "it is called 'cmd' here"),
        ("cwd", "it is called 'dir' here"),
        ("working_dir", "it is called 'dir' here"),
        ("working_directory", "it is called 'dir' here"),
        ("WorkingDirectory", "it is called 'dir' here"),
        ("directory", "it is called 'dir' here"),
        ("environment", "it is called 'env' here"),
        ("arguments", "it is called 'args' here"),
        ("kill_timeout", "it is called 'sigKillWait' here"),
        ("stop_grace_period", "it is called 'sigKillWait' here"),
        ("stopwaitsecs", "it is called 'sigKillWait' here"),
        ("TimeoutStopSec", "it is called 'sigKillWait' here"),
        ("restart_delay", "it is called 'minWait' here"),
        ("RestartSec", "it is called 'minWait' here"),
        ("restart", "a process is started again after every end, but for those that 'noRestartOn' lists"),
        ("autorestart", "a process is started again after every end, but for those that 'noRestartOn' lists"),
        ("exitcodes", "a process is started again after every end, but for those that 'noRestartOn' lists"),
        ("process_name", "it is called 'name' here"),
        ("timestamps", "it is called 'timeFormat' here, and belongs at the top of the file"),
    ] {
        let message = told(format!("processes:\n- cmd: a\n  {key}: b\n").as_bytes());
        assert_eq!(message, format!("3:3: unknown key '{key}': {expected}"));
    }
    for (key, expected) in [
        ("services", "it is called 'processes' here"),
        ("apps", "it is called 'processes' here"),
        ("command", "it is called 'cmd' here, and belongs within a process"),
        ("cwd", "it is called 'dir' here, and belongs within a process"),
    ] {
        assert_eq!(told(format!("{key}: b\n").as_bytes()), format!("1:1: unknown key '{key}': {expected}"));
    }
    for (key, expected) in [
        ("user", "for another user write cmd: panicmon, and args: [--user, USER, --, PROGRAM]"),
        (
            "depends_on",
            "all processes are started at once: let the program wait for what it needs, or fail, and it is started again",
        ),
        ("stdout_logfile", "the output of all processes goes to stdout and stderr of panicmon: redirect those"),
        ("numprocs", "write the process once for each instance, each with a name of its own"),
        ("healthCheck", "panicmon doesn't probe processes: it starts them again when they end"),
    ] {
        let message = told(format!("processes:\n- cmd: a\n  {key}: b\n").as_bytes());
        assert_eq!(message, format!("3:3: unknown key '{key}': {expected}"));
    }
}

#[test]
fn a_process_without_a_name_goes_by_its_program() {
    for (cmd, name) in [("sleep", "sleep"), ("/usr/bin/sleep", "sleep"), ("./a b", "a b"), ("bin/", "bin"), ("/", "/")]
    {
        assert_eq!(good(&format!("processes: [{{cmd: {cmd}}}]"))[0].name, name);
    }
}

#[test]
fn the_least_wait_wins_over_a_most_that_was_not_given() {
    let [process] = good("processes: [{cmd: a, minWait: 2m}]").try_into().unwrap();
    assert_eq!((process.min_wait.as_secs(), process.max_wait.as_secs()), (120, 120));
}

#[test]
fn anchors_aliases_and_merges_work() {
    let yaml = "\
defaults: &defaults
  minWait: 2s
  env: &env {A: 1, B: 2}
x-more: {args: &args [0755]}
processes:
- <<: *defaults
  cmd: a
  minWait: 3s
  args: *args
- <<: [*defaults]
  cmd: b
  env:
    <<: *env
    B: 3
";
    let [a, b] = good(yaml).try_into().unwrap();
    assert_eq!((a.min_wait.as_secs(), b.min_wait.as_secs()), (3, 2));
    assert_eq!(strings(&a.args), ["0755"]);
    assert_eq!(a.env, [("A".into(), "1".into()), ("B".into(), "2".into())]);
    let mut env = b.env;
    env.sort();
    assert_eq!(env, [("A".into(), "1".into()), ("B".into(), "3".into())]);
}

#[test]
fn a_mark_before_the_text_and_other_line_ends_are_taken() {
    assert_eq!(strings(&good("\u{FEFF}processes:\n- cmd: a\n  args: [0755]\n")[0].args), ["0755"]);
    assert_eq!(
        strings(&good("---\r\nprocesses:\r\n- cmd: a\r\n  args: [1,\r\n    0755]\r\n...\r\n")[0].args),
        ["1", "0755"]
    );
}

#[test]
fn a_bad_top_is_told() {
    const NONE: &str = "there are no processes: write processes: and, below it, - cmd: PROGRAM";
    for (yaml, expected) in [
        ("", format!("1:1: {NONE}")),
        ("# nothing\n", format!("2:1: {NONE}")),
        ("---\n", format!("1:4: {NONE}")),
        ("timeFormat: '15:04'", format!("1:1: {NONE}")),
        ("foo", "1:1: the file begins with the word 'foo': write processes: above".to_owned()),
        ("- cmd: a", "1:1: the file begins with a list: write processes: above".to_owned()),
    ] {
        assert_eq!(told(yaml.as_bytes()), expected, "{yaml}");
    }
    for (yaml, expected) in [
        ("processes:", "1:10: 'processes' is empty: write - cmd: PROGRAM below it"),
        ("processes: []", "1:12: 'processes' is empty: write - cmd: PROGRAM below it"),
        ("processes: a", "1:12: the word 'a' is not for 'processes': write a list, with - cmd: PROGRAM for each"),
        (
            "processes:\n  cmd: a\n",
            "2:3: a map (key: value) is not for 'processes': write a list, with - cmd: PROGRAM for each",
        ),
        ("procesess: []", "1:1: unknown key 'procesess': did you mean 'processes'?"),
        ("proceses: &all\n- cmd: a", "1:1: unknown key 'proceses': did you mean 'processes'?"),
        (
            "other: # this & that\n- cmd: a",
            "1:1: unknown key 'other': at the top are timeFormat, processes, events, hook, hookOn, hookTimeout, report, reportKeep, terminationLog, metrics, stderrTail, stdoutTail, redact, reportArgs",
        ),
        ("time_format: x", "1:1: unknown key 'time_format': did you mean 'timeFormat'?"),
        ("cmd: a", "1:1: unknown key 'cmd': it belongs within a process"),
        (
            "'a &b': c",
            "1:1: unknown key 'a &b': at the top are timeFormat, processes, events, hook, hookOn, hookTimeout, report, reportKeep, terminationLog, metrics, stderrTail, stdoutTail, redact, reportArgs",
        ),
        (
            "user: a",
            "1:1: unknown key 'user': at the top are timeFormat, processes, events, hook, hookOn, hookTimeout, report, reportKeep, terminationLog, metrics, stderrTail, stdoutTail, redact, reportArgs",
        ),
        ("[a]: b", "1:1: a key is a word, not a list: quote it"),
        ("timeFormat: a\ntimeFormat: b", "2:1: the key 'timeFormat' is given twice, first on line 1: keep one of them"),
        ("timeFormat: [a]", "1:13: a list is not for 'timeFormat': write a text such as '15:04:05'"),
        (
            "timeFormat: \"a\\nb\"",
            "1:13: 'timeFormat' holds a control character, which would garble lines: 'a\\nb': leave it out",
        ),
    ] {
        assert_eq!(told(yaml.as_bytes()), expected, "{yaml}");
    }
}

/// Each is what follows `- ` of the one process, on line 2.
#[test]
fn a_bad_process_is_told() {
    for (yaml, expected) in [
        ("", "2:3: a process is keys with values, not nothing: write cmd: PROGRAM"),
        ("a", "2:3: a process is keys with values, not the word 'a': write cmd: PROGRAM"),
        ("[a]", "2:3: a process is keys with values, not a list: write cmd: PROGRAM"),
        ("args: [a]", "2:3: this process has no cmd: add cmd: PROGRAM"),
        ("cmd:", "2:6: 'cmd' is empty: write the program that is to be run"),
        ("cmd: ''", "2:8: 'cmd' is empty: write the program that is to be run"),
        ("cmd: ~", "2:8: ~ is YAML's null, in 'cmd': quote it: '~'"),
        ("cmd: null", "2:8: null is YAML's null, in 'cmd': quote it: 'null'"),
        ("cmd: [a]", "2:8: a list is not for 'cmd': write a program such as nginx"),
        ("cmd: \"a\\0\"", "2:8: 'cmd' holds a NUL character, which can't be passed to a program: leave it out"),
        ("cmd: \"a\\nb\"", "2:8: 'a\\nb' is no name, it holds a control character: add name: NAME"),
        ("cmd: a\n  cmd: b", "3:3: the key 'cmd' is given twice, first on line 2: keep one of them"),
        ("cmd: a\n  minwait: 1s", "3:3: unknown key 'minwait': did you mean 'minWait'?"),
        ("cmd: a\n  arg: [b]", "3:3: unknown key 'arg': did you mean 'args'?"),
        ("cmd: a\n  processes: []", "3:3: unknown key 'processes': it belongs at the top of the file"),
        (
            "cmd: a\n  colour: b",
            "3:3: unknown key 'colour': a process has name, cmd, args, env, dir, minWait, maxWait, stopSignal, sigKillWait, drain, noRestartOn, success, signals",
        ),
        (
            "cmd: a\n  \"a\\nb\": c",
            "3:3: unknown key 'a\\nb': a process has name, cmd, args, env, dir, minWait, maxWait, stopSignal, sigKillWait, drain, noRestartOn, success, signals",
        ),
        ("cmd: a\n  ? {b: c}\n  : d", "3:5: a key is a word, not a map (key: value): quote it"),
        ("cmd: a\n  name: [b]", "3:9: a list is not for 'name': write a text such as web"),
        ("cmd: a\n  name: ~", "3:9: ~ is YAML's null, in 'name': quote it: '~'"),
        ("cmd: a\n  name:", "3:7: there is no value here, in 'name': write '' for an empty text"),
        (
            "cmd: a\n  name: \"a\\tb\"",
            "3:9: 'name' holds a control character, which would garble lines: 'a\\tb': leave it out",
        ),
        ("cmd: a\n  args: b --c=d ", "3:9: the word 'b --c=d' is not for 'args': write a list: [b, --c=d]"),
        ("cmd: a\n  args: 8080", "3:9: the word '8080' is not for 'args': write a list: [8080]"),
        ("cmd: a\n  args: b 'c d'", "3:9: the word 'b 'c d'' is not for 'args': write a list such as [--port, 8080]"),
        ("cmd: a\n  args: ''", "3:9: nothing is not for 'args': write a list such as [--port, 8080]"),
        ("cmd: a\n  args: [>, &1 ]", "3:10: no word begins with '>': quote it"),
        ("cmd: a\n  args: ['>', &1 ]", "3:17: YAML takes '&1' for an anchor (&name), in 'args': quote it"),
        ("cmd: a\n  name: &x\n  args: [b]", "3:11: YAML takes '&x' for an anchor (&name), in 'name': quote it"),
        ("cmd: &x", "2:10: YAML takes '&x' for an anchor (&name), in 'cmd': quote it"),
        ("cmd: a\n  args: {b: c}", "3:9: a map (key: value) is not for 'args': write a list such as [--port, 8080]"),
        (
            "cmd: a\n  args: [b: c]",
            "3:10: a map (key: value) is not for 'args': write texts such as --port; quote what holds ': ', '[' or '{'",
        ),
        ("cmd: a\n  args:\n  -\n  - b", "4:4: there is no value here, in 'args': write '' for an empty text"),
        ("cmd: a\n  args: [b, ~]", "3:13: ~ is YAML's null, in 'args': quote it: '~'"),
        (
            "cmd: a\n  args: [b, \"\\0\"]",
            "3:13: 'args' holds a NUL character, which can't be passed to a program: leave it out",
        ),
        ("cmd: a\n  env: [A=1]", "3:8: a list is not for 'env': write names with values such as TZ: UTC"),
        ("cmd: a\n  env: {A: [1]}", "3:12: a list is not for 'A': write a text; quote what holds ': ', '[' or '{'"),
        ("cmd: a\n  env: {A=B: 1}", "3:9: the variable 'A=B' has a '=' in its name: write A: VALUE"),
        ("cmd: a\n  env: {'': 1}", "3:9: a variable without a name: write NAME: VALUE"),
        (
            "cmd: a\n  env: {\"A\\0\": 1}",
            "3:9: 'env' holds a NUL character, which can't be passed to a program: leave it out",
        ),
        (
            "cmd: a\n  env: {A: \"1\\0\"}",
            "3:12: 'A' holds a NUL character, which can't be passed to a program: leave it out",
        ),
        ("cmd: a\n  env:\n    A: 1\n    A: 2", "5:5: the key 'A' is given twice, first on line 4: keep one of them"),
        ("cmd: a\n  dir: ~", "3:8: ~ is YAML's null, in 'dir': quote it: '~'"),
        ("cmd: a\n  dir: {a: b}", "3:8: a map (key: value) is not for 'dir': write a path such as /srv/web"),
        (
            "cmd: a\n  dir: \"/\\0\"",
            "3:8: 'dir' holds a NUL character, which can't be passed to a program: leave it out",
        ),
        ("cmd: a\n  minWait: 5x", "3:12: 'minWait': '5x': 'x' is no unit: write 10s, 500ms, 1m30s, 1d"),
        ("cmd: a\n  minWait: 0x10", "3:12: 'minWait': '0x10': 'x' is no unit: write 10s, 500ms, 1m30s, 1d"),
        ("cmd: a\n  minWait: 1e3", "3:12: 'minWait': '1e3': 'e' is no unit: write 10s, 500ms, 1m30s, 1d"),
        ("cmd: a\n  minWait: 1_000", "3:12: 'minWait': '1_000': '_' is no unit: write 10s, 500ms, 1m30s, 1d"),
        ("cmd: a\n  minWait: .inf", "3:12: 'minWait': '.inf' is no duration: write 10s, 500ms, 1m30s"),
        ("cmd: a\n  minWait: true", "3:12: 'minWait': 'true' is no duration: write 10s, 500ms, 1m30s"),
        ("cmd: a\n  minWait: -5s", "3:12: 'minWait': '-5s' is negative"),
        ("cmd: a\n  maxWait: 9999h", "3:12: 'maxWait': '9999h' is more than a year"),
        ("cmd: a\n  sigKillWait: soon", "3:16: 'sigKillWait': 'soon' is no duration: write 10s, 500ms, 1m30s"),
        ("cmd: a\n  sigKillWait: [1s]", "3:16: a list is not for 'sigKillWait': write a duration such as 10s"),
        (
            "cmd: a\n  minWait: 3s\n  maxWait: 2s",
            "4:12: 'maxWait' of 2s is below 'minWait' of 3s: raise the one or lower the other",
        ),
        (
            "cmd: a\n  maxWait: 500ms",
            "3:12: 'maxWait' of 500ms is below 'minWait' of 1s, the default: raise the one or lower the other",
        ),
        (
            "cmd: a\n  stopSignal: CONT",
            "3:15: 'stopSignal': SIGCONT ends no process: write one that does, such as TERM",
        ),
        ("cmd: a\n  stopSignal: [TERM]", "3:15: a list is not for 'stopSignal': write a signal such as TERM"),
        (
            "cmd: a\n  drain: 10s",
            "3:10: the word '10s' is not for 'drain': write true or false (how long it takes at most is sigKillWait)",
        ),
        (
            "cmd: a\n  noRestartOn: [0, 256]",
            "3:20: 'noRestartOn': '256' is neither an exit code (0 to 255), a signal (TERM, SIGTERM), nor -1 (killed by a signal, or not started)",
        ),
        (
            "cmd: a\n  noRestartOn: [TREM]",
            "3:17: 'noRestartOn': 'TREM' is neither an exit code (0 to 255), a signal (TERM, SIGTERM), nor -1 (killed by a signal, or not started)",
        ),
        ("cmd: a\n  noRestartOn: 3", "3:16: the word '3' is not for 'noRestartOn': write a list such as [0, TERM]"),
        (
            "cmd: a\n  noRestartOn: [[3]]",
            "3:17: a list is not for 'noRestartOn': write exit codes and signals such as 0 or TERM",
        ),
        (
            "cmd: a\n  signals: [HUP, TREM]",
            "3:18: 'signals': 'TREM' is not a signal: write a name (TERM, SIGTERM), a number from 1 to 64, RTMIN+0 to RTMIN+30 or RTMAX-0 to RTMAX-30",
        ),
        (
            "cmd: a\n  signals: ~x",
            "3:12: 'signals': '~x' is not a signal: write a name (TERM, SIGTERM), a number from 1 to 64, RTMIN+0 to RTMIN+30 or RTMAX-0 to RTMAX-30",
        ),
        ("cmd: a\n  signals: USR1,HUP", "3:12: 'signals': 'USR1,HUP' is one word: write a list: [USR1, HUP]"),
        ("cmd: a\n  signals: USR1, hup", "3:12: 'signals': 'USR1, hup' is one word: write a list: [USR1, hup]"),
        ("cmd: a\n  signals: [KILL]", "3:13: 'signals': SIGKILL is never passed on: leave it out"),
        ("cmd: a\n  signals: 17", "3:12: 'signals': SIGCHLD is never passed on: leave it out"),
        (
            "cmd: a\n  signals: {a: b}",
            "3:12: a map (key: value) is not for 'signals': write a list such as [USR1, HUP]",
        ),
        ("cmd: a\n  signals: [[HUP]]", "3:13: a list is not for 'signals': write names of signals such as USR1"),
        ("cmd: a\n  signals: [~]", "3:13: ~ is YAML's null, in 'signals': quote it: '~'"),
    ] {
        assert_eq!(told(format!("processes:\n- {yaml}\n").as_bytes()), expected, "{yaml}");
    }
}

#[test]
fn two_processes_of_one_name_are_told() {
    for (yaml, expected) in [
        (
            "processes:\n- {cmd: a, name: x}\n- {cmd: b, name: x}",
            "3:18: a second process is called 'x', the first is on line 2: give it another name",
        ),
        (
            "processes:\n- cmd: a\n- cmd: b/a",
            "3:8: this process has no name and is called 'a', as that on line 2 is: give it a name",
        ),
        (
            "processes:\n- {cmd: a, name: b}\n- cmd: b",
            "3:8: this process has no name and is called 'b', as that on line 2 is: give it a name",
        ),
        (
            "x: &x {name: x}\nprocesses:\n- {<<: *x, cmd: a}\n- {<<: *x, cmd: b}",
            "4:8: a second process is called 'x', the first is on line 3: give it another name",
        ),
    ] {
        assert_eq!(told(yaml.as_bytes()), expected, "{yaml}");
    }
}

#[test]
fn what_is_no_yaml_is_told() {
    for (yaml, expected) in [
        ("processes:\n\t- cmd: a\n", "2:1: a tab: indent with spaces"),
        ("processes:\n- cmd: a\n  \targs: []\n", "3:3: a tab: indent with spaces"),
        ("processes:\n- cmd: a\n---\na: b\n", "4:1: a second document begins here: keep one to a file"),
        (
            "processes:\n- cmd: *a\n",
            "2:8: there is no anchor (&name) of this name above: add one, or quote a word that begins with '*'",
        ),
        (
            "processes:\n- cmd: &a [*a]\n",
            "2:12: an alias (*name) within its own anchor (&name): write out what is meant",
        ),
        (
            "processes:\n- cmd: sh\n  args: [-c, && true]\n",
            "3:14: YAML takes '&&' for an anchor (&name) of what follows: quote it, with what follows",
        ),
        (
            "processes:\n- cmd: sh\n  args:\n  - a\n  - && true\n",
            "5:5: YAML takes '&&' for an anchor (&name) of what follows: quote it, with what follows",
        ),
        (
            "processes:\n- cmd: sh\n  args:\n  - &>/dev/null\n",
            "4:5: YAML takes '&>/dev/null' for an anchor (&name) of what follows: quote it, with what follows",
        ),
        ("processes:\n- cmd: ! true\n", "2:8: YAML takes '!' for a tag of what follows: quote it, with what follows"),
        (
            "processes:\n- cmd: a\n  args:\n  - |\n  - b\n",
            "4:5: '|' and '>' begin a text on the lines below, and there is none: indent it, or quote the word",
        ),
        (
            "processes:\n- cmd: a\n  args:\n  - > file\n",
            "4:5: '|' and '>' begin a text on the lines below: quote a word that begins so",
        ),
        ("processes:\n- cmd: 'a' b\n", "2:12: more follows a closing quote: quote all of it"),
        ("processes:\n- cmd: \"a\" b\n", "2:12: more follows a closing quote: quote all of it"),
        ("processes:\n- cmd: *\n", "2:8: '*' and '&' are for aliases and anchors: quote this word"),
        (
            "processes:\n- <<: 5\n",
            "2:7: '<<' wants the alias of a map: write <<: *name, with name: &name and its keys above",
        ),
        (
            "processes:\n- cmd: !a b\n",
            "2:11: the tag '!a' has no meaning here: leave it out, or quote a word that begins with '!'",
        ),
        ("processes:\n- cmd: !!int b\n", "2:14: this isn't what its tag (!!...) says: leave the tag out"),
        ("processes:\n- cmd: @a\n", "2:8: no word begins with '@': quote it"),
        ("processes:\n- cmd: \u{1}\n", "2:8: the control character \\u{1}: take it out"),
        ("processes:\n- cmd: \"a\\q\"\n", "2:8: a backslash that means nothing here: double it, or use single quotes"),
        ("\"processes", "1:1: this quote is never closed: add the second one"),
        (
            "processes:\n- cmd: 'a\n- cmd: b\n",
            "3:1: a quote above is never closed: add the second one, or indent the text more than its key",
        ),
        ("processes: [\n", "1:12: this '[' is never closed: add its ']'"),
        ("processes: [{cmd: a]\n", "1:13: this '{' is closed by a ']': write '}'"),
        ("processes: ]\n", "1:12: this bracket closes nothing: take it out, or quote the word it is part of"),
        ("processes: {a: b\nfoo: x", "2:4: a ',' or '}' is missing here: add it"),
        (
            "processes:\n- cmd: a: b\n",
            "2:9: a ':' where no key can be: check the indentation, or quote the text it is in",
        ),
        (
            "processes:\n- cmd: a\n args: b\n",
            "3:2: this is no key: value of what is above: indent it as the others, or quote the text it is in",
        ),
        ("processes:\ncmd\n- a", "2:1: a key without its ':': write key: value"),
        ("processes:\n- cmd: a\n  args: [-, b]", "3:10: a '-' alone is no word here: quote it"),
        ("a: b\n]", "2:1: this bracket closes nothing: take it out, or quote the word it is part of"),
        (
            "%",
            "1:2: this is not YAML: while scanning a directive, could not find expected directive name: check indentation, quotes and brackets",
        ),
        ("processes:\n- cmd: a\0\n", "2:9: a NUL byte: this is no text file"),
    ] {
        assert_eq!(told(yaml.as_bytes()), expected, "{yaml}");
    }
    assert_eq!(told(b"a: b\n\xC3\xBC: \xFF\n"), "2:4: the byte 0xFF is not UTF-8: save the file in that encoding");
    assert_eq!(told(b"\xFF\xFEp\0"), "1:1: the byte 0xFF is not UTF-8: save the file in that encoding");
}

#[test]
fn a_file_that_asks_for_too_much_is_told() {
    let levels = "more than 32 levels, one within another: a file of processes needs five";
    // 20,000, and one for each four bytes of the file.
    let values = |text: &str| {
        let most = 20_000 + text.len() / 4;
        format!("more than {most} values, what aliases (*name) repeat included: make several files of it")
    };
    assert_eq!(told("[".repeat(100_000).as_bytes()), format!("1:33: {levels}"));
    assert_eq!(told("{".repeat(100_000).as_bytes()), format!("1:33: {levels}"));
    assert_eq!(told("- ".repeat(10_000).as_bytes()), format!("1:65: {levels}"));
    let mut deep = String::new();
    for level in 0..1_000 {
        deep.push_str(&format!("{}a:\n", " ".repeat(level)));
    }
    assert_eq!(told(deep.as_bytes()), format!("33:33: {levels}"));
    let many = format!("[{}]", "a,".repeat(60_000));
    let message = told(many.as_bytes());
    assert!(message.starts_with("1:1000") && message.ends_with(&values(&many)), "{message}");
    let mut laughs = "a0: &a0 [ha]\n".to_owned();
    for level in 1..10 {
        laughs.push_str(&format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(",")));
    }
    let message = told(laughs.as_bytes());
    assert!(message.ends_with(&values(&laughs)), "{message}");
    let long = format!("x: &x {}\nprocesses:\n- {{cmd: a, args: [{}]}}", "y".repeat(100_000), "*x,".repeat(1_000));
    let message = told(long.as_bytes());
    assert!(
        message.starts_with("3:")
            && message.ends_with("2 MiB of text, what aliases (*name) repeat included: make it shorter"),
        "{message}"
    );
}

/// As many as a file of the greatest size has room for.
#[test]
fn a_file_may_have_thousands_of_processes() {
    let process = |number: usize| format!("- {{name: p{number}, cmd: sleep, args: [1], noRestartOn: [0]}}\n");
    let text = format!("processes:\n{}", (0..15_000).map(process).collect::<String>());
    assert!(text.len() > MAX_FILE_BYTES * 2 / 3);
    assert_eq!(parse(text.as_bytes()).unwrap().processes.len(), 15_000);
}

/// Whatever is in the file: the message is a line that one can read.
#[test]
fn words_are_cut_for_the_message() {
    for yaml in
        ["KEY: 1", "processes: KEY", "processes: [{cmd: a, minWait: KEY}]", "processes: [{cmd: a, noRestartOn: [KEY]}]"]
    {
        for word in ["1".repeat(1_000), "\"\\n\\e[31m\"".to_owned()] {
            let message = told(yaml.replace("KEY", &word).as_bytes());
            assert!(message.len() < 300 && !message.contains(char::is_control), "{message}");
        }
    }
}

#[test]
fn the_time_format_is_checked_where_it_stands() {
    let message = told(b"processes: [{cmd: a}]\ntimeFormat: x");
    assert!(message.starts_with("2:13: 'timeFormat': ") && message.contains("'x'"), "{message}");
    assert!(parse(b"processes: [{cmd: a}]\ntimeFormat: ''").is_ok());
}

#[test]
fn files_are_read() {
    let dir = std::env::temp_dir().join(format!("panicmon-config-{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    let told = |path: &Path| read(path).unwrap_err().to_string();
    let shown = |path: &Path| path.to_str().unwrap().to_owned();

    let file = dir.join("good.yaml");
    fs::write(&file, EVERYTHING.replace("dir: /\n", &format!("dir: {}\n", dir.display()))).unwrap();
    assert_eq!(read(&file).unwrap().processes[0].dir.as_deref(), Some(&*dir));

    let file = dir.join("bad.yaml");
    fs::write(&file, "processes:\n- cmd: a\n  foo: b\n  bar: c\n").unwrap();
    assert!(told(&file).starts_with(&format!("{}:3:3: unknown key 'foo': ", shown(&file))));

    let odd = dir.join(OsStr::from_bytes(b"a\nb\xFF"));
    fs::write(&odd, "a").unwrap();
    assert!(told(&odd).contains("/a\\nb\u{FFFD}:1:1: the file begins with"), "{}", told(&odd));

    let large = dir.join("large.yaml");
    fs::write(&large, format!("processes: [{{cmd: a}}]\n{}", "#\n".repeat(MAX_FILE_BYTES / 2))).unwrap();
    assert_eq!(told(&large), format!("{}: more than 1 MiB: this is no file of processes", shown(&large)));
    fs::write(&large, format!("processes: [{{cmd: a}}]\n#{}", "x".repeat(MAX_FILE_BYTES - 24))).unwrap();
    assert!(read(&large).is_ok());

    assert_eq!(told(&dir), format!("{}: this is a directory: name a file in it", shown(&dir)));
    let missing = dir.join("missing.yaml");
    assert_eq!(told(&missing), format!("{}: there is no such file: check the path", shown(&missing)));
    assert_eq!(told(Path::new("/dev/zero")), "/dev/zero: more than 1 MiB: this is no file of processes");
    assert_eq!(
        told(Path::new("/dev/null")),
        "/dev/null:1:1: there are no processes: write processes: and, below it, - cmd: PROGRAM"
    );
    fs::remove_dir_all(&dir).unwrap();
}

/// Files that nobody would write: taken or told, on one line, with a place in them.
#[test]
fn no_bytes_make_it_fall() {
    let mut random = crate::model::test_random::Random::new(1);
    let mut below = |limit: usize| random.below(limit as u64) as usize;
    let pieces: [&[u8]; 24] = [
        b": ",
        b"- ",
        b"\n",
        b"\n  ",
        b"[",
        b"]",
        b"{",
        b"}",
        b", ",
        b"&a ",
        b"*a",
        b"<<: *a",
        b"!!int ",
        b"\"",
        b"'",
        b"|\n",
        b"#",
        b"? ",
        b"---\n",
        b"\t",
        b"\\",
        b"~",
        b"\xC3\xBC",
        b"\0",
    ];
    for round in 0..3_000 {
        let mut bytes = if round % 4 == 0 { Vec::new() } else { EVERYTHING.as_bytes().to_vec() };
        for _ in 0..=below(12) {
            let at = below(bytes.len() + 1);
            let end = (at + below(6)).min(bytes.len());
            match below(4) {
                0 => drop(bytes.splice(at..end, [below(256) as u8])),
                1 => drop(bytes.drain(at..end)),
                2 => drop(bytes.splice(at..at, EVERYTHING.as_bytes()[..below(EVERYTHING.len())].iter().copied())),
                _ => drop(bytes.splice(at..end, pieces[below(pieces.len())].iter().copied())),
            }
        }
        if let Err(Fault { line, column, message }) = parse(&bytes) {
            let text = String::from_utf8_lossy(&bytes);
            let lines = text.split(['\n', '\r']).count() as u64;
            assert!((1..=lines).contains(&line) && column >= 1, "{line}:{column}: {message}: {text:?}");
            assert!(!message.is_empty() && !message.contains(char::is_control), "{message}: {text:?}");
        }
    }
}

#[test]
fn what_is_to_be_reported_is_taken_letter_for_letter() {
    let file = "\
events: [stderr, 'unix:/run/a b']
hook:
  - ./notify --chat
  - sh -c 'cat >>log'
hookOn: exited
reportKeep: 007
reportArgs: yes
metrics:
redact: []
processes: [{cmd: a}]
";
    let reports = parse(file.as_bytes()).unwrap().reports;
    let reports: Vec<_> = reports.iter().map(|option| (option.key, option.values.join("|"))).collect();
    let expected = [
        ("events", "stderr|unix:/run/a b"),
        ("hook", "./notify --chat|sh -c 'cat >>log'"),
        ("hookOn", "exited"),
        ("reportKeep", "007"),
        ("reportArgs", "true"),
        ("metrics", ""),
        ("redact", ""),
    ];
    assert_eq!(reports, expected.map(|(key, values)| (key, values.to_owned())));
}

#[test]
fn a_report_that_is_written_otherwise_is_told() {
    for (line, expected) in [
        ("report: [a, b]", "1:9: a list is not for 'report': write a text such as /var/lib/web"),
        (
            "hook: {a: b}",
            "1:7: a map (key: value) is not for 'hook': write a text such as ./notify --chat, or a list of such",
        ),
        ("events: [stderr, [a]]", "1:18: a list is not for 'events': write a text such as stderr, or a list of such"),
        ("reportArgs: perhaps", "1:13: the word 'perhaps' is not for 'reportArgs': write true or false"),
        ("hooks: a", "1:1: unknown key 'hooks': did you mean 'hook'?"),
    ] {
        let error = super::parse(format!("{line}\nprocesses: [{{cmd: a}}]\n").as_bytes()).unwrap_err();
        assert_eq!(error.to_string().trim(), expected, "{line}");
    }
}
