//! What the upgrade drops and renames by a name that a database may have chosen.

use std::sync::LazyLock;

use regex::Regex;

use crate::constraints::MigrationFile;
use crate::constraints::convention_name::dropped_name;
use crate::constraints::executed::Executed;
use crate::migration::{Direction, Guard, Known, Operation, Receiver};
use crate::naming::ConstraintKind;
use crate::naming::default_names::chosen_by;
use crate::source::Span;
use crate::sql::{Effect, Ident, Table};

/// The kinds that are dropped by name. Only PostgreSQL has exclude constraints.
const KINDS: [ConstraintKind; 4] = [
    ConstraintKind::ForeignKey,
    ConstraintKind::Unique,
    ConstraintKind::Check,
    ConstraintKind::PrimaryKey,
];

/// A drop or a rename that depends on a name.
pub(super) struct Dependency<'m> {
    pub(super) call: Span,
    /// Where the name is.
    pub(super) at: Span,
    pub(super) table: String,
    pub(super) schema: Option<&'m str>,
    /// The name as it is written.
    pub(super) name: &'m str,
    /// What the database is asked for; `None` if the convention cannot be read.
    pub(super) in_database: Option<String>,
    /// `None` if it may be of any kind.
    kind: Option<ConstraintKind>,
    /// `None` if it is SQL.
    pub(super) drop: Option<&'m Operation<'m>>,
}

/// The certain drops and renames of the upgrade whose names look like a database's own, and are not made by the upgrade itself.
pub(super) fn dependencies<'f>(file: &'f MigrationFile<'_>) -> Vec<Dependency<'f>> {
    let operations = file.migration.operations.iter();
    let by_operations = operations.filter_map(|drop| of_operation(file, drop));
    by_operations
        .chain(file.executed().iter().flat_map(|sql| of_sql(file, sql)))
        .collect()
}

fn of_operation<'m>(file: &MigrationFile<'_>, drop: &'m Operation<'m>) -> Option<Dependency<'m>> {
    let is_certain = !drop.creates() && is_plain(drop) && drop.call.keyword("if_exists").is_none();
    let dependency = Dependency {
        call: drop.call.span,
        at: drop.name_value_span(),
        table: drop.table.known()?.clone(),
        schema: drop.schema.known()?.as_deref(),
        name: drop.name.text()?,
        in_database: None,
        kind: drop.kind(),
        drop: Some(drop),
    };
    (is_certain && dependency.is_on_default_name(file)).then(|| Dependency {
        in_database: dropped_name(file, drop),
        ..dependency
    })
}

fn of_sql<'m>(file: &MigrationFile<'_>, sql: &'m Executed<'m>) -> Vec<Dependency<'m>> {
    let run = sql.run;
    let is_certain = run.when.direction == Direction::Upgrade
        && !run.when.repeated
        && (!run.when.conditional || matches!(run.guard, Guard::On(_)))
        && !is_for_one_of_several(run.when.function);
    let effects = sql.effects.iter().filter(|_| is_certain);
    let named = effects.filter_map(|effect| match effect {
        Effect::Dropped(dropped) if !dropped.if_exists => Some((&dropped.name, dropped.table.as_ref())),
        Effect::Renamed {
            table,
            from,
            if_exists: false,
            ..
        } => Some((from, table.as_ref())),
        _ => None,
    });
    named
        .flat_map(|(name, table)| of_ident(file, sql, name, table))
        .collect()
}

fn of_ident<'m>(
    file: &MigrationFile<'_>,
    sql: &'m Executed<'m>,
    name: &'m Ident,
    table: Option<&'m Table>,
) -> Vec<Dependency<'m>> {
    if !name.is_certain || table.is_some_and(|table| !table.name.is_certain) {
        return Vec::new();
    }
    // PostgreSQL begins the name of an index with that of its table.
    let starts = || name.text.match_indices('_').map(|(at, _)| name.text[..at].to_owned());
    let tables = table.map_or_else(|| starts().collect(), |table| vec![table.name.text.clone()]);
    tables
        .into_iter()
        .map(|table_name| Dependency {
            call: sql.run.call.span,
            at: sql.place(file, name.at.clone()),
            table: table_name,
            schema: table.and_then(Table::schema),
            name: &name.text,
            in_database: Some(name.text.clone()),
            kind: None,
            drop: None,
        })
        .filter(|dependency| dependency.is_on_default_name(file))
        .collect()
}

/// Whether the upgrade certainly does it once, on every database, and without a convention for what a batch finds without a name.
pub(super) fn is_plain(operation: &Operation<'_>) -> bool {
    let when = operation.when;
    when.direction == Direction::Upgrade
        && when.is_once()
        && !is_for_one_of_several(when.function)
        && !matches!(&operation.receiver, Receiver::Batch { batch, .. } if batch.names_reflected)
}

/// Whether it is for one of several databases, each of which has a history of its own.
fn is_for_one_of_several(function: Option<&str>) -> bool {
    function.is_some_and(|name| name.starts_with("upgrade_"))
}

impl Dependency<'_> {
    fn is_on_default_name(&self, file: &MigrationFile<'_>) -> bool {
        let looks_chosen =
            |kind: ConstraintKind| self.is_kind(kind) && !chosen_by(kind, &self.table, None, self.name).is_empty();
        KINDS.into_iter().any(looks_chosen) && !self.is_made_here(file)
    }

    pub(super) fn is_kind(&self, kind: ConstraintKind) -> bool {
        KINDS.contains(&kind) && self.kind.is_none_or(|own| own == kind)
    }

    /// Whether something is about the same table; `None` if that cannot be told.
    pub(super) fn is_table(&self, table: &Known<String>, schema: &Known<Option<String>>) -> Option<bool> {
        Some(*table.known()? == self.table && schema.known()?.as_deref() == self.schema)
    }

    /// Whether the upgrade itself makes the constraint, or the table.
    fn is_made_here(&self, file: &MigrationFile<'_>) -> bool {
        let is_before = |span: Option<Span>| span.is_some_and(|span| span < self.call);
        is_before(file.first_create(self.name))
            || is_before(file.first_change(&self.table))
            || file.is_made_by_sql(self.name, &[Direction::Upgrade, Direction::Unknown])
            || file.changes_by_sql(&self.table)
    }
}

/// Whether the migration looks at what it runs on, and so may handle the difference.
pub(super) fn looks_at_the_database(file: &MigrationFile<'_>) -> bool {
    static LOOKS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?-u)\.dialect\b|dialect_name|\btry[ \t]*:|get_foreign_keys|get_unique_constraints|get_check_constraints|inspect\(",
        )
        .ok()
    });
    LOOKS
        .as_ref()
        .is_none_or(|pattern| pattern.is_match(file.file().text()))
}
