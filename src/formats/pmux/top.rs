//! The keys at the top of a file.

use super::config::{Config, Places};
use super::fault::Fault;
use super::keys::{TOP_KEYS, unknown_at_top};
use super::nodes::{Entry, Reader};
use super::yaml::{self, Node, Value};
use crate::formats::nearest::nearest;
use crate::formats::timestamp::TimeFormat;
use crate::model::printable::shown;
use crate::model::process_config::ProcessConfig;
use std::collections::BTreeMap;

impl Reader<'_> {
    pub(super) fn config(&self, root: &Node<'_>) -> Result<Config, Fault> {
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
        let (mut time_format, mut processes, mut places, mut reports) = (None, None, Vec::new(), Vec::new());
        for Entry { key, at, value } in entries {
            if let Some(option) = self.report_option(key, value) {
                reports.push(option?);
                continue;
            }
            match key {
                "timeFormat" => time_format = self.time_format(value)?,
                "processes" => {
                    let (configs, all) = self.processes(value)?.into_iter().unzip();
                    (processes, places) = (Some(configs), all);
                }
                _ if nearest(key, &TOP_KEYS).is_none() && self.is_for_anchors(key, at, value) => {}
                _ => return Err(unknown_at_top(at, key)),
            }
        }
        Ok(Config { time_format, processes: processes.ok_or_else(none)?, reports, places })
    }

    /// A key of its own at the top: `x-…`, or one that is only there for the anchor on its value.
    fn is_for_anchors(&self, key: &str, at: &Node<'_>, value: &Node<'_>) -> bool {
        let (key_end, start) = (yaml::range(at.defined).map(|key| key.end), yaml::range(value.defined));
        let between = key_end.zip(start).and_then(|(key_end, value)| self.text.get(key_end..value.start));
        let has_anchor = |line: &str| line.split('#').next().is_some_and(|line| line.contains(" &"));
        key.starts_with("x-") || between.is_some_and(|text| text.lines().any(has_anchor))
    }

    fn time_format(&self, node: &Node<'_>) -> Result<Option<TimeFormat>, Fault> {
        if matches!(node.value, Value::Null) {
            return Ok(None);
        }
        let format = self.line("timeFormat", "a text such as '15:04:05'", node)?;
        if format.is_empty() {
            return Ok(None);
        }
        let parsed = format.parse::<TimeFormat>();
        parsed.map(Some).map_err(|error| Fault::new(node.defined, format!("'timeFormat': {error}")))
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
        let mut names: BTreeMap<String, u64> = BTreeMap::new();
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
}
