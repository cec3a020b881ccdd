//! The value of an option to what it means. An error says what is wrong with the value, and what to write.

use crate::formats::duration;
use crate::formats::nearest::nearest;
use crate::formats::size;
use crate::formats::timestamp::{ParseTimeFormatError, TimeFormat};
use crate::model::event::KINDS;
use crate::model::exit_from::{ExitFrom, ParseExitFromError};
use crate::model::process_config::NoRestartOn;
use crate::model::signal::{Signal, SignalSet};
use crate::model::status::StatusCode;
use crate::model::success::Success;
use crate::report::records::sink::SinkName;
use crate::report::redaction::Redaction;
use std::ffi::{CString, OsStr, OsString};
use std::fmt::Display;
use std::os::unix::ffi::OsStrExt;
use std::str::FromStr;
use std::time::Duration;

/// A user and, if it is given, a group, each by name or number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UserName {
    pub(crate) user: String,
    pub(crate) group: Option<String>,
}

/// How much is kept of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TailSize {
    pub(crate) bytes: usize,
    /// Also where that puts a pipe in the place of a terminal.
    pub(crate) force: bool,
}

fn signal(word: &str) -> Result<Signal, String> {
    word.parse().map_err(|error: crate::model::signal::ParseSignalError| error.to_string())
}

/// A signal that can come to panicmon, and be forwarded.
fn forwarded(word: &str) -> Result<Signal, String> {
    match signal(word)? {
        signal @ (Signal::KILL | Signal::STOP) => {
            Err(format!("{signal} can't be listened to: the kernel keeps it to itself"))
        }
        Signal::CHLD => {
            Err(format!("{} can't be forwarded: it is how panicmon learns of its own children", Signal::CHLD))
        }
        signal => Ok(signal),
    }
}

/// A signal that can be forwarded as another, or later.
fn changed(word: &str) -> Result<Signal, String> {
    match forwarded(word)? {
        Signal::CONT => Err(format!("{} is forwarded as it is: job control needs it", Signal::CONT)),
        signal => Ok(signal),
    }
}

pub(crate) fn signal_list(list: &str) -> Result<SignalSet, String> {
    list.split(',').map(forwarded).collect()
}

pub(crate) fn no_restart_list(list: &str) -> Result<Vec<NoRestartOn>, String> {
    ends(list)
}

pub(crate) fn successes(list: &str) -> Result<Vec<Success>, String> {
    ends(list)
}

fn ends<E: FromStr<Err: Display>>(list: &str) -> Result<Vec<E>, String> {
    list.split(',').map(|word| word.parse().map_err(|error: E::Err| error.to_string())).collect()
}

/// The two sides of each `FROM=TO` of a list.
fn pairs<'l>(list: &'l str, example: &str) -> Result<Vec<(&'l str, &'l str)>, String> {
    let pair =
        |word: &'l str| word.split_once('=').ok_or_else(|| format!("'{word}' has no '=' in it: write {example}"));
    list.split(',').map(pair).collect()
}

/// Adds pairs to others; a key that is there already is an error.
pub(crate) fn add<K: PartialEq + Display, V>(all: &mut Vec<(K, V)>, more: Vec<(K, V)>) -> Result<(), String> {
    for (from, to) in more {
        if all.iter().any(|(other, _)| *other == from) {
            return Err(format!("{from} is given twice: keep one"));
        }
        all.push((from, to));
    }
    Ok(())
}

/// What a list of `--rewrite` says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Rewrites {
    /// `FROM=TO`, and `FROM=drop`.
    pub(crate) pairs: Vec<(Signal, Option<Signal>)>,
    /// `uncaught=drop`.
    pub(crate) drop_uncaught: bool,
}

pub(crate) fn rewrites(list: &str) -> Result<Rewrites, String> {
    let mut rewrites = Rewrites::default();
    for (from, to) in pairs(list, "FROM=TO, e.g. TERM=QUIT, or FROM=drop")? {
        match (from, to) {
            ("uncaught", "drop") => rewrites.drop_uncaught = true,
            ("uncaught", _) => {
                return Err(
                    "signals that the command doesn't catch can only be dropped: write uncaught=drop".to_owned()
                );
            }
            (from, "drop") => rewrites.pairs.push((changed(from)?, None)),
            (from, to) => {
                let to = signal(to).map_err(|why| format!("{why}; or drop"))?;
                rewrites.pairs.push((changed(from)?, Some(to)));
            }
        }
    }
    Ok(rewrites)
}

/// The signals that are a stop.
pub(crate) fn stop_signals(list: &str) -> Result<SignalSet, String> {
    list.split(',').map(changed).collect()
}

/// `SIG=DURATION`, in a list.
pub(crate) fn delays(list: &str) -> Result<Vec<(Signal, Duration)>, String> {
    let delay = |(from, to): (&str, &str)| Ok((changed(from)?, duration::parse(to)?));
    pairs(list, "SIG=DURATION, e.g. TERM=10s")?.into_iter().map(delay).collect()
}

/// `FROM=TO`, in a list: how a command ended, and the exit status for that.
pub(crate) fn exit_rules(list: &str) -> Result<Vec<(ExitFrom, StatusCode)>, String> {
    let rule = |(from, to): (&str, &str)| {
        let code = to.parse().map_err(|_| format!("'{to}' is not an exit status: write a number from 0 to 255"))?;
        let from = from.parse().map_err(|error: ParseExitFromError| error.to_string())?;
        Ok((from, StatusCode::new(code)))
    };
    pairs(list, "FROM=TO, e.g. 143=0")?.into_iter().map(rule).collect()
}

pub(crate) fn parent_death_signal(word: &str) -> Result<Signal, String> {
    match signal(word)? {
        signal @ (Signal::STOP | Signal::CHLD) => Err(format!("{signal} tells panicmon nothing: write TERM, or KILL")),
        signal => Ok(signal),
    }
}

/// `K=V`; both may be any bytes.
pub(crate) fn assignment(word: &OsStr) -> Result<(OsString, OsString), String> {
    let bytes = word.as_bytes();
    match bytes.iter().position(|byte| *byte == b'=') {
        None => Err(format!("'{}' has no '=' in it: write {}=VALUE", word.display(), word.display())),
        Some(0) => Err(format!("'{}' has no name before the '='", word.display())),
        Some(at) => Ok((OsStr::from_bytes(&bytes[..at]).to_owned(), OsStr::from_bytes(&bytes[at + 1..]).to_owned())),
    }
}

/// Names of variables, in a list.
pub(crate) fn variable_names(list: &OsStr) -> Result<Vec<OsString>, String> {
    let name = |bytes: &[u8]| {
        let name = OsStr::from_bytes(bytes);
        if bytes.is_empty() || bytes.contains(&b'=') {
            return Err(format!(
                "'{}' is no name of a variable: write names with commas between, TOKEN,DEBUG",
                name.display()
            ));
        }
        Ok(name.to_owned())
    };
    list.as_bytes().split(|byte| *byte == b',').map(name).collect()
}

pub(crate) fn time_format(word: &str) -> Result<TimeFormat, String> {
    word.parse().map_err(|error: ParseTimeFormatError| error.to_string())
}

pub(crate) fn directory(path: &OsStr) -> Result<OsString, String> {
    if path.is_empty() {
        return Err("'' is no directory: is a variable unset? Write . for the current one".to_owned());
    }
    Ok(path.to_owned())
}

pub(crate) fn file(path: &OsStr) -> Result<OsString, String> {
    if path.is_empty() {
        return Err("'' is no file: is a variable unset?".to_owned());
    }
    Ok(path.to_owned())
}

/// The most that is kept of a stream, in bytes.
const MOST_OF_TAIL: u64 = 16 * 1024 * 1024;

/// `SIZE` or `SIZE,force`.
pub(crate) fn tail(word: &str) -> Result<TailSize, String> {
    let (size_word, force) = match word.split_once(',') {
        Some((size, "force")) => (size, true),
        Some((_, other)) => return Err(format!("'{other}' is unknown: write SIZE or SIZE,force")),
        None => (word, false),
    };
    match size::parse(size_word)? {
        0 => Err("0 keeps nothing: write how many bytes, e.g. 64K".to_owned()),
        bytes if bytes > MOST_OF_TAIL => Err(format!("{size_word} is more than can be kept: 16M at most")),
        bytes => Ok(TailSize { bytes: bytes as usize, force }),
    }
}

/// A pattern of what is taken out of last words.
pub(crate) fn pattern(word: &str) -> Result<String, String> {
    Redaction::new(&[word.to_owned()])?;
    if word.is_empty() {
        return Err("'' fits everywhere: write what is to be taken out, e.g. token=\\S+".to_owned());
    }
    Ok(word.to_owned())
}

/// What goes in front of lines.
pub(crate) fn name(name: &str) -> Result<String, String> {
    if name.contains(char::is_control) {
        return Err(format!("'{}' has a control character in it, which would break lines", name.escape_debug()));
    }
    Ok(name.to_owned())
}

/// Where records go: `stderr`, `fd:N`, `unix:PATH`, or a file.
pub(crate) fn sink(word: &OsStr) -> Result<SinkName, String> {
    if word.is_empty() {
        return Err("'' is no sink: write stderr, a file, fd:N or unix:PATH".to_owned());
    }
    if word == "stderr" {
        return Ok(SinkName::Stderr);
    }
    if let Some(path) = word.as_bytes().strip_prefix(b"unix:") {
        let path = OsStr::from_bytes(path);
        return file(path)
            .map(|path| SinkName::Unix(path.into()))
            .map_err(|_| "unix: names no socket: write unix:PATH".to_owned());
    }
    if let Some(number) = word.to_str().and_then(|word| word.strip_prefix("fd:")) {
        let number = number.parse().ok().filter(|number| *number >= 0);
        return number.map(SinkName::Fd).ok_or_else(|| format!("'{}' names no descriptor: write fd:3", word.display()));
    }
    Ok(SinkName::File(word.into()))
}

/// The words of a command, as a shell has them.
pub(crate) fn hook(command: &OsStr) -> Result<Vec<CString>, String> {
    let command = command.as_bytes();
    let words = shlex::bytes::split(command).ok_or("a quote isn't closed, or nothing comes after a backslash")?;
    if words.first().is_none_or(Vec::is_empty) {
        return Err(format!("'{}' is no command: is a variable unset?", OsStr::from_bytes(command).display()));
    }
    words.into_iter().map(|word| CString::new(word).map_err(|error| error.to_string())).collect()
}

/// Events in a list, each by its name, or the last word of that of a process.
pub(crate) fn hook_events(list: &str) -> Result<Vec<&'static str>, String> {
    list.split(',').map(hook_event).collect()
}

fn hook_event(word: &str) -> Result<&'static str, String> {
    let short = |kind: &'static str| kind.strip_prefix("process.");
    if let Some(kind) = KINDS.into_iter().find(|kind| *kind == word || short(kind) == Some(word)) {
        return Ok(kind);
    }
    let known: Vec<_> = KINDS.into_iter().filter_map(short).chain(KINDS).collect();
    let advice = match nearest(word, &known) {
        Some(known) => format!("did you mean {known}?"),
        None => format!("they are {}", known[..6].join(", ") + ", " + &KINDS[6..].join(", ")),
    };
    Err(format!("'{word}' is no event: {advice}"))
}

pub(crate) fn hook_timeout(word: &str) -> Result<Duration, String> {
    let timeout = duration::parse(word)?;
    if timeout.is_zero() { Err("without any time no hook would run: write 10s".to_owned()) } else { Ok(timeout) }
}

/// `USER` or `USER:GROUP`.
pub(crate) fn user(word: &str) -> Result<UserName, String> {
    let (user, group) = match word.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (word, None),
    };
    if user.is_empty() || group.is_some_and(str::is_empty) {
        return Err(format!("'{word}' is no user: write USER or USER:GROUP, each a name or a number"));
    }
    Ok(UserName { user: user.to_owned(), group: group.map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_a_pair_are_read() {
        let quit = (Signal::TERM, Some(Signal::QUIT));
        let pairs = vec![quit, (Signal::HUP, None)];
        assert_eq!(rewrites("TERM=QUIT,sighup=drop"), Ok(Rewrites { pairs, drop_uncaught: false }));
        let pairs = vec![quit];
        assert_eq!(rewrites("uncaught=drop,TERM=QUIT"), Ok(Rewrites { pairs, drop_uncaught: true }));
        assert!(rewrites("uncaught=TERM").is_err_and(|why| why.contains("write uncaught=drop")));
        assert_eq!(delays("15=1m30s"), Ok(vec![(Signal::TERM, Duration::from_secs(90))]));
        assert_eq!(
            exit_rules("143=0,oom=99,requested=1,TERM=2,timeout=3"),
            Ok(vec![
                (ExitFrom::Status(143), StatusCode::new(0)),
                (ExitFrom::Oom, StatusCode::new(99)),
                (ExitFrom::Requested, StatusCode::new(1)),
                (ExitFrom::Signal(Signal::TERM), StatusCode::new(2)),
                (ExitFrom::Timeout, StatusCode::new(3))
            ])
        );
    }

    #[test]
    fn an_assignment_ends_at_its_first_equals_sign() {
        let pair = |key: &str, value: &str| Ok((key.into(), value.into()));
        assert_eq!(assignment(OsStr::new("A=b=c")), pair("A", "b=c"));
        assert_eq!(assignment(OsStr::new("A=")), pair("A", ""));
        assert_eq!(assignment(OsStr::new("A, B=c\nd")), pair("A, B", "c\nd"));
        let bytes = assignment(OsStr::from_bytes(b"K=\xff")).unwrap();
        assert_eq!(bytes.1.as_bytes(), b"\xff");
    }

    #[test]
    fn the_words_of_a_hook_are_a_shells() {
        let words = |command: &str| hook(OsStr::new(command));
        let expected = [c"notify", c"a b", c"$X", c"c"].map(CString::from).to_vec();
        assert_eq!(words("notify 'a b'  \"\\$X\" c"), Ok(expected));
        for command in ["", " ", "''", "a 'b", "a \\"] {
            assert!(words(command).is_err(), "{command}");
        }
    }

    #[test]
    fn an_event_is_named_in_full_or_by_its_last_word() {
        let events = vec!["process.exited", "process.starting", "signal.passed"];
        assert_eq!(hook_events("exited,process.starting,signal.passed"), Ok(events));
        for (word, advice) in [
            ("exitted", "did you mean exited?"),
            ("Process.Exited", "did you mean process.exited?"),
            ("signal.pased", "did you mean signal.passed?"),
            ("", "'' is no event: they are starting, started,"),
            ("reaped", "is no event"),
        ] {
            let why = hook_events(word).unwrap_err();
            assert!(why.contains(advice), "{word}: {why}");
        }
        assert!(hook_timeout("0").is_err());
    }

    #[test]
    fn a_user_may_have_a_group() {
        let name =
            |user: &str, group: Option<&str>| Ok(UserName { user: user.to_owned(), group: group.map(str::to_owned) });
        assert_eq!(user("www"), name("www", None));
        assert_eq!(user("www:adm"), name("www", Some("adm")));
        assert_eq!(user("7:8"), name("7", Some("8")));
    }

    #[test]
    fn each_may_be_there_once() {
        let mut all = vec![(Signal::TERM, 1)];
        assert_eq!(add(&mut all, vec![(Signal::HUP, 2)]), Ok(()));
        assert_eq!(add(&mut all, vec![(Signal::TERM, 3)]), Err("SIGTERM is given twice: keep one".to_owned()));
    }
}
