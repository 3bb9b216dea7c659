//! The name to suggest for an unnamed constraint, and where it comes from.

use super::MigrationFile;
use super::constraint::Constraint;
use super::convention_name::{NameUnknown, name, name_at_run_time, name_by_project};
use super::default_name::default_name_of;
use super::distinct_names::make_distinct;
use crate::migration::{Direction, Name, Operation, Receiver};
use crate::naming::{ConstraintKind, Convention, Dialect, Name as Computed, NamingError};
use crate::project::Place;

/// The suggestion for one unnamed constraint.
#[derive(Debug, Clone)]
pub(crate) struct Suggestion {
    /// The name before any database shortens it; nothing where it cannot be known.
    pub(crate) name: Option<String>,
    pub(crate) source: Source,
    /// Why there is no name.
    pub(crate) reason: Option<String>,
    /// The name in the database, where that differs. The database is PostgreSQL where it is not known.
    pub(super) shortened: Option<(Dialect, String)>,
    /// Why the project's own convention cannot be read.
    pub(crate) unread: Option<String>,
    /// Where another revision has the name that a database gives the constraint.
    pub(super) spoken: Option<Place>,
    /// Whether there is no name because another constraint would have the same.
    pub(super) is_shared: bool,
    /// Whether the project's convention names it while the migration runs, whatever is suggested.
    pub(crate) is_implicit: bool,
}

/// Where a suggested name comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The project's convention, which applies when the migration runs.
    Project,
    /// The convention in the configuration.
    Configured,
    /// The convention that SQLAlchemy documents.
    Documented,
    /// The other direction of the revision, which has the name.
    OtherDirection,
    /// Another revision, which has the name that a database gives.
    OtherRevision,
}

impl Suggestion {
    const fn new(name: Option<String>, source: Source) -> Self {
        Self {
            name,
            source,
            reason: None,
            shortened: None,
            unread: None,
            spoken: None,
            is_shared: false,
            is_implicit: false,
        }
    }

    pub(super) fn of(name: &str, source: Source) -> Self {
        Self::new(Some(name.to_owned()), source)
    }

    /// Why the name cannot be written without a decision.
    pub(crate) fn obstacle(&self) -> Option<String> {
        let place = self.spoken.as_ref().filter(|_| self.source != Source::OtherRevision)?;
        let (path, name) = (place.file.path(), place.file.slice(place.span));
        Some(format!("`{path}` speaks of `{name}`, which may be what a database calls it"))
    }

    /// Why no name is suggested, as a part of a help.
    pub(crate) fn why_none(&self) -> String {
        let because = |reason| format!("; none is suggested, because {reason}");
        self.reason.as_ref().map(because).unwrap_or_default()
    }

    /// Takes back a name that another constraint of the table would have as well.
    pub(crate) fn withhold(&mut self) {
        if let Some(name) = self.name.take() {
            self.reason = Some(format!("another constraint of the table would have the same name, `{name}`"));
            self.shortened = None;
            self.is_shared = true;
        }
    }
}

/// The name for a constraint: what another revision has, else what the project's convention gives, else a documented or configured one.
pub(crate) fn suggest<'a>(file: &MigrationFile<'_>, constraint: impl Into<Constraint<'a>>) -> Suggestion {
    let constraint = constraint.into();
    let (source, outcome, unread) = by_convention(file, constraint);
    let is_implicit = source == Source::Project;
    // A database has what the project's convention named under that name.
    let may_be_spoken_of = !is_implicit || !file.is_deployed;
    let spoken = may_be_spoken_of.then(|| spoken_of(file, constraint)).flatten();
    if let Some(place) = spoken.as_ref().filter(|place| !is_numbered(place)) {
        let name = place.file.slice(place.span).to_owned();
        return Suggestion {
            spoken,
            is_implicit,
            ..Suggestion::new(Some(name), Source::OtherRevision)
        };
    }
    let mut suggestion = Suggestion {
        unread,
        spoken: spoken.filter(|_| !is_implicit),
        is_implicit,
        ..Suggestion::new(None, source)
    };
    match outcome {
        Ok(Some(computed)) => {
            suggestion.shortened = shortened(file, &computed);
            suggestion.name = Some(computed.text);
        }
        Ok(None) => {
            // Only PostgreSQL has these, and no documented convention names them.
            let by_postgresql = || default_name_of(Dialect::Postgresql, &constraint);
            let chosen = (constraint.kind == ConstraintKind::Exclude)
                .then(by_postgresql)
                .flatten();
            suggestion.name = chosen.map(|chosen| chosen.text);
            if suggestion.name.is_none() {
                suggestion.reason = Some(format!("no convention names {}", constraint.kind.with_article()));
            }
        }
        Err(reason) => suggestion.reason = Some(reason),
    }
    suggestion
}

/// A name, no name, or the reason why there is none.
type Outcome = Result<Option<Computed>, String>;

/// The name by a convention, which one that is, and why the project's own cannot be read.
fn by_convention(file: &MigrationFile<'_>, constraint: Constraint<'_>) -> (Source, Outcome, Option<String>) {
    let (source, outcome) = match name_by_project(file, constraint) {
        Ok(None) => fallback(file, constraint),
        Ok(named) => (Source::Project, Ok(named)),
        // The migration fails, so nothing is named while it runs.
        Err(NameUnknown::Name(error)) if error.is_raised() => (Source::Documented, Err(error.to_string())),
        Err(NameUnknown::Name(error)) => (Source::Project, Err(error.to_string())),
        Err(NameUnknown::Convention(reason)) => return (Source::Project, fallback(file, constraint).1, Some(reason)),
        Err(NameUnknown::Target(reason)) => {
            let (source, outcome) = fallback(file, constraint);
            let unread = Some(reason).filter(|_| file.configured_convention.is_none());
            return (source, outcome, unread);
        }
    };
    (source, outcome, None)
}

/// The name by the convention of the configuration, else by the one that SQLAlchemy documents.
fn fallback(file: &MigrationFile<'_>, constraint: Constraint<'_>) -> (Source, Outcome) {
    if let Some(convention) = file.configured_convention {
        let outcome = name(convention, constraint).map_err(|error| error.to_string());
        return (Source::Configured, outcome);
    }
    let outcome = name(&Convention::sqlalchemy_documented(), constraint).map_err(|error| match error {
        NamingError::ExplicitNameNeeded => "only you know what the check is for".to_owned(),
        other => other.to_string(),
    });
    (Source::Documented, outcome)
}

/// The name by a convention, whatever other revisions say.
pub(super) fn offered_name(file: &MigrationFile<'_>, constraint: Constraint<'_>) -> Option<String> {
    match name_at_run_time(file, constraint) {
        Ok(Some(name)) => Some(name),
        _ => fallback(file, constraint).1.ok()?.map(|computed| computed.text),
    }
}

/// Where a revision that is not an earlier one has the name that a database gives the constraint.
fn spoken_of(file: &MigrationFile<'_>, constraint: Constraint<'_>) -> Option<Place> {
    let table = constraint.table.known()?;
    let by_postgresql = default_name_of(Dialect::Postgresql, &constraint).filter(|chosen| chosen.is_exact);
    let may_be_mysql = |dialect: Dialect| matches!(dialect, Dialect::Mysql | Dialect::Mariadb);
    let is_counted = constraint.kind == ConstraintKind::ForeignKey && file.dialect().is_none_or(may_be_mysql);
    let by_number = is_counted.then(|| format!("{table}_ibfk_"));
    let history = file.history()?;
    let mut stems = by_postgresql.map(|chosen| chosen.text).into_iter().chain(by_number);
    stems.find_map(|stem| {
        let (other, span) = history.spoken_of_later(file.migration.module, &stem)?;
        let file = other.clone();
        Some(Place { file, span })
    })
}

/// Whether the name ends in a number that the database counted, so that it may be of any constraint.
fn is_numbered(place: &Place) -> bool {
    let name = place.file.slice(place.span);
    name.ends_with(|digit: char| digit.is_ascii_digit())
}

/// The suggestions for the unnamed creates of a file, each at the place of its operation.
pub(super) fn suggest_all(file: &MigrationFile<'_>) -> Vec<Option<Suggestion>> {
    let unnamed = |operation: &Operation<'_>| operation.creates() && operation.name == Name::Unnamed;
    let operations = file.migration.operations.iter().enumerate();
    let mut suggestions: Vec<Option<Suggestion>> = operations
        .map(|(at, operation)| unnamed(operation).then(|| as_reflected(file, at, suggest(file, operation))))
        .collect();
    make_distinct(file, &mut suggestions);
    suggestions
}

/// The suggestion for what an upgrade drops in a batch and its downgrade creates again.
///
/// On SQLite it has no name, and a batch with a `naming_convention` calls it by that.
fn as_reflected(file: &MigrationFile<'_>, at: usize, suggestion: Suggestion) -> Suggestion {
    let drop = file.partner(at).map(|drop| (drop.when.direction, &drop.receiver));
    let Some((Direction::Upgrade, Receiver::Batch { batch, .. })) = drop else {
        return suggestion;
    };
    let may_be_sqlite = || file.dialect().is_none_or(|dialect| dialect == Dialect::Sqlite);
    let convention = batch.reflected_by.as_ref();
    let convention = convention.filter(|_| suggestion.source != Source::Project && may_be_sqlite());
    match convention.and_then(|convention| name(convention, Constraint::from(&file.migration.operations[at])).ok()?) {
        Some(computed) => Suggestion {
            shortened: shortened(file, &computed),
            ..Suggestion::of(&computed.text, Source::Documented)
        },
        None => suggestion,
    }
}

/// Replaces the documented name by the one with all columns, for a constraint that shares its first column with another.
pub(crate) fn with_all_columns(file: &MigrationFile<'_>, constraint: Constraint<'_>, suggestion: &mut Suggestion) {
    if let Ok(Some(computed)) = name(&Convention::sqlalchemy_documented_with_all_columns(), constraint) {
        suggestion.shortened = shortened(file, &computed);
        suggestion.name = Some(computed.text);
    }
}

/// The name in the database where it differs; PostgreSQL is the strictest of the usual ones.
fn shortened(file: &MigrationFile<'_>, name: &Computed) -> Option<(Dialect, String)> {
    let dialect = file.dialect().unwrap_or(Dialect::Postgresql);
    let in_database = dialect.in_database(name);
    (in_database != name.text).then_some((dialect, in_database))
}

#[cfg(test)]
mod tests {
    use crate::rules::harness::{check_last, of_migration};

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
            ("{sa.Constraint: 'co_%(table_name)s_%(column_0_name)s'}", "('a', '=')", Some("co_room_a")),
            (by_class, "(sa.func.lower(sa.column('a')), '=')", None),
            (by_class, "*ELEMENTS", None),
            // `ex` is no key that SQLAlchemy knows.
            (by_key, "('room_id', '='), ('during', '&&')", Some("room_room_id_during_excl")),
            ("None", "('during', '&&')", Some("room_during_excl")),
            ("None", "(sa.text('lower(a)'), '&&')", None),
        ] {
            let revision = format!("op.create_exclude_constraint(None, 'room', {elements})");
            let found = check_last(&models(convention), &[&revision]);
            assert_eq!(found.len(), 1, "{convention} {elements}: {found:?}");
            assert_eq!(found[0].suggested_name.as_deref(), expected, "{convention} {elements}");
        }
    }

    /// Measured with Alembic 1.20.1: on SQLite the batch drops `FK_c_t_y_c_u`, and the constraints that it makes stay without a name. PostgreSQL
    /// and MariaDB ignore its convention.
    #[test]
    fn a_reflected_constraint_has_the_name_of_its_batch() {
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
