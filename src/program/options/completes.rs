//! What a shell completes the value of an option with.

use crate::model::event::KINDS;
use crate::model::signal::Signal;

/// The kinds of values.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Completes {
    /// A number, a duration, a name: there is nothing to choose from.
    Nothing,
    File,
    Directory,
    /// The name of a command.
    Command,
    /// A user, and after a colon a group.
    User,
    /// `stderr`, a file, `fd:N`, `unix:PATH`.
    Sink,
    /// The name of a variable, and `=`.
    Assignment,
    /// Names of variables, with commas between.
    Variables,
    One(Words),
    /// Several, with commas between.
    List(Words),
    /// One of the first, `=`, and one of the second; several with commas between.
    Pairs(Words, Words),
}

/// What is chosen from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Words {
    These(&'static [&'static str]),
    /// Signals that can be listened to, and these.
    Heard(&'static [&'static str]),
    /// Signals that can be sent, and these.
    Sent(&'static [&'static str]),
    /// Events, as hooks are run for them.
    Events,
}

impl Words {
    /// All, with spaces between.
    pub(crate) fn all(self) -> String {
        match self {
            Words::These(words) => words.join(" "),
            Words::Heard(more) => {
                let kept = [Signal::KILL, Signal::STOP, Signal::CHLD];
                names(more, |signal| !kept.contains(&signal))
            }
            Words::Sent(more) => names(more, |_| true),
            Words::Events => KINDS.join(" ").replace("process.", ""),
        }
    }
}

/// The names of signals, without `SIG`, and more. Of the real-time signals, the first and the last stand for all.
fn names(more: &[&str], is_one: impl Fn(Signal) -> bool) -> String {
    let mut names = String::new();
    for signal in Signal::all().filter(|signal| is_one(*signal)) {
        let name = signal.to_string();
        let name = name.trim_start_matches("SIG");
        if !name.contains('+') && !name.starts_with(|c: char| c.is_ascii_digit()) {
            names.push_str(name);
            names.push(' ');
        }
    }
    names.push_str(&more.join(" "));
    names.truncate(names.trim_end().len());
    names
}
