//! Names of rules, as they are written and as they were meant.

use strsim::levenshtein;

use super::ConfigError;
use crate::diagnostic::Rule;
use crate::rules;

/// So much of a value is repeated in a sentence about it, in characters.
const LONGEST_QUOTE: usize = 80;

/// The beginning of a text that may be long.
pub(super) fn start_of(text: &str) -> String {
    match text.char_indices().nth(LONGEST_QUOTE) {
        Some((at, _)) => format!("{}\u{2026}", &text[..at]),
        None => text.to_owned(),
    }
}

/// The first of some texts, and how many there are besides.
pub(super) fn in_short<S: AsRef<str>>(texts: &[S]) -> String {
    const FEW: usize = 3;
    let shown: Vec<String> = texts.iter().take(FEW).map(|text| start_of(text.as_ref())).collect();
    match texts.len().saturating_sub(FEW) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The rule of this name, or the error that names the nearest.
pub(crate) fn rule(name: &str) -> Result<&'static Rule, ConfigError> {
    rules::find(name).ok_or_else(|| ConfigError::UnknownRule {
        shown: nearest_rule(name),
    })
}

/// A name that is no rule's, in quotes, with the rule that was meant, perhaps.
pub(crate) fn nearest_rule(name: &str) -> String {
    let shown = start_of(name);
    match nearest(name, rules::all().map(|rule| rule.name)) {
        Some(nearest) => format!("`{shown}`, did you mean `{nearest}`?"),
        None => format!("`{shown}`"),
    }
}

/// The word that is most like another, if it is like it at all.
pub(crate) fn nearest<'w>(word: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    // No word that is known is as long, and a long one would be compared letter by letter.
    if word.len() > LONGEST_QUOTE {
        return None;
    }
    let (away, nearest) = words.map(|known| (levenshtein(word, known), known)).min()?;
    (away <= word.len().max(4) / 2).then_some(nearest)
}

/// All rules of these names.
pub(crate) fn rules_named<S: AsRef<str>>(names: &[S]) -> Result<Vec<&'static Rule>, ConfigError> {
    names.iter().map(|name| rule(name.as_ref())).collect()
}
