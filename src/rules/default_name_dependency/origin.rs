//! Finds the earlier constraint that a dependency means.

use std::collections::HashSet;

use super::dependency::{Dependency, is_plain};
use super::earlier::{Contents, EarlierRevisions};
use crate::constraints::MigrationFile;
use crate::constraints::constraint::Constraint;
use crate::constraints::convention_name::{configured_name, effective_name, name_at_run_time};
use crate::constraints::inline::{Inline, column_name, elements, is_set, is_written_out, of_added_column, of_table};
use crate::migration::{Direction, Migration, Name, Step};
use crate::naming::default_names::chosen_by;
use crate::naming::{ConstraintKind, Dialect};
use crate::project::Place;
use crate::python::Call;
use crate::source::{Span, words_of};

/// A constraint that an earlier revision made.
pub(super) struct Origin {
    pub(super) place: Place,
    pub(super) kind: ConstraintKind,
    /// Of a check the words of its condition; `None` if they are computed.
    pub(super) columns: Option<Vec<String>>,
    /// The name on every database: the one in the revision, or the convention's.
    pub(super) given: Option<String>,
    pub(super) is_named: bool,
}

impl Origin {
    pub(super) fn chosen_by(&self, dependency: &Dependency<'_>) -> &'static [Dialect] {
        let columns = self.columns.as_ref();
        let columns: Option<Vec<&str>> = columns.map(|columns| columns.iter().map(String::as_str).collect());
        chosen_by(self.kind, &dependency.table, columns.as_deref(), dependency.name)
    }

    /// Whether a database would give it the name, and without a number that may belong to another constraint.
    fn is_meant(&self, dependency: &Dependency<'_>) -> bool {
        let is_numbered = dependency.name.ends_with(|digit: char| digit.is_ascii_digit());
        self.columns.is_some() && !is_numbered && !self.chosen_by(dependency).is_empty()
    }
}

/// A revision gives the name, or may: nothing can be said.
pub(super) struct Doubt;

/// The constraint that a dependency means: one without a name first.
pub(super) fn origin_of(
    file: &MigrationFile<'_>,
    earlier: &EarlierRevisions<'_>,
    dependency: &Dependency<'_>,
) -> Result<Option<Origin>, Doubt> {
    earlier.compare(0)?;
    let table = &dependency.table;
    let mut origins = Vec::new();
    let mut dropped_columns = HashSet::new();
    let mut dropped_names: Vec<&Contents<'_>> = Vec::new();
    for revision in earlier.about(table) {
        let contents = revision.contents()?;
        if revision.revision.hands_out(table) {
            return Err(Doubt);
        }
        add_operations(&mut origins, file, contents, dependency)?;
        add_inline(&mut origins, file, contents, dependency)?;
        add_dropped_columns(&mut dropped_columns, contents, dependency)?;
        earlier.compare(origins.len() + contents.renames().len())?;
        dropped_names.push(contents);
    }
    origins.retain(|origin| {
        let mut columns = origin.columns.iter().flatten();
        !columns.any(|column| dropped_columns.contains(column))
    });
    let is_dropped = |name: &String| dropped_names.iter().any(|contents| contents.drops(name));
    let is_unnamed = |origin: &Origin| !origin.is_named && !origin.chosen_by(dependency).is_empty();
    let is_named = |origin: &Origin| {
        origin.is_named && origin.is_meant(dependency) && !origin.given.as_ref().is_some_and(is_dropped)
    };
    let at = origins.iter().position(is_unnamed);
    let at = at.or_else(|| origins.iter().position(is_named));
    // Asked last, since it reads all revisions.
    if at.is_some() && !earlier.are_readable() {
        return Err(Doubt);
    }
    Ok(at.map(|at| origins.swap_remove(at)))
}

fn add_dropped_columns(
    dropped: &mut HashSet<String>,
    contents: &Contents<'_>,
    dependency: &Dependency<'_>,
) -> Result<(), Doubt> {
    for step in contents.steps(&dependency.table) {
        if step.method == "drop_column"
            && step.when.direction != Direction::Downgrade
            && dependency.is_table(&step.table, &step.schema).ok_or(Doubt)?
        {
            dropped.insert(step.dropped_column().ok_or(Doubt)?.to_owned());
        }
    }
    Ok(())
}

fn add_operations(
    origins: &mut Vec<Origin>,
    file: &MigrationFile<'_>,
    contents: &Contents<'_>,
    dependency: &Dependency<'_>,
) -> Result<(), Doubt> {
    let migration = &contents.migration;
    let creates = contents
        .operations(&dependency.table)
        .filter(|one| one.creates() && one.when.direction != Direction::Downgrade);
    for create in creates {
        let Some(kind) = create.kind().filter(|kind| dependency.is_kind(*kind)) else {
            continue;
        };
        if !dependency.is_table(&create.table, &create.schema).ok_or(Doubt)? {
            continue;
        }
        // Another call of the same function may give the name.
        let may_have_any_name =
            create.name == Name::Computed || create.name == Name::Unnamed && create.unnamed_by.is_some();
        if !is_plain(create) || may_have_any_name {
            return Err(Doubt);
        }
        let is_named = create.name != Name::Unnamed;
        origins.push(Origin {
            place: Place::new(migration.module, create.name_span()),
            kind,
            columns: columns(migration, kind, create.columns.as_deref(), create.call.span),
            given: given(file, Constraint::from(create), dependency, is_named)?,
            is_named,
        });
    }
    Ok(())
}

/// Adds the constraints inside tables and columns.
fn add_inline(
    origins: &mut Vec<Origin>,
    file: &MigrationFile<'_>,
    contents: &Contents<'_>,
    dependency: &Dependency<'_>,
) -> Result<(), Doubt> {
    let migration = &contents.migration;
    // The new name of a renamed table is an argument as well.
    let source = migration.module.file();
    let is_renamed = |step: &Step<'_>| source.slice(step.call.span).contains(&dependency.table);
    if contents.renames().any(is_renamed) {
        return Err(Doubt);
    }
    let steps = contents.steps(&dependency.table);
    for step in steps.filter(|step| step.when.direction != Direction::Downgrade) {
        let inlines = inlines(step, dependency)?;
        if !inlines.iter().any(|inline| inline.kind == ConstraintKind::PrimaryKey) {
            origins.extend(implicit_key(file, migration, step, dependency)?);
        }
        for inline in inlines.iter().filter(|inline| dependency.is_kind(inline.kind)) {
            let is_named = inline.name != Name::Unnamed;
            let is_plain = step.when.direction == Direction::Upgrade && step.when.is_once();
            if inline.name == Name::Computed || !is_named && !is_plain {
                return Err(Doubt);
            }
            origins.push(Origin {
                place: Place::new(migration.module, inline.argument.span),
                kind: inline.kind,
                columns: columns(migration, inline.kind, inline.columns.as_deref(), inline.argument.span),
                given: given(file, inline.constraint(step), dependency, is_named)?,
                is_named,
            });
        }
    }
    Ok(())
}

/// The primary key for which `create_table` makes a constraint without a name, since columns say `primary_key=True`.
fn implicit_key(
    file: &MigrationFile<'_>,
    migration: &Migration<'_>,
    step: &Step<'_>,
    dependency: &Dependency<'_>,
) -> Result<Option<Origin>, Doubt> {
    let kind = ConstraintKind::PrimaryKey;
    let is_own = step.method == "create_table" && dependency.is_table(&step.table, &step.schema) == Some(true);
    if !is_own || !dependency.is_kind(kind) {
        return Ok(None);
    }
    let Some((place, columns)) = key_columns(migration, step) else {
        return Ok(None);
    };
    let constraint = Constraint::within(step, kind, Some(&columns));
    Ok(Some(Origin {
        place,
        kind,
        given: given(file, constraint, dependency, false)?,
        columns: Some(columns),
        is_named: false,
    }))
}

/// The columns with `primary_key=True`, and the place of the first.
fn key_columns(migration: &Migration<'_>, step: &Step<'_>) -> Option<(Place, Vec<String>)> {
    let columns = elements(step, "Column");
    let keys: Vec<&Call> = columns.filter(|column| is_set(column, "primary_key")).collect();
    let names = keys.iter().map(|column| column_name(column).map(str::to_owned));
    Some((Place::new(migration.module, keys.first()?.span), names.collect::<Option<_>>()?))
}

/// The constraints that a step brings to the table; in doubt if it makes, renames or drops the table in a way that is not read.
fn inlines<'m>(step: &Step<'m>, dependency: &Dependency<'_>) -> Result<Vec<Inline<'m>>, Doubt> {
    if !matches!(step.method, "create_table" | "add_column" | "drop_table" | "rename_table") {
        return Ok(Vec::new());
    }
    let is_own = dependency.is_table(&step.table, &step.schema).ok_or(Doubt)?;
    match step.method {
        _ if !is_own => Ok(Vec::new()),
        "create_table" if is_written_out(step) => Ok(of_table(step)),
        "add_column" if step.column.is_some_and(|column| !column.has_spread()) => Ok(of_added_column(step)),
        _ => Err(Doubt),
    }
}

fn columns(
    migration: &Migration<'_>,
    kind: ConstraintKind,
    columns: Option<&[String]>,
    code: Span,
) -> Option<Vec<String>> {
    if kind != ConstraintKind::Check {
        return columns.map(<[String]>::to_vec);
    }
    let words = words_of(migration.module.file().slice(code));
    Some(words.map(|(_, word)| word.to_owned()).collect())
}

/// The name that a constraint has on every new database; in doubt if that may be the one on which the upgrade depends.
fn given(
    file: &MigrationFile<'_>,
    constraint: Constraint<'_>,
    dependency: &Dependency<'_>,
    is_named: bool,
) -> Result<Option<String>, Doubt> {
    let dropped = dependency.in_database.as_ref().ok_or(Doubt)?;
    // What the convention makes of the name is no database's own.
    if dropped != dependency.name || configured_name(file, constraint).as_ref() == Some(dropped) {
        return Err(Doubt);
    }
    let given = if is_named {
        Some(effective_name(file, constraint).ok_or(Doubt)?)
    } else {
        name_at_run_time(file, constraint).or(Err(Doubt))?
    };
    match given {
        Some(name) if name.eq_ignore_ascii_case(dropped) => Err(Doubt),
        given => Ok(given),
    }
}
