use super::flags::FLAGS;
use super::help::EXAMPLES;
use super::parse::{Request, parse};
use super::settings::Settings;
use super::text_flags::{Shell, Text};
use super::words::command;
use crate::model::process_config::{NoRestartOn, Restart};
use crate::model::signal::{Signal, SignalSet};
use std::ffi::CStr;

fn words(words: &[&'static str]) -> Vec<&'static CStr> {
    let leak = |word: &str| &*Box::leak(std::ffi::CString::new(word).unwrap().into_boxed_c_str());
    ["panicmon"].iter().chain(words).map(|word| leak(word)).collect()
}

fn parsed(line: &[&'static str]) -> Result<Request, String> {
    parse(None, &words(line), &[])
}

/// The parser alone, as with a variable that says nothing.
fn parsed_by_clap(line: &[&'static str]) -> Result<Request, String> {
    parse(None, &words(line), &[c"PANICMON_NOTHING="])
}

#[test]
fn options_end_at_the_first_word_that_is_none() {
    for (line, command) in [
        (&["sh", "-c", "echo -v"] as &[_], 1),
        (&["--", "sh"], 2),
        (&["--", "--", "sh"], 2),
        (&["--", "-v"], 2),
        (&["sh", "--", "-v"], 1),
        (&["sh", "--help"], 1),
        (&["sh", "-s", "--", "--"], 1),
        (&["", "x"], 1),
    ] {
        assert_eq!(parsed(line), Ok(Request::Run(Box::default(), command)), "{line:?}");
        assert_eq!(parsed_by_clap(line), parsed(line), "the short way is the same as the long one: {line:?}");
    }
    for (line, command) in
        [(&["-v", "sh", "-v"] as &[_], 2), (&["-vq", "--", "sh"], 3), (&["-s", "HUP", "-v", "a", "--", "b"], 4)]
    {
        assert!(matches!(parsed(line), Ok(Request::Run(_, at)) if at == command), "{line:?}");
    }
}

#[test]
fn signals_are_read_as_a_list() {
    let set = SignalSet::from_iter([Signal::TERM, Signal::HUP]);
    for line in [&["-s", "TERM,hup", "x"] as &[_], &["-sSIGTERM,1", "x"], &["--signals=15,1", "x"]] {
        let expected = Settings { signals: Some(set), ..Settings::default() };
        assert!(matches!(parsed(line), Ok(Request::Run(settings, _)) if *settings == expected), "{line:?}");
    }
}

#[test]
fn a_file_is_instead_of_a_command() {
    assert!(matches!(parsed(&["-c", "f.yml"]), Ok(Request::RunFile(settings)) if !settings.check));
    assert!(matches!(parsed(&["--check", "--config=f.yml"]), Ok(Request::RunFile(settings)) if settings.check));
}

#[test]
fn restarts_are_as_the_options_say() {
    let line = ["--restart", "on-failure", "--no-restart-on", "-1,3,TERM", "--max-restarts=4", "--max-wait=2m", "x"];
    let Ok(Request::Run(settings, 7)) = parsed(&line) else { panic!("{:?}", parsed(&line)) };
    assert_eq!(settings.restart(), Restart::OnFailure);
    assert_eq!(settings.no_restart_on, [NoRestartOn::NoCode, NoRestartOn::Code(3), NoRestartOn::Signal(Signal::TERM)]);
    assert_eq!((settings.max_restarts, settings.max_wait), (Some(4), Some(std::time::Duration::from_secs(120))));
}

#[test]
fn what_is_wrong_is_named() {
    for (line, told) in [
        (&[] as &[_], "COMMAND"),
        (&["-v"], "COMMAND"),
        (&["--"], "COMMAND"),
        (&["-s", "TREM", "x"], "--signals: 'TREM' is not a signal: write a name"),
        (&["-s", "", "x"], "--signals: '' is not a signal"),
        (&["-s", "TERM,", "x"], "--signals: '' is not a signal"),
        (&["-s", "KILL", "x"], "--signals: SIGKILL can't be listened to"),
        (&["-s", "CHLD", "x"], "--signals: SIGCHLD can't be forwarded"),
        (&["-s"], "--signals: its LIST is missing"),
        (&["--signal", "TERM", "x"], "--signals"),
        (&["-x", "y"], "no option -x"),
        (&["-s", "HUP", "-s", "TERM", "x"], "--signals"),
        (&["--restart", "sometimes", "x"], "--restart: 'sometimes' is none of never, on-failure and always"),
        (&["--min-wait", "5x", "--restart", "always", "x"], "--min-wait: '5x': 'x' is no unit"),
        (&["--min-wait", "5s", "x"], "--min-wait: it has no effect without --restart"),
        (&["--restart=always", "--min-wait=90", "--max-wait=1s", "x"], "--max-wait: 1s is less than --min-wait, 1m30s"),
        (&["--restart=always", "--no-restart-on=1,256", "x"], "--no-restart-on: '256' is neither an exit code"),
        (&["--restart=always", "--max-restarts=-1", "x"], "--max-restarts: '-1' is not a number"),
        (&["-k", "soon", "x"], "--kill-after: 'soon' is no duration"),
        (&["--label", "a\nb", "x"], "--label: 'a\\nb' has a control character"),
        (&["--timestamps", "when", "x"], "--timestamps: "),
        (&["-c", "f.yml", "x"], "--config: a COMMAND is given as well"),
        (&["-c", "f.yml", "--label", "x"], "--label: it is for one COMMAND"),
        (&["--stop-signals=TERM,CHLD", "x"], "--stop-signals: SIGCHLD can't be forwarded"),
        (&["--stop-signals=TERM,KILL", "x"], "--stop-signals: SIGKILL can't be listened to"),
        (&["-s", "HUP", "--stop-signals=TERM", "x"], "--stop-signals: SIGTERM isn't listened to"),
        (&["-s", "USR1", "-k", "3", "x"], "--kill-after: no stop signal is listened to: add TERM to --signals"),
        (&["-r", "uncaught=HUP", "x"], "--rewrite: signals that the command doesn't catch can only be dropped"),
        (&["--check", "x"], "--check: it is for the file of a --config"),
    ] {
        let message = parsed(line).unwrap_err();
        assert!(message.contains(told), "{line:?}: {message}");
    }
}

#[test]
fn each_text_is_asked_for_by_its_option() {
    for (line, text) in [
        (&["-h"] as &[_], Text::Screen),
        (&["-vh", "x"], Text::Screen),
        (&["--help"], Text::Help),
        (&["-v", "--help", "--no-such-option"], Text::Help),
        // The first one counts.
        (&["-h", "sh", "--help"], Text::Screen),
        (&["-vh", "--help"], Text::Screen),
        (&["--help", "-h"], Text::Help),
        (&["-C", "h", "-uh", "--help"], Text::Help),
        (&["--version"], Text::Version),
        (&["-V"], Text::Version),
        (&["--man"], Text::Manual),
        (&["--completions", "zsh"], Text::Completions(Shell::Zsh)),
        (&["--completions=fish", "x"], Text::Completions(Shell::Fish)),
    ] {
        assert_eq!(parse(None, &words(line), &[c"PANICMON_SIGNALS=no signal"]), Ok(Request::Print(text)), "{line:?}");
    }
}

#[test]
fn each_option_has_a_variable_of_its_name() {
    for flag in FLAGS {
        assert_eq!(flag.variable, format!("PANICMON_{}", flag.long.to_uppercase().replace('-', "_")));
    }
}

#[test]
fn what_is_advised_is_right() {
    for (line, told) in [
        (&["--foo", "x"] as &[_], "there is no option --foo; --help lists all"),
        (&["--restrat", "always", "x"], "there is no option --restrat: did you mean --restart?"),
        (&["--kill_after=3", "x"], "there is no option --kill_after: did you mean --kill-after?"),
        (&["--parent", "x"], "there is no option --parent: did you mean --parent-death-signal?"),
        (&["--st", "x"], "there is no option --st; --help lists all"),
        (&["--he"], "there is no option --he: did you mean --help?"),
        (&["--hel"], "there is no option --hel: did you mean --help?"),
        (&["--q", "x"], "there is no option --q: did you mean --quiet?"),
        (&["--v", "x"], "there is no option --v; --help lists all"),
        (&["-p", "x"], "there is no option -p; --help lists all"),
        (&["--std", "x"], "there is no option --std: did you mean one of --stderr-tail, --stdout-tail?"),
        (&["--hlep"], "there is no option --hlep: did you mean --help?"),
        (&["--versoin"], "there is no option --versoin: did you mean --version?"),
        (&["-doctor"], "there is no option -d: did you mean --doctor?"),
        (&["-x", "y"], "there is no option -x; --help lists all"),
        (&["-vx", "y"], "there is no option -x; --help lists all"),
        (&["-g=1", "y"], "there is no option -=; --help lists all"),
        (&["-k", "-5s", "x"], "there is no option -5: a value that begins with a hyphen goes after '=': --option=-5"),
        (&["-k"], "--kill-after: its DURATION is missing; --help tells more"),
        (&["--completions"], "--completions: its SHELL is missing; --help tells more"),
        (&["--completions", "tcsh"], "--completions: 'tcsh' is none of bash, zsh and fish"),
        (&["-s", "HUP", "-s", "TERM", "x"], "--signals: it is given twice: keep one"),
        (&["--group=yes", "x"], "--group: 'yes' is too much: it takes no value"),
        (&["--a\nb", "x"], "there is no option --a\\nb; --help lists all"),
    ] {
        assert_eq!(parsed(line), Err(told.to_owned()), "{line:?}");
    }
}

#[test]
fn the_examples_of_the_help_are_good() {
    for (line, _) in EXAMPLES {
        let line: Vec<_> = line.split(' ').skip(1).collect();
        assert!(matches!(parsed(&line), Ok(Request::Run(_, _))), "{line:?}");
    }
}

#[test]
fn the_readme_has_a_line_for_every_option_in_the_words_of_the_help() {
    let readme = include_str!("../../../README.md");
    for flag in FLAGS {
        let short = flag.short.map(|short| format!("-{short}, ")).unwrap_or_default();
        let value = flag.value.map(|value| format!(" {value}")).unwrap_or_default();
        let start = format!("| `{short}--{}{value}` | `{}` | ", flag.long, flag.variable);
        let line = readme.lines().find_map(|line| line.strip_prefix(&start));
        let words = line.unwrap_or_else(|| panic!("README.md has no line with {start}")).trim_end_matches(" |");
        // A link to more stands at the end.
        let words = words.split(" ([").next().unwrap_or_default().replace('`', "");
        let first = flag.help.chars().next().unwrap_or_default().to_lowercase();
        assert_eq!(words, format!("{first}{}", &flag.help[1..]), "--{}", flag.long);
    }
}

#[test]
fn a_switch_given_twice_is_on() {
    let Ok(Request::Run(settings, _)) = parsed(&["-g", "--group", "--group", "x"]) else { panic!("not run") };
    assert!(settings.group);
}

#[test]
fn the_table_is_one_clap_accepts() {
    command().debug_assert();
}
