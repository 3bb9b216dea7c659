//! The name that an unnamed constraint should have, and who says so.

use super::MigrationFile;
use super::advice::default_name_of;
use super::namesakes::told_apart;
use crate::migration::{Direction, Known, Name, Operation, Receiver};
use crate::naming::{
    ColumnRef, ConstraintKind, Convention, Dialect, Explicit, Name as Computed, NamingError, Referred, Subject,
    Value as Template, default_names,
};
use crate::project::{ConventionFacts, MetadataFacts, Place, Target};
use crate::source::Span;

/// What can be said of the name of one create.
#[derive(Debug, Clone)]
pub(crate) struct Suggestion {
    /// The name, untruncated; nothing where it cannot be known.
    pub(crate) name: Option<String>,
    /// Who names it.
    pub(crate) source: Source,
    /// Why there is no name.
    pub(crate) reason: Option<String>,
    /// The name that the database will have, where that differs; PostgreSQL's where nothing tells which database it is.
    pub(crate) shortened: Option<(Dialect, String)>,
    /// What the project does not tell, where the name stands in for one that it may have.
    pub(crate) unread: Option<String>,
    /// Where another revision speaks of the constraint by the name that a database gives it.
    pub(crate) spoken: Option<Place>,
    /// Whether there is no name because another constraint would have the same.
    pub(crate) is_shared: bool,
    /// Whether the project's convention names it while the migration runs, whatever is suggested.
    pub(crate) is_implicit: bool,
}

impl Suggestion {
    /// A name, and who says so.
    pub(crate) fn of(name: &str, source: Source) -> Self {
        Self {
            name: Some(name.to_owned()),
            source,
            reason: None,
            shortened: None,
            unread: None,
            spoken: None,
            is_shared: false,
            is_implicit: false,
        }
    }

    /// Why the name cannot be written without a person's thought.
    pub(crate) fn obstacle(&self) -> Option<String> {
        let place = self.spoken.as_ref().filter(|_| self.source != Source::OtherRevision)?;
        let (path, name) = (place.file.path(), place.file.slice(place.span));
        Some(format!(
            "`{path}` speaks of `{name}`, which may be what a database calls it"
        ))
    }
}

/// Who names a constraint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The project's convention, when the migration runs.
    Project,
    /// Nobody in the project; the name follows the convention of the configuration.
    Configured,
    /// Nobody in the project; the name follows the convention that SQLAlchemy documents.
    Documented,
    /// The other direction of the revision, which has the name.
    OtherDirection,
    /// Another revision, which knows it by the name that the database gives.
    OtherRevision,
}

/// A constraint that wants a name, whether an operation makes it or a table or a column brings it along.
#[derive(Clone, Copy)]
pub(crate) struct Constraint<'a> {
    pub(crate) kind: ConstraintKind,
    pub(crate) table: &'a Known<String>,
    pub(crate) schema: Option<&'a str>,
    pub(crate) columns: &'a Known<Vec<String>>,
    pub(crate) referred: Option<(&'a str, Option<&'a str>, &'a [String])>,
    pub(crate) explicit: Option<Explicit<'a>>,
    /// The function that runs it, which tells the database where there are several.
    pub(crate) function: Option<&'a str>,
    /// Where it stands; nothing where that is no place of its own.
    pub(crate) place: Option<Span>,
}

impl<'a> From<&'a Operation<'_>> for Constraint<'a> {
    fn from(operation: &'a Operation<'_>) -> Self {
        let referred = operation.referred.as_ref().and_then(|referred| {
            let columns = referred.columns.known().map(Vec::as_slice).unwrap_or_default();
            let schema = referred.schema.known().and_then(Option::as_deref);
            Some((referred.table.known()?.as_str(), schema, columns))
        });
        Self {
            kind: operation.kind().unwrap_or_default(),
            table: &operation.table,
            schema: operation.schema.known().and_then(Option::as_deref),
            columns: &operation.columns,
            referred,
            explicit: match &operation.name {
                Name::Plain(name) => Some(Explicit { name, is_conv: false }),
                Name::Finished(name) => Some(Explicit { name, is_conv: true }),
                Name::Unnamed | Name::Computed => None,
            },
            function: operation.function,
            place: Some(operation.name_span()),
        }
    }
}

/// The name for a constraint, and who says so.
pub(crate) fn suggest<'a>(file: &MigrationFile<'_>, constraint: impl Into<Constraint<'a>>) -> Suggestion {
    let constraint = constraint.into();
    let mut unread = None;
    let (source, outcome) = match project_convention(file, constraint.function) {
        // What the convention leaves out it does not name, whatever else is known of the constraint.
        Ok(Some(convention)) if convention.template_for(constraint.kind).is_none() => fallback(file, constraint),
        Ok(Some(convention)) => match name(&convention, constraint) {
            Ok(None) => fallback(file, constraint),
            // Such a template fails the migration, so nothing is named while it runs.
            Err(error) if error.is_raised() => (Source::Documented, Err(error.to_string())),
            outcome => (Source::Project, outcome.map_err(|error| error.to_string())),
        },
        Ok(None) => fallback(file, constraint),
        Err(Unreadable::Convention(reason)) => {
            unread = Some(reason);
            (Source::Project, fallback(file, constraint).1)
        }
        Err(Unreadable::Target(reason)) => {
            unread = Some(reason).filter(|_| file.configured_convention.is_none());
            fallback(file, constraint)
        }
    };
    let is_implicit = source == Source::Project;
    // What the convention has named in a database keeps that name.
    let may_be_spoken_of = !is_implicit || !file.is_deployed;
    let spoken = may_be_spoken_of
        .then(|| spoken_of(file, constraint))
        .flatten()
        .filter(|place| !(is_implicit && is_numbered(place)));
    if let Some(place) = spoken.clone().filter(|place| !is_numbered(place)) {
        let name = place.file.slice(place.span).to_owned();
        return Suggestion {
            spoken,
            is_implicit,
            ..Suggestion::of(&name, Source::OtherRevision)
        };
    }
    let mut suggestion = Suggestion {
        name: None,
        source,
        reason: None,
        shortened: None,
        unread,
        spoken,
        is_shared: false,
        is_implicit,
    };
    match outcome {
        Ok(Some(computed)) => {
            // PostgreSQL is the strictest of those that are usual.
            suggestion.shortened = shortened(file.dialect().unwrap_or(Dialect::Postgresql), &computed);
            suggestion.name = Some(computed.text);
        }
        Ok(None) => {
            let kind = constraint.kind;
            // Only PostgreSQL has these, and no documented convention names them.
            if kind == ConstraintKind::Exclude
                && let Some(name) = name_of_postgresql(constraint)
            {
                suggestion.name = Some(name);
                return suggestion;
            }
            suggestion.reason = Some(format!("no convention names {} {}", article(kind), kind.label()));
        }
        Err(reason) => suggestion.reason = Some(reason),
    }
    suggestion
}

/// The name that a constraint without one is offered by a convention, the revisions around it aside.
pub(crate) fn offered_name(file: &MigrationFile<'_>, constraint: Constraint<'_>) -> Option<String> {
    match name_at_run_time(file, constraint) {
        Ok(Some(name)) => Some(name),
        _ => fallback(file, constraint).1.ok()?.map(|computed| computed.text),
    }
}

/// Where another revision than the earlier ones speaks of the constraint by the name that a database gives it.
fn spoken_of(file: &MigrationFile<'_>, constraint: Constraint<'_>) -> Option<Place> {
    let table = constraint.table.known()?;
    let by_postgresql = default_name_of(Dialect::Postgresql, &constraint).filter(|chosen| chosen.is_exact);
    let is_counted = constraint.kind == ConstraintKind::ForeignKey
        && file
            .dialect()
            .is_none_or(|dialect| matches!(dialect, Dialect::Mysql | Dialect::Mariadb));
    let by_number = is_counted.then(|| format!("{table}_ibfk_"));
    let history = file.history()?;
    let mut stems = by_postgresql.map(|chosen| chosen.text).into_iter().chain(by_number);
    stems.find_map(|stem| {
        let (other, span) = history.spoken_of_later(file.migration.module, &stem)?;
        let file = other.clone();
        Some(Place { file, span })
    })
}

/// Whether the database counted: then nobody can tell which constraint has the number.
fn is_numbered(place: &Place) -> bool {
    place
        .file
        .slice(place.span)
        .ends_with(|digit: char| digit.is_ascii_digit())
}

/// The name that PostgreSQL itself would choose.
fn name_of_postgresql(constraint: Constraint<'_>) -> Option<String> {
    let columns: Vec<&str> = constraint.columns.known()?.iter().map(String::as_str).collect();
    default_names::postgresql(constraint.kind, constraint.table.known()?, &columns, |_| false)
}

/// The suggestions for the unnamed creates of a file, each at the place of its operation.
pub(crate) fn suggest_all(file: &MigrationFile<'_>) -> Vec<Option<Suggestion>> {
    let unnamed = |operation: &Operation<'_>| operation.creates() && operation.name == Name::Unnamed;
    let operations = file.migration.operations.iter().enumerate();
    let mut suggestions: Vec<Option<Suggestion>> = operations
        .map(|(at, operation)| unnamed(operation).then(|| in_batch(file, at, suggest(file, operation))))
        .collect();
    told_apart(file, &mut suggestions);
    suggestions
}

/// The name by which the upgrade drops what a create of the downgrade brings back: SQLite has none for it, and a batch that is given a
/// `naming_convention` calls it by that.
fn in_batch(file: &MigrationFile<'_>, at: usize, suggestion: Suggestion) -> Suggestion {
    let operations = &file.migration.operations;
    let drop = file.pairing.drop_of(at).map(|drop| &operations[drop]);
    let Some((Direction::Upgrade, Receiver::Batch { batch, .. })) = drop.map(|drop| (drop.direction, &drop.receiver))
    else {
        return suggestion;
    };
    let may_be_sqlite = || file.dialect().is_none_or(|dialect| dialect == Dialect::Sqlite);
    let named = batch
        .reflected_by
        .as_ref()
        .filter(|_| suggestion.source != Source::Project && may_be_sqlite())
        .and_then(|convention| name(convention, Constraint::from(&operations[at])).ok()?);
    match named {
        Some(computed) => Suggestion {
            shortened: shortened(file.dialect().unwrap_or(Dialect::Postgresql), &computed),
            ..Suggestion::of(&computed.text, Source::Documented)
        },
        None => suggestion,
    }
}

/// Takes the documented name with all columns, for what has the first one in common with another.
pub(crate) fn with_all_columns(file: &MigrationFile<'_>, constraint: Constraint<'_>, suggestion: &mut Suggestion) {
    if let Ok(Some(computed)) = name(&Convention::sqlalchemy_documented_with_all_columns(), constraint) {
        suggestion.shortened = shortened(file.dialect().unwrap_or(Dialect::Postgresql), &computed);
        suggestion.name = Some(computed.text);
    }
}

impl Suggestion {
    /// Takes the name back that another constraint of the table would have as well.
    pub(crate) fn withhold(&mut self) {
        if let Some(name) = self.name.take() {
            self.reason = Some(format!(
                "another constraint of the table would have the same name, `{name}`"
            ));
            self.shortened = None;
            self.is_shared = true;
        }
    }
}

enum Unreadable {
    /// There is a convention, and its content is not to be had.
    Convention(String),
    /// Nobody can tell whether there is one.
    Target(String),
}

fn project_convention(file: &MigrationFile<'_>, function: Option<&str>) -> Result<Option<Convention>, Unreadable> {
    let naming = file.naming();
    let facts = match &naming.target {
        Target::Metadata(facts) => facts,
        Target::ByDatabase(databases) => of_database(databases, function)?,
        Target::Unknown(reason) if naming.environment.is_some() => return Err(Unreadable::Target(reason.clone())),
        // Alembic takes the convention of a metadata, not of a list of them.
        Target::Nothing | Target::Several(_) | Target::Unknown(_) => return Ok(None),
    };
    match &facts.convention {
        ConventionFacts::Default => Ok(Some(Convention::default())),
        ConventionFacts::Known(convention, _) => Ok(Some(convention.clone())),
        ConventionFacts::Unknown(reason, _) => Err(Unreadable::Convention(reason.clone())),
    }
}

/// The metadata of the database that a function is for: `upgrade_engine1()` runs under the one called `engine1`.
fn of_database<'d>(
    databases: &'d [(String, MetadataFacts)],
    function: Option<&str>,
) -> Result<&'d MetadataFacts, Unreadable> {
    let engine = function.and_then(|name| name.split_once('_')).map(|(_, engine)| engine);
    match (
        databases.iter().find(|(name, _)| Some(name.as_str()) == engine),
        databases,
    ) {
        (Some((_, facts)), _) | (None, [(_, facts)]) => Ok(facts),
        _ => Err(Unreadable::Target(
            "each database has a metadata of its own, and nothing tells which this is for".to_owned(),
        )),
    }
}

/// The name by the convention of the configuration, else by the one that SQLAlchemy documents.
fn fallback(file: &MigrationFile<'_>, constraint: Constraint<'_>) -> (Source, Result<Option<Computed>, String>) {
    if let Some(convention) = file.configured_convention {
        return (
            Source::Configured,
            name(convention, constraint).map_err(|error| error.to_string()),
        );
    }
    let documented = name(&Convention::sqlalchemy_documented(), constraint);
    (
        Source::Documented,
        documented.map_err(|error| match error {
            NamingError::ExplicitNameNeeded => "only you know what the check is for".to_owned(),
            other => other.to_string(),
        }),
    )
}

/// The name that a convention gives to a constraint.
fn name(convention: &Convention, constraint: Constraint<'_>) -> Result<Option<Computed>, NamingError> {
    let table = match constraint.table {
        Known::Is(table) => table,
        Known::Computed(reason) => {
            return Err(NamingError::NotKnowable {
                reason: format!("the table: {reason}"),
            });
        }
    };
    let columns = constraint.columns.known().map(Vec::as_slice).unwrap_or_default();
    let columns: Vec<ColumnRef<'_>> = columns.iter().map(|column| ColumnRef::from(column.as_str())).collect();
    let (other, schema, remote) = constraint.referred.unwrap_or(("", None, &[]));
    let remote: Vec<&str> = remote.iter().map(String::as_str).collect();
    convention.name(&Subject {
        kind: constraint.kind,
        table,
        schema: constraint.schema,
        columns: &columns,
        columns_unknown: constraint.columns.known().is_none(),
        referred: constraint.referred.map(|_| Referred {
            table: other,
            schema,
            columns: &remote,
        }),
        explicit: constraint.explicit,
    })
}

/// The name that a constraint with a name has in the end: the convention may build on a plain one.
///
/// Nothing where the convention cannot be read, so that nobody knows.
pub(crate) fn effective_name(file: &MigrationFile<'_>, constraint: Constraint<'_>) -> Option<String> {
    finished(file, constraint).map(|name| name.text)
}

/// The name by which a drop goes.
///
/// Without `type_` it drops a plain `Constraint`, for which no convention has a template (`alembic/operations/schemaobj.py`,
/// `generic_constraint`). Nothing where the convention cannot be read.
pub(crate) fn dropped_name(file: &MigrationFile<'_>, drop: &Operation<'_>) -> Option<String> {
    let Some(kind) = drop.kind() else {
        return drop.name.text().map(str::to_owned);
    };
    let constraint = Constraint {
        kind,
        ..Constraint::from(drop)
    };
    effective_name(file, constraint)
}

/// The same name as SQLAlchemy holds it: what a convention has built is finished.
pub(crate) fn finished(file: &MigrationFile<'_>, constraint: Constraint<'_>) -> Option<Computed> {
    let explicit = constraint.explicit?;
    let own = || Computed {
        text: explicit.name.to_owned(),
        conv: explicit.is_conv,
    };
    match project_convention(file, constraint.function) {
        Ok(Some(convention)) => match name(&convention, constraint) {
            Ok(computed) => Some(computed.unwrap_or_else(own)),
            Err(_) => None,
        },
        Ok(None) => Some(own()),
        Err(_) if explicit.is_conv => Some(own()),
        Err(_) => None,
    }
}

/// What an unnamed constraint is called while a migration runs; `Ok(None)` where the database has to choose, `Err` where nobody can tell.
pub(crate) fn name_at_run_time(file: &MigrationFile<'_>, constraint: Constraint<'_>) -> Result<Option<String>, ()> {
    match project_convention(file, constraint.function) {
        Ok(Some(convention)) if convention.template_for(constraint.kind).is_none() => Ok(None),
        Ok(Some(convention)) => match name(&convention, constraint) {
            Ok(computed) => Ok(computed.map(|computed| computed.text)),
            Err(_) => Err(()),
        },
        Ok(None) => Ok(None),
        Err(_) => Err(()),
    }
}

/// The name that the configuration's convention gives, which takes the place of one that the project lacks.
pub(crate) fn configured_name(file: &MigrationFile<'_>, constraint: Constraint<'_>) -> Option<String> {
    let computed = name(file.configured_convention?, constraint).ok()??;
    Some(computed.text)
}

/// Whether the project's convention builds on an explicit name, so that SQLAlchemy raises for this constraint where it has none
/// (`sqlalchemy/sql/naming.py`, `_key_constraint_name`).
pub(crate) fn raises_without_name(file: &MigrationFile<'_>, constraint: Constraint<'_>) -> bool {
    let builds_on_names = |facts: &MetadataFacts| match &facts.convention {
        ConventionFacts::Known(convention, _) => matches!(convention.template_for(constraint.kind),
            Some(Template::Template(text)) if text.contains("constraint_name")),
        ConventionFacts::Default | ConventionFacts::Unknown(..) => false,
    };
    // Most conventions do so for checks alone, and most constraints are none.
    if matches!(&file.naming().target, Target::Metadata(facts) if !builds_on_names(facts)) {
        return false;
    }
    let any = Known::Is("t".to_owned());
    let unnamed = Constraint {
        table: &any,
        explicit: None,
        ..constraint
    };
    // A template for primary keys that does so fails for each table, and is told where it is written.
    constraint.kind != ConstraintKind::PrimaryKey
        && matches!(project_convention(file, constraint.function), Ok(Some(convention))
            if name(&convention, unnamed) == Err(NamingError::ExplicitNameNeeded))
}

/// What the project's convention puts before a plain name of this kind; nothing where it takes the name as it is.
pub(crate) fn prefix_of_plain_names(file: &MigrationFile<'_>, constraint: Constraint<'_>) -> Option<String> {
    const MARK: &str = "\u{1}";
    let convention = project_convention(file, constraint.function).ok()??;
    let marked = Constraint {
        explicit: Some(Explicit {
            name: MARK,
            is_conv: false,
        }),
        ..constraint
    };
    let rendered = name(&convention, marked).ok()??.text;
    let (prefix, _) = rendered.split_once(MARK)?;
    (!prefix.is_empty()).then(|| prefix.to_owned())
}

fn shortened(dialect: Dialect, name: &Computed) -> Option<(Dialect, String)> {
    let in_database = dialect.in_database(name);
    (in_database != name.text).then_some((dialect, in_database))
}

pub(crate) const fn article(kind: ConstraintKind) -> &'static str {
    match kind {
        ConstraintKind::Index | ConstraintKind::Exclude => "an",
        _ => "a",
    }
}

#[cfg(test)]
mod tests {
    use crate::check::examine;
    use crate::config::Config;
    use crate::project::Project;
    use crate::rules::harness::{history_of, of_migration};
    use crate::snapshot::MemorySnapshot;

    /// Each was asked of SQLAlchemy 2.1, or of PostgreSQL 15 where no convention names it.
    #[test]
    fn an_exclude_constraint_has_the_columns_of_its_elements() {
        let models = |convention: &str| {
            format!(
                "import sqlalchemy as sa\nfrom sqlalchemy.dialects.postgresql import ExcludeConstraint\ntarget_metadata = sa.MetaData(naming_convention={convention})\n"
            )
        };
        let by_class = "{ExcludeConstraint: 'ex_%(table_name)s_%(column_0_N_name)s'}";
        let by_key = "{'ex': 'ex_%(table_name)s_%(column_0_name)s', 'uq': 'uq_%(table_name)s'}";
        for (convention, elements, expected) in [
            (by_class, "('during', '&&')", Some("ex_room_during")),
            (
                by_class,
                "(sa.column('room_id'), '='), ('during', '&&'), using='gist'",
                Some("ex_room_room_id_during"),
            ),
            (
                "{ExcludeConstraint: 'ex_%(table_name)s_%(column_0_name)s'}",
                "('a', '='), ('b', '=')",
                Some("ex_room_a"),
            ),
            (
                "{sa.Constraint: 'co_%(table_name)s_%(column_0_name)s'}",
                "('a', '=')",
                Some("co_room_a"),
            ),
            (by_class, "(sa.func.lower(sa.column('a')), '=')", None),
            (by_class, "*ELEMENTS", None),
            // `ex` is no key that SQLAlchemy knows.
            (
                by_key,
                "('room_id', '='), ('during', '&&')",
                Some("room_room_id_during_excl"),
            ),
            ("None", "('during', '&&')", Some("room_during_excl")),
            ("None", "(sa.text('lower(a)'), '&&')", None),
        ] {
            let revision = format!("op.create_exclude_constraint(None, 'room', {elements})");
            let (files, last) = history_of(&models(convention), &[&revision]);
            let snapshot: MemorySnapshot = files.into_iter().collect();
            let project = Project::new(&snapshot, "/top");
            let found = examine(&last, false, &project, &Config::default()).diagnostics;
            assert_eq!(found.len(), 1, "{convention} {elements}: {found:?}");
            assert_eq!(found[0].suggested_name.as_deref(), expected, "{convention} {elements}");
        }
    }

    /// The name by which a key is dropped that a batch reflects by a convention: `FK_c_t_y_c_u`, measured with Alembic 1.20.1 on SQLite, where
    /// the constraints that the batch makes stay without a name, and on PostgreSQL and MariaDB, which take no notice of it.
    #[test]
    fn what_a_batch_reflects_is_called_by_its_convention() {
        let x = "{'fk': 'FK_%(table_name)s_%(column_0_name)s_%(referred_table_name)s'}";
        let named = "fk_c_t_y_c_u";
        for (url, convention, directions, expected) in [
            ("sqlite://", x, "drop", "FK_c_t_y_c_u"),
            ("", x, "drop", "FK_c_t_y_c_u"),
            ("postgresql://h/d", x, "drop", named),
            ("sqlite://", "{'uq': 'UQ_%(table_name)s'}", "drop", named),
            ("sqlite://", "convention()", "drop", named),
            ("sqlite://", x, "create", named),
        ] {
            let batch = format!("    with op.batch_alter_table('c_t', naming_convention={convention}) as b:\n");
            let create = format!("{batch}        b.create_foreign_key(None, 'c_u', ['y'], ['id'])\n");
            let drop = format!("{batch}        b.drop_constraint(None, type_='foreignkey')\n");
            let (upgrade, downgrade) = if directions == "drop" {
                (drop, create)
            } else {
                (create, drop)
            };
            let found = of_migration(url, &upgrade, &downgrade, false);
            let suggested: Vec<_> = found.iter().map(|one| one.suggested_name.as_deref()).collect();
            assert_eq!(suggested, [Some(expected); 2], "{url} {convention} {directions}");
        }
    }
}
