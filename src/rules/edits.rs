//! How a name is written into an operation.

use crate::fix::{Edit, Fix, Safety};
use crate::migration::{Half, Operation, Receiver};
use crate::naming::{Convention, Dialect, Value};
use crate::project::{ConventionFacts, Target};
use crate::python::{Expr, StmtKind};
use crate::source::{SourceFile, Span};

use super::MigrationFile;

/// The fix that gives one name to all of these operations; nothing where one of them has no place for it.
pub(super) fn name_all(file: &MigrationFile<'_>, operations: &[&Operation<'_>], name: &str) -> Option<Fix> {
    let source = file.file();
    let mut edits = Vec::new();
    let mut wants_a_look = file.is_deployed;
    for operation in operations {
        let argument = operation.name_argument?;
        edits.push(Edit {
            file: source.clone(),
            span: argument.value.span,
            text: finished(file, operation, name)?,
        });
        edits.extend(warning_comment(file, operation.call.span));
        let reflected = names_of_reflected(file, operation);
        wants_a_look |= reflected.is_some();
        edits.extend(reflected);
    }
    let title = match operations {
        [_] => format!("name it `{name}`"),
        _ => format!("name it `{name}` in both functions"),
    };
    let safety = if wants_a_look { Safety::Suggested } else { Safety::Safe };
    Some(Fix::new(title, safety, edits))
}

/// Whether a drop looks for a constraint that SQLite made and that has no name when it is reflected.
///
/// `batch_alter_table` gives it one by the `naming_convention=` that it is called with, and finds nothing otherwise (seen with Alembic 1.20).
pub(super) fn needs_reflected_names(file: &MigrationFile<'_>, operation: &Operation<'_>) -> bool {
    let is_sqlite = file.dialect().is_none_or(|dialect| dialect == Dialect::Sqlite);
    let older = !operation.creates() && operation.half == Half::Upgrade;
    let Receiver::Batch { batch, .. } = &operation.receiver else {
        return false;
    };
    is_sqlite && older && !batch.names_reflected && template(file, operation).is_some()
}

fn names_of_reflected(file: &MigrationFile<'_>, operation: &Operation<'_>) -> Option<Edit> {
    let Receiver::Batch { batch, .. } = &operation.receiver else {
        return None;
    };
    let at = batch
        .end_of_arguments
        .filter(|_| needs_reflected_names(file, operation))?;
    let quote = quote(file, operation);
    let key = quoted(operation.kind()?.prefix()?, quote)?;
    let template = quoted(&template(file, operation)?, quote)?;
    Some(Edit {
        file: file.file().clone(),
        span: Span::new(at, at),
        text: format!(", naming_convention={{{key}: {template}}}"),
    })
}

/// The template that gives the name which is suggested.
fn template(file: &MigrationFile<'_>, operation: &Operation<'_>) -> Option<String> {
    let kind = operation.kind()?;
    let own = match &file.naming().target {
        Target::Metadata(facts) => match &facts.convention {
            ConventionFacts::Known(convention, _) => convention.template_for(kind).cloned(),
            _ => None,
        },
        _ => None,
    };
    let documented = || {
        file.configured_convention
            .cloned()
            .unwrap_or_else(Convention::sqlalchemy_documented)
            .template_for(kind)
            .cloned()
    };
    match own.or_else(documented)? {
        Value::Template(template) => Some(template),
        _ => None,
    }
}

/// `op.f('name')` in the spelling and the quotes of the source.
///
/// A function imported from `alembic.op` has no `f` beside it; a plain string does there, since no template of the usual kinds is applied to
/// a name that is given.
fn finished(file: &MigrationFile<'_>, operation: &Operation<'_>, name: &str) -> Option<String> {
    let literal = quoted(name, quote(file, operation))?;
    Some(match &operation.receiver {
        Receiver::Operations(spelling) | Receiver::Batch { spelling, .. } => format!("{spelling}.f({literal})"),
        Receiver::Bare => literal,
    })
}

/// The quote that the call itself uses, else the module, else Alembic's own.
fn quote(file: &MigrationFile<'_>, operation: &Operation<'_>) -> char {
    let arguments = operation.call.arguments.iter().map(|argument| &argument.value);
    let assigned = file
        .migration
        .module
        .body()
        .iter()
        .filter_map(|statement| match &statement.kind {
            StmtKind::Assign { value, .. } => value.as_ref(),
            _ => None,
        });
    let own = |expr: &Expr| first_quote(file.file(), expr);
    arguments.chain(assigned).find_map(own).unwrap_or('\'')
}

/// The quote of the first string in an expression.
fn first_quote(source: &SourceFile, expr: &Expr) -> Option<char> {
    if expr.as_str().is_some() {
        return source
            .slice(expr.span)
            .chars()
            .find(|letter| matches!(letter, '"' | '\''));
    }
    expr.children().into_iter().find_map(|child| first_quote(source, child))
}

/// A Python literal; nothing for a name that no sane database holds.
fn quoted(name: &str, quote: char) -> Option<String> {
    if name.contains(char::is_control) {
        return None;
    }
    let escaped = name.replace('\\', "\\\\").replace(quote, &format!("\\{quote}"));
    Some(format!("{quote}{escaped}{quote}"))
}

/// The comment that Alembic 1.20 and later write above a drop without a name (`alembic/autogenerate/render.py`, `_drop_constraint`).
const WARNING: &[&str] = &[
    "# WARNING: constraint name is None; this directive will fail as",
    "# rendered.  Add a name, or use a naming convention; see",
    "# https://alembic.sqlalchemy.org/en/latest/naming.html",
];

/// The removal of that comment, with its lines, when it stands right above the call.
fn warning_comment(file: &MigrationFile<'_>, call: Span) -> Option<Edit> {
    let source = file.file();
    let text = source.text();
    let comments = file.migration.module.comments();
    let first_line = source.line_span(call.start).start;
    let before: Vec<Span> = comments
        .iter()
        .copied()
        .filter(|comment| comment.end <= first_line)
        .collect();
    let above = before.get(before.len().checked_sub(WARNING.len())?..)?;
    let is_warning = above.iter().zip(WARNING).all(|(span, line)| {
        let alone = text[source.line_span(span.start).start..span.start].trim().is_empty();
        alone && words(source.slice(*span)).eq(words(line))
    });
    let first = above.first()?;
    let start = source.line_span(first.start).start;
    let adjacent = text.get(above.last()?.end..first_line)?.trim().is_empty();
    (is_warning && adjacent).then(|| Edit {
        file: source.clone(),
        span: Span::new(start, first_line),
        text: String::new(),
    })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
}
