//! What an option was given by, for messages about it.

use super::flags::FLAGS;
use super::settings::Settings;
use crate::model::error::Error;

impl Settings {
    /// The name that an option was given by: its own, or that of its variable or of its key in a file.
    pub(crate) fn name_of(&self, long: &str) -> String {
        if let Some((_, name)) = self.keys.iter().find(|(key, _)| *key == long) {
            return name.clone();
        }
        let flag = FLAGS.iter().find(|flag| flag.long == long);
        match flag.filter(|flag| self.variables.contains(&flag.variable)) {
            Some(flag) => flag.variable.to_owned(),
            None => format!("--{long}"),
        }
    }

    /// The variable behind an error of the run; `None` if the command line asked for it.
    pub(crate) fn variable_behind(&self, error: &Error) -> Option<&'static str> {
        let variable = match error {
            Error::Dir { .. } => "PANICMON_DIR",
            Error::User { .. } => "PANICMON_USER",
            _ => return None,
        };
        self.variables.contains(&variable).then_some(variable)
    }
}
