//! Edits: byte ranges of a file and their replacements.

use std::collections::BTreeMap;

use crate::source::{SourceFile, Span};
use crate::work;

/// Whether a fix may be applied without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Safety {
    /// Nothing outside the commit can depend on what it changes.
    Safe,
    /// A database may hold what it changes, or a person must choose.
    Suggested,
}

impl Safety {
    /// Safe, unless a person should look at it first.
    pub(crate) const fn unless(needs_review: bool) -> Self {
        if needs_review { Self::Suggested } else { Self::Safe }
    }
}

/// One replacement in one file.
#[derive(Debug, Clone)]
pub struct Edit {
    /// The file.
    pub file: SourceFile,
    /// What is replaced.
    pub span: Span,
    /// The replacement.
    pub text: String,
}

impl Edit {
    pub(crate) fn replace(file: &SourceFile, span: Span, text: impl Into<String>) -> Self {
        Self {
            file: file.clone(),
            span,
            text: text.into(),
        }
    }

    pub(crate) fn insert(file: &SourceFile, at: usize, text: impl Into<String>) -> Self {
        Self::replace(file, Span::new(at, at), text)
    }
}

impl PartialEq for Edit {
    fn eq(&self, other: &Self) -> bool {
        self.file.path() == other.file.path() && self.span == other.span && self.text == other.text
    }
}

/// The edits that silence a finding, all or none.
#[derive(Debug, Clone, PartialEq)]
pub struct Fix {
    /// What it does, in the imperative.
    pub title: String,
    /// Whether it may be applied without asking.
    pub safety: Safety,
    /// The edits, in the order of the source.
    pub edits: Vec<Edit>,
}

impl Fix {
    /// A fix of these edits.
    #[must_use]
    pub fn new(title: impl Into<String>, safety: Safety, mut edits: Vec<Edit>) -> Self {
        edits.sort_by(|one, other| (one.file.path(), one.span).cmp(&(other.file.path(), other.span)));
        edits.dedup();
        Self {
            title: title.into(),
            safety,
            edits,
        }
    }
}

/// The text with several fixes applied. A fix that overlaps an earlier one is left out whole; the same edit twice counts once.
#[must_use]
pub fn apply<'f>(file: &SourceFile, fixes: impl IntoIterator<Item = &'f Fix>) -> String {
    let mut chosen = Chosen::default();
    for fix in fixes {
        chosen.take(fix.edits.iter().filter(|edit| edit.file.path() == file.path()));
    }
    let text = file.text();
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    for edit in chosen.edits.values().flatten() {
        result.push_str(text.get(at..edit.span.start).unwrap_or_default());
        result.push_str(&edit.text);
        at = edit.span.end;
    }
    result.push_str(text.get(at..).unwrap_or_default());
    result
}

/// Edits of one file that do not overlap, by their places.
#[derive(Default)]
struct Chosen<'f> {
    edits: BTreeMap<Span, Vec<&'f Edit>>,
}

impl<'f> Chosen<'f> {
    /// Takes all of these edits, or none.
    fn take(&mut self, edits: impl Iterator<Item = &'f Edit>) {
        let mut taken = Vec::new();
        for edit in edits {
            let known = self.edits.get(&edit.span);
            if known.is_some_and(|known| known.iter().any(|known| known.text == edit.text)) {
                continue;
            }
            // One fix may insert several times at one place, in its order; two fixes may not.
            let follows = taken.last() == Some(&edit.span) && edit.span.start == edit.span.end;
            if !follows && !self.fits(edit.span) {
                for span in taken {
                    self.edits.remove(&span);
                }
                return;
            }
            self.edits.entry(edit.span).or_default().push(edit);
            taken.push(edit.span);
        }
    }

    /// Whether a place is free. Chosen edits do not overlap, so only the neighbours matter.
    fn fits(&self, span: Span) -> bool {
        let before = self.edits.range(..=span).next_back();
        let after = self.edits.range(span..).next();
        [before, after].into_iter().flatten().all(|(known, _)| {
            work::step();
            span != *known && (span.end <= known.start || known.end <= span.start)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(file: &SourceFile, start: usize, end: usize, text: &str) -> Edit {
        Edit::replace(file, Span::new(start, end), text)
    }

    #[test]
    fn edits_of_several_fixes_meet_and_an_overlap_is_left_out() {
        let file = SourceFile::new("a.py".into(), "one two three".to_owned());
        let first = Fix::new("a", Safety::Safe, vec![edit(&file, 8, 13, "3"), edit(&file, 0, 3, "1")]);
        let same = Fix::new("b", Safety::Safe, vec![edit(&file, 0, 3, "1")]);
        let clash = Fix::new("c", Safety::Safe, vec![edit(&file, 2, 5, "x"), edit(&file, 4, 7, "2")]);
        assert_eq!(apply(&file, [&first, &same, &clash]), "1 two 3");
        assert_eq!(apply(&file, []), file.text());
    }

    #[test]
    fn insertions_stand_beside_what_they_touch() {
        let file = SourceFile::new("a.py".into(), "one two three".to_owned());
        let fix = |start, end, text: &str| Fix::new("a", Safety::Safe, vec![edit(&file, start, end, text)]);
        let (word, before, after) = (fix(4, 7, "2"), fix(4, 4, "<"), fix(7, 7, ">"));
        let (again, inside) = (fix(4, 4, "["), fix(5, 5, "!"));
        assert_eq!(apply(&file, [&word, &before, &after, &again, &inside]), "one <2> three");
        let both = Fix::new("b", Safety::Safe, vec![edit(&file, 0, 0, "a"), edit(&file, 0, 0, "b")]);
        assert_eq!(apply(&file, [&both, &fix(0, 0, "c")]), "abone two three");
    }

    #[test]
    fn ten_thousand_fixes_are_compared_with_their_neighbours_only() {
        let file = SourceFile::new("a.py".into(), "None, ".repeat(10_000));
        let fixes: Vec<Fix> = (0..10_000)
            .rev()
            .map(|at| Fix::new("a", Safety::Safe, vec![edit(&file, at * 6, at * 6 + 4, "x")]))
            .collect();
        let mut chosen = Chosen::default();
        let compared = work::counted(|| fixes.iter().for_each(|fix| chosen.take(fix.edits.iter())));
        assert_eq!(chosen.edits.len(), fixes.len());
        assert!(compared <= 2 * fixes.len(), "{compared} comparisons");
        assert_eq!(apply(&file, &fixes), "x, ".repeat(10_000));
    }
}
