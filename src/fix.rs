//! Changes to a text: byte ranges with what takes their place.

use crate::source::{SourceFile, Span};

/// Whether a fix may be applied without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Safety {
    /// Nothing outside the commit can depend on what it changes.
    Safe,
    /// A database may hold what it changes, or a person must choose.
    Suggested,
}

/// One replacement in one file.
#[derive(Debug, Clone)]
pub struct Edit {
    /// The file.
    pub file: SourceFile,
    /// What goes.
    pub span: Span,
    /// What comes.
    pub text: String,
}

impl PartialEq for Edit {
    fn eq(&self, other: &Self) -> bool {
        self.file.path() == other.file.path() && self.span == other.span && self.text == other.text
    }
}

/// The edits that silence a finding, all or none.
#[derive(Debug, Clone, PartialEq)]
pub struct Fix {
    /// What it does, as an order.
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

/// A text with the edits of several fixes applied. A fix that overlaps one before it is left out as a whole; the same edit twice is one.
#[must_use]
pub fn apply<'f>(file: &SourceFile, fixes: impl IntoIterator<Item = &'f Fix>) -> String {
    let mut chosen: Vec<&Edit> = Vec::new();
    for fix in fixes {
        let new: Vec<&Edit> = fix
            .edits
            .iter()
            .filter(|edit| edit.file.path() == file.path() && !chosen.contains(edit))
            .collect();
        let fits = |edit: &&Edit| {
            chosen.iter().all(|known| {
                // Two texts for one place have no order.
                let same_place = edit.span == known.span;
                !same_place && (edit.span.end <= known.span.start || known.span.end <= edit.span.start)
            })
        };
        if new.iter().all(fits) {
            chosen.extend(new);
        }
    }
    chosen.sort_by_key(|edit| edit.span);
    let text = file.text();
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    for edit in chosen {
        result.push_str(text.get(at..edit.span.start).unwrap_or_default());
        result.push_str(&edit.text);
        at = edit.span.end;
    }
    result.push_str(text.get(at..).unwrap_or_default());
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(file: &SourceFile, start: usize, end: usize, text: &str) -> Edit {
        Edit {
            file: file.clone(),
            span: Span::new(start, end),
            text: text.to_owned(),
        }
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
}
