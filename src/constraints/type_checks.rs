//! The checks that come with the type of a column: `Boolean` and `Enum` with `create_constraint=True` (`sqlalchemy/sql/sqltypes.py`,
//! `SchemaType` and `_type_bound`).

use std::collections::HashMap;

use super::MigrationFile;
use super::advice::RAISES;
use super::convention_name::{effective_name, raises_without_name};
use super::inline::{Inline, columns_of, constraints_of, elements, name_of};
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::migration::{Direction, Name, Step};
use crate::naming::{ConstraintKind, Dialect};
use crate::python::{Argument, ArgumentKind, Call, ExprKind};
use crate::source::Span;

/// The checks of the types in `create_table`, `add_column` and `alter_column`.
pub(crate) fn type_checks<'m>(step: &Step<'m>) -> Vec<Inline<'m>> {
    let is_type = |argument: &&Argument| argument.is_keyword("type_");
    match step.method {
        "add_column" => step.column.map(of_column).unwrap_or_default(),
        "create_table" => elements(step, "Column").flat_map(of_column).collect(),
        "alter_column" => {
            let given = step.call.arguments.iter().filter(is_type);
            given.filter_map(|argument| check(argument, None)).collect()
        }
        _ => Vec::new(),
    }
}

fn of_column(column: &Call) -> Vec<Inline<'_>> {
    let is_type = |argument: &&Argument| argument.kind == ArgumentKind::Positional || argument.is_keyword("type_");
    let types = column.arguments.iter().filter(is_type);
    types
        .filter_map(|argument| check(argument, columns_of(column)))
        .collect()
}

fn check(argument: &Argument, columns: Option<Vec<String>>) -> Option<Inline<'_>> {
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

/// An `Enum` made of a class has the class's name (`sqlalchemy/sql/sqltypes.py`, `Enum._enum_init`).
fn name_of_type(call: &Call) -> Name {
    let first = call.arguments.first();
    let is_text = first.is_some_and(|first| first.kind == ArgumentKind::Positional && first.value.as_str().is_some());
    match name_of(call) {
        Name::Unnamed if call.name() == Some("Enum") && !is_text => Name::Computed,
        Name::Unnamed if call.name() == Some("Boolean") && call.argument(Some(1), "name") != Ok(None) => Name::Computed,
        name => name,
    }
}

/// The named checks that an upgrade makes with a table, a column or a type, by table and schema.
///
/// Nothing for a table of which a constraint may have any name.
#[derive(Default)]
pub(crate) struct InnerChecks(HashMap<(String, Option<String>), Option<Vec<InnerCheck>>>);

pub(crate) struct InnerCheck {
    /// Its name in the code.
    pub(crate) written: String,
    /// Its name in the database.
    pub(crate) name: String,
    pub(crate) place: Span,
}

/// The checks of a table are compared with each drop, so there must not be more.
const MOST_CHECKS: usize = 100;

impl InnerChecks {
    pub(super) fn of(file: &MigrationFile<'_>) -> Self {
        let mut found = Self::default();
        let steps = file.migration.steps.iter();
        for step in steps.filter(|step| step.when.direction == Direction::Upgrade) {
            let (Some(table), Some(schema)) = (step.table.known(), step.schema.known()) else {
                continue;
            };
            let known = found.0.entry((table.clone(), schema.clone()));
            let known = known.or_insert_with(|| Some(Vec::new()));
            match (known.as_mut(), inner_checks(file, step)) {
                (Some(all), Some(more)) if all.len() + more.len() <= MOST_CHECKS => all.extend(more),
                _ => *known = None,
            }
        }
        found
    }

    /// The checks of a table, where there are any and each is known.
    pub(crate) fn of_table(&self, table: &str, schema: Option<&str>) -> Option<&[InnerCheck]> {
        let key = (table.to_owned(), schema.map(str::to_owned));
        let checks = self.0.get(&key)?.as_deref()?;
        (!checks.is_empty()).then_some(checks)
    }
}

/// The checks of one step; nothing where one of its constraints may have any name.
fn inner_checks(file: &MigrationFile<'_>, step: &Step<'_>) -> Option<Vec<InnerCheck>> {
    let inner = constraints_of(step).into_iter().map(|inline| (inline, Some(true)));
    let types = type_checks(step).into_iter().map(|check| {
        let reaches = reaches_database(file, step, &check);
        (check, reaches)
    });
    let mut checks = Vec::new();
    for (inline, reaches) in inner.chain(types).filter(|(_, reaches)| *reaches != Some(false)) {
        let constraint = inline.constraint(step);
        let written = reaches.and(constraint.explicit)?.name.to_owned();
        if inline.kind == ConstraintKind::Check {
            let name = effective_name(file, constraint).filter(|_| !step.when.repeated)?;
            let place = inline.argument.span;
            checks.push(InnerCheck { written, name, place });
        }
    }
    Some(checks)
}

/// Whether the database gets the check; nothing where the database is not known.
///
/// A database with such a type gets none, nor does SQLite for a column that is added or altered (`alembic/ddl/sqlite.py`, `add_constraint`).
fn reaches_database(file: &MigrationFile<'_>, step: &Step<'_>, check: &Inline<'_>) -> Option<bool> {
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

/// The finding for the check of a type that fails because it has no name. Outside of `create_table` the call that changes the column is shown.
pub(crate) fn unnamed_type(
    rule: &'static Rule,
    file: &MigrationFile<'_>,
    step: &Step<'_>,
    check: &Inline<'_>,
) -> Option<Diagnostic> {
    let is_unnamed = check.name == Name::Unnamed && raises_without_name(file, check.constraint(step));
    let is_made = reaches_database(file, step, check);
    if !is_unnamed || is_made == Some(false) {
        return None;
    }
    let (severity, consequence) = match is_made {
        Some(_) => (Severity::Error, RAISES.to_owned()),
        None => (Severity::Warning, format!("{RAISES}, on a database that has no such type")),
    };
    let place = check.argument.value.span;
    let span = match step.method {
        "create_table" => place,
        _ => step.call.span,
    };
    let message = "the check constraint of the column's type has no name";
    let mut diagnostic = Diagnostic::new(rule, file.file(), span, message)
        .focus(place, consequence)
        .help("give the type a `name=`, or leave out `create_constraint=True`");
    diagnostic.severity = severity;
    Some(diagnostic)
}
