//! The checks that the type of a column brings along: `Boolean` and `Enum` with `create_constraint=True` (`sqlalchemy/sql/sqltypes.py`,
//! `SchemaType` and `_type_bound`).

use crate::diagnostic::{Diagnostic, Severity};
use crate::migration::{Known, Step};
use crate::naming::{ConstraintKind, Dialect};
use crate::python::{Argument, ArgumentKind, Call, ExprKind};

use super::advice::RAISES;
use super::inline::{Inline, InlineName, columns_of, name_of};
use super::suggestion::raises_without_name;
use super::{MigrationFile, Rule};

/// The checks of the types in `create_table`, `add_column` and `alter_column`.
pub(super) fn type_checks<'m>(step: &Step<'m>) -> Vec<Inline<'m>> {
    let is_type = |argument: &&Argument| argument.is_keyword("type_");
    match step.method {
        "add_column" => step.column.map(of_column).unwrap_or_default(),
        "create_table" => {
            let arguments = step.call.arguments.iter();
            let columns = arguments.filter_map(|argument| argument.value.as_call_of("Column"));
            columns.flat_map(of_column).collect()
        }
        "alter_column" => {
            let call: &'m Call = step.call;
            let columns = || Known::Computed("the column stands elsewhere".to_owned());
            let given = call.arguments.iter().filter(is_type);
            given.filter_map(|argument| check(argument, columns())).collect()
        }
        _ => Vec::new(),
    }
}

fn of_column(column: &Call) -> Vec<Inline<'_>> {
    let is_type = |argument: &&Argument| argument.kind == ArgumentKind::Positional || argument.is_keyword("type_");
    let arguments = column.arguments.iter().filter(is_type);
    arguments
        .filter_map(|argument| check(argument, columns_of(column)))
        .collect()
}

fn check(argument: &Argument, columns: Known<Vec<String>>) -> Option<Inline<'_>> {
    let call = type_with_check(argument)?;
    Some(Inline {
        kind: ConstraintKind::Check,
        call: Some(call),
        argument,
        columns,
        referred: None,
        name: name_of_type(call),
    })
}

fn type_with_check(argument: &Argument) -> Option<&Call> {
    let call = argument.value.as_call()?;
    let position = match call.name()? {
        "Boolean" => Some(0),
        "Enum" => None,
        _ => return None,
    };
    let given = call.argument(position, "create_constraint").ok()??;
    (given.value.kind == ExprKind::Bool(true)).then_some(call)
}

/// An `Enum` of a class is called after it (`sqlalchemy/sql/sqltypes.py`, `Enum._enum_init`).
fn name_of_type(call: &Call) -> InlineName {
    let first = call.arguments.first();
    let is_text = first.is_some_and(|first| first.kind == ArgumentKind::Positional && first.value.as_str().is_some());
    match name_of(call) {
        InlineName::Unnamed if call.name() == Some("Enum") && !is_text => InlineName::Computed,
        InlineName::Unnamed if call.name() == Some("Boolean") && call.argument(Some(1), "name") != Ok(None) => {
            InlineName::Computed
        }
        name => name,
    }
}

/// Whether the database gets the check: where it has such a type of its own, there is none, and SQLite gets none with a column that is added or
/// altered (`alembic/ddl/sqlite.py`, `add_constraint`). Nothing where the database is not known.
pub(super) fn reaches_database(file: &MigrationFile<'_>, step: &Step<'_>, check: &Inline<'_>) -> Option<bool> {
    let call = check.call?;
    let native = call.keyword("native_enum").map(|value| &value.kind);
    let is_enum = call.name() == Some("Enum");
    let is_added = step.method != "create_table";
    match (file.dialect(), native) {
        (Some(Dialect::Sqlite), _) => Some(!is_added),
        (Some(_), Some(ExprKind::Bool(false))) if is_enum => Some(true),
        (None, Some(ExprKind::Bool(false))) if is_enum && !is_added => Some(true),
        (Some(Dialect::Postgresql), None) => Some(false),
        (Some(Dialect::Mysql | Dialect::Mariadb), None) => Some(!is_enum),
        _ => None,
    }
}

/// A check of a type that fails for want of a name.
pub(super) fn unnamed_type(
    rule: &'static Rule,
    file: &MigrationFile<'_>,
    step: &Step<'_>,
    check: &Inline<'_>,
    message: &str,
) -> Option<Diagnostic> {
    let is_unnamed = check.name == InlineName::Unnamed && raises_without_name(file, check.constraint(step));
    let is_made = reaches_database(file, step, check);
    if !is_unnamed || is_made == Some(false) {
        return None;
    }
    let (severity, consequence) = match is_made {
        Some(_) => (Severity::Error, RAISES.to_owned()),
        None => (
            Severity::Warning,
            format!("{RAISES}, on a database that has no such type"),
        ),
    };
    let place = check.argument.value.span;
    let mut diagnostic = Diagnostic::new(rule, file.file(), place, message)
        .focus(place, consequence)
        .help("give the type a `name=`, or leave out `create_constraint=True`");
    diagnostic.severity = severity;
    Some(diagnostic)
}
