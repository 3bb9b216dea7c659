//! Constraints inside `create_table` and `add_column`, which no operation of their own makes.

use super::MigrationFile;
use super::constraint::Constraint;
use super::edits::{finished_name, further_argument};
use crate::fix::Edit;
use crate::migration::{Name, Receiver, Step};
use crate::naming::ConstraintKind;
use crate::python::{Argument, ArgumentKind, Call, Expr, ExprKind, Stmt, StmtKind};

/// A constraint inside another operation.
pub(crate) struct Inline<'m> {
    pub(crate) kind: ConstraintKind,
    /// `ForeignKey(...)`, `UniqueConstraint(...)`; nothing for `unique=True`.
    pub(crate) call: Option<&'m Call>,
    /// The argument of the column or the table that makes it.
    pub(crate) argument: &'m Argument,
    /// Nothing where they are computed.
    pub(crate) columns: Option<Vec<String>>,
    pub(crate) referred: Option<Referred>,
    pub(crate) name: Name,
}

/// Table, schema and columns that a foreign key refers to.
type Referred = (String, Option<String>, Vec<String>);

/// The constraints in the column that `add_column` adds.
pub(crate) fn of_added_column<'m>(step: &Step<'m>) -> Vec<Inline<'m>> {
    step.column.map(of_column).unwrap_or_default()
}

/// The constraints in the elements of `create_table`.
pub(crate) fn of_table<'m>(step: &Step<'m>) -> Vec<Inline<'m>> {
    positional(step.call)
        .skip(1)
        .flat_map(|argument| match argument.value.as_call() {
            Some(call) if call.name() == Some("Column") => of_column(call),
            Some(call) => table_constraint(argument, call).into_iter().collect(),
            None => Vec::new(),
        })
        .collect()
}

/// The constraints inside a step of any kind.
pub(crate) fn constraints_of<'m>(step: &Step<'m>) -> Vec<Inline<'m>> {
    match step.method {
        "create_table" => of_table(step),
        "add_column" => of_added_column(step),
        _ => Vec::new(),
    }
}

/// What `create_table` is given by calls of this name: `Column(...)`, `Index(...)`.
pub(crate) fn elements<'m>(step: &Step<'m>, name: &str) -> impl Iterator<Item = &'m Call> {
    let arguments = step.call.arguments.iter();
    arguments.filter_map(move |argument| argument.value.as_call_of(name))
}

/// The name of a `Column(...)`, if it is written.
pub(crate) fn column_name(column: &Call) -> Option<&str> {
    let first = column.arguments.first();
    let first = first.filter(|first| first.kind == ArgumentKind::Positional);
    let name = column.keyword("name").or(first.map(|first| &first.value));
    name.and_then(Expr::as_str)
}

/// The name of a column, as a list of one.
pub(super) fn columns_of(column: &Call) -> Option<Vec<String>> {
    column_name(column).map(|name| vec![name.to_owned()])
}

/// Whether a call has `keyword=True`.
pub(crate) fn is_set(call: &Call, keyword: &str) -> bool {
    let value = call.keyword(keyword);
    value.is_some_and(|value| value.kind == ExprKind::Bool(true))
}

fn of_column(column: &Call) -> Vec<Inline<'_>> {
    let kind = |argument: &Argument| match (&argument.kind, argument.value.as_call().and_then(Call::name)) {
        (ArgumentKind::Positional, Some("ForeignKey")) => Some(ConstraintKind::ForeignKey),
        (ArgumentKind::Positional, Some("CheckConstraint")) => Some(ConstraintKind::Check),
        // With `index=True` it is a unique index, which has a name.
        (ArgumentKind::Keyword(keyword), _) if keyword == "unique" && !is_set(column, "index") => {
            (argument.value.kind == ExprKind::Bool(true)).then_some(ConstraintKind::Unique)
        }
        _ => None,
    };
    let inline = |argument| {
        let kind = kind(argument)?;
        let call = argument.value.as_call();
        let target = call.filter(|_| kind == ConstraintKind::ForeignKey);
        Some(Inline {
            kind,
            call,
            argument,
            columns: match kind {
                ConstraintKind::Check => Some(Vec::new()),
                _ => columns_of(column),
            },
            referred: target.and_then(|call| {
                let (table, schema, column) = split_target(call.arguments.first()?.value.as_str()?)?;
                Some((table, schema, vec![column]))
            }),
            name: call.map_or(Name::Unnamed, name_of),
        })
    };
    column.arguments.iter().filter_map(inline).collect()
}

fn table_constraint<'m>(argument: &'m Argument, call: &'m Call) -> Option<Inline<'m>> {
    let kind = match call.name()? {
        "ForeignKeyConstraint" => ConstraintKind::ForeignKey,
        "UniqueConstraint" => ConstraintKind::Unique,
        "PrimaryKeyConstraint" => ConstraintKind::PrimaryKey,
        "CheckConstraint" => ConstraintKind::Check,
        _ => return None,
    };
    let texts_at = |at: usize| texts(&call.arguments.get(at)?.value);
    let columns = match kind {
        ConstraintKind::Check => Some(Vec::new()),
        ConstraintKind::ForeignKey => texts_at(0),
        _ => {
            let texts = positional(call).map(|argument| argument.value.as_str().map(str::to_owned));
            texts.collect()
        }
    };
    let targets = texts_at(1).filter(|_| kind == ConstraintKind::ForeignKey);
    Some(Inline {
        kind,
        call: Some(call),
        argument,
        columns,
        referred: targets.and_then(|targets| {
            let parsed: Option<Vec<_>> = targets.iter().map(|text| split_target(text)).collect();
            let parsed = parsed?;
            let (table, schema, _) = parsed.first()?.clone();
            Some((table, schema, parsed.into_iter().map(|(_, _, column)| column).collect()))
        }),
        name: name_of(call),
    })
}

pub(super) fn positional(call: &Call) -> impl Iterator<Item = &Argument> {
    let arguments = call.arguments.iter();
    arguments.filter(|argument| argument.kind == ArgumentKind::Positional)
}

fn texts(expr: &Expr) -> Option<Vec<String>> {
    match &expr.kind {
        ExprKind::List(items) | ExprKind::Tuple(items) => {
            items.iter().map(|item| item.as_str().map(str::to_owned)).collect()
        }
        _ => None,
    }
}

/// The table, schema and column of `'schema.table.column'`.
fn split_target(text: &str) -> Option<(String, Option<String>, String)> {
    let (rest, column) = text.rsplit_once('.')?;
    Some(match rest.rsplit_once('.') {
        Some((schema, table)) => (table.to_owned(), Some(schema.to_owned()), column.to_owned()),
        None => (rest.to_owned(), None, column.to_owned()),
    })
}

pub(super) fn name_of(call: &Call) -> Name {
    let is_spread = |argument: &Argument| argument.kind == ArgumentKind::KeywordSpread;
    if call.arguments.iter().any(is_spread) {
        return Name::Computed;
    }
    let Some(argument) = name_argument(call) else {
        return Name::Unnamed;
    };
    match &argument.value.kind {
        ExprKind::None => Name::Unnamed,
        // `CONSTRAINT ""`, which a database refuses.
        ExprKind::String(text) if text.is_empty() => Name::Unnamed,
        ExprKind::String(text) => Name::Plain(text.to_string()),
        ExprKind::Call(inner) if matches!(inner.name(), Some("f" | "conv")) => {
            let text = inner.arguments.first().and_then(|first| first.value.as_str());
            text.map_or(Name::Computed, |text| Name::Finished(text.to_owned()))
        }
        _ => Name::Computed,
    }
}

/// The argument that names a constraint. Some take it by position as well (`sqlalchemy/sql/schema.py`, `CheckConstraint`,
/// `ForeignKeyConstraint`).
fn name_argument(call: &Call) -> Option<&Argument> {
    let position = match call.name() {
        Some("CheckConstraint") => Some(1),
        Some("ForeignKeyConstraint") => Some(2),
        _ => None,
    };
    let by_position = || position.and_then(|position| positional(call).nth(position));
    let mut arguments = call.arguments.iter();
    arguments
        .find(|argument| argument.is_keyword("name"))
        .or_else(by_position)
}

impl Inline<'_> {
    /// The constraint as a convention sees it.
    pub(crate) fn constraint<'a>(&'a self, step: &'a Step<'_>) -> Constraint<'a> {
        let referred = self.referred.as_ref();
        Constraint {
            referred: referred.map(|(table, schema, columns)| (table.as_str(), schema.as_deref(), columns.as_slice())),
            explicit: self.name.explicit(),
            place: Some(self.argument.span),
            ..Constraint::within(step, self.kind, self.columns.as_deref())
        }
    }
}

/// `name=op.f('...')` as the last argument, where Alembic itself writes it, or in the place of `name=None`.
pub(crate) fn write_name(file: &MigrationFile<'_>, receiver: &Receiver, call: &Call, name: &str) -> Option<Edit> {
    let source = file.file();
    if has_no_place(file, call) {
        return None;
    }
    let finished = finished_name(file, receiver, call, name)?;
    if let Some(none) = name_argument(call) {
        return Some(Edit::replace(source, none.value.span, finished));
    }
    let last = call.arguments.last()?.span.end;
    let close = call.arguments_span.end.checked_sub(1)?;
    Some(further_argument(source, last, close, &format!("name={finished}")))
}

/// Whether a column is above the functions, where `op.f` does not work yet, or is added to several tables, which need several names.
fn has_no_place(file: &MigrationFile<'_>, call: &Call) -> bool {
    let body = file.migration.module.body();
    let at = body.partition_point(|statement| statement.span.end <= call.span.start);
    let is_above = |statement: &Stmt| {
        !matches!(statement.kind, StmtKind::Function(_) | StmtKind::Class(_)) && statement.span.contains(call.span)
    };
    file.steps_with_column(call.span) > 1 || body.get(at).is_some_and(is_above)
}

/// Whether the code shows everything that `create_table` is given.
pub(crate) fn is_written_out(step: &Step<'_>) -> bool {
    let arguments = step.call.arguments.iter();
    let elements = arguments.filter(|argument| !matches!(argument.kind, ArgumentKind::Keyword(_)));
    let mut elements = elements.skip(1);
    elements.all(|argument| {
        let is_constraint = |name: &str| name.ends_with("Constraint") || name == "Index";
        let call = argument.value.as_call();
        argument.kind == ArgumentKind::Positional
            && (argument
                .value
                .as_call_of("Column")
                .is_some_and(|column| !column.has_spread())
                || call.and_then(Call::name).is_some_and(is_constraint))
    })
}

#[cfg(test)]
mod tests {
    use crate::rules::harness::{CK, check_last, models};

    #[test]
    fn a_name_may_be_positional() {
        for (inner, count) in [
            ("sa.CheckConstraint('a > 0')", 1),
            ("sa.CheckConstraint('a > 0', None)", 1),
            ("sa.CheckConstraint('a > 0', 'a_positive')", 0),
            ("sa.Column('a', sa.Integer(), sa.CheckConstraint('a > 0', 'a_positive'))", 0),
        ] {
            let found = check_last(&models(CK), &[&format!("op.create_table('t', {inner})")]);
            assert_eq!(found.len(), count, "{inner}: {found:?}");
        }
    }
}
