//! Words and variables to settings, by the table of the options, without touching anything.

use super::flag::{Flag, Scope};
use super::flags::FLAGS;
use super::refused::refused;
use super::settings::Settings;
use super::text_flags::{COMPLETIONS, MAN, Shell, Text};
use super::together::for_one_command;
use super::variables;
use super::words::{COMMAND, command};
use crate::model::printable::OneLine;
use crate::model::process_config::Restart;
use crate::model::status::StatusCode;
use crate::program::peers::peer::{Asked, Line, Peer};
use crate::program::peers::table::{PEERS, named};
use clap::ArgMatches;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use std::ffi::{CStr, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// What is to be done.
#[derive(Debug, PartialEq)]
pub(crate) enum Request {
    /// Run the command that begins at this word; in the place of another program, the command that the settings have.
    // In a box, they aren't copied from one stack frame to the next: each page of the stack takes time.
    Run(Box<Settings>, usize),
    /// Run the processes of a file.
    RunFile(Box<Settings>),
    /// Run nothing, and reap what is orphaned.
    Pause(StatusCode),
    /// Print this, and exit with 0.
    Print(Text),
    /// The same of another program's; this status, if it can't be printed.
    Show(String, StatusCode),
    /// Write this to stderr, and exit with this status.
    Tell(String, StatusCode),
}

/// Reads the command line and the variables, in the place of the program by whose name this one was called. The error is a
/// message, without newline.
pub(crate) fn parse(peer: Option<&Peer>, args: &[&'static CStr], env: &[&'static CStr]) -> Result<Request, String> {
    if let Some(peer) = peer {
        return parse_by_name(peer, args, env);
    }
    match plain_command(args, env) {
        Some(command) => Ok(Request::Run(Box::default(), command)),
        None => parse_options(args, env),
    }
}

/// This program was called by the name of another one.
#[cold]
fn parse_by_name(peer: &Peer, args: &[&'static CStr], env: &[&'static CStr]) -> Result<Request, String> {
    let line = Line { name: OsStr::from_bytes(args[0].to_bytes()), words: &args[1..], env };
    let settings = || {
        let mut settings = Settings::default();
        // Most often there are none.
        if env.iter().any(|entry| entry.to_bytes().starts_with(b"PANICMON_")) {
            settings.apply_variables(env, true, &|_| false)?;
            settings.check_together(true, &|_| false)?;
            settings.forget_meaningless_variables();
            // It is for a panicmon that is called by its own name.
            settings.variables.retain(|variable| *variable != "PANICMON_AS");
            settings.slips = variables::slips(env);
        }
        Ok(settings)
    };
    Ok(in_place_of(peer, &line, settings, &|_| false))
}

/// What the command line of another program asks for, beside options of our own.
#[cold]
fn in_place_of(
    peer: &Peer,
    line: &Line<'_>,
    own: impl FnOnce() -> Result<Settings, String>,
    given: &dyn Fn(&str) -> bool,
) -> Request {
    let failure = peer.statuses.failure();
    match peer.read(line) {
        Asked::Run(wishes) => match own() {
            Ok(mut settings) => {
                wishes.add_to(&mut settings, line.env, given);
                Request::Run(Box::new(settings), 0)
            }
            Err(message) => Request::Tell(format!("panicmon: {message}\n"), failure),
        },
        Asked::Pause => Request::Pause(failure),
        Asked::Print(text) => Request::Show(text, failure),
        Asked::Tell(text) => Request::Tell(text, StatusCode::SUCCESS),
        Asked::Refuse(text) => Request::Tell(text, failure),
    }
}

/// The program of `--as`, or of its variable.
#[cold]
fn program(name: &OsStr, settings: &Settings) -> Result<&'static Peer, String> {
    named(name).ok_or_else(|| {
        let names: Vec<_> = PEERS.iter().flat_map(|peer| peer.names).copied().collect();
        let name = name.display();
        format!("{}: '{}' is none of {}", settings.name_of("as"), OneLine(&name), names.join(", "))
    })
}

#[cold]
fn parse_options(args: &[&'static CStr], env: &[&'static CStr]) -> Result<Request, String> {
    let mut words = args.iter().map(|word| OsStr::from_bytes(word.to_bytes()).to_owned()).collect::<Vec<_>>();
    if words.is_empty() {
        words.push("panicmon".into());
    }
    let count = words.len();
    let matches = match command().try_get_matches_from(&words) {
        Ok(matches) => matches,
        Err(error) if error.kind() == ErrorKind::DisplayVersion => return Ok(Request::Print(Text::Version)),
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            return Ok(Request::Print(if is_long_help(&words) { Text::Help } else { Text::Screen }));
        }
        Err(error) => return Err(refused(&error, &words)),
    };
    if let Some(text) = text(&matches)? {
        return Ok(Request::Print(text));
    }
    let command_words = matches.get_many::<OsString>(COMMAND).map_or(0, |words| words.len());
    let has_command = command_words > 0;
    let given = |long: &str| matches.value_source(long) == Some(ValueSource::CommandLine);
    let mut settings = Settings::default();
    // The command line comes last, since it wins.
    settings.apply_variables(env, has_command, &given)?;
    for flag in FLAGS {
        flag.apply_words(&matches, &mut settings)?;
    }
    let wanted = settings.called.take().filter(|_| settings.config.is_none() && !settings.doctor);
    settings.check_together(has_command || wanted.is_some(), &given)?;
    settings.forget_meaningless_variables();
    if settings.config.is_some() {
        settings.words = FLAGS.iter().map(|flag| flag.long).filter(|long| given(long)).collect();
    }
    if !settings.doctor && !settings.check {
        settings.slips = variables::slips(env);
    }
    if let Some(name) = wanted {
        let peer = program(&name, &settings)?;
        let line = Line { name: &name, words: &args[count - command_words..], env };
        return Ok(in_place_of(peer, &line, || Ok(settings), &given));
    }
    Ok(match settings.config {
        Some(_) => Request::RunFile(Box::new(settings)),
        None => Request::Run(Box::new(settings), count - command_words),
    })
}

/// Whether --help asks for the help, and no -h before it.
#[cold]
fn is_long_help(words: &[OsString]) -> bool {
    words.iter().position(|word| word == "--help").is_some_and(|at| {
        let before = command().try_get_matches_from(&words[..at]);
        before.err().is_none_or(|error| error.kind() != ErrorKind::DisplayHelp)
    })
}

/// The text that is asked for, if one is.
fn text(matches: &ArgMatches) -> Result<Option<Text>, String> {
    if matches.get_flag(MAN) {
        return Ok(Some(Text::Manual));
    }
    let shell = matches.get_one::<OsString>(COMPLETIONS).map(|word| Shell::read(&word.to_string_lossy())).transpose();
    Ok(shell.map_err(|why| format!("--{COMPLETIONS}: {}", OneLine(&why)))?.map(Text::Completions))
}

impl Settings {
    /// Applies the variables of the options that the command line doesn't give.
    fn apply_variables(
        &mut self,
        env: &[&'static CStr],
        has_command: bool,
        given: &dyn Fn(&str) -> bool,
    ) -> Result<(), String> {
        // Each overrides the other.
        let logs = given("verbose") || given("quiet");
        let is_superseded = |flag: &Flag| given(flag.long) || logs && matches!(flag.long, "verbose" | "quiet");
        let flags = FLAGS.iter().filter(|flag| !is_superseded(flag));
        let values: Vec<_> = flags.filter_map(|flag| Some((flag, variables::value(env, flag.variable)?))).collect();

        // If nothing is run, nothing that is wrong with the variables of a run is an error.
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
        // --doctor tells what a run would do with them.
        let is_doctor = given("doctor") || self.doctor;
        let is_read = |flag: &Flag| if only_tells && !is_doctor { names_file(flag) } else { !tells(flag) };
        for (flag, value) in values.iter().filter(|(flag, _)| is_read(flag)) {
            if of_file && flag.scope.is_one_command() {
                match Settings::refused_by_file(flag, value) {
                    Some(why) if !is_doctor => return Err(why),
                    _ => continue,
                }
            }
            match self.apply_variable(flag, value) {
                Err(_) if is_doctor => {}
                applied => applied?,
            }
        }
        if is_doctor && has_command {
            self.config = None;
        }
        Ok(())
    }

    /// Why a variable of an option for one command isn't for the processes of a file. A switch that is off has no effect.
    fn refused_by_file(flag: &Flag, value: &OsStr) -> Option<String> {
        let is_off = flag.value.is_none() && flag.switch(value) == Ok(0);
        (!is_off).then(|| format!("{}: {}; unset it", flag.variable, for_one_command(flag)))
    }

    /// With `--doctor`, tells why a run would refuse variables.
    #[cold]
    pub(crate) fn tell_refused(&self, env: &[&'static CStr], tell: &mut dyn FnMut(&str)) {
        for flag in FLAGS {
            let Some(value) = variables::value(env, flag.variable) else { continue };
            let why = if self.config.is_some() && flag.scope.is_one_command() {
                Settings::refused_by_file(flag, value)
            } else if self.variables.contains(&flag.variable) {
                flag.apply_variable(value, &mut Settings::default()).err()
            } else {
                None
            };
            if let Some(why) = why {
                tell(&why);
            }
        }
    }

    fn apply_variable(&mut self, flag: &Flag, value: &OsStr) -> Result<(), String> {
        self.variables.push(flag.variable);
        flag.apply_variable(value, self)
    }

    /// Keeps the variables that have an effect in this run: those are taken from the command's environment. The others may be
    /// for another panicmon below.
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
}

/// Where the command begins, if there is no option and no variable. This usual case does without clap, which takes a
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
