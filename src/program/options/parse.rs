//! Words and variables to settings, by the table of the options, without touching anything.

use crate::model::process_config::Restart;
use crate::model::signal::Signal;
use crate::policy::stop::Stops;
use crate::program::options::flags::{FLAGS, Flag, Given, Often, Scope};
use crate::program::options::variables;
use crate::program::{Request, Settings};
use clap::builder::OsStringValueParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, ValueHint};
use std::ffi::{CStr, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// The name of the words that are no options.
const COMMAND: &str = "COMMAND";

/// Why an option doesn't go with --config, and what to write in the file instead.
fn for_one_command(flag: &Flag) -> String {
    let instead = match flag.long {
        "dir" => "its key is 'dir'",
        "env" => "its key is 'env'",
        "kill-after" => "its key is 'sigKillWait'",
        "label" => "its key is 'name'",
        "drain" => "its key is 'drain: true'",
        "min-wait" => "its key is 'minWait'",
        "max-wait" => "its key is 'maxWait'",
        "no-restart-on" => "its key is 'noRestartOn'",
        "restart" => "which are started again after every end, but for those that 'noRestartOn' lists",
        "timestamps" => "its key is 'timeFormat'",
        _ => "no key does the same",
    };
    format!("it is for one COMMAND, not for the processes of a file ({instead})")
}

const AFTER_HELP: &str = "\
Options end at the first word that is not one. The command line wins over the variables.
PANICMON_LOG filters the log as env_logger's RUST_LOG does.

Exit status: the command's own; 128+N if signal N ended it; 125 if panicmon itself fails or is called wrongly, 126 if
the command can't be executed, 127 if it isn't found.";

/// Reads the command line and the variables, without touching anything. The error is a message, without newline.
pub(crate) fn parse(args: &[&'static CStr], env: &[&'static CStr]) -> Result<Request, String> {
    match plain_command(args, env) {
        Some(command) => Ok(Request::Run(Settings::default(), command)),
        None => parse_options(args, env),
    }
}

#[cold]
fn parse_options(args: &[&'static CStr], env: &[&'static CStr]) -> Result<Request, String> {
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
    let command_words = matches.get_many::<OsString>(COMMAND).map_or(0, |words| words.len());
    let has_command = command_words > 0;
    let given = |long: &str| matches.value_source(long) == Some(ValueSource::CommandLine);
    let mut settings = Settings::default();
    // The command line has the last word, also where two options contradict each other.
    settings.apply_variables(env, has_command, given)?;
    for flag in FLAGS {
        flag.apply_words(&matches, &mut settings)?;
    }
    settings.check_together(has_command, given)?;
    settings.forget_meaningless_variables();
    if !settings.doctor && !settings.check {
        settings.slips = variables::slips(env);
    }
    Ok(match settings.config {
        Some(_) => Request::RunFile(settings),
        None => Request::Run(settings, count - command_words),
    })
}

impl Settings {
    /// Applies the variables of the options that the command line doesn't give.
    fn apply_variables(
        &mut self,
        env: &[&'static CStr],
        has_command: bool,
        given: impl Fn(&str) -> bool,
    ) -> Result<(), String> {
        // Both say how much is logged.
        let logs = given("verbose") || given("quiet");
        let is_superseded = |flag: &Flag| given(flag.long) || logs && matches!(flag.long, "verbose" | "quiet");
        let flags = FLAGS.iter().filter(|flag| !is_superseded(flag));
        let values: Vec<_> = flags.filter_map(|flag| Some((flag, variables::value(env, flag.variable)?))).collect();

        // Where nothing is run, no variable of a run is looked at: --doctor is to tell whatever is wrong with them.
        let tells = |flag: &Flag| matches!(flag.long, "doctor" | "check");
        let mut only_tells = given("doctor") || given("check");
        if !only_tells {
            for (flag, value) in values.iter().filter(|(flag, _)| tells(flag)) {
                self.apply_variable(flag, value)?;
            }
            only_tells = self.doctor || self.check && !has_command;
        }
        let names_file = |flag: &Flag| flag.long == "config" && !has_command;
        let of_file = given("config") || values.iter().any(|(flag, _)| names_file(flag));
        let is_read = |flag: &Flag| if only_tells { names_file(flag) } else { !tells(flag) };
        for (flag, value) in values.iter().filter(|(flag, _)| is_read(flag)) {
            if of_file && flag.scope.is_one_command() {
                // A switch that is off asks for nothing.
                if flag.value.is_none() && flag.switch(value) == Ok(0) {
                    continue;
                }
                return Err(format!("{}: {}; unset it", flag.variable, for_one_command(flag)));
            }
            self.apply_variable(flag, value)?;
        }
        Ok(())
    }

    fn apply_variable(&mut self, flag: &Flag, value: &OsStr) -> Result<(), String> {
        self.variables.push(flag.variable);
        flag.apply_variable(value, self)
    }

    /// Those that were applied stay; the others are for another panicmon, perhaps, and are the command's.
    fn forget_meaningless_variables(&mut self) {
        let (of_file, restarts) = (self.config.is_some(), self.restart() != Restart::Never);
        let has_meaning = |scope| match scope {
            Scope::Anywhere => true,
            Scope::Command => !of_file,
            Scope::Restarts => !of_file && restarts,
            Scope::File => of_file,
        };
        let scope_of = |variable| FLAGS.iter().find(|flag| flag.variable == variable).map(|flag| flag.scope);
        self.variables.retain(|variable| scope_of(*variable).is_some_and(has_meaning));
    }

    /// Whether the options go together, by what was given on the command line; a variable that has no meaning there, as
    /// one of an image may, says nothing.
    fn check_together(&mut self, has_command: bool, given: impl Fn(&str) -> bool) -> Result<(), String> {
        // Whatever else is said: nothing is run.
        if self.doctor {
            return Ok(());
        }
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
        } else if let Some(flag) = FLAGS.iter().find(|flag| flag.scope.is_one_command() && given(flag.long)) {
            return Err(format!("--{}: {}", flag.long, for_one_command(flag)));
        }
        if let Some(listened) = self.signals {
            let unheard = |(from, _): &&(Signal, _)| !listened.contains(*from);
            if let Some((from, _)) = self.rewrites.iter().find(unheard).filter(|_| given("rewrite")) {
                return Err(format!("--rewrite: {from} isn't listened to: add it to {}", self.name_of("signals")));
            }
            let unheard = |(signal, _): &&(Signal, _)| !listened.contains(*signal);
            if let Some((signal, _)) = self.delays.iter().find(unheard).filter(|_| given("delay")) {
                return Err(format!("--delay: {signal} isn't listened to: add it to {}", self.name_of("signals")));
            }
            let unheard = self.stop_signals.and_then(|stop| stop.difference(listened).iter().next());
            // For a file, they are listened to in any case.
            if let Some(signal) = unheard.filter(|_| self.config.is_none() && given("stop-signals")) {
                return Err(format!(
                    "--stop-signals: {signal} isn't listened to: add it to {}",
                    self.name_of("signals")
                ));
            }
            // A HUP may be a hang-up, which is one in any case.
            let stops = self.stop_signals.unwrap_or(Stops::DEFAULT).with(Signal::HUP);
            if stops.difference(listened) == stops && given("kill-after") {
                return Err(format!(
                    "--kill-after: no stop signal is listened to: add TERM to {}, or say --stop-signals",
                    self.name_of("signals")
                ));
            }
        }
        let is_dropped = |(signal, _): &&(Signal, _)| self.rewrites.contains(&(*signal, None));
        if let Some((signal, _)) = self.delays.iter().find(is_dropped).filter(|_| given("delay")) {
            return Err(format!("--delay: {signal} isn't forwarded at all: {} drops it", self.name_of("rewrite")));
        }
        if self.restart() == Restart::Never
            && let Some(flag) = FLAGS.iter().find(|flag| flag.scope == Scope::Restarts && given(flag.long))
        {
            return Err(format!("--{}: it says nothing without --restart on-failure or --restart always", flag.long));
        }
        if let (Some(least), Some(most)) = (self.min_wait, self.max_wait)
            && most < least
            && self.config.is_none()
            && self.restart() != Restart::Never
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
        let arg = Arg::new(self.long).long(self.long).short(self.short).help(help).help_heading(self.heading);
        let arg = match self.value {
            Some(name) => arg
                .value_name(name)
                .value_parser(OsStringValueParser::new())
                .value_hint(self.hint)
                .allow_hyphen_values(self.hyphen),
            None => arg,
        };
        arg.action(match (self.value, self.often) {
            (None, _) | (_, Often::Counted) => ArgAction::Count,
            (Some(_), Often::Once) => ArgAction::Set,
            (Some(_), Often::List | Often::Lines) => ArgAction::Append,
        })
    }

    fn apply_words(&self, matches: &ArgMatches, settings: &mut Settings) -> Result<(), String> {
        let name = format!("--{}", self.long);
        match self.value {
            None => match matches.get_count(self.long) {
                0 => Ok(()),
                count => (self.apply)(settings, &Given::Switch(count)),
            },
            Some(_) => {
                let mut values = matches.get_many::<OsString>(self.long).into_iter().flatten();
                values.try_for_each(|value| self.apply_value(&name, value, settings))
            }
        }
    }

    fn apply_variable(&self, value: &OsStr, settings: &mut Settings) -> Result<(), String> {
        if self.value.is_some() {
            let between = |byte: &u8| self.often == Often::Lines && *byte == b'\n';
            let values = value.as_bytes().split(between).filter(|value| !value.is_empty());
            let mut values = values.map(OsStr::from_bytes);
            return values.try_for_each(|value| self.apply_value(self.variable, value, settings));
        }
        let count = self.switch(value).map_err(|why| format!("{}: {why}", self.variable))?;
        (self.apply)(settings, &Given::Switch(count))
    }

    /// How often a switch is given by the value of its variable.
    fn switch(&self, value: &OsStr) -> Result<u8, String> {
        let counted = self.often == Often::Counted;
        match value.to_string_lossy().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(1),
            "false" | "no" | "off" | "0" => Ok(0),
            number => number.parse().ok().filter(|_| counted).ok_or_else(|| {
                let or_number = if counted { ", or a number from 0 to 3" } else { "" };
                in_one_line(&format!(
                    "'{}' is none of true, false, yes, no, on, off, 1 and 0{or_number}",
                    value.display()
                ))
            }),
        }
    }

    fn apply_value(&self, name: &str, value: &OsStr, settings: &mut Settings) -> Result<(), String> {
        (self.apply)(settings, &Given::Value(value)).map_err(|why| format!("{name}: {}", in_one_line(&why)))
    }
}

/// The newline at the end of a variable, which is easily overlooked, is seen as `\n`.
fn in_one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { c.escape_debug().to_string() } else { c.to_string() }).collect()
}

/// With the commit in what packaging/build-static builds.
const VERSION: &str = match option_env!("PANICMON_BUILD") {
    Some(build) => build,
    None => env!("CARGO_PKG_VERSION"),
};

pub(crate) fn command() -> clap::Command {
    clap::Command::new("panicmon")
        .version(VERSION)
        .about("Runs a command, forwards every signal to it, reaps what is orphaned, and ends as the command did")
        .override_usage("panicmon [OPTIONS] [--] COMMAND [ARG]...\n       panicmon [OPTIONS] --config FILE")
        .after_help(AFTER_HELP)
        .args(FLAGS.iter().map(Flag::arg))
        .arg(
            Arg::new(COMMAND)
                .value_names([COMMAND, "ARG"])
                .help("The command to run and its arguments")
                .value_hint(ValueHint::CommandWithArguments)
                .value_parser(OsStringValueParser::new())
                .num_args(1..)
                .trailing_var_arg(true),
        )
}

/// clap's message, without its own prefix, its colours and its exit status.
fn message(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
    // Its advice is for words that are no options, and here those are the command.
    let Some(advice) = text.lines().find(|line| line.trim_start().starts_with("tip: to pass '-")) else {
        return text.to_owned();
    };
    // As in --drain -5s.
    let is_value = advice.split('-').nth(1).is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let better = if is_value { "  tip: a value that begins with a hyphen goes behind '=': --option=-5\n" } else { "" };
    text.replace(&format!("{advice}\n"), better).replace("\n\n\n", "\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::process_config::NoRestartOn;
    use crate::model::signal::SignalSet;

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
        assert_eq!(settings.restart(), Restart::OnFailure);
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
            (&["--min-wait", "5x", "--restart", "always", "x"], "--min-wait: '5x': 'x' is no unit"),
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
    fn help_names_every_option_and_its_variable() {
        let Ok(Request::Print(help)) = parsed(&["--help"]) else { panic!("no help") };
        for flag in FLAGS {
            assert!(help.contains(&format!("--{}", flag.long)) && help.contains(flag.variable), "{help}");
            assert_eq!(flag.variable, format!("PANICMON_{}", flag.long.to_uppercase().replace('-', "_")));
        }
    }

    #[test]
    fn the_readme_has_a_line_for_every_option() {
        let readme = include_str!("../../../README.md");
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
