//! Texts put together from literals. Each part remembers the literal that it comes from, so that it can be replaced there.

use std::ops::Range;
use std::rc::Rc;

use super::templates::Template;
use crate::python::Literals;
use crate::source::{SourceFile, Span};

/// What is inserted at run time is this character in a text.
pub(crate) const PLACEHOLDER: char = '\u{f8ff}';

/// The maximum size of a text, which ends texts that double each other.
pub(super) const MAX_TEXT: usize = 1 << 20;

/// With [`PLACEHOLDER`] for what is inserted at run time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Text {
    content: String,
    runs: Vec<Run>,
    /// How many placeholders it has.
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
    /// Where the run starts in the value of the literal.
    offset: usize,
    /// Whether the literal is the left side of a `%`.
    percents: bool,
    /// Whether the literal is a template of `format`.
    braces: bool,
    /// The names that the text was read through, last first.
    names: Option<Rc<Through>>,
}

/// A name that a text was read through.
#[derive(Debug)]
struct Through {
    name: String,
    /// The expression that it is bound to.
    value: Span,
    earlier: Option<Rc<Self>>,
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.content == other.content
    }
}

impl Text {
    /// The text of a string literal, or a part of an f-string, which starts at `offset`.
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

    /// A text that is not written in the source.
    pub(crate) fn plain(text: &str) -> Self {
        let mut whole = Self::default();
        whole.add(text, None);
        whole
    }

    /// With [`PLACEHOLDER`] for what is inserted at run time.
    pub(crate) fn as_str(&self) -> &str {
        &self.content
    }

    /// The text, if all of it is known.
    pub(crate) fn known(&self) -> Option<&str> {
        (self.open == 0).then_some(&*self.content)
    }

    /// Whether nothing of it is known.
    pub(crate) fn is_blank(&self) -> bool {
        self.runs.is_empty()
    }

    /// In bytes.
    pub(crate) fn size(&self) -> usize {
        self.content.len()
    }

    /// Adds a placeholder.
    pub(crate) fn open(&mut self) {
        if !self.content.ends_with(PLACEHOLDER) {
            self.content.push(PLACEHOLDER);
            self.open += 1;
        }
    }

    pub(crate) fn push(&mut self, other: &Self) {
        self.push_part(other, 0..other.content.len(), None);
    }

    fn add(&mut self, text: &str, origin: Option<Origin>) {
        if self.content.len() + text.len() > MAX_TEXT {
            return self.open();
        }
        self.runs.push(Run {
            at: self.content.len(),
            length: text.len(),
            origin,
        });
        self.content.push_str(text);
    }

    /// Adds a part of another text, which may be a template.
    pub(super) fn push_part(&mut self, other: &Self, range: Range<usize>, template: Option<Template>) {
        if self.content.len() + range.len() > MAX_TEXT {
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
                self.add(&other.content[start..end], origin);
            }
            at = end;
        }
        if at < range.end {
            self.open();
        }
    }

    /// The same text, read through a name that is bound to it.
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

    pub(crate) fn literals(&self) -> impl Iterator<Item = Span> + '_ {
        self.runs.iter().filter_map(|run| Some(run.origin.as_ref()?.literal))
    }

    fn run_at(&self, at: usize) -> Option<&Run> {
        let after = self.runs.partition_point(|run| run.at <= at);
        let run = self.runs.get(after.checked_sub(1)?)?;
        (at < run.at + run.length).then_some(run)
    }

    /// The edit of the file that replaces these bytes by `new`: where, and the source to write there. `serves_once` tells of a name and the
    /// place of its value whether nothing else uses it.
    ///
    /// None where the bytes come from several literals, from one that is used elsewhere too, from another file, or from no literal.
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

    /// Where these bytes are in the file.
    pub(crate) fn place(&self, file: &SourceFile, range: Range<usize>, literals: &Literals) -> Option<Span> {
        let run = self.run_at(range.start)?;
        let origin = run.origin.as_ref().filter(|origin| origin.file.path() == file.path())?;
        let start = origin.offset + range.start - run.at;
        let end = (start + range.len()).min(origin.offset + run.length);
        let (span, _) = literals.of(file, origin.literal)?.replace(start..end, "")?;
        Some(span)
    }
}
