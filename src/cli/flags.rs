//! The options: one entry a piece in [`FLAGS`], with all there is to say of it, and what it does to the settings.

use super::logger::Verbosity;
use super::{Request, Settings};
use crate::timestamp::Timestamp;
use crate::{NoRestartOn, Restart, Signal, SignalSet, duration};
use clap::builder::OsStringValueParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches};
use std::ffi::{CStr, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// One option. Its variable is `PANICMON_` and its long name in capitals.
struct Flag {
    long: &'static str,
    short: Option<char>,
    variable: &'static str,
    /// The name of its value and the words for it; none for a switch, which may be given several times.
    value: Option<&'static str>,
    /// Whether its value may begin with a hyphen.
    hyphen: bool,
    /// Where it has a meaning.
    scope: Scope,
    help: &'static str,
    /// What it does; the error says what is wrong with the value, and what is allowed.
    apply: fn(&mut Settings, &Given<'_>) -> Result<(), String>,
}

/// Where an option has a meaning.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Anywhere,
    /// For one command; a file has keys for it for each of its processes.
    Command,
    /// For one command that is started again.
    Restarts,
}

/// What was given for an option.
enum Given<'a> {
    Value(&'a OsStr),
    /// So many times.
    Switch(u8),
}

impl<'a> Given<'a> {
    /// The value; none for a switch.
    fn path(&self) -> &'a OsStr {
        match self {
            Given::Value(value) => value,
            Given::Switch(_) => OsStr::new(""),
        }
    }

    /// The same as text.
    fn text(&self) -> Result<&'a str, String> {
        let value = self.path();
        value.to_str().ok_or_else(|| format!("'{}' is not UTF-8", value.display()))
    }
}

/// Every option. To add one, add it here (and to the README's table, which a test compares).
const FLAGS: &[Flag] = &[
    Flag {
        long: "signals",
        short: Some('s'),
        variable: "PANICMON_SIGNALS",
        value: Some("LIST"),
        hyphen: false,
        scope: Scope::Anywhere,
        help: "Listen to and forward only these signals, e.g. TERM,HUP,RTMIN+3; the others keep the disposition they had (at a terminal, TSTP, TTIN, TTOU and CONT are needed in any case)",
        apply: |settings, given| {
            settings.signals = Some(signal_list(given.text()?)?);
            Ok(())
        },
    },
    Flag {
        long: "kill-after",
        short: Some('k'),
        variable: "PANICMON_KILL_AFTER",
        value: Some("DURATION"),
        hyphen: false,
        scope: Scope::Command,
        help: "Kill the command's process group if it is still there so long after the first TERM, INT, QUIT or HUP, e.g. 10s, 1m30s",
        apply: |settings, given| {
            settings.kill_after = Some(duration::parse(given.text()?)?);
            Ok(())
        },
    },
    Flag {
        long: "restart",
        short: None,
        variable: "PANICMON_RESTART",
        value: Some("WHEN"),
        hyphen: false,
        scope: Scope::Command,
        help: "Start the command again when it ends: never, on-failure or always. TERM, INT, QUIT or HUP end that, too",
        apply: |settings, given| {
            settings.restart = given.text()?.parse()?;
            Ok(())
        },
    },
    Flag {
        long: "min-wait",
        short: None,
        variable: "PANICMON_MIN_WAIT",
        value: Some("DURATION"),
        hyphen: false,
        scope: Scope::Restarts,
        help: "The least time between an end and the next start [default: 1s]; doubled after each quick failure",
        apply: |settings, given| {
            settings.min_wait = Some(duration::parse(given.text()?)?);
            Ok(())
        },
    },
    Flag {
        long: "max-wait",
        short: None,
        variable: "PANICMON_MAX_WAIT",
        value: Some("DURATION"),
        hyphen: false,
        scope: Scope::Restarts,
        help: "The most time between an end and the next start [default: 64s]",
        apply: |settings, given| {
            settings.max_wait = Some(duration::parse(given.text()?)?);
            Ok(())
        },
    },
    Flag {
        long: "no-restart-on",
        short: None,
        variable: "PANICMON_NO_RESTART_ON",
        value: Some("LIST"),
        hyphen: true,
        scope: Scope::Restarts,
        help: "Don't start it again after these: exit codes, signals, or -1 for any signal and for not started, e.g. 0,3,TERM",
        apply: |settings, given| {
            settings.no_restart_on = no_restart_list(given.text()?)?;
            Ok(())
        },
    },
    Flag {
        long: "max-restarts",
        short: None,
        variable: "PANICMON_MAX_RESTARTS",
        value: Some("N"),
        hyphen: false,
        scope: Scope::Restarts,
        help: "Start it again so many times at most",
        apply: |settings, given| {
            let word = given.text()?;
            let number = word.parse().map_err(|_| format!("'{word}' is not a number from 0 to {}", u32::MAX))?;
            settings.max_restarts = Some(number);
            Ok(())
        },
    },
    Flag {
        long: "label",
        short: None,
        variable: "PANICMON_LABEL",
        value: Some("NAME"),
        hyphen: false,
        scope: Scope::Command,
        help: "Relay the command's output line by line, each with this in front",
        apply: |settings, given| {
            let name = given.text()?;
            if name.contains(char::is_control) {
                return Err(format!("'{}' has a control character in it, which would tear lines", name.escape_debug()));
            }
            settings.label = Some(name.to_owned());
            Ok(())
        },
    },
    Flag {
        long: "timestamps",
        short: None,
        variable: "PANICMON_TIMESTAMPS",
        value: Some("FORMAT"),
        hyphen: false,
        scope: Scope::Command,
        help: "Relay the command's output line by line, each with the time in front: a layout of Go's (15:04:05.000) or of strftime (%H:%M:%S)",
        apply: |settings, given| {
            settings.timestamps = Some(Timestamp::parse(given.text()?)?);
            Ok(())
        },
    },
    Flag {
        long: "config",
        short: Some('c'),
        variable: "PANICMON_CONFIG",
        value: Some("FILE"),
        hyphen: false,
        scope: Scope::Anywhere,
        help: "Run the processes of this pmux file instead of a command",
        apply: |settings, given| {
            settings.config = Some(given.path().to_owned());
            Ok(())
        },
    },
    Flag {
        long: "check",
        short: None,
        variable: "PANICMON_CHECK",
        value: None,
        hyphen: false,
        scope: Scope::Anywhere,
        help: "Say whether the file of --config is good, and run nothing",
        apply: |settings, given| {
            settings.check = matches!(given, Given::Switch(1..));
            Ok(())
        },
    },
    Flag {
        long: "verbose",
        short: Some('v'),
        variable: "PANICMON_VERBOSE",
        value: None,
        hyphen: false,
        scope: Scope::Anywhere,
        help: "Log what happens to stderr: -v processes, -vv signals too, -vvv everything",
        apply: |settings, given| {
            if let Given::Switch(count) = given {
                settings.verbosity = Verbosity::from_count(*count);
            }
            Ok(())
        },
    },
    Flag {
        long: "quiet",
        short: Some('q'),
        variable: "PANICMON_QUIET",
        value: None,
        hyphen: false,
        scope: Scope::Anywhere,
        help: "Log nothing, not even warnings; errors that keep the command from running are still told",
        apply: |settings, given| {
            if matches!(given, Given::Switch(1..)) {
                settings.verbosity = Verbosity::Quiet;
            }
            Ok(())
        },
    },
];

const COMMAND: &str = "COMMAND";

const AFTER_HELP: &str = "\
Options end at the first word that is not one. The command line wins over the variables.
PANICMON_LOG filters the log as env_logger's RUST_LOG does.

Exit status: the command's own; 128+N if signal N ended it; 125 if panicmon itself fails or is called wrongly, 126 if
the command can't be executed, 127 if it isn't found.";

/// Reads the command line and the variables, without touching anything. The error is a message, without newline.
pub(super) fn parse(args: &[&'static CStr], env: &[&'static CStr]) -> Result<Request, String> {
    if let Some(command) = plain_command(args, env) {
        return Ok(Request::Run(Settings::default(), command));
    }
    let mut words = args.iter().map(|word| OsStr::from_bytes(word.to_bytes()).to_owned()).collect::<Vec<_>>();
    if words.is_empty() {
        words.push("panicmon".into());
    }
    let count = words.len();
    let matches = match command().try_get_matches_from(words) {
        Ok(matches) => matches,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return Ok(Request::Print(error.to_string()));
        }
        Err(error) => return Err(message(&error)),
    };
    let mut settings = Settings::default();
    // The command line has the last word, also where two options contradict each other.
    for flag in FLAGS {
        if matches.value_source(flag.long) != Some(ValueSource::CommandLine) {
            flag.apply_variable(&mut settings)?;
        }
    }
    for flag in FLAGS {
        flag.apply_words(&matches, &mut settings)?;
    }
    let command_words = matches.get_many::<OsString>(COMMAND).map_or(0, |words| words.len());
    let given = |long: &str| matches.value_source(long) == Some(ValueSource::CommandLine);
    settings.check_together(command_words > 0, given)?;
    Ok(match settings.config {
        Some(_) => Request::RunFile(settings),
        None => Request::Run(settings, count - command_words),
    })
}

impl Settings {
    /// Whether the options go together, by what was given on the command line; a variable that has no meaning there, as
    /// one of an image may, says nothing.
    fn check_together(&mut self, has_command: bool, given: impl Fn(&str) -> bool) -> Result<(), String> {
        if has_command && given("config") {
            return Err("--config: a COMMAND is given as well: it is one or the other".to_owned());
        }
        if has_command {
            self.config = None;
        }
        if self.config.is_none() {
            if given("check") {
                return Err("--check: it is for the file of a --config, and there is none".to_owned());
            }
            if !has_command {
                return Err(
                    "there is no COMMAND: panicmon [OPTIONS] [--] COMMAND [ARG]..., or --config FILE; --help tells more"
                        .to_owned(),
                );
            }
        } else if let Some(flag) = FLAGS.iter().find(|flag| flag.scope != Scope::Anywhere && given(flag.long)) {
            return Err(format!(
                "--{}: it is for one COMMAND; in a file each process has its own keys for that",
                flag.long
            ));
        }
        if self.restart == Restart::Never
            && let Some(flag) = FLAGS.iter().find(|flag| flag.scope == Scope::Restarts && given(flag.long))
        {
            return Err(format!("--{}: it says nothing without --restart on-failure or --restart always", flag.long));
        }
        if let (Some(least), Some(most)) = (self.min_wait, self.max_wait)
            && most < least
            && self.config.is_none()
            && self.restart != Restart::Never
        {
            match (given("min-wait"), given("max-wait")) {
                (true, true) => return Err(format!("--max-wait: {most:?} is less than --min-wait, {least:?}")),
                (false, false) => {
                    return Err(format!("PANICMON_MAX_WAIT: {most:?} is less than PANICMON_MIN_WAIT, {least:?}"));
                }
                // The command line wins over a variable.
                (true, false) => self.max_wait = Some(least),
                (false, true) => self.min_wait = Some(most),
            }
        }
        Ok(())
    }
}

/// Where the command begins, if there is no option and no variable: the usual case needs no parser, which would take a
/// quarter of the start-up.
fn plain_command(args: &[&CStr], env: &[&CStr]) -> Option<usize> {
    if env.iter().any(|entry| entry.to_bytes().starts_with(b"PANICMON_")) {
        return None;
    }
    let command = match args.get(1)?.to_bytes() {
        b"--" => 2,
        _ => 1,
    };
    let word = args.get(command)?.to_bytes();
    (command == 2 || !word.starts_with(b"-")).then_some(command)
}

impl Flag {
    fn arg(&self) -> Arg {
        let help = format!("{} [env: {}]", self.help, self.variable);
        let arg = Arg::new(self.long).long(self.long).short(self.short).help(help);
        match self.value {
            Some(name) => {
                arg.value_name(name).value_parser(OsStringValueParser::new()).allow_hyphen_values(self.hyphen)
            }
            None => arg.action(ArgAction::Count),
        }
    }

    fn apply_words(&self, matches: &ArgMatches, settings: &mut Settings) -> Result<(), String> {
        let name = format!("--{}", self.long);
        match self.value {
            None => match matches.get_count(self.long) {
                0 => Ok(()),
                count => (self.apply)(settings, &Given::Switch(count)),
            },
            Some(_) => match matches.get_one::<OsString>(self.long) {
                Some(value) => self.apply_value(&name, value, settings),
                None => Ok(()),
            },
        }
    }

    /// A variable that is empty says nothing: an image's variable is unset in this way.
    fn apply_variable(&self, settings: &mut Settings) -> Result<(), String> {
        let value = match std::env::var_os(self.variable) {
            Some(value) if !value.is_empty() => value,
            _ => return Ok(()),
        };
        if self.value.is_some() {
            return self.apply_value(self.variable, &value, settings);
        }
        let count = match value.to_str() {
            Some("false" | "no") => Ok(0),
            Some("true" | "yes") => Ok(1),
            text => text.and_then(|text| text.parse().ok()).ok_or_else(|| {
                format!("{}: '{}' is not a number from 0 to 255, true or false", self.variable, value.display())
            }),
        };
        (self.apply)(settings, &Given::Switch(count?))
    }

    fn apply_value(&self, name: &str, value: &OsStr, settings: &mut Settings) -> Result<(), String> {
        (self.apply)(settings, &Given::Value(value)).map_err(|why| format!("{name}: {why}"))
    }
}

fn command() -> clap::Command {
    clap::Command::new("panicmon")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Runs a command, forwards every signal to it, reaps what is orphaned, and ends as the command did")
        .override_usage("panicmon [OPTIONS] [--] COMMAND [ARG]...\n       panicmon [OPTIONS] --config FILE")
        .after_help(AFTER_HELP)
        .args(FLAGS.iter().map(Flag::arg))
        .arg(
            Arg::new(COMMAND)
                .value_names([COMMAND, "ARG"])
                .help("The command to run and its arguments")
                .value_parser(OsStringValueParser::new())
                .num_args(1..)
                .trailing_var_arg(true),
        )
}

/// clap's message, without its own prefix, its colours and its exit status.
fn message(error: &clap::Error) -> String {
    let text = error.to_string();
    text.strip_prefix("error: ").unwrap_or(&text).trim_end().to_owned()
}

fn signal_list(list: &str) -> Result<SignalSet, String> {
    let signals = list.split(',').map(|word| {
        let signal: Signal = word.parse().map_err(|error: crate::ParseSignalError| error.to_string())?;
        match signal {
            Signal::KILL | Signal::STOP => Err(format!("{signal} can't be listened to: the kernel keeps it to itself")),
            Signal::CHLD => Err(format!("{signal} can't be forwarded: it is how panicmon learns of its own children")),
            signal => Ok(signal),
        }
    });
    signals.collect()
}

fn no_restart_list(list: &str) -> Result<Vec<NoRestartOn>, String> {
    list.split(',').map(|word| word.parse().map_err(|error: crate::ParseNoRestartOnError| error.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&'static str]) -> Vec<&'static CStr> {
        let leak = |word: &str| &*Box::leak(std::ffi::CString::new(word).unwrap().into_boxed_c_str());
        ["panicmon"].iter().chain(words).map(|word| leak(word)).collect()
    }

    fn parsed(line: &[&'static str]) -> Result<Request, String> {
        parse(&words(line), &[])
    }

    /// The parser alone, as with a variable that says nothing.
    fn parsed_by_clap(line: &[&'static str]) -> Result<Request, String> {
        parse(&words(line), &[c"PANICMON_NOTHING="])
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
            assert_eq!(parsed(line), Ok(Request::Run(Settings::default(), command)), "{line:?}");
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
            assert!(matches!(parsed(line), Ok(Request::Run(settings, _)) if settings == expected), "{line:?}");
        }
    }

    #[test]
    fn a_file_is_instead_of_a_command() {
        assert!(matches!(parsed(&["-c", "f.yml"]), Ok(Request::RunFile(settings)) if !settings.check));
        assert!(matches!(parsed(&["--check", "--config=f.yml"]), Ok(Request::RunFile(settings)) if settings.check));
    }

    #[test]
    fn restarts_are_as_the_options_say() {
        let line =
            ["--restart", "on-failure", "--no-restart-on", "-1,3,TERM", "--max-restarts=4", "--max-wait=2m", "x"];
        let Ok(Request::Run(settings, 7)) = parsed(&line) else { panic!("{:?}", parsed(&line)) };
        assert_eq!(settings.restart, Restart::OnFailure);
        assert_eq!(
            settings.no_restart_on,
            [NoRestartOn::NoCode, NoRestartOn::Code(3), NoRestartOn::Signal(Signal::TERM)]
        );
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
            (&["-s"], "--signals <LIST>"),
            (&["--signal", "TERM", "x"], "--signals"),
            (&["-x", "y"], "'-x'"),
            (&["-s", "HUP", "-s", "TERM", "x"], "--signals"),
            (&["--restart", "sometimes", "x"], "--restart: 'sometimes' is none of never, on-failure and always"),
            (&["--min-wait", "5", "--restart", "always", "x"], "--min-wait: '5' has no unit: write 5s"),
            (&["--min-wait", "5s", "x"], "--min-wait: it says nothing without --restart"),
            (
                &["--restart=always", "--min-wait=5s", "--max-wait=1s", "x"],
                "--max-wait: 1s is less than --min-wait, 5s",
            ),
            (&["--restart=always", "--no-restart-on=1,256", "x"], "--no-restart-on: '256' is neither an exit code"),
            (&["--restart=always", "--max-restarts=-1", "x"], "--max-restarts: '-1' is not a number"),
            (&["-k", "soon", "x"], "--kill-after: 'soon' is no duration"),
            (&["--label", "a\nb", "x"], "--label: 'a\\nb' has a control character"),
            (&["--timestamps", "when", "x"], "--timestamps: "),
            (&["-c", "f.yml", "x"], "--config: a COMMAND is given as well"),
            (&["-c", "f.yml", "--label", "x"], "--label: it is for one COMMAND"),
            (&["--check", "x"], "--check: it is for the file of a --config"),
        ] {
            let message = parsed(line).unwrap_err();
            assert!(message.contains(told), "{line:?}: {message}");
        }
    }

    #[test]
    fn help_names_every_option_and_its_variable() {
        let Ok(Request::Print(help)) = parsed(&["--help"]) else { panic!("no help") };
        for flag in FLAGS {
            assert!(help.contains(&format!("--{}", flag.long)) && help.contains(flag.variable), "{help}");
            assert_eq!(flag.variable, format!("PANICMON_{}", flag.long.to_uppercase().replace('-', "_")));
        }
    }

    #[test]
    fn the_readme_has_a_line_for_every_option() {
        let readme = include_str!("../../README.md");
        for flag in FLAGS {
            let short = flag.short.map(|short| format!("-{short}, ")).unwrap_or_default();
            let cell = format!("| `{short}--{}", flag.long);
            let line = readme.lines().find(|line| line.contains(&cell));
            assert!(
                line.is_some_and(|line| line.contains(flag.variable)),
                "README.md has no line with {cell} and {}",
                flag.variable
            );
        }
    }

    #[test]
    fn the_table_is_one_clap_accepts() {
        command().debug_assert();
    }
}
