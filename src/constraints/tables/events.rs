//! What the operations and the SQL of a migration do to keys and indexes, one thing after the other.

use super::super::MigrationFile;
use super::super::constraint::Constraint;
use super::super::convention_name::{dropped_name, effective_name, name_at_run_time};
use super::super::executed::Executed;
use super::super::inline::{Inline, InlineName, constraints_of, is_written_out};
use crate::migration::{Action, Direction, Guard, Known, Migration, Name, Operation, Receiver, Step};
use crate::naming::ConstraintKind;
use crate::project::Place;
use crate::python::{ArgumentKind, Call, Expr, ExprKind};
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
    pub(crate) is_named: bool,
    pub(crate) place: Place,
    pub(crate) is_there: bool,
}

/// An index, that of a unique constraint or a primary key included.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    pub(crate) name: Option<String>,
    /// Nothing where they are not all columns in full, so that it may serve any key.
    pub(crate) columns: Option<Vec<String>>,
    /// Whether the database made it for a key.
    pub(crate) is_generated: bool,
}

/// One thing that happens to a table.
pub(crate) struct Event<'f> {
    pub(crate) at: Span,
    pub(crate) direction: Direction,
    pub(crate) table: Table,
    /// Whether it certainly happens, and in the order of the source.
    pub(crate) is_certain: bool,
    pub(crate) what: What<'f>,
}

/// A drop that the database may refuse.
#[derive(Clone, Copy)]
pub(crate) struct Dropping<'f> {
    pub(crate) call: &'f Call,
    pub(crate) receiver: &'f Receiver,
    pub(crate) direction: Direction,
    pub(crate) function: Option<&'f str>,
    /// What it drops, in words.
    pub(crate) what: &'static str,
}

pub(crate) enum What<'f> {
    Key(Box<Key>),
    Index(Index),
    KeyDropped(Option<String>),
    IndexDropped(Option<String>, Option<Dropping<'f>>),
    /// By a drop that does not say what it drops.
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
    pub(crate) fn makes(&self) -> Option<&str> {
        match &self.what {
            What::Key(key) => key.name.as_deref(),
            What::Index(index) => index.name.as_deref(),
            _ => None,
        }
    }

    /// The name of what it drops.
    pub(crate) fn drops(&self) -> Option<&str> {
        match &self.what {
            What::KeyDropped(name) | What::IndexDropped(name, _) | What::Dropped(name) => name.as_deref(),
            _ => None,
        }
    }
}

/// What happens in a migration; nothing where one of the tables is not known.
pub(crate) fn events<'f>(file: &MigrationFile<'_>, migration: &'f Migration<'_>) -> Option<Vec<Event<'f>>> {
    let mut found = Vec::new();
    for operation in &migration.operations {
        let what = of_operation(file, migration, operation)?;
        found.extend(what.map(|(table, what)| Event {
            at: operation.call.span,
            direction: operation.direction,
            table,
            is_certain: is_certain(operation.function, operation.repeated || operation.conditional),
            what,
        }));
    }
    for step in &migration.steps {
        let is_certain = is_certain(step.function, step.repeated || step.conditional);
        found.extend(of_step(file, migration, step)?.into_iter().map(|what| Event {
            at: step.call.span,
            direction: step.direction,
            table: table_of(&step.table, &step.schema).unwrap_or_default(),
            is_certain,
            what,
        }));
    }
    Some(found)
}

/// What the SQL of a migration does to tables; nothing where that cannot be read.
pub(crate) fn events_of_sql<'f>(file: &MigrationFile<'_>, executed: &[Executed<'_>]) -> Option<Vec<Event<'f>>> {
    let mut found = Vec::new();
    for one in executed {
        for effect in &one.effects {
            let is_about_others = |added: &Added| matches!(added.kind, ConstraintKind::Check | ConstraintKind::Exclude);
            if matches!(effect, Effect::Added(added) if is_about_others(added)) {
                continue;
            }
            let (table, what) = of_effect(file, one, effect)?;
            found.push(Event {
                at: one.run.call.span,
                direction: one.run.direction,
                table,
                is_certain: is_certain(one.run.function, one.run.repeated || one.run.guard != Guard::None),
                what,
            });
        }
    }
    Some(found)
}

/// Other functions run at another time than their place says.
fn is_certain(function: Option<&str>, may_not_run: bool) -> bool {
    matches!(function, Some("upgrade" | "downgrade")) && !may_not_run
}

fn table_of(table: &Known<String>, schema: &Known<Option<String>>) -> Option<Table> {
    Some((table.known()?.clone(), schema.known()?.clone()))
}

/// What one operation does to its table, where it is about keys and indexes; an error where the table is not known.
#[allow(clippy::option_option, reason = "not known, and nothing to know")]
fn of_operation<'f>(
    file: &MigrationFile<'_>,
    migration: &Migration<'_>,
    operation: &'f Operation<'_>,
) -> Option<Option<(Table, What<'f>)>> {
    let dropped = || dropped_name(file, operation).or_else(|| operation.name.text().map(str::to_owned));
    let table = table_of(&operation.table, &operation.schema);
    let what = match operation.action {
        Action::Create(ConstraintKind::Check | ConstraintKind::Exclude)
        | Action::Drop(Some(ConstraintKind::Check | ConstraintKind::Exclude)) => return Some(None),
        Action::Create(kind) => {
            let constraint = Constraint::from(operation);
            let place = (migration, operation.name_span());
            made(
                file,
                place,
                kind,
                constraint,
                operation.name != Name::Computed,
                is_whole(operation.call),
            )
        }
        Action::Drop(Some(ConstraintKind::ForeignKey)) => What::KeyDropped(dropped()),
        Action::Drop(Some(ConstraintKind::PrimaryKey)) => What::IndexDropped(Some(PRIMARY.to_owned()), None),
        Action::Drop(Some(ConstraintKind::Index | ConstraintKind::Unique)) => {
            let what = if operation.kind() == Some(ConstraintKind::Unique) {
                "unique constraint"
            } else {
                "index"
            };
            let dropping = Dropping {
                call: operation.call,
                receiver: &operation.receiver,
                direction: operation.direction,
                function: operation.function,
                what,
            };
            What::IndexDropped(dropped(), Some(dropping))
        }
        Action::Drop(None) => What::Dropped(dropped()),
    };
    // MySQL finds the index of a drop without a table nowhere.
    table.map(|table| Some((table, what)))
}

const PRIMARY: &str = "PRIMARY";

/// A part of a column, a full-text index and one that may be there already serve a key or do not.
fn is_whole(call: &Call) -> bool {
    let is_special = |keyword: &str| matches!(keyword, "mysql_length" | "mysql_prefix" | "if_not_exists");
    !call.arguments.iter().any(|argument| match &argument.kind {
        ArgumentKind::Keyword(keyword) => is_special(keyword) || keyword.starts_with("mariadb_"),
        ArgumentKind::Spread | ArgumentKind::KeywordSpread => true,
        ArgumentKind::Positional => false,
    })
}

fn made<'f>(
    file: &MigrationFile<'_>,
    (migration, span): (&Migration<'_>, Span),
    kind: ConstraintKind,
    constraint: Constraint<'_>,
    is_clear: bool,
    is_whole: bool,
) -> What<'f> {
    let columns = constraint.columns.known().filter(|_| is_whole);
    let columns = columns.map(|columns| columns.iter().map(|column| column.to_lowercase()).collect());
    let name = name_in_database(file, Constraint { kind, ..constraint }).filter(|_| is_clear);
    let is_chosen = is_clear
        && constraint.explicit.is_none()
        && matches!(name_at_run_time(file, Constraint { kind, ..constraint }), Ok(None));
    if kind != ConstraintKind::ForeignKey {
        let name = if kind == ConstraintKind::PrimaryKey {
            Some(PRIMARY.to_owned())
        } else {
            name
        };
        return What::Index(Index {
            name,
            columns,
            is_generated: false,
        });
    }
    let (Some(columns), Some(table), true) = (columns, constraint.table.known(), is_clear) else {
        return What::Unclear;
    };
    let referred = constraint.referred.map(|(table, schema, columns)| {
        let columns = columns.iter().map(|column| column.to_lowercase()).collect();
        ((table.to_owned(), schema.map(str::to_owned)), columns)
    });
    What::Key(Box::new(Key {
        table: (table.clone(), constraint.schema.map(str::to_owned)),
        columns,
        referred,
        name,
        is_chosen,
        is_named: constraint.explicit.is_some(),
        place: Place {
            file: migration.module.file().clone(),
            span,
        },
        is_there: true,
    }))
}

fn name_in_database(file: &MigrationFile<'_>, constraint: Constraint<'_>) -> Option<String> {
    match constraint.explicit {
        Some(explicit) => effective_name(file, constraint).or_else(|| Some(explicit.name.to_owned())),
        None => name_at_run_time(file, constraint).ok().flatten(),
    }
}

/// What one step does to its table.
fn of_step<'f>(file: &MigrationFile<'_>, migration: &Migration<'_>, step: &'f Step<'_>) -> Option<Vec<What<'f>>> {
    let is_about_tables = matches!(
        step.method,
        "create_table" | "drop_table" | "rename_table" | "add_column" | "drop_column" | "alter_column"
    );
    if !is_about_tables {
        return Some(Vec::new());
    }
    table_of(&step.table, &step.schema)?;
    let mut found = Vec::new();
    match step.method {
        "create_table" => {
            found.push(What::TableMade);
            found.extend((!is_written_out(step)).then_some(What::Unclear));
            found.extend(indexes_of_table(file, step));
        }
        "add_column" => {
            let column = step.column.and_then(column_name).map(str::to_lowercase);
            found.push(column.map_or(What::Unclear, What::ColumnAdded));
        }
        "drop_table" => found.push(What::TableDropped),
        "drop_column" => {
            let column = step.dropped_column().map(str::to_lowercase);
            let dropping = Dropping {
                call: step.call,
                receiver: &step.receiver,
                direction: step.direction,
                function: step.function,
                what: "column",
            };
            found.push(column.map_or(What::Unclear, |column| What::ColumnDropped(column, Some(dropping))));
        }
        "alter_column" if step.call.keyword("new_column_name").is_none() => {}
        // Nobody follows what is renamed.
        "rename_table" => return None,
        _ => found.push(What::Unclear),
    }
    let mut inline = constraints_of(step);
    // SQLAlchemy makes those of columns when all others are made.
    let is_of_column = |inline: &Inline<'_>| inline.call.and_then(Call::name) == Some("ForeignKey");
    inline.sort_by_key(is_of_column);
    let inline = inline.iter().filter(|inline| inline.kind != ConstraintKind::Check);
    found.extend(inline.map(|inline| of_inline(file, migration, step, inline)));
    Some(found)
}

fn of_inline<'f>(
    file: &MigrationFile<'_>,
    migration: &Migration<'_>,
    step: &Step<'_>,
    inline: &Inline<'_>,
) -> What<'f> {
    let place = (migration, inline.argument.span);
    let is_clear = inline.name != InlineName::Computed;
    made(file, place, inline.kind, inline.constraint(step), is_clear, true)
}

fn column_name(column: &Call) -> Option<&str> {
    let first = column
        .arguments
        .first()
        .filter(|first| first.kind == ArgumentKind::Positional);
    let name = column.keyword("name").or(first.map(|first| &first.value));
    name.and_then(Expr::as_str)
}

/// The indexes that stand in the elements of `create_table` and are no constraints: `primary_key=True`, `index=True` and `Index(...)`.
fn indexes_of_table<'f>(file: &MigrationFile<'_>, step: &Step<'_>) -> Vec<What<'f>> {
    let is_set = |column: &Call, keyword: &str| {
        column
            .keyword(keyword)
            .is_some_and(|value| value.kind == ExprKind::Bool(true))
    };
    let elements = || {
        step.call
            .arguments
            .iter()
            .filter_map(|argument| argument.value.as_call())
    };
    let columns = || elements().filter(|call| call.name() == Some("Column"));
    let primary = columns().filter(|column| is_set(column, "primary_key"));
    let primary: Option<Vec<String>> = primary
        .map(|column| column_name(column).map(str::to_lowercase))
        .collect();
    let mut found = vec![What::Index(Index {
        name: Some(PRIMARY.to_owned()),
        columns: primary,
        is_generated: false,
    })];
    for column in columns().filter(|column| is_set(column, "index")) {
        let name = column_name(column);
        let columns = Known::Is(name.map(|name| vec![name.to_owned()]).unwrap_or_default());
        let constraint = Constraint {
            kind: ConstraintKind::Index,
            table: &step.table,
            schema: step.schema.known().and_then(Option::as_deref),
            columns: &columns,
            referred: None,
            explicit: None,
            function: step.function,
            place: None,
        };
        found.push(What::Index(Index {
            name: name.and_then(|_| name_in_database(file, constraint)),
            columns: name.map(|name| vec![name.to_lowercase()]),
            is_generated: false,
        }));
    }
    for index in elements().filter(|call| call.name() == Some("Index")) {
        let texts = index
            .arguments
            .iter()
            .filter(|argument| argument.kind == ArgumentKind::Positional);
        let mut texts = texts.map(|argument| argument.value.as_str());
        let name = texts.next().flatten().map(str::to_owned);
        let columns: Option<Vec<String>> = texts.map(|text| text.map(str::to_lowercase)).collect();
        let columns = columns.filter(|_| is_whole(index));
        found.push(What::Index(Index {
            name,
            columns,
            is_generated: false,
        }));
    }
    found
}

fn of_effect<'f>(file: &MigrationFile<'_>, one: &Executed<'_>, effect: &Effect) -> Option<(Table, What<'f>)> {
    let table_of = |table: &SqlTable| {
        let schema = table.schema.as_ref().map(|schema| schema.text.clone());
        table.name.is_certain.then(|| (table.name.text.clone(), schema))
    };
    let lower = |columns: &[String]| columns.iter().map(|column| column.to_lowercase()).collect::<Vec<_>>();
    Some(match effect {
        Effect::Added(added) => {
            let name = match &added.naming {
                Naming::Named(name) => Some(name.text.clone()),
                Naming::Unnamed | Naming::Doubtful => None,
            };
            let columns = added.columns.as_deref().map(lower);
            let what = match (added.kind, columns) {
                (ConstraintKind::ForeignKey, None) => What::Unclear,
                (ConstraintKind::ForeignKey, Some(columns)) => What::Key(Box::new(Key {
                    table: table_of(&added.table)?,
                    columns,
                    referred: (added.referred.as_ref())
                        .and_then(|(table, columns)| Some((table_of(table)?, lower(columns)))),
                    name,
                    is_chosen: added.naming == Naming::Unnamed,
                    is_named: false,
                    place: Place {
                        file: file.file().clone(),
                        span: one.place(file, added.at.clone()),
                    },
                    is_there: true,
                })),
                (_, columns) => What::Index(Index {
                    name,
                    columns,
                    is_generated: false,
                }),
            };
            (table_of(&added.table)?, what)
        }
        Effect::Dropped(dropped) => {
            let name = dropped.name.is_certain.then(|| dropped.name.text.clone());
            (table_of(dropped.table.as_ref()?)?, What::Dropped(name))
        }
        Effect::ColumnDropped { table, column } => {
            (table_of(table)?, What::ColumnDropped(column.text.to_lowercase(), None))
        }
        Effect::TableChanged(table) => (table_of(table)?, What::Unclear),
        Effect::Renamed { .. } | Effect::Unknown => return None,
    })
}
