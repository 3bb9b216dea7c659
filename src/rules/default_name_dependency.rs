//! An upgrade drops or renames a constraint by the name that one database chose, and the revision that made it gave none, or another.

use crate::constraints::constraint::Constraint;
use crate::constraints::convention_name::{configured_name, dropped_name, effective_name, name_at_run_time};
use crate::constraints::edits::naming_of_reflected;
use crate::constraints::executed::{Executed, runs_definitions};
use crate::constraints::inline::{Inline, InlineName, is_plain_column, is_written_out, of_added_column, of_table};
use std::cell::{Cell, OnceCell};
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use regex::Regex;

use crate::constraints::MigrationFile;
use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::migration::{Direction, Guard, Known, Migration, Name, Operation, Receiver, Step};
use crate::naming::default_names::{self, chosen_by};
use crate::naming::{ConstraintKind, Dialect};
use crate::project::{Place, Revision};
use crate::python::{Call, ExprKind};
use crate::source::{Span, words_of};
use crate::sql::{Effect, Ident, Table};

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "default-name-dependency",
    summary: "an upgrade drops or renames a constraint by the name that one database chose",
    severity: Severity::Warning,
    documentation: include_str!("../../docs/rules/default-name-dependency.md"),
};

/// The kinds that are dropped by name. Only PostgreSQL has exclude constraints.
const KINDS: [ConstraintKind; 4] = [
    ConstraintKind::ForeignKey,
    ConstraintKind::Unique,
    ConstraintKind::Check,
    ConstraintKind::PrimaryKey,
];

/// The history is read only for a name that looks like a database's own.
pub(super) fn check(file: &MigrationFile<'_>) -> Vec<Diagnostic> {
    let operations = file.migration.operations.iter();
    let by_operation = operations.filter_map(|drop| Wanted::of_operation(file, drop));
    let mut wanted: Vec<Wanted<'_>> = by_operation.collect();
    wanted.extend(file.executed().iter().flat_map(|one| Wanted::of_sql(file, one)));
    wanted.retain(Wanted::looks_chosen);
    if wanted.is_empty()
        || looks_at_the_database(file)
        || !file.is_all_read(|direction| direction != Direction::Downgrade)
    {
        return Vec::new();
    }
    let Some(history) = file.history() else {
        return Vec::new();
    };
    let Some(earlier) = history.before(file.migration.module) else {
        return Vec::new();
    };
    let past = Past::of(earlier, &wanted);
    wanted
        .iter()
        .filter_map(|wanted| {
            let made = look_back(file, &past, wanted).ok()?;
            diagnostic(file, wanted, &made?)
        })
        .collect()
}

/// So often a name is compared with a constraint; of more drops in one revision nothing is said.
const MOST_COMPARED: usize = 100_000;

/// More tables than this are looked for by the words of each revision, which are gone through once.
const FEW_TABLES: usize = 4;

/// The earlier revisions, each read once for all that is looked for.
struct Past<'h> {
    revisions: Vec<Earlier<'h>>,
    /// Those that speak of each table.
    by_table: HashMap<String, Vec<usize>>,
    is_readable: OnceCell<bool>,
    compared: Cell<usize>,
}

struct Earlier<'h> {
    revision: &'h Revision,
    migration: OnceCell<Migration<'h>>,
    is_clear: OnceCell<bool>,
    /// What it does by the tables, those that are not known included for each.
    operations: OnceCell<ByTable>,
    steps: OnceCell<ByTable>,
    /// The steps that rename tables.
    renames: OnceCell<Vec<usize>>,
    /// The names that it drops.
    dropped: OnceCell<HashSet<String>>,
}

/// Places in a list by the table that they are about.
#[derive(Default)]
struct ByTable {
    known: HashMap<String, Vec<usize>>,
    computed: Vec<usize>,
}

impl ByTable {
    fn of<'t>(tables: impl Iterator<Item = &'t Known<String>>) -> Self {
        let mut found = Self::default();
        for (at, table) in tables.enumerate() {
            match table.known() {
                Some(table) => found.known.entry(table.clone()).or_default().push(at),
                None => found.computed.push(at),
            }
        }
        found
    }

    fn about(&self, table: &str) -> Vec<usize> {
        let known = self.known.get(table).into_iter().flatten();
        let mut places: Vec<usize> = known.chain(&self.computed).copied().collect();
        places.sort_unstable();
        places
    }
}

impl<'h> Past<'h> {
    fn of(earlier: Vec<&'h Revision>, wanted: &[Wanted<'_>]) -> Self {
        let is_word = |table: &str| words_of(table).eq([(0, table)]);
        let tables: HashSet<&str> = wanted.iter().map(|wanted| wanted.table.as_str()).collect();
        let mut by_table: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, revision) in earlier.iter().enumerate() {
            let mut add = |table: &str| {
                let places = by_table.entry(table.to_owned()).or_default();
                if places.last() != Some(&at) {
                    places.push(at);
                }
            };
            if tables.len() > FEW_TABLES {
                let words = words_of(revision.text()).map(|(_, word)| word);
                words.filter(|word| tables.contains(word)).for_each(&mut add);
            }
            let singly = tables
                .iter()
                .filter(|table| tables.len() <= FEW_TABLES || !is_word(table));
            singly
                .filter(|table| revision.mentions(table))
                .for_each(|table| add(table));
        }
        let new = |revision| Earlier {
            revision,
            migration: OnceCell::new(),
            is_clear: OnceCell::new(),
            operations: OnceCell::new(),
            steps: OnceCell::new(),
            renames: OnceCell::new(),
            dropped: OnceCell::new(),
        };
        Self {
            revisions: earlier.into_iter().map(new).collect(),
            by_table,
            is_readable: OnceCell::new(),
            compared: Cell::new(0),
        }
    }

    /// The revisions that speak of a table.
    fn about(&self, table: &str) -> impl Iterator<Item = &Earlier<'h>> {
        let places = self.by_table.get(table).into_iter().flatten();
        places.filter_map(|at| self.revisions.get(*at))
    }

    fn is_readable(&self) -> bool {
        let all = || self.revisions.iter().all(|earlier| earlier.revision.is_readable());
        *self.is_readable.get_or_init(all)
    }
}

impl<'h> Earlier<'h> {
    fn migration(&self) -> &Migration<'h> {
        self.migration.get_or_init(|| Migration::read(self.revision.module()))
    }

    fn is_clear(&self) -> bool {
        *self.is_clear.get_or_init(|| {
            let module = self.revision.module();
            module.errors().is_empty() && !runs_definitions(module.file().text())
        })
    }

    fn operations(&self, table: &str) -> impl Iterator<Item = &Operation<'h>> {
        let all = &self.migration().operations;
        let by_table = self
            .operations
            .get_or_init(|| ByTable::of(all.iter().map(|one| &one.table)));
        by_table.about(table).into_iter().filter_map(|at| all.get(at))
    }

    fn steps(&self, table: &str) -> impl Iterator<Item = &Step<'h>> {
        let all = &self.migration().steps;
        let by_table = self.steps.get_or_init(|| ByTable::of(all.iter().map(|one| &one.table)));
        by_table.about(table).into_iter().filter_map(|at| all.get(at))
    }

    fn renames(&self) -> &[usize] {
        self.renames.get_or_init(|| {
            let steps = self.migration().steps.iter().enumerate();
            let renames =
                steps.filter(|(_, step)| step.method == "rename_table" && step.direction != Direction::Downgrade);
            renames.map(|(at, _)| at).collect()
        })
    }

    fn drops(&self, name: &str) -> bool {
        let dropped = self.dropped.get_or_init(|| {
            let operations = self.migration().operations.iter();
            let drops = operations.filter(|one| !one.creates() && one.direction != Direction::Downgrade);
            drops.filter_map(|drop| drop.name.text().map(str::to_owned)).collect()
        });
        dropped.contains(name)
    }
}

/// A drop or a rename, and what it looks for.
struct Wanted<'m> {
    call: Span,
    /// Where the name stands.
    at: Span,
    table: String,
    schema: Option<&'m str>,
    /// As it is written.
    name: &'m str,
    /// What the database is asked for; nothing where the convention cannot be read.
    in_database: Option<String>,
    /// Nothing where it may be of any kind.
    kind: Option<ConstraintKind>,
    /// Nothing where it is SQL.
    drop: Option<&'m Operation<'m>>,
}

impl<'m> Wanted<'m> {
    fn of_operation(file: &MigrationFile<'_>, drop: &'m Operation<'m>) -> Option<Self> {
        let wanted = Self {
            call: drop.call.span,
            at: drop
                .name_argument
                .map_or(drop.call.span, |argument| argument.value.span),
            table: drop.table.known()?.clone(),
            schema: drop.schema.known()?.as_deref(),
            name: drop.name.text()?,
            in_database: None,
            kind: drop.kind(),
            drop: Some(drop),
        };
        let names_reflected = matches!(&drop.receiver, Receiver::Batch { batch, .. } if batch.names_reflected);
        let is_certain = !drop.creates()
            && drop.direction == Direction::Upgrade
            && !(drop.repeated || drop.conditional || names_reflected)
            && drop.call.keyword("if_exists").is_none()
            // Of several databases each has its own history.
            && !drop.function.is_some_and(|name| name.starts_with("upgrade_"));
        (is_certain && wanted.looks_chosen() && !is_made_here(file, &wanted)).then(|| Self {
            in_database: dropped_name(file, drop),
            ..wanted
        })
    }

    /// What the SQL of an upgrade drops and renames for certain.
    fn of_sql(file: &MigrationFile<'_>, one: &'m Executed<'m>) -> Vec<Self> {
        let run = one.run;
        let is_certain = run.direction == Direction::Upgrade
            && !run.repeated
            && (!run.conditional || matches!(run.guard, Guard::On(_)))
            && !run.function.is_some_and(|name| name.starts_with("upgrade_"));
        let effects = one.effects.iter().filter(|_| is_certain);
        effects
            .flat_map(|effect| match effect {
                Effect::Dropped(dropped) if !dropped.if_exists => {
                    Self::of_ident(file, one, &dropped.name, dropped.table.as_ref())
                }
                Effect::Renamed {
                    table,
                    from,
                    if_exists: false,
                    ..
                } => Self::of_ident(file, one, from, table.as_ref()),
                _ => Vec::new(),
            })
            .collect()
    }

    fn of_ident(
        file: &MigrationFile<'_>,
        one: &'m Executed<'m>,
        name: &'m Ident,
        table: Option<&'m Table>,
    ) -> Vec<Self> {
        let tables = match table {
            Some(table) => vec![table.name.text.clone()],
            None => tables_of_index(&name.text),
        };
        let wanted = tables.into_iter().map(|table_name| Self {
            call: one.run.call.span,
            at: one.place(file, name.at.clone()),
            table: table_name,
            schema: table.and_then(Table::schema),
            name: &name.text,
            in_database: Some(name.text.clone()),
            kind: None,
            drop: None,
        });
        let is_certain = name.is_certain && table.is_none_or(|table| table.name.is_certain);
        wanted
            .filter(|wanted| is_certain && wanted.looks_chosen() && !is_made_here(file, wanted))
            .collect()
    }

    fn looks_chosen(&self) -> bool {
        KINDS
            .into_iter()
            .any(|kind| self.is_kind(kind) && !chosen_by(kind, &self.table, None, self.name).is_empty())
    }

    fn is_kind(&self, kind: ConstraintKind) -> bool {
        KINDS.contains(&kind) && self.kind.is_none_or(|own| own == kind)
    }

    /// Whether something is about the same table; nothing where that cannot be told.
    fn is_table(&self, table: &Known<String>, schema: &Known<Option<String>>) -> Option<bool> {
        Some(*table.known()? == self.table && schema.known()?.as_deref() == self.schema)
    }
}

/// The tables that an index may be of by its name, which PostgreSQL begins with the table's.
fn tables_of_index(name: &str) -> Vec<String> {
    name.match_indices('_').map(|(at, _)| name[..at].to_owned()).collect()
}

/// Whether the upgrade itself makes what it drops, or the table.
fn is_made_here(file: &MigrationFile<'_>, wanted: &Wanted<'_>) -> bool {
    let before = |span: Option<Span>| span.is_some_and(|span| span < wanted.call);
    let by_sql = || {
        file.is_made_by_sql(wanted.name, &[Direction::Upgrade, Direction::Unknown])
            || file.changes_by_sql(&wanted.table)
    };
    before(file.first_create(wanted.name)) || before(file.first_change(&wanted.table)) || by_sql()
}

/// Whether the migration looks at what it runs on: then it may well know what it does.
fn looks_at_the_database(file: &MigrationFile<'_>) -> bool {
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

/// A constraint that an earlier revision made.
struct Made {
    place: Place,
    kind: ConstraintKind,
    /// Those of the constraint, for a check the words of its condition; nothing where they are computed.
    columns: Option<Vec<String>>,
    /// The name that the revision gives it on every database: its own, or by the convention while it runs.
    given: Option<String>,
    is_named: bool,
}

impl Made {
    fn chosen_by(&self, wanted: &Wanted<'_>) -> &'static [Dialect] {
        let columns = self.columns.as_ref();
        let columns: Option<Vec<&str>> = columns.map(|columns| columns.iter().map(String::as_str).collect());
        chosen_by(self.kind, &wanted.table, columns.as_deref(), wanted.name)
    }

    /// Whether the name is the one that a database would give it, with no number that may be another's.
    fn is_meant(&self, wanted: &Wanted<'_>) -> bool {
        let is_numbered = wanted.name.ends_with(|digit: char| digit.is_ascii_digit());
        self.columns.is_some() && !is_numbered && !self.chosen_by(wanted).is_empty()
    }
}

/// Something made the name, or may have: nothing can be said.
struct Doubt;

/// The constraint of the earlier revisions that a drop means: one without a name first. An error where one of them made the name, or may have.
fn look_back(file: &MigrationFile<'_>, past: &Past<'_>, wanted: &Wanted<'_>) -> Result<Option<Made>, Doubt> {
    if past.compared.get() > MOST_COMPARED {
        return Err(Doubt);
    }
    let mut found = Vec::new();
    let mut columns_gone = HashSet::new();
    for earlier in past.about(&wanted.table) {
        if !earlier.is_clear() || earlier.revision.hands_out(&wanted.table) {
            return Err(Doubt);
        }
        found.extend(made_by_operations(file, earlier, wanted)?);
        found.extend(made_inside(file, earlier, wanted)?);
        columns_gone.extend(dropped_columns(earlier, wanted)?);
        past.compared
            .set(past.compared.get() + found.len() + earlier.renames().len());
        if past.compared.get() > MOST_COMPARED {
            return Err(Doubt);
        }
    }
    found.retain(|made| {
        !made
            .columns
            .iter()
            .flatten()
            .any(|column| columns_gone.contains(column))
    });
    let is_dropped = |name: &String| past.about(&wanted.table).any(|earlier| earlier.drops(name));
    let unnamed = |made: &Made| !made.is_named && !made.chosen_by(wanted).is_empty();
    let named = |made: &Made| made.is_named && made.is_meant(wanted) && !made.given.as_ref().is_some_and(is_dropped);
    let meant = found.iter().position(unnamed).or_else(|| found.iter().position(named));
    let meant = meant.map(|at| found.swap_remove(at));
    // Asked last, since it is asked of all.
    if meant.is_some() && !past.is_readable() {
        return Err(Doubt);
    }
    Ok(meant)
}

/// The columns that go, and what is made of them.
fn dropped_columns(earlier: &Earlier<'_>, wanted: &Wanted<'_>) -> Result<Vec<String>, Doubt> {
    let mut dropped = Vec::new();
    for step in earlier.steps(&wanted.table) {
        if step.method == "drop_column"
            && step.direction != Direction::Downgrade
            && wanted.is_table(&step.table, &step.schema).ok_or(Doubt)?
        {
            dropped.push(step.dropped_column().ok_or(Doubt)?.to_owned());
        }
    }
    Ok(dropped)
}

fn made_by_operations(
    file: &MigrationFile<'_>,
    earlier: &Earlier<'_>,
    wanted: &Wanted<'_>,
) -> Result<Vec<Made>, Doubt> {
    let mut found = Vec::new();
    let migration = earlier.migration();
    let creates = earlier
        .operations(&wanted.table)
        .filter(|one| one.creates() && one.direction != Direction::Downgrade);
    for create in creates {
        let Some(kind) = create.kind().filter(|kind| wanted.is_kind(*kind)) else {
            continue;
        };
        if !wanted.is_table(&create.table, &create.schema).ok_or(Doubt)? {
            continue;
        }
        let names_reflected = matches!(&create.receiver, Receiver::Batch { batch, .. } if batch.names_reflected);
        let is_plain = create.direction == Direction::Upgrade
            && !(create.repeated || create.conditional || names_reflected)
            && !create.function.is_some_and(|name| name.starts_with("upgrade_"));
        if !is_plain {
            return Err(Doubt);
        }
        let constraint = Constraint::from(create);
        match create.name {
            // Another call of the same function may give the name.
            Name::Unnamed if create.unnamed_by.is_some() => return Err(Doubt),
            Name::Computed => return Err(Doubt),
            Name::Unnamed | Name::Plain(_) | Name::Finished(_) => {
                let is_named = create.name != Name::Unnamed;
                found.push(Made {
                    place: place(migration, create.name_span()),
                    kind,
                    columns: columns(migration, kind, &create.columns, create.call.span),
                    given: given(file, constraint, wanted, is_named)?,
                    is_named,
                });
            }
        }
    }
    Ok(found)
}

/// What tables and columns bring along.
fn made_inside(file: &MigrationFile<'_>, earlier: &Earlier<'_>, wanted: &Wanted<'_>) -> Result<Vec<Made>, Doubt> {
    let mut found = Vec::new();
    let migration = earlier.migration();
    // The new name of a renamed table is an argument as well.
    let source = migration.module.file();
    let is_renamed = |at: &usize| source.slice(migration.steps[*at].call.span).contains(&wanted.table);
    if earlier.renames().iter().any(is_renamed) {
        return Err(Doubt);
    }
    let steps = earlier.steps(&wanted.table);
    for step in steps.filter(|step| step.direction != Direction::Downgrade) {
        let inlines = inside(step, wanted)?;
        let has_key = inlines.iter().any(|inline| inline.kind == ConstraintKind::PrimaryKey);
        let is_own = step.method == "create_table" && wanted.is_table(&step.table, &step.schema) == Some(true);
        let implicit = Some(step).filter(|_| is_own && !has_key && wanted.is_kind(ConstraintKind::PrimaryKey));
        if let Some((place, columns)) = implicit.and_then(|step| implicit_key(migration, step)) {
            let known = Known::Is(columns.clone());
            let constraint = Constraint {
                kind: ConstraintKind::PrimaryKey,
                table: &step.table,
                schema: step.schema.known().and_then(Option::as_deref),
                columns: &known,
                referred: None,
                explicit: None,
                function: step.function,
                place: None,
            };
            found.push(Made {
                place,
                kind: ConstraintKind::PrimaryKey,
                columns: Some(columns),
                given: given(file, constraint, wanted, false)?,
                is_named: false,
            });
        }
        for inline in inlines.iter().filter(|inline| wanted.is_kind(inline.kind)) {
            let constraint = inline.constraint(step);
            match inline.name {
                InlineName::Computed => return Err(Doubt),
                InlineName::Unnamed if step.direction != Direction::Upgrade || step.repeated || step.conditional => {
                    return Err(Doubt);
                }
                InlineName::Unnamed | InlineName::Plain(_) | InlineName::Finished(_) => {
                    let is_named = inline.name != InlineName::Unnamed;
                    found.push(Made {
                        place: place(migration, inline.argument.span),
                        kind: inline.kind,
                        columns: columns(migration, inline.kind, &inline.columns, inline.argument.span),
                        given: given(file, constraint, wanted, is_named)?,
                        is_named,
                    });
                }
            }
        }
    }
    Ok(found)
}

/// The primary key of columns that say so, for which `create_table` makes a constraint without a name.
fn implicit_key(migration: &Migration<'_>, step: &Step<'_>) -> Option<(Place, Vec<String>)> {
    let columns = step
        .call
        .arguments
        .iter()
        .filter_map(|argument| argument.value.as_call_of("Column"));
    let is_key = |column: &&Call| {
        let key = column.keyword("primary_key");
        key.is_some_and(|key| key.kind == ExprKind::Bool(true))
    };
    let keys: Vec<&Call> = columns.filter(is_key).collect();
    let names = keys
        .iter()
        .map(|column| column.arguments.first()?.value.as_str().map(str::to_owned));
    Some((place(migration, keys.first()?.span), names.collect::<Option<_>>()?))
}

/// The constraints that a step brings to the table; in doubt where it makes, renames or drops the table in a way that is not read.
fn inside<'m>(step: &Step<'m>, wanted: &Wanted<'_>) -> Result<Vec<Inline<'m>>, Doubt> {
    if !matches!(
        step.method,
        "create_table" | "add_column" | "drop_table" | "rename_table"
    ) {
        return Ok(Vec::new());
    }
    let is_own = wanted.is_table(&step.table, &step.schema).ok_or(Doubt)?;
    match step.method {
        _ if !is_own => Ok(Vec::new()),
        "create_table" if is_written_out(step) => Ok(of_table(step)),
        "add_column" if step.column.is_some_and(is_plain_column) => Ok(of_added_column(step)),
        _ => Err(Doubt),
    }
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

/// The name that a constraint has on every new database; in doubt where that is the one which is dropped, or may be.
fn given(
    file: &MigrationFile<'_>,
    constraint: Constraint<'_>,
    wanted: &Wanted<'_>,
    is_named: bool,
) -> Result<Option<String>, Doubt> {
    let dropped = wanted.in_database.as_ref().ok_or(Doubt)?;
    // What the convention makes of the name is no database's own.
    if dropped != wanted.name || configured_name(file, constraint).as_ref() == Some(dropped) {
        return Err(Doubt);
    }
    let given = if is_named {
        Some(effective_name(file, constraint).ok_or(Doubt)?)
    } else {
        name_at_run_time(file, constraint).map_err(|_| Doubt)?
    };
    match given {
        Some(name) if name.eq_ignore_ascii_case(dropped) => Err(Doubt),
        given => Ok(given),
    }
}

fn diagnostic(file: &MigrationFile<'_>, wanted: &Wanted<'_>, made: &Made) -> Option<Diagnostic> {
    let databases = made.chosen_by(wanted);
    if made.given.is_none() {
        // Who writes down, or shows, which database it is has no other. SQL is written for one, and a primary key is dropped by any name on
        // the others.
        let is_for_one = wanted.drop.is_none() || runs_definitions(file.file().text()) || file.is_only_for(databases);
        if is_for_one || made.kind == ConstraintKind::PrimaryKey {
            return None;
        }
    } else if file.is_named_by_database(made.kind) {
        return None;
    }
    let name = wanted.name;
    let labels: Vec<&str> = databases.iter().map(|database| database.label()).collect();
    let labels = labels.join(" and ");
    let is_foretold = !matches!(databases, [Dialect::Mssql | Dialect::Oracle]);
    let message = match (&made.given, is_foretold) {
        (Some(_), _) if made.is_named => format!("no revision gives the name `{name}`"),
        (_, true) => format!("the name `{name}` holds on {labels} only"),
        (_, false) => format!("the name `{name}` holds on one database only"),
    };
    let why = match &made.given {
        Some(given) if made.is_named => {
            format!("{labels} would choose it; a new database has `{given}`, and there this upgrade fails")
        }
        Some(given) => {
            format!("{labels} chose it; a new database has `{given}` by your convention, and there this upgrade fails")
        }
        None if is_foretold => format!(
            "{labels} chose it; {}: there this upgrade fails",
            elsewhere(wanted, made, databases)
        ),
        None => format!("{labels} chose it, and chooses another on each database: there this upgrade fails"),
    };
    let text = if made.is_named {
        "made here under another name"
    } else {
        "made here without a name"
    };
    let mut diagnostic = Diagnostic::new(&RULE, file.file(), wanted.call, message)
        .focus(wanted.at, why)
        .related(made.place.clone(), text)
        .help(help(wanted, made, &labels, is_foretold) + &on_sqlite(file, wanted, made));
    if made.given.is_some() {
        diagnostic.severity = Severity::Error;
    }
    Some(diagnostic)
}

/// A batch on SQLite finds what has no name by the convention that it is given, and there is no name to look up.
fn on_sqlite(file: &MigrationFile<'_>, wanted: &Wanted<'_>, made: &Made) -> String {
    let drop = wanted.drop.filter(|_| made.given.is_none());
    match drop.and_then(|drop| naming_of_reflected(file, drop, made.kind)) {
        Some(naming) => format!(
            "; on SQLite there is no name to look up: give the batch `{naming}`, and drop it there by the name that this makes"
        ),
        None => String::new(),
    }
}

/// What the constraint is called on the other databases.
fn elsewhere(wanted: &Wanted<'_>, made: &Made, databases: &[Dialect]) -> String {
    let columns: Vec<&str> = made.columns.iter().flatten().map(String::as_str).collect();
    let is_check = made.kind == ConstraintKind::Check;
    let (label, other) = if databases.contains(&Dialect::Postgresql) {
        let other = default_names::mariadb(made.kind, &wanted.table, &columns, 1, |_| false);
        ("MariaDB", other)
    } else {
        let columns = if is_check { &[][..] } else { &columns };
        let other = default_names::postgresql(made.kind, &wanted.table, columns, |_| false);
        ("PostgreSQL", other)
    };
    match other {
        Some(other) => format!("{label} may call it `{other}`, and SQLite gives no name"),
        None => format!("{label} gives another, and SQLite none"),
    }
}

fn help(wanted: &Wanted<'_>, made: &Made, labels: &str, is_foretold: bool) -> String {
    let table = &wanted.table;
    let method = match made.kind {
        ConstraintKind::ForeignKey => "get_foreign_keys",
        ConstraintKind::Unique => "get_unique_constraints",
        ConstraintKind::PrimaryKey => "get_pk_constraint",
        _ => "get_check_constraints",
    };
    let look_up = format!("look the name up when this runs: `sa.inspect(op.get_bind()).{method}('{table}')`");
    if !is_foretold {
        return look_up;
    }
    let path = made.place.file.path();
    let name = wanted.name;
    format!(
        "write `{name}` into `{path}` too: what ran it on {labels} has that name, and every new database will; or {look_up}"
    )
}

#[cfg(test)]
mod tests {
    use crate::check::examine;
    use crate::config::Config;
    use crate::diagnostic::{Diagnostic, Severity};
    use crate::fix::apply;
    use crate::project::Project;
    use crate::rules::harness::history_of;
    use crate::snapshot::MemorySnapshot;
    use crate::source::SourceFile;

    const PLAIN: &str = "target_metadata = None\n";
    const CONVENTION: &str = "from sqlalchemy import MetaData\ntarget_metadata = MetaData(naming_convention={'uq': 'uq_%(table_name)s_%(column_0_name)s', 'pk': 'pk_%(table_name)s', 'fk': 'fk_%(table_name)s_%(column_0_name)s', 'ix': 'ix_%(column_0_label)s'})\n";
    const TABLE: &str = "op.create_table('member', sa.Column('id', sa.Integer(), primary_key=True), sa.Column('email', sa.Text(), unique=True))";

    /// What the last of the revisions is found to be, warnings and errors of all rules.
    fn found(models: &str, revisions: &[&str]) -> Vec<Diagnostic> {
        let (files, last) = history_of(models, revisions);
        let snapshot: MemorySnapshot = files.into_iter().collect();
        let found = examine(&last, false, &Project::new(&snapshot, "/top"), &Config::default()).diagnostics;
        let is_ours = |one: &Diagnostic| one.rule == &super::RULE;
        found.into_iter().filter(is_ours).collect()
    }

    #[test]
    fn sql_and_renames_fail_where_the_convention_names_it() {
        for change in [
            "op.execute('ALTER TABLE member RENAME CONSTRAINT member_email_key TO uq_member_email')",
            "op.execute('ALTER TABLE member DROP CONSTRAINT member_email_key')",
            "op.execute('ALTER INDEX member_email_key RENAME TO uq_member_email')",
            "op.drop_constraint('member_email_key', 'member', type_='unique')",
            "op.drop_constraint('member_pkey', 'member', type_='primary')",
            "op.execute('ALTER TABLE member RENAME CONSTRAINT member_pkey TO pk_member')",
        ] {
            let under = found(CONVENTION, &[TABLE, change]);
            let [only] = under.as_slice() else {
                panic!("{change}: {under:?}")
            };
            assert_eq!(only.severity, Severity::Error, "{change}");
            assert!(only.focus.text.contains("by your convention"), "{change}");
            // Without one only the databases differ, and SQL is written for one of them.
            let count = usize::from(change.contains("drop_constraint('member_email_key'"));
            assert_eq!(found(PLAIN, &[TABLE, change]).len(), count, "{change}");
        }
    }

    /// What the downgrade gives back is not there when the upgrade runs.
    #[test]
    fn a_rename_that_the_downgrade_takes_back_is_found_all_the_same() {
        for (upgrade, downgrade) in [
            (
                "RENAME CONSTRAINT member_email_key TO uq_member_email",
                "RENAME CONSTRAINT uq_member_email TO member_email_key",
            ),
            (
                "DROP CONSTRAINT member_email_key",
                "ADD CONSTRAINT member_email_key UNIQUE (email)",
            ),
        ] {
            let sql = |action: &str| format!("    op.execute('ALTER TABLE member {action}')\n");
            let revision = format!(
                "from alembic import op\n{{0}}\ndef upgrade():\n{}def downgrade():\n{}",
                sql(upgrade),
                sql(downgrade)
            );
            assert_eq!(found(CONVENTION, &[TABLE, &revision]).len(), 1, "{upgrade}");
        }
    }

    #[test]
    fn what_may_be_missing_or_is_looked_for_is_left_alone() {
        for change in [
            "op.execute('ALTER TABLE member DROP CONSTRAINT IF EXISTS member_email_key')",
            "op.execute('ALTER INDEX IF EXISTS member_email_key RENAME TO uq_member_email')",
            "op.execute('ALTER TABLE other DROP CONSTRAINT member_email_key')",
            "op.execute('ALTER TABLE member DROP CONSTRAINT member_name_key')",
            "op.execute('ALTER TABLE member DROP CONSTRAINT uq_member_email')",
            "op.execute('ALTER TABLE member ADD CONSTRAINT member_email_key UNIQUE (email)'); op.execute('ALTER TABLE member DROP CONSTRAINT member_email_key')",
            "op.execute(sql()); op.execute('ALTER TABLE member DROP CONSTRAINT member_email_key')",
            "if named():\n        op.execute('ALTER TABLE member DROP CONSTRAINT member_email_key')",
        ] {
            assert!(found(CONVENTION, &[TABLE, change]).is_empty(), "{change}");
        }
    }

    #[test]
    fn a_name_that_the_earlier_revision_gives_is_not_the_databases() {
        let named = "op.create_foreign_key('fk_a', 'order', 'invoice', ['invoice_id'], ['id'])";
        let drop = "op.drop_constraint('order_invoice_id_fkey', 'order', type_='foreignkey')";
        let under = found(PLAIN, &[named, drop]);
        let [only] = under.as_slice() else { panic!("{under:?}") };
        assert_eq!(
            (only.severity, only.message.as_str()),
            (Severity::Error, "no revision gives the name `order_invoice_id_fkey`")
        );
        for revisions in [
            &[named, "op.drop_constraint('fk_a', 'order', type_='foreignkey')", drop][..],
            &[
                named,
                "op.execute('ALTER TABLE \"order\" RENAME CONSTRAINT fk_a TO order_invoice_id_fkey')",
                drop,
            ],
            &[
                named,
                "op.drop_constraint('order_invoice_id_fkey1', 'order', type_='foreignkey')",
            ],
            &[named, "op.drop_constraint('order_ibfk_1', 'order', type_='foreignkey')"],
        ] {
            assert!(found(PLAIN, revisions).is_empty(), "{revisions:?}");
        }
    }

    /// Under a convention the later drop fails as it stands, and one name in both cures it.
    #[test]
    fn a_name_that_a_later_revision_knows_comes_before_the_convention() {
        let key = "op.create_foreign_key(None, 'order', 'invoice', ['invoice_id'], ['id'])";
        let later = "op.drop_constraint('order_invoice_id_fkey', 'order', type_='foreignkey')";
        for (is_deployed, expected) in [(false, "order_invoice_id_fkey"), (true, "fk_order_invoice_id")] {
            let (files, _) = history_of(CONVENTION, &[key, later]);
            let (path, text) = files.iter().find(|(path, _)| path.ends_with("r0.py")).unwrap().clone();
            let snapshot: MemorySnapshot = files.into_iter().collect();
            let file = SourceFile::new(path.as_str().into(), text);
            let found = examine(&file, is_deployed, &Project::new(&snapshot, "/top"), &Config::default()).diagnostics;
            let [only] = found.as_slice() else { panic!("{found:?}") };
            assert_eq!(only.rule.name, "implicit-constraint-name");
            assert_eq!(only.suggested_name.as_deref(), Some(expected));
        }
    }

    /// The fix of a new revision, and what a later one drops by the database's name.
    #[test]
    fn a_fix_keeps_the_name_that_a_later_revision_knows() {
        let key = "op.create_foreign_key(None, 'order', 'invoice', ['invoice_id'], ['id'])";
        let name = |later: &str| {
            let (files, _) = history_of(PLAIN, &[key, later]);
            let (path, text) = files.iter().find(|(path, _)| path.ends_with("r0.py")).unwrap().clone();
            let snapshot: MemorySnapshot = files.into_iter().collect();
            let file = SourceFile::new(path.as_str().into(), text);
            let found = examine(&file, false, &Project::new(&snapshot, "/top"), &Config::default()).diagnostics;
            let only = found
                .into_iter()
                .find(|one| one.rule.name == "unnamed-constraint")
                .unwrap();
            let fix = only.fix.as_ref().map(|fix| apply(&file, [fix]));
            (
                only.suggested_name.unwrap_or_default(),
                fix.unwrap_or(only.help.unwrap()),
            )
        };
        for later in [
            "op.drop_constraint('order_invoice_id_fkey', 'order', type_='foreignkey')",
            "op.execute('ALTER TABLE \"order\" RENAME CONSTRAINT order_invoice_id_fkey TO fk_new')",
        ] {
            let (name, after) = name(later);
            assert_eq!(name, "order_invoice_id_fkey");
            assert!(
                after.contains("create_foreign_key(op.f('order_invoice_id_fkey')"),
                "{after}"
            );
        }
        let (suggested, help) = name("op.drop_constraint('order_ibfk_1', 'order', type_='foreignkey')");
        assert_eq!(suggested, "fk_order_invoice_id_invoice");
        assert!(
            help.contains("`migrations/versions/r1.py` speaks of `order_ibfk_1`"),
            "{help}"
        );
        let (suggested, after) = name("op.drop_constraint('order_code_key', 'order', type_='unique')");
        assert_eq!(suggested, "fk_order_invoice_id_invoice");
        assert!(after.contains("op.f('fk_order_invoice_id_invoice')"), "{after}");
    }

    const ENV: &str = "from alembic import context\nfrom app.models import target_metadata\n";
    const LATER: &str = "from alembic import op\nrevision = 'b'\ndown_revision = 'a'\ndef upgrade():\n    op.drop_constraint('t_c_fkey', 't', type_='foreignkey')\n";

    /// Whether the name that PostgreSQL gives is found, with these imports in the older revision, models and requirements.
    fn is_found(import: &str, models: &str, requirements: &str, url: &str) -> bool {
        let older = format!(
            "from alembic import op\n{import}\nrevision = 'a'\ndown_revision = None\ndef upgrade():\n    op.create_foreign_key(None, 't', 'u', ['c'], ['id'])\n"
        );
        let ini = format!("[alembic]\nscript_location = migrations\nsqlalchemy.url = {url}\n");
        let snapshot = MemorySnapshot::from([
            ("alembic.ini", ini.as_str()),
            ("migrations/env.py", ENV),
            ("app/models.py", models),
            ("requirements.txt", requirements),
            ("migrations/versions/a.py", older.as_str()),
            ("migrations/versions/b.py", LATER),
        ]);
        let project = Project::new(&snapshot, "/top");
        let file = SourceFile::new("migrations/versions/b.py".into(), LATER.to_owned());
        let found = examine(&file, false, &project, &Config::default()).diagnostics;
        found.iter().any(|one| one.rule == &super::RULE)
    }

    #[test]
    fn a_project_that_shows_its_only_database_may_use_the_names_of_that() {
        let none = "target_metadata = None\n";
        let named = "from sqlalchemy import MetaData\ntarget_metadata = MetaData(naming_convention={'fk': 'fk_%(table_name)s'})\n";
        let pg = "from sqlalchemy.dialects import postgresql";
        for (import, models, requirements, url, expected) in [
            ("", none, "", "", true),
            (pg, none, "", "", false),
            ("", none, "psycopg2\n", "", false),
            (pg, none, "psycopg2\n", "postgresql://h/d", false),
            // What is written down for one database may be the developer's own.
            ("", none, "", "postgresql://h/d", true),
            (pg, none, "aiosqlite\n", "", true),
            (pg, none, "", "sqlite://", true),
            ("from sqlalchemy.dialects import mysql", none, "", "", true),
            (pg, named, "psycopg2\n", "", true),
        ] {
            let found = is_found(import, models, requirements, url);
            assert_eq!(found, expected, "{import} {models} {requirements} {url}");
        }
    }

    /// A key that SQLite holds without a name is found in a batch by a convention only (seen with Alembic 1.20.1).
    #[test]
    fn a_batch_is_offered_a_convention_for_what_sqlite_does_not_name() {
        for (url, in_batch, expected) in [
            ("", true, true),
            ("sqlite://", true, true),
            ("postgresql://h/d", true, false),
            ("", false, false),
        ] {
            let later = if in_batch {
                LATER.replace(
                    "    op.drop_constraint('t_c_fkey', 't',",
                    "    with op.batch_alter_table('t') as b: b.drop_constraint('t_c_fkey',",
                )
            } else {
                LATER.to_owned()
            };
            let help = help_in(&later, url);
            let proposed = "give the batch `naming_convention={'fk': 'fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s'}`";
            assert_eq!(help.contains(proposed), expected, "{url} {later}: {help}");
        }
    }

    fn help_in(later: &str, url: &str) -> String {
        let older = "from alembic import op\nrevision = 'a'\ndown_revision = None\ndef upgrade():\n    op.create_foreign_key(None, 't', 'u', ['c'], ['id'])\n";
        let ini = format!("[alembic]\nscript_location = migrations\nsqlalchemy.url = {url}\n");
        let snapshot = MemorySnapshot::from([
            ("alembic.ini", ini.as_str()),
            ("migrations/env.py", ENV),
            ("app/models.py", "target_metadata = None\n"),
            ("migrations/versions/a.py", older),
            ("migrations/versions/b.py", later),
        ]);
        let project = Project::new(&snapshot, "/top");
        let file = SourceFile::new("migrations/versions/b.py".into(), later.to_owned());
        let found = examine(&file, false, &project, &Config::default()).diagnostics;
        let found = found.into_iter().find(|one| one.rule == &super::RULE).unwrap();
        found.help.unwrap()
    }
}
