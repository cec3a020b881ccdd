//! Words that YAML silently takes for something else: `- && true` is the word `true`, with an anchor called `&`.

use super::fault::Fault;
use crate::model::printable::shown;
use serde_saphyr::granit_parser::{ScalarStyle, Scanner, StrInput, TokenType};

/// The first such word. The text must have been parsed: then its size and depth are bounded.
pub(super) fn misread(text: &str) -> Option<Fault> {
    Scanner::new(StrInput::new(text)).map_while(Result::ok).find_map(|token| {
        let start = token.span().start.byte_offset()?;
        let (mark, message) = match token.token_type() {
            TokenType::Anchor(name) if !is_name(name) => (
                start,
                format!(
                    "YAML takes '&{}' for an anchor (&name) of what follows: quote it, with what follows",
                    shown(name)
                ),
            ),
            TokenType::Tag(handle, suffix) if is_bare(handle, suffix) => {
                (start, "YAML takes '!' for a tag of what follows: quote it, with what follows".to_owned())
            }
            TokenType::Scalar(ScalarStyle::Literal | ScalarStyle::Folded, letters) if letters.is_empty() => (
                // The scanner tells where the text would have begun.
                text.get(..=start).unwrap_or(text).rfind(['|', '>'])?,
                "'|' and '>' begin a text on the lines below, and there is none: indent it, or quote the word"
                    .to_owned(),
            ),
            _ => return None,
        };
        Some(Fault::after(text.get(..mark)?, message))
    })
}

/// Whether this is likely to be the name of an anchor.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

fn is_bare(handle: &str, suffix: &str) -> bool {
    matches!((handle, suffix), ("!" | "", "" | "!"))
}
