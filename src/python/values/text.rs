//! Texts put together from literals, each part with the way back to the literal that it comes from.

use std::ops::Range;
use std::rc::Rc;

use crate::source::{SourceFile, Span};

use super::super::Literals;

/// Stands in a text for what is put in at run time.
pub(crate) const PLACEHOLDER: char = '\u{f8ff}';

/// More text than any migration has; ends texts that double each other.
pub(super) const MAX_TEXT: usize = 1 << 20;

/// A text, with [`PLACEHOLDER`] for what is put in when it runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Text {
    held: String,
    runs: Vec<Run>,
    /// How many placeholders there are.
    open: usize,
}

/// A part of the text that comes from one place.
#[derive(Debug, Clone)]
struct Run {
    at: usize,
    length: usize,
    origin: Option<Origin>,
}

#[derive(Debug, Clone)]
struct Origin {
    /// The file with the literal.
    file: SourceFile,
    /// The string literal.
    literal: Span,
    /// Where the run starts in what the literal holds.
    offset: usize,
    /// Whether the literal is the left side of a `%`.
    percents: bool,
    /// Whether the literal is what `format` fills.
    braces: bool,
    /// The names that the text was read from, last first.
    names: Option<Rc<Through>>,
}

/// A name that a text was read from.
#[derive(Debug)]
struct Through {
    name: String,
    /// Where its value stands.
    value: Span,
    /// The names before it.
    earlier: Option<Rc<Self>>,
}

/// How a literal is written that is a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Template {
    /// The left side of a `%`.
    Percents,
    /// What `format` fills.
    Braces,
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.held == other.held
    }
}

impl Text {
    /// What a string literal holds, or the part of an f-string that begins at `offset`.
    pub(crate) fn literal(text: &str, file: &SourceFile, literal: Span, offset: usize) -> Self {
        let origin = Origin {
            file: file.clone(),
            literal,
            offset,
            percents: false,
            braces: false,
            names: None,
        };
        let mut whole = Self::default();
        whole.add(text, Some(origin));
        whole
    }

    /// A text that stands nowhere in the source.
    pub(crate) fn plain(text: &str) -> Self {
        let mut whole = Self::default();
        whole.add(text, None);
        whole
    }

    /// The text, with [`PLACEHOLDER`] for what is put in when it runs.
    pub(crate) fn as_str(&self) -> &str {
        &self.held
    }

    /// The text, where all of it is known.
    pub(crate) fn known(&self) -> Option<&str> {
        (self.open == 0).then_some(&*self.held)
    }

    /// Whether nothing of it is known.
    pub(crate) fn is_blank(&self) -> bool {
        self.runs.is_empty()
    }

    /// How many bytes it has.
    pub(crate) fn size(&self) -> usize {
        self.held.len()
    }

    /// Adds a placeholder.
    pub(crate) fn open(&mut self) {
        if !self.held.ends_with(PLACEHOLDER) {
            self.held.push(PLACEHOLDER);
            self.open += 1;
        }
    }

    /// Adds another text.
    pub(crate) fn push(&mut self, other: &Self) {
        self.push_part(other, 0..other.held.len(), None);
    }

    fn add(&mut self, text: &str, origin: Option<Origin>) {
        if self.held.len() + text.len() > MAX_TEXT {
            return self.open();
        }
        self.runs.push(Run {
            at: self.held.len(),
            length: text.len(),
            origin,
        });
        self.held.push_str(text);
    }

    /// Adds a part of another text, as it is after a template was filled in.
    pub(super) fn push_part(&mut self, other: &Self, range: Range<usize>, template: Option<Template>) {
        if self.held.len() + range.len() > MAX_TEXT {
            return self.open();
        }
        let mut at = range.start;
        let first = other.runs.partition_point(|run| run.at + run.length <= range.start);
        for run in other.runs[first..].iter().take_while(|run| run.at < range.end) {
            let (start, end) = (run.at.max(range.start), (run.at + run.length).min(range.end));
            if at < start {
                self.open();
            }
            let origin = run.origin.as_ref().map(|origin| {
                let mut origin = origin.clone();
                origin.offset += start - run.at;
                origin.percents |= template == Some(Template::Percents);
                origin.braces |= template == Some(Template::Braces);
                origin
            });
            if start < end {
                self.add(&other.held[start..end], origin);
            }
            at = end;
        }
        if at < range.end {
            self.open();
        }
    }

    /// The same text as a name gives it.
    pub(crate) fn through(&self, name: &str, value: Span) -> Self {
        let mut text = self.clone();
        for origin in text.runs.iter_mut().filter_map(|run| run.origin.as_mut()) {
            origin.names = Some(Rc::new(Through {
                name: name.to_owned(),
                value,
                earlier: origin.names.take(),
            }));
        }
        text
    }

    /// The literals that it is put together from.
    pub(crate) fn literals(&self) -> impl Iterator<Item = Span> + '_ {
        self.runs.iter().filter_map(|run| Some(run.origin.as_ref()?.literal))
    }

    fn run_at(&self, at: usize) -> Option<&Run> {
        let after = self.runs.partition_point(|run| run.at <= at);
        let run = self.runs.get(after.checked_sub(1)?)?;
        (at < run.at + run.length).then_some(run)
    }

    /// Where these bytes stand in the file, and what to write there so that `new` is put in their stead. `serves_once` tells of a name and the
    /// place of its value whether nothing else uses it.
    ///
    /// Nothing where they come from several literals, from one that is used elsewhere too, from another file, or from none.
    pub(crate) fn replace(
        &self,
        file: &SourceFile,
        range: Range<usize>,
        new: &str,
        literals: &Literals,
        serves_once: &dyn Fn(&str, Span) -> bool,
    ) -> Option<(Span, String)> {
        let run = self.run_at(range.start)?;
        let origin = run.origin.as_ref().filter(|origin| origin.file.path() == file.path())?;
        let mut through = origin.names.as_ref();
        while let Some(name) = through {
            if !serves_once(&name.name, name.value) {
                return None;
            }
            through = name.earlier.as_ref();
        }
        if range.end > run.at + run.length {
            return None;
        }
        let mut new = new.to_owned();
        if origin.percents {
            new = new.replace('%', "%%");
        }
        if origin.braces {
            new = new.replace('{', "{{").replace('}', "}}");
        }
        let start = origin.offset + range.start - run.at;
        literals
            .of(file, origin.literal)?
            .replace(start..start + range.len(), &new)
    }

    /// The place in the file of these bytes, for pointing at it.
    pub(crate) fn place(&self, file: &SourceFile, range: Range<usize>, literals: &Literals) -> Option<Span> {
        let run = self.run_at(range.start)?;
        let origin = run.origin.as_ref().filter(|origin| origin.file.path() == file.path())?;
        let start = origin.offset + range.start - run.at;
        let end = (start + range.len()).min(origin.offset + run.length);
        let (span, _) = literals.of(file, origin.literal)?.replace(start..end, "")?;
        Some(span)
    }
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// What stands in it, at this range.
    Stands(Range<usize>),
    /// What is put in; nothing where that cannot be told. `true` where it stands there as it is, without a conversion or a format.
    Filled(Option<Field>, bool),
}

/// Which value is put in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    /// The next one.
    Next,
    /// The one at this place.
    At(usize),
    /// The one of this name.
    Named(String),
}

/// The parts of `"..." % values`.
pub(super) fn percent_pieces(template: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    let last_end_of_key = template.rfind(')');
    while let Some(found) = template.get(at..).and_then(|rest| rest.find('%')) {
        let percent = at + found;
        pieces.push(Piece::Stands(at..percent));
        let rest = &template[percent + 1..];
        let has_key = rest.starts_with('(') && last_end_of_key > Some(percent);
        let key = has_key.then(|| rest[1..].split_once(')')).flatten().map(|(key, _)| key);
        let key_length = key.map_or(0, |key| key.len() + 2);
        let flags = rest[key_length..].find(|letter| !"-+ #0123456789.".contains(letter));
        let length = key_length + flags.unwrap_or(0);
        let conversion = rest.get(length..).and_then(|rest| rest.chars().next());
        match conversion {
            Some('%') if key.is_none() => pieces.push(Piece::Stands(percent..percent + 1)),
            _ => {
                let field = key.map_or(Field::Next, |key| Field::Named(key.to_owned()));
                let is_plain = length == key_length && matches!(conversion, Some('s' | 'd'));
                pieces.push(Piece::Filled(Some(field), is_plain));
            }
        }
        at = percent + 1 + length + conversion.map_or(0, char::len_utf8);
    }
    pieces.push(Piece::Stands(at.min(template.len())..template.len()));
    pieces
}

/// The parts of `"...".format(values)`.
pub(super) fn brace_pieces(template: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(found) = template.get(at..).and_then(|rest| rest.find(['{', '}'])) {
        let brace = at + found;
        pieces.push(Piece::Stands(at..brace));
        let rest = &template[brace..];
        if rest.starts_with("{{") || rest.starts_with("}}") {
            pieces.push(Piece::Stands(brace..brace + 1));
            at = brace + 2;
            continue;
        }
        let Some((field, _)) = rest[1..].split_once('}') else {
            pieces.push(Piece::Filled(None, false));
            return pieces;
        };
        let called = field.split(['!', ':', '.', '[']).next().unwrap_or_default();
        let value = match called.parse() {
            Ok(place) => Field::At(place),
            Err(_) if called.is_empty() => Field::Next,
            Err(_) => Field::Named(called.to_owned()),
        };
        pieces.push(Piece::Filled(Some(value), called == field));
        at = brace + field.len() + 2;
    }
    pieces.push(Piece::Stands(at..template.len()));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(pieces: Vec<Piece>) -> Vec<(Option<Field>, bool)> {
        let filled = |piece| match piece {
            Piece::Filled(field, is_plain) => Some((field, is_plain)),
            Piece::Stands(_) => None,
        };
        pieces.into_iter().filter_map(filled).collect()
    }

    #[test]
    fn a_placeholder_with_a_format_takes_its_value_all_the_same() {
        let named = |name: &str| Some(Field::Named(name.to_owned()));
        assert_eq!(
            filled(percent_pieces("%r %-5s %(a)s %(b)02d %% %s")),
            [
                (Some(Field::Next), false),
                (Some(Field::Next), false),
                (named("a"), true),
                (named("b"), false),
                (Some(Field::Next), true),
            ]
        );
        assert_eq!(
            filled(brace_pieces("{!r} {:>5} {0} {a.b} {{}} {a}")),
            [
                (Some(Field::Next), false),
                (Some(Field::Next), false),
                (Some(Field::At(0)), true),
                (named("a"), false),
                (named("a"), true),
            ]
        );
    }
}
