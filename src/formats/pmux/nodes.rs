//! Words, lists and maps out of the tree.

use super::fault::Fault;
use super::yaml::{self, Node, Value};
use crate::model::printable::{is_unprintable, shown};
use std::collections::BTreeMap;

/// Reads a tree; each file of keys adds its methods.
pub(super) struct Reader<'t> {
    /// The text that the tree was made from.
    pub(super) text: &'t str,
}

/// A key of a map, where it is written, and its value.
pub(super) struct Entry<'n> {
    pub(super) key: &'n str,
    pub(super) at: &'n Node<'n>,
    pub(super) value: &'n Node<'n>,
}

impl Reader<'_> {
    /// The items of a list; no value is an empty list.
    pub(super) fn items<'n>(&self, key: &str, wanted: &str, node: &'n Node<'n>) -> Result<&'n [Node<'n>], Fault> {
        match &node.value {
            Value::List(items) => Ok(items),
            Value::Null => Ok(&[]),
            _ => Err(self.wrong(key, wanted, node)),
        }
    }

    /// The entries of a map, each key once.
    pub(super) fn entries<'n>(&'n self, map: &'n [(Node<'n>, Node<'n>)]) -> Result<Vec<Entry<'n>>, Fault> {
        let mut lines: BTreeMap<&str, u64> = BTreeMap::new();
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

    /// A word without control characters, which can be part of a line.
    pub(super) fn line<'n>(&'n self, key: &str, wanted: &str, node: &'n Node<'_>) -> Result<&'n str, Fault> {
        let word = self.scalar(key, wanted, node)?;
        if word.contains(is_unprintable) {
            let word = shown(word);
            return Err(Fault::new(
                node.defined,
                format!("'{key}' holds a control character, which would garble lines: '{word}': leave it out"),
            ));
        }
        Ok(word)
    }

    /// A word that can be passed to a program.
    pub(super) fn word<'n>(&'n self, key: &str, wanted: &str, node: &'n Node<'_>) -> Result<&'n str, Fault> {
        let word = self.scalar(key, wanted, node)?;
        without_nul(key, node, word)?;
        Ok(word)
    }

    pub(super) fn scalar<'n>(&'n self, key: &str, wanted: &str, node: &'n Node<'_>) -> Result<&'n str, Fault> {
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
                Err(Fault::new(node.defined, format!("there is no value here, in '{key}': write '' for an empty text")))
            }
            Value::Null => {
                let word = shown(letters);
                Err(Fault::new(node.defined, format!("{word} is YAML's null, in '{key}': quote it: '{word}'")))
            }
            _ => Ok(letters),
        }
    }

    /// The anchor before an empty value: a word such as `&&` was meant.
    pub(super) fn mark_before(&self, node: &Node<'_>) -> Option<&str> {
        let before = self.text.get(..yaml::range(node.defined)?.start)?;
        let line = before.lines().next_back()?.trim_end();
        line.rsplit([' ', '\t', '[', '{', ',']).next().filter(|word| word.starts_with('&'))
    }

    /// The fault of a value of another kind than is wanted.
    pub(super) fn wrong(&self, key: &str, wanted: &str, node: &Node<'_>) -> Fault {
        Fault::new(node.defined, format!("{} is not for '{key}': write {wanted}", self.found(node)))
    }

    /// What a node is, in words.
    pub(super) fn found(&self, node: &Node<'_>) -> String {
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

pub(super) fn without_nul(key: &str, node: &Node<'_>, word: &str) -> Result<(), Fault> {
    if word.contains('\0') {
        // Without the word: the value of a variable may be a secret.
        let message = format!("'{key}' holds a NUL character, which can't be passed to a program: leave it out");
        return Err(Fault::new(node.defined, message));
    }
    Ok(())
}
