//! The name that an unnamed constraint should have, and who says so.

use crate::migration::{Known, Name, Operation};
use crate::naming::{
    ColumnRef, ConstraintKind, Convention, Dialect, Explicit, Name as Computed, NamingError, Referred, Subject,
};
use crate::project::{ConventionFacts, MetadataFacts, Target};

use super::MigrationFile;

/// What can be said of the name of one create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Suggestion {
    /// The name, untruncated; nothing where it cannot be known.
    pub(super) name: Option<String>,
    /// Who names it.
    pub(super) source: Source,
    /// Why there is no name.
    pub(super) reason: Option<String>,
    /// The name that the database will have, where that differs.
    pub(super) shortened: Option<(Dialect, String)>,
}

/// Who names a constraint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The project's convention, when the migration runs.
    Project,
    /// Nobody in the project; the name follows the convention of the configuration.
    Configured,
    /// Nobody in the project; the name follows the convention that SQLAlchemy documents.
    Documented,
}

/// The name for a create, or for whatever a drop removes when that can be found.
pub(super) fn suggest(file: &MigrationFile<'_>, operation: &Operation<'_>) -> Suggestion {
    let kind = operation.kind().unwrap_or_default();
    let (source, outcome) = match project_convention(file, operation) {
        Ok(Some(convention)) => match name(&convention, operation) {
            Ok(None) => fallback(file, operation, None),
            outcome => (Source::Project, outcome.map_err(|error| error.to_string())),
        },
        Ok(None) => fallback(file, operation, None),
        Err(Unreadable::Convention(reason)) => (Source::Project, Err(reason)),
        Err(Unreadable::Target(reason)) => fallback(file, operation, Some(reason)),
    };
    let mut suggestion = Suggestion {
        name: None,
        source,
        reason: None,
        shortened: None,
    };
    match outcome {
        Ok(Some(computed)) => {
            suggestion.shortened = file.dialect().and_then(|dialect| shortened(dialect, &computed));
            suggestion.name = Some(computed.text);
        }
        Ok(None) => suggestion.reason = Some(format!("no convention names {} {}", article(kind), kind.label())),
        Err(reason) => suggestion.reason = Some(reason),
    }
    suggestion
}

enum Unreadable {
    /// There is a convention, and its content is not to be had.
    Convention(String),
    /// Nobody can tell whether there is one.
    Target(String),
}

fn project_convention(file: &MigrationFile<'_>, operation: &Operation<'_>) -> Result<Option<Convention>, Unreadable> {
    let naming = file.naming();
    let facts = match &naming.target {
        Target::Metadata(facts) => facts,
        Target::ByDatabase(databases) => of_database(databases, operation)?,
        Target::Unknown(reason) if naming.environment.is_some() => return Err(Unreadable::Target(reason.clone())),
        // Alembic takes the convention of a metadata, not of a list of them.
        Target::Nothing | Target::Several(_) | Target::Unknown(_) => return Ok(None),
    };
    match &facts.convention {
        ConventionFacts::Default => Ok(Some(Convention::default())),
        ConventionFacts::Known(convention, _) => Ok(Some(convention.clone())),
        ConventionFacts::Unknown(reason, _) => Err(Unreadable::Convention(format!(
            "the project's convention cannot be read without running it ({reason})"
        ))),
    }
}

/// The metadata of the database that a function is for: `upgrade_engine1()` runs under the one called `engine1`.
fn of_database<'d>(
    databases: &'d [(String, MetadataFacts)],
    operation: &Operation<'_>,
) -> Result<&'d MetadataFacts, Unreadable> {
    let engine = operation
        .function
        .and_then(|name| name.split_once('_'))
        .map(|(_, engine)| engine);
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

fn fallback(
    file: &MigrationFile<'_>,
    operation: &Operation<'_>,
    unreadable: Option<String>,
) -> (Source, Result<Option<Computed>, String>) {
    if let Some(convention) = file.configured_convention {
        return (
            Source::Configured,
            name(convention, operation).map_err(|error| error.to_string()),
        );
    }
    if let Some(reason) = unreadable {
        let why = format!("whether the project has a convention cannot be read without running it ({reason})");
        return (Source::Documented, Err(why));
    }
    let documented = name(&Convention::sqlalchemy_documented(), operation);
    (
        Source::Documented,
        documented.map_err(|error| match error {
            NamingError::ExplicitNameNeeded => "only you know what the check is for".to_owned(),
            other => other.to_string(),
        }),
    )
}

/// The name that a convention gives to what an operation makes.
fn name(convention: &Convention, operation: &Operation<'_>) -> Result<Option<Computed>, NamingError> {
    let unreadable = |what: &str, reason: &str| NamingError::NotKnowable {
        reason: format!("{what}: {reason}"),
    };
    let table = match &operation.table {
        Known::Is(table) => table,
        Known::Computed(reason) => return Err(unreadable("the table", reason)),
    };
    let columns = operation.columns.known().map(Vec::as_slice).unwrap_or_default();
    let columns: Vec<ColumnRef<'_>> = columns.iter().map(|column| ColumnRef::from(column.as_str())).collect();
    let referred = operation.referred.as_ref();
    let referred_columns: Vec<&str> = referred
        .and_then(|referred| referred.columns.known())
        .map(|columns| columns.iter().map(String::as_str).collect())
        .unwrap_or_default();
    convention.name(&Subject {
        kind: operation.kind().unwrap_or_default(),
        table,
        schema: operation.schema.known().and_then(Option::as_deref),
        columns: &columns,
        columns_unknown: operation.columns.known().is_none(),
        referred: referred.and_then(|referred| {
            Some(Referred {
                table: referred.table.known()?,
                schema: referred.schema.known().and_then(Option::as_deref),
                columns: &referred_columns,
            })
        }),
        explicit: match &operation.name {
            Name::Plain(name) => Some(Explicit { name, is_conv: false }),
            Name::Finished(name) => Some(Explicit { name, is_conv: true }),
            Name::Unnamed | Name::Computed => None,
        },
    })
}

fn shortened(dialect: Dialect, name: &Computed) -> Option<(Dialect, String)> {
    let in_database = dialect.in_database(name);
    (in_database != name.text).then_some((dialect, in_database))
}

pub(super) const fn article(kind: ConstraintKind) -> &'static str {
    match kind {
        ConstraintKind::Index | ConstraintKind::Exclude => "an",
        _ => "a",
    }
}
