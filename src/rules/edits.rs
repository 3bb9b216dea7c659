//! How a name is written into an operation.

use crate::fix::{Edit, Fix, Safety};
use crate::migration::{Operation, Receiver};
use crate::source::{SourceFile, Span};

use super::MigrationFile;

/// The fix that gives one name to all of these operations; nothing where one of them has no place for it.
pub(super) fn name_all(file: &MigrationFile<'_>, operations: &[&Operation<'_>], name: &str) -> Option<Fix> {
    let source = file.file();
    let mut edits = Vec::new();
    for operation in operations {
        let argument = operation.name_argument?;
        edits.push(Edit {
            file: source.clone(),
            span: argument.value.span,
            text: finished(source, operation, name)?,
        });
        edits.extend(warning_comment(file, operation.call.span));
    }
    let title = match operations {
        [_] => format!("name it `{name}`"),
        _ => format!("name it `{name}` in both functions"),
    };
    let safety = if file.is_deployed {
        Safety::Suggested
    } else {
        Safety::Safe
    };
    Some(Fix::new(title, safety, edits))
}

/// `op.f('name')` in the spelling and the quotes of the source.
///
/// A function imported from `alembic.op` has no `f` beside it; a plain string does there, since no template of the usual kinds is applied to
/// a name that is given.
fn finished(source: &SourceFile, operation: &Operation<'_>, name: &str) -> Option<String> {
    let literal = quoted(name, quote(source, operation))?;
    Some(match &operation.receiver {
        Receiver::Operations(spelling) | Receiver::Batch { spelling, .. } => format!("{spelling}.f({literal})"),
        Receiver::Bare => literal,
    })
}

/// The quote that the call itself uses, else Alembic's own.
fn quote(source: &SourceFile, operation: &Operation<'_>) -> char {
    let text = source.slice(operation.call.span);
    text.chars().find(|letter| matches!(letter, '"' | '\'')).unwrap_or('\'')
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
