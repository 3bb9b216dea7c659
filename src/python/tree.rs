//! The tree that the rest of the program reads: what Alembic migrations and SQLAlchemy models are written in, and no more.
//!
//! Forms that nobody here asks about become [`ExprKind::Other`] or [`StmtKind::Other`] with their parts, so that calls inside them are found.

use std::sync::Arc;

/// A name or a literal's text: up to 24 bytes stand in the tree itself, as nearly all names do.
pub use compact_str::CompactString as Text;

use crate::source::Span;

/// An expression and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// From its first to its last byte, without parentheses around it.
    pub span: Span,
    /// What it is.
    pub kind: ExprKind,
}

/// The forms of an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// `None`
    None,
    /// `True` or `False`
    Bool(bool),
    /// A whole number that fits.
    Integer(i64),
    /// A string literal, implicit concatenation included, as Python would hold it.
    String(Text),
    /// An f-string, with what it is put together from.
    FString(Vec<FStringPart>),
    /// A name.
    Name(Text),
    /// `value.name`
    Attribute {
        /// Left of the dot.
        value: Box<Expr>,
        /// Right of the dot.
        name: Text,
        /// Where the name stands.
        name_span: Span,
    },
    /// `callee(arguments)`
    Call(Box<Call>),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `(a, b)`
    Tuple(Vec<Expr>),
    /// `{k: v, **rest}`
    Dict(Vec<DictItem>),
    /// `value[index]`
    Subscript {
        /// What is looked into.
        value: Box<Expr>,
        /// What stands in the brackets.
        index: Box<Expr>,
    },
    /// `left operator right`
    Binary {
        /// The left side.
        left: Box<Expr>,
        /// The operator.
        operator: Operator,
        /// The right side.
        right: Box<Expr>,
    },
    /// `a or b`, `a and b`
    Choice {
        /// Whether the word between them is `and`.
        all: bool,
        /// The values in order.
        values: Vec<Expr>,
    },
    /// `a == b`, `a is not b < c`
    Compare {
        /// The first operand.
        left: Box<Expr>,
        /// Each operator with what follows it.
        rest: Vec<(Comparison, Expr)>,
    },
    /// `body if test else otherwise`
    Conditional {
        /// The condition.
        test: Box<Expr>,
        /// What it is when the condition holds.
        body: Box<Expr>,
        /// What it is when it does not.
        otherwise: Box<Expr>,
    },
    /// `(target := value)`
    Named {
        /// The name that is bound.
        target: Box<Expr>,
        /// Its value.
        value: Box<Expr>,
    },
    /// `*value`
    Starred(Box<Expr>),
    /// `lambda parameters: body`
    Lambda {
        /// Its parameters.
        parameters: Vec<Parameter>,
        /// Its value.
        body: Box<Expr>,
    },
    /// `not value`
    Not(Box<Expr>),
    /// `[a for b in c if d]` and its kin.
    Comprehension {
        /// What is bound in each round, and what is gone through: `b` and `c`.
        rounds: Vec<(Expr, Expr)>,
        /// What is computed in each round: `a` and `d`.
        parts: Vec<Expr>,
    },
    /// Anything else, with the expressions inside it.
    Other(Vec<Expr>),
}

/// The operators that somebody here computes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Add,
    /// `%`
    Modulo,
    /// `|`
    Or,
    /// Any other.
    Other,
}

/// The comparisons that somebody here decides by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `==` and `is`
    Same,
    /// `!=` and `is not`
    Different,
    /// `in`
    In,
    /// `not in`
    NotIn,
    /// Any other.
    Other,
}

/// A part of an f-string.
#[derive(Debug, Clone, PartialEq)]
pub enum FStringPart {
    /// Text that stands as it is.
    Text(Text),
    /// `{expression}`; `plain` when it has neither a conversion nor a format.
    Value {
        /// What is put in.
        value: Expr,
        /// Whether it is put in as `str()` gives it.
        plain: bool,
    },
}

/// One entry of a dict display; a `**rest` has no key.
#[derive(Debug, Clone, PartialEq)]
pub struct DictItem {
    /// The key, or nothing for `**value`.
    pub key: Option<Expr>,
    /// The value.
    pub value: Expr,
}

/// A call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The whole call.
    pub span: Span,
    /// What is called.
    pub callee: Expr,
    /// The arguments in the order of the source.
    pub arguments: Vec<Argument>,
    /// From the opening to the closing parenthesis.
    pub arguments_span: Span,
}

/// One argument of a call, a base of a class included.
#[derive(Debug, Clone, PartialEq)]
pub struct Argument {
    /// With its `name=`, `*` or `**`.
    pub span: Span,
    /// How it is passed.
    pub kind: ArgumentKind,
    /// Its value, without the star.
    pub value: Expr,
}

/// How an argument is passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArgumentKind {
    /// `value`
    Positional,
    /// `name=value`
    Keyword(Text),
    /// `*value`
    Spread,
    /// `**value`
    KeywordSpread,
}

/// A function's parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: Text,
    /// What follows the colon.
    pub annotation: Option<Expr>,
    /// What follows the equals sign.
    pub default: Option<Expr>,
    /// How it takes its argument.
    pub kind: ParameterKind,
}

/// How a parameter takes its argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// By position, or by position and name.
    Positional,
    /// By name only.
    KeywordOnly,
    /// `*name`
    Rest,
    /// `**name`
    KeywordRest,
}

/// A statement and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Stmt {
    /// From its first to its last byte.
    pub span: Span,
    /// What it is.
    pub kind: StmtKind,
}

/// The forms of a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum StmtKind {
    /// `target = target = value`, and `target: annotation = value`.
    Assign {
        /// The targets, one or more.
        targets: Vec<Expr>,
        /// What follows the colon.
        annotation: Option<Expr>,
        /// The value; an annotation alone has none.
        value: Option<Expr>,
    },
    /// `target operator= value`
    AugmentedAssign {
        /// The target.
        target: Expr,
        /// The operator.
        operator: Operator,
        /// The right side.
        value: Expr,
    },
    /// An expression as a statement.
    Expr(Expr),
    /// `def` and `async def`
    Function(Arc<Function>),
    /// `class`
    Class(Class),
    /// `import a.b as c`
    Import(Vec<Alias>),
    /// `from ..module import name as other`
    ImportFrom {
        /// The module's dotted name; nothing for `from . import`.
        module: Option<Text>,
        /// The names; a lone `*` for all.
        names: Vec<Alias>,
        /// How many dots.
        level: u32,
    },
    /// `if`, with each `elif` and the `else`; the last branch may have no test.
    If(Vec<(Option<Expr>, Vec<Stmt>)>),
    /// `for` and `async for`
    For {
        /// What is bound in each round.
        target: Expr,
        /// What is gone through.
        iterable: Expr,
        /// The rounds, then the `else`.
        bodies: [Vec<Stmt>; 2],
    },
    /// `while`
    While {
        /// The condition.
        test: Expr,
        /// The rounds, then the `else`.
        bodies: [Vec<Stmt>; 2],
    },
    /// `with` and `async with`
    With {
        /// What is entered.
        items: Vec<WithItem>,
        /// What runs inside.
        body: Vec<Stmt>,
    },
    /// `try`
    Try {
        /// What is tried.
        body: Vec<Stmt>,
        /// The handlers.
        handlers: Vec<Handler>,
        /// The `else`.
        otherwise: Vec<Stmt>,
        /// The `finally`.
        finally: Vec<Stmt>,
    },
    /// `match`: the subject and its cases.
    Match {
        /// What is matched.
        subject: Expr,
        /// The cases.
        cases: Vec<Case>,
    },
    /// `return value`
    Return(Option<Expr>),
    /// `raise`, with the expressions inside it.
    Raise(Vec<Expr>),
    /// `del target`
    Delete(Vec<Expr>),
    /// `global name`
    Global(Vec<Text>),
    /// `nonlocal name`
    Nonlocal(Vec<Text>),
    /// Anything else, with the expressions inside it.
    Other(Vec<Expr>),
}

/// One `except` of a `try`.
#[derive(Debug, Clone, PartialEq)]
pub struct Handler {
    /// What it catches; nothing for all.
    pub caught: Option<Expr>,
    /// What follows `as`.
    pub name: Option<Text>,
    /// Its statements.
    pub body: Vec<Stmt>,
}

/// One `case` of a `match`.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The names that its pattern binds.
    pub names: Vec<Text>,
    /// What follows `if`.
    pub guard: Option<Expr>,
    /// Its statements.
    pub body: Vec<Stmt>,
}

/// A function.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// Its name.
    pub name: Text,
    /// Where the name stands.
    pub name_span: Span,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// Its decorators.
    pub decorators: Vec<Expr>,
    /// Its statements.
    pub body: Vec<Stmt>,
}

/// A class.
#[derive(Debug, Clone, PartialEq)]
pub struct Class {
    /// Its name.
    pub name: Text,
    /// Where the name stands.
    pub name_span: Span,
    /// Its bases and keywords.
    pub arguments: Vec<Argument>,
    /// Its decorators.
    pub decorators: Vec<Expr>,
    /// Its statements.
    pub body: Vec<Stmt>,
}

/// A name that an import binds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The name that is imported, dotted in `import a.b`, `*` for all.
    pub name: Text,
    /// What follows `as`.
    pub asname: Option<Text>,
    /// Where it stands.
    pub span: Span,
}

/// One `value as target` of a `with`.
#[derive(Debug, Clone, PartialEq)]
pub struct WithItem {
    /// What is entered.
    pub value: Expr,
    /// What is bound.
    pub target: Option<Expr>,
}

impl Expr {
    /// The name, if it is one.
    #[must_use]
    pub fn as_name(&self) -> Option<&str> {
        match &self.kind {
            ExprKind::Name(name) => Some(name),
            _ => None,
        }
    }

    /// The text, if it is a string literal.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            ExprKind::String(text) => Some(text),
            _ => None,
        }
    }

    /// The call, if it is one.
    #[must_use]
    pub fn as_call(&self) -> Option<&Call> {
        match &self.kind {
            ExprKind::Call(call) => Some(call),
            _ => None,
        }
    }

    /// The call, if it is one of something whose name ends so: `Column` for `sa.Column(...)`.
    #[must_use]
    pub fn as_call_of(&self, name: &str) -> Option<&Call> {
        self.as_call().filter(|call| call.name() == Some(name))
    }

    /// `a.b.c` for a chain of names, `None` for anything else.
    #[must_use]
    pub fn dotted(&self) -> Option<String> {
        match &self.kind {
            ExprKind::Name(name) => Some(name.to_string()),
            ExprKind::Attribute { value, name, .. } => Some(format!("{}.{name}", value.dotted()?)),
            _ => None,
        }
    }

    /// Visits every call in an expression.
    pub fn each_call<'s>(&'s self, visit: &mut impl FnMut(&'s Call)) {
        if let Some(call) = self.as_call() {
            visit(call);
        }
        for child in self.children() {
            child.each_call(visit);
        }
    }

    /// The expressions directly inside this one, in the order of the source.
    #[must_use]
    pub fn children(&self) -> Vec<&Self> {
        match &self.kind {
            ExprKind::None | ExprKind::Bool(_) | ExprKind::Integer(_) | ExprKind::String(_) | ExprKind::Name(_) => {
                Vec::new()
            }
            ExprKind::FString(parts) => parts
                .iter()
                .filter_map(|part| match part {
                    FStringPart::Text(_) => None,
                    FStringPart::Value { value, .. } => Some(value),
                })
                .collect(),
            ExprKind::Attribute { value, .. } | ExprKind::Starred(value) | ExprKind::Not(value) => vec![value],
            ExprKind::Call(call) => std::iter::once(&call.callee)
                .chain(call.arguments.iter().map(|argument| &argument.value))
                .collect(),
            ExprKind::List(items)
            | ExprKind::Tuple(items)
            | ExprKind::Choice { values: items, .. }
            | ExprKind::Other(items) => items.iter().collect(),
            ExprKind::Comprehension { rounds, parts } => parts
                .iter()
                .chain(rounds.iter().map(|(_, iterable)| iterable))
                .collect(),
            ExprKind::Dict(items) => items
                .iter()
                .flat_map(|item| item.key.iter().chain(std::iter::once(&item.value)))
                .collect(),
            ExprKind::Compare { left, rest } => std::iter::once(&**left)
                .chain(rest.iter().map(|(_, other)| other))
                .collect(),
            ExprKind::Subscript { value, index } => vec![value, index],
            ExprKind::Binary { left, right, .. } => vec![left, right],
            ExprKind::Conditional { test, body, otherwise } => vec![body, test, otherwise],
            ExprKind::Named { target, value } => vec![target, value],
            ExprKind::Lambda { parameters, body } => parameters
                .iter()
                .filter_map(|parameter| parameter.default.as_ref())
                .chain(std::iter::once(&**body))
                .collect(),
        }
    }
}

impl Stmt {
    /// The expressions and the inner blocks of a statement.
    #[must_use]
    pub fn parts(&self) -> (Vec<&Expr>, Vec<&[Self]>) {
        match &self.kind {
            StmtKind::Assign { targets, value, .. } => (targets.iter().chain(value).collect(), Vec::new()),
            StmtKind::AugmentedAssign { target, value, .. } => (vec![target, value], Vec::new()),
            StmtKind::Expr(expr) => (vec![expr], Vec::new()),
            StmtKind::Function(function) => (function.decorators.iter().collect(), vec![&function.body]),
            StmtKind::Class(class) => (class.decorators.iter().collect(), vec![&class.body]),
            StmtKind::If(branches) => (
                branches.iter().filter_map(|(test, _)| test.as_ref()).collect(),
                branches.iter().map(|(_, body)| body.as_slice()).collect(),
            ),
            StmtKind::For { iterable, bodies, .. } => (vec![iterable], bodies.iter().map(Vec::as_slice).collect()),
            StmtKind::While { test, bodies } => (vec![test], bodies.iter().map(Vec::as_slice).collect()),
            StmtKind::With { items, body } => (items.iter().map(|item| &item.value).collect(), vec![body]),
            StmtKind::Try {
                body,
                handlers,
                otherwise,
                finally,
            } => {
                let handlers = handlers.iter().map(|handler| &handler.body);
                let blocks = std::iter::once(body).chain(handlers).chain([otherwise, finally]);
                (Vec::new(), blocks.map(Vec::as_slice).collect())
            }
            StmtKind::Match { subject, cases } => {
                (vec![subject], cases.iter().map(|case| case.body.as_slice()).collect())
            }
            StmtKind::Return(value) => (value.iter().collect(), Vec::new()),
            StmtKind::Raise(exprs) | StmtKind::Delete(exprs) | StmtKind::Other(exprs) => {
                (exprs.iter().collect(), Vec::new())
            }
            StmtKind::Import(_) | StmtKind::ImportFrom { .. } | StmtKind::Global(_) | StmtKind::Nonlocal(_) => {
                (Vec::new(), Vec::new())
            }
        }
    }
}

impl Stmt {
    /// Visits every call in a statement, those of inner statements included.
    pub fn each_call<'s>(&'s self, visit: &mut impl FnMut(&'s Call)) {
        let (exprs, blocks) = self.parts();
        for expr in exprs {
            expr.each_call(visit);
        }
        for block in blocks {
            for inner in block {
                inner.each_call(visit);
            }
        }
    }
}

impl Argument {
    /// Whether it is passed by that name.
    #[must_use]
    pub fn is_keyword(&self, name: &str) -> bool {
        matches!(&self.kind, ArgumentKind::Keyword(keyword) if keyword == name)
    }
}

impl Call {
    /// The argument for the parameter called `name`, which stands at `position` when it may be given by position.
    ///
    /// `Err` when a `*args` or `**kwargs` may hold it, so that nothing is known.
    pub fn argument(&self, position: Option<usize>, name: &str) -> Result<Option<&Argument>, Spread> {
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

    /// The last part of the name of what is called.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match &self.callee.kind {
            ExprKind::Name(name) | ExprKind::Attribute { name, .. } => Some(name),
            _ => None,
        }
    }

    /// The value of the keyword argument called `name`.
    #[must_use]
    pub fn keyword(&self, name: &str) -> Option<&Expr> {
        self.arguments.iter().find_map(|argument| match &argument.kind {
            ArgumentKind::Keyword(keyword) if keyword == name => Some(&argument.value),
            _ => None,
        })
    }
}

/// The argument may come out of a `*` or `**`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread;
