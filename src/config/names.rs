//! Looks up rules by name, and suggests the nearest for a misspelled one.

use strsim::levenshtein;

use super::ConfigError;
use crate::diagnostic::Rule;
use crate::rules;

/// How many characters of a value are repeated in a message.
const LONGEST_QUOTE: usize = 80;

/// The start of a text that may be long.
pub(super) fn start_of(text: &str) -> String {
    match text.char_indices().nth(LONGEST_QUOTE) {
        Some((at, _)) => format!("{}\u{2026}", &text[..at]),
        None => text.to_owned(),
    }
}

/// The first few of some texts, and the number of the others.
pub(super) fn in_short<S: AsRef<str>>(texts: &[S]) -> String {
    const FEW: usize = 3;
    let shown: Vec<String> = texts.iter().take(FEW).map(|text| start_of(text.as_ref())).collect();
    match texts.len().saturating_sub(FEW) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The rule of this name. The error names the nearest.
pub(crate) fn rule(name: &str) -> Result<&'static Rule, ConfigError> {
    rules::find(name).ok_or_else(|| ConfigError::UnknownRule {
        shown: nearest_rule(name),
    })
}

/// An unknown rule in quotes, with the nearest known one.
pub(crate) fn nearest_rule(name: &str) -> String {
    let shown = start_of(name);
    match nearest(name, rules::all().map(|rule| rule.name)) {
        Some(nearest) => format!("`{shown}`, did you mean `{nearest}`?"),
        None => format!("`{shown}`"),
    }
}

/// The only word that begins so, or the most similar one, if one is similar.
pub(crate) fn nearest<'w>(word: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    const FEWEST_TO_BEGIN_WITH: usize = 3;
    // No known word is that long, and the distance takes the product of both lengths.
    if word.len() > LONGEST_QUOTE {
        return None;
    }
    let word = word.to_ascii_lowercase();
    let words: Vec<&str> = words.collect();
    let mut begun = words.iter().filter(|known| known.starts_with(&word));
    let only = begun
        .next()
        .filter(|_| word.len() >= FEWEST_TO_BEGIN_WITH && begun.next().is_none());
    let (away, nearest) = words.iter().map(|known| (levenshtein(&word, known), *known)).min()?;
    let is_near = away <= word.len().max(4) / 2 && away < nearest.len();
    only.copied().or_else(|| is_near.then_some(nearest))
}

/// All rules of these names.
pub(crate) fn rules_named<S: AsRef<str>>(names: &[S]) -> Result<Vec<&'static Rule>, ConfigError> {
    names.iter().map(|name| rule(name.as_ref())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_word_shares_letters_or_a_beginning() {
        let words = ["error", "warning", "off", "fk", "unnamed-drop", "unnamed-constraint"];
        for (word, expected) in [
            ("warn", Some("warning")),
            ("Warning", Some("warning")),
            ("err", Some("error")),
            ("fkk", Some("fk")),
            ("unnamed-con", Some("unnamed-constraint")),
            ("unnamed", None),
            ("wa", None),
            ("zz", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, words.into_iter()), expected, "{word}");
        }
    }
}
