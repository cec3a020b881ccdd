//! The keys of reports, at the top of a file.

use super::config::{Place, ReportOption};
use super::fault::Fault;
use super::nodes::Reader;
use super::yaml::{Node, Value};

/// How the value of a key is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Word,
    /// One word, or a list of them.
    Words,
    Switch,
}

/// What a value is, in messages, by an example.
const KEYS: [(&str, Shape, &str); 12] = [
    ("events", Shape::Words, "stderr"),
    ("hook", Shape::Words, "./notify --chat"),
    ("hookOn", Shape::Words, "exited"),
    ("hookTimeout", Shape::Word, "10s"),
    ("report", Shape::Word, "/var/lib/web"),
    ("reportKeep", Shape::Word, "20"),
    ("terminationLog", Shape::Word, "/dev/termination-log"),
    ("metrics", Shape::Word, "/var/lib/web.prom"),
    ("stderrTail", Shape::Word, "64K"),
    ("stdoutTail", Shape::Word, "64K"),
    ("redact", Shape::Words, "'token=\\S+'"),
    ("reportArgs", Shape::Switch, "true"),
];

impl Reader<'_> {
    /// What a file says by this key; `None`: it is none of reports. What the words mean isn't looked at.
    pub(super) fn report_option(&self, key: &str, node: &Node<'_>) -> Option<Result<ReportOption, Fault>> {
        let (key, shape, example) = KEYS.into_iter().find(|(known, ..)| *known == key)?;
        Some(self.option(key, shape, example, node))
    }

    fn option(&self, key: &'static str, shape: Shape, example: &str, node: &Node<'_>) -> Result<ReportOption, Fault> {
        let nodes = match (&node.value, shape) {
            (Value::Null, _) => return Ok(ReportOption { key, values: Vec::new(), places: Vec::new() }),
            (Value::List(items), Shape::Words) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let wanted = match shape {
            Shape::Word => format!("a text such as {example}"),
            Shape::Words => format!("a text such as {example}, or a list of such"),
            Shape::Switch => "true or false".to_owned(),
        };
        let mut option = ReportOption { key, values: Vec::new(), places: Vec::new() };
        for node in nodes {
            let value = match shape {
                Shape::Switch if !self.switch(key, &wanted, node)? => continue,
                Shape::Switch => "true",
                Shape::Word | Shape::Words => self.word(key, &wanted, node)?,
            };
            option.values.push(value.to_owned());
            option.places.push(Place::of(node));
        }
        Ok(option)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::pmux::keys::TOP_KEYS;

    #[test]
    fn the_keys_are_known_at_the_top() {
        assert_eq!(TOP_KEYS[2..], KEYS.map(|(key, ..)| key));
    }
}
