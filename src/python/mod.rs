//! Reads Python. Only this folder uses the parser.
//!
//! A file becomes a [`Module`]: a small tree of our own with byte ranges, the comments, and the syntax errors. The parser recovers from errors,
//! so that a broken module has a tree as well.

pub(crate) mod encoding;
mod ends;
mod literal;
mod lower;
mod modules;
pub(crate) mod scopes;
mod search;
mod tree;
pub(crate) mod values;

pub(crate) use ends::open_line_ends;
pub(crate) use literal::Literals;
pub(crate) use modules::Modules;
pub(crate) use search::{Relevance, is_plain_revision, names_down_revision, relevance};
pub(crate) use tree::{
    Alias, Argument, ArgumentKind, Call, Case, Class, Comparison, DictItem, Expr, ExprKind, FStringPart, Function,
    Handler, Operator, Parameter, ParameterKind, Spread, Stmt, StmtKind,
};

use crate::source::{SourceFile, Span, words_of};

/// A parsed file.
#[derive(Debug)]
pub struct Module {
    file: SourceFile,
    body: Vec<Stmt>,
    comments: Vec<Span>,
    errors: Vec<SyntaxError>,
}

/// A place where a file is not Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// From the parser, without a full stop.
    pub message: String,
    /// Where.
    pub span: Span,
}

impl Module {
    /// Parses a file. Syntax errors are in [`Module::errors`].
    #[must_use]
    pub fn parse(file: SourceFile) -> Self {
        let (body, comments, errors) = lower::parse(file.text());
        Self {
            file,
            body,
            comments,
            errors,
        }
    }

    pub(crate) fn file(&self) -> &SourceFile {
        &self.file
    }

    /// The statements at module level.
    pub(crate) fn body(&self) -> &[Stmt] {
        &self.body
    }

    /// The comments, in order, with the `#` and without the line end.
    pub(crate) fn comments(&self) -> &[Span] {
        &self.comments
    }

    /// The words outside of comments, each with its place.
    pub(crate) fn words(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut comments = self.comments.iter().peekable();
        words_of(self.file.text()).filter(move |(at, _)| {
            while comments.next_if(|comment| comment.end <= *at).is_some() {}
            comments.peek().is_none_or(|comment| *at < comment.start)
        })
    }

    /// The syntax errors, in order.
    #[must_use]
    pub fn errors(&self) -> &[SyntaxError] {
        &self.errors
    }
}
