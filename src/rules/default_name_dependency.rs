//! An upgrade drops a constraint by the name that one database chose, since the revision that made it gave none.

use std::sync::LazyLock;

use regex::Regex;

use crate::diagnostic::{Diagnostic, Severity};
use crate::migration::{Half, Known, Migration, Name, Operation, Receiver, Step};
use crate::naming::default_names::{self, chosen_by};
use crate::naming::{ConstraintKind, Dialect};
use crate::project::{Place, Revision};
use crate::python::{Argument, ArgumentKind, Call, Expr};
use crate::source::Span;

use super::inline::{Inline, InlineName, of_added_column, of_table};
use super::suggestion::{Constraint, configured_name, dropped_name, effective_name, name_at_run_time};
use super::{Check, MigrationFile, Rule};

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "default-name-dependency",
    summary: "an upgrade drops a constraint by the name that one database chose",
    severity: Severity::Warning,
    documentation: include_str!("../../docs/rules/default-name-dependency.md"),
    check: Check::Migration(check),
};

/// The kinds that `drop_constraint` drops by name. MySQL drops a primary key whatever it is called, and only PostgreSQL has exclude constraints.
const KINDS: [ConstraintKind; 3] = [
    ConstraintKind::ForeignKey,
    ConstraintKind::Unique,
    ConstraintKind::Check,
];

/// The history is read only for a drop whose name looks like a database's own.
fn check(file: &MigrationFile<'_>) -> Vec<Diagnostic> {
    let operations = &file.migration.operations;
    let drops: Vec<Wanted<'_>> = operations.iter().filter_map(|drop| Wanted::of(file, drop)).collect();
    if drops.is_empty() || goes_by_the_database(file) {
        return Vec::new();
    }
    let Some(history) = file.history() else {
        return Vec::new();
    };
    let Some(earlier) = history.before(file.migration.module) else {
        return Vec::new();
    };
    drops
        .iter()
        .filter_map(|wanted| {
            let unnamed = look_back(file, &earlier, wanted).ok()?;
            diagnostic(file, wanted, &unnamed?)
        })
        .collect()
}

/// A drop, and what it looks for.
struct Wanted<'m> {
    drop: &'m Operation<'m>,
    table: &'m str,
    /// As it stands in the source.
    name: &'m str,
}

impl<'m> Wanted<'m> {
    fn of(file: &MigrationFile<'_>, drop: &'m Operation<'m>) -> Option<Self> {
        let wanted = Self {
            drop,
            table: drop.table.known()?,
            name: drop.name.text()?,
        };
        let names_reflected = matches!(&drop.receiver, Receiver::Batch { batch, .. } if batch.names_reflected);
        let is_certain = !drop.creates()
            && drop.half == Half::Upgrade
            && drop.schema.known().is_some()
            && !(drop.repeated || drop.conditional || names_reflected)
            && drop.call.keyword("if_exists").is_none()
            // Of several databases each has its own history.
            && !drop.function.is_some_and(|name| name.starts_with("upgrade_"));
        let looks_chosen = |kind: &ConstraintKind| {
            !chosen_by(*kind, wanted.table, None, wanted.name).is_empty() && wanted.is_kind(*kind)
        };
        (is_certain && KINDS.iter().any(looks_chosen) && !is_made_here(file, drop)).then_some(wanted)
    }

    fn is_kind(&self, kind: ConstraintKind) -> bool {
        is_dropped_by_name(kind) && self.drop.kind().is_none_or(|own| own == kind)
    }

    /// Whether something is about the same table; nothing where that cannot be told.
    fn is_table(&self, table: &Known<String>, schema: &Known<Option<String>>) -> Option<bool> {
        Some(table.known()? == self.table && schema.known()? == self.drop.schema.known()?)
    }
}

fn is_dropped_by_name(kind: ConstraintKind) -> bool {
    KINDS.contains(&kind)
}

/// Whether the upgrade itself makes what it drops, or the table.
fn is_made_here(file: &MigrationFile<'_>, drop: &Operation<'_>) -> bool {
    let Migration { operations, steps, .. } = file.migration;
    let before = |span: Span| span < drop.call.span;
    let by_operation = operations
        .iter()
        .any(|other| other.creates() && other.name.text() == drop.name.text() && before(other.call.span));
    let with_table = steps.iter().any(|step| {
        matches!(step.method, "create_table" | "drop_table" | "rename_table")
            && step.half != Half::Downgrade
            && step.table == drop.table
            && before(step.call.span)
    });
    by_operation || with_table
}

/// Whether the migration looks at what it runs on, or runs SQL about tables: then it may well know what it does.
fn goes_by_the_database(file: &MigrationFile<'_>) -> bool {
    static LOOKS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?-u)\.dialect\b|dialect_name|\btry[ \t]*:|get_foreign_keys|get_unique_constraints|get_check_constraints|inspect\(",
        )
        .ok()
    });
    let text = file.file().text();
    LOOKS.as_ref().is_none_or(|pattern| pattern.is_match(text)) || runs_definitions(text)
}

/// Whether there is SQL about tables in it, wherever it stands.
fn runs_definitions(text: &str) -> bool {
    static DEFINES: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?i-u)(?:alter|create|drop|rename)\s+(?:temporary\s+|unlogged\s+)?table|(?:add|drop|rename)\s+constraint",
        )
        .ok()
    });
    DEFINES.as_ref().is_none_or(|pattern| pattern.is_match(text))
}

/// A constraint that an earlier revision made without a name.
struct Unnamed {
    place: Place,
    kind: ConstraintKind,
    /// Those of the constraint, for a check the words of its condition; nothing where they are computed.
    columns: Option<Vec<String>>,
    /// The name that the convention gives it while the revision runs.
    given: Option<String>,
}

impl Unnamed {
    fn chosen_by(&self, wanted: &Wanted<'_>) -> &'static [Dialect] {
        let columns = self.columns.as_ref();
        let columns: Option<Vec<&str>> = columns.map(|columns| columns.iter().map(String::as_str).collect());
        chosen_by(self.kind, wanted.table, columns.as_deref(), wanted.name)
    }
}

/// Something made the name, or may have: nothing can be said.
struct Doubt;

/// The unnamed constraint of the earlier revisions that a drop means; an error where one of them made the name, or may have.
fn look_back(file: &MigrationFile<'_>, earlier: &[&Revision], wanted: &Wanted<'_>) -> Result<Option<Unnamed>, Doubt> {
    let mut found = Vec::new();
    let mut dropped = Vec::new();
    for revision in earlier.iter().filter(|revision| revision.mentions(wanted.table)) {
        let module = revision.module();
        let is_clear =
            module.errors().is_empty() && !runs_definitions(module.file().text()) && !revision.hands_out(wanted.table);
        if !is_clear {
            return Err(Doubt);
        }
        let migration = Migration::read(module);
        found.extend(made_by_operations(file, &migration, wanted)?);
        found.extend(made_inside(file, &migration, wanted)?);
        dropped.extend(dropped_columns(&migration, wanted)?);
    }
    let is_left = |unnamed: &Unnamed| !unnamed.columns.iter().flatten().any(|column| dropped.contains(column));
    let mut found = found.into_iter().filter(is_left);
    let unnamed = found.find(|unnamed| !unnamed.chosen_by(wanted).is_empty());
    // Asked last, since it is asked of all.
    if unnamed.is_some() && !earlier.iter().all(|revision| revision.is_readable()) {
        return Err(Doubt);
    }
    Ok(unnamed)
}

/// The columns that go, and what is made of them.
fn dropped_columns(migration: &Migration<'_>, wanted: &Wanted<'_>) -> Result<Vec<String>, Doubt> {
    let mut dropped = Vec::new();
    for step in &migration.steps {
        if step.method == "drop_column"
            && step.half != Half::Downgrade
            && wanted.is_table(&step.table, &step.schema).ok_or(Doubt)?
        {
            dropped.push(step.dropped_column().ok_or(Doubt)?.to_owned());
        }
    }
    Ok(dropped)
}

fn made_by_operations(
    file: &MigrationFile<'_>,
    migration: &Migration<'_>,
    wanted: &Wanted<'_>,
) -> Result<Vec<Unnamed>, Doubt> {
    let mut found = Vec::new();
    let creates = migration
        .operations
        .iter()
        .filter(|one| one.creates() && one.half != Half::Downgrade);
    for create in creates {
        let Some(kind) = create.kind().filter(|kind| wanted.is_kind(*kind)) else {
            continue;
        };
        if !wanted.is_table(&create.table, &create.schema).ok_or(Doubt)? {
            continue;
        }
        let names_reflected = matches!(&create.receiver, Receiver::Batch { batch, .. } if batch.names_reflected);
        let is_plain = create.half == Half::Upgrade
            && !(create.repeated || create.conditional || names_reflected)
            && !create.function.is_some_and(|name| name.starts_with("upgrade_"));
        if !is_plain {
            return Err(Doubt);
        }
        let constraint = Constraint::from(create);
        match create.name {
            // Another call of the same function may give the name.
            Name::Unnamed if create.unnamed_by.is_some() => return Err(Doubt),
            Name::Unnamed => found.push(Unnamed {
                place: place(migration, create.name_span()),
                kind,
                columns: columns(migration, kind, &create.columns, create.call.span),
                given: given(file, constraint, wanted)?,
            }),
            Name::Computed => return Err(Doubt),
            Name::Plain(_) | Name::Finished(_) => differs(file, constraint, wanted)?,
        }
    }
    Ok(found)
}

/// What tables and columns bring along.
fn made_inside(
    file: &MigrationFile<'_>,
    migration: &Migration<'_>,
    wanted: &Wanted<'_>,
) -> Result<Vec<Unnamed>, Doubt> {
    let mut found = Vec::new();
    for step in migration.steps.iter().filter(|step| step.half != Half::Downgrade) {
        for inline in inside(migration, step, wanted)?
            .iter()
            .filter(|inline| wanted.is_kind(inline.kind))
        {
            let constraint = inline.constraint(step);
            match inline.name {
                InlineName::Unnamed if step.half == Half::Upgrade && !(step.repeated || step.conditional) => found
                    .push(Unnamed {
                        place: place(migration, inline.argument.span),
                        kind: inline.kind,
                        columns: columns(migration, inline.kind, &inline.columns, inline.argument.span),
                        given: given(file, constraint, wanted)?,
                    }),
                InlineName::Unnamed | InlineName::Computed => return Err(Doubt),
                InlineName::Plain(_) | InlineName::Finished(_) => differs(file, constraint, wanted)?,
            }
        }
    }
    Ok(found)
}

/// The constraints that a step brings to the table; in doubt where it makes, renames or drops the table in a way that is not read.
fn inside<'m>(migration: &Migration<'m>, step: &Step<'m>, wanted: &Wanted<'_>) -> Result<Vec<Inline<'m>>, Doubt> {
    if !matches!(
        step.method,
        "create_table" | "add_column" | "drop_table" | "rename_table"
    ) {
        return Ok(Vec::new());
    }
    // The new name of a renamed table is an argument as well.
    let is_renamed =
        step.method == "rename_table" && migration.module.file().slice(step.call.span).contains(wanted.table);
    let is_own = wanted.is_table(&step.table, &step.schema).ok_or(Doubt)?;
    match step.method {
        _ if is_renamed => Err(Doubt),
        _ if !is_own => Ok(Vec::new()),
        "create_table" if is_written_out(step) => Ok(of_table(step)),
        "add_column" if step.column.is_some_and(is_plain_column) => Ok(of_added_column(step)),
        _ => Err(Doubt),
    }
}

/// Whether everything that is handed to `create_table` stands there.
fn is_written_out(step: &Step<'_>) -> bool {
    let mut elements = step
        .call
        .arguments
        .iter()
        .filter(|argument| !matches!(argument.kind, ArgumentKind::Keyword(_)))
        .skip(1);
    elements.all(|argument| {
        let is_constraint = |name: &str| name.ends_with("Constraint") || name == "Index";
        let call = argument.value.as_call();
        argument.kind == ArgumentKind::Positional
            && (is_column(&argument.value) || call.and_then(Call::name).is_some_and(is_constraint))
    })
}

fn is_column(expr: &Expr) -> bool {
    expr.as_call_of("Column").is_some_and(is_plain_column)
}

fn is_plain_column(column: &Call) -> bool {
    let is_spread = |argument: &Argument| matches!(argument.kind, ArgumentKind::Spread | ArgumentKind::KeywordSpread);
    !column.arguments.iter().any(is_spread)
}

fn place(migration: &Migration<'_>, span: Span) -> Place {
    Place {
        file: migration.module.file().clone(),
        span,
    }
}

fn columns(
    migration: &Migration<'_>,
    kind: ConstraintKind,
    columns: &Known<Vec<String>>,
    code: Span,
) -> Option<Vec<String>> {
    if kind != ConstraintKind::Check {
        return columns.known().cloned();
    }
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    let words = migration.module.file().slice(code).split(|letter| !is_part(letter));
    Some(words.filter(|word| !word.is_empty()).map(str::to_owned).collect())
}

/// The name that the convention gives to what has none, unless that is the one which is dropped.
fn given(file: &MigrationFile<'_>, constraint: Constraint<'_>, wanted: &Wanted<'_>) -> Result<Option<String>, Doubt> {
    let dropped = dropped_name(file, wanted.drop).ok_or(Doubt)?;
    // What the convention makes of the name is no database's own.
    if dropped != wanted.name || configured_name(file, constraint).as_ref() == Some(&dropped) {
        return Err(Doubt);
    }
    match name_at_run_time(file, constraint) {
        Ok(Some(name)) if name == dropped => Err(Doubt),
        Ok(given) => Ok(given),
        Err(()) => Err(Doubt),
    }
}

/// In doubt where a constraint with a name has the one that is dropped.
fn differs(file: &MigrationFile<'_>, constraint: Constraint<'_>, wanted: &Wanted<'_>) -> Result<(), Doubt> {
    let name = effective_name(file, constraint).ok_or(Doubt)?;
    let dropped = dropped_name(file, wanted.drop).ok_or(Doubt)?;
    if name == dropped || name == wanted.name {
        return Err(Doubt);
    }
    Ok(())
}

fn diagnostic(file: &MigrationFile<'_>, wanted: &Wanted<'_>, unnamed: &Unnamed) -> Option<Diagnostic> {
    let databases = unnamed.chosen_by(wanted);
    // Who writes down which database it is has no other; a convention changes the name on that one, too.
    let is_the_only_one = file
        .configured_dialect
        .is_some_and(|dialect| databases.contains(&dialect));
    if is_the_only_one && unnamed.given.is_none() {
        return None;
    }
    let Wanted { name, drop, .. } = wanted;
    let labels: Vec<&str> = databases.iter().map(|database| database.label()).collect();
    let labels = labels.join(" and ");
    let is_foretold = !matches!(databases, [Dialect::Mssql | Dialect::Oracle]);
    let message = if is_foretold {
        format!("the name `{name}` holds on {labels} only")
    } else {
        format!("the name `{name}` holds on one database only")
    };
    let why = match &unnamed.given {
        Some(given) => {
            format!("{labels} chose it; a new database has `{given}` by your convention, and there this upgrade fails")
        }
        None if is_foretold => format!(
            "{labels} chose it; {}: there this upgrade fails",
            elsewhere(wanted, unnamed, databases)
        ),
        None => format!("{labels} chose it, and chooses another on each database: there this upgrade fails"),
    };
    let span = drop
        .name_argument
        .map_or(drop.call.span, |argument| argument.value.span);
    Some(
        Diagnostic::new(&RULE, file.file(), drop.call.span, message)
            .focus(span, why)
            .related(unnamed.place.clone(), "made here without a name")
            .help(help(wanted, unnamed, &labels, is_foretold)),
    )
}

/// What the constraint is called on the other databases.
fn elsewhere(wanted: &Wanted<'_>, unnamed: &Unnamed, databases: &[Dialect]) -> String {
    let columns: Vec<&str> = unnamed.columns.iter().flatten().map(String::as_str).collect();
    let is_check = unnamed.kind == ConstraintKind::Check;
    let (label, other) = if databases.contains(&Dialect::Postgresql) {
        let other = default_names::mariadb(unnamed.kind, wanted.table, &columns, 1, |_| false);
        ("MariaDB", other)
    } else {
        let columns = if is_check { &[][..] } else { &columns };
        let other = default_names::postgresql(unnamed.kind, wanted.table, columns, |_| false);
        ("PostgreSQL", other)
    };
    match other {
        Some(other) => format!("{label} may call it `{other}`, and SQLite gives no name"),
        None => format!("{label} gives another, and SQLite none"),
    }
}

fn help(wanted: &Wanted<'_>, unnamed: &Unnamed, labels: &str, is_foretold: bool) -> String {
    let table = wanted.table;
    let method = match unnamed.kind {
        ConstraintKind::ForeignKey => "get_foreign_keys",
        ConstraintKind::Unique => "get_unique_constraints",
        _ => "get_check_constraints",
    };
    let look_up = format!("look the name up when this runs: `sa.inspect(op.get_bind()).{method}('{table}')`");
    if !is_foretold {
        return look_up;
    }
    let path = unnamed.place.file.path();
    let name = wanted.name;
    format!(
        "write `{name}` into `{path}` too: what ran it on {labels} has that name, and every new database will; or {look_up}"
    )
}
