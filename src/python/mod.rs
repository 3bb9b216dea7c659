//! Reading Python: the only room that knows the parser.
//!
//! A file becomes a [`Module`]: a small tree of our own with byte ranges, its comments, and its syntax errors. The parser recovers from
//! errors, so a broken module still has a tree, and what can be read in it is read.

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

use crate::source::{SourceFile, Span};

/// A parsed file.
#[derive(Debug)]
pub struct Module {
    file: SourceFile,
    body: Vec<Stmt>,
    comments: Vec<Span>,
    errors: Vec<SyntaxError>,
}

/// A place where the file is not Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// What the parser expected or met, without a full stop.
    pub message: String,
    /// Where.
    pub span: Span,
}

impl Module {
    /// Parses a file. Never fails: what is wrong stands in [`Module::errors`].
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

    /// The file that was parsed.
    pub(crate) fn file(&self) -> &SourceFile {
        &self.file
    }

    /// The statements at module level.
    pub(crate) fn body(&self) -> &[Stmt] {
        &self.body
    }

    /// Every comment, in the order of the source, with its `#` and without its line end.
    pub(crate) fn comments(&self) -> &[Span] {
        &self.comments
    }

    /// The syntax errors, in the order of the source.
    #[must_use]
    pub fn errors(&self) -> &[SyntaxError] {
        &self.errors
    }
}
