//! YAML text to a tree in which each node knows its place and its letters.

use super::fault::Fault;
use crate::model::printable::{is_unprintable, shown};
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::granit_parser::ErrorKind;
use serde_saphyr::{
    DuplicateKeyPolicy, Error, ExternalMessageSource, Location, NonFiniteFloatPolicy, Options, Spanned,
};
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// How many levels of lists and maps a file may have: each costs stack.
const MAX_LEVELS: usize = 32;
/// How many values a file may have beyond what its size allows, those repeated by aliases: a bound on time and memory.
const MAX_REPEATED_NODES: usize = 20_000;
/// How many bytes of a file allow one value. A process of two dozen bytes has five.
const BYTES_FOR_A_NODE: usize = 4;
/// How many bytes of text a file may have, those repeated by aliases included.
const MAX_TEXT_BYTES: usize = 2 * 1024 * 1024;

/// A value and its locations: `defined`, where it is written, and `referenced`, where an alias repeats it.
pub(super) type Node<'a> = Spanned<Value<'a>>;

/// A list and a map keep their order, and a map the keys that are given twice.
#[derive(Debug)]
pub(super) enum Value<'a> {
    /// `~`, `null`, or nothing at all.
    Null,
    /// What YAML takes for a number or a boolean: only the text has its letters.
    Bare,
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Map(Vec<(Node<'a>, Node<'a>)>),
}

/// Reads one document.
pub(super) fn parse(text: &str) -> Result<Node<'_>, Fault> {
    serde_saphyr::from_str_with_options(text, options(max_nodes(text))).map_err(|error| fault(text, &error))
}

/// The letters of a scalar as they are written; `None` for a list or a map.
pub(super) fn letters<'n>(text: &'n str, node: &'n Node<'_>) -> Option<&'n str> {
    match &node.value {
        Value::Text(letters) => Some(letters),
        Value::Null => Some(source(text, node.defined)),
        // A tag may make a number of a word in quotes: !!int "5".
        Value::Bare => Some(source(text, node.defined).trim_matches(['"', '\''])),
        Value::List(_) | Value::Map(_) => None,
    }
}

/// The part of the text at a location.
fn source(text: &str, location: Location) -> &str {
    range(location).and_then(|range| text.get(range)).unwrap_or_default()
}

/// Where a location begins and ends in the text, in bytes.
pub(super) fn range(location: Location) -> Option<Range<usize>> {
    let span = location.span();
    let start = usize::try_from(span.byte_offset()?).ok()?;
    let end = start.checked_add(usize::try_from(span.byte_len()?).ok()?)?;
    Some(start..end)
}

/// How many values this text may have, those repeated by aliases included.
fn max_nodes(text: &str) -> usize {
    MAX_REPEATED_NODES + text.len() / BYTES_FOR_A_NODE
}

#[allow(clippy::redundant_field_names, reason = "the macro wants it")]
fn options(max_nodes: usize) -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_LEVELS,
            flow_nesting_limit: MAX_LEVELS,
            max_nodes: max_nodes,
            max_events: 4 * max_nodes,
            max_aliases: max_nodes,
            max_anchors: max_nodes,
            max_recorded_anchor_events: max_nodes,
            max_recorded_anchor_bytes: MAX_TEXT_BYTES,
            max_total_scalar_bytes: MAX_TEXT_BYTES,
            // Many aliases of one anchor are legitimate.
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 2 * max_nodes,
            max_replay_stack_depth: MAX_LEVELS,
        },
        // Reported by `Reader::entries`, with the lines of both.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        ignore_binary_tag_for_string: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value<'de>, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a list or keys with values")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bare)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Value<'de>, E> {
        Ok(Value::Bare)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Value<'de>, E> {
        Ok(Value::Bare)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Value<'de>, E> {
        Ok(Value::Bare)
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value<'de>, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Value::Map(map))
    }
}

/// The parser's error in words for the author of the file.
fn fault(text: &str, error: &Error) -> Fault {
    // An error that appears only where an alias repeats a value is reported at the alias.
    if let Error::AliasError { error, locations, .. } = error {
        let Fault { message, .. } = fault(text, error);
        return Fault::new(locations.reference_location, message);
    }
    let location = error.location().unwrap_or(Location::UNKNOWN);
    let message = match error {
        Error::ExternalMessage { source, msg, .. } => match source.as_ref() {
            ExternalMessageSource::Parser(error) if is_tab(error.kind()) => return tab(text, location),
            ExternalMessageSource::Parser(error) => syntax(error.kind(), msg),
            _ => msg.clone(),
        },
        Error::Budget { breach, .. } => match breach {
            BudgetBreach::Depth { .. } => too_deep(),
            BudgetBreach::ScalarBytes { .. } | BudgetBreach::RecordedAnchorBytes { .. } => format!(
                "more than {} MiB of text, what aliases (*name) repeat included: make it shorter",
                MAX_TEXT_BYTES / 1024 / 1024
            ),
            _ => too_much(text),
        },
        Error::AliasReplayLimitExceeded { .. } | Error::AliasExpansionLimitExceeded { .. } => too_much(text),
        Error::AliasReplayStackDepthExceeded { .. } => too_deep(),
        Error::MultipleDocuments { .. } => "a second document begins here: keep one to a file".to_owned(),
        Error::UnknownAnchor { .. } => {
            "there is no anchor (&name) of this name above: add one, or quote a word that begins with '*'".to_owned()
        }
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            "an alias (*name) within its own anchor (&name): write out what is meant".to_owned()
        }
        Error::MergeValueNotMapOrSeqOfMaps { .. } => {
            "'<<' wants the alias of a map: write <<: *name, with name: &name and its keys above".to_owned()
        }
        Error::UnsupportedTag { tag, .. } => {
            format!("the tag '{}' has no meaning here: leave it out, or quote a word that begins with '!'", shown(tag))
        }
        Error::InvalidScalar { .. } => "this isn't what its tag (!!...) says: leave the tag out".to_owned(),
        // The remaining errors aren't known to occur here; the parser's own words are better than nothing.
        error => format!("this is not understood: {}", error.without_snippet()),
    };
    Fault::new(location, message)
}

fn too_deep() -> String {
    format!("more than {MAX_LEVELS} levels, one within another: a file of processes needs five")
}

fn too_much(text: &str) -> String {
    format!("more than {} values, what aliases (*name) repeat included: make several files of it", max_nodes(text))
}

fn is_tab(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::TabNotAllowed
            | ErrorKind::TabInBlockIndentation
            | ErrorKind::TabInIndentation
            | ErrorKind::TabAtBlockScalarStart
            | ErrorKind::TabInPlainScalar
    )
}

/// Finds the tab itself: the parser's location is the beginning of the word before or after it.
fn tab(text: &str, location: Location) -> Fault {
    let message = "a tab: indent with spaces";
    let told = Fault::new(location, message);
    let indented = (1..).zip(text.lines()).skip_while(|(line, _)| *line < told.line).find_map(|(line, letters)| {
        let indentation = letters.len() - letters.trim_start().len();
        let column = letters.get(..indentation)?.find('\t')? as u64 + 1;
        Some(Fault { line, column, message: message.to_owned() })
    });
    indented.unwrap_or(told)
}

/// What is wrong with a text that isn't YAML.
fn syntax(kind: &ErrorKind, words: &str) -> String {
    match kind {
        ErrorKind::RecursionLimitExceeded => too_deep(),
        ErrorKind::UnclosedQuotedScalar | ErrorKind::DocumentIndicatorInQuotedScalar => {
            "this quote is never closed: add the second one".to_owned()
        }
        ErrorKind::InvalidQuotedScalarIndent => {
            "a quote above is never closed: add the second one, or indent the text more than its key".to_owned()
        }
        ErrorKind::UnclosedFlowCollection { open } => {
            format!("this '{open}' is never closed: add its '{}'", if *open == '[' { ']' } else { '}' })
        }
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            format!("this '{open}' is closed by a '{close}': write '{}'", if *open == '[' { ']' } else { '}' })
        }
        ErrorKind::MisplacedFlowCollectionEnd => {
            "this bracket closes nothing: take it out, or quote the word it is part of".to_owned()
        }
        ErrorKind::InvalidBlockScalarHeader => {
            "'|' and '>' begin a text on the lines below: quote a word that begins so".to_owned()
        }
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => {
            "more follows a closing quote: quote all of it".to_owned()
        }
        ErrorKind::UnexpectedCharacter { character } if is_unprintable(*character) => {
            format!("the control character {}: take it out", character.escape_default())
        }
        ErrorKind::UnexpectedCharacter { character } => {
            format!("no word begins with '{}': quote it", shown(character.encode_utf8(&mut [0; 4])))
        }
        ErrorKind::MissingAnchorOrAliasName => "'*' and '&' are for aliases and anchors: quote this word".to_owned(),
        ErrorKind::UnknownQuotedScalarEscape | ErrorKind::InvalidQuotedScalarHexEscape => {
            "a backslash that means nothing here: double it, or use single quotes".to_owned()
        }
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => {
            "a ':' where no key can be: check the indentation, or quote the text it is in".to_owned()
        }
        ErrorKind::ExpectedBlockMappingKey => {
            "this is no key: value of what is above: indent it as the others, or quote the text it is in".to_owned()
        }
        ErrorKind::ExpectedDocumentStart => {
            "this belongs to nothing above: check indentation, quotes and brackets".to_owned()
        }
        ErrorKind::SimpleKeyExpected => "a key without its ':': write key: value".to_owned(),
        ErrorKind::ExpectedFlowMappingSeparator => "a ',' or '}' is missing here: add it".to_owned(),
        ErrorKind::ExpectedFlowSequenceSeparator => "a ',' or ']' is missing here: add it".to_owned(),
        ErrorKind::PlainScalarStartsWithDashFlowIndicator => "a '-' alone is no word here: quote it".to_owned(),
        _ => format!("this is not YAML: {words}: check indentation, quotes and brackets"),
    }
}
