//! The keys of a process.

use super::config::{Place, Places};
use super::fault::Fault;
use super::keys::unknown_in_process;
use super::nodes::{Entry, Reader, without_nul};
use super::yaml::{self, Node, Value};
use crate::formats::duration;
use crate::model::duration::Exact;
use crate::model::printable::{is_unprintable, shown};
use crate::model::process_config::ProcessConfig;
use crate::model::signal::{Signal, SignalSet};
use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

/// Signals that can't be a stop signal: their default actions don't end a process, and handlers catch them for other ends.
const NEVER_STOP: [Signal; 6] = [Signal::CHLD, Signal::CONT, Signal::STOP, Signal::TSTP, Signal::TTIN, Signal::TTOU];

/// What gave a process its name.
pub(super) struct Named<'n> {
    pub(super) by_name: bool,
    pub(super) at: &'n Node<'n>,
}

impl Reader<'_> {
    /// One process, where its values are written, and what named it.
    pub(super) fn process<'n>(&'n self, node: &'n Node<'n>) -> Result<(ProcessConfig, Places, Named<'n>), Fault> {
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
                "noRestartOn" => process.no_restart_on = self.ends(key, value)?,
                "success" => process.success = self.ends(key, value)?,
                "signals" => process.signals = self.signals(value)?,
                _ => return Err(unknown_in_process(at, key)),
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
                        Exact(most),
                        Exact(process.min_wait)
                    ),
                ));
            }
            process.max_wait = most;
        }
        // As in pmux, a least wait above the default of the most raises that.
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
        // It need not exist yet: a volume may be mounted later.
        self.word("dir", "a path such as /srv/web", node).map(Some)
    }

    /// A duration; `None`: no value, or 0, which is the default in pmux, too.
    fn duration(&self, key: &str, node: &Node<'_>) -> Result<Option<Duration>, Fault> {
        if matches!(node.value, Value::Null) {
            return Ok(None);
        }
        let word = self.scalar(key, "a duration such as 10s", node)?;
        // For the message, of the word as it can be shown: cut or escaped, it isn't a duration either.
        let time = duration::parse(word).or_else(|_| duration::parse(&shown(word)));
        let time = time.map_err(|message| Fault::new(node.defined, format!("'{key}': {message}")))?;
        Ok(Some(time).filter(|time| !time.is_zero()))
    }

    /// A signal; `None`: no value.
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
        self.switch("drain", "true or false (how long it takes at most is sigKillWait)", node)
    }

    pub(super) fn switch(&self, key: &str, wanted: &str, node: &Node<'_>) -> Result<bool, Fault> {
        match yaml::letters(self.text, node).map(str::to_ascii_lowercase).as_deref() {
            Some("true" | "yes" | "on") => Ok(true),
            Some("false" | "no" | "off" | "") => Ok(false),
            _ => Err(self.wrong(key, wanted, node)),
        }
    }

    /// Exit codes and signals, and what else the key understands.
    fn ends<E: FromStr<Err: Display>>(&self, key: &str, node: &Node<'_>) -> Result<Vec<E>, Fault> {
        let wanted = "exit codes and signals such as 0 or TERM";
        let end = |item| {
            let word = yaml::letters(self.text, item).ok_or_else(|| self.wrong(key, wanted, item))?;
            shown(word).parse().map_err(|error| Fault::new(item.defined, format!("'{key}': {error}")))
        };
        self.items(key, "a list such as [0, TERM]", node)?.iter().map(end).collect()
    }

    /// The signals that are passed on; `None`: no value, which isn't the same as an empty list.
    fn signals(&self, node: &Node<'_>) -> Result<Option<SignalSet>, Fault> {
        let signal = |item| {
            let word = shown(self.scalar("signals", "names of signals such as USR1", item)?);
            passed_on(&word).map_err(|message| Fault::new(item.defined, format!("'signals': {message}")))
        };
        match &node.value {
            Value::Null => Ok(None),
            Value::List(items) => items.iter().map(signal).collect::<Result<_, _>>().map(Some),
            Value::Map(_) => Err(self.wrong("signals", "a list such as [USR1, HUP]", node)),
            Value::Bare | Value::Text(_) => Ok(Some(SignalSet::EMPTY.with(signal(node)?))),
        }
    }
}

/// A process that has no name goes by its program.
fn name_from(cmd: &str, at: &Node<'_>) -> Result<String, Fault> {
    let name = Path::new(cmd).file_name().and_then(OsStr::to_str).unwrap_or(cmd);
    if name.contains(is_unprintable) {
        return Err(Fault::new(
            at.defined,
            format!("'{}' is no name, it holds a control character: add name: NAME", shown(name)),
        ));
    }
    Ok(name.to_owned())
}

/// A signal that can be passed on to a process.
fn passed_on(word: &str) -> Result<Signal, String> {
    match word.parse::<Signal>() {
        Ok(signal @ (Signal::KILL | Signal::STOP | Signal::CHLD)) => {
            Err(format!("{signal} is never passed on: leave it out"))
        }
        Ok(signal) => Ok(signal),
        Err(_) if word.contains([',', ' ']) => {
            let words = word.split([',', ' ']).filter(|word| !word.is_empty());
            Err(format!("'{word}' is one word: write a list: [{}]", words.collect::<Vec<_>>().join(", ")))
        }
        Err(error) => Err(error.to_string()),
    }
}

/// Words in one text as a list in YAML, if they need no quotes for that.
fn listed(text: &str) -> Option<String> {
    const MAX_BYTES: usize = 60;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '=' | '+' | ' ');
    let is_short = text.len() <= MAX_BYTES && !text.trim().is_empty();
    (is_short && text.chars().all(is_plain))
        .then(|| format!("[{}]", text.split_whitespace().collect::<Vec<_>>().join(", ")))
}
