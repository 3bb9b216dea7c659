//! How the declaration of a constraint in a model reads with an explicit name.

use super::Wanted;
use crate::naming::ConstraintKind;
use crate::python::{Call, Class, Expr, ExprKind, Module, Stmt, StmtKind};
use crate::source::Span;

/// The declaration as code, with the name in it.
pub(super) fn with_name(module: &Module, span: Span, wanted: &Wanted<'_>, name: &str) -> Option<String> {
    let code = module.file().slice(span);
    let quote = if code.contains('\'') && !code.contains('"') {
        '\''
    } else {
        '"'
    };
    if let Some(open) = code.strip_suffix(')') {
        let open = open.trim_end().trim_end_matches(',');
        return (!code.contains("name=")).then(|| format!("{open}, name={quote}{name}{quote})"));
    }
    match wanted.kind {
        // SQLModel's `foreign_key=` takes no name.
        ConstraintKind::ForeignKey => {
            let target = code.split_once('=')?.1.trim();
            Some(format!("sa_column_args=[ForeignKey({target}, name={quote}{name}{quote})] instead of foreign_key="))
        }
        ConstraintKind::Unique => {
            let column = wanted.columns.first()?;
            let prefix = column_around(module.body(), span).and_then(prefix).unwrap_or_default();
            let constraint = format!("{prefix}UniqueConstraint(\"{column}\", name=\"{name}\")");
            // A `name=` in the column would rename that.
            Some(match class_around(module.body(), span) {
                Some(class) if !assigns(class, "__table_args__") => {
                    format!("__table_args__ = ({constraint},) instead of unique=True")
                }
                Some(_) => format!("{constraint} in __table_args__ instead of unique=True"),
                None => format!("{constraint} in the Table instead of unique=True"),
            })
        }
        _ => None,
    }
}

/// The statement around a place.
fn statement_around(body: &[Stmt], span: Span) -> Option<&Stmt> {
    let at = body.partition_point(|statement| statement.span.end <= span.start);
    body.get(at).filter(|statement| statement.span.contains(span))
}

fn class_around(body: &[Stmt], span: Span) -> Option<&Class> {
    let statement = statement_around(body, span)?;
    match &statement.kind {
        StmtKind::Class(class) => Some(class),
        _ => statement
            .parts()
            .1
            .into_iter()
            .find_map(|inner| class_around(inner, span)),
    }
}

fn assigns(class: &Class, name: &str) -> bool {
    class.body.iter().any(|statement| statement.assigns(name))
}

/// The call around an argument.
fn column_around(body: &[Stmt], argument: Span) -> Option<&Call> {
    let statement = statement_around(body, argument)?;
    if let StmtKind::Class(class) = &statement.kind {
        return column_around(&class.body, argument);
    }
    let (exprs, blocks) = statement.parts();
    let found = exprs.into_iter().find_map(|expr| call_with(expr, argument));
    found.or_else(|| blocks.into_iter().find_map(|inner| column_around(inner, argument)))
}

fn call_with(expr: &Expr, argument: Span) -> Option<&Call> {
    let own = expr
        .as_call()
        .filter(|call| call.arguments.iter().any(|one| one.span == argument));
    own.or_else(|| expr.children().into_iter().find_map(|child| call_with(child, argument)))
}

/// `db.` of `db.Column`. The module of `mapped_column` has no constraints.
fn prefix(column: &Call) -> Option<String> {
    match &column.callee.kind {
        ExprKind::Attribute { value, name, .. } if name == "Column" => Some(format!("{}.", value.as_name()?)),
        _ => None,
    }
}
