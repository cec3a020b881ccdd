//! The known word that is nearest to an unknown one.

/// How many characters of a word are compared: no known word is longer.
const COMPARED_CHARACTERS: usize = 32;

/// The nearest known word with at most one slip in three letters, without regard to case, hyphens and underscores.
pub(crate) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let folded = fold(word);
    known
        .iter()
        .map(|known| (distance(&folded, &fold(known)), *known))
        .filter(|(distance, known)| *distance <= known.len() / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// A word without regard to case, hyphens and underscores.
pub(crate) fn fold(word: &str) -> Vec<char> {
    word.chars()
        .take(COMPARED_CHARACTERS)
        .filter(|c| !matches!(c, '-' | '_' | ' '))
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// How many letters must be inserted, left out, replaced, or swapped with the next.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut rows: Vec<Vec<usize>> = vec![(0..=to.len()).collect()];
    for (i, a) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let mut least = (rows[i][j] + usize::from(a != b)).min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == to[j - 1] && from[i - 1] == *b {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_near_and_another_word_is_not() {
        let known = ["name", "cmd", "args", "env", "dir", "minWait", "maxWait", "sigKillWait", "noRestartOn"];
        for (word, expected) in [
            ("nmae", Some("name")),
            ("Cmd", Some("cmd")),
            ("agrs", Some("args")),
            ("minwait", Some("minWait")),
            ("min_wait", Some("minWait")),
            ("max-wiat", Some("maxWait")),
            ("sigkilwait", Some("sigKillWait")),
            ("no_restart_on", Some("noRestartOn")),
            ("evn", Some("env")),
            ("dirs", Some("dir")),
            ("command", None),
            ("x", None),
            ("", None),
            ("user", None),
        ] {
            assert_eq!(nearest(word, &known), expected, "{word}");
        }
        assert_eq!(nearest(&"minWait".repeat(100_000), &known), None);
    }
}
