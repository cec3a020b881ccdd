//! The processes of a file in pmux's format: YAML to options.
//!
//! What is wrong is told to the writer of the file: where, which word, and what to write. Nothing is guessed: a word is
//! taken letter for letter, whatever YAML would make of `yes`, `0755` or `1.10`.

mod marks;
mod synonyms;
mod yaml;

use crate::formats::duration;
use crate::formats::nearest::nearest;
use crate::formats::timestamp::Timestamp;
use crate::model::process_config::{NoRestartOn, ProcessConfig};
use crate::model::signal::{ParseSignalError, Signal, SignalSet};
use crate::report::remarks::Spelled;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::time::Duration;
pub(crate) use yaml::printable;
use yaml::{Fault, Node, Value, shown};

/// The largest file that is read: more than twenty thousand lines.
const LARGEST: usize = 1024 * 1024;

const TOP_KEYS: [&str; 2] = ["timeFormat", "processes"];
const PROCESS_KEYS: [&str; 12] = [
    "name",
    "cmd",
    "args",
    "env",
    "dir",
    "minWait",
    "maxWait",
    "stopSignal",
    "sigKillWait",
    "drain",
    "noRestartOn",
    "signals",
];

/// These end no process that lets them take their default course, and are caught for other ends.
const NEVER_STOP: [Signal; 6] = [Signal::CHLD, Signal::CONT, Signal::STOP, Signal::TSTP, Signal::TTIN, Signal::TTOU];

/// The processes of a file, and how their lines are stamped.
#[derive(Debug, PartialEq)]
pub(crate) struct Config {
    /// None: no timestamps.
    pub(crate) time_format: Option<Timestamp>,
    /// At least one, with names of their own. A wait of 0 in the file is its default, as in pmux.
    pub(crate) processes: Vec<ProcessConfig>,
    /// Where what a machine may lack is asked for, of each process.
    pub(crate) places: Vec<Places>,
}

/// Where the keys of a process stand whose values are looked up when it is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) cmd: Place,
    pub(crate) dir: Place,
}

/// Line and column, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    line: u64,
    column: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl Place {
    fn of(node: &Node<'_>) -> Place {
        Place { line: node.defined.line(), column: node.defined.column() }
    }
}

/// Whether stdin is meant.
pub(crate) fn is_stdin(path: &OsStr) -> bool {
    path == "-"
}

/// What a file is called in messages.
pub(crate) fn name(path: &OsStr) -> String {
    if is_stdin(path) { "stdin".to_owned() } else { printable(&path.to_string_lossy()) }
}

/// Reads a file; `-` is stdin.
///
/// The error is a message for people, without the program's name: `FILE:LINE:COLUMN: what is wrong, and what to do`.
pub(crate) fn read(path: &OsStr) -> Result<Config, String> {
    let file = name(path);
    let bytes = if is_stdin(path) { bytes(Stdin) } else { File::open(path).and_then(bytes) };
    let bytes = bytes.map_err(|error| format!("{file}: {}", unreadable(&error)))?;
    if bytes.len() > LARGEST {
        return Err(format!("{file}: more than {} MiB: this is no file of processes", LARGEST / 1024 / 1024));
    }
    parse(&bytes).map_err(|Fault { line, column, message }| format!("{file}:{line}:{column}: {message}"))
}

/// One byte more than is allowed tells that there is more; /dev/zero has no end.
fn bytes(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LARGEST as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Descriptor 0. The standard library's takes one that is closed for an empty one.
struct Stdin;

impl Read for Stdin {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        Ok(nix::unistd::read(io::stdin(), into)?)
    }
}

fn unreadable(error: &io::Error) -> String {
    match error.kind() {
        _ if error.raw_os_error() == Some(libc::EBADF) => "it is closed".to_owned(),
        ErrorKind::NotFound => "there is no such file: check the path".to_owned(),
        ErrorKind::IsADirectory => "this is a directory: name a file in it".to_owned(),
        ErrorKind::PermissionDenied => "this file may not be read: check its permissions and owner".to_owned(),
        _ => format!("this file can't be read: {error}"),
    }
}

fn parse(bytes: &[u8]) -> Result<Config, Fault> {
    let text = text(bytes)?;
    let root = yaml::parse(text)?;
    if let Some(fault) = marks::misread(text) {
        return Err(fault);
    }
    Reader { text }.config(&root)
}

/// The text of a file; the mark that some editors put before it is not part of it.
fn text(bytes: &[u8]) -> Result<&str, Fault> {
    let bytes = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(bytes);
    let text = str::from_utf8(bytes).map_err(|error| {
        let (before, rest) = bytes.split_at(error.valid_up_to());
        let byte = rest.first().copied().unwrap_or_default();
        Fault::behind(
            &String::from_utf8_lossy(before),
            format!("the byte 0x{byte:02X} is not UTF-8: save the file in that encoding"),
        )
    })?;
    match text.split_once('\0') {
        Some((before, _)) => Err(Fault::behind(before, "a NUL byte: this is no text file".to_owned())),
        None => Ok(text),
    }
}

/// A key of a map, where it stands, and its value.
struct Entry<'n> {
    key: &'n str,
    at: &'n Node<'n>,
    value: &'n Node<'n>,
}

/// Turns the tree into options.
struct Reader<'t> {
    text: &'t str,
}

impl Reader<'_> {
    fn config(&self, root: &Node<'_>) -> Result<Config, Fault> {
        let none =
            || Fault::new(root.defined, "there are no processes: write processes: and, below it, - cmd: PROGRAM");
        let entries = match &root.value {
            Value::Null => return Err(none()),
            Value::Map(entries) => self.entries(entries)?,
            _ => {
                let found = self.found(root);
                return Err(Fault::new(root.defined, format!("the file begins with {found}: write processes: above")));
            }
        };
        let (mut time_format, mut processes, mut places) = (None, None, Vec::new());
        for Entry { key, at, value } in entries {
            match key {
                "timeFormat" => time_format = self.time_format(value)?,
                "processes" => {
                    let (configs, all) = self.processes(value)?.into_iter().unzip();
                    (processes, places) = (Some(configs), all);
                }
                _ if nearest(key, &TOP_KEYS).is_none() && self.is_for_anchors(key, at, value) => {}
                _ => return Err(unknown_key(at, key, &TOP_KEYS, "at the top are", &PROCESS_KEYS, "within a process")),
            }
        }
        Ok(Config { time_format, processes: processes.ok_or_else(none)?, places })
    }

    /// A key of its own at the top: `x-…`, or one that is only there for the anchor on its value.
    fn is_for_anchors(&self, key: &str, at: &Node<'_>, value: &Node<'_>) -> bool {
        let (key_end, start) = (yaml::range(at.defined).map(|key| key.end), yaml::range(value.defined));
        let between = key_end.zip(start).and_then(|(key_end, value)| self.text.get(key_end..value.start));
        let has_anchor = |line: &str| line.split('#').next().is_some_and(|line| line.contains(" &"));
        key.starts_with("x-") || between.is_some_and(|text| text.lines().any(has_anchor))
    }

    fn time_format(&self, node: &Node<'_>) -> Result<Option<Timestamp>, Fault> {
        if matches!(node.value, Value::Null) {
            return Ok(None);
        }
        let format = self.line("timeFormat", "a text such as '15:04:05'", node)?;
        if format.is_empty() {
            return Ok(None);
        }
        let parsed = Timestamp::parse(format);
        parsed.map(Some).map_err(|message| Fault::new(node.defined, format!("'timeFormat': {message}")))
    }

    fn processes(&self, node: &Node<'_>) -> Result<Vec<(ProcessConfig, Places)>, Fault> {
        let list = match &node.value {
            Value::List(list) if !list.is_empty() => list,
            Value::List(_) | Value::Null => {
                return Err(Fault::new(node.defined, "'processes' is empty: write - cmd: PROGRAM below it"));
            }
            _ => return Err(self.wrong("processes", "a list, with - cmd: PROGRAM for each", node)),
        };
        let mut processes = Vec::with_capacity(list.len());
        let mut names: HashMap<String, u64> = HashMap::new();
        for node in list {
            let (process, places, named) = self.process(node)?;
            let line = named.at.referenced.line();
            if let Some(first) = names.insert(process.name.clone(), line) {
                let name = shown(&process.name);
                let message = if named.by_name {
                    format!("a second process is called '{name}', the first is on line {first}: give it another name")
                } else {
                    format!(
                        "this process has no name and is called '{name}', as that on line {first} is: give it a name"
                    )
                };
                return Err(Fault::new(named.at.referenced, message));
            }
            processes.push((process, places));
        }
        Ok(processes)
    }

    fn process<'n>(&'n self, node: &'n Node<'n>) -> Result<(ProcessConfig, Places, Named<'n>), Fault> {
        let Value::Map(entries) = &node.value else {
            let found = self.found(node);
            return Err(Fault::new(
                node.defined,
                format!("a process is keys with values, not {found}: write cmd: PROGRAM"),
            ));
        };
        let mut process = ProcessConfig::new("");
        let (mut cmd, mut name, mut waits, mut dir_at) = (None, None, [None; 2], Place::default());
        for Entry { key, at, value } in self.entries(entries)? {
            match key {
                "name" => name = Some((self.line(key, "a text such as web", value)?, value)),
                "cmd" => cmd = Some((self.cmd(value)?, value)),
                "args" => process.args = self.args(value)?,
                "env" => process.env = self.env(value)?,
                "dir" => {
                    process.dir = self.dir(value)?.map(Into::into);
                    dir_at = Place::of(value);
                }
                "minWait" => waits[0] = self.duration(key, value)?.map(|wait| (wait, value)),
                "maxWait" => waits[1] = self.duration(key, value)?.map(|wait| (wait, value)),
                "sigKillWait" => process.sig_kill_wait = self.duration(key, value)?.unwrap_or(process.sig_kill_wait),
                "stopSignal" => process.stop_signal = self.stop_signal(value)?.unwrap_or(process.stop_signal),
                "drain" => process.drain = self.drain(value)?,
                "noRestartOn" => process.no_restart_on = self.no_restart_on(value)?,
                "signals" => process.signals = self.signals(value)?,
                _ => {
                    return Err(unknown_key(
                        at,
                        key,
                        &PROCESS_KEYS,
                        "a process has",
                        &TOP_KEYS,
                        "at the top of the file",
                    ));
                }
            }
        }
        let (cmd, cmd_at) =
            cmd.ok_or_else(|| Fault::new(node.referenced, "this process has no cmd: add cmd: PROGRAM"))?;
        process.cmd = cmd.into();
        self.waits(&mut process, waits)?;
        let named = match name {
            Some((name, at)) if !name.is_empty() => {
                process.name = name.to_owned();
                Named { by_name: true, at }
            }
            _ => {
                process.name = name_from(cmd, cmd_at)?;
                Named { by_name: false, at: cmd_at }
            }
        };
        Ok((process, Places { cmd: Place::of(cmd_at), dir: dir_at }, named))
    }

    fn waits(&self, process: &mut ProcessConfig, given: [Option<(Duration, &Node<'_>)>; 2]) -> Result<(), Fault> {
        let [least, most] = given;
        process.min_wait = least.map_or(process.min_wait, |(least, _)| least);
        if let Some((most, at)) = most {
            if most < process.min_wait {
                let default = if least.is_none() { ", the default" } else { "" };
                return Err(Fault::new(
                    at.defined,
                    format!(
                        "'maxWait' of {} is below 'minWait' of {}{default}: raise the one or lower the other",
                        Spelled(most),
                        Spelled(process.min_wait)
                    ),
                ));
            }
            process.max_wait = most;
        }
        // As in pmux, the least wins over a most that nobody gave.
        process.max_wait = process.max_wait.max(process.min_wait);
        Ok(())
    }

    fn cmd<'n>(&'n self, node: &'n Node<'_>) -> Result<&'n str, Fault> {
        if yaml::letters(self.text, node) == Some("") && self.mark_before(node).is_none() {
            return Err(Fault::new(node.defined, "'cmd' is empty: write the program that is to be run"));
        }
        self.word("cmd", "a program such as nginx", node)
    }

    fn args(&self, node: &Node<'_>) -> Result<Vec<OsString>, Fault> {
        let wanted = "texts such as --port; quote what holds ': ', '[' or '{'";
        if let Some(list) = yaml::letters(self.text, node).and_then(listed) {
            return Err(self.wrong("args", &format!("a list: {list}"), node));
        }
        let items = self.items("args", "a list such as [--port, 8080]", node)?;
        items.iter().map(|item| self.word("args", wanted, item).map(Into::into)).collect()
    }

    fn env(&self, node: &Node<'_>) -> Result<Vec<(OsString, OsString)>, Fault> {
        let entries = match &node.value {
            Value::Map(entries) => self.entries(entries)?,
            Value::Null => return Ok(Vec::new()),
            _ => return Err(self.wrong("env", "names with values such as TZ: UTC", node)),
        };
        let variable = |Entry { key, at, value }: Entry<'_>| {
            if key.is_empty() {
                return Err(Fault::new(at.defined, "a variable without a name: write NAME: VALUE"));
            }
            if let Some((name, _)) = key.split_once('=') {
                let (key, name) = (shown(key), shown(name));
                return Err(Fault::new(
                    at.defined,
                    format!("the variable '{key}' has a '=' in its name: write {name}: VALUE"),
                ));
            }
            without_nul("env", at, key)?;
            let value = match value.value {
                Value::Null => "",
                _ => self.word(&shown(key), "a text; quote what holds ': ', '[' or '{'", value)?,
            };
            Ok((key.into(), value.into()))
        };
        entries.into_iter().map(variable).collect()
    }

    fn dir<'n>(&'n self, node: &'n Node<'_>) -> Result<Option<&'n str>, Fault> {
        if yaml::letters(self.text, node) == Some("") {
            return Ok(None);
        }
        // Whether it is there is seen when the process is started: a volume may come later.
        self.word("dir", "a path such as /srv/web", node).map(Some)
    }

    /// A time; none where there is none, or 0, which is how pmux's files ask for the default.
    fn duration(&self, key: &str, node: &Node<'_>) -> Result<Option<Duration>, Fault> {
        if matches!(node.value, Value::Null) {
            return Ok(None);
        }
        let word = self.scalar(key, "a duration such as 10s", node)?;
        // The message holds the word as it can be shown: cut or escaped, it is no duration either.
        let time = duration::parse(word).or_else(|_| duration::parse(&shown(word)));
        let time = time.map_err(|message| Fault::new(node.defined, format!("'{key}': {message}")))?;
        Ok(Some(time).filter(|time| !time.is_zero()))
    }

    /// `None`: nothing stands there.
    fn stop_signal(&self, node: &Node<'_>) -> Result<Option<Signal>, Fault> {
        if matches!(node.value, Value::Null) {
            return Ok(None);
        }
        let word = shown(self.scalar("stopSignal", "a signal such as TERM", node)?);
        let fault = |message| Fault::new(node.defined, format!("'stopSignal': {message}"));
        let signal: Signal = word.parse().map_err(|error| fault(format!("{error}")))?;
        if NEVER_STOP.contains(&signal) {
            return Err(fault(format!("{signal} ends no process: write one that does, such as TERM")));
        }
        Ok(Some(signal))
    }

    fn drain(&self, node: &Node<'_>) -> Result<bool, Fault> {
        let wanted = "true or false (how long it takes at most is sigKillWait)";
        match yaml::letters(self.text, node).map(str::to_ascii_lowercase).as_deref() {
            Some("true" | "yes" | "on") => Ok(true),
            Some("false" | "no" | "off" | "") => Ok(false),
            _ => Err(self.wrong("drain", wanted, node)),
        }
    }

    fn no_restart_on(&self, node: &Node<'_>) -> Result<Vec<NoRestartOn>, Fault> {
        let wanted = "exit codes and signals such as 0 or TERM";
        let end = |item| {
            let word = yaml::letters(self.text, item).ok_or_else(|| self.wrong("noRestartOn", wanted, item))?;
            let end = shown(word).parse();
            end.map_err(|error| Fault::new(item.defined, format!("'noRestartOn': {error}")))
        };
        self.items("noRestartOn", "a list such as [0, TERM]", node)?.iter().map(end).collect()
    }

    /// Signals that can come to panicmon; none where there is nothing. An empty list is no signal at all.
    fn signals(&self, node: &Node<'_>) -> Result<Option<SignalSet>, Fault> {
        let signal = |item| {
            let word = self.scalar("signals", "names of signals such as USR1", item)?;
            let signal = shown(word).parse().map_err(|error: ParseSignalError| error.to_string());
            signal
                .and_then(|signal| match signal {
                    Signal::KILL | Signal::STOP | Signal::CHLD => {
                        Err(format!("{signal} is never passed on: leave it out"))
                    }
                    _ => Ok(signal),
                })
                .map_err(|message| Fault::new(item.defined, format!("'signals': {message}")))
        };
        match &node.value {
            Value::Null => Ok(None),
            Value::List(items) => items.iter().map(signal).collect::<Result<_, _>>().map(Some),
            Value::Map(_) => Err(self.wrong("signals", "a list such as [USR1, HUP]", node)),
            Value::Bare | Value::Text(_) => Ok(Some(SignalSet::EMPTY.with(signal(node)?))),
        }
    }

    /// The items of a list; none where there is nothing.
    fn items<'n>(&self, key: &str, wanted: &str, node: &'n Node<'n>) -> Result<&'n [Node<'n>], Fault> {
        match &node.value {
            Value::List(items) => Ok(items),
            Value::Null => Ok(&[]),
            _ => Err(self.wrong(key, wanted, node)),
        }
    }

    /// The entries of a map, each key once.
    fn entries<'n>(&'n self, map: &'n [(Node<'n>, Node<'n>)]) -> Result<Vec<Entry<'n>>, Fault> {
        let mut lines: HashMap<&str, u64> = HashMap::new();
        let mut entries = Vec::with_capacity(map.len());
        for (at, value) in map {
            let Some(key) = yaml::letters(self.text, at) else {
                return Err(Fault::new(at.defined, format!("a key is a word, not {}: quote it", self.found(at))));
            };
            if let Some(first) = lines.insert(key, at.defined.line()) {
                let key = shown(key);
                return Err(Fault::new(
                    at.defined,
                    format!("the key '{key}' is given twice, first on line {first}: keep one of them"),
                ));
            }
            entries.push(Entry { key, at, value });
        }
        Ok(entries)
    }

    /// A word that can stand in a line.
    fn line<'n>(&'n self, key: &str, wanted: &str, node: &'n Node<'_>) -> Result<&'n str, Fault> {
        let word = self.scalar(key, wanted, node)?;
        if word.contains(yaml::is_unprintable) {
            let word = shown(word);
            return Err(Fault::new(
                node.defined,
                format!("'{key}' holds a control character, which would garble lines: '{word}': leave it out"),
            ));
        }
        Ok(word)
    }

    /// A word that can be passed to a program.
    fn word<'n>(&'n self, key: &str, wanted: &str, node: &'n Node<'_>) -> Result<&'n str, Fault> {
        let word = self.scalar(key, wanted, node)?;
        without_nul(key, node, word)?;
        Ok(word)
    }

    fn scalar<'n>(&'n self, key: &str, wanted: &str, node: &'n Node<'_>) -> Result<&'n str, Fault> {
        let letters = yaml::letters(self.text, node).ok_or_else(|| self.wrong(key, wanted, node))?;
        match &node.value {
            Value::Null if letters.is_empty() => {
                if let Some(mark) = self.mark_before(node) {
                    let mark = shown(mark);
                    return Err(Fault::new(
                        node.defined,
                        format!("YAML takes '{mark}' for an anchor (&name), in '{key}': quote it"),
                    ));
                }
                Err(Fault::new(node.defined, format!("nothing stands here, in '{key}': write '' for an empty text")))
            }
            Value::Null => {
                let word = shown(letters);
                Err(Fault::new(node.defined, format!("{word} means nothing at all, in '{key}': quote it: '{word}'")))
            }
            _ => Ok(letters),
        }
    }

    /// The anchor that is all that stands here.
    fn mark_before(&self, node: &Node<'_>) -> Option<&str> {
        let before = self.text.get(..yaml::range(node.defined)?.start)?;
        let line = before.lines().next_back()?.trim_end();
        line.rsplit([' ', '\t', '[', '{', ',']).next().filter(|word| word.starts_with('&'))
    }

    /// Something else is wanted here.
    fn wrong(&self, key: &str, wanted: &str, node: &Node<'_>) -> Fault {
        Fault::new(node.defined, format!("{} is not for '{key}': write {wanted}", self.found(node)))
    }

    /// What a node is, in words.
    fn found(&self, node: &Node<'_>) -> String {
        match &node.value {
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a map (key: value)".to_owned(),
            _ => match yaml::letters(self.text, node).unwrap_or_default() {
                "" => "nothing".to_owned(),
                word => format!("the word '{}'", shown(word)),
            },
        }
    }
}

/// What gave a process its name.
struct Named<'n> {
    by_name: bool,
    at: &'n Node<'n>,
}

/// A process that has no name goes by its program.
fn name_from(cmd: &str, at: &Node<'_>) -> Result<String, Fault> {
    let name = Path::new(cmd).file_name().and_then(OsStr::to_str).unwrap_or(cmd);
    if name.contains(yaml::is_unprintable) {
        return Err(Fault::new(
            at.defined,
            format!("'{}' is no name, it holds a control character: add name: NAME", shown(name)),
        ));
    }
    Ok(name.to_owned())
}

/// Words in one text as a list in YAML, if they need no quotes for that.
fn listed(text: &str) -> Option<String> {
    const LONGEST: usize = 60;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '=' | '+' | ' ');
    let is_short = text.len() <= LONGEST && !text.trim().is_empty();
    (is_short && text.chars().all(is_plain))
        .then(|| format!("[{}]", text.split_whitespace().collect::<Vec<_>>().join(", ")))
}

fn without_nul(key: &str, node: &Node<'_>, word: &str) -> Result<(), Fault> {
    if word.contains('\0') {
        // Without the word: a variable's may be a secret.
        let message = format!("'{key}' holds a NUL character, which can't be passed to a program: leave it out");
        return Err(Fault::new(node.defined, message));
    }
    Ok(())
}

/// A key that isn't one of these: the nearest is meant, or it stands in the wrong place.
fn unknown_key(at: &Node<'_>, key: &str, known: &[&str], these: &str, others: &[&str], there: &str) -> Fault {
    let word = shown(key);
    let advice = match (synonyms::synonym(key), nearest(key, known)) {
        (Some((meant, advice)), _) if known.contains(&meant) => advice,
        (Some((meant, advice)), _) if others.contains(&meant) => format!("{advice}, and belongs {there}"),
        (_, Some(nearest)) => format!("did you mean '{nearest}'?"),
        _ if others.contains(&key) => format!("it belongs {there}"),
        _ => format!("{these} {}", known.join(", ")),
    };
    Fault::new(at.defined, format!("unknown key '{word}': {advice}"))
}

#[cfg(test)]
mod tests;
