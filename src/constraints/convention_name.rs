//! The name that a convention gives to a constraint of a migration: the project's own, or the configured one.

use super::MigrationFile;
use super::constraint::Constraint;
use crate::migration::{Known, Operation};
use crate::naming::{
    ColumnRef, ConstraintKind, Convention, Explicit, Name, NamingError, Referred, Subject, Value as Template,
};
use crate::project::{ConventionFacts, MetadataFacts, Place, Target};

/// Why nobody can tell what the project's convention calls a constraint.
#[derive(Debug)]
pub(crate) enum NameUnknown {
    /// There is a convention, and its content cannot be read.
    Convention(String),
    /// It cannot be told whether there is a convention.
    Target(String),
    /// The convention gives no name, or one that depends on what the code does not show.
    Name(NamingError),
}

/// The convention of a metadata, and where it is written, where it can be read.
pub(crate) fn known_convention(target: &Target) -> Option<(&Convention, Option<&Place>)> {
    match target {
        Target::Metadata(MetadataFacts {
            convention: ConventionFacts::Known(convention, place),
            ..
        }) => Some((convention, place.as_ref())),
        _ => None,
    }
}

fn project_convention(file: &MigrationFile<'_>, function: Option<&str>) -> Result<Option<Convention>, NameUnknown> {
    let naming = file.naming();
    let facts = match &naming.target {
        Target::Metadata(facts) => facts,
        Target::ByDatabase(databases) => of_database(databases, function)?,
        Target::Unknown(reason) if naming.environment.is_some() => return Err(NameUnknown::Target(reason.clone())),
        // Alembic takes the convention of a metadata, not of a list of them.
        Target::Nothing | Target::Several(_) | Target::Unknown(_) => return Ok(None),
    };
    match &facts.convention {
        ConventionFacts::Default => Ok(Some(Convention::default())),
        ConventionFacts::Known(convention, _) => Ok(Some(convention.clone())),
        ConventionFacts::Unknown(reason, _) => Err(NameUnknown::Convention(reason.clone())),
    }
}

/// The metadata of the database that a function is for: `upgrade_engine1()` runs under the one called `engine1`.
fn of_database<'d>(
    databases: &'d [(String, MetadataFacts)],
    function: Option<&str>,
) -> Result<&'d MetadataFacts, NameUnknown> {
    let engine = function.and_then(|name| name.split_once('_')).map(|(_, engine)| engine);
    let own = databases.iter().find(|(name, _)| Some(name.as_str()) == engine);
    match (own, databases) {
        (Some((_, facts)), _) | (None, [(_, facts)]) => Ok(facts),
        _ => Err(NameUnknown::Target(
            "each database has a metadata of its own, and nothing tells which this is for".to_owned(),
        )),
    }
}

/// The name that a convention gives to a constraint.
pub(super) fn name(convention: &Convention, constraint: Constraint<'_>) -> Result<Option<Name>, NamingError> {
    let table = match constraint.table {
        Known::Is(table) => table,
        Known::Computed(reason) => {
            return Err(NamingError::NotKnowable(format!("the table: {reason}")));
        }
    };
    let columns = constraint.columns.unwrap_or_default().iter();
    let columns: Vec<ColumnRef<'_>> = columns.map(|column| ColumnRef::from(column.as_str())).collect();
    let (other, _, remote) = constraint.referred.unwrap_or(("", None, &[]));
    let remote: Vec<&str> = remote.iter().map(String::as_str).collect();
    convention.name(&Subject {
        kind: constraint.kind,
        table,
        schema: constraint.schema,
        columns: &columns,
        columns_unknown: constraint.columns.is_none(),
        referred: constraint.referred.map(|_| Referred {
            table: other,
            columns: &remote,
        }),
        explicit: constraint.explicit,
    })
}

/// The name that the project's convention gives; nothing where it has no template for the kind, or there is no convention.
pub(super) fn name_by_project(
    file: &MigrationFile<'_>,
    constraint: Constraint<'_>,
) -> Result<Option<Name>, NameUnknown> {
    let convention = project_convention(file, constraint.function)?;
    // A kind without a template has no name, even where its table is not known.
    let convention = convention.filter(|convention| convention.template_for(constraint.kind).is_some());
    convention.map_or(Ok(None), |convention| name(&convention, constraint).map_err(NameUnknown::Name))
}

/// The name of an unnamed constraint while a migration runs; nothing where the database chooses one.
pub(crate) fn name_at_run_time(
    file: &MigrationFile<'_>,
    constraint: Constraint<'_>,
) -> Result<Option<String>, NameUnknown> {
    Ok(name_by_project(file, constraint)?.map(|name| name.text))
}

/// The name in the end of a constraint that has one: the convention may build on a plain name.
///
/// Nothing where the convention cannot be read.
pub(crate) fn effective_name(file: &MigrationFile<'_>, constraint: Constraint<'_>) -> Option<String> {
    finished(file, constraint).map(|name| name.text)
}

/// The name by which an operation drops, or nothing where the convention cannot be read.
///
/// Without `type_` it drops a plain `Constraint`, for which no convention has a template (`alembic/operations/schemaobj.py`,
/// `generic_constraint`).
pub(crate) fn dropped_name(file: &MigrationFile<'_>, drop: &Operation<'_>) -> Option<String> {
    match drop.kind() {
        Some(_) => effective_name(file, Constraint::from(drop)),
        None => drop.name.text().map(str::to_owned),
    }
}

/// The effective name as SQLAlchemy holds it, where the result of a template counts as finished.
pub(crate) fn finished(file: &MigrationFile<'_>, constraint: Constraint<'_>) -> Option<Name> {
    let explicit = constraint.explicit?;
    let own = || Name {
        text: explicit.name.to_owned(),
        conv: explicit.is_conv,
    };
    match project_convention(file, constraint.function) {
        Ok(Some(convention)) => Some(name(&convention, constraint).ok()?.unwrap_or_else(own)),
        Ok(None) => Some(own()),
        Err(_) => explicit.is_conv.then(own),
    }
}

/// The name by the configured convention, which stands in for one that the project lacks.
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
    // Most conventions build on names for checks only, and few constraints are checks.
    if matches!(&file.naming().target, Target::Metadata(facts) if !builds_on_names(facts)) {
        return false;
    }
    let any = Known::Is("t".to_owned());
    let unnamed = Constraint {
        table: &any,
        explicit: None,
        ..constraint
    };
    // Such a template for primary keys fails for each table, and is reported at the convention.
    constraint.kind != ConstraintKind::PrimaryKey
        && matches!(project_convention(file, constraint.function), Ok(Some(convention))
            if name(&convention, unnamed) == Err(NamingError::ExplicitNameNeeded))
}

/// What the project's convention puts before a plain name of this kind; nothing where it takes the name as it is.
pub(crate) fn prefix_of_plain_names(file: &MigrationFile<'_>, constraint: Constraint<'_>) -> Option<String> {
    const MARK: &str = "\u{1}";
    let convention = project_convention(file, constraint.function).ok()??;
    let explicit = Explicit {
        name: MARK,
        is_conv: false,
    };
    let marked = Constraint {
        explicit: Some(explicit),
        ..constraint
    };
    let rendered = name(&convention, marked).ok()??.text;
    let (prefix, _) = rendered.split_once(MARK)?;
    (!prefix.is_empty()).then(|| prefix.to_owned())
}
