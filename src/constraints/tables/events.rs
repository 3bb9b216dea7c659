//! What the operations and the SQL of a migration do to keys and indexes, as events in order.

use super::super::MigrationFile;
use super::super::constraint::Constraint;
use super::super::convention_name::{dropped_name, effective_name, name_at_run_time};
use super::super::executed::Executed;
use super::super::inline::{Inline, column_name, constraints_of, elements, is_set, is_written_out, positional};
use crate::migration::{Action, Direction, Guard, Known, Migration, Name, Operation, Receiver, Step, When};
use crate::naming::ConstraintKind;
use crate::project::Place;
use crate::python::{ArgumentKind, Call};
use crate::source::Span;
use crate::sql::{Added, Effect, Naming, Table as SqlTable};

/// A table and its schema.
pub(crate) type Table = (String, Option<String>);

/// A foreign key.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) table: Table,
    pub(crate) columns: Vec<String>,
    /// Nothing where that is computed.
    pub(crate) referred: Option<(Table, Vec<String>)>,
    /// In the database; nothing where that is not known.
    pub(crate) name: Option<String>,
    /// Whether the database chooses its name.
    pub(crate) is_chosen: bool,
    /// Whether its name is written.
    pub(super) is_named: bool,
    pub(crate) place: Place,
    pub(super) is_there: bool,
}

/// An index, including that of a unique constraint or a primary key.
#[derive(Debug, Clone)]
pub(super) struct Index {
    pub(super) name: Option<String>,
    /// Nothing where they are not all plain columns, so that it may serve any key.
    pub(super) columns: Option<Vec<String>>,
    /// Whether the database made it for a key.
    pub(super) is_generated: bool,
}

/// One change of a table.
pub(crate) struct Event<'f> {
    pub(super) at: Span,
    pub(crate) direction: Direction,
    pub(crate) table: Table,
    /// Whether it certainly happens, and in the order of the source.
    pub(super) is_certain: bool,
    pub(super) change: Change<'f>,
}

/// A drop that the database may refuse.
#[derive(Clone, Copy)]
pub(crate) struct Dropping<'f> {
    pub(crate) call: &'f Call,
    pub(crate) receiver: &'f Receiver,
    pub(crate) when: When<'f>,
    /// What it drops, in words.
    pub(crate) what: &'static str,
}

pub(super) enum Change<'f> {
    Key(Box<Key>),
    Index(Index),
    KeyDropped(Option<String>),
    IndexDropped(Option<String>, Option<Dropping<'f>>),
    /// By a drop that does not say its kind.
    Dropped(Option<String>),
    TableMade,
    TableDropped,
    ColumnAdded(String),
    ColumnDropped(String, Option<Dropping<'f>>),
    /// Something that is not understood.
    Unclear,
}

impl Event<'_> {
    /// The name of the key or the index that it makes.
    pub(super) fn makes(&self) -> Option<&str> {
        match &self.change {
            Change::Key(key) => key.name.as_deref(),
            Change::Index(index) => index.name.as_deref(),
            _ => None,
        }
    }

    /// The name of the key or the index that it drops.
    pub(super) fn drops(&self) -> Option<&str> {
        match &self.change {
            Change::KeyDropped(name) | Change::IndexDropped(name, _) | Change::Dropped(name) => name.as_deref(),
            _ => None,
        }
    }
}

/// What the operations of a migration do to tables; nothing where one of the tables is not known.
pub(super) fn events<'f>(file: &MigrationFile<'_>, migration: &'f Migration<'_>) -> Option<Vec<Event<'f>>> {
    let mut found = Vec::new();
    for operation in &migration.operations {
        if is_about_others(operation.kind()) {
            continue;
        }
        found.push(Event {
            at: operation.call.span,
            direction: operation.when.direction,
            // MySQL finds no index for a drop without a table.
            table: table_of(&operation.table, &operation.schema)?,
            is_certain: is_certain(operation.when.function, !operation.when.is_once()),
            change: of_operation(file, migration, operation),
        });
    }
    for step in migration.steps.iter().filter(|step| is_about_tables(step)) {
        let table = table_of(&step.table, &step.schema)?;
        found.extend(of_step(file, migration, step)?.into_iter().map(|change| Event {
            at: step.call.span,
            direction: step.when.direction,
            table: table.clone(),
            is_certain: is_certain(step.when.function, !step.when.is_once()),
            change,
        }));
    }
    Some(found)
}

/// What the SQL of a migration does to tables; nothing where that cannot be read.
pub(super) fn events_of_sql<'f>(file: &MigrationFile<'_>, executed: &[Executed<'_>]) -> Option<Vec<Event<'f>>> {
    let mut found = Vec::new();
    for one in executed {
        for effect in &one.effects {
            if matches!(effect, Effect::Added(added) if is_about_others(Some(added.kind))) {
                continue;
            }
            let (table, change) = of_effect(file, one, effect)?;
            found.push(Event {
                at: one.run.call.span,
                direction: one.run.when.direction,
                table,
                is_certain: is_certain(one.run.when.function, !one.run.when.is_once() || one.run.guard != Guard::None),
                change,
            });
        }
    }
    Some(found)
}

/// Whether a kind is neither a key nor an index.
fn is_about_others(kind: Option<ConstraintKind>) -> bool {
    matches!(kind, Some(ConstraintKind::Check | ConstraintKind::Exclude))
}

fn is_about_tables(step: &Step<'_>) -> bool {
    let method = step.method;
    matches!(
        method,
        "create_table" | "drop_table" | "rename_table" | "add_column" | "drop_column" | "alter_column"
    )
}

/// Other functions run at another time than their place says.
fn is_certain(function: Option<&str>, may_not_run: bool) -> bool {
    matches!(function, Some("upgrade" | "downgrade")) && !may_not_run
}

fn table_of(table: &Known<String>, schema: &Known<Option<String>>) -> Option<Table> {
    Some((table.known()?.clone(), schema.known()?.clone()))
}

fn of_operation<'f>(file: &MigrationFile<'_>, migration: &Migration<'_>, operation: &'f Operation<'_>) -> Change<'f> {
    let dropped = || dropped_name(file, operation).or_else(|| operation.name.text().map(str::to_owned));
    match operation.action {
        Action::Create(_) => {
            let is_clear = operation.name != Name::Computed;
            made(file, migration, operation.into(), is_clear, is_whole(operation.call))
        }
        Action::Drop(None) => Change::Dropped(dropped()),
        Action::Drop(Some(ConstraintKind::ForeignKey)) => Change::KeyDropped(dropped()),
        Action::Drop(Some(ConstraintKind::PrimaryKey)) => Change::IndexDropped(Some(PRIMARY.to_owned()), None),
        Action::Drop(Some(kind)) => {
            let dropping = Dropping {
                call: operation.call,
                receiver: &operation.receiver,
                when: operation.when,
                what: kind.label(),
            };
            Change::IndexDropped(dropped(), Some(dropping))
        }
    }
}

const PRIMARY: &str = "PRIMARY";

/// Whether an index certainly has all of its columns in full, and is made: prefixes, full-text indexes and `if_not_exists` are in doubt.
fn is_whole(call: &Call) -> bool {
    let is_special = |keyword: &str| matches!(keyword, "mysql_length" | "mysql_prefix" | "if_not_exists");
    !call.arguments.iter().any(|argument| match &argument.kind {
        ArgumentKind::Keyword(keyword) => is_special(keyword) || keyword.starts_with("mariadb_"),
        ArgumentKind::Spread | ArgumentKind::KeywordSpread => true,
        ArgumentKind::Positional => false,
    })
}

/// A constraint that is made. `is_clear` tells that its name is not computed.
fn made<'f>(
    file: &MigrationFile<'_>,
    migration: &Migration<'_>,
    constraint: Constraint<'_>,
    is_clear: bool,
    is_whole: bool,
) -> Change<'f> {
    let columns = constraint.columns.filter(|_| is_whole).map(lower);
    let name = name_in_database(file, constraint).filter(|_| is_clear);
    match constraint.kind {
        ConstraintKind::ForeignKey => {}
        ConstraintKind::PrimaryKey => return index(Some(PRIMARY.to_owned()), columns),
        _ => return index(name, columns),
    }
    let (Some(columns), Some(table), true) = (columns, constraint.table.known(), is_clear) else {
        return Change::Unclear;
    };
    let owned = |table: &str, schema: Option<&str>| (table.to_owned(), schema.map(str::to_owned));
    let referred = constraint.referred;
    Change::Key(Box::new(Key {
        table: owned(table, constraint.schema),
        columns,
        referred: referred.map(|(table, schema, columns)| (owned(table, schema), lower(columns))),
        name,
        is_chosen: constraint.explicit.is_none() && matches!(name_at_run_time(file, constraint), Ok(None)),
        is_named: constraint.explicit.is_some(),
        place: Place::new(migration.module, constraint.place.unwrap_or_default()),
        is_there: true,
    }))
}

const fn index<'f>(name: Option<String>, columns: Option<Vec<String>>) -> Change<'f> {
    Change::Index(Index {
        name,
        columns,
        is_generated: false,
    })
}

fn lower(columns: &[String]) -> Vec<String> {
    columns.iter().map(|column| column.to_lowercase()).collect()
}

fn name_in_database(file: &MigrationFile<'_>, constraint: Constraint<'_>) -> Option<String> {
    match constraint.explicit {
        Some(explicit) => effective_name(file, constraint).or_else(|| Some(explicit.name.to_owned())),
        None => name_at_run_time(file, constraint).ok().flatten(),
    }
}

/// What a step does to its table; nothing for a renamed table, which is not followed.
fn of_step<'f>(file: &MigrationFile<'_>, migration: &Migration<'_>, step: &'f Step<'_>) -> Option<Vec<Change<'f>>> {
    let mut found = Vec::new();
    match step.method {
        "create_table" => {
            found.push(Change::TableMade);
            found.extend((!is_written_out(step)).then_some(Change::Unclear));
            found.extend(indexes_of_table(file, step));
        }
        "add_column" => {
            let column = step.column.and_then(column_name).map(str::to_lowercase);
            found.push(column.map_or(Change::Unclear, Change::ColumnAdded));
        }
        "drop_table" => found.push(Change::TableDropped),
        "drop_column" => {
            let dropping = Dropping {
                call: step.call,
                receiver: &step.receiver,
                when: step.when,
                what: "column",
            };
            let column = step.dropped_column().map(str::to_lowercase);
            found.push(column.map_or(Change::Unclear, |column| Change::ColumnDropped(column, Some(dropping))));
        }
        "alter_column" if step.call.keyword("new_column_name").is_none() => {}
        "rename_table" => return None,
        _ => found.push(Change::Unclear),
    }
    let mut inline = constraints_of(step);
    // SQLAlchemy makes the keys of columns after all others.
    let is_of_column = |inline: &Inline<'_>| inline.call.and_then(Call::name) == Some("ForeignKey");
    inline.sort_by_key(is_of_column);
    for inline in inline.iter().filter(|inline| inline.kind != ConstraintKind::Check) {
        let is_clear = inline.name != Name::Computed;
        found.push(made(file, migration, inline.constraint(step), is_clear, true));
    }
    Some(found)
}

/// The indexes in the elements of `create_table` that are no constraints: `primary_key=True`, `index=True` and `Index(...)`.
fn indexes_of_table<'f>(file: &MigrationFile<'_>, step: &Step<'_>) -> Vec<Change<'f>> {
    let with = |keyword| elements(step, "Column").filter(move |column| is_set(column, keyword));
    let primary = with("primary_key").map(|column| column_name(column).map(str::to_lowercase));
    let mut found = vec![index(Some(PRIMARY.to_owned()), primary.collect())];
    for column in with("index") {
        let name = column_name(column);
        let columns = name.map(|name| vec![name.to_owned()]);
        let constraint = Constraint::within(step, ConstraintKind::Index, columns.as_deref());
        let name = name.and_then(|_| name_in_database(file, constraint));
        found.push(index(name, columns.as_deref().map(lower)));
    }
    for call in elements(step, "Index") {
        let mut texts = positional(call).map(|argument| argument.value.as_str());
        let name = texts.next().flatten().map(str::to_owned);
        let columns: Option<Vec<String>> = texts.map(|text| text.map(str::to_lowercase)).collect();
        found.push(index(name, columns.filter(|_| is_whole(call))));
    }
    found
}

fn of_effect<'f>(file: &MigrationFile<'_>, one: &Executed<'_>, effect: &Effect) -> Option<(Table, Change<'f>)> {
    Some(match effect {
        Effect::Added(added) => (table_of_sql(&added.table)?, of_added(file, one, added)?),
        Effect::Dropped(dropped) => {
            let name = dropped.name.is_certain.then(|| dropped.name.text.clone());
            (table_of_sql(dropped.table.as_ref()?)?, Change::Dropped(name))
        }
        Effect::ColumnDropped { table, column } => {
            let column = column.text.to_lowercase();
            (table_of_sql(table)?, Change::ColumnDropped(column, None))
        }
        Effect::TableChanged(table) => (table_of_sql(table)?, Change::Unclear),
        Effect::Renamed { .. } | Effect::Unknown => return None,
    })
}

fn table_of_sql(table: &SqlTable) -> Option<Table> {
    let schema = table.schema.as_ref().map(|schema| schema.text.clone());
    table.name.is_certain.then(|| (table.name.text.clone(), schema))
}

fn of_added<'f>(file: &MigrationFile<'_>, one: &Executed<'_>, added: &Added) -> Option<Change<'f>> {
    let name = match &added.naming {
        Naming::Named(name) => Some(name.text.clone()),
        Naming::Unnamed | Naming::Doubtful => None,
    };
    let columns = added.columns.as_deref().map(lower);
    if added.kind != ConstraintKind::ForeignKey {
        return Some(index(name, columns));
    }
    let Some(columns) = columns else {
        return Some(Change::Unclear);
    };
    let referred = added.referred.as_ref();
    Some(Change::Key(Box::new(Key {
        table: table_of_sql(&added.table)?,
        columns,
        referred: referred.and_then(|(table, columns)| Some((table_of_sql(table)?, lower(columns)))),
        name,
        is_chosen: added.naming == Naming::Unnamed,
        is_named: false,
        place: file.place(one.place(file, added.at.clone())),
        is_there: true,
    })))
}
