//! How a name is written into an operation.

use super::MigrationFile;
use crate::fix::{Edit, Fix, Safety};
use crate::migration::{Direction, Name, Operation, Receiver};
use crate::naming::{ConstraintKind, Convention, Dialect, Value};
use crate::project::{ConventionFacts, Target};
use crate::python::{Call, Expr, Stmt, StmtKind};
use crate::source::{SourceFile, Span};

/// The fix that gives one name to all of these operations; nothing where one of them has no place for it.
pub(crate) fn name_all(file: &MigrationFile<'_>, operations: &[&Operation<'_>], name: &Name) -> Option<Fix> {
    let (Name::Plain(text) | Name::Finished(text)) = name else {
        return None;
    };
    let source = file.file();
    let mut edits = Vec::new();
    let mut wants_a_look = file.is_deployed;
    for operation in operations {
        let argument = operation.name_argument.filter(|_| operation.unnamed_by.is_none())?;
        edits.push(Edit {
            file: source.clone(),
            span: argument.value.span,
            text: match name {
                Name::Plain(text) => quoted_as_in(file, operation.call, text)?,
                _ => finished_name(file, &operation.receiver, operation.call, text)?,
            },
        });
        edits.extend(warning_comment(file, operation.call.span));
        let reflected = names_of_reflected(file, operation);
        wants_a_look |= reflected.is_some();
        edits.extend(reflected);
    }
    let title = match operations {
        [_] => format!("name it `{text}`"),
        _ => format!("name it `{text}` in both functions"),
    };
    let safety = if wants_a_look { Safety::Suggested } else { Safety::Safe };
    Some(Fix::new(title, safety, edits))
}

/// Whether a drop looks for a constraint that SQLite made and that has no name when it is reflected.
///
/// `batch_alter_table` gives it one by the `naming_convention=` that it is called with, and finds nothing otherwise (seen with Alembic 1.20).
pub(crate) fn needs_reflected_names(file: &MigrationFile<'_>, operation: &Operation<'_>) -> bool {
    let is_sqlite = file.dialect().is_none_or(|dialect| dialect == Dialect::Sqlite);
    let older = !operation.creates() && operation.direction == Direction::Upgrade;
    let Receiver::Batch { batch, .. } = &operation.receiver else {
        return false;
    };
    is_sqlite && older && !batch.names_reflected && template(file, operation).is_some()
}

/// What tells a batch on SQLite how to call what has no name there, for a drop of something older; nothing where the database is another, or where
/// the batch has it.
pub(crate) fn naming_of_reflected(
    file: &MigrationFile<'_>,
    drop: &Operation<'_>,
    kind: ConstraintKind,
) -> Option<String> {
    let Receiver::Batch { batch, .. } = &drop.receiver else {
        return None;
    };
    let possible = file.possible_dialects();
    let may_be_sqlite = possible.is_empty() || possible.contains(&Dialect::Sqlite);
    let template = template_for(file, kind).filter(|_| may_be_sqlite && !batch.names_reflected)?;
    Some(format!("naming_convention={{'{}': '{template}'}}", kind.prefix()?))
}

fn names_of_reflected(file: &MigrationFile<'_>, operation: &Operation<'_>) -> Option<Edit> {
    let Receiver::Batch { batch, .. } = &operation.receiver else {
        return None;
    };
    let (last, close) = batch
        .end_of_arguments
        .filter(|_| needs_reflected_names(file, operation))?;
    let quote = quote(file, operation.call);
    // One dict for all that the block drops, so that every fix of the block writes the same.
    let same_block = |other: &&Operation<'_>| {
        matches!(&other.receiver, Receiver::Batch { batch: one, .. } if one.end_of_arguments == batch.end_of_arguments)
            && other.name == Name::Unnamed
            && needs_reflected_names(file, other)
    };
    let mut entries: Vec<String> = Vec::new();
    for other in file.migration.operations.iter().filter(same_block) {
        let key = quoted(other.kind()?.prefix()?, quote)?;
        entries.push(format!("{key}: {}", quoted(&template(file, other)?, quote)?));
    }
    entries.sort();
    entries.dedup();
    let argument = format!("naming_convention={{{}}}", entries.join(", "));
    Some(further_argument(file.file(), last, close, &argument))
}

/// The template that gives the name which is suggested.
fn template(file: &MigrationFile<'_>, operation: &Operation<'_>) -> Option<String> {
    template_for(file, operation.kind()?)
}

fn template_for(file: &MigrationFile<'_>, kind: ConstraintKind) -> Option<String> {
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
pub(crate) fn finished_name(file: &MigrationFile<'_>, receiver: &Receiver, call: &Call, name: &str) -> Option<String> {
    let literal = quoted_as_in(file, call, name)?;
    Some(match receiver {
        Receiver::Operations(spelling) | Receiver::Batch { spelling, .. } => format!("{spelling}.f({literal})"),
        Receiver::Bare => literal,
    })
}

/// A string literal in the quotes that a call uses.
pub(crate) fn quoted_as_in(file: &MigrationFile<'_>, call: &Call, text: &str) -> Option<String> {
    quoted(text, quote(file, call))
}

/// The quote that the call itself uses, else the module, else Alembic's own.
fn quote(file: &MigrationFile<'_>, call: &Call) -> char {
    let mut arguments = call.arguments.iter().map(|argument| &argument.value);
    let first = |expr: &Expr| first_quote(file.file(), expr);
    let of_module = || {
        let assigned = |statement: &Stmt| match &statement.kind {
            StmtKind::Assign { value, .. } => value.as_ref().and_then(first),
            _ => None,
        };
        file.migration.module.body().iter().find_map(assigned)
    };
    arguments.find_map(first).or_else(of_module).unwrap_or('\'')
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

/// A further argument at the end of a call. `last` is where the last one ends, its own parentheses aside; `close` is the closing parenthesis.
pub(crate) fn further_argument(source: &SourceFile, last: usize, close: usize, argument: &str) -> Edit {
    let rest = source.slice(Span::new(last, close));
    let without_comments: String = rest
        .split('\n')
        .map(|line| line.split('#').next().unwrap_or_default())
        .collect();
    let has_comma = without_comments.contains(',');
    let (span, text) = if rest.chars().all(|letter| letter == ',' || letter == ' ') {
        // Alembic leaves `, )` behind.
        (Span::new(last, close), format!(", {argument}"))
    } else if has_comma {
        (Span::new(close, close), argument.to_owned())
    } else if rest.contains('#') {
        (Span::new(close, close), format!(", {argument}"))
    } else {
        let inner = rest.rfind(')').map_or(0, |at| at + 1);
        (Span::new(last + inner, last + inner), format!(", {argument}"))
    };
    Edit {
        file: source.clone(),
        span,
        text,
    }
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
    let before = comments.partition_point(|comment| comment.end <= first_line);
    let above = comments.get(before.checked_sub(WARNING.len())?..before)?;
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
