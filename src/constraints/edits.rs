//! How a name is written into an operation.

use super::MigrationFile;
use super::convention_name::known_convention;
use crate::fix::{Edit, Fix, Safety};
use crate::migration::{Direction, Name, Operation, Receiver};
use crate::naming::{ConstraintKind, Convention, Dialect, Value};
use crate::python::{Call, Expr, Stmt, StmtKind};
use crate::source::{SourceFile, Span};

/// Gives all of these operations one name; nothing where one of them has no place for it.
pub(super) fn name_all(file: &MigrationFile<'_>, operations: &[&Operation<'_>], name: &Name) -> Option<Fix> {
    let (Name::Plain(text) | Name::Finished(text)) = name else {
        return None;
    };
    let mut edits = Vec::new();
    let mut needs_review = file.is_deployed;
    for operation in operations {
        let argument = operation.name_argument.filter(|_| operation.unnamed_by.is_none())?;
        let written = match name {
            Name::Plain(text) => quoted_as_in(file, operation.call, text)?,
            _ => finished_name(file, &operation.receiver, operation.call, text)?,
        };
        edits.push(Edit::replace(file.file(), argument.value.span, written));
        edits.extend(warning_comment(file, operation.call.span));
        let reflected = names_of_reflected(file, operation);
        needs_review |= reflected.is_some();
        edits.extend(reflected);
    }
    let title = match operations {
        [_] => format!("name it `{text}`"),
        _ => format!("name it `{text}` in both functions"),
    };
    Some(Fix::new(title, Safety::unless(needs_review), edits))
}

/// Whether a drop looks for a constraint that has no name when SQLite reflects it.
///
/// `batch_alter_table` names it by its own `naming_convention=`, and finds nothing without one (seen with Alembic 1.20).
pub(super) fn needs_reflected_names(file: &MigrationFile<'_>, operation: &Operation<'_>) -> bool {
    let is_sqlite = file.dialect().is_none_or(|dialect| dialect == Dialect::Sqlite);
    let older = !operation.creates() && operation.when.direction == Direction::Upgrade;
    let Receiver::Batch { batch, .. } = &operation.receiver else {
        return false;
    };
    is_sqlite && older && !batch.names_reflected && operation.kind().and_then(|kind| template_for(file, kind)).is_some()
}

/// The `naming_convention=` with which a batch on SQLite finds an unnamed constraint of an earlier revision; nothing for another database, or where
/// the batch has one.
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
    // All fixes of a block write the same dict.
    let same_block = |other: &&Operation<'_>| {
        matches!(&other.receiver, Receiver::Batch { batch: one, .. } if one.end_of_arguments == batch.end_of_arguments)
            && other.name == Name::Unnamed
            && needs_reflected_names(file, other)
    };
    let mut entries: Vec<String> = Vec::new();
    for other in file.migration.operations.iter().filter(same_block) {
        let kind = other.kind()?;
        let (key, template) = (quoted(kind.prefix()?, quote)?, template_for(file, kind)?);
        entries.push(format!("{key}: {}", quoted(&template, quote)?));
    }
    entries.sort();
    entries.dedup();
    let argument = format!("naming_convention={{{}}}", entries.join(", "));
    Some(further_argument(file.file(), last, close, &argument))
}

/// The template of the suggested name.
fn template_for(file: &MigrationFile<'_>, kind: ConstraintKind) -> Option<String> {
    let own = known_convention(&file.naming().target);
    let own = own.and_then(|(convention, _)| convention.template_for(kind).cloned());
    let documented = || {
        let configured = file.configured_convention.cloned();
        let convention = configured.unwrap_or_else(Convention::sqlalchemy_documented);
        convention.template_for(kind).cloned()
    };
    match own.or_else(documented)? {
        Value::Template(template) => Some(template),
        _ => None,
    }
}

/// `op.f('name')` in the spelling and the quotes of the source.
///
/// Beside a function imported from `alembic.op` there is no `f`. A plain string serves, since the usual templates leave a given name alone.
pub(crate) fn finished_name(file: &MigrationFile<'_>, receiver: &Receiver, call: &Call, name: &str) -> Option<String> {
    let literal = quoted_as_in(file, call, name)?;
    Some(match receiver {
        Receiver::Operations(spelling) | Receiver::Batch { spelling, .. } => format!("{spelling}.f({literal})"),
        Receiver::Bare => literal,
    })
}

/// The arguments of `drop_constraint`, in the quotes of the call that it is written for. `table` is nothing in a batch.
pub(crate) fn drop_arguments(
    file: &MigrationFile<'_>,
    receiver: &Receiver,
    call: &Call,
    name: &str,
    table: Option<&str>,
    kind: ConstraintKind,
) -> Option<String> {
    let name = finished_name(file, receiver, call, name)?;
    let table = table.map(|table| format!(", {table}")).unwrap_or_default();
    let kind = match kind.type_name() {
        Some(kind) => format!(", type_={}", quoted_as_in(file, call, kind)?),
        None => String::new(),
    };
    Some(format!("{name}{table}{kind}"))
}

/// A table and its schema as arguments, in the quotes of a call.
pub(crate) fn table_arguments(
    file: &MigrationFile<'_>,
    call: &Call,
    table: &str,
    schema: Option<&str>,
) -> Option<String> {
    let table = quoted_as_in(file, call, table)?;
    Some(match schema {
        Some(schema) => format!("{table}, schema={}", quoted_as_in(file, call, schema)?),
        None => table,
    })
}

/// A string literal in the quotes that a call uses.
fn quoted_as_in(file: &MigrationFile<'_>, call: &Call, text: &str) -> Option<String> {
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
        let mut letters = source.slice(expr.span).chars();
        return letters.find(|letter| matches!(letter, '"' | '\''));
    }
    expr.children().into_iter().find_map(|child| first_quote(source, child))
}

/// Adds an argument to a call. `last` is the end of the last one without parentheses around it; `close` is the closing parenthesis.
pub(super) fn further_argument(source: &SourceFile, last: usize, close: usize, argument: &str) -> Edit {
    let rest = source.slice(Span::new(last, close));
    let has_comma = |line: &str| line.split('#').next().is_some_and(|code| code.contains(','));
    let (span, text) = if rest.chars().all(|letter| letter == ',' || letter == ' ') {
        // Alembic leaves `, )` behind.
        (Span::new(last, close), format!(", {argument}"))
    } else if rest.split('\n').any(has_comma) {
        (Span::new(close, close), argument.to_owned())
    } else if rest.contains('#') {
        (Span::new(close, close), format!(", {argument}"))
    } else {
        let inner = last + rest.rfind(')').map_or(0, |at| at + 1);
        (Span::new(inner, inner), format!(", {argument}"))
    };
    Edit::replace(source, span, text)
}

/// A Python literal; nothing for a text with control characters.
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

/// Removes that comment, with its lines, from right above a call.
fn warning_comment(file: &MigrationFile<'_>, call: Span) -> Option<Edit> {
    let source = file.file();
    let text = source.text();
    let comments = file.migration.module.comments();
    let first_line = source.line_span(call.start).start;
    let before = comments.partition_point(|comment| comment.end <= first_line);
    let above = comments.get(before.checked_sub(WARNING.len())?..before)?;
    let is_warning = above.iter().zip(WARNING).all(|(span, line)| {
        let alone = text[source.line_span(span.start).start..span.start].trim().is_empty();
        alone && source.slice(*span).split_whitespace().eq(line.split_whitespace())
    });
    let first = above.first()?;
    let start = source.line_span(first.start).start;
    let adjacent = text.get(above.last()?.end..first_line)?.trim().is_empty();
    (is_warning && adjacent).then(|| Edit::replace(source, Span::new(start, first_line), ""))
}
