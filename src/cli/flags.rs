//! The options: one entry a piece in [`FLAGS`], with all there is to say of it, and what it does to the settings.

use super::logger::Verbosity;
use super::{Request, Settings};
use crate::{Signal, SignalSet};
use clap::builder::OsStringValueParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches};
use std::ffi::{CStr, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// One option. Its variable is `PANICMON_` and its long name in capitals.
struct Flag {
    long: &'static str,
    short: char,
    variable: &'static str,
    /// The name of its value and the words for it; none for a switch, which may be given several times.
    value: Option<&'static str>,
    help: &'static str,
    /// What it does; the error says what is wrong with the value, and what is allowed.
    apply: fn(&mut Settings, &Given<'_>) -> Result<(), String>,
}

/// What was given for an option.
enum Given<'a> {
    Value(&'a str),
    /// So many times.
    Switch(u8),
}

/// Every option. To add one, add it here (and to the README's table, which a test compares).
const FLAGS: &[Flag] = &[
    Flag {
        long: "signals",
        short: 's',
        variable: "PANICMON_SIGNALS",
        value: Some("LIST"),
        help: "Listen to and forward only these signals, e.g. TERM,HUP,RTMIN+3; the others keep the disposition they had (at a terminal, TSTP, TTIN, TTOU and CONT are needed in any case)",
        apply: |settings, given| {
            if let Given::Value(list) = given {
                settings.signals = Some(signal_list(list)?);
            }
            Ok(())
        },
    },
    Flag {
        long: "verbose",
        short: 'v',
        variable: "PANICMON_VERBOSE",
        value: None,
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
        short: 'q',
        variable: "PANICMON_QUIET",
        value: None,
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
    Ok(Request::Run(settings, count - command_words))
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
            Some(name) => arg.value_name(name).value_parser(OsStringValueParser::new()),
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
        let wrong = |why: &str| format!("{name}: {why}");
        let text = value.to_str().ok_or_else(|| wrong(&format!("'{}' is not UTF-8", value.display())))?;
        (self.apply)(settings, &Given::Value(text)).map_err(|why| wrong(&why))
    }
}

fn command() -> clap::Command {
    clap::Command::new("panicmon")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Runs a command, forwards every signal to it, reaps what is orphaned, and ends as the command did")
        .override_usage("panicmon [OPTIONS] [--] COMMAND [ARG]...")
        .after_help(AFTER_HELP)
        .args(FLAGS.iter().map(Flag::arg))
        .arg(
            Arg::new(COMMAND)
                .value_names([COMMAND, "ARG"])
                .help("The command to run and its arguments")
                .value_parser(OsStringValueParser::new())
                .num_args(1..)
                .trailing_var_arg(true)
                .required(true),
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
            let cell = format!("`-{}, --{}", flag.short, flag.long);
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
