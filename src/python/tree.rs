//! Our own syntax tree: the forms that migrations and models are written in, with byte ranges.
//!
//! A form that nothing here asks about is [`ExprKind::Other`] or [`StmtKind::Other`] with the expressions inside it, so that calls in it are
//! found.

mod walk;

use std::sync::Arc;

/// A name or the text of a literal. Up to 24 bytes are stored inline, which nearly all names fit into.
pub(crate) use compact_str::CompactString as Text;

use crate::source::Span;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Expr {
    /// Without parentheses around it.
    pub(crate) span: Span,
    pub(crate) kind: ExprKind,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ExprKind {
    None,
    Bool(bool),
    /// A whole number that fits.
    Integer(i64),
    /// A string literal as Python evaluates it, implicit concatenation included.
    String(Text),
    FString(Vec<FStringPart>),
    Name(Text),
    /// `value.name`
    Attribute {
        value: Box<Expr>,
        name: Text,
    },
    Call(Box<Call>),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    Dict(Vec<DictItem>),
    /// `value[index]`
    Subscript {
        value: Box<Expr>,
        index: Box<Expr>,
    },
    Binary {
        left: Box<Expr>,
        operator: Operator,
        right: Box<Expr>,
    },
    /// `a or b`, `a and b`
    Choice {
        /// Whether the operator is `and`.
        all: bool,
        values: Vec<Expr>,
    },
    /// `a == b`, `a is not b < c`
    Compare {
        left: Box<Expr>,
        rest: Vec<(Comparison, Expr)>,
    },
    /// `body if test else otherwise`
    Conditional {
        test: Box<Expr>,
        body: Box<Expr>,
        otherwise: Box<Expr>,
    },
    /// `(target := value)`
    Named {
        target: Box<Expr>,
        value: Box<Expr>,
    },
    /// `*value`
    Starred(Box<Expr>),
    Lambda {
        parameters: Vec<Parameter>,
        body: Box<Expr>,
    },
    Not(Box<Expr>),
    /// `[a for b in c if d]`, and those in other brackets.
    Comprehension {
        /// Each target with its iterable: `b` and `c`.
        rounds: Vec<(Expr, Expr)>,
        /// What is evaluated in each round: `a` and `d`.
        parts: Vec<Expr>,
    },
    Other(Vec<Expr>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    /// `+`
    Add,
    /// `%`
    Modulo,
    /// `|`
    Or,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// `==` and `is`
    Same,
    /// `!=` and `is not`
    Different,
    In,
    NotIn,
    Other,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum FStringPart {
    Text(Text),
    /// `{value}`; `plain` without a conversion or a format.
    Value {
        value: Expr,
        plain: bool,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DictItem {
    /// None for `**value`.
    pub(crate) key: Option<Expr>,
    pub(crate) value: Expr,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) span: Span,
    pub(crate) callee: Expr,
    /// In the order of the source.
    pub(crate) arguments: Vec<Argument>,
    /// With the parentheses.
    pub(crate) arguments_span: Span,
}

/// An argument of a call, or a base or keyword of a class.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Argument {
    /// With its `name=`, `*` or `**`.
    pub(crate) span: Span,
    pub(crate) kind: ArgumentKind,
    /// Without the star.
    pub(crate) value: Expr,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ArgumentKind {
    Positional,
    /// `name=value`
    Keyword(Text),
    /// `*value`
    Spread,
    /// `**value`
    KeywordSpread,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parameter {
    pub(crate) name: Text,
    pub(crate) annotation: Option<Expr>,
    pub(crate) default: Option<Expr>,
    pub(crate) kind: ParameterKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParameterKind {
    /// By position, or by position and name.
    Positional,
    KeywordOnly,
    /// `*name`
    Rest,
    /// `**name`
    KeywordRest,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stmt {
    pub(crate) span: Span,
    pub(crate) kind: StmtKind,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum StmtKind {
    /// `target = target = value`, `target: annotation = value`, and `target: annotation` without a value.
    Assign {
        targets: Vec<Expr>,
        value: Option<Expr>,
    },
    /// `target operator= value`
    AugmentedAssign {
        target: Expr,
        operator: Operator,
        value: Expr,
    },
    Expr(Expr),
    /// `def` and `async def`
    Function(Arc<Function>),
    Class(Class),
    /// `import a.b as c`
    Import(Vec<Alias>),
    /// `from ..module import name as other`
    ImportFrom {
        /// The dotted name; none for `from . import`.
        module: Option<Text>,
        /// A lone `*` for all names.
        names: Vec<Alias>,
        /// How many dots.
        level: u32,
    },
    /// The `if`, each `elif`, and the `else`, which has no test.
    If(Vec<(Option<Expr>, Vec<Stmt>)>),
    /// `for` and `async for`
    For {
        target: Expr,
        iterable: Expr,
        /// The body and the `else`.
        bodies: [Vec<Stmt>; 2],
    },
    While {
        test: Expr,
        /// The body and the `else`.
        bodies: [Vec<Stmt>; 2],
    },
    /// `with` and `async with`
    With {
        items: Vec<WithItem>,
        body: Vec<Stmt>,
    },
    Try {
        body: Vec<Stmt>,
        handlers: Vec<Handler>,
        otherwise: Vec<Stmt>,
        finally: Vec<Stmt>,
    },
    Match {
        subject: Expr,
        cases: Vec<Case>,
    },
    Return(Option<Expr>),
    Raise(Vec<Expr>),
    Delete(Vec<Expr>),
    Global(Vec<Text>),
    Nonlocal(Vec<Text>),
    Other(Vec<Expr>),
}

/// One `except` of a `try`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Handler {
    /// The exceptions; none for all.
    pub(crate) caught: Option<Expr>,
    /// The name after `as`.
    pub(crate) name: Option<Text>,
    pub(crate) body: Vec<Stmt>,
}

/// One `case` of a `match`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Case {
    /// The names that its pattern binds.
    pub(crate) names: Vec<Text>,
    /// The condition after `if`.
    pub(crate) guard: Option<Expr>,
    pub(crate) body: Vec<Stmt>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Function {
    pub(crate) name: Text,
    pub(crate) name_span: Span,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) decorators: Vec<Expr>,
    pub(crate) body: Vec<Stmt>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Class {
    pub(crate) name: Text,
    pub(crate) name_span: Span,
    /// Its bases and keywords.
    pub(crate) arguments: Vec<Argument>,
    pub(crate) decorators: Vec<Expr>,
    pub(crate) body: Vec<Stmt>,
}

/// A name that an import binds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Alias {
    /// The imported name, dotted in `import a.b`, `*` for all.
    pub(crate) name: Text,
    /// The name after `as`.
    pub(crate) asname: Option<Text>,
    pub(crate) span: Span,
}

/// One `value as target` of a `with`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WithItem {
    pub(crate) value: Expr,
    pub(crate) target: Option<Expr>,
}

impl Expr {
    pub(crate) fn as_name(&self) -> Option<&str> {
        match &self.kind {
            ExprKind::Name(name) => Some(name),
            _ => None,
        }
    }

    /// The text of a string literal.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.kind {
            ExprKind::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_call(&self) -> Option<&Call> {
        match &self.kind {
            ExprKind::Call(call) => Some(call),
            _ => None,
        }
    }

    /// A call of what has this last name: `sa.Column(...)` for `Column`.
    pub(crate) fn as_call_of(&self, name: &str) -> Option<&Call> {
        self.as_call().filter(|call| call.name() == Some(name))
    }

    /// The name that a chain of attributes begins with, and the attributes: `a`, `["b", "c"]` for `a.b.c`.
    pub(crate) fn root_and_path(&self) -> Option<(&str, Vec<&str>)> {
        let mut path = Vec::new();
        let mut root = self;
        while let ExprKind::Attribute { value, name } = &root.kind {
            path.push(name.as_str());
            root = value;
        }
        path.reverse();
        Some((root.as_name()?, path))
    }

    /// `a.b.c`, if it is such a chain of names.
    pub(crate) fn dotted(&self) -> Option<String> {
        match &self.kind {
            ExprKind::Name(name) => Some(name.to_string()),
            ExprKind::Attribute { value, name, .. } => Some(format!("{}.{name}", value.dotted()?)),
            _ => None,
        }
    }
}

impl Stmt {
    /// The targets and the value of an assignment.
    pub(crate) fn assignment(&self) -> Option<(&[Expr], &Expr)> {
        match &self.kind {
            StmtKind::Assign {
                targets,
                value: Some(value),
            } => Some((targets, value)),
            _ => None,
        }
    }

    /// Whether it assigns to a name, or annotates it.
    pub(crate) fn assigns(&self, name: &str) -> bool {
        matches!(&self.kind, StmtKind::Assign { targets, .. } if targets.iter().any(|one| one.as_name() == Some(name)))
    }
}

impl Argument {
    pub(crate) fn is_keyword(&self, name: &str) -> bool {
        matches!(&self.kind, ArgumentKind::Keyword(keyword) if keyword == name)
    }
}

impl Call {
    /// The argument for a parameter, by name or by position. An error when a `*` or `**` may bring it.
    pub(crate) fn argument(&self, position: Option<usize>, name: &str) -> Result<Option<&Argument>, Spread> {
        let mut next = 0;
        let mut spread = false;
        for argument in &self.arguments {
            match &argument.kind {
                ArgumentKind::Positional if Some(next) == position && !spread => return Ok(Some(argument)),
                ArgumentKind::Positional => next += 1,
                ArgumentKind::Keyword(keyword) if keyword == name => return Ok(Some(argument)),
                ArgumentKind::Keyword(_) => {}
                ArgumentKind::Spread => spread |= position.is_some_and(|position| position >= next),
                ArgumentKind::KeywordSpread => spread = true,
            }
        }
        if spread { Err(Spread) } else { Ok(None) }
    }

    /// Whether a `*` or `**` may bring more than the call shows.
    pub(crate) fn has_spread(&self) -> bool {
        let is_spread = |one: &Argument| matches!(one.kind, ArgumentKind::Spread | ArgumentKind::KeywordSpread);
        self.arguments.iter().any(is_spread)
    }

    /// The last name of the callee: `b` in `a.b()`.
    pub(crate) fn name(&self) -> Option<&str> {
        match &self.callee.kind {
            ExprKind::Name(name) | ExprKind::Attribute { name, .. } => Some(name),
            _ => None,
        }
    }

    pub(crate) fn keyword(&self, name: &str) -> Option<&Expr> {
        let mut arguments = self.arguments.iter();
        arguments.find(|one| one.is_keyword(name)).map(|one| &one.value)
    }
}

/// The argument may come from a `*` or `**`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spread;
