//! The command line, as clap reads it by the table of the options.

use super::flag::{Flag, Given, Often};
use super::settings::Settings;
use super::text_flags::{HELP, VERSION, all_flags};
use crate::model::printable::OneLine;
use clap::builder::OsStringValueParser;
use clap::{Arg, ArgAction, ArgMatches};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// The name of the words that are no options.
pub(super) const COMMAND: &str = "COMMAND";

impl Flag {
    fn arg(&self) -> Arg {
        let arg = Arg::new(self.long).long(self.long).short(self.short).help_heading(self.heading);
        let arg = match self.value {
            Some(name) => {
                arg.value_name(name).value_parser(OsStringValueParser::new()).allow_hyphen_values(self.hyphen)
            }
            // Given twice, it is still on.
            None => arg.overrides_with(self.long),
        };
        arg.action(match (self.value, self.often) {
            _ if self.long == HELP => ArgAction::Help,
            _ if self.long == VERSION => ArgAction::Version,
            (_, Often::Counted) => ArgAction::Count,
            (None, _) => ArgAction::SetTrue,
            (Some(_), Often::Once) => ArgAction::Set,
            (Some(_), Often::List | Often::Lines) => ArgAction::Append,
        })
    }

    pub(super) fn apply_words(&self, matches: &ArgMatches, settings: &mut Settings) -> Result<(), String> {
        let name = format!("--{}", self.long);
        match self.value {
            None => {
                let count = match self.often {
                    Often::Counted => matches.get_count(self.long),
                    _ => matches.get_flag(self.long).into(),
                };
                if count == 0 { Ok(()) } else { (self.apply)(settings, &Given::Switch(count)) }
            }
            Some(_) => {
                let mut values = matches.get_many::<OsString>(self.long).into_iter().flatten();
                values.try_for_each(|value| self.apply_value(&name, value, settings))
            }
        }
    }

    pub(super) fn apply_variable(&self, value: &OsStr, settings: &mut Settings) -> Result<(), String> {
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
    pub(super) fn switch(&self, value: &OsStr) -> Result<u8, String> {
        let counted = self.often == Often::Counted;
        match value.to_string_lossy().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(1),
            "false" | "no" | "off" | "0" => Ok(0),
            number => number.parse().ok().filter(|_| counted).ok_or_else(|| {
                let or_number = if counted { ", or a number from 0 to 3" } else { "" };
                let value = value.display();
                format!("'{}' is none of true, false, yes, no, on, off, 1 and 0{or_number}", OneLine(&value))
            }),
        }
    }

    fn apply_value(&self, name: &str, value: &OsStr, settings: &mut Settings) -> Result<(), String> {
        (self.apply)(settings, &Given::Value(value)).map_err(|why| format!("{name}: {}", OneLine(&why)))
    }
}

/// The version; packaging/build-static adds the commit.
pub(crate) const BUILD: &str = match option_env!("PANICMON_BUILD") {
    Some(build) => build,
    None => env!("CARGO_PKG_VERSION"),
};

/// What clap reads, without the texts of the help: they would be put together at each start.
pub(crate) fn command() -> clap::Command {
    clap::Command::new("panicmon")
        .version(BUILD)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args(all_flags().map(Flag::arg))
        .arg(
            Arg::new(COMMAND)
                .value_names([COMMAND, "ARG"])
                .value_parser(OsStringValueParser::new())
                .num_args(1..)
                .trailing_var_arg(true),
        )
}
