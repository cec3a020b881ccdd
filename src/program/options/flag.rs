//! What an option is.

use super::completes::Completes;
use super::settings::Settings;
use std::ffi::OsStr;

/// One option.
pub(crate) struct Flag {
    pub(crate) long: &'static str,
    pub(crate) short: Option<char>,
    /// Its variable: `PANICMON_` and the long name in capitals. Empty: it has none, since nothing is run with it.
    pub(crate) variable: &'static str,
    /// The name of its value in the help; `None`: it is a switch.
    pub(crate) value: Option<&'static str>,
    /// Whether its value may begin with a hyphen.
    pub(crate) hyphen: bool,
    /// Whether it may be given more than once, and what separates its values in the variable.
    pub(crate) often: Often,
    /// The runs it applies to.
    pub(crate) scope: Scope,
    /// For an option of one command: what has the same effect in a file.
    pub(crate) in_file: &'static str,
    /// What a shell completes its value with.
    pub(crate) completes: Completes,
    /// The heading in the help that it stands under.
    pub(crate) heading: &'static str,
    /// Its line in `-h`, which is one screen; empty: `--help` alone has it.
    pub(crate) brief: &'static str,
    /// What it does, in one line: the words of the README's table.
    pub(crate) help: &'static str,
    /// What else `--help` and the man page say: sentences, without the last period.
    pub(crate) more: &'static str,
    /// Sets its field of the settings. The error says what is wrong with the value, and what is allowed.
    pub(crate) apply: fn(&mut Settings, &Given<'_>) -> Result<(), String>,
}

impl Flag {
    /// What it does, in a line that is as short as can be.
    pub(crate) fn shortly(&self) -> &'static str {
        if self.brief.is_empty() { self.help } else { self.brief }
    }

    /// Whether it may be given several times.
    pub(crate) fn is_repeated(&self) -> bool {
        self.often != Often::Once
    }

    /// All that it does, and its variable.
    pub(crate) fn described(&self) -> String {
        let between = if self.more.is_empty() { "" } else { ". " };
        let text = format!("{}{between}{}", self.help, self.more);
        if self.variable.is_empty() { text } else { format!("{text} [env: {}]", self.variable) }
    }
}

/// How often an option may be given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Often {
    Once,
    /// Its value is a list with commas; several lists are joined.
    List,
    /// Its value may contain any character but a newline: in the variable, each line is a value.
    Lines,
    /// A switch that is counted; in the variable, the number.
    Counted,
}

/// The runs that an option applies to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Anywhere,
    /// One command.
    Command,
    /// One command that is started again.
    Restarts,
    /// The processes of a file.
    File,
}

impl Scope {
    /// Whether it is for one command, and not for the processes of a file.
    pub(crate) fn is_one_command(self) -> bool {
        matches!(self, Scope::Command | Scope::Restarts)
    }
}

/// What was given for an option.
pub(crate) enum Given<'a> {
    Value(&'a OsStr),
    /// A switch, given this many times.
    Switch(u8),
}

impl<'a> Given<'a> {
    /// The value; empty for a switch.
    pub(crate) fn value(&self) -> &'a OsStr {
        match self {
            Given::Value(value) => value,
            Given::Switch(_) => OsStr::new(""),
        }
    }

    /// The same as text.
    pub(crate) fn text(&self) -> Result<&'a str, String> {
        let value = self.value();
        value.to_str().ok_or_else(|| format!("'{}' is not UTF-8", value.display()))
    }

    /// Whether a switch is on.
    pub(crate) fn is_on(&self) -> bool {
        matches!(self, Given::Switch(1..))
    }
}

/// The defaults of an entry of the table.
pub(crate) const OPTION: Flag = Flag {
    long: "",
    short: None,
    variable: "",
    value: None,
    hyphen: false,
    often: Often::Once,
    scope: Scope::Anywhere,
    in_file: "no key does the same",
    completes: Completes::Nothing,
    heading: "General",
    brief: "",
    help: "",
    more: "",
    apply: |_, _| Ok(()),
};

pub(super) fn set<T>(field: &mut Option<T>, value: Result<T, String>) -> Result<(), String> {
    *field = Some(value?);
    Ok(())
}
